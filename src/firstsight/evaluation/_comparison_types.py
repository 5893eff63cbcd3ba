"""What a comparison is told, and the parts of what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from firstsight.errors import UnknownNameError, UsageError
from firstsight.evaluation._options import EvaluationOptions
from firstsight.types import Score

__all__ = ["ComparisonOptions", "Correction", "Pair", "Slice", "SystemScore", "Test"]

Test: TypeAlias = Literal["permutation", "bootstrap"]
Correction: TypeAlias = Literal["holm", "bh", "none"]


@dataclass(frozen=True, slots=True)
class ComparisonOptions:
    """How systems are compared.

    Attributes:
        evaluation: Tokenizer, language, scoring card, resamples, seed and the rule for missing candidates.
        test: ``permutation`` (paired, two-sided, the default) or ``bootstrap`` (paired, shifted).
        correction: For the number of pairs of one score: ``holm``, ``bh`` (Benjamini and Hochberg) or ``none``.
        alpha: Pairs with a corrected p-value below it are told apart.

    Raises:
        UsageError: A value is not allowed.
    """

    evaluation: EvaluationOptions = field(default_factory=EvaluationOptions)
    test: Test = "permutation"
    correction: Correction = "holm"
    alpha: float = 0.05

    def __post_init__(self) -> None:
        """Check every value."""
        if self.test not in get_args(Test):
            raise UnknownNameError("test", str(self.test), get_args(Test))
        if self.correction not in get_args(Correction):
            raise UnknownNameError("correction", str(self.correction), get_args(Correction))
        if not 0.0 < self.alpha < 1.0:
            raise UsageError(f"alpha is {self.alpha}; allowed is a number above 0 and below 1, such as 0.05.")
        if self.evaluation.n_resamples < 1:
            raise UsageError("A comparison needs resamples for its tests; got 0. Ask for 1,000.")

    def n_test_resamples(self, n_systems: int) -> int:
        """Return how many resamples each test has: those that were asked for, or as many as the correction needs.

        The smallest p-value of R resamples is 1 / (1 + R), and a correction multiplies it by up to the number of pairs.
        With 1.2 x pairs / alpha resamples a pair whose difference no resample reaches stays below alpha.

        Example:
            >>> ComparisonOptions().n_test_resamples(2), ComparisonOptions().n_test_resamples(50)
            (1000, 29400)
        """
        n_pairs = n_systems * (n_systems - 1) // 2
        needed = 0 if self.correction == "none" else round(1.2 * n_pairs / self.alpha)
        return max(self.evaluation.n_resamples, needed)


@dataclass(frozen=True, slots=True)
class SystemScore:
    """One score of one system among the others.

    Attributes:
        system: Name of the system.
        score: Value, interval, signature; no value where the score is undefined, then nothing below has one either.
        best_rank: The best rank it may have, from 1; the intervals of all systems hold together at 95 %.
        worst_rank: The worst rank it may have.
        groups: Letters: two systems share one exactly where the test does not tell them apart. Empty for a score that
            is no quality, such as the length.
    """

    system: str
    score: Score
    best_rank: int | None = None
    worst_rank: int | None = None
    groups: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One score of two systems, the better one first.

    Attributes:
        first: Name of the system with the better score; where they are equal, of the one given first.
        second: Name of the other.
        difference: The score of the first minus that of the second.
        low: Lower bound of the 95 % bootstrap interval of the difference.
        high: Upper bound.
        p_value: Of the paired test, two-sided.
        corrected: The same, corrected for the number of pairs of this score.
        wins: Images on which the first has the better score.
        ties: Images on which both have the same.
        losses: Images on which the second has the better score.
    """

    first: str
    second: str
    difference: float
    low: float | None
    high: float | None
    p_value: float
    corrected: float
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, slots=True)
class Slice:
    """The scores of the images that share one value of a column.

    ``scores`` has, by name of the score, those of each system, in their order. What metrics learnt of the whole set,
    such as CIDEr-D's document frequencies, holds for the slice too, so that slices compare with each other and with
    the whole.
    """

    column: str
    value: str
    n_images: int
    scores: Mapping[str, tuple[Score, ...]]
