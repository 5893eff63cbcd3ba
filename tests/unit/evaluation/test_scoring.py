"""The evaluation joins metrics, intervals and signatures; nothing about one image or the order touches another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstsight.errors import MetricUndefinedError, UnknownNameError, UsageError
from firstsight.evaluation import Evaluation, EvaluationOptions, default_metrics, evaluate
from firstsight.metrics import METRICS, Corpus, Metric, TokenMetric, Tokens
from firstsight.tokenizers import TOKENIZERS

REFERENCES = {
    "1": ["A dog runs on the grass.", "A brown dog runs."],
    "2": ["Two cats sleep on a red sofa."],
    "3": ["A man rides a wave on a surfboard.", "A surfer in the sea."],
    "4": ["A plate with a slice of pizza."],
}
CANDIDATES = {"1": "A dog runs.", "2": "Two cats on a sofa.", "3": "A man surfing.", "4": "A bowl of soup."}
NAMES = [score for name in default_metrics() for score in METRICS.load(name).score_names]
PLAIN = EvaluationOptions(n_resamples=0)


class Words(TokenMetric):
    """Mean number of words that the candidate has, of its references' first; a test's own plug-in."""

    name: ClassVar[str] = "words"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("WORDS",)
    score_range: ClassVar[tuple[float, float]] = (0.0, 100.0)

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        return np.array([len(candidate), 1.0])

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return totals[..., :1] / totals[..., 1:]


class Impossible(Words):
    name: ClassVar[str] = "impossible"
    score_names: ClassVar[tuple[str, ...]] = ("NAN",)

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.full((*totals.shape[:-1], 1), np.nan)


class Twin(Words):
    name: ClassVar[str] = "twin"


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    load = METRICS.load
    own: dict[str, type[Metric]] = {"words": Words, "impossible": Impossible, "twin": Twin}
    monkeypatch.setattr(METRICS, "load", lambda name: own.get(name) or load(name))


def values(result: Evaluation) -> dict[str, float | None]:
    return {score.name: score.value for score in result.scores}


def test_scores_come_in_one_order_whatever_is_asked() -> None:
    asked = evaluate(CANDIDATES, REFERENCES, metrics=[*reversed(default_metrics()), "bleu"], options=PLAIN)
    assert [score.name for score in asked.scores] == NAMES
    assert values(asked) == values(evaluate(CANDIDATES, REFERENCES, options=PLAIN))
    assert list(asked.per_image) == NAMES
    assert asked.n_images == 4
    assert asked.n_references == 6
    assert asked.image_ids == ("1", "2", "3", "4")


def test_a_perfect_corpus_has_the_highest_bleu_and_rouge() -> None:
    references = {"1": ["a dog runs on grass"], "2": ["two cats sleep on sofas"]}
    result = evaluate({key: texts[0] for key, texts in references.items()}, references, options=PLAIN)
    found = {name: value for name, value in values(result).items() if name != "METEOR"}  # never 1: chunks cost
    assert found == pytest.approx({**dict.fromkeys(found, 1.0), "CIDEr-D": 10.0})


def test_each_score_is_that_of_its_metric() -> None:
    corpus = Corpus([CANDIDATES[key] for key in REFERENCES], list(REFERENCES.values()), TOKENIZERS.load("ptb")())
    result = evaluate(CANDIDATES, REFERENCES, options=PLAIN)
    for name in default_metrics():
        metric = METRICS.load(name)()
        metric.prepare(corpus)
        table = metric.corpus_statistics(corpus)
        for index, score_name in enumerate(metric.score_names):
            assert values(result)[score_name] == metric.from_statistics(table.sum(axis=0))[index]
            assert result.per_image[score_name].tolist() == metric.from_statistics(table)[:, index].tolist()


def test_intervals_hold_the_score_and_repeat_with_the_seed() -> None:
    first, again, other = (
        evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(n_resamples=200, seed=seed)) for seed in (1, 1, 2)
    )
    for score in first.scores:
        assert score.low is not None
        assert score.high is not None
        assert score.value is not None
        assert 0 <= score.low <= score.high
    assert first.scores == again.scores
    assert [(score.low, score.high) for score in first.scores] != [(score.low, score.high) for score in other.scores]
    assert values(first) == values(other)


@given(st.permutations(list(REFERENCES)), st.permutations(list(CANDIDATES)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_files_changes_no_digit(of_references: list[str], of_candidates: list[str]) -> None:
    expected = evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(n_resamples=20))
    result = evaluate(
        {key: CANDIDATES[key] for key in of_candidates},
        {key: REFERENCES[key] for key in of_references},
        options=EvaluationOptions(n_resamples=20),
    )
    assert result.scores == expected.scores
    assert result.image_ids == tuple(of_references)
    for name, column in expected.per_image.items():
        by_id = dict(zip(expected.image_ids, column.tolist(), strict=True))
        assert result.per_image[name].tolist() == [by_id[image_id] for image_id in of_references]


ODD = [
    "a\u2028b",
    "a\x00b",
    "\ud800",
    "",
    "\n\n",
    "=1+1",
    "a\r\nb\vc\fd\x85e",
    "\x1b[31m",
    "a" * 10_000,
    "((((",
    "'\"`",
]


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_caption_changes_no_other_image(odd: str) -> None:
    plain = evaluate(CANDIDATES, REFERENCES, options=PLAIN)
    result = evaluate({**CANDIDATES, "2": odd}, REFERENCES, options=PLAIN)
    for name in NAMES:
        others = [index for index, image_id in enumerate(plain.image_ids) if image_id != "2"]
        assert result.per_image[name][others].tolist() == plain.per_image[name][others].tolist()


@given(st.text(st.characters(exclude_categories=()), max_size=40), st.text(st.characters(exclude_categories=())))
@settings(max_examples=60, deadline=None)
def test_any_caption_and_any_id_is_scored(caption: str, image_id: str) -> None:
    references = {**REFERENCES, image_id: [caption, "a dog"]}
    result = evaluate({**CANDIDATES, image_id: caption}, references, options=PLAIN)
    assert all(np.isfinite(column).all() for column in result.per_image.values())


def test_one_image_has_no_cider_and_the_others_stay() -> None:
    result = evaluate({"1": "A dog runs."}, {"1": REFERENCES["1"]})
    score = result.score("CIDEr-D")
    assert score.value is None
    assert score.reason == (
        "cider_d is undefined: it weighs words by how few of the images have them, and the corpus has one image only. "
        "Score at least two images, or use a scoring card of the whole set."
    )
    assert score.signature.startswith("metric:CIDEr-D|")
    assert list(result.per_image) == NAMES[:-1]
    assert all(result.score(name).value is not None for name in NAMES[:-1])
    assert result.score("BLEU-1").low is None


def test_a_metric_that_gives_no_number_is_undefined(plugins: None) -> None:
    result = evaluate(CANDIDATES, REFERENCES, metrics=["impossible", "words"], options=PLAIN)
    assert values(result) == {"NAN": None, "WORDS": (3 + 5 + 3 + 4) / 4}
    assert result.score("NAN").reason == "impossible gives no finite number for this corpus."
    assert list(result.per_image) == ["WORDS"]


def test_a_strangers_metric_stands_behind_the_usual_ones(plugins: None) -> None:
    result = evaluate(CANDIDATES, REFERENCES, metrics=["words", "rouge_l"], options=PLAIN)
    assert [score.name for score in result.scores] == ["ROUGE-L", "WORDS"]
    with pytest.raises(UsageError, match="The metrics 'words' and 'twin' both give a score 'WORDS'; ask for one of"):
        evaluate(CANDIDATES, REFERENCES, metrics=["words", "twin"])


def test_a_text_is_tokenised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRSTSIGHT_CORE", "python")
    seen: list[str] = []
    tokenizer = TOKENIZERS.load("ptb")
    tokenize = tokenizer.tokenize

    def counting(self: Any, caption: str) -> list[str]:
        seen.append(caption)
        return tokenize(self, caption)

    monkeypatch.setattr(tokenizer, "tokenize", counting)
    evaluate({"1": "a", "2": "a", "3": "b"}, {"1": ["a", "b"], "2": ["b", "c", "c"], "3": ["a"]}, options=PLAIN)
    assert sorted(seen) == ["a", "b", "c"]


def test_progress_names_the_stages() -> None:
    calls: list[tuple[str, int, int]] = []
    evaluate(CANDIDATES, REFERENCES, options=PLAIN, on_progress=lambda *call: calls.append(call))
    assert calls[0] == ("tokenise", 4, 4)
    assert [call for call in calls if call[0] != "meteor"][1:] == [
        ("bleu", 4, 4),
        ("rouge_l", 4, 4),
        ("cider_d", 4, 4),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_resamples": -1}, "n_resamples must be a whole number of at least 0, got -1."),
        ({"n_resamples": 1.5}, "n_resamples must be a whole number of at least 0, got 1.5."),
        ({"seed": -3}, "seed must be a whole number of at least 0, got -3."),
        ({"seed": True}, "seed must be a whole number of at least 0, got True."),
        (
            {"missing": "skipp"},
            "Unknown missing rule 'skipp'. Did you mean 'skip'? Available: empty, error, skip.",
        ),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        EvaluationOptions(**options)
    assert str(caught.value) == message


def test_names_are_checked_before_the_captions_are_looked_at() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown metric 'cidr'\. Did you mean 'cider'\? Available: bleu"):
        evaluate({}, {}, metrics=["bleu", "cidr"])
    with pytest.raises(UnknownNameError, match=r"Unknown tokenizer 'ptv'\. Did you mean 'ptb'\?"):
        evaluate({}, {}, options=EvaluationOptions(tokenizer="ptv"))
    with pytest.raises(UsageError, match=r"No metric was asked for\. Available: bleu"):
        evaluate({}, {}, metrics=[])
    with pytest.raises(UsageError, match="metrics must be a list of names such as"):
        evaluate({}, {}, metrics="bleu")


def test_a_metric_that_fails_in_the_middle_is_undefined(plugins: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Words, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        raise MetricUndefinedError("no words here")

    monkeypatch.setattr(Words, "statistics", fail)
    result = evaluate(CANDIDATES, REFERENCES, metrics=["words"], options=PLAIN)
    assert (result.score("WORDS").value, result.score("WORDS").reason) == (None, "no words here")
    with pytest.raises(KeyError):
        result.score("BLEU-1")
