"""What an evaluation may be told, checked before any work."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from firstsight.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from firstsight.evaluation.card import ScoringCard
    from firstsight.metrics import Metric
    from firstsight.tokenizers import Tokenizer

__all__ = [
    "DEFAULT_METRICS",
    "MISSING_RULES",
    "EvaluationOptions",
    "MissingRule",
    "Progress",
    "default_metrics",
    "left_out_metrics",
    "load_metrics",
    "load_tokenizer",
]

DEFAULT_METRICS = ("bleu", "rouge_l", "cider_d")
"""The metrics of an evaluation unless told otherwise; `default_metrics` adds METEOR where it can run."""

_WITH_AN_EXTRA = ("meteor",)  # the extra that brings it has the metric's name
_ORDER = ("bleu", "meteor", "rouge_l", "cider_d", "cider", "spice")  # as pycocoevalcap 1.2; others as they were asked

_TOKENIZERS = {"en": "ptb", "ko": "korean"}
_OTHER_LANGUAGES = "words"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")

MissingRule: TypeAlias = Literal["error", "skip", "empty"]

MISSING_RULES: tuple[str, ...] = get_args(MissingRule)
"""What is done with an image that has references and no candidate."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the name of the stage, the number of images done and their total."""


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """How an evaluation is made; every field is part of the signature.

    Attributes:
        tokenizer: Registered name of the tokenizer of candidates and references; empty for that of the card, or else
            of the language: ``ptb`` for English, ``korean`` for Korean, ``words`` for any other.
        n_resamples: Bootstrap resamples of the 95 % confidence intervals; 0 leaves the intervals out.
        seed: Seed of the resamples.
        missing: An image without a candidate is an ``error``, is left out (``skip``), or is scored as a caption
            without words (``empty``).
        language: Code of the captions' language (BCP 47), such as ``ko`` or ``pt-br``; empty for that of the card, or
            else ``en``.
        card: What metrics learnt of a reference set, instead of learning of the references at hand.
        human_baseline: Whether the references are scored too, each against the others of its image.

    Raises:
        UsageError: A value is not allowed.
    """

    tokenizer: str = ""
    n_resamples: int = 1000
    seed: int = 0
    missing: MissingRule = "error"
    language: str = ""
    card: ScoringCard | None = None
    human_baseline: bool = False

    def __post_init__(self) -> None:
        """Check every value, and fill in what the language and the card decide."""
        for name, value in (("n_resamples", self.n_resamples), ("seed", self.seed)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise UsageError(f"{name} must be a whole number of at least 0, got {value!r}.")
        if self.missing not in MISSING_RULES:
            raise UnknownNameError("missing rule", str(self.missing), MISSING_RULES)
        language = checked_language(self.language or (self.card.language if self.card else "en"))
        tokenizer = self.tokenizer
        if not tokenizer and self.card is not None and self.card.language == language:
            tokenizer = self.card.tokenizer.partition("@")[0]
        object.__setattr__(self, "language", language)
        object.__setattr__(self, "tokenizer", tokenizer or tokenizer_of(language))


def checked_language(code: str) -> str:
    """Return a language code in lower case.

    Raises:
        UsageError: It is none.
    """
    lower = code.lower() if isinstance(code, str) else ""
    if not _LANGUAGE.fullmatch(lower):
        raise UsageError(f"The language must be a code such as 'en', 'ko' or 'pt-br', got {code!r}.")
    return lower


def tokenizer_of(language: str) -> str:
    """Return the name of the tokenizer that a language has unless another is asked for."""
    return _TOKENIZERS.get(_primary(language), _OTHER_LANGUAGES)


def default_metrics(language: str = "en") -> tuple[str, ...]:
    """Return the metrics of an evaluation unless told otherwise, in the order of their scores.

    They are ``DEFAULT_METRICS``, and METEOR where the language is English and its extra is installed.

    Example:
        >>> default_metrics("ko")
        ('bleu', 'rouge_l', 'cider_d')
    """
    from firstsight.metrics import METRICS

    extra = [name for name in _with_an_extra(language) if METRICS.load(name).is_available()]
    return tuple(ordered_names([*DEFAULT_METRICS, *extra]))


def left_out_metrics(language: str = "en") -> tuple[str, ...]:
    """Return the metrics that `default_metrics` would name if an extra, which has the metric's name, were installed."""
    from firstsight.metrics import METRICS

    return tuple(name for name in _with_an_extra(language) if not METRICS.load(name).is_available())


def load_metrics(names: Sequence[str], language: str = "en") -> list[Metric]:
    """Return fresh metrics of the given names, each once, in the order in which scores are given.

    Args:
        names: Registered names; ``NAME:MODEL`` for one that takes a model.
        language: The language that all of them must be defined for.

    Raises:
        UsageError: No metric is asked for, two give a score of the same name, or one does not fit the language.
        UnknownNameError: A metric is not registered.
    """
    from firstsight.metrics import METRICS

    if isinstance(names, str):
        raise UsageError(f"metrics must be a list of names such as ['bleu'], got the text {names!r}.")
    if not names:
        raise UsageError(f"No metric was asked for. Available: {', '.join(METRICS.names())}.")
    metrics = [_load_metric(name, language) for name in ordered_names(names)]
    owners: dict[str, Metric] = {}
    for metric in metrics:
        for score_name in metric.score_names:
            other = owners.setdefault(score_name, metric)
            if other is not metric:
                both = f"{other.name!r} and {metric.name!r}"
                raise UsageError(f"The metrics {both} both give a score {score_name!r}; ask for one of them.")
    return metrics


def ordered_names(names: Sequence[str]) -> list[str]:
    """Return the names, each once, in the order in which scores are given."""
    places = {name: place for place, name in enumerate(_ORDER)}
    return sorted(dict.fromkeys(names), key=lambda name: places.get(_base(name), len(places)))


def load_tokenizer(name: str) -> Tokenizer:
    """Return the tokenizer registered as ``name``.

    Raises:
        UnknownNameError: None is.
        MissingDependencyError: It needs an extra that is not installed.
    """
    from firstsight.tokenizers import TOKENIZERS

    return TOKENIZERS.load(name)()


def _load_metric(name: str, language: str) -> Metric:
    from firstsight.metrics._load import load_metric, metric_class

    metric = metric_class(name)
    if not speaks(metric, language):
        allowed = ", ".join(metric.languages or ())
        raise UsageError(
            f"The metric {_base(name)!r} is defined for the languages {allowed} and the captions are in {language!r}. "
            "Leave it out, or say the language they have with --language."
        )
    return load_metric(name)


def _with_an_extra(language: str) -> list[str]:
    from firstsight.metrics import METRICS

    registered = [name for name in _WITH_AN_EXTRA if name in METRICS.names()]
    return [name for name in registered if speaks(METRICS.load(name), language)]


def speaks(metric: type[Metric], language: str) -> bool:
    """Return whether a metric is defined for a language."""
    return metric.languages is None or _primary(language) in metric.languages


def _base(name: str) -> str:
    return name.partition(":")[0]


def _primary(language: str) -> str:
    return language.partition("-")[0]
