"""The checks for plug-ins: they pass what is right and name what is broken."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from firstsight.metrics import METRICS, Metric, TokenMetric
from firstsight.testing import FakeCaptioner, check_captioner, check_metric
from firstsight.types import CaptionResult, Provenance, RgbImage


class _Broken(FakeCaptioner):
    """The fake captioner with one promise broken."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.n_calls = 0

    @property
    def provenance(self) -> Provenance:
        return Provenance("another" if self.how == "name" else "fake", "1", "")

    def caption_batch(self, images: Sequence[RgbImage]) -> list[CaptionResult]:
        self.n_calls += 1
        results = super().caption_batch(images)
        changed = {
            "count": results[1:],
            "blank": [CaptionResult(("",), None) for _ in results],
            "lines": [CaptionResult(("a\u2028b",), None) for _ in results],
            "repeated": [CaptionResult(("a", "a"), None) for _ in results],
            "score": [CaptionResult(("a",), 0.5) for _ in results],
            "memory": [CaptionResult((f"call {self.n_calls}",), None) for _ in results],
            "order": [CaptionResult((f"image {n}",), None) for n in range(len(results))],
            "batch": [CaptionResult((f"one of {len(results)}",), None) for _ in results],
        }
        return changed.get(self.how, results)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("name", "provenance names 'another'"),
        ("count", "4 images have 3 results"),
        ("blank", "a caption is blank"),
        ("lines", "a caption has several lines"),
        ("repeated", "captions repeat"),
        ("score", "the score 0.5 is no log-probability"),
        ("memory", "other captions the second time"),
        ("order", "the order of the images changes"),
        ("batch", "caption and caption_batch disagree"),
    ],
)
def test_a_broken_captioner_is_named(how: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_captioner(_Broken(how))


def test_the_fake_captioner_passes() -> None:
    check_captioner(FakeCaptioner())


class _Overlap(TokenMetric):
    """Share of the candidate's words that a reference has; right unless told otherwise."""

    name = "overlap"
    version = "1"
    score_names = ("Overlap",)
    score_range = (0.0, 1.0)

    def statistics(self, candidate, references):
        known = {word for reference in references for word in reference}
        return np.array([sum(word in known for word in candidate), len(candidate)], np.float64)

    def from_statistics(self, totals):
        return totals[..., :1] / totals[..., 1:]


class _OutOfRange(_Overlap):
    def from_statistics(self, totals):
        return 2 * super().from_statistics(totals)


class _Changing(_Overlap):
    def from_statistics(self, totals):
        totals += 1
        return super().from_statistics(totals)


class _Infinite(_Overlap):
    def statistics(self, candidate, references):
        return super().statistics(candidate, references) * np.inf


class _Inverted(_Overlap):
    def from_statistics(self, totals):
        return 1 - super().from_statistics(totals)


class _StatesWhatItLearnt(_Overlap):
    n_images = 0

    def prepare(self, corpus):
        super().prepare(corpus)
        self.n_images = len(corpus)

    @property
    def parameters(self):
        return {"images": self.n_images}


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (_StatesWhatItLearnt, r"parameters are \{'images': 0\} before scoring and \{'images': 3\} after"),
        (_OutOfRange, "is outside"),
        (_Changing, "scoring changes the statistics"),
        (_Infinite, "statistics are not finite"),
        (_Inverted, "scores worse"),
    ],
)
def test_a_broken_metric_is_named(metric: type[Metric], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_metric(metric)


def test_a_right_metric_passes() -> None:
    check_metric(_Overlap)


class _Describes(_Inverted):
    is_quality = False


def test_a_description_need_not_prefer_the_references() -> None:
    check_metric(_Describes)


class _LooksAtImages(_Overlap):
    """The height of the image; of an image that was not given it knows nothing."""

    needs_images = True

    def corpus_statistics(self, corpus):
        from firstsight.images import load_image

        heights_px = [load_image(corpus.images[image_id]).shape[0] for image_id in corpus.image_ids]
        return np.array([[height_px % 2, 1] for height_px in heights_px], np.float64)


def test_a_metric_that_looks_at_images_is_given_some() -> None:
    check_metric(_LooksAtImages)


class _ForgetsTheImages(_LooksAtImages):
    def corpus_statistics(self, corpus):
        table = super().corpus_statistics(corpus)
        table[0, 0] = 0.5
        return table


def test_a_metric_that_takes_the_first_image_otherwise_is_named() -> None:
    with pytest.raises(AssertionError, match="in a part of the corpus"):
        check_metric(_ForgetsTheImages)


@pytest.mark.parametrize("name", METRICS.names())
def test_every_registered_metric_passes(name: str, request: pytest.FixtureRequest) -> None:
    metric_class = METRICS.load(name)
    if name == "spice":
        pytest.skip("spice starts Java for every corpus; its own tests compare it with recorded results")
    if not metric_class.is_available():
        pytest.skip(f"{name}: what it needs is not installed")
    if name == "clipscore":
        check_metric(partial(metric_class, str(request.getfixturevalue("tiny_clip")), batch_size=1))
    elif name in ("clair", "fleur"):
        check_metric(partial(metric_class, "stub", options=request.getfixturevalue("stub_judge").options))
    else:
        check_metric(metric_class)
