"""How well metrics agree with people: every score of rated captions against their ratings."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from firstsight.datasets.ratings import RatedCaption, RatingFile
from firstsight.datasets.writers import csv_row
from firstsight.errors import MetricUndefinedError, UnknownNameError
from firstsight.evaluation._options import EvaluationOptions, Progress, default_metrics, load_metrics, load_tokenizer
from firstsight.evaluation._scored import learn, restore_card, shared_fields, signatures_of
from firstsight.evaluation.output import neighbours
from firstsight.evaluation.signature import HASH_DIGITS, reference_set_hash, shared_part, signature_lines
from firstsight.metrics import Corpus
from firstsight.types import Json

if TYPE_CHECKING:
    from firstsight.metrics import Metric
    from firstsight.significance import Coefficient
    from firstsight.tokenizers import Tokenizer

__all__ = ["AGREEMENT_RENDERERS", "MEASURES", "Agreement", "MetricAgreement", "RaterRule", "measure_agreement"]

MEASURES = ("tau-b", "tau-c", "accuracy", "pearson", "spearman")
"""The measures of agreement, in the order in which they are given."""

RaterRule: TypeAlias = Literal["each", "mean"]

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class MetricAgreement:
    """How well one score agrees with the ratings.

    ``measures`` has a coefficient for each of ``MEASURES``, by name; it is empty where the score is undefined, with the
    reason in ``reason``.
    """

    name: str
    measures: Mapping[str, Coefficient]
    signature: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of several scores with the same ratings.

    Attributes:
        scores: BLEU-1 to BLEU-4, ROUGE-L, CIDEr-D, then those of further metrics.
        n_ratings: The number of items: ratings, or rated captions where raters are averaged.
        n_captions: The number of different captions of an image that are rated.
        n_images: The number of their images.
        headline: The measure of the summary: ``tau-c`` for few and equal steps as papers on Flickr8k-Expert print it,
            otherwise ``tau-b``.
        notes: What a reader must know.
    """

    scores: tuple[MetricAgreement, ...]
    n_ratings: int
    n_captions: int
    n_images: int
    headline: str = "tau-b"
    notes: tuple[str, ...] = ()


def measure_agreement(
    ratings: RatingFile,
    *,
    metrics: Sequence[str] | None = None,
    raters: RaterRule = "each",
    options: EvaluationOptions | None = None,
    on_progress: Progress | None = None,
) -> Agreement:
    """Return how well the scores of single captions agree with human ratings of them.

    The corpus that is scored has one item for each different caption of an image that is rated, with the references of
    that image. An image with ten rated captions therefore stands in it ten times, also in the document frequencies of
    CIDEr-D; this is how the published rows for Flickr8k were made. The score of an item is that of a corpus of it
    alone: for BLEU the sentence value of the original tool.

    Scores of a metric where lower is better are negated, so that agreement is positive. Intervals come from resampling
    images, each with all its items, because captions of one image are not independent.

    Args:
        ratings: What ``read_ratings`` gave.
        metrics: Registered names; the default metrics of the language unless given.
        raters: Whether each rating is an item (``each``) or the mean of a caption's ratings is (``mean``).
        options: Tokenizer, language, scoring card, resamples and seed; nothing else of them has a meaning here.
        on_progress: Called as captions are tokenised and scored.

    Raises:
        UsageError: An option or a metric is not allowed.
        MetricUndefinedError: All ratings are equal, so nothing can agree with them.
    """
    options = options or EvaluationOptions()
    loaded = load_metrics(metrics or default_metrics(options.language), options.language)
    if raters not in get_args(RaterRule):
        raise UnknownNameError("rule for raters", str(raters), get_args(RaterRule))
    items = _averaged(ratings.ratings) if raters == "mean" else list(ratings.ratings)
    if len({item.rating for item in items}) < 2:
        raise MetricUndefinedError(f"Nothing can agree with {ratings.name}: all its {len(items)} ratings are equal.")
    places: dict[tuple[str, str], int] = {}
    place = np.array([places.setdefault((item.image_id, item.caption), len(places)) for item in items])
    tokenizer = load_tokenizer(options.tokenizer)
    restore_card(loaded, tokenizer, options)
    corpus = _corpus(list(places), ratings.references, tokenizer, on_progress)
    shared = shared_fields(tokenizer, options, _rated_fields(ratings, items, len(places), raters))
    scores: list[MetricAgreement] = []
    for metric in loaded:
        scores += _of_metric(metric, corpus, _Rated(items, place, options, shared))
    headline = "tau-c" if ratings.protocol == "flickr8k-expert" else "tau-b"
    return Agreement(tuple(scores), len(items), len(places), len(ratings.references), headline, ratings.notes)


