"""The evaluation itself: captions in, scores with interval and signature out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firstsight._version import __version__
from firstsight.datasets import CaptionSource, read_candidates, read_references
from firstsight.errors import MetricUndefinedError
from firstsight.evaluation._options import DEFAULT_METRICS, EvaluationOptions, Progress, load_metrics
from firstsight.evaluation.join import JoinedCaptions, file_places, join
from firstsight.evaluation.signature import HASH_DIGITS, corpus_part, metric_part, reference_set_hash
from firstsight.metrics import Corpus
from firstsight.types import Score

if TYPE_CHECKING:
    from firstsight.metrics import Metric
    from firstsight.tokenizers import Tokenizer

__all__ = ["Evaluation", "evaluate", "evaluate_files"]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The scores of one corpus.

    Attributes:
        image_ids: The images that were scored, in the order of the references.
        scores: BLEU-1 to BLEU-4, ROUGE-L, CIDEr-D, then those of further metrics; an undefined one has no value.
        per_image: For each defined score, array (n_images,) float64 in the order of ``image_ids``. BLEU of a corpus
            is not the mean of these.
        options: What the evaluation was told.
        n_references: The references of these images together.
        reference_set: Hash of ids and references, 64 hex digits.
        notes: What a reader must know: images without a candidate, candidates without references.
    """

    image_ids: tuple[str, ...]
    scores: tuple[Score, ...]
    per_image: Mapping[str, npt.NDArray[np.float64]]
    options: EvaluationOptions
    n_references: int
    reference_set: str
    notes: tuple[str, ...] = ()

    @property
    def n_images(self) -> int:
        """The number of images that were scored."""
        return len(self.image_ids)

    def score(self, name: str) -> Score:
        """Return the score of that name, such as ``CIDEr-D``.

        Raises:
            KeyError: The evaluation has none of that name.
        """
        found = {score.name: score for score in self.scores}
        return found[name]


def evaluate(
    candidates: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    *,
    metrics: Sequence[str] = DEFAULT_METRICS,
    options: EvaluationOptions | None = None,
    on_progress: Progress | None = None,
) -> Evaluation:
    """Return the scores of candidates against references.

    Args:
        candidates: One caption an image, by image id.
        references: At least one caption an image, by image id.
        metrics: Registered names.
        options: Tokenizer, resamples, seed and the rule for missing candidates; the defaults unless given.
        on_progress: Called as images are tokenised and scored.

    Raises:
        UsageError: An option, a metric or a type is not allowed; nothing has been computed then.
        CaptionFileError: Images have no candidate, or nothing can be scored.

    Example:
        >>> from firstsight.evaluation import EvaluationOptions, evaluate
        >>> references = {"1": ["A dog runs."], "2": ["Two cats sleep on a red sofa."]}
        >>> result = evaluate(
        ...     {"1": "A dog runs.", "2": "Two cats on a sofa."}, references, options=EvaluationOptions(n_resamples=0)
        ... )
        >>> round(result.score("ROUGE-L").value, 3)
        0.905
    """
    options = options or EvaluationOptions()
    loaded, tokenizer = load_metrics(metrics), _load_tokenizer(options.tokenizer)
    joined = join(candidates, references, options.missing)
    return _evaluate(_Setup(loaded, tokenizer, options, on_progress or _silent), joined)


def evaluate_files(
    candidates: CaptionSource,
    references: CaptionSource,
    *,
    metrics: Sequence[str] = DEFAULT_METRICS,
    options: EvaluationOptions | None = None,
    on_progress: Progress | None = None,
) -> Evaluation:
    """Return the scores of a file of candidates against a file of references, as ``evaluate`` does.

    Messages about ids name the lines on which they stand.
    """
    options = options or EvaluationOptions()
    loaded, tokenizer = load_metrics(metrics), _load_tokenizer(options.tokenizer)
    reference_file = read_references(references)
    candidate_file = read_candidates(candidates)
    place = file_places(candidate_file, reference_file)
    joined = join(candidate_file.captions, reference_file.captions, options.missing, place)
    return _evaluate(_Setup(loaded, tokenizer, options, on_progress or _silent), joined)


