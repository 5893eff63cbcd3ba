"""What every captioner and every metric must do; a plug-in's own tests call these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from firstsight.captioners import Captioner
from firstsight.metrics import Corpus, Metric
from firstsight.types import CaptionResult, RgbImage

__all__ = ["check_captioner", "check_metric"]

_REFERENCES = [
    [["a", "dog", "runs", "on", "green", "grass"], ["the", "dog", "is", "running"]],
    [["two", "cats", "sleep", "on", "a", "red", "sofa"], ["cats", "asleep"]],
    [["a", "man", "rides", "a", "horse", "along", "the", "beach"]],
]
_CANDIDATES = [
    ["a", "dog", "runs", "on", "grass"],
    ["a", "cat", "on", "a", "sofa"],
    ["a", "man", "on", "a", "horse"],
]


def check_captioner(captioner: Captioner) -> None:
    """Fail with a message unless ``captioner`` keeps the promises of its base class.

    It states what it is; it gives one result an image, in order; single, batch and streaming forms agree; the same
    image has the same captions again, alone or among others, whatever its size.

    Args:
        captioner: A captioner, ready to use.

    Raises:
        AssertionError: A promise is broken; the message says which.

    Example:
        >>> from firstsight.testing import FakeCaptioner
        >>> check_captioner(FakeCaptioner())
    """
    for name in ("name", "licence", "description"):
        text = getattr(captioner, name, None)
        _require(isinstance(text, str) and text.strip() == text != "", f"{name} is {text!r}; it must be one line")
        _require(len(str(text).splitlines()) == 1, f"{name} has several lines")
    provenance = captioner.provenance
    _require(
        provenance.captioner == captioner.name, f"provenance names {provenance.captioner!r}, not {captioner.name!r}"
    )
    _require(provenance.version != "", "provenance has no version")
    _require(provenance == captioner.provenance, "provenance changes from one look to the next")

    images = _images()
    batch = captioner.caption_batch(images)
    _require(len(batch) == len(images), f"{len(images)} images have {len(batch)} results")
    for result in batch:
        _check_result(result)
    _require(captioner.caption_batch([]) == [], "an empty batch has results")
    _require(_are_same(captioner.caption_batch(images), batch), "the same images have other captions the second time")
    _require(
        _are_same(captioner.caption_batch(images[::-1]), batch[::-1]), "the order of the images changes their captions"
    )
    _require(_are_same([captioner.caption(image) for image in images], batch), "caption and caption_batch disagree")
    _require(
        _are_same(list(captioner.caption_stream(iter(images))), batch), "caption_stream and caption_batch disagree"
    )


def check_metric(make_metric: Callable[[], Metric]) -> None:
    """Fail with a message unless a metric is additive statistics and a pure function of their sum.

    It states what it is, the same before and after it has scored; statistics are finite, equal when asked again and
    unchanged by scoring; scores lie in the stated range; a table of sums is scored row by row; references score no
    worse than candidates, if it is a quality that looks at captions alone. A metric that looks at images is given three
    small ones.

    Args:
        make_metric: The class, as it is registered; or what makes a metric, where its constructor needs arguments, such
            as ``functools.partial(ClipScore, folder)``.

    Raises:
        AssertionError: A promise is broken; the message says which.

    Example:
        >>> from firstsight.metrics import METRICS
        >>> check_metric(METRICS.load("bleu"))
    """
    metric = make_metric()
    _require(bool(metric.score_names), "score_names is empty")
    _require(metric.version != "", "version is empty")
    with TemporaryDirectory() as folder:
        files = _image_files(Path(folder)) if metric.needs_images else None
        _check_statistics(make_metric, metric, files)


def _check_statistics(make_metric: Callable[[], Metric], metric: Metric, files: Mapping[str, Path] | None) -> None:
    corpus, stated = _corpus(_CANDIDATES, files), dict(metric.parameters)
    metric.prepare(corpus)
    table = metric.corpus_statistics(corpus)
    _require(metric.parameters == stated, f"parameters are {stated} before scoring and {metric.parameters} after")
    _require(table.ndim == 2 and table.dtype == np.float64, f"statistics are {table.dtype} {table.shape[1:]}, not (k,)")
    _require(bool(np.isfinite(table).all()), "statistics are not finite")
    _require(np.array_equal(metric.corpus_statistics(corpus), table), "statistics change when asked again")
    part = metric.corpus_statistics(_corpus(_CANDIDATES, files, first=1))
    _require(np.array_equal(part, table[1:]), "an image has other statistics in a part of the corpus")
    copy = make_metric()
    copy.restore(metric.learnt())
    _require(np.array_equal(copy.corpus_statistics(corpus), table), "what was learnt and restored scores otherwise")
    scores = _check_scores(metric, table)
    if metric.is_quality and not metric.needs_images:
        perfect = metric.corpus_statistics(_corpus([group[0] for group in _REFERENCES], files))
        gain = metric.from_statistics(perfect.sum(axis=0)) - scores
        if not metric.higher_is_better:
            gain = -gain
        _require(bool((gain >= 0).all()), "a candidate equal to a reference scores worse than one that is not")


def _check_scores(metric: Metric, table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Check the scores of a table of statistics, and return those of their sum."""
    before = table.copy()
    scores_of_all = metric.from_statistics(table.sum(axis=0))
    _require(scores_of_all.shape == (len(metric.score_names),), f"scores have the shape {scores_of_all.shape}")
    images = metric.from_statistics(table)
    _require(images.shape == (len(table), len(metric.score_names)), "a table of sums is not scored row by row")
    _require(np.array_equal(before, table), "scoring changes the statistics")
    for scores in (scores_of_all, *images):
        low, high = metric.score_range
        known = scores[np.isfinite(scores)]
        _require(bool(((known >= low) & (known <= high)).all()), f"{scores} is outside {metric.score_range}")
    for one, alone in zip(table, images, strict=True):
        _require(np.array_equal(metric.from_statistics(one), alone, equal_nan=True), "a row scores otherwise alone")
    return scores_of_all


