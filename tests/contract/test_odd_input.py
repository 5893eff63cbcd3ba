"""Odd captions, ids and files have a defined result for every registered metric, in both cores and in every format.

``docs/reference/odd-input.md`` says what it is; each name of ``CAPTIONS`` and of ``BIG`` stands there.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firstsight import _core
from firstsight.datasets import read_candidates, read_references
from firstsight.errors import (
    BackendError,
    CaptionFileError,
    MetricUndefinedError,
    MissingDependencyError,
    UsageError,
)
from firstsight.evaluation import EvaluationOptions, build_card, evaluate, evaluate_files
from firstsight.metrics import METRICS, Corpus, Metric
from firstsight.tokenizers import TOKENIZERS

PLAIN = "Two cats on a red sofa."
SEPARATORS = {
    "line feed": "\n",
    "carriage return": "\r",
    "vertical tab": "\v",
    "form feed": "\f",
    "file separator": "\x1c",
    "group separator": "\x1d",
    "record separator": "\x1e",
    "next line": "\x85",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
}
BETWEEN_WORDS = {name: PLAIN.replace(" on ", f"{char}on ") for name, char in SEPARATORS.items()}
CAPTIONS = {
    "empty": "",
    "white space": " \t\n",
    **BETWEEN_WORDS,
    "NUL": "Two cats\0on a red sofa.",
    "lone surrogate": "Two cats \ud800 on a red sofa. \udfff",
    "escape sequence": "\x1b[2J\x1b[31mTwo cats on a red sofa.\x07",
    "emoji": "\U0001f63a two cats \U0001f469\u200d\U0001f469\u200d\U0001f467 on a sofa \u2764\ufe0f",
    "emoji alone": "\U0001f63a\U0001f3fd",
    "Hangul": "고양이 두 마리가 빨간 소파 위에 있다.",
    "decomposed Hangul": unicodedata.normalize("NFD", "고양이 두 마리가 빨간 소파 위에 있다."),
    "right to left": "\u200f\u05e9\u05e0\u05d9\u200e \u202e\u0642\u0637\u0629\u202c \u2067x\u2069",
    "marks of direction alone": "\u200f\u202e\u2066",
    "separator of METEOR": "two ||| cats |||",
    "punctuation alone": "?! ... -- ()",
    "formula": "=cmd|'/c calc'!A1",
    "quotes": '"Two" cats, """on""" a \'red\' sofa\\"',
    "JSON": '"}]} {"image_id": "1", "caption": "cats"}',
}
MEGABYTE = 1_000_000
BIG = {
    "1 MB of distinct words": " ".join(f"word{number:05x}" for number in range(100_001)),
    "1 MB of one word": "cat " * (MEGABYTE // 4),
    "1 MB without a space": "a" * MEGABYTE,
    "1 MB of full stops": "." * MEGABYTE,
    "1 MB of initials": "a." * (MEGABYTE // 2),
}
COMMON = ("1 MB of distinct words", "1 MB without a space")
SOAK = pytest.mark.soak

ODD = "odd"
IDS = ("1", ODD, "3", "4")
CANDIDATES = ["A dog runs on grass.", PLAIN, "A man rides a wave.", "Fresh fruit at a market."]
REFERENCES = [
    ["A dog is running on the grass.", "A brown dog."],
    ["Two cats sleep on a red sofa.", "Cats on a couch."],
    ["A surfer rides a big wave.", "A man in the sea."],
    ["A woman sells fresh fruit at the market.", "Fruit."],
]
AT = IDS.index(ODD)
PRODUCT = {("rouge_l", "python")}
"""Metric and core whose time grows with the product of the lengths of candidate and reference, 2e7 pairs a second."""
TOO_SLOW = {"spice": "starts Java for every corpus; its own tests give it odd captions"}


@pytest.fixture(params=["native", "python"])
def core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "native" and _core._compiled() is None:
        pytest.skip("this installation has no native core")
    monkeypatch.setenv(_core.VARIABLE, request.param)
    return str(request.param)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    from PIL import Image

    random, folder = np.random.default_rng(3), tmp_path_factory.mktemp("images")
    found = {name: folder / f"{name}.png" for name in IDS}
    for file in found.values():
        Image.fromarray(random.integers(0, 256, (20, 30, 3), np.uint8)).save(file)
    return found


class Scorer:
    """One metric with what it learnt of ``REFERENCES``, as a scoring card holds it."""

    def __init__(self, make: Callable[[], Metric], images: dict[str, Path], core: str) -> None:
        self.images = images
        self.core = core
        self.metric = make()
        self.prepared = make()
        card = self.corpus(CANDIDATES, REFERENCES)
        self.prepared.prepare(card)
        if self.metric.learns():
            self.metric.restore(self.prepared.learnt())
        else:
            self.metric.prepare(card)

    def corpus(
        self, candidates: Sequence[str], references: Sequence[Sequence[str]], ids: Sequence[str] = IDS
    ) -> Corpus:
        return Corpus(candidates, references, TOKENIZERS.load("ptb")(), image_ids=ids, images=self.images)

    def statistics(self, candidates: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
        return self.metric.corpus_statistics(self.corpus(candidates, references))

    def odd_candidate(self, caption: str) -> np.ndarray:
        return self.statistics([*CANDIDATES[:AT], caption, *CANDIDATES[AT + 1 :]], REFERENCES)

    def odd_references(self, captions: Sequence[str], candidate: str = PLAIN) -> np.ndarray:
        candidates = [*CANDIDATES[:AT], candidate, *CANDIDATES[AT + 1 :]]
        return self.statistics(candidates, [*REFERENCES[:AT], captions, *REFERENCES[AT + 1 :]])

    def only(self, candidate: str, references: Sequence[str]) -> np.ndarray:
        """Return the scores of the one image, as a card gives them."""
        found = self.metric.corpus_statistics(self.corpus([candidate], [references], [ODD]))
        return self.metric.from_statistics(found[0])

    def check(self, table: np.ndarray, plain: np.ndarray) -> None:
        """Check that rows are numbers, scores in range, and those of other images what they were, to the last bit."""
        assert np.isfinite(table).all()
        low, high = self.metric.score_range
        scores = self.metric.from_statistics(np.stack([table[AT], table.sum(axis=0)]))
        assert ((scores >= low) & (scores <= high + 1e-9)).all()
        others = [index for index in range(len(IDS)) if index != AT]
        np.testing.assert_array_equal(table[others], plain[others])


@pytest.fixture(params=METRICS.names())
def scorer(request: pytest.FixtureRequest, core: str, images: dict[str, Path]) -> Scorer:
    name = request.param
    if name in TOO_SLOW:
        pytest.skip(f"{name}: {TOO_SLOW[name]}")
    make: Any = METRICS.load(name)
    if not make.is_available():
        pytest.skip(f"{name}: what it needs is not installed")
    if name in ("clair", "fleur", "clipscore") and core == "python":
        pytest.skip(f"{name}: has one core only")
    if name == "clipscore":
        # One at a time: in larger batches the last digits hang on the neighbours.
        make = partial(make, str(request.getfixturevalue("tiny_clip")), batch_size=1)
    if name in ("clair", "fleur"):
        make = partial(make, "stub", options=request.getfixturevalue("stub_judge").options)
    try:
        return Scorer(make, images, core)
    except (MissingDependencyError, BackendError) as error:
        pytest.skip(f"{name}: {error}")


def test_an_odd_candidate_has_a_score_and_changes_no_other_images(scorer: Scorer):
    plain = scorer.odd_candidate(PLAIN)
    for caption in CAPTIONS.values():
        scorer.check(scorer.odd_candidate(caption), plain)


def test_an_odd_reference_has_a_score_and_changes_no_other_images(scorer: Scorer):
    plain = scorer.odd_candidate(PLAIN)
    for caption in CAPTIONS.values():
        scorer.check(scorer.odd_references([caption]), plain)
        scorer.check(scorer.odd_references(["Cats on a couch.", caption]), plain)
        scorer.check(scorer.odd_references([caption], candidate=caption), plain)


def test_a_separator_between_words_is_a_space(scorer: Scorer):
    if scorer.metric.name in ("clair", "clipscore", "fleur"):
        pytest.skip(f"{scorer.metric.name} reads the caption as it stands")
    plain = scorer.odd_candidate(PLAIN)
    for name, caption in BETWEEN_WORDS.items():
        np.testing.assert_array_equal(scorer.odd_candidate(caption), plain, name)


@pytest.mark.parametrize("kind", [pytest.param(k, marks=pytest.mark.slow if k in COMMON else SOAK) for k in BIG])
def test_a_caption_of_a_megabyte_has_a_score_and_changes_no_other_images(scorer: Scorer, kind: str):
    plain = scorer.odd_candidate(PLAIN)
    scorer.check(scorer.odd_candidate(BIG[kind]), plain)
    scorer.check(scorer.odd_references([BIG[kind]]), plain)
    if (scorer.metric.name, scorer.core) not in PRODUCT:
        scorer.check(scorer.odd_references([BIG[kind]], candidate=BIG[kind]), plain)


@SOAK
@pytest.mark.parametrize("kind", BIG)
def test_work_grows_no_faster_than_the_caption(scorer: Scorer, kind: str):
    """Calls of functions are counted, which no busy machine changes; loops inside compiled code are not seen."""
    calls = []
    for part in (MEGABYTE // 128, MEGABYTE // 64):
        caption = BIG[kind][:part]
        scorer.odd_candidate(caption[:1000])  # what is loaded and remembered once
        calls.append(_calls(lambda text=caption: scorer.odd_references([text], candidate=text)))
    assert calls[1] <= 2.2 * calls[0] + 1000, calls


def _calls(work: Callable[[], object]) -> int:
    """Return how many functions ``work`` calls, built-in ones included."""
    n_calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal n_calls
        n_calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return n_calls


# Of an image with the candidate and the references: nothing against words, words against nothing, nothing against
# nothing. A stranger's metric need only have a score.
EMPTY = {
    "bleu": (0, 0, 0),
    "chrf": (0, 0, 0),
    "cider": (0, 0, 0),
    "cider_d": (0, 0, 0),
    "clair": (0, 0, 0),
    "fleur": (0, None, 0),
    "length": (0, 6, 0),
    "meteor": (0, 0, 0),
    "rouge_l": (0, 0, 1),
    "scene_graph": (0, 0, 1),
}


@pytest.mark.parametrize("nothing", ["", " \t\n", "\u2028\x85"], ids=["empty", "white space", "separators"])
def test_what_an_empty_caption_scores(scorer: Scorer, nothing: str):
    cases = (nothing, [PLAIN]), (PLAIN, [nothing]), (nothing, [nothing])
    expected = EMPTY.get(scorer.metric.name, (None,) * 3)
    for (candidate, references), score in zip(cases, expected, strict=True):
        found = scorer.only(candidate, references)
        assert np.isfinite(found).all()
        if score is not None:  # BLEU's constants of 1e-15 and 1e-9 leave a trace
            np.testing.assert_allclose(found, score, rtol=0, atol=1e-15)


def test_a_candidate_that_is_its_reference_scores_best_where_it_says_anything(scorer: Scorer):
    metric = scorer.metric
    if not metric.is_quality or metric.needs_images:
        pytest.skip(f"{metric.name} does not measure how close the candidate is to its references")
    best = metric.score_range[1] if metric.higher_is_better else metric.score_range[0]
    np.testing.assert_allclose(scorer.only(REFERENCES[AT][0], REFERENCES[AT][:1]), best, rtol=1e-8)


def test_one_image_has_a_score_with_a_card_and_without_one_unless_the_metric_learns(scorer: Scorer):
    scores = scorer.only(PLAIN, REFERENCES[AT])
    np.testing.assert_array_equal(scores, scorer.metric.from_statistics(scorer.odd_candidate(PLAIN)[AT]))
    corpus = scorer.corpus([PLAIN], [REFERENCES[AT]], [ODD])
    if scorer.metric.learns():
        with pytest.raises(MetricUndefinedError, match="one image"):
            scorer.prepared.prepare(corpus)
    else:
        scorer.prepared.prepare(corpus)
        table = scorer.prepared.corpus_statistics(corpus)
        np.testing.assert_array_equal(scorer.prepared.from_statistics(table[0]), scores)


def test_an_image_without_references_is_refused(scorer: Scorer):
    with pytest.raises(UsageError, match=r"Image number 2 has no reference; every image needs at least one\."):
        scorer.odd_references([])


# Files


def write_coco(path: Path, captions: Sequence[tuple[str, str]]) -> None:
    annotations = [{"id": place, "image_id": key, "caption": text} for place, (key, text) in enumerate(captions)]
    listed = [{"id": key, "file_name": f"{key}.jpg"} for key in dict(captions)]
    path.write_text(json.dumps({"images": listed, "annotations": annotations}))


def write_list(path: Path, captions: Sequence[tuple[str, str]]) -> None:
    path.write_text(json.dumps([{"image_id": key, "caption": text} for key, text in captions], indent=1))


def write_jsonl(path: Path, captions: Sequence[tuple[str, str]]) -> None:
    """As text that is not escaped: separators that JSON allows and lone surrogates stand in the file as they are."""
    lines = [json.dumps({"image_id": key, "caption": text}, ensure_ascii=False) for key, text in captions]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))


def write_csv(path: Path, captions: Sequence[tuple[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
        writer = csv.writer(file)
        writer.writerow(["image_id", "caption"])
        writer.writerows(captions)


WRITERS = {"coco.json": write_coco, "list.json": write_list, "jsonl": write_jsonl, "csv": write_csv}
ODD_IDS = [
    "007",
    "7",
    " 7",
    "가",
    unicodedata.normalize("NFD", "가"),
    "\u200fא",
    "a\0b",
    "\ud800",
    "x" * 100_000,
    "a\nb",
]


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    """Write pairs of id and caption as one format; return the file."""

    def write_as(captions: Sequence[tuple[str, str]], name: str = "captions") -> Path:
        path = tmp_path / f"{name}.{request.param}"
        WRITERS[request.param](path, captions)
        return path

    return write_as


def test_every_caption_and_id_comes_back_from_a_file_as_it_was(write: Callable[..., Path]):
    captions = {name: text for name, text in {**CAPTIONS, **BIG}.items() if text.strip()}
    captions |= {name: f"{number} dogs" for number, name in enumerate(ODD_IDS)}
    path = write(list(captions.items()))
    assert read_candidates(path).captions == captions
    assert read_references(path).captions == {name: (text,) for name, text in captions.items()}


@pytest.mark.parametrize("odd", CAPTIONS)
def test_an_odd_caption_in_a_file_has_scores_and_changes_no_other_images(
    firstsight: Callable[..., Any], write: Callable[..., Path], tmp_path: Path, core: str, odd: str
):
    references = write(
        [(name, text) for name, group in zip(IDS, REFERENCES, strict=True) for text in group], "references"
    )
    assert firstsight("card", "build", references, "-o", tmp_path / "card").exit_code == 0
    found = {}
    for name, caption in {"plain": PLAIN, "odd": CAPTIONS[odd]}.items():
        captions = {**dict(zip(IDS, CANDIDATES, strict=True)), ODD: caption}
        done = firstsight(
            "evaluate", write(list(captions.items()), name), "--references", references, "--card", tmp_path / "card",
            "--resamples", "5", "--per-image", tmp_path / f"each-{name}.csv",
        )  # fmt: skip
        assert done.exit_code == 0, done.stderr
        with (tmp_path / f"each-{name}.csv").open(newline="", encoding="utf-8") as file:
            found[name] = {row["image_id"]: row for row in csv.DictReader(file)}
    assert list(found["odd"]) == list(IDS)
    del found["odd"][ODD], found["plain"][ODD]
    assert found["odd"] == found["plain"]


def test_an_id_that_stands_twice(write: Callable[..., Path]):
    path = write([("1", "a dog"), ("2", "a cat"), ("1", "a bird")])
    with pytest.raises(CaptionFileError, match=r"1 image id stands more than once among the candidates: '1' at .*, .*"):
        read_candidates(path)
    assert read_references(path).captions == {"1": ("a dog", "a bird"), "2": ("a cat",)}


def test_an_id_that_one_side_has_not(write: Callable[..., Path]):
    references = write([(name, group[0]) for name, group in zip(IDS, REFERENCES, strict=True)], "references")
    candidates = write([*zip(IDS[1:], CANDIDATES[1:], strict=True), ("5", "A bird.")])
    with pytest.raises(CaptionFileError, match=r"1 of 4 images has no candidate: '1' \(.*references.*\)"):
        evaluate_files(candidates, references)
    options = {rule: EvaluationOptions(missing=rule, n_resamples=0) for rule in ("skip", "empty")}
    skipped, empty = (evaluate_files(candidates, references, options=options[rule]) for rule in options)
    assert skipped.image_ids == IDS[1:]
    assert empty.image_ids == IDS
    assert empty.per_image["ROUGE-L"][0] == 0
    for evaluation, done in ((skipped, "was left out"), (empty, "was scored as a caption without words")):
        assert evaluation.notes == (
            f"1 of 4 images has no candidate and {done}: '1'.",
            "1 candidate has no references and was left out: '5'.",
        )


@pytest.mark.parametrize("text", ["", " \u2028"], ids=["empty", "white space"])
def test_references_without_a_word_are_refused_in_a_file_unless_others_have_some(write: Callable[..., Path], text: str):
    path = write([("1", "a dog"), ("2", text)])
    with pytest.raises(CaptionFileError, match=r"1 of 2 images have no reference caption: '2' \("):
        read_references(path)
    assert read_references(write([("1", text), ("1", "a dog")])).captions == {"1": (text, "a dog")}


@pytest.mark.parametrize("role", [read_candidates, read_references])
def test_a_record_without_an_id_is_refused(write: Callable[..., Path], role: Callable[[Path], object]):
    with pytest.raises(CaptionFileError, match=r"'image_id' is empty; every r.* needs the id of its image"):
        role(write([("1", "a dog"), ("", "a cat")]))


def test_an_empty_list_of_captions(tmp_path: Path):
    path = tmp_path / "captions.jsonl"
    path.write_text('{"image_id": "1", "captions": ["a dog"]}\n{"image_id": "2", "captions": []}\n')
    assert read_candidates(path).failures == {"2": "an empty list of captions"}
    with pytest.raises(CaptionFileError, match=r"1 of 2 images have no reference caption: '2' \(line 2\)"):
        read_references(path)


@pytest.mark.parametrize("char", [char for char in SEPARATORS.values() if char < " "], ids=ascii)
@pytest.mark.parametrize("form", ["jsonl", "list.json"])
def test_a_control_character_that_json_must_escape_is_an_error_with_its_place(tmp_path: Path, form: str, char: str):
    path = tmp_path / form
    record = f'{{"image_id": "1", "caption": "two{char}cats"}}'
    path.write_bytes((record if form == "jsonl" else f"[{record}]").encode())
    if form == "jsonl" and char == "\n":
        message = r"line 1, column 30: not valid JSON: Unterminated string"
    else:
        message = (
            rf"line 1, column \d+: not valid JSON: a .* wants written as {re.escape(json.dumps(char)[1:-1])} stands"
        )
    with pytest.raises(CaptionFileError, match=message):
        read_candidates(path)


# The evaluation as a whole


@pytest.mark.parametrize("name", ["korean", "ptb", "words"])
def test_decomposed_text_is_the_same_text_but_for_the_original_tokenizer(name: str):
    try:
        tokenizer = TOKENIZERS.load(name)()
    except MissingDependencyError as error:
        pytest.skip(str(error))
    is_same = tokenizer.tokenize(CAPTIONS["Hangul"]) == tokenizer.tokenize(CAPTIONS["decomposed Hangul"])
    assert is_same == (name != "ptb")


def test_one_image_from_python():
    """Metrics that weigh words by the corpus say why they have none; nothing has an interval."""
    references = dict(zip(IDS, REFERENCES, strict=True))
    alone = {
        "candidates": {ODD: PLAIN},
        "references": {ODD: references[ODD]},
        "metrics": ["bleu", "rouge_l", "cider_d"],
    }
    *others, cider_d = evaluate(**alone).scores
    assert cider_d.value is None
    assert "the corpus has one image only" in str(cider_d.reason)
    assert all(score.value is not None and score.low is None for score in others)
    card = build_card(references, metrics=["cider_d"])
    whole = evaluate(
        dict(zip(IDS, CANDIDATES, strict=True)), references, metrics=["cider_d"], options=EvaluationOptions(card=card)
    )
    value = evaluate(**alone, options=EvaluationOptions(card=card)).score("CIDEr-D").value
    assert value == whole.per_image["CIDEr-D"][AT] > 0


def test_images_that_all_have_one_caption_say_nothing_rare():
    """Every n-gram is in the references of every image, so that its weight ln(N / N) is 0."""
    same = dict.fromkeys(IDS, PLAIN)
    result = evaluate(same, {name: [text] for name, text in same.items()}, options=EvaluationOptions(n_resamples=0))
    assert result.score("CIDEr-D").value == 0
    assert result.score("ROUGE-L").value == 1
    assert result.score("BLEU-4").value == pytest.approx(1, rel=1e-8)


def test_references_that_are_no_list_of_texts_are_refused_in_python():
    for wrong, message in (
        ({"1": []}, "empty list of references; give each at least one"),
        ({"1": "a dog"}, "must be a list of texts"),
        ({"1": [None]}, "must be a list of texts"),
    ):
        with pytest.raises(UsageError, match=message):
            evaluate({"1": "a dog"}, wrong)


def test_the_page_names_every_case(repo_root: Path):
    page = (repo_root / "docs" / "reference" / "odd-input.md").read_text(encoding="utf-8").lower()
    assert [name for name in (*CAPTIONS, *BIG) if name.lower() not in page] == []
