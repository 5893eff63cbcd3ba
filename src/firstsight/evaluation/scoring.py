"""The evaluation itself: captions in, scores with interval and signature out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firstsight.datasets import CaptionSource, read_candidates, read_references
from firstsight.errors import MetricUndefinedError
from firstsight.evaluation._images import ImageSource, files_for
from firstsight.evaluation._options import (
    EvaluationOptions,
    Progress,
    default_metrics,
    load_metrics,
    load_tokenizer,
    ordered_names,
)
from firstsight.evaluation._scored import (
    learn,
    restore_card,
    scored_fields,
    scores_of,
    shared_fields,
    signatures_of,
    undefined,
)
from firstsight.evaluation.baseline import HumanBaseline, LeaveOneOut
from firstsight.evaluation.join import JoinedCaptions, file_places, join
from firstsight.evaluation.signature import reference_set_hash
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
        scores: BLEU-1 to BLEU-4, METEOR, ROUGE-L, CIDEr-D, then those of further metrics, as far as they were asked
            for; an undefined one has no value.
        per_image: For each defined score, array (n_images,) float64 in the order of ``image_ids``. BLEU of a corpus
            is not the mean of these.
        options: What the evaluation was told.
        n_references: The references of these images together.
        reference_set: Hash of ids and references, 64 hex digits.
        notes: What a reader must know: images without a candidate, candidates without references, images that the
            scoring card does not know.
        metrics: The names that were asked for, in the order of their scores.
        candidate_set: Hash of ids and candidates, made as that of the references; 64 hex digits.
        human: What the references themselves score, where that was asked for.
    """

    image_ids: tuple[str, ...]
    scores: tuple[Score, ...]
    per_image: Mapping[str, npt.NDArray[np.float64]]
    options: EvaluationOptions
    n_references: int
    reference_set: str
    notes: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    candidate_set: str = ""
    human: HumanBaseline | None = None

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
    metrics: Sequence[str] | None = None,
    options: EvaluationOptions | None = None,
    on_progress: Progress | None = None,
    images: ImageSource | None = None,
) -> Evaluation:
    """Return the scores of candidates against references.

    Args:
        candidates: One caption an image, by image id.
        references: At least one caption an image, by image id.
        metrics: Registered names; those of `default_metrics` unless given.
        options: Language, tokenizer, scoring card, resamples, seed and the rule for missing candidates; the defaults
            unless given.
        on_progress: Called as images are tokenised and scored.
        images: The image files, for metrics that look at them.

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
    setup = _set_up(metrics, options, on_progress)
    joined = join(candidates, references, setup.options.missing)
    return _evaluate(setup, joined, files_for(setup.metrics, images, joined.image_ids))


def evaluate_files(
    candidates: CaptionSource,
    references: CaptionSource,
    *,
    metrics: Sequence[str] | None = None,
    options: EvaluationOptions | None = None,
    on_progress: Progress | None = None,
    images: ImageSource | None = None,
) -> Evaluation:
    """Return the scores of a file of candidates against a file of references, as ``evaluate`` does.

    Messages about ids name the lines on which they stand. Of the images in a folder, those whose file the references
    name are found by that name, the others by their id, and the rest by the file that the candidates name.
    """
    setup = _set_up(metrics, options, on_progress)
    reference_file = read_references(references)
    candidate_file = read_candidates(candidates)
    place = file_places(candidate_file, reference_file)
    joined = join(candidate_file.captions, reference_file.captions, setup.options.missing, place)
    files = files_for(setup.metrics, images, joined.image_ids, reference_file.files, candidate_file.files)
    return _evaluate(setup, joined, files)


@dataclass(frozen=True, slots=True)
class _Setup:
    names: tuple[str, ...]
    metrics: list[Metric]
    tokenizer: Tokenizer
    options: EvaluationOptions
    on_progress: Progress


def _set_up(names: Sequence[str] | None, options: EvaluationOptions | None, on_progress: Progress | None) -> _Setup:
    """Check everything that can be checked before a caption is read."""
    options = options or EvaluationOptions()
    asked = default_metrics(options.language) if names is None else names
    metrics = load_metrics(asked, options.language)
    tokenizer = load_tokenizer(options.tokenizer)
    restore_card(metrics, tokenizer, options)
    return _Setup(tuple(ordered_names(asked)), metrics, tokenizer, options, on_progress or _silent)


def _evaluate(setup: _Setup, joined: JoinedCaptions, images: Mapping[str, Path] | None) -> Evaluation:
    """Score the corpus in the order of its ids, so that the order of the files changes no digit."""
    order = sorted(range(len(joined.image_ids)), key=joined.image_ids.__getitem__)
    position = np.argsort(order)
    corpus = _corpus(setup, joined, order, images)
    reference_set = reference_set_hash(joined.image_ids, joined.references)
    counts = {"images": len(joined.image_ids), "refs": sum(map(len, joined.references))}
    absent = {"absent": joined.n_absent} if joined.n_absent else {}
    shared = shared_fields(
        setup.tokenizer, setup.options, scored_fields(setup.options, counts, reference_set, **absent)
    )
    scores: list[Score] = []
    reasons: dict[str, str] = {}
    per_image: dict[str, npt.NDArray[np.float64]] = {}
    for metric in setup.metrics:
        try:
            learn(metric, corpus, setup.options)
            signatures = signatures_of(metric, setup.options, shared)  # may load a model: after the checks
            table = metric.corpus_statistics(corpus)
            found = scores_of(metric, signatures, table, setup.options)
            rows = metric.from_statistics(table)
        except MetricUndefinedError as error:
            reasons[metric.name] = str(error)
            found = undefined(metric, signatures_of(metric, setup.options, shared), str(error))
        else:
            defined = {score.name for score in found if score.value is not None}
            columns = zip(metric.score_names, np.moveaxis(rows[position], -1, 0), strict=True)
            per_image |= {name: column for name, column in columns if name in defined}
        scores += found
    human = _human(setup, corpus, reasons) if setup.options.human_baseline else None
    card = setup.options.card
    foreign = card.notes_on(joined.image_ids, joined.references) if card else ()
    return Evaluation(
        image_ids=joined.image_ids,
        scores=tuple(scores),
        per_image=per_image,
        options=setup.options,
        n_references=counts["refs"],
        reference_set=reference_set,
        notes=(*joined.notes, *foreign, *(human.notes if human else ())),
        metrics=setup.names,
        candidate_set=reference_set_hash(joined.image_ids, [(caption,) for caption in joined.candidates]),
        human=human,
    )


def _corpus(setup: _Setup, joined: JoinedCaptions, order: list[int], images: Mapping[str, Path] | None) -> Corpus:
    return Corpus(
        [joined.candidates[index] for index in order],
        [joined.references[index] for index in order],
        setup.tokenizer,
        image_ids=[joined.image_ids[index] for index in order],
        images=images,
        on_progress=setup.on_progress,
    )


def _human(setup: _Setup, corpus: Corpus, reasons: Mapping[str, str]) -> HumanBaseline:
    """Score the references by metrics that know the whole corpus; ``reasons`` says why some metrics have no score."""
    rounds = LeaveOneOut(corpus, lambda stage, done, total: setup.on_progress(f"humans: {stage}", done, total))
    used = rounds.members.tolist()
    groups = [corpus.references[index] for index in used]
    reference_set = reference_set_hash([corpus.image_ids[index] for index in used], groups)
    counts = {"images": len(used), "refs": sum(map(len, groups))}
    shared = shared_fields(
        setup.tokenizer, setup.options, scored_fields(setup.options, counts, reference_set, human="leave-one-out")
    )
    scores: list[Score] = []
    for metric in setup.metrics:
        signatures = signatures_of(metric, setup.options, shared)
        if metric.name in reasons:
            scores += undefined(metric, signatures, reasons[metric.name])
            continue
        try:
            scores += scores_of(metric, signatures, rounds.statistics(metric), setup.options)
        except MetricUndefinedError as error:
            scores += undefined(metric, signatures, str(error))
    return HumanBaseline(tuple(scores), len(used), len(corpus) - len(used), rounds.references_each)


def _silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""
