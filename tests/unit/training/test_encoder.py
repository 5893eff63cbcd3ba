"""The shipped encoder is what the published weights give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='torch is not installed: pip install "firstsight[train]"')
pytest.importorskip("onnx", reason='onnx is not installed: pip install "firstsight[train]"')

from torch.nn import functional  # noqa: E402

from firstsight.captioners.embedded import WEIGHTS_FOLDER  # noqa: E402
from firstsight.captioners.embedded.model import ENCODER_FILE, load_session, run  # noqa: E402
from firstsight.training.encoder import build_encoder, published_weights  # noqa: E402


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(1, 260, 260, 3), dtype=np.uint8)


def test_the_shipped_encoder_is_built_from_the_published_weights(tmp_path: Path, pixels: np.ndarray) -> None:
    build_encoder(published_weights(), tmp_path / "encoder.onnx")
    built = run(load_session(tmp_path / "encoder.onnx"), {"pixels": pixels})
    shipped = run(load_session(WEIGHTS_FOLDER / ENCODER_FILE), {"pixels": pixels})
    for mine, theirs in zip(built, shipped, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_graph_computes_the_network_layer_by_layer(pixels: np.ndarray) -> None:
    """The same network in torch, from the weights as published, without folding anything."""
    weights = {name: torch.from_numpy(value.copy()) for name, value in published_weights().items()}

    def convolve(x: torch.Tensor, conv: str, norm: str, stride: int = 1, *, relu: bool = True) -> torch.Tensor:
        kernel = weights[f"{conv}.weight"]
        size = x.shape[2]
        padding = max((-(-size // stride) - 1) * stride + kernel.shape[2] - size, 0)
        x = functional.pad(x, [padding // 2, padding - padding // 2] * 2)
        x = functional.conv2d(x, kernel, stride=stride, groups=kernel.shape[0] if kernel.shape[1] == 1 else 1)
        names = ("running_mean", "running_var", "weight", "bias")
        x = functional.batch_norm(x, *(weights[f"{norm}.{name}"] for name in names), eps=1e-3)
        return x.clamp(0, 6) if relu else x

    x = (torch.from_numpy(pixels).float().permute(0, 3, 1, 2) - 127.0) / 128.0
    x = convolve(x, "_conv_stem", "_bn0", 2)
    for index in range(21):
        name, before = f"_blocks.{index}", x
        if index:
            x = convolve(x, f"{name}._expand_conv", f"{name}._bn0")
        x = convolve(x, f"{name}._depthwise_conv", f"{name}._bn1", 2 if index in (1, 4, 7, 15) else 1)
        x = convolve(x, f"{name}._project_conv", f"{name}._bn2", relu=False)
        if x.shape == before.shape:
            x = x + before
    x = convolve(x, "_conv_head", "_bn1")
    logits = functional.linear(x.mean((2, 3)), weights["_fc.weight"], weights["_fc.bias"])
    grid, found = run(load_session(WEIGHTS_FOLDER / ENCODER_FILE), {"pixels": pixels})
    np.testing.assert_allclose(grid[0], x[0].flatten(1).T.numpy(), atol=0.15)  # float16 weights, values up to 6
    np.testing.assert_allclose(found, logits.numpy(), atol=0.05)
