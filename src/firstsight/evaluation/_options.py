"""What an evaluation may be told, checked before any work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from firstsight.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from firstsight.metrics import Metric

__all__ = ["DEFAULT_METRICS", "MISSING_RULES", "EvaluationOptions", "MissingRule", "Progress", "load_metrics"]

DEFAULT_METRICS = ("bleu", "rouge_l", "cider_d")
"""The metrics of an evaluation unless told otherwise; their scores are always given in this order."""

MissingRule: TypeAlias = Literal["error", "skip", "empty"]

MISSING_RULES: tuple[str, ...] = get_args(MissingRule)
"""What is done with an image that has references and no candidate."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the name of the stage, the number of images done and their total."""


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """How an evaluation is made; every field is part of the signature.

    Attributes:
        tokenizer: Registered name of the tokenizer of candidates and references.
        n_resamples: Bootstrap resamples of the 95 % confidence intervals; 0 leaves the intervals out.
        seed: Seed of the resamples.
        missing: An image without a candidate is an ``error``, is left out (``skip``), or is scored as a caption
            without words (``empty``).

    Raises:
        UsageError: A value is not allowed.
    """

    tokenizer: str = "ptb"
    n_resamples: int = 1000
    seed: int = 0
    missing: MissingRule = "error"

    def __post_init__(self) -> None:
        """Check every value."""
        for name, value in (("n_resamples", self.n_resamples), ("seed", self.seed)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise UsageError(f"{name} must be a whole number of at least 0, got {value!r}.")
        if self.missing not in MISSING_RULES:
            raise UnknownNameError("missing rule", str(self.missing), MISSING_RULES)


def load_metrics(names: Sequence[str]) -> list[Metric]:
    """Return fresh metrics of the given names, each once, in the order in which scores are given.

    Raises:
        UsageError: No metric is asked for, or two give a score of the same name.
        UnknownNameError: A metric is not registered.
    """
    from firstsight.metrics import METRICS

    if isinstance(names, str):
        raise UsageError(f"metrics must be a list of names such as ['bleu'], got the text {names!r}.")
    if not names:
        raise UsageError(f"No metric was asked for. Available: {', '.join(METRICS.names())}.")
    wanted = dict.fromkeys(names)
    ordered = [name for name in DEFAULT_METRICS if name in wanted]
    ordered += [name for name in wanted if name not in DEFAULT_METRICS]
    metrics = [METRICS.load(name)() for name in ordered]
    owners: dict[str, str] = {}
    for metric in metrics:
        for score_name in metric.score_names:
            other = owners.setdefault(score_name, metric.name)
            if other != metric.name:
                both = f"{other!r} and {metric.name!r}"
                raise UsageError(f"The metrics {both} both give a score {score_name!r}; ask for one of them.")
    return metrics