@dataclass(frozen=True, slots=True)
class _Rated:
    items: Sequence[RatedCaption]
    place: npt.NDArray[np.intp]
    """For each item the number of its caption in the corpus."""
    options: EvaluationOptions
    shared: Mapping[str, object]


def _of_metric(metric: Metric, corpus: Corpus, rated: _Rated) -> list[MetricAgreement]:
    signatures = dict(zip(metric.score_names, signatures_of(metric, rated.options, rated.shared), strict=True))
    try:
        learn(metric, corpus, rated.options)
        scores = metric.from_statistics(metric.corpus_statistics(corpus))  # (caption, score)
    except MetricUndefinedError as error:
        return [MetricAgreement(name, {}, signature, str(error)) for name, signature in signatures.items()]
    direction = 1.0 if metric.higher_is_better else -1.0
    return [
        _of_score(name, direction * scores[:, at], signature, rated)
        for at, (name, signature) in enumerate(signatures.items())
    ]


def _of_score(name: str, scores: npt.NDArray[np.float64], signature: str, rated: _Rated) -> MetricAgreement:
    from firstsight.significance import agreement

    if not np.isfinite(scores).all():
        return MetricAgreement(name, {}, signature, "Some captions have no finite score.")
    try:
        measures = agreement(
            scores[rated.place],
            [item.rating for item in rated.items],
            [item.image_id for item in rated.items],
            names=MEASURES,
            n_resamples=rated.options.n_resamples,
            seed=rated.options.seed,
        )
    except MetricUndefinedError as error:
        return MetricAgreement(name, {}, signature, str(error))
    return MetricAgreement(name, measures, signature)


def _corpus(
    captions: list[tuple[str, str]],
    references: Mapping[str, tuple[str, ...]],
    tokenizer: Tokenizer,
    on_progress: Progress | None,
) -> Corpus:
    return Corpus(
        [caption for _, caption in captions],
        [references[image_id] for image_id, _ in captions],
        tokenizer,
        image_ids=[image_id for image_id, _ in captions],
        on_progress=on_progress,
    )


def _averaged(ratings: Sequence[RatedCaption]) -> list[RatedCaption]:
    values: dict[tuple[str, str], list[float]] = {}
    for item in ratings:
        values.setdefault((item.image_id, item.caption), []).append(item.rating)
    return [RatedCaption(image_id, caption, float(np.mean(of))) for (image_id, caption), of in values.items()]


def _rated_fields(
    ratings: RatingFile, items: Sequence[RatedCaption], n_captions: int, raters: RaterRule
) -> dict[str, object]:
    image_ids = list(ratings.references)
    reference_set = reference_set_hash(image_ids, [ratings.references[image_id] for image_id in image_ids])
    rows = sorted(json.dumps([item.image_id, item.caption, item.rating]) for item in items)
    return {
        "protocol": ratings.protocol,
        "raters": raters,
        "ratings": len(items),
        "captions": n_captions,
        "images": len(image_ids),
        "refs": sum(map(len, ratings.references.values())),
        "refset": reference_set[:HASH_DIGITS],
        "ratingset": hashlib.sha256("\n".join(rows).encode()).hexdigest()[:HASH_DIGITS],
    }


