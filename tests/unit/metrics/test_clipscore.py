"""CLIPScore on a tiny CLIP model of random weights, against the definition computed here in float64."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from firstsight.errors import BackendError, ImageError, MetricUndefinedError, MissingDependencyError, UsageError
from firstsight.metrics import Corpus, clipscore
from firstsight.metrics.clipscore import ClipScore
from firstsight.tokenizers.words import WordsTokenizer

CANDIDATES = ["A dog runs.", "two cats on a sofa", "", "the man"]
REFERENCES = [["A brown dog runs on grass."], ["Two cats sleep.", "the cats"], ["a bench", "", "x"], ["the man"]]
IDS = ["landscape", "portrait", "square", "strip"]
# Reduced to 32 px, an even number of rows or columns is cut off: transformers rounds an odd one otherwise than CLIP.
SIZES = [(60, 40), (33, 91), (32, 32), (45, 3)]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, random = tmp_path_factory.mktemp("photos"), np.random.default_rng(5)
    files = {}
    for name, (width, height) in zip(IDS, SIZES, strict=True):
        files[name] = folder / f"{name}.png"
        Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(files[name])
    return files


def corpus_of(images: Any, candidates=CANDIDATES, references=REFERENCES, ids=IDS) -> Corpus:
    return Corpus(candidates, references, WordsTokenizer(), image_ids=ids, images=images)


def ids_of(caption: str, vocabulary: dict[str, int]) -> list[int]:
    """The letters of each word, the last one marked, "the" as one; cut so that both marks fit into 77."""
    tokens = []
    for word in f"a photo depicts {caption}".lower().replace(".", " .").split():
        tokens += [vocabulary["the</w>"]] if word == "the" else [vocabulary[letter] for letter in word[:-1]]
        tokens += [] if word == "the" else [vocabulary[f"{word[-1]}</w>"]]
    return [vocabulary["<|startoftext|>"], *tokens[:75], vocabulary["<|endoftext|>"]]


def expected_scores(folder: Path, images: dict[str, Path]) -> np.ndarray:
    """The scores of every image by the definition, one caption and one image at a time, in float64."""
    import torch
    from transformers import CLIPModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    model = CLIPModel.from_pretrained(folder).double().eval()
    vocabulary = json.loads((folder / "vocab.json").read_text())
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})

    def text(caption: str) -> np.ndarray:
        states = model.text_model(input_ids=torch.tensor([ids_of(caption, vocabulary)]))
        vector = model.text_projection(states.pooler_output)[0].detach().numpy()
        return vector / np.sqrt((vector**2).sum())

    def picture(file: Path) -> np.ndarray:
        pixels = torch.tensor(processor(Image.open(file))["pixel_values"][0]).double()[None]
        vector = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)[0].detach().numpy()
        return vector / np.sqrt((vector**2).sum())

    rows = []
    for name, candidate, group in zip(IDS, CANDIDATES, REFERENCES, strict=True):
        score = 2.5 * max(float(text(candidate) @ picture(images[name])), 0)
        nearest = max(0.0, *(float(text(candidate) @ text(reference)) for reference in group))
        rows.append([score, 2 * score * nearest / (score + nearest) if score * nearest else 0])
    return np.array(rows)


def test_scores_equal_the_definition(tiny_clip: Path, images: dict[str, Path]):
    metric = ClipScore(str(tiny_clip), batch_size=3)
    corpus = corpus_of(images)
    metric.prepare(corpus)
    table = metric.corpus_statistics(corpus)
    expected = expected_scores(tiny_clip, images)
    assert (expected > 0).all(), "the stand-in must not score zero everywhere"
    np.testing.assert_allclose(table[:, :2], expected, atol=2e-6)
    np.testing.assert_array_equal(table[:, 2], 1)
    np.testing.assert_allclose(metric.from_statistics(table.sum(axis=0)), expected.mean(axis=0), atol=2e-6)


VECTORS = {"east": [1, 0], "north": [0, 1], "west": [-2, 0], "between": [3, 4], "nowhere": [0, 0]}


class _Vectors:
    """Embeddings that the test chooses: a caption is the name of one, every image looks east."""

    def texts(self, captions):
        return np.array([VECTORS[caption] for caption in captions], np.float64)

    def images(self, images):
        return np.array([[1.0, 0.0]] * len(images))


@pytest.mark.parametrize(
    ("candidate", "references", "score", "with_references"),
    [
        ("east", ["east"], Fraction(5, 2), Fraction(10, 7)),  # the highest there is
        ("between", ["north", "west"], Fraction(3, 2), 2 * Fraction(3, 2) * Fraction(4, 5) / Fraction(23, 10)),
        ("west", ["west"], 0, 0),  # against the image
        ("east", ["west", "north"], Fraction(5, 2), 0),  # no reference is near
        ("nowhere", ["nowhere"], 0, 0),
    ],
)
def test_formulas(images: dict[str, Path], candidate: str, references: list[str], score: float, with_references: float):
    metric = ClipScore("vectors")
    metric.__dict__["_encoder"] = _Vectors()
    row = metric.corpus_statistics(corpus_of(images, [candidate], [references], ["square"]))[0]
    assert row.tolist() == [pytest.approx(float(score)), pytest.approx(float(with_references)), 1]


def test_the_square_in_the_middle_is_taken_as_torchvision_does():
    image = np.random.default_rng(0).integers(0, 256, (35, 32, 3), np.uint8)
    square = image[2:34] / 255  # half of three rows is rounded to the even two
    expected = (square - [0.48145466, 0.4578275, 0.40821073]) / [0.26862954, 0.26130258, 0.27577711]
    found = clipscore._normalised(image, 32)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.transpose(2, 0, 1), atol=1e-6)


def test_a_very_long_strip_is_judged_by_its_middle_without_growing():
    strip = np.zeros((1, 200_001, 3), np.uint8)
    strip[:, 100_000] = 255
    found = clipscore._normalised(strip, 32)[0]
    np.testing.assert_allclose(found, found[:, ::-1], atol=1e-5)  # the white dot is in the middle
    assert found[:, 12:20].min() > found[:, 0].max()


def test_batches_and_blocks_change_nothing_but_the_last_digits(
    tiny_clip: Path, images: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    one = ClipScore(str(tiny_clip), batch_size=1).corpus_statistics(corpus_of(images))
    monkeypatch.setattr(clipscore, "_BLOCK_IMAGES", 3)
    for size in (2, 32):
        other = ClipScore(str(tiny_clip), batch_size=size).corpus_statistics(corpus_of(images))
        np.testing.assert_allclose(other, one, atol=1e-6)


def test_a_long_caption_is_cut_at_the_context(tiny_clip: Path, images: dict[str, Path]):
    beginning = "dog " * 30  # three tokens a word: the context ends within
    captions = [beginning + tail for tail in ("cat", "man on a sofa", "")]
    ids, files = list("abc"), dict.fromkeys("abc", images["square"])
    table = ClipScore(str(tiny_clip)).corpus_statistics(corpus_of(files, captions, [["a"]] * 3, ids))
    np.testing.assert_allclose(table[1:], table[:1].repeat(2, axis=0), atol=1e-6)


def test_any_text_is_scored(tiny_clip: Path, images: dict[str, Path]):
    captions = ["\ud800", "\x00\u2028 가나다 😀", "   "]
    ids, files = list("abc"), dict.fromkeys("abc", images["square"])
    table = ClipScore(str(tiny_clip)).corpus_statistics(corpus_of(files, captions, [["\udfff"]] * 3, ids))
    assert np.isfinite(table).all()


def test_the_signature_names_the_model_and_its_weights_and_no_path(tiny_clip: Path, tmp_path: Path):
    import torch
    from transformers import CLIPModel

    copy = tmp_path / "other"
    shutil.copytree(tiny_clip, copy)
    model = CLIPModel.from_pretrained(copy)
    with torch.no_grad():
        next(model.parameters()).add_(1e-3)
    model.save_pretrained(copy)
    one, other = ClipScore(str(tiny_clip)).parameters, ClipScore(str(copy)).parameters
    assert one["model"] == "tiny-clip"
    assert one["weights"] != other["weights"]
    assert {key: one[key] for key in ("prefix", "max_tokens", "w")} == {
        "prefix": "A photo depicts",
        "max_tokens": 77,
        "w": 2.5,
    }
    assert "revision" not in one


def test_every_unreadable_image_is_named(tiny_clip: Path, images: dict[str, Path], tmp_path: Path):
    empty, text = tmp_path / "empty.png", tmp_path / "text.png"
    empty.write_bytes(b"")
    text.write_bytes(b"no image at all")
    files = {**images, "portrait": empty, "strip": text}
    with pytest.raises(ImageError, match=r"clipscore has no score: 2 of 4 images .*'portrait'.*'strip'") as caught:
        ClipScore(str(tiny_clip), batch_size=2).corpus_statistics(corpus_of(files))
    assert caught.value.code == "empty"


def test_images_must_be_given(images: dict[str, Path]):
    with pytest.raises(UsageError, match="their files were not given"):
        ClipScore("any").prepare(corpus_of(None))
    with pytest.raises(UsageError, match="1 of 4 have no file: 'strip'"):
        ClipScore("any").prepare(corpus_of({name: images[name] for name in IDS[:3]}))


@pytest.mark.parametrize("model", ["./not-there", "/not/there", "~/not-there", "a/b/c"])
def test_a_folder_that_is_not_there(model: str):
    pytest.importorskip("torch", reason="the extra clip is not installed")
    with pytest.raises(BackendError, match=r"There is no folder .* with a CLIP model"):
        _ = ClipScore(model).parameters


def test_a_folder_without_a_clip_model(tmp_path: Path, tiny_clip: Path):
    with pytest.raises(BackendError, match="holds no CLIP model that can be loaded"):
        _ = ClipScore(str(tmp_path)).parameters
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(BackendError, match="of the kind 'bert'; clipscore needs one of the kind 'clip'"):
        _ = ClipScore(str(tmp_path)).parameters


def test_a_model_that_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch):
    transformers = pytest.importorskip("transformers", reason="the extra clip is not installed")

    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("We couldn't connect to the hub,\nand found nothing in the cache.")

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", offline)
    with pytest.raises(BackendError, match=r"'openai/clip-vit-base-patch32' is not on this machine .* copy its folder"):
        _ = ClipScore().parameters


def test_without_torch_it_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ClipScore, "is_available", classmethod(lambda cls: False))
    with pytest.raises(MissingDependencyError, match=r'pip install "firstsight\[clip\]"'):
        _ = ClipScore().parameters


def test_a_device_that_is_not_there(tiny_clip: Path):
    for device in ("cuda:99", "abacus"):
        with pytest.raises(UsageError, match="torch cannot compute on device"):
            _ = ClipScore(str(tiny_clip), device=device).parameters


@pytest.mark.parametrize("options", [{"model": " "}, {"batch_size": 0}])
def test_options_are_checked(options: dict[str, Any]):
    with pytest.raises(UsageError):
        ClipScore(**options)


def test_no_images_is_undefined():
    with pytest.raises(MetricUndefinedError, match="clipscore is undefined"):
        ClipScore().from_statistics(np.zeros(3))
