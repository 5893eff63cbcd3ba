"""Comparison of systems: the same numbers as ``evaluate``, tests and ranks of known cases, slices, missing images."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from firstsight.errors import CaptionFileError, UnknownNameError, UsageError
from firstsight.evaluation import EvaluationOptions, build_card, evaluate
from firstsight.evaluation._comparison_output import (
    TEXT_RENDERERS,
    per_image_csv,
    per_image_jsonl,
    summary_line,
    to_json,
)
from firstsight.evaluation._comparison_page import render_comparison
from firstsight.evaluation._comparison_systems import joined_tables, named_files
from firstsight.evaluation.comparison import Comparison, ComparisonOptions, compare, compare_files
from firstsight.tokenizers import TokenTable

N = 40
WORDS = "a brown dog runs on green grass while two cats sleep near the red sofa".split()
METRICS = ["bleu", "rouge_l", "cider_d"]


def made(seed: int, share: float) -> dict[str, str]:
    """Return candidates that take each word of the first reference with the probability ``share``."""
    rng = np.random.default_rng(seed)
    return {
        image_id: " ".join(word if rng.random() < share else str(rng.choice(WORDS)) for word in group[0].split())
        for image_id, group in REFERENCES.items()
    }


_RNG = np.random.default_rng(0)
REFERENCES = {f"{n:03}": [" ".join(_RNG.choice(WORDS, size=8)), " ".join(_RNG.choice(WORDS, size=7))] for n in range(N)}
SYSTEMS = {"good": made(1, 0.9), "poor": made(2, 0.3), "twin": made(3, 0.9)}
KINDS = {image_id: "even" if int(image_id) % 2 == 0 else "odd" for image_id in list(REFERENCES)[:-1]}


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(SYSTEMS, REFERENCES, metrics=METRICS, slices={"kind": KINDS})


@pytest.mark.parametrize("system", list(SYSTEMS))
def test_scores_intervals_and_signatures_are_those_of_evaluate(found: Comparison, system: str):
    alone = evaluate(SYSTEMS[system], REFERENCES, metrics=METRICS)
    at = found.systems.index(system)
    for score in alone.scores:
        entry = next(entry for entry in found.scores[score.name] if entry.system == system)
        assert (entry.score.name, entry.score.signature) == (score.name, score.signature)
        assert [entry.score.value, entry.score.low, entry.score.high] == pytest.approx(
            [score.value, score.low, score.high], rel=1e-12
        )
        np.testing.assert_allclose(found.per_image[score.name][:, at], alone.per_image[score.name], rtol=1e-12)


def test_the_poor_system_is_last_and_the_twins_are_not_told_apart(found: Comparison):
    for entries in found.scores.values():
        assert {entry.system for entry in entries[:2]} == {"good", "twin"}
        assert [entry.groups for entry in entries] == ["a", "a", "b"]
        assert [(entry.best_rank, entry.worst_rank) for entry in entries] == [(1, 2), (1, 2), (3, 3)]


def test_pairs_have_the_better_system_first(found: Comparison):
    for name, pairs in found.pairs.items():
        assert len(pairs) == 3
        values = {entry.system: entry.score.value for entry in found.scores[name]}
        for pair in pairs:
            assert pair.difference == pytest.approx(values[pair.first] - values[pair.second])
            assert pair.difference >= 0
            assert pair.low <= pair.difference <= pair.high
            assert pair.corrected >= pair.p_value
            assert pair.wins + pair.ties + pair.losses == N
        assert next(p for p in pairs if p.second == "poor").corrected == pytest.approx(3 / 1001)


def test_the_order_of_systems_and_images_changes_no_number(found: Comparison):
    backwards = {name: dict(reversed(list(SYSTEMS[name].items()))) for name in reversed(SYSTEMS)}
    again = compare(backwards, dict(reversed(list(REFERENCES.items()))), metrics=METRICS)
    for name, entries in found.scores.items():
        assert [e.system for e in entries] == [e.system for e in again.scores[name]]
        assert [e.score.value for e in entries] == pytest.approx([e.score.value for e in again.scores[name]], rel=1e-12)
        assert [p.corrected for p in found.pairs[name]] == [p.corrected for p in again.pairs[name]]


def test_many_systems_get_as_many_resamples_as_the_correction_needs():
    options = ComparisonOptions()
    assert options.n_test_resamples(2) == 1000
    assert 1225 / (1 + options.n_test_resamples(50)) < options.alpha  # 1,225 pairs: Holm's factor of the smallest p
    assert replace(options, correction="none").n_test_resamples(50) == 1000


def test_a_slice_keeps_the_document_frequencies_of_all_images(found: Comparison):
    assert [(part.value, part.n_images) for part in found.slices] == [("even", 20), ("odd", 19)]
    rows = [row for row, image_id in enumerate(found.image_ids) if KINDS.get(image_id) == "even"]
    for at, _ in enumerate(found.systems):
        score = found.slices[0].scores["CIDEr-D"][at]
        assert score.value == pytest.approx(found.per_image["CIDEr-D"][rows, at].mean(), rel=1e-12)
        assert score.low < score.value < score.high
    alone = {image_id: REFERENCES[image_id] for image_id in KINDS if KINDS[image_id] == "even"}
    own = evaluate(SYSTEMS["good"], alone, metrics=["cider_d"]).scores[0].value
    assert own != pytest.approx(found.slices[0].scores["CIDEr-D"][0].value)
    assert "1 of 40 images have no value of 'kind' and are in no slice." in found.notes


def test_a_card_is_what_metrics_know():
    card = build_card(REFERENCES, metrics=["cider_d"])
    part = {image_id: REFERENCES[image_id] for image_id in list(REFERENCES)[::3]} | {"000": ["Another caption."]}
    evaluation = EvaluationOptions(n_resamples=20, card=card)
    systems = {name: {image_id: captions[image_id] for image_id in part} for name, captions in SYSTEMS.items()}
    found = compare(systems, part, metrics=["rouge_l", "cider_d"], options=ComparisonOptions(evaluation))
    for entry in found.scores["CIDEr-D"]:
        alone = evaluate(systems[entry.system], part, metrics=["cider_d"], options=evaluation)
        assert entry.score.value == pytest.approx(alone.scores[0].value, rel=1e-12)
        assert entry.score.signature == alone.scores[0].signature
        assert f"|card:{card.hash[:12]}|" in entry.score.signature
    assert "card:" not in found.scores["ROUGE-L"][0].score.signature
    assert found.notes == alone.notes
    assert found.notes[0].startswith("1 of 14 images has other references than in the scoring card")
    assert to_json(found)["card"] == card.hash
    plain = compare(systems, part, metrics=["cider_d"], options=ComparisonOptions(EvaluationOptions(n_resamples=20)))
    assert plain.scores["CIDEr-D"][0].score.value != found.scores["CIDEr-D"][0].score.value
    assert "card" not in to_json(plain)
    with pytest.raises(UsageError, match="has nothing for the metric 'cider'"):
        compare(systems, part, metrics=["cider"], options=ComparisonOptions(evaluation))


def test_slices_that_do_not_fit_are_refused():
    with pytest.raises(CaptionFileError, match="No image that is scored has a value of 'kind'"):
        compare(SYSTEMS, REFERENCES, metrics=["rouge_l"], slices={"kind": {"other": "x"}})
    many = {f"{n:03}": str(n) for n in range(300)}
    references = {key: ["a dog"] for key in many}
    systems = {"a": dict.fromkeys(many, "a dog"), "b": dict.fromkeys(many, "a cat")}
    with pytest.raises(UsageError, match="has 300 different values; a slice needs few, 200 at most"):
        compare(systems, references, metrics=["rouge_l"], slices={"id": many})


def test_images_that_one_system_lacks_are_left_out_for_all():
    part = {image_id: text for image_id, text in SYSTEMS["good"].items() if image_id not in ("000", "001")}
    other = {image_id: text for image_id, text in SYSTEMS["poor"].items() if image_id != "002"}
    systems = {"part": part, "other": other}
    with pytest.raises(CaptionFileError, match="part: 2 of 40 images have no candidate"):
        compare(systems, REFERENCES, metrics=["rouge_l"])
    skip = ComparisonOptions(EvaluationOptions(n_resamples=10, missing="skip"))
    found = compare(systems, REFERENCES, metrics=["rouge_l"], options=skip)
    assert found.n_images == 37
    assert "|missing:skip|absent:3|" in found.scores["ROUGE-L"][0].score.signature
    assert len(found.notes) == 2
    empty = ComparisonOptions(EvaluationOptions(n_resamples=10, missing="empty"))
    assert compare(systems, REFERENCES, metrics=["rouge_l"], options=empty).n_images == 40
    with pytest.raises(CaptionFileError, match="No image has a candidate of every system"):
        compare({"a": {"000": "x"}, "b": {"001": "y"}}, REFERENCES, metrics=["rouge_l"], options=skip)


def test_undefined_scores_say_why():
    one = {"1": ["a dog runs"]}
    options = ComparisonOptions(EvaluationOptions(n_resamples=10))
    found = compare({"a": {"1": "a dog"}, "b": {"1": "a cat"}}, one, metrics=["rouge_l", "cider_d"], options=options)
    assert found.scores["CIDEr-D"][0].score.value is None
    assert "one image only" in str(found.scores["CIDEr-D"][0].score.reason)
    assert found.scores["ROUGE-L"][0].score.low is None  # one image drawn again and again
    assert to_json(found)["scores"]["CIDEr-D"]["systems"] is None
    assert "CIDEr-D: no score" in TEXT_RENDERERS["table"](found)
    assert "Undefined" in render_comparison(found)
    assert summary_line(found).startswith("ROUGE-L: a ")


def test_a_description_has_no_ranks():
    found = compare(SYSTEMS, REFERENCES, metrics=["length", "rouge_l"])
    names = [name for name in found.scores if name != "ROUGE-L"]
    assert names
    for name in names:
        assert found.pairs[name] == ()
        assert all(entry.best_rank is None and not entry.groups for entry in found.scores[name])
    assert "None" not in TEXT_RENDERERS["table"](found)
    assert "None" not in render_comparison(found)


def test_what_is_not_allowed_is_told():
    with pytest.raises(UsageError, match="needs two systems or more, got 1"):
        compare({"a": SYSTEMS["good"]}, REFERENCES, metrics=["rouge_l"])
    with pytest.raises(UnknownNameError, match="Unknown test 't'"):
        ComparisonOptions(test="t")
    with pytest.raises(UnknownNameError, match="Unknown correction 'x'"):
        ComparisonOptions(correction="x")
    with pytest.raises(UsageError, match="alpha is 1"):
        ComparisonOptions(alpha=1)
    with pytest.raises(UsageError, match="needs resamples"):
        ComparisonOptions(EvaluationOptions(n_resamples=0))


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["a.json", "b.csv"], ["a", "b"]),
        (["runs/1/out.json", "runs/2/out.json", "b.json"], ["1/out", "2/out", "b"]),
        (["out.json", "runs/out.json"], ["out", "runs/out"]),
        (["out.json", "out.csv"], ["out.json", "out.csv"]),
        (["base=x/y.json", "-"], ["base", "standard input"]),
        (["y=x.json", "y.json"], ["y", "y.json"]),
        (["a=b/c=d.json", "x/k=v.json"], ["a", "k=v"]),
    ],
)
def test_names_of_systems(arguments: list[str], names: list[str]):
    assert [system.name for system in named_files(arguments)] == names


def test_names_that_cannot_be_told_apart_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UsageError, match="The name 'a' is given to two systems"):
        named_files(["a=x.json", "a=y.json"])
    with pytest.raises(UsageError, match=r"The file 'x.json' is given twice"):
        named_files(["x.json", "x.json"])
    monkeypatch.chdir(tmp_path)
    Path("a=b.json").write_text("[]")
    assert named_files(["a=b.json", "c.json"])[0].path == "a=b.json"  # a file of that name exists


def test_files_and_the_place_of_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("refs.csv").write_text("image_id,caption\n1,a dog runs\n2,two cats\n")
    Path("a.csv").write_text("image_id,caption\n1,a dog\n2,cats\n")
    Path("b.csv").write_text("image_id,caption\n1,a dog\n")
    Path("kinds.csv").write_text("image_id,kind\n1,dogs\n2,cats\n")
    with pytest.raises(CaptionFileError, match=r"b: 1 of 2 images has no candidate: '2' \(refs.csv, line 3\)"):
        compare_files(["a.csv", "b.csv"], "refs.csv", metrics=["rouge_l"])
    options = ComparisonOptions(EvaluationOptions(n_resamples=10, missing="empty"))
    found = compare_files(
        ["a.csv", "ours=b.csv"], "refs.csv", metrics=["rouge_l"], options=options, slice_by={"kind": "kinds.csv"}
    )
    assert found.systems == ("a", "ours")
    assert [(part.value, part.n_images) for part in found.slices] == [("cats", 1), ("dogs", 1)]
    assert found.slices[0].scores["ROUGE-L"][0].low is None


def test_joined_tables_are_those_of_all_captions():
    first, second = [["a", "dog"], []], [["dog", "runs"], ["a"], []]
    tables = TokenTable.from_tokens(first), TokenTable.from_tokens(second)
    joined, whole = joined_tables(*tables), TokenTable.from_tokens([*first, *second])
    assert list(joined) == list(whole) == [*first, *second]
    assert joined.ids.dtype == whole.ids.dtype
    assert joined.offsets.tolist() == whole.offsets.tolist()


def test_the_table_is_narrow_and_ends_in_a_summary(found: Comparison):
    names = {"good": "아주 긴 이름을 가진 한국어 이미지 캡셔닝 시스템 제출본 최종", "poor": "x" * 60, "twin": "twin"}
    wide = compare(
        {names[name]: captions for name, captions in SYSTEMS.items()},
        REFERENCES,
        metrics=METRICS,
        slices={"kind": KINDS},
        options=ComparisonOptions(EvaluationOptions(n_resamples=20)),
    )
    for comparison in (found, wide):
        lines = TEXT_RENDERERS["table"](comparison).splitlines()
        assert max(map(len, lines)) <= 100
        assert lines[0] == "3 systems, 40 images, 80 references"
        assert lines[-1].startswith("CIDEr-D: ")
    assert "test:permutation|testboot:1000|correction:holm|alpha:0.05|systems:3" in TEXT_RENDERERS["table"](found)


def test_json_and_csv_hold_everything(found: Comparison):
    loaded = json.loads(TEXT_RENDERERS["json"](found))
    assert loaded == to_json(found)
    assert loaded["systems"] == ["good", "poor", "twin"]
    entry = loaded["scores"]["CIDEr-D"]
    assert [system["groups"] for system in entry["systems"]] == ["a", "a", "b"]
    assert len(entry["pairs"]) == 3
    assert [part["value"] for part in loaded["slices"]] == ["even", "odd"]
    rows = list(csv.DictReader(io.StringIO(TEXT_RENDERERS["csv"](found))))
    assert len(rows) == 3 * 6 * 3  # systems, scores, and the whole and two slices
    assert {row["value"] for row in rows} == {"", "even", "odd"}


def test_scores_of_images_have_a_row_an_image_and_system(found: Comparison):
    rows = list(csv.DictReader(io.StringIO(per_image_csv(found))))
    assert len(rows) == N * 3
    assert float(rows[1]["CIDEr-D"]) == found.per_image["CIDEr-D"][0, 1]
    lines = [json.loads(line) for line in per_image_jsonl(found).splitlines()]
    assert lines[1] == {"image_id": "000", "system": "poor"} | {
        name: table[0, 1] for name, table in found.per_image.items()
    }


def test_the_page_holds_everything_and_treats_names_as_text():
    hostile = "<script>alert(1)</script>"
    systems = {hostile: SYSTEMS["good"], "b": SYSTEMS["poor"]}
    options = ComparisonOptions(EvaluationOptions(n_resamples=20))
    found = compare(systems, REFERENCES, metrics=["rouge_l"], options=options, slices={hostile: KINDS})
    page = render_comparison(found)
    assert hostile not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<h1>") == 1
    assert 'lang="ko"' in page
