"""Judges against a service on this machine: what is asked, what is read, and what is done about every refusal."""

from __future__ import annotations

import base64
import io
import json
import math
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from firstsight.errors import BackendError, ImageError, MetricUndefinedError, UsageError
from firstsight.metrics import Corpus
from firstsight.metrics.judge import Clair, Fleur, JudgeOptions
from firstsight.metrics.judge.base import captions_as_json
from firstsight.metrics.judge.endpoint import Answer, Endpoint
from firstsight.metrics.judge.fleur import smoothed_score
from firstsight.tokenizers.words import WordsTokenizer

CANDIDATES = ["a dog", "two cats asleep", "the sea"]
REFERENCES = [["a dog", "a hound"], ["two cats"], ["a boat on the sea"]]


def corpus_of(candidates=CANDIDATES, references=REFERENCES, **more: Any) -> Corpus:
    return Corpus(candidates, references, WordsTokenizer(), **more)


def clair_of(stub: Any, **changes: Any) -> Clair:
    return Clair("stub", options=replace(stub.options, **changes))


# What is asked and read


def test_clair_is_the_score_over_a_hundred(stub_judge):
    metric = clair_of(stub_judge)
    corpus = corpus_of()
    metric.prepare(corpus)
    table = metric.corpus_statistics(corpus)
    # 90 times the share of common words: 2 of 3 in the second, 2 of 5 in the third.
    np.testing.assert_allclose(table[:, 0], [1.0, 0.6, 0.36])
    assert metric.from_statistics(table.sum(axis=0))[0] == pytest.approx((1 + 0.6 + 0.36) / 3)
    assert metric.reasons == dict.fromkeys("012", "It counted words.")


def test_the_request_is_that_of_the_interface_at_temperature_zero(stub_judge, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIRSTSIGHT_JUDGE_KEY", "secret-key")
    clair_of(stub_judge).corpus_statistics(corpus_of(CANDIDATES[:1], REFERENCES[:1]))
    path, headers, request = stub_judge.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret-key"
    assert (request["model"], request["temperature"]) == ("stub", 0)
    text = request["messages"][0]["content"]
    assert 'CANDIDATES: ["a dog"]' in text
    assert 'REFERENCES: ["a dog", "a hound"]' in text


def test_an_empty_candidate_is_zero_and_never_sent(stub_judge):
    table = clair_of(stub_judge).corpus_statistics(corpus_of(["", " \n"], [["a"], ["b"]]))
    assert table.tolist() == [[0, 1], [0, 1]]
    assert stub_judge.requests == []


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ('{"score": 37.5, "reason": "x"}', Fraction(3, 8)),
        ('```json\n{"reason": "{}", "score": 100}\n```', 1),
        ('Sure! {"why": 1} {"score": 0}', 0),
    ],
)
def test_the_first_object_with_a_score_is_read(text: str, score: Fraction):
    assert Clair("m").read(Answer(text))[0] == float(score)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "85",
        '{"score": "85"}',
        '{"score": true}',
        '{"score": 101}',
        '{"score": NaN}',
        '{"score": -1}',
        '{"score"',
        "{",
    ],
)
def test_what_has_no_score_from_0_to_100_is_no_answer(text: str):
    with pytest.raises(ValueError, match="score"):
        Clair("m").read(Answer(text))


@given(st.text(max_size=40))
def test_no_caption_leaves_its_quotation_or_its_line(caption: str):
    text = captions_as_json([caption])
    assert len(text.splitlines()) == 1
    assert json.loads(text) == [caption.encode("utf-16", "surrogatepass").decode("utf-16", "replace")] or any(
        "\ud800" <= char <= "\udfff" for char in caption
    )


def test_the_signature_has_the_model_and_the_hash_of_the_prompt_and_no_address(stub_judge):
    parameters = clair_of(stub_judge).parameters
    assert parameters == {"model": "stub", "prompt": parameters["prompt"], "temperature": 0}
    assert len(str(parameters["prompt"])) == 12
    assert Fleur("stub", options=stub_judge.options).parameters["prompt"] != parameters["prompt"]


# FLEUR


def listed(*tokens: tuple[str, dict[str, float]]) -> tuple[Any, ...]:
    return tuple((token, tuple((other, math.log(p)) for other, p in others.items())) for token, others in tokens)


