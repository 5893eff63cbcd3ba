"""The rules of the PTB tokenizer: what may be one token, as regular expressions.

At each place of a caption the rule that matches the longest text wins, and of two equally long ones the earlier rule.
The first group of a rule is the token; what the pattern consumes after it counts for the length only (it is context).
Quantifiers are possessive (``++``) or bounded wherever a long caption could otherwise make a rule look far ahead again
and again, so that the work stays proportional to the length of the caption.

Patterns are compiled when they are first tried: the tables of all letters make that slow. Captions that are ASCII
throughout, most of them, are cut by the same rules without those tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from firstsight.tokenizers import _ptb_characters as characters

__all__ = [
    "ALNUM",
    "ASCII_RULES",
    "DIGIT",
    "GAP",
    "IN_WORD",
    "KEEPS_PERIOD",
    "MAY_KEEP_PERIOD",
    "RULES",
    "SPACE",
    "Rule",
    "ascii_part",
    "plain_quotes",
]


@dataclass(frozen=True)
class Rule:
    """One kind of token."""

    pattern: str
    flags: int
    starts: str
    """Kinds of the first character: ``l`` letter, ``d`` digit, ``o`` any other."""
    needs: str = ""
    """Characters of which the caption must have one, else the rule is not tried."""
    normalise: Callable[[str], str] | None = None
    sentence: str = ""
    """What a sentence that ends here means: ``initials`` (A. or U.S.), ``ending`` (Inc.), or nothing."""
    keeps_soft_hyphen: bool = False

    @cached_property
    def match(self) -> Callable[[str, int], re.Match[str] | None]:
        """The function that matches the rule at a place of a text."""
        return re.compile(self.pattern, self.flags).match


_LETTERS, _DIGITS, _MARKS = map(characters.character_class, (characters.LETTERS, characters.DIGITS, characters.MARKS))


def ascii_part(pattern: str) -> str:
    """Return a pattern without the tables of characters beyond ASCII; on ASCII text it matches the same."""
    return pattern.replace(_LETTERS, "").replace(_DIGITS, "").replace(_MARKS, "")


LETTER = "A-Za-z" + _LETTERS
DIGIT = "0-9" + _DIGITS
IN_WORD = LETTER + _MARKS + "\u00ad"
ALNUM = LETTER + DIGIT
APOSTROPHE = "'\u2019\u0092"
ANY_APOSTROPHE = APOSTROPHE + "`\u2018\u201b\u0091"
HYPHEN = "-\u058a\u2010\u2011"
BREAK = " \\t\\n\\r\\x0b\\x0c\u2028\u2029"
GAP = BREAK + "\u00a0\u2000-\u200a\u3000"
SPACE = GAP + "\u0085"  # U+0085 is white space as context, an ellipsis as a token

WORD_PART = f"[{IN_WORD}][{IN_WORD}{DIGIT}]*+"
WORD = rf"{WORD_PART}(?:[.!?]{WORD_PART})*+"
# A letter written as an entity, as in caf&eacute;.
ENTITY_LETTER = "&[aeiouAEIOU](?:acute|grave|uml);"
WORD_WITH_ENTITY = f"(?:[{IN_WORD}]|{ENTITY_LETTER})(?:[{IN_WORD}{DIGIT}]|{ENTITY_LETTER})*+"
# Part of a hyphenated word: mother, 3, o'clock. A soft hyphen is inside only where no underscore is.
ELISION = f"[dolDOL][{ANY_APOSTROPHE}]"
PART = f"(?:{ELISION}[{ALNUM}][{ALNUM}]++|[{ALNUM}]++)"
HYPHENATED = f"{PART}(?:[{HYPHEN}_]{PART})*+"
SOFT_PART = f"(?:{ELISION}[{ALNUM}\u00ad][{ALNUM}\u00ad]++|[{ALNUM}\u00ad]++)"
SOFT_HYPHENATED = f"(?=[{ALNUM}]){SOFT_PART}(?:[{HYPHEN}]{SOFT_PART})++"
NUMBER = f"(?:[{DIGIT}]*+(?:[.,:\u00ad\u066b\u066c][{DIGIT}]+)++|[{DIGIT}]++)"
SLASH_PART = "[A-Za-z0-9]++(?:-[A-Za-z]++){0,2}"
URL_TAIL = rf"""[^{BREAK}"<>|(){{}}]+[^{BREAK}"<>|.!?(){{}},-]"""
MAIL_BREAK = rf"""{BREAK}\u00a0"<>|(){{}}"""
TAG_NAME = "[A-Za-z][A-Za-z0-9.:@_-]*+"
TAG_VALUE = """(?:"[^"]{0,999}+"|'[^']{0,999}+')"""
# The host of an address without www: no digit, capital, hyphen or underscore.
HOST_CHARACTER = rf"""[^{BREAK}"'<>|!(){{}}$`,-_]"""