@dataclass(frozen=True, slots=True)
class _Setup:
    metrics: list[Metric]
    tokenizer: Tokenizer
    options: EvaluationOptions
    on_progress: Progress


def _evaluate(setup: _Setup, joined: JoinedCaptions) -> Evaluation:
    """Score the corpus in the order of its ids, so that the order of the files changes no digit."""
    order = sorted(range(len(joined.image_ids)), key=lambda index: joined.image_ids[index])
    position = np.argsort(order)
    corpus = _corpus(setup, joined, order)
    reference_set = reference_set_hash(joined.image_ids, joined.references)
    shared = _shared_fields(setup, joined, reference_set)
    scores: list[Score] = []
    per_image: dict[str, npt.NDArray[np.float64]] = {}
    for metric in setup.metrics:
        signatures = [f"{metric_part(metric, name)}|{corpus_part(shared)}" for name in metric.score_names]
        try:
            metric.prepare(corpus)
            table = metric.corpus_statistics(corpus)
            found = _scores(metric, signatures, table, setup.options)
            rows = metric.from_statistics(table)
        except MetricUndefinedError as error:
            found = [
                Score(name, None, signature, reason=str(error))
                for name, signature in zip(metric.score_names, signatures, strict=True)
            ]
        else:
            defined = {score.name for score in found if score.value is not None}
            columns = zip(metric.score_names, np.moveaxis(rows[position], -1, 0), strict=True)
            per_image |= {name: column for name, column in columns if name in defined}
        scores += found
    return Evaluation(
        image_ids=joined.image_ids,
        scores=tuple(scores),
        per_image=per_image,
        options=setup.options,
        n_references=sum(map(len, joined.references)),
        reference_set=reference_set,
        notes=joined.notes,
    )


def _corpus(setup: _Setup, joined: JoinedCaptions, order: list[int]) -> Corpus:
    return Corpus(
        [joined.candidates[index] for index in order],
        [joined.references[index] for index in order],
        setup.tokenizer,
        image_ids=[joined.image_ids[index] for index in order],
        on_progress=setup.on_progress,
    )


def _scores(
    metric: Metric, signatures: list[str], table: npt.NDArray[np.float64], options: EvaluationOptions
) -> list[Score]:
    values = metric.from_statistics(table.sum(axis=0))
    low = high = np.full(len(metric.score_names), np.nan)
    # One image drawn again and again is always itself: no interval.
    if options.n_resamples and len(table) > 1 and np.isfinite(values).all():
        from firstsight.significance import bootstrap_interval

        low, high = bootstrap_interval(
            table, metric.from_statistics, n_resamples=options.n_resamples, seed=options.seed
        )
    return [
        Score(name, _number(value), signature, _number(lower), _number(upper), _why_not(metric, value))
        for name, signature, value, lower, upper in zip(metric.score_names, signatures, values, low, high, strict=True)
    ]


def _shared_fields(setup: _Setup, joined: JoinedCaptions, reference_set: str) -> dict[str, object]:
    options = setup.options
    fields: dict[str, object] = {
        "tok": f"{setup.tokenizer.name}@{setup.tokenizer.version}",
        "images": len(joined.image_ids),
        "refs": sum(map(len, joined.references)),
        "refset": reference_set[:HASH_DIGITS],
        "missing": options.missing,
    }
    if joined.n_absent:
        fields["absent"] = joined.n_absent
    fields["boot"] = options.n_resamples
    if options.n_resamples:
        fields["seed"] = options.seed
    return {**fields, "firstsight": __version__}


def _load_tokenizer(name: str) -> Tokenizer:
    from firstsight.tokenizers import TOKENIZERS

    return TOKENIZERS.load(name)()


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _why_not(metric: Metric, value: float) -> str | None:
    return None if math.isfinite(value) else f"{metric.name} gives no finite number for this corpus."


def _silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""