POINT = [("0", {"0": 1.0}), (".", {".": 1.0})]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        # 0.8 * 3/4 + 0.9 * 1/4, then 0.05 * 1/2 + 0.01 * 1/2
        ([*POINT, ("8", {"8": 0.75, "9": 0.25}), ("5", {"5": 0.5, "1": 0.5})], Fraction(825, 1000) + Fraction(3, 100)),
        # what is no digit has no value, and the rest is not made up to 1
        ([*POINT, ("8", {"8": 0.5, "\n": 0.5})], Fraction(4, 10)),
        # a third decimal is not looked at
        ([*POINT, ("8", {"8": 1.0}), ("5", {"5": 1.0}), ("9", {"9": 1.0})], Fraction(85, 100)),
        # several digits in one token, of which the third is not looked at
        ([*POINT, ("85", {"85": 0.5, "9": 0.25, "709": 0.25})], Fraction(425 + 225 + 175, 1000)),
        # point and digits in one token
        ([(" 0", {"0": 1.0}), (".8", {".8": 0.5, ".95": 0.5})], Fraction(875, 1000)),
        # all in one token, where 1.0 stands beside
        ([("0.8", {"0.8": 0.5, "0.75": 0.25, "1.0": 0.25})], Fraction(4000 + 1875 + 2500, 10000)),
        # 1.0: nine tenths of the 0 and all of the 1
        ([("1", {"1": 0.75, "0": 0.25}), (".", {".": 1.0}), ("0", {"0": 1.0})], Fraction(975, 1000)),
        ([("1", {"1": 1.0})], 1),
        ([("0", {"0": 1.0})], 0),
        ([*POINT, ("0", {"0": 0.5, "1": 0.5})], Fraction(5, 100)),
    ],
)
def test_smoothing(tokens: list[Any], expected: Fraction):
    assert smoothed_score(listed(*tokens)) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("text", ["", "high", "1.5", "-0.1", "0.8 of 1", "2", "0,8"])
def test_what_is_no_number_from_0_to_1_is_no_answer(text: str):
    with pytest.raises(ValueError, match=r"number|above"):
        Fleur("m").read(Answer(text, ((text, ((text, 0.0),)),)))


def test_without_log_probabilities_there_is_no_score():
    with pytest.raises(ValueError, match="gives no log-probabilities"):
        Fleur("m").read(Answer("0.8"))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.png" for name in "012"}
    for path in paths.values():
        Image.new("RGB", (1500, 30), (200, 30, 30)).save(path)
    return paths


def test_fleur_sends_the_image_and_no_reference(stub_judge, files: dict[str, Path]):
    metric = Fleur("stub", options=stub_judge.options)
    corpus = corpus_of(images=files)
    metric.prepare(corpus)
    table = metric.corpus_statistics(corpus)
    assert ((table[:, 0] > 0) & (table[:, 0] < 1)).all()
    request = stub_judge.requests[0][2]
    picture, text = request["messages"][0]["content"]
    kind, _, data = picture["image_url"]["url"].partition(",")
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (1024, 20)
    said = " ".join(CANDIDATES)  # any of them: requests come in any order
    assert not any(reference in text["text"] for group in REFERENCES for reference in group if reference not in said)
    assert (request["logprobs"], request["top_logprobs"]) == (True, 20)


def test_fleur_needs_the_images_and_names_the_unreadable(stub_judge, files: dict[str, Path]):
    metric = Fleur("stub", options=stub_judge.options)
    with pytest.raises(UsageError, match="fleur looks at the images"):
        metric.prepare(corpus_of())
    files["1"].write_bytes(b"")
    with pytest.raises(ImageError, match="fleur has no score: 1 of 3 images cannot be read: '1'"):
        metric.corpus_statistics(corpus_of(images=files))


# Patience and refusal


def test_it_waits_as_long_as_the_service_asks(stub_judge):
    waits: list[float] = []
    stub_judge.replies = [
        (429, {"Retry-After": "7"}, ""),
        (503, {"Retry-After": "Thu, 01 Jan 1970 00:00:30 GMT"}, ""),
        (500, {}, ""),
        (429, {"Retry-After": "soon"}, ""),
    ]
    endpoint = Endpoint(stub_judge.options, wait=lambda s: bool(waits.append(s)), now=lambda: 10.0)
    answer = endpoint.ask({"messages": [{"content": 'CANDIDATES: ["a"]\nREFERENCES: ["a"]'}]})
    assert json.loads(answer.text)["score"] == 100
    assert waits == [7, 20, 4, 8]  # as asked, until the date, then doubling


def test_no_service_waits_for_ever(stub_judge):
    waits: list[float] = []
    stub_judge.replies = [(429, {"Retry-After": "86400"}, "")] * 5
    endpoint = Endpoint(stub_judge.options, wait=lambda s: bool(waits.append(s)))
    with pytest.raises(BackendError, match="gave no answer in 5 tries: status 429"):
        endpoint.ask({})
    assert waits == [120] * 4


