"""Which metrics and which tokenizer a language has, and what is refused."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from firstsight.errors import UnknownNameError, UsageError
from firstsight.evaluation import EvaluationOptions, default_metrics, evaluate, left_out_metrics, parse_signature
from firstsight.evaluation._options import load_metrics, ordered_names
from firstsight.metrics import METRICS, Metric


class Meteor(METRICS.load("rouge_l")):  # type: ignore[misc]
    name: ClassVar[str] = "meteor"
    score_names: ClassVar[tuple[str, ...]] = ("METEOR",)
    languages: ClassVar[tuple[str, ...] | None] = ("en",)
    is_there: ClassVar[bool] = True

    @classmethod
    def is_available(cls) -> bool:
        return cls.is_there


class Modelled(METRICS.load("rouge_l")):  # type: ignore[misc]
    name: ClassVar[str] = "modelled"
    score_names: ClassVar[tuple[str, ...]] = ("MODELLED",)
    takes_model: ClassVar[bool] = True

    def __init__(self, model: str = "small") -> None:
        self.model = model


@pytest.fixture
def meteor(monkeypatch: pytest.MonkeyPatch) -> type[Meteor]:
    """METEOR and a metric with a model, whatever is registered."""
    load, names = METRICS.load, METRICS.names()
    own: dict[str, type[Metric]] = {"meteor": Meteor, "modelled": Modelled}
    monkeypatch.setattr(METRICS, "load", lambda name: own.get(name) or load(name))
    monkeypatch.setattr(METRICS, "names", lambda: sorted({*names, *own}))
    monkeypatch.setattr(Meteor, "is_there", True)
    return Meteor


def test_meteor_is_scored_where_it_can_run(meteor: type[Meteor], monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_metrics() == ("bleu", "meteor", "rouge_l", "cider_d")
    assert left_out_metrics() == ()
    monkeypatch.setattr(Meteor, "is_there", False)
    assert default_metrics() == ("bleu", "rouge_l", "cider_d")
    assert left_out_metrics() == ("meteor",)


def test_meteor_is_for_english(meteor: type[Meteor]) -> None:
    assert default_metrics("ko") == ("bleu", "rouge_l", "cider_d")
    assert left_out_metrics("ko") == ()
    assert "meteor" in default_metrics("en-gb")
    with pytest.raises(UsageError) as caught:
        load_metrics(["meteor"], "ko")
    assert str(caught.value) == (
        "The metric 'meteor' is defined for the languages en and the captions are in 'ko'. Leave it out, or say the "
        "language they have with --language."
    )


def test_scores_stand_in_the_order_of_pycocoevalcap(meteor: type[Meteor]) -> None:
    asked = ["length", "spice", "modelled:x", "cider_d", "rouge_l", "cider", "meteor", "bleu", "meteor"]
    assert ordered_names(asked) == ["bleu", "meteor", "rouge_l", "cider_d", "cider", "spice", "length", "modelled:x"]


def test_a_model_is_named_behind_the_metric(meteor: type[Meteor]) -> None:
    (metric,) = load_metrics(["modelled:/a/b:c"])
    assert metric.model == "/a/b:c"  # type: ignore[attr-defined]
    assert load_metrics(["modelled"])[0].model == "small"  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="The metric 'bleu' takes no model, got 'x'"):
        load_metrics(["bleu:x"])
    with pytest.raises(UsageError, match="both give a score 'MODELLED'; ask for one of them"):
        load_metrics(["modelled:a", "modelled:b"])
    with pytest.raises(UnknownNameError, match="Unknown metric 'blue'"):
        load_metrics(["blue:x"])


@pytest.mark.parametrize(
    ("language", "tokenizer"), [("", "ptb"), ("en", "ptb"), ("EN-GB", "ptb"), ("ko", "korean"), ("de", "words")]
)
def test_a_language_has_its_tokenizer(language: str, tokenizer: str) -> None:
    options = EvaluationOptions(language=language)
    assert (options.language, options.tokenizer) == (language.lower() or "en", tokenizer)
    assert EvaluationOptions(language=language, tokenizer="x").tokenizer == "x"


@pytest.mark.parametrize("language", ["english", "e", "1", "en_GB", "en-", "한국어", 5])
def test_a_language_is_a_code(language: Any) -> None:
    with pytest.raises(UsageError, match="The language must be a code such as 'en', 'ko' or 'pt-br', got"):
        EvaluationOptions(language=language)


def test_language_and_tokenizer_stand_in_the_signature() -> None:
    options = EvaluationOptions(language="de", tokenizer="ptb", n_resamples=0)
    result = evaluate({"1": "ein Hund"}, {"1": ["ein Hund"]}, metrics=["bleu"], options=options)
    fields = parse_signature(result.scores[0].signature)
    assert (fields["lang"], fields["tok"]) == ("de", "ptb@1")
