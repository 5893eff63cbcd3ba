"""Signatures are stable, readable back, and tell two different evaluations apart."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight import __version__
from firstsight._core import core_name
from firstsight.evaluation import EvaluationOptions, evaluate, parse_signature, reference_set_hash
from firstsight.evaluation.signature import corpus_part, metric_part, shared_part, signature_lines
from firstsight.metrics import METRICS

REFERENCES = {"b": ["a red kite", "a kite in the sky"], "a": ["two dogs run"]}
CANDIDATES = {"a": "two dogs", "b": "a kite"}

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
SETS = st.dictionaries(ANY_TEXT, st.lists(ANY_TEXT, min_size=1, max_size=3), max_size=4)


def hash_of(references: dict[str, list[str]]) -> str:
    return reference_set_hash(list(references), list(references.values()))


def test_the_signature_of_a_known_evaluation() -> None:
    result = evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(n_resamples=0))
    assert result.score("BLEU-4").signature == (
        "metric:BLEU-4|version:1|params:max_n=4,reference_length=closest|better:higher|range:0..1|tok:ptb@1|lang:en"
        f"|images:2|refs:3|refset:{hash_of(REFERENCES)[:12]}|missing:error|boot:0|core:{core_name()}"
        f"|firstsight:{__version__}"
    )


def test_what_is_missing_and_the_seed_are_said() -> None:
    options = EvaluationOptions(n_resamples=10, seed=7, missing="empty")
    fields = parse_signature(evaluate({"a": "two dogs"}, REFERENCES, options=options).score("ROUGE-L").signature)
    assert {key: fields[key] for key in ("images", "refs", "missing", "absent", "boot", "seed")} == {
        "images": "2",
        "refs": "3",
        "missing": "empty",
        "absent": "1",
        "boot": "10",
        "seed": "7",
    }


def test_the_core_that_computed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRSTSIGHT_CORE", "python")
    signature = evaluate(CANDIDATES, REFERENCES, metrics=["bleu"]).score("BLEU-1").signature
    assert parse_signature(signature)["core"] == "python"


def test_what_is_no_quality_has_no_better_side() -> None:
    class Plain(METRICS.load("rouge_l")):  # type: ignore[misc]
        is_quality = False

    assert "|better:neither|" in metric_part(Plain(), "ROUGE-L")


def test_the_reference_hash_is_the_documented_one() -> None:
    def sized(text: str) -> bytes:
        return len(text.encode()).to_bytes(8, "big") + text.encode()

    two, one = (2).to_bytes(8, "big"), (1).to_bytes(8, "big")
    content = sized("a") + one + sized("dogs") + sized("é") + two + sized("x") + sized("yz")
    assert hash_of({"é": ["yz", "x"], "a": ["dogs"]}) == hashlib.sha256(content).hexdigest()


@given(SETS)
def test_the_reference_hash_knows_no_order(references: dict[str, list[str]]) -> None:
    turned = dict(reversed([(image_id, captions[::-1]) for image_id, captions in references.items()]))
    assert hash_of(turned) == hash_of(references)


@given(SETS, SETS)
def test_different_sets_have_different_hashes(one: dict[str, list[str]], other: dict[str, list[str]]) -> None:
    alike = {i: sorted(c) for i, c in one.items()} == {i: sorted(c) for i, c in other.items()}
    assert (hash_of(one) == hash_of(other)) == alike


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), ANY_TEXT, min_size=1))
def test_fields_are_one_ascii_line_and_are_read_back(fields: dict[str, str]) -> None:
    printable = {key: text.encode("utf-8", "replace").decode() for key, text in fields.items()}
    signature = corpus_part(printable)
    assert signature.isascii()
    assert signature.isprintable()
    assert " " not in signature
    assert parse_signature(signature) == printable


def test_both_halves_make_the_whole() -> None:
    metric = METRICS.load("cider_d")()
    own = metric_part(metric, "CIDEr-D")
    shared = corpus_part({"tok": "ptb@1", "images": 3})
    assert shared_part(f"{own}|{shared}") == (own, shared)


@given(st.text(st.sampled_from("ab:=|,")), st.integers(8, 30))
def test_lines_of_a_signature_give_it_back(part: str, width: int) -> None:
    lines = signature_lines(part, width)
    assert "".join(line.strip() for line in lines) == part
    assert all(len(line) <= width or not re.search(r"[|,](?!$)", line) for line in lines)
    assert all(line[-1] in "|," for line in lines[:-1])