@pytest.mark.parametrize(
    "body", ["", "{}", '{"choices": []}', '{"choices": [{"message": {"content": null}}]}', "[" * 99]
)
def test_a_reply_of_another_form_is_asked_for_again(stub_judge, body: str):
    stub_judge.replies = [(200, {}, body)] * 5
    endpoint = Endpoint(stub_judge.options, wait=lambda s: False)
    with pytest.raises(BackendError, match="5 tries: its reply is not a chat completion"):
        endpoint.ask({})


def test_nobody_answers():
    options = JudgeOptions("http://127.0.0.1:1/v1", n_tries=2)
    with pytest.raises(BackendError, match=r"The judge at http://127\.0\.0\.1:1/v1 gave no answer in 2 tries"):
        Endpoint(options, wait=lambda s: False).ask({})


@pytest.mark.parametrize("status", [401, 403])
def test_no_access_names_the_variable_and_never_the_key(stub_judge, monkeypatch: pytest.MonkeyPatch, status: int):
    monkeypatch.setenv("FIRSTSIGHT_JUDGE_KEY", "sk-secret-key")
    stub_judge.replies = [(status, {}, '{"error": {"message": "wrong key sk-sec***key"}}')] * 9
    with pytest.raises(BackendError, match="Set FIRSTSIGHT_JUDGE_KEY to a key that is valid") as caught:
        clair_of(stub_judge).corpus_statistics(corpus_of())
    assert "sk-" not in str(caught.value)


