"""The fast way of the PTB tokenizer: the same tokens as the rules, for captions that it cuts itself and for others."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from firstsight import _core
from firstsight.tokenizers import TokenTable
from firstsight.tokenizers._ptb_rules import ASCII_RULES, KEEPS_PERIOD, MAY_KEEP_PERIOD, RULES
from firstsight.tokenizers.ptb import PtbTokenizer

TOKENIZER = PtbTokenizer()

# Many captions, so that they are shared among threads, with words that occur first anywhere.
MANY = [f"a dog {n % 977} runs, it's a{'b' * (n % 7)} (x{n}) <3 é"[: 8 + n % 40] for n in range(9_000)]


@pytest.fixture(autouse=True)
def _needs_the_native_core():
    if _core.native() is None:
        pytest.skip("needs the native core")


def rules_only(captions: Sequence[str]) -> TokenTable:
    return TokenTable.from_tokens(map(TOKENIZER.tokenize, captions))


def left_over(captions: list[str]) -> list[str]:
    """Return the captions of which the native core is not certain."""
    asked: list[str] = []

    def rules(texts: list[str]) -> list[list[str]]:
        asked.extend(texts)
        return [[] for _ in texts]

    core = _core.native()
    assert core is not None
    core.tokenize(captions, rules, core.Abbreviations(KEEPS_PERIOD, MAY_KEEP_PERIOD), 1)
    return asked


def assert_same(found: TokenTable, expected: TokenTable) -> None:
    assert found.words == expected.words
    assert found.ids.tolist() == expected.ids.tolist()
    assert found.offsets.tolist() == expected.offsets.tolist()
    assert (found.ids.dtype, found.offsets.dtype) == (expected.ids.dtype, expected.offsets.dtype)


# Each is a caption that the native core cuts itself.
CERTAIN = [
    "A man's dog, doesn't like cats (or 22 birds).",
    "cannot gonna, wanna. gotta! gimme? lemme; cannots gonna2 cannot's can't",
    "It's I'm we'd They're you've she'll 's don't n't dogs' 80's mother-in-law's",
    "o'clock d'art 'quoted' 'it 'round",
    "St. Mr. etc. Inc. (Jr.) u.s. T.V. p.m. plan b.",
    "foo.bar and.then.A etc.., in the end... .. . ??? !? -- - ---",
    "1,000.5 12:30 12:30pm 1.5 50% $5 #1 2nd 3-story f16 or 1/2 and/or / &",
    '"a photo" "bc." (c) <unk> x-ray t-shirt a--b',
    "two\nlines\n",
    "",
    " ",
]


@pytest.mark.parametrize("caption", CERTAIN)
def test_common_forms_are_cut_without_the_rules(caption: str):
    assert left_over([caption]) == []
    assert_same(TOKENIZER.table([caption]), rules_only([caption]))


# Each holds something of which only the rules know what it is: a mixed number, a phone number, an address, ...
UNCERTAIN = ["22 3/4", "12 345 6789", "555-1234 x", "(555) 123-4567", "a.com", "www.-.png", "me@x.org", "http://a.b"]
UNCERTAIN += [
    "<a b>",
    ":)",
    "(x)",
    "^_^",
    "-lrb-",
    "-----",
    "-5",
    ".5",
    "'em",
    "'tis",
    "'80s",
    "y'all",
    "li'l",
    "ol' x",
]
UNCERTAIN += ["K.", "A. b", "no. 7", "Ill. b", "etc.b", "6.x ", "a,b-c", "foo.b-c", "a-b.c.", "AT&T", "us$5", "c++"]
UNCERTAIN += ["a\x00b", "a\tb", "a\x7f", "caf\u00e9", "\ud800", "a\u00a0b", "&amp;", "`a`", "[a]", "a_b", "a\\b", "~a"]


@pytest.mark.parametrize("caption", UNCERTAIN)
def test_what_is_not_certain_is_left_to_the_rules(caption: str):
    assert left_over([caption]) == [caption]
    assert_same(TOKENIZER.table([caption, caption]), rules_only([caption, caption]))


@pytest.mark.parametrize("n_threads", ["1", "2", "3", "64"])
def test_the_table_does_not_depend_on_the_number_of_threads(n_threads: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
    assert 0 < len(left_over(MANY)) < len(MANY)
    assert_same(TOKENIZER.table(MANY), rules_only(MANY))


def test_no_captions_make_an_empty_table():
    assert_same(TOKENIZER.table([]), rules_only([]))
    assert_same(TOKENIZER.table(iter(["a"])), rules_only(["a"]))


def test_a_distinct_caption_is_given_to_the_rules_once(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    tokenize = PtbTokenizer.tokenize
    monkeypatch.setattr(
        PtbTokenizer, "tokenize", lambda self, caption: (asked.append(caption), tokenize(self, caption))[1]
    )
    PtbTokenizer().table(["22 3/4", "a dog", "22 3/4"])
    assert asked == ["22 3/4"]


def test_a_subclass_that_cuts_otherwise_is_asked():
    class Letters(PtbTokenizer):
        def tokenize(self, caption: str) -> list[str]:
            return list(caption)

    assert list(Letters().table(["ab"])) == [["a", "b"]]


@pytest.mark.parametrize("captions", [[None], ["a", b"a"], [["a"]]])
def test_what_is_no_text_is_refused(captions: list[str]):
    with pytest.raises(TypeError, match="must be a text"):
        TOKENIZER.table(captions)


@pytest.mark.parametrize(
    "piece", ["a", "a,", "a, ", "a.", "-", "a-", "a'", "1,", "1 ", ".", "'", "a b ", "aa.a", "(", "a/"]
)
def test_a_megabyte_of_any_form_is_cut_in_no_time(piece: str):
    """Work is in proportion to the length: a million characters would otherwise take minutes."""
    caption = piece * (1_000_000 // len(piece))
    short = piece * (3_000 // len(piece))
    assert bool(left_over([caption])) == bool(left_over([short]))
    assert_same(TOKENIZER.table([short]), rules_only([short]))


def test_rules_without_the_tables_cut_ascii_alike():
    assert [rule.starts for rule in ASCII_RULES] == [rule.starts for rule in RULES]
    for caption in (*CERTAIN, *filter(str.isascii, UNCERTAIN)):
        for ours, theirs in zip(ASCII_RULES, RULES, strict=True):
            spans = [
                [match and match.span() for match in (rule.match(caption, at) for at in range(len(caption)))]
                for rule in (ours, theirs)
            ]
            assert spans[0] == spans[1], ours.pattern


def captions_of(file: Path) -> list[str]:
    if file.suffix == ".gz":
        return [json.loads(line)[0] for line in gzip.open(file, "rt", encoding="utf-8")]
    content = json.loads(file.read_text(encoding="utf-8"))
    if isinstance(content, list):
        return [entry["text"] for entry in content]
    return [*content["hyps"], *(caption for group in content["refs"] for caption in group)]


@pytest.mark.parametrize(
    ("name", "least_share"),
    [
        ("T_tokenizer_torture.json", 0.0),
        ("A_fakecap1000.input.json", 0.999),
        ("B_lstm972.input.json", 0.999),
        pytest.param("K_blip2_5k.input.json", 0.999, marks=pytest.mark.slow),
        pytest.param("K_llava_brief_5k.input.json", 0.999, marks=pytest.mark.slow),
        pytest.param("C1_nice21377_ref1.input.json", 0.999, marks=pytest.mark.slow),
        pytest.param("C5_nice21377_ref5.input.json", 0.999, marks=pytest.mark.slow),
        pytest.param("T_tokenizer_coco.jsonl.gz", 0.999, marks=pytest.mark.slow),
        pytest.param("T_tokenizer_diverse.jsonl.gz", 0.85, marks=pytest.mark.slow),
    ],
)
def test_real_captions_come_out_as_the_rules_cut_them(shared: Path, name: str, least_share: float):
    captions = captions_of(shared / "golden" / name)
    assert len(left_over(captions)) <= (1 - least_share) * len(captions)
    known = {caption: TOKENIZER.tokenize(caption) for caption in dict.fromkeys(captions)}
    assert_same(TOKENIZER.table(captions), TokenTable.from_tokens(known[caption] for caption in captions))
