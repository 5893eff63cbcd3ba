"""Scores that grow batch by batch, for training loops and for workers that each see a part of the images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from firstsight.errors import MetricUndefinedError, UsageError
from firstsight.metrics._load import load_metric
from firstsight.metrics.base import Metric
from firstsight.metrics.corpus import Corpus
from firstsight.tokenizers import TOKENIZERS, Tokenizer

__all__ = ["Card", "Running"]

_DEFAULT_TOKENIZER = "ptb"


class Card(Protocol):
    """What `Running` needs of a scoring card, such as `firstsight.evaluation.ScoringCard`."""

    @property
    def tokenizer(self) -> str:
        """Name and version of the tokenizer, such as ``ptb@1``."""

    def restore(self, metric: Metric) -> None:
        """Give a metric what it learnt of the card's references."""


class Running:
    """The score of all images seen so far: the sum of their statistics, turned into a score when asked.

    It is the code of `firstsight.evaluate`: the same images in any batches, on any number of workers, give the same
    score up to the order of addition. A worker sends its own (it can be pickled) and `merge` adds it.

    Example:
        >>> running = Running("rouge_l")
        >>> running.update(["A dog runs."], [["A dog is running.", "The dog runs."]])
        >>> running.update(["Two cats."], [["Two cats sleep."]])
        >>> running.n_images, round(running.compute()["ROUGE-L"], 3)
        (2, 0.719)
    """

    def __init__(
        self,
        metric: Metric | str,
        *,
        card: Card | None = None,
        corpus: Corpus | None = None,
        tokenizer: str = "",
        keep_images: bool = False,
    ) -> None:
        """Start with no image.

        Args:
            metric: A registered name, ``NAME:MODEL`` for one that takes a model, or a metric that has been prepared.
            card: What the metric learnt of a reference set; its tokenizer is used.
            corpus: Where there is no card, the corpus that the metric learns of.
            tokenizer: Registered name; empty for that of the card, or else ``ptb``.
            keep_images: Whether the statistics of each image are kept, which `interval` needs.

        Raises:
            UsageError: The metric learns of a corpus and there is neither a card nor a corpus, or there are both; or
                the tokenizer is not that of the card.
            UnknownNameError: No metric or tokenizer has that name.
        """
        self._asked = metric if isinstance(metric, str) else ""
        self._metric = load_metric(metric) if isinstance(metric, str) else metric
        name = self._metric.name
        if card is not None and corpus is not None:
            raise UsageError("Got a card and a corpus; what the metric learnt can come from one of them only.")
        if isinstance(metric, str) and self._metric.learns() and card is None and corpus is None:
            raise UsageError(
                f"{name} learns of a reference set before it can score. Give card=read_card(FILE), which firstsight "
                "card build makes, or corpus= with all references."
            )
        self._tokenizer = _tokenizer(tokenizer, card)
        if card is not None and self._metric.learns():
            card.restore(self._metric)
        elif corpus is not None:
            self._metric.prepare(corpus)
        self._totals: npt.NDArray[np.float64] | None = None
        self._rows: list[npt.NDArray[np.float64]] | None = [] if keep_images else None
        self._n_images = 0

    def __getstate__(self) -> dict[str, object]:
        """Leave out a metric that is made again by its name and has learnt nothing: some hold open files or models."""
        is_made_again = self._asked and not self._metric.learns()
        return {key: value for key, value in vars(self).items() if not (key == "_metric" and is_made_again)}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Take the state, and make the metric that was left out."""
        vars(self).update(state)
        if "_metric" not in state:
            self._metric = load_metric(self._asked)

    @property
    def n_images(self) -> int:
        """The number of images seen."""
        return self._n_images

    def update(
        self,
        candidates: Sequence[str],
        references: Sequence[Sequence[str]],
        *,
        images: Sequence[Path] | None = None,
    ) -> None:
        """Add a batch of n images; an empty batch adds nothing.

        Args:
            candidates: n captions.
            references: n groups of at least one caption.
            images: Their n files, for a metric that looks at them.

        Raises:
            UsageError: The lengths differ, or an image has no reference.
            MetricUndefinedError: The metric has not been prepared.
        """
        if images is not None and len(images) != len(candidates):
            raise UsageError(f"Got {len(candidates)} candidates and {len(images)} image files; give one for each.")
        files = None if images is None else {str(index): path for index, path in enumerate(images)}
        corpus = Corpus(candidates, references, self._tokenizer, images=files)
        if len(corpus):
            self._add(self._metric.corpus_statistics(corpus))

    def merge(self, other: Running) -> None:
        """Add all that another has seen, which stays as it is.

        Raises:
            UsageError: It is of another metric, version, parameters or tokenizer, or only one of them keeps images.
        """
        ours, theirs = self._identity(), other._identity()
        if ours != theirs:
            raise UsageError(f"Only scores of one kind can be merged: here is {_shown(ours)}, there {_shown(theirs)}.")
        if (self._rows is None) != (other._rows is None):
            raise UsageError("One of the two keeps the statistics of each image and one does not; make both alike.")
        if other._totals is None:
            return
        self._totals = other._totals.copy() if self._totals is None else self._totals + other._totals
        self._n_images += other._n_images
        if self._rows is not None and other._rows is not None:
            self._rows = [*self._rows, *other._rows]

    def compute(self) -> dict[str, float]:
        """Return each score of the images seen, by name.

        Raises:
            MetricUndefinedError: No image has been seen.
        """
        if self._totals is None:
            raise MetricUndefinedError(f"{self._metric.name} is undefined: no image has been seen. Call update first.")
        values = self._metric.from_statistics(self._totals)
        return {name: float(value) for name, value in zip(self._metric.score_names, values, strict=True)}

    def interval(
        self, *, n_resamples: int = 1000, seed: int = 0, confidence: float = 0.95
    ) -> dict[str, tuple[float, float]]:
        """Return the bounds of the bootstrap interval of each score, by name; see `significance.bootstrap_interval`.

        Raises:
            MetricUndefinedError: No image has been seen.
            UsageError: The statistics of each image were not kept, or an option is not allowed.
        """
        if self._rows is None:
            raise UsageError("An interval needs the statistics of each image: make Running(..., keep_images=True).")
        if not self._rows:
            raise MetricUndefinedError(f"{self._metric.name} is undefined: no image has been seen. Call update first.")
        from firstsight.significance import bootstrap_interval

        table = np.concatenate(self._rows)
        low, high = bootstrap_interval(
            table, self._metric.from_statistics, n_resamples=n_resamples, seed=seed, confidence=confidence
        )
        bounds = zip(low.tolist(), high.tolist(), strict=True)
        return dict(zip(self._metric.score_names, bounds, strict=True))

    def reset(self) -> None:
        """Forget every image, and keep what the metric learnt."""
        self._totals, self._n_images = None, 0
        self._rows = None if self._rows is None else []

    def _add(self, table: npt.NDArray[np.float64]) -> None:
        totals = table.sum(axis=0)
        self._totals = totals if self._totals is None else self._totals + totals
        self._n_images += len(table)
        if self._rows is not None:
            self._rows.append(table)

    def _identity(self) -> tuple[str, str, str, str]:
        metric, tokenizer = self._metric, self._tokenizer
        return (
            metric.name,
            metric.version,
            str(sorted(metric.parameters.items())),
            f"{tokenizer.name}@{tokenizer.version}",
        )


def _tokenizer(name: str, card: Card | None) -> Tokenizer:
    held = "" if card is None else card.tokenizer
    tokenizer = TOKENIZERS.load(name or held.partition("@")[0] or _DEFAULT_TOKENIZER)()
    found = f"{tokenizer.name}@{tokenizer.version}"
    if held and found != held:
        raise UsageError(f"The scoring card was made with the tokenizer {held}, not {found}. Leave tokenizer= out.")
    return tokenizer


def _shown(identity: tuple[str, str, str, str]) -> str:
    name, version, parameters, tokenizer = identity
    return f"{name} version {version} {parameters} with {tokenizer}"