def test_a_service_that_repeats_the_key_is_not_quoted(stub_judge, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIRSTSIGHT_JUDGE_KEY", "sk-secret-key")
    stub_judge.replies = [(404, {}, '{"error": {"message": "no model for sk-secret-key"}}')] * 9
    with pytest.raises(BackendError, match="status 404: no model for …") as caught:
        clair_of(stub_judge).corpus_statistics(corpus_of())
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(stub_judge.options)


def test_the_key_is_not_carried_to_another_address(stub_judge, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIRSTSIGHT_JUDGE_KEY", "secret-key")
    stub_judge.replies = [(302, {"Location": f"{stub_judge.url}/elsewhere"}, "")] * 9
    with pytest.raises(BackendError, match="sends requests on to another address"):
        clair_of(stub_judge, n_parallel=1).corpus_statistics(corpus_of())
    assert {path for path, _, _ in stub_judge.requests} == {"/v1/chat/completions"}


def test_an_image_without_a_usable_answer_is_named_after_three_questions(stub_judge):
    answer = stub_judge.answer
    stub_judge.answer = lambda request: (
        stub_judge.completion("I would rather not.") if "asleep" in str(request) else answer(request)
    )
    with pytest.raises(
        BackendError, match=r"1 of 3 images have no usable answer: '1': the answer holds no JSON .* 3 times"
    ):
        clair_of(stub_judge).corpus_statistics(corpus_of())
    assert sum("asleep" in str(request) for _, _, request in stub_judge.requests) == 3


def test_an_image_that_the_service_refuses_is_named(stub_judge):
    stub_judge.replies = [(400, {}, "content\nfilter\x1b")]
    with pytest.raises(BackendError, match=r"'0': the judge refused the request with status 400: content filter\\x1b"):
        clair_of(stub_judge, n_parallel=1).corpus_statistics(corpus_of())
    assert len(stub_judge.requests) == 3, "the other images are asked for all the same"


# What is kept


def test_answers_are_kept_and_not_asked_for_again(stub_judge):
    first = clair_of(stub_judge).corpus_statistics(corpus_of())
    n_asked = len(stub_judge.requests)
    metric = clair_of(stub_judge)
    np.testing.assert_array_equal(metric.corpus_statistics(corpus_of()), first)
    assert len(stub_judge.requests) == n_asked == 3
    assert metric.reasons["0"] == "It counted words."
    Clair("another", options=stub_judge.options).corpus_statistics(corpus_of())
    assert len(stub_judge.requests) == 6


def test_a_run_that_failed_asks_only_for_what_is_missing(stub_judge):
    stub_judge.replies = [(404, {}, "")]
    with pytest.raises(BackendError):
        clair_of(stub_judge, n_parallel=1).corpus_statistics(corpus_of(CANDIDATES[2:], REFERENCES[2:]))
    clair_of(stub_judge).corpus_statistics(corpus_of(CANDIDATES[:2], REFERENCES[:2]))
    stub_judge.requests.clear()
    clair_of(stub_judge).corpus_statistics(corpus_of())
    assert ["the sea" in str(request) for _, _, request in stub_judge.requests] == [True]


@pytest.mark.parametrize("content", ["", "{", '{"text": 3}', '{"text": "{}", "tokens": []}', "null"])
def test_a_kept_answer_that_is_broken_is_asked_for_again(stub_judge, content: str):
    first = clair_of(stub_judge).corpus_statistics(corpus_of())
    for file in stub_judge.answers.rglob("*.json"):
        file.write_text(content)
    np.testing.assert_array_equal(clair_of(stub_judge).corpus_statistics(corpus_of()), first)
    assert len(stub_judge.requests) == 6


def test_no_key_is_in_what_is_kept(stub_judge, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIRSTSIGHT_JUDGE_KEY", "secret-key")
    clair_of(stub_judge).corpus_statistics(corpus_of())
    kept = list(stub_judge.answers.rglob("*.json"))
    assert len(kept) == 3
    assert not any("secret" in f"{file} {file.read_text()}" for file in kept)


def test_a_folder_that_cannot_be_written_costs_no_score(stub_judge):
    stub_judge.answers.write_text("a file stands where the folder should be")
    assert clair_of(stub_judge).corpus_statistics(corpus_of()).shape == (3, 2)


def test_no_more_requests_are_under_way_than_allowed(stub_judge):
    under_way, most, lock, answer = 0, 0, threading.Lock(), stub_judge.answer
    met = threading.Barrier(2, timeout=10)

    def counting(request: Any) -> str:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        met.wait()  # two at a time, or this times out
        with lock:
            under_way -= 1
        return answer(request)

    stub_judge.answer = counting
    n = 8
    clair_of(stub_judge, n_parallel=2).corpus_statistics(corpus_of([f"a {i}" for i in range(n)], [["a"]] * n))
    assert most == 2


# Options


def test_options_come_from_the_environment():
    said = {
        "FIRSTSIGHT_JUDGE_URL": "http://localhost:8000/v1/",
        "FIRSTSIGHT_JUDGE_PARALLEL": "9",
        "FIRSTSIGHT_JUDGE_LIMIT_S": "30",
        "FIRSTSIGHT_JUDGE_TRIES": "2",
        "FIRSTSIGHT_JUDGE_ANSWERS": "kept",
    }
    assert JudgeOptions.from_environment(said) == JudgeOptions("http://localhost:8000/v1", 9, 30.0, 2, Path("kept"))
    defaults = JudgeOptions.from_environment({"FIRSTSIGHT_JUDGE_URL": "https://a.example"})
    assert defaults == JudgeOptions("https://a.example")
    assert defaults.answers_folder.name == "judge"


@pytest.mark.parametrize(
    "said",
    [
        {"FIRSTSIGHT_JUDGE_URL": "localhost:8000"},
        {"FIRSTSIGHT_JUDGE_URL": "file:///etc/passwd"},
        {"FIRSTSIGHT_JUDGE_URL": "https://name:hidden@host/v1"},
        {"FIRSTSIGHT_JUDGE_URL": "https://host/v1?key=hidden"},
        {"FIRSTSIGHT_JUDGE_URL": "http://["},
        {"FIRSTSIGHT_JUDGE_URL": "http://host/v\u00e9"},
        {"FIRSTSIGHT_JUDGE_URL": "https://host", "FIRSTSIGHT_JUDGE_PARALLEL": "0"},
        {"FIRSTSIGHT_JUDGE_URL": "https://host", "FIRSTSIGHT_JUDGE_PARALLEL": "999"},
        {"FIRSTSIGHT_JUDGE_URL": "https://host", "FIRSTSIGHT_JUDGE_TRIES": "many"},
    ],
)
def test_options_are_checked(said: dict[str, str]):
    with pytest.raises(UsageError) as caught:
        JudgeOptions.from_environment(said)
    assert "hidden" not in str(caught.value)


def test_without_a_service_or_a_model_the_variable_is_named(stub_judge):
    with pytest.raises(BackendError, match="Set FIRSTSIGHT_JUDGE_URL"):
        Clair("m").prepare(corpus_of())
    with pytest.raises(
        BackendError, match="clair needs a model that judges: ask for clair:MODEL, or set FIRSTSIGHT_JUDGE"
    ):
        Clair(options=stub_judge.options).prepare(corpus_of())


def test_no_images_is_undefined(stub_judge):
    with pytest.raises(MetricUndefinedError, match="clair is undefined"):
        clair_of(stub_judge).prepare(corpus_of([], []))