def to_json(found: Agreement) -> dict[str, Json]:
    """Return the agreement as one object.

    ``n_ratings``, ``n_captions`` and ``n_images``; ``scores`` by name. A score has ``measures`` by name (``tau-b``,
    ``tau-c``, ``pearson`` and ``spearman`` from -1 to 1, ``accuracy`` from 0 to 1), each with ``value`` and, with
    resamples, ``low`` and ``high``; and ``signature``. An undefined one has ``measures`` null and ``reason``.
    """
    return {
        "n_ratings": found.n_ratings,
        "n_captions": found.n_captions,
        "n_images": found.n_images,
        "scores": {score.name: _entry(score) for score in found.scores},
        "notes": list(found.notes),
    }


def to_json_text(found: Agreement) -> str:
    """Return ``to_json`` as text that ends in a line feed."""
    return json.dumps(to_json(found), indent=2, allow_nan=False) + "\n"


def to_csv(found: Agreement) -> str:
    """Return one row a score and measure: ``name,measure,value,low,high,signature,reason``; what is not is empty."""
    rows: list[tuple[object, ...]] = [("name", "measure", "value", "low", "high", "signature", "reason")]
    for score in found.scores:
        rows += [(score.name, c.name, c.value, c.low, c.high, score.signature, None) for c in score.measures.values()]
        if not score.measures:
            rows.append((score.name, None, None, None, None, score.signature, score.reason))
    return "".join(csv_row(*row) for row in rows)


def to_table(found: Agreement) -> str:
    """Return aligned columns at most 100 characters wide, times 100 as papers print them, and the signatures."""
    width = max(len(score.name) for score in found.scores)
    has_intervals = any(c.low is not None for score in found.scores for c in score.measures.values())
    title = "Agreement with human ratings, times 100"
    lines = [title + (", and its 95 % interval over images" if has_intervals else ""), ""]
    column = 17 if has_intervals else 8
    lines.append((" " * width + "".join(f"  {name:<{column - 2}}" for name in MEASURES)).rstrip())
    for score in found.scores:
        cells = "".join(f"  {_shown(score.measures[name]):<{column - 2}}" for name in MEASURES if score.measures)
        lines.append(f"{score.name:<{width}}{cells or '  ' + _reason(score)}".rstrip())
    n_all = f"{found.n_ratings:,} ratings of {found.n_captions:,} captions of {found.n_images:,} images"
    lines += ["", n_all, *(textwrap.fill(note, _WIDTH) for note in found.notes)]
    lines += ["", "Signatures: what belongs to each score, then what all of them share"]
    lines += [f"  {shared_part(score.signature)[0]}" for score in found.scores]
    lines += signature_lines(shared_part(found.scores[0].signature)[1])
    lines += ["", summary_line(found)]
    return "\n".join(lines) + "\n"


def summary_line(found: Agreement) -> str:
    """Return one line for a paper or a bug report: the tau of each score, neighbours such as BLEU-1 to 4 together."""
    shown = {s.name: f"{100 * s.measures[found.headline].value:.1f}" if s.measures else "none" for s in found.scores}
    parts = [f"{label} {' '.join(shown[name] for name in names)}" for label, names in neighbours(shown).items()]
    return f"{found.headline} x 100: {', '.join(parts)} ({found.n_ratings:,} ratings)"


AGREEMENT_RENDERERS: Mapping[str, Callable[[Agreement], str]] = MappingProxyType(
    {"table": to_table, "json": to_json_text, "csv": to_csv}
)
"""The forms that ``firstsight agree --format`` prints."""


def _entry(score: MetricAgreement) -> Json:
    if not score.measures:
        return {"measures": None, "reason": score.reason}
    measures: dict[str, Json] = {}
    for name, found in score.measures.items():
        interval: dict[str, Json] = {} if found.low is None else {"low": found.low, "high": found.high}
        measures[name] = {"value": found.value, **interval}
    return {"measures": measures, "signature": score.signature}


def _shown(found: Coefficient) -> str:
    value = f"{100 * found.value:.1f}"
    if found.low is None or found.high is None:
        return value
    return f"{value} {100 * found.low:.1f}–{100 * found.high:.1f}"


def _reason(score: MetricAgreement) -> str:
    return f"none: {score.reason}"[: _WIDTH - len(score.name) - 2]
