"""A scoring card is one safe file of the same bytes, and scores of parts compare under it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstsight.errors import CaptionFileError, MetricUndefinedError, OutputError, UsageError
from firstsight.evaluation import EvaluationOptions, build_card, evaluate, parse_signature, read_card, write_card
from firstsight.evaluation.card import LearntMetric, ScoringCard
from firstsight.metrics import METRICS, Corpus, Running
from firstsight.tokenizers import TOKENIZERS

REFERENCES = {
    "1": ("A dog runs on the grass.", "A brown dog runs."),
    "2": ("Two cats sleep on a red sofa.",),
    "3": ("A man rides a wave on a surfboard.", "A surfer in the sea.", "2\u00a01/2 cups \ud800"),
    "4": ("A plate with a slice of pizza.",),
}
CANDIDATES = {"1": "A dog runs.", "2": "Two cats on a sofa.", "3": "A man surfing.", "4": "A bowl of soup."}
CARD = build_card(REFERENCES, metrics=["cider_d"])
WITH_CARD = EvaluationOptions(n_resamples=0, card=CARD)
WORDS = st.sampled_from(["a dog runs", "two cats", "a red sofa", "", "pizza pizza pizza", "a\u2028b \x00", "the sea"])


def cider(candidates: dict[str, str], references: Any, card: ScoringCard = CARD) -> dict[str, float]:
    options = EvaluationOptions(n_resamples=0, card=card)
    result = evaluate(candidates, references, metrics=["cider_d"], options=options)
    return dict(zip(result.image_ids, result.per_image["CIDEr-D"].tolist(), strict=True))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_card(CARD, tmp_path / "refs.card")
    return tmp_path / "refs.card"


def test_the_card_of_the_same_references_gives_the_same_scores() -> None:
    plain = evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(n_resamples=50))
    carded = evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(n_resamples=50, card=CARD))
    assert [(s.value, s.low, s.high) for s in carded.scores] == [(s.value, s.low, s.high) for s in plain.scores]
    assert carded.notes == ()


def test_its_hash_stands_in_the_signature_of_what_learns_and_nowhere_else() -> None:
    result = evaluate(CANDIDATES, REFERENCES, options=WITH_CARD)
    assert parse_signature(result.score("CIDEr-D").signature)["card"] == CARD.hash[:12]
    assert "card" not in parse_signature(result.score("BLEU-4").signature)


def test_one_image_has_a_score_with_a_card() -> None:
    whole = cider(CANDIDATES, REFERENCES)
    for image_id in REFERENCES:
        assert cider({image_id: CANDIDATES[image_id]}, {image_id: REFERENCES[image_id]}) == {image_id: whole[image_id]}


@given(st.sampled_from(sorted(REFERENCES)), WORDS, st.lists(WORDS, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_one_caption_changes_no_other_images_score(changed: str, candidate: str, captions: list[str]) -> None:
    before = cider(CANDIDATES, REFERENCES)
    for after in (
        cider({**CANDIDATES, changed: candidate}, REFERENCES),
        cider(CANDIDATES, {**REFERENCES, changed: captions}),
    ):
        others = [image_id for image_id in REFERENCES if image_id != changed]
        assert [after[image_id] for image_id in others] == [before[image_id] for image_id in others]


@given(st.lists(st.booleans(), min_size=4, max_size=4), st.permutations(sorted(REFERENCES)))
@settings(max_examples=30, deadline=None)
def test_shards_sum_to_the_whole(is_left: list[bool], order: list[str]) -> None:
    tokenizer = TOKENIZERS.load("ptb")()

    def table(image_ids: list[str]) -> np.ndarray:
        metric = METRICS.load("cider_d")()
        CARD.restore(metric)
        corpus = Corpus([CANDIDATES[i] for i in image_ids], [REFERENCES[i] for i in image_ids], tokenizer)
        return metric.corpus_statistics(corpus).sum(axis=0) if image_ids else np.zeros(2)

    left = [image_id for image_id, is_in in zip(order, is_left, strict=True) if is_in]
    right = [image_id for image_id in order if image_id not in left]
    np.testing.assert_allclose(table(left) + table(right), table(order), rtol=1e-12)


def test_the_same_references_are_the_same_file(tmp_path: Path, file: Path) -> None:
    turned = build_card({key: REFERENCES[key][::-1] for key in reversed(REFERENCES)}, metrics=["cider_d"])
    assert turned.hash == CARD.hash
    write_card(turned, tmp_path / "other.card")
    assert (tmp_path / "other.card").read_bytes() == file.read_bytes()


def test_what_is_read_is_what_was_written(file: Path) -> None:
    found = read_card(file)
    for field in ("hash", "language", "tokenizer", "n_images", "n_references", "reference_set", "firstsight"):
        assert getattr(found, field) == getattr(CARD, field)
    assert found.n_references == 7
    for key, array in CARD.metrics["cider_d"].learnt.items():
        other = found.metrics["cider_d"].learnt[key]
        if isinstance(array, list):
            assert other == array
        else:
            assert not isinstance(other, list)
            assert other.dtype == array.dtype
            np.testing.assert_array_equal(other, array)
    assert cider(CANDIDATES, REFERENCES, found) == cider(CANDIDATES, REFERENCES)


@given(
    st.lists(st.text(st.characters(exclude_categories=())), max_size=4),
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 300), max_size=6),
)
@settings(max_examples=30, deadline=None)
def test_any_words_and_whole_numbers_come_back(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], numbers: list[int]
) -> None:
    wide = max(numbers, default=0) - min(numbers, default=0)
    array = np.array(numbers if wide < 2**63 else numbers[:1], dtype=np.int64)
    card = ScoringCard(
        "en", "ptb@1", 0, 0, "0" * 64, {"x": LearntMetric("1", {}, {"w": words, "n": array})}, np.zeros((0, 2), "i8")
    )
    path = tmp_path_factory.mktemp("card") / "x.card"
    write_card(card, path)
    found = read_card(path).metrics["x"].learnt
    assert found["w"] == words
    np.testing.assert_array_equal(found["n"], array)


def test_images_that_the_card_does_not_know_are_said() -> None:
    references = {**REFERENCES, "9": ("A bird.",), "2": ("Two cats.",)}
    result = evaluate({**CANDIDATES, "9": "A bird."}, references, options=WITH_CARD)
    assert result.notes == (
        f"1 of 5 images is not among the 4 of the scoring card {CARD.hash[:12]}.",
        f"1 of 5 images has other references than in the scoring card {CARD.hash[:12]}.",
    )


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    path.write_bytes(buffer.getvalue())


def with_header(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        header = json.loads(members["card.json"])
        change(header)
        members["card.json"] = json.dumps(header).encode()

    return changed


def flip_blob(members: dict[str, bytes]) -> None:
    name = next(name for name in members if name.startswith("blobs/"))
    members[name] = bytes([members[name][0] ^ 1]) + members[name][1:]


def drop_blob(members: dict[str, bytes]) -> None:
    del members[next(name for name in members if name.startswith("blobs/"))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flip_blob, "was changed"),
        (drop_blob, "is no whole scoring card"),
        (lambda members: members.pop("card.json"), "it has no card.json"),
        (lambda members: members.update({"card.json": b"{"}), "is no whole scoring card"),
        (lambda members: members.update({"card.json": b"[]"}), "card.json is no object"),
        (lambda members: members.update({"card.json": b"{}"}), "but no scoring card"),
        (with_header(lambda header: header.update(schema_version=2)), "is a scoring card of format 2, made by"),
        (with_header(lambda header: header["content"].update(n_images=5)), "was changed after it was made"),
        (with_header(lambda header: header.update(hash="0" * 64)), "was changed after it was made"),
    ],
)
def test_a_changed_file_is_told(file: Path, change: Callable[[dict[str, bytes]], None], message: str) -> None:
    rewritten(file, change)
    with pytest.raises(CaptionFileError, match=message) as caught:
        read_card(file)
    assert "uild" in str(caught.value)


def test_a_bomb_is_not_unpacked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firstsight.evaluation._card_file._MAX_BYTES", 10_000)
    rewritten(file, lambda members: members.update({"blobs/x": b"0" * 5_000, "blobs/y": b"1" * 5_001}))
    with pytest.raises(CaptionFileError, match=r"blobs/y unpacks to more than [\d,]+ bytes"):
        read_card(file)


def test_a_device_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    write_card(CARD, "/dev/null", overwrite=True)
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_told(file: Path, part: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(
        CaptionFileError, match=r"refs\.card is no whole scoring card .* Copy it again, or make it again"
    ):
        read_card(file)


@given(st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_no_changed_byte_changes_a_score(tmp_path_factory: pytest.TempPathFactory, place: int, flip: int) -> None:
    path = tmp_path_factory.mktemp("card") / "x.card"
    write_card(CARD, path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= flip
    path.write_bytes(data)
    try:
        found = read_card(path)
    except CaptionFileError:
        return
    assert found.hash == CARD.hash  # a date or an attribute of the zip


def test_a_forged_card_does_not_crash_the_metric() -> None:
    learnt = dict(CARD.metrics["cider_d"].learnt)
    learnt["ngrams"] = np.full_like(learnt["ngrams"], 10**6)
    forged = ScoringCard(
        "en", "ptb@1", 4, 7, "0" * 64, {"cider_d": LearntMetric("1", CARD.metrics["cider_d"].parameters, learnt)},
        CARD.image_marks,
    )  # fmt: skip
    with pytest.raises((CaptionFileError, UsageError)):
        evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(n_resamples=0, card=forged))


def test_files_that_are_not_there_or_exist(tmp_path: Path, file: Path) -> None:
    with pytest.raises(
        CaptionFileError, match=r"There is no scoring card .*gone\.card\. Make it with: firstsight card"
    ):
        read_card(tmp_path / "gone.card")
    with pytest.raises(OutputError, match="exists"):
        write_card(CARD, file)
    write_card(CARD, file, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["refs.card"]


def test_a_card_that_does_not_fit_is_refused() -> None:
    of_chars = ScoringCard("en", "chars@1", 4, 7, CARD.reference_set, CARD.metrics, CARD.image_marks)
    with pytest.raises(UsageError, match=r"was made with the tokenizer chars@1 and these captions are cut by ptb@1\."):
        evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(card=of_chars, tokenizer="ptb"))
    held = CARD.metrics["cider_d"]
    older = ScoringCard(
        "en", "ptb@1", 4, 7, CARD.reference_set,
        {"cider_d": LearntMetric("0", held.parameters, held.learnt)}, CARD.image_marks, "0.0.1",
    )  # fmt: skip
    with pytest.raises(
        UsageError, match=r"is for cider_d version 0 .*; here is version 1 .* or use firstsight 0\.0\.1"
    ):
        evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(card=older))
    empty = ScoringCard("en", "ptb@1", 4, 7, CARD.reference_set, {}, CARD.image_marks)
    with pytest.raises(UsageError, match="has nothing for the metric 'cider_d'; it is for none"):
        evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(card=empty))
    assert evaluate(CANDIDATES, REFERENCES, metrics=["bleu"], options=EvaluationOptions(card=empty)).scores[0].value


def test_what_cannot_be_frozen_is_told() -> None:
    with pytest.raises(MetricUndefinedError, match="cider_d is undefined"):
        build_card({"1": ["a dog"]}, metrics=["cider_d"])
    with pytest.raises(
        UsageError, match=r"The metric 'bleu' learns nothing of references.*Metrics that learn: .*cider_d"
    ):
        build_card(REFERENCES, metrics=["bleu"])
    with pytest.raises(UsageError, match="must be a code such as 'en'"):
        build_card(REFERENCES, language="english!")


def test_the_language_and_the_tokenizer_are_those_of_the_card() -> None:
    card = build_card(REFERENCES, language="de", tokenizer="ptb", metrics=["cider_d"])
    options = EvaluationOptions(card=card)
    assert (options.language, options.tokenizer) == ("de", "ptb")
    assert EvaluationOptions(card=card, language="fr").tokenizer == "words"


def test_running_scores_take_a_card() -> None:
    running = Running("cider_d", card=CARD)
    for image_id, caption in CANDIDATES.items():
        running.update([caption], [REFERENCES[image_id]])
    whole = evaluate(CANDIDATES, REFERENCES, metrics=["cider_d"], options=WITH_CARD)
    assert running.compute()["CIDEr-D"] == pytest.approx(whole.score("CIDEr-D").value, rel=1e-12)