# Abbreviations that stand before a name, so that a capital after them begins no sentence.
TITLES = (
    "adj|adm|adv|alex|assoc|asst|atty|attys|ave|brig|capt|cf|cie|cmdr|col|comdr|cpl|dept|det|dr|"
    "drs|elec|ens|ft|gen|gov|govs|hon|insp|invt|jos|lieut|lt|maj|messrs|mlle|mme|mr|mrs|ms|msgr|"
    "mt|natl|pfc|ph|pres|prof|pvt|rep|reps|rev|sen|sens|sfc|sgt|spc|st|ste|supt|treas|vs|wm"
)
# Abbreviations that may end a sentence: before a capital, or at the end, the period counts twice.
ENDINGS = (
    "al|ala|apr|ariz|assn|aug|bhd|bldg|blvd|bros|calif|co|colo|conn|corp|cos|ct|dak|dec|esq|est|"
    "etc|ext|feb|fla|fri|ga|inc|ind|intl|jan|jr|jul|jun|kan|kans|ky|ltd|mar|md|mich|minn|mo|"
    "mon|mont|neb|nev|nov|oct|okla|penn|plc|rd|rt|sep|sept|seq|sq|sr|sys|tel|tenn|thu|thurs|tue|"
    "tues|univ|va|vt|wed|wis|wisc|wyo"
)
# Also ordinary words or names, so only with a capital.
STATES = "Ark|ARK|Az|AZ|Del|DEL|Ill|ILL|La|LA|Mass|MASS|Miss|MISS|Ore|ORE|Pa|PA|Tex|TEX|Wash|WASH"
# Never all in capitals.
TRADE = "mfg|Mfg|mtg|Mtg"
COMPANIES = "ppte|Ppte|ppty|Ppty|pte|Pte|ptes|Ptes|pty|Pty|ptys|Ptys"
BEFORE_NUMBER = "art|ca|fig|figs|no|nos|op|pp|prop"

KEEPS_PERIOD = sorted({*TITLES.split("|"), *ENDINGS.split("|")})
"""Words that keep their period before anything but a letter or digit, in any letter case."""
MAY_KEEP_PERIOD = sorted({"ph", *f"{STATES}|{TRADE}|{COMPANIES}|{BEFORE_NUMBER}".lower().split("|")})
"""Words of which the rules must say whether they keep it."""


PRINTED_QUOTES = "`\u00ab\u00bb\u0091-\u0094\u2018\u2019\u201b-\u201d\u2039\u203a"
_PLAIN_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u0091\u2018\u201b\u2039", "`"),
        **dict.fromkeys("\u0092\u2019\u203a", "'"),
        **dict.fromkeys("\u0093\u201c\u00ab", "``"),
        **dict.fromkeys("\u0094\u201d\u00bb", "''"),
    }
)


def _brackets(token: str) -> str:
    return token.replace("(", "-LRB-").replace(")", "-RRB-")


def _no_break(token: str) -> str:
    return token.replace(" ", "\u00a0")


def _phone(token: str) -> str:
    return _brackets(_no_break(token))


def plain_quotes(text: str) -> str:
    """Return the text with printed quotes as the tokenizer writes them: `` '' ` '."""
    return text.translate(_PLAIN_QUOTES)


def _plain_ampersand(token: str) -> str:
    return re.sub("&amp;", "&", token, flags=re.IGNORECASE)


def _plain_apostrophe(token: str) -> str:
    return re.sub("[\u2019\u0092]|&apos;", "'", token)


def _rule(
    pattern: str,
    starts: str,
    needs: str = "",
    *,
    cased: bool = True,
    normalise: Callable[[str], str] | None = None,
    sentence: str = "",
    keeps_soft_hyphen: bool = False,
) -> Rule:
    flags = 0 if cased else re.IGNORECASE
    return Rule(pattern, flags, starts, needs, normalise, sentence, keeps_soft_hyphen)


NOT = f"n[{ANY_APOSTROPHE}]t"
AUXILIARY = "(?:[msdMSD]|[rR][eE]|[vV][eE]|[lL][lL])"

QUOTES = APOSTROPHE + "&"
ANY_QUOTES = ANY_APOSTROPHE + "&"

