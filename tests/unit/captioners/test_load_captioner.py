"""Names and options of captioners."""

from __future__ import annotations

from pathlib import Path

import pytest

from firstsight.captioners import captioner_options, load_captioner
from firstsight.captioners.embedded.model import EmbeddedModel
from firstsight.errors import CaptionerError, UnknownNameError, UsageError


def test_an_unknown_captioner_is_told_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'embedded'"):
        load_captioner("embeded")


def test_an_unknown_option_is_told_with_the_nearest_and_all_names() -> None:
    with pytest.raises(UsageError, match=r"no option .beamsize.\. Did you mean .beam_size.*length_penalty"):
        load_captioner("embedded", beamsize=3)


def test_the_model_may_stand_behind_the_name(tmp_path: Path) -> None:
    with pytest.raises(CaptionerError, match=r"holds no model.json.*firstsight train"):
        load_captioner(f"embedded:{tmp_path}")


def test_options_are_named() -> None:
    assert captioner_options("embedded") == {"model", "beam_size", "length_penalty", "n_captions"}


@pytest.mark.parametrize(
    ("options", "message"), [({"n_captions": 4}, "from 1 to beam_size"), ({"beam_size": 0}, "from 1")]
)
def test_options_out_of_range_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_captioner("embedded", **options)


def test_a_damaged_model_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(CaptionerError, match=r"model.json cannot be loaded"):
        EmbeddedModel(tmp_path)
    (tmp_path / "model.json").write_text(
        '{"format": 99, "name": "x", "version": "1", "licence": "", "n_members": 1, "n_layers": 1, "n_heads": 1,'
        ' "width": 8, "max_words": 5, "words": [], "keywords": [], "class_words": [], "words_of_class": []}'
    )
    with pytest.raises(CaptionerError, match="has format 99; this version reads format 1"):
        EmbeddedModel(tmp_path)


def test_a_missing_graph_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(
        '{"format": 1, "name": "x", "version": "1", "licence": "", "n_members": 1, "n_layers": 1, "n_heads": 1,'
        ' "width": 8, "max_words": 5, "words": [], "keywords": [], "class_words": [], "words_of_class": []}'
    )
    with pytest.raises(CaptionerError, match=r"encoder.onnx cannot be loaded"):
        EmbeddedModel(tmp_path)
