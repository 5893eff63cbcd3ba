"""The PTB tokenizer: each kind of token, and that no text makes it fail or slow.

Expected tokens are outputs of the original: stanford-corenlp-3.4.1.jar of pycocoevalcap 1.2, run as
``java -cp stanford-corenlp-3.4.1.jar edu.stanford.nlp.process.PTBTokenizer -preserveLines -lowerCase FILE``.
"""

from __future__ import annotations

import doctest
import re

import pytest

from firstsight.tokenizers import TOKENIZERS, Tokenizer, _ptb_characters, _ptb_rules, base, ptb
from firstsight.tokenizers.ptb import PUNCTUATION, PtbTokenizer

TOKENIZER = PtbTokenizer()


def all_tokens(caption: str) -> str:
    return " ".join(TOKENIZER.tokenize_with_punctuation(caption))


def test_it_is_registered_as_ptb():
    assert "ptb" in TOKENIZERS.names()
    assert TOKENIZERS.load("ptb") is PtbTokenizer
    assert (PtbTokenizer.name, PtbTokenizer.version) == ("ptb", "1")


@pytest.mark.parametrize("module", [base, ptb, _ptb_characters, _ptb_rules])
def test_examples_run(module: object):
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("don't can't won't isn't", "do n't ca n't wo n't is n't"),
        ("don`t don’t onn't café n't", "do n`t do n't onn ' t café n't"),
        ("it's we'll they're I'd've O'Brien's", "it 's we 'll they 're i 'd 've o'brien 's"),
        ("it’s hea’ds &apos;s", "it 's hea 'd s 's"),
        ("cannot gonna gotta lemme wanna-be cannot's", "can not gon na got ta lem me wanna-be cannot 's"),
        ("'tis ’tis 'em 'n' 'cause 'round", "'t is ' tis 'em 'n' 'cause ` round"),
        ("o'clock d'Art l'a y'all ma'am rock'n'roll", "o'clock d'art l' a y' all ma'am rock 'n' roll"),
        ("ab'cd Hawai'i La'Shawn La'shawn", "ab ` cd hawai'i la'shawn la ` shawn"),
        ("'80s '05 '1980s 80's", "'80s '05 ' 1980s 80 's"),
        ("mother-in-law re_use a_b-c foo_", "mother-in-law re_use a_b-c foo _"),
        ("a/b/c/d a-1/b x-o'brien non-U.S. a.b-c.d", "a/b/c / d a-1 / b x-o'brien non-u.s. a.b-c . d"),
        ("AT&T at&t A+B C++ c# G#", "at&t at & t a+b c++ c# g #"),
        ("foo.jpg IMG_1.JPG foo.bar-baz 6.x 6.x) v2.0", "foo.jpg img_1 . jpg foo.bar-baz 6.x 6 . x -rrb- v2 .0"),
    ],
)
def test_words(caption: str, expected: str):
    assert all_tokens(caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Mr. Ito met St. Louis Ave. approx. foo., bar", "mr. ito met st. louis ave. approx . foo. , bar"),
        ("Inc. b", "inc. b"),
        ("Inc. B", "inc. . b"),
        ("x Inc.", "x inc. ."),
        ("etc.b etc.bc etc.-K", "etc. b etc.bc etc. - k"),
        ("La. la. no. 7 no. a", "la. la . no. 7 no . a"),
        ("U.S. Army U.S. The a.m. Ph.D.", "u.s. army u.s. . the a.m. ph.d. ."),
        ("John F. Kennedy", "john f. kennedy"),
        ("plan B. The end", "plan b . the end"),
        ("plan B. Them", "plan b. them"),
        # Alone the original keeps the period here; among captions that begin with "A" or "The" it cuts it off.
        ("12th Ave S.", "12th ave s ."),
        ("K.", "k."),
        ('the letter "B."', "the letter `` b. ''"),
    ],
)
def test_abbreviations_and_initials(caption: str, expected: str):
    assert all_tokens(caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("1,000.5 -3 +1.5 1+1 1.5k 12:30pm", "1,000.5 -3 +1.5 1 +1 1.5 k 12:30 pm"),
        ("22 3/4 in", "22\u00a03/4 in"),
        ("1½ ½a 12345 5/6", "1 1/2 1/2 a 12345 5/6"),
        ("call (555) 123-4567 or 12 345 6789", "call -lrb-555-rrb-\u00a0123-4567 or 12\u00a0345\u00a06789"),
        ("US$5 $5 5$ €5 £5 ¥5 5¢ usd$", "us$ 5 $ 5 5 $ $ 5 # 5 ¥ 5 5 cents usd $"),
        ("12/25/2014 1-1/2 50%", "12/25/2014 1-1/2 50 %"),
    ],
)
def test_numbers(caption: str, expected: str):
    assert all_tokens(caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("http://a.b/c). https://a.b/c?d=e&f, http://a", "http://a.b/c -rrb- . https://a.b/c?d=e&f , http : / / a"),
        ("www.ab.cd/x. ab.com/xy ab.com/x ab.io/xy", "www.ab.cd / x. ab.com/xy ab.com / x ab.io / xy"),
        ("me@x.org. <me@x.org> (a@b)", "me@x.org . <me@x.org> -lrb- a@b -rrb-"),
        ("@user @1 #tag #1 ##", "@user @ 1 #tag # 1 ##"),
        (
            '<b> <a href="x y"> <a b=c> <é> <!-- a b -->',
            '<b> <a\u00a0href="x\u00a0y"> < a b = c > < é > <!--\u00a0a\u00a0b\u00a0-->',
        ),
        ("&amp; &lt; &quot; &copy; caf&eacute; &#38;", "& < '' & copy ; caf&eacute; &#38;"),
        (":) :-( =D :)a ^_^ (^_^) <3", ":-rrb- :--lrb- =d : -rrb- a ^_^ -lrb-^_^-rrb- < 3"),
    ],
)
def test_addresses_mark_up_and_faces(caption: str, expected: str):
    assert all_tokens(caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("(a) [b] {c} -LRB-", "-lrb- a -rrb- -lsb- b -rsb- -lcb- c -rcb- -lrb-"),
        ("\"a\" 'ab' “a” \u2018a\u2019 «a» ““", "`` a '' ` ab ' `` a '' ` a ' `` a '' ````"),
        ("a -- b --- c ----- d – e — f", "a -- b -- c ----- d -- e -- f"),
        ("... .. …. . . . ......", "... . . ... ... ..."),
        ("!? !! ?. ** __ << ,,", "!? !! ? . ** __ << , ,"),
        ("a\u00adb \u00ad #\u00ad", "ab - #\u00ad"),
        ("x² © ™ 25°C", "x ² © ™ 25 ° c"),
    ],
)
def test_punctuation(caption: str, expected: str):
    assert all_tokens(caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("İstanbul ΟΔΟΣ Straße", "i̇stanbul οδος straße"),
        ("고양이가 있다. 猫です。", "고양이가 있다 . 猫です 。"),
        ("a\U0001f600b x\ufffdy \ufb01n", "a b x y \ufb01n"),
        ("a\u0300b 1\u0300 \u0665\u0666", "a\u0300b 1 \u0300 \u0665\u0666"),
    ],
)
def test_beyond_ascii(caption: str, expected: str):
    assert all_tokens(caption) == expected