RULES: list[Rule] = [
    # Contractions.
    _rule("(can)not(?![A-Za-z])", "l", cased=False),
    _rule("(gon|wan)na(?![A-Za-z])", "l", cased=False),
    _rule("(got)ta(?![A-Za-z])", "l", cased=False),
    _rule("(gim|lem)me(?![A-Za-z])", "l", cased=False),
    _rule("('t)(?:is|was)(?![A-Za-z])", "o", QUOTES, cased=False),
    _rule(f"([A-Za-z\u00ad]*?[A-MO-Za-mo-z]\u00ad*){NOT}", "l", ANY_QUOTES, cased=False),
    _rule(f"({NOT})", "l", ANY_QUOTES, cased=False, normalise=_plain_apostrophe),
    _rule(f"({WORD})(?:[{APOSTROPHE}]|&apos;){AUXILIARY}", "l", QUOTES),
    _rule(f"((?:'|&apos;){AUXILIARY})(?:[^A-Za-z]|$)", "o", QUOTES, normalise=_plain_apostrophe),
    _rule(f"([\u2019\u0092]{AUXILIARY})", "o", QUOTES, normalise=_plain_apostrophe),
    # Abbreviations that win over a word of the same length with what follows them.
    _rule(r"(ph\.d\.)", "l", ".", cased=False, sentence="ending"),
    _rule(rf"((?:{ENDINGS})\.)(?:[^{LETTER}].?|.|$)", "l", ".", cased=False, sentence="ending"),
    _rule(rf"((?:{STATES}|{COMPANIES})\.)(?:[^{LETTER}].?|.|$)", "l", ".", sentence="ending"),
    # Words.
    _rule(f"({WORD})", "l"),
    _rule(f"({WORD_WITH_ENTITY})", "lo", "&"),
    _rule(f"({HYPHENATED})", "ld"),
    _rule(f"({SOFT_HYPHENATED})", "ld", "\u00ad"),
    _rule("([A-Za-z0-9][A-Za-z0-9.,]{0,999}+(?:-[A-Za-z0-9]++)++)", "ld", "-"),
    _rule(r"([A-Za-z0-9][A-Za-z0-9.,]{0,999}+(?:-[A-Za-z0-9]++)*-(?:[A-Za-z]\.){2,}+)", "ld", "-"),
    _rule(rf"({WORD}\.)[,;:]", "l", "."),
    _rule(rf"({HYPHENATED}\.)[,;:]", "ld", "."),
    _rule(r"([A-Z]++(?:(?:[+&]|&(?:amp|AMP);)[A-Z]++)++)", "l", "+&", normalise=_plain_ampersand),
    _rule(rf"({SLASH_PART}(?:\\?/{SLASH_PART}){{1,2}})", "ld", "/"),
    _rule(r"([CF]#|C\+\+)", "l", "#+", cased=False),
    _rule(r"([A-Z]++\$)", "l", "$"),
    # Words with an apostrophe that are not cut.
    _rule(f"([A-HJ-XZn][{ANY_APOSTROPHE}][{LETTER}]{{2,}}+)", "l", ANY_QUOTES),
    _rule(f"([{LETTER}]+[aeiouyAEIOUY][{ANY_APOSTROPHE}][aeiouA-Z][{LETTER}]*+)", "l", ANY_QUOTES),
    _rule(f"((?:ol|[dlj])[{APOSTROPHE}])", "l", QUOTES, cased=False),
    _rule(f"(y[{APOSTROPHE}])[aeiou]", "l", QUOTES, cased=False),
    _rule(f"((?:dunkin|somethin)[{APOSTROPHE}])", "l", QUOTES, cased=False),
    _rule(f"((?:li[{APOSTROPHE}]l|ev[{APOSTROPHE}]ry|nat[{APOSTROPHE}]l))(?![A-Za-z])", "l", QUOTES, cased=False),
    _rule(f"((?:n?e[{APOSTROPHE}]er|c[{APOSTROPHE}]est|s[{APOSTROPHE}]mores?))(?![A-Za-z])", "l", QUOTES, cased=False),
    _rule(rf"(cont[{APOSTROPHE}]d\.)", "l", QUOTES, cased=False),
    _rule(f"([{APOSTROPHE}](?:em|till?|cause))", "o", QUOTES, cased=False),
    _rule(f"([{APOSTROPHE}]n[{APOSTROPHE}]?)", "o", QUOTES, cased=False),
    _rule(f"([{APOSTROPHE}][2-9]0s)", "o", QUOTES, cased=False),
    _rule(f"([{APOSTROPHE}][0-9][0-9])(?:[{SPACE}]|$)", "o", QUOTES),
    # Abbreviations.
    _rule(r"((?:[A-Za-z]\.)++)", "l", ".", sentence="initials"),
    _rule(rf"((?:{TITLES})\.)", "l", ".", cased=False),
    _rule(rf"((?:{TRADE})\.)", "l", "."),
    _rule(rf"((?:{BEFORE_NUMBER})\.)[{SPACE}]?[0-9]", "l", ".", cased=False),
    # Numbers: 1,000.5 -3 1.x 2 1/2 (555) 123-4567 +12.345.6789
    _rule(f"([-+\u00ad]?{NUMBER})", "ldo"),
    _rule(rf"([{ALNUM}]++(?:\.[{ALNUM}]++)*\.x)(?:[.,!?{SPACE}]|$)", "ld", ".", cased=False),
    _rule(r"((?:[0-9]{1,4}[- \u00a0])?[0-9]{1,4}(?:\\?/|\u2044)[0-9]{1,4})", "d", "/\u2044", normalise=_no_break),
    _rule(
        r"((?:\([0-9]{2,3}\)[ \u00a0]?|(?:\+\+?)?(?:[0-9]{2,4}[- \u00a0])?[0-9]{2,4}[- \u00a0])"
        r"[0-9]{3,4}[- \u00a0]?[0-9]{3,5})",
        "do",
        normalise=_phone,
    ),
    _rule(r"((?:\+\+?)?(?:[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5})", "do", "."),
    # Addresses and mark-up.
    _rule(f"(https?://{URL_TAIL})", "l", ":", cased=False, keeps_soft_hyphen=True),
    _rule(
        rf"""(www\.(?:[^{BREAK}"<>|.!?(){{}},]{{1,250}}+\.){{1,50}}[a-z]{{2,4}}(?:/{URL_TAIL})?)""",
        "l",
        ".",
        cased=False,
        keeps_soft_hyphen=True,
    ),
    _rule(
        rf"((?:{HOST_CHARACTER}{{1,250}}+\.){{1,50}}(?i:com|net|org|edu)(?:/{URL_TAIL})?)",
        "lo",
        ".",
        keeps_soft_hyphen=True,
    ),
    _rule(
        rf"""((?:<|&lt;)?[A-Za-z0-9][^{MAIL_BREAK}]{{0,999}}@(?:[^{MAIL_BREAK}.]{{1,250}}+\.){{0,50}}[^{MAIL_BREAK}.]{{1,250}}+(?:>|&gt;)?)""",
        "ldo",
        "@",
        keeps_soft_hyphen=True,
    ),
    _rule(r"(@[A-Za-z_][A-Za-z0-9_]*+)", "o", "@"),
    _rule(f"(#[{LETTER}\u00ad]++)", "o", "#", keeps_soft_hyphen=True),
    _rule(r"(<[!?][A-Za-z-][^>]{0,999}+>)", "o", "<", normalise=_no_break),
    _rule(rf"(</?{TAG_NAME}(?: ++{TAG_NAME}(?: *+= *+{TAG_VALUE})?+)*+ *+/? *+>)", "o", "<", normalise=_no_break),
    # Faces: :-) ^_^ (^_^)
    _rule(r"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])(?![A-Za-z0-9])", "o", ":;=", normalise=_brackets),
    _rule(r"(:3)", "o", ":"),
    _rule(r"([-^x=~<>']_[-^x=~<>'])", "lo", "_"),
    _rule(r"(\([-^x=~<>'][_.]?[-^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\))", "o", "(", normalise=_brackets),
    # Brackets as the tokenizer itself writes them.
    _rule("(-(?:LRB|RRB|LCB|RCB|LSB|RSB)-)", "o", "-", cased=False),
    # Runs of one mark.
    _rule(r"(\.{3,5}|\.(?:[ \u00a0]\.){2,4})", "o", ".", normalise=lambda _: "..."),
    _rule(r"(-----+)", "o", "-"),
    _rule(r"(-{2,4})", "o", "-", normalise=lambda _: "--"),
    _rule(r"([?!]++|\*++|#++|@++|_++|<<|>>|``|'')", "o"),
    _rule(r"((?:\\\*)++)", "o", "\\"),
    _rule("(&#[0-9]++;)", "o", "&"),
    # Quotes: two printed ones make one token.
    _rule(f"([{PRINTED_QUOTES}]{{2}})", "o", normalise=plain_quotes),
    _rule(rf"(')[A-Za-z][^{BREAK}]", "o", normalise=lambda _: "`"),
]

ASCII_RULES = [replace(rule, pattern=ascii_part(rule.pattern)) for rule in RULES]
"""The same rules for captions that are ASCII throughout."""