def _corpus(candidates: Sequence[Sequence[str]], files: Mapping[str, Path] | None, *, first: int = 0) -> Corpus:
    """Return the corpus from the image number ``first`` on."""
    corpus = Corpus.from_tokens(candidates[first:], _REFERENCES[first:])
    corpus.image_ids = tuple(map(str, range(first, len(candidates))))
    corpus.images = files
    return corpus


def _image_files(folder: Path) -> dict[str, Path]:
    from PIL import Image

    files = {}
    for number, image in enumerate(_images()[: len(_CANDIDATES)]):
        files[str(number)] = folder / f"{number}.png"
        Image.fromarray(image).save(files[str(number)])
    return files


def _images() -> list[RgbImage]:
    """A square, a panorama, a tall one and a single dot, of seeded noise over a gradient."""
    random = np.random.default_rng(0)
    images = []
    for height_px, width_px in ((64, 64), (30, 90), (120, 40), (1, 1)):
        ramp = np.linspace(0, 200, width_px)[None, :, None]
        noise = random.uniform(0, 55, (height_px, width_px, 3))
        images.append((ramp + noise).astype(np.uint8))
    return images


def _check_result(result: CaptionResult) -> None:
    _require(bool(result.captions), "a result has no caption")
    _require(len(set(result.captions)) == len(result.captions), f"captions repeat: {result.captions}")
    for caption in result.captions:
        _require(caption.strip() == caption != "", f"a caption is blank or padded: {caption!r}")
        _require(len(caption.splitlines()) == 1, f"a caption has several lines: {caption!r}")
        caption.encode()
    if result.score is not None:
        _require(np.isfinite(result.score) and result.score <= 0, f"the score {result.score} is no log-probability")


def _are_same(results: list[CaptionResult], others: list[CaptionResult]) -> bool:
    """Whether the captions are equal and the scores are up to the rounding of float32 sums."""
    return len(results) == len(others) and all(
        one.captions == other.captions
        and (one.score is None) == (other.score is None)
        and bool(np.isclose(one.score or 0.0, other.score or 0.0, rtol=1e-4, atol=1e-5))
        for one, other in zip(results, others, strict=True)
    )


def _require(is_kept: bool, broken: str) -> None:
    if not is_kept:
        raise AssertionError(broken)
