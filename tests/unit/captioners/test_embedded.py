"""The captioner inside the package, on the sample photos."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from firstsight.captioners import load_captioner
from firstsight.captioners.embedded import WEIGHTS_FOLDER, EmbeddedCaptioner
from firstsight.captioners.embedded.preprocess import to_pixels
from firstsight.errors import UsageError
from firstsight.images import load_image
from firstsight.samples import sample_files

MAX_SIZE_BYTES = 40_000_000


@pytest.fixture(scope="module")
def captioner() -> EmbeddedCaptioner:
    return EmbeddedCaptioner()


def test_all_files_of_the_model_fit_in_40_mb() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS_FOLDER.iterdir()) <= MAX_SIZE_BYTES


def test_different_photos_get_different_sentences(captioner: EmbeddedCaptioner) -> None:
    captions = [captioner.caption(file).captions[0] for file in sample_files()[:8]]
    assert len(set(captions)) >= 6
    for caption in captions:
        assert caption[0].isupper()
        assert caption.endswith(".")
        assert 3 <= len(caption.split()) <= 20


def test_a_photo_is_said_alike_alone_and_in_any_batch(captioner: EmbeddedCaptioner) -> None:
    images = [load_image(file) for file in sample_files()[:5]]
    together = captioner.caption_batch(images)
    assert [result.captions for result in together] == [captioner.caption(image).captions for image in images]
    backwards = list(captioner.caption_stream(reversed(images)))
    assert [result.captions for result in reversed(backwards)] == [result.captions for result in together]


def test_several_sentences_are_distinct_and_best_first() -> None:
    result = EmbeddedCaptioner(beam_size=5, n_captions=5).caption(sample_files()[0])
    assert len(set(result.captions)) == len(result.captions) == 5


def test_no_image_gives_no_result(captioner: EmbeddedCaptioner) -> None:
    assert captioner.caption_batch([]) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (1800, 40)])
def test_images_of_any_shape_are_read(captioner: EmbeddedCaptioner, size: tuple[int, int]) -> None:
    assert captioner.caption(Image.new("RGB", size, (90, 120, 30))).captions[0]


def test_pixels_are_the_whole_image_stretched() -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    image[:, :150] = 255
    pixels = to_pixels(image)
    assert pixels.shape == (260, 260, 3)
    assert pixels[:, :125].min() == 255
    assert pixels[:, 135:].max() == 0


def test_the_provenance_names_the_weights(captioner: EmbeddedCaptioner) -> None:
    provenance = captioner.provenance
    assert provenance.captioner == "embedded"
    assert provenance.weights.startswith("sha256:")
    assert provenance.parameters["beam_size"] == 3
    assert EmbeddedCaptioner(beam_size=1).provenance.weights == provenance.weights


def test_captioning_imports_neither_torch_nor_onnx() -> None:
    code = (
        "import sys; from firstsight.captioners import load_captioner; from firstsight.samples import sample_files; "
        "load_captioner().caption(sample_files()[0]); print([m for m in ('torch', 'onnx') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_the_default_captioner_is_the_embedded_one() -> None:
    assert load_captioner().name == "embedded"


def test_what_is_no_rgb_array_is_told(captioner: EmbeddedCaptioner) -> None:
    with pytest.raises(UsageError, match=r"got float64 \(4, 4, 3\)"):
        captioner.caption_batch([np.zeros((4, 4, 3))])  # type: ignore[list-item]
    with pytest.raises(UsageError, match=r"got PosixPath.*load_image"):
        captioner.caption_batch([sample_files()[0]])  # type: ignore[list-item]


def test_a_stream_reads_files_too(captioner: EmbeddedCaptioner) -> None:
    [result] = captioner.caption_stream(sample_files()[:1])
    assert result.captions == captioner.caption(sample_files()[0]).captions