def test_punctuation_is_dropped_but_brackets_are_kept():
    assert TOKENIZER.tokenize("A \"dog\" (brown): it's here, isn't it; -- ... !! ?") == (
        ["a", "dog", "-lrb-", "brown", "-rrb-", "it", "'s", "here", "is", "n't", "it", "!!"]
    )
    assert len(PUNCTUATION) == 17


def test_a_line_feed_is_a_space():
    assert TOKENIZER.tokenize("a\nb\n\n c\n") == ["a", "b", "c"]
    assert TOKENIZER.tokenize("22\n3/4 in\n") == TOKENIZER.tokenize("22 3/4 in ") == ["22\u00a03/4", "in"]


@pytest.mark.parametrize("character", ["\r", "\v", "\f", "\u2028", "\u2029", "\x00", "\x1f", "\ud800"])
def test_odd_characters_separate_words_and_end_nothing(character: str):
    assert TOKENIZER.tokenize(f"a{character}b") == ["a", "b"]
    assert TOKENIZER.tokenize(character * 3) == []


def test_a_lone_surrogate_never_reaches_a_token():
    tokens = TOKENIZER.tokenize("http://a.b/\ud83dx me@\udc00b")
    assert not re.search("[\ud800-\udfff]", "".join(tokens))


@pytest.mark.parametrize("caption", ["", " ", "\t\n", "\u00a0", ".", "''", "\U0001f600"])
def test_a_caption_without_words_has_no_tokens(caption: str):
    assert TOKENIZER.tokenize(caption) == []


def test_many_captions_are_tokenized_one_by_one():
    assert list(TOKENIZER.table(["plan B.", "A dog"])) == [["plan", "b"], ["a", "dog"]]


def test_a_strangers_tokenizer_gets_the_form_for_many():
    class Split(Tokenizer):
        name, version = "split", "1"

        def tokenize(self, caption: str) -> list[str]:
            return caption.split()

    assert list(Split().table(iter(["a b", ""]))) == [["a", "b"], []]


# Each of these made some rule look far ahead, or back, from every place of the text.
NASTY = [
    "a",
    "a.",
    "a,",
    "a-",
    "a_",
    "a@",
    "a@.",
    "<a",
    "<!a",
    "&#1",
    "http://.",
    "www.a.",
    "'",
    "a'",
    "n't",
    "1,",
    "1 ",
]
NASTY += [
    "(555",
    "A+",
    "\\*",
    "\u00ad",
    "_-",
    "K. ",
    "Inc.",
    "&eacute;",
    '<a x="',
    "6.x",
    ".com",
    "\U0001f600",
    "\ud800",
    "가",
]


@pytest.mark.parametrize("piece", NASTY)
@pytest.mark.parametrize("end", ["", " end K.", "@", '"'])
def test_work_is_in_proportion_to_the_length(piece: str, end: str, monkeypatch: pytest.MonkeyPatch):
    """Count the places at which rules are tried: each is moved past, and none twice."""
    places: list[int] = []
    next_token = ptb._Scanner._next

    def counted(scanner: ptb._Scanner, position: int) -> tuple[list[str], int]:
        places.append(position)
        found = next_token(scanner, position)
        assert found[1] > position
        return found

    monkeypatch.setattr(ptb._Scanner, "_next", counted)
    caption = piece * (3_000 // len(piece)) + end
    TOKENIZER.tokenize(caption)
    assert len(places) <= len(caption)
    assert places == sorted(set(places))


@pytest.mark.parametrize("piece", ["a", "a,"])
def test_a_megabyte_is_tokenized(piece: str):
    caption = piece * (1_000_000 // len(piece))
    tokens = TOKENIZER.tokenize(caption)
    assert sum(map(len, tokens)) <= len(caption)


def test_a_rule_wins_by_length_then_by_order():
    patterns = [rule.pattern for rule in _ptb_rules.RULES]
    assert len(patterns) == len(set(patterns))
    assert all(set(rule.starts) <= set("ldo") and rule.starts for rule in _ptb_rules.RULES)
    assert all(rule.sentence in ("", "initials", "ending") for rule in _ptb_rules.RULES)
