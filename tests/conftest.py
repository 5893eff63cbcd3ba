"""Fixtures for every test: where the repository and the larger test data are, and the command line run in-process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Finished:
    """One finished command line."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder that holds pyproject.toml."""
    return _ROOT


@pytest.fixture(scope="session")
def shared(repo_root: Path) -> Path:
    """The folder of data sets that is not part of the repository; skips the test where it is absent."""
    folder = Path(os.environ.get("FIRSTSIGHT_SHARED", repo_root.parent / "shared"))
    if not (folder / "golden").is_dir():
        pytest.skip(f"needs the data sets in {folder}; set FIRSTSIGHT_SHARED to their folder")
    return folder


@pytest.fixture
def firstsight(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Run one ``firstsight`` command line in this process, as the console script does."""
    from firstsight.cli.main import run

    def finish(*args: str | Path) -> Finished:
        capsys.readouterr()
        try:
            exit_code = run([str(argument) for argument in args])
        except SystemExit as stop:
            exit_code = stop.code if isinstance(stop.code, int) else 1
        output = capsys.readouterr()
        return Finished(exit_code, output.out, output.err)

    return finish


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CLIP model of random weights and a tokenizer of single letters, as transformers saves them."""
    pytest.importorskip("transformers", reason="the extra clip is not installed")
    torch = pytest.importorskip("torch", reason="the extra clip is not installed")
    from transformers import CLIPConfig, CLIPModel

    folder = tmp_path_factory.mktemp("models") / "tiny-clip"
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "th", "the</w>", "<|startoftext|>", "<|endoftext|>"]
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**sizes, "vocab_size": len(words), "max_position_embeddings": 77}
    marks = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": len(words) - 1}
    vision = {**sizes, "image_size": 32, "patch_size": 8}
    model = CLIPModel(CLIPConfig(text_config={**text, **marks}, vision_config=vision, projection_dim=8))
    torch.manual_seed(3)  # of those that give similarities above zero
    with torch.no_grad():
        for values in model.parameters():
            values.normal_(std=0.5)
    model.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\nt h\nth e</w>\n")
    ends = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    config = {"tokenizer_class": "CLIPTokenizer", "unk_token": "<|endoftext|>", **ends}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder
