"""The rules of the PTB tokenizer: what may be one token, as regular expressions.

At each place of a caption the rule that matches the longest text wins, and of two equally long ones the earlier rule.
The first group of a rule is the token; what the pattern consumes after it counts for the length only (it is context).
Quantifiers are possessive (``++``) or bounded wherever a long caption could otherwise make a rule look far ahead again
and again, so that the work stays proportional to the length of the caption.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from firstsight.tokenizers import _ptb_characters as characters

__all__ = ["RULES", "Rule"]


class Rule(NamedTuple):
    """One kind of token."""

    pattern: re.Pattern[str]
    starts: str
    """Kinds of the first character: ``l`` letter, ``d`` digit, ``o`` any other."""
    needs: str = ""
    """Text without which the caption cannot have this token."""
    normalise: Callable[[str], str] | None = None


LETTER = "A-Za-z" + characters.character_class(characters.LETTERS)
DIGIT = "0-9" + characters.character_class(characters.DIGITS)
IN_WORD = LETTER + characters.character_class(characters.MARKS) + "\u00ad"
ALNUM = LETTER + DIGIT
APOSTROPHE = "'\u2019\u0092"
HYPHEN = "-\u058a\u2010\u2011"
SPACE = r"\s\x00-\x20\u00a0"

WORD_PART = f"[{IN_WORD}][{IN_WORD}{DIGIT}]*+"
WORD = rf"{WORD_PART}(?:[.!?]{WORD_PART})*+"
# A letter written as an entity, as in caf&eacute;.
ENTITY_LETTER = "&[aeiouAEIOU](?:acute|grave|uml);"
WORD_WITH_ENTITY = f"(?:[{IN_WORD}]|{ENTITY_LETTER})(?:[{IN_WORD}{DIGIT}]|{ENTITY_LETTER})*+"
# Part of a hyphenated word: mother, 3, o'clock.
PART = f"(?:[dolDOL][{APOSTROPHE}][{ALNUM}][{ALNUM}]++|[{ALNUM}]++)"
HYPHENATED = f"{PART}(?:[{HYPHEN}_]{PART})*+"
NUMBER = f"(?:[{DIGIT}]*+(?:[.,:\u00ad\u066b\u066c][{DIGIT}]+)++|[{DIGIT}]++)"
SLASH_PART = "[A-Za-z0-9]++(?:-[A-Za-z]++){0,2}"
URL_TAIL = r"""[^\s"<>|()]+[^\s"<>|.!?(){},-]"""
# The host of an address without www: no digit, capital, hyphen or underscore.
HOST_CHARACTER = rf"""[^{SPACE}"'<>|!(){{}}$`,-_]"""

ABBREVIATIONS = """
adj adm adv al ala alex apr ariz assn assoc asst atty attys aug ave bhd bldg blvd brig bros calif capt cf cie cmdr co
col colo comdr conn corp cos cpl ct dak dec dept det dr drs elec ens esq est etc ext feb fla fri ft ga gen gov govs hon
inc ind insp intl invt jan jos jr jul jun kan kans ky lieut lt ltd maj mar md messrs mich minn mlle mme mo mon mont mr
mrs ms msgr mt natl neb nev nov oct okla penn pfc ph plc pres prof pvt rd rep reps rev rt sen sens sep sept seq sfc sgt
spc sq sr st ste supt sys tel tenn thu thurs treas tue tues univ va vs vt wed wis wisc wm wyo
""".split()
# Also words, so only with a capital.
STATES = "Ark ARK Az AZ Del DEL Ill ILL La LA Mass MASS Miss MISS Ore ORE Pa PA Tex TEX Wash WASH".split()
COMPANIES = "mfg mtg ppte ppty pte ptes pty ptys".split()
BEFORE_NUMBER = "art ca fig figs no nos op pp prop".split()


def _one_of(words: list[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


def _no_break(token: str) -> str:
    return token.replace(" ", "\u00a0").replace("(", "-LRB-").replace(")", "-RRB-")


def _brackets(token: str) -> str:
    return token.replace("(", "-LRB-").replace(")", "-RRB-")


def _plain_ampersand(token: str) -> str:
    return re.sub("&amp;", "&", token, flags=re.IGNORECASE)


def _plain_apostrophe(token: str) -> str:
    return re.sub("[\u2019\u0092]", "'", token)


def _rule(
    pattern: str, starts: str = "ldo", needs: str = "", *, normalise: Callable[[str], str] | None = None, cased: bool = True
) -> Rule:
    return Rule(re.compile(pattern, 0 if cased else re.IGNORECASE), starts, needs, normalise)


NOT = "n['\u2019\u0092\u2018\u0091\u201b`]t"
AUXILIARY = f"(?:[{APOSTROPHE}]|&apos;)(?:[msdMSD]|re|ve|ll|RE|VE|LL|Re|Ve|Ll)(?![A-Za-z])"

RULES: list[Rule] = [
    # Contractions.
    _rule("(can)not(?![A-Za-z])", "l", cased=False),
    _rule("(gon|wan)na(?![A-Za-z])", "l", cased=False),
    _rule("(got)ta(?![A-Za-z])", "l", cased=False),
    _rule("(gim|lem)me(?![A-Za-z])", "l", cased=False),
    _rule(f"([{APOSTROPHE}]t)(?:is|was)(?![A-Za-z])", "o", cased=False),
    _rule(f"([{IN_WORD}][{IN_WORD}{DIGIT}]*?){NOT}", "l", "t", cased=False),
    _rule(f"({NOT})", "l", cased=False, normalise=_plain_apostrophe),
    _rule(f"({WORD}){AUXILIARY}", "l"),
    _rule(f"({AUXILIARY})", "o", normalise=lambda token: _plain_apostrophe(token.replace("&apos;", "'"))),
    # Words.
    _rule(f"({WORD})", "l"),
    _rule(f"({WORD_WITH_ENTITY})", "lo", "&"),
    _rule(f"({HYPHENATED})", "ld"),
    _rule("([A-Za-z0-9][A-Za-z0-9.,]{0,999}+(?:-[A-Za-z0-9]++)++)", "ld", "-"),
    _rule(rf"({WORD}\.)[,;:]", "l", "."),
    _rule(rf"({HYPHENATED}\.)[,;:]", "ld", "."),
    _rule(r"([A-Z]++(?:(?:[+&]|&(?:amp|AMP);)[A-Z]++)++)", "l", normalise=_plain_ampersand),
    _rule(rf"({SLASH_PART}(?:\\?/{SLASH_PART}){{1,2}})", "ld", "/"),
    _rule(r"([CF]#|C\+\+)", "l", cased=False),
    _rule(r"([A-Z]++\$)", "l", "$"),
    # Words with an apostrophe that are not cut.
    _rule(f"([A-HJ-XZn][{APOSTROPHE}][{LETTER}]{{2,}}+)", "l"),
    _rule(f"([{LETTER}]+[aeiou][{APOSTROPHE}][aeiou][A-Za-z]*+)", "l", cased=False),
    _rule(f"((?:ol|[dlj])[{APOSTROPHE}])", "l", cased=False),
    _rule(f"(y[{APOSTROPHE}])[A-Za-z]", "l", cased=False),
    _rule(f"((?:dunkin|somethin)[{APOSTROPHE}])", "l", cased=False),
    _rule(f"((?:li[{APOSTROPHE}]l|ev[{APOSTROPHE}]ry|nat[{APOSTROPHE}]l|n?e[{APOSTROPHE}]er|c[{APOSTROPHE}]est))", "l", cased=False),
    _rule(f"(s[{APOSTROPHE}]mores?)", "l", cased=False),
    _rule(rf"(cont[{APOSTROPHE}]d\.)", "l", cased=False),
    _rule(f"([{APOSTROPHE}](?:em|till?|cause))(?![A-Za-z])", "o", cased=False),
    _rule(f"([{APOSTROPHE}]n[{APOSTROPHE}]?)(?![A-Za-z.])", "o", cased=False),
    _rule(f"([{APOSTROPHE}]n[{APOSTROPHE}])", "o", cased=False),
    _rule(f"([{APOSTROPHE}][2-9]0s)", "o", cased=False),
    _rule(f"([{APOSTROPHE}][0-9][0-9])(?:[{SPACE}]|$)", "o"),
    # Abbreviations.
    _rule(r"((?:[A-Za-z]\.)++)", "l", "."),
    _rule(r"(ph\.d\.)", "l", ".", cased=False),
    _rule(rf"({_one_of(ABBREVIATIONS)}\.)", "l", ".", cased=False),
    _rule(rf"((?:{_one_of(STATES)}|(?-i:{_one_of(COMPANIES)}))\.)", "l", "."),
    _rule(rf"({_one_of(BEFORE_NUMBER)}\.)[{SPACE}]?[0-9]", "l", ".", cased=False),
    # Numbers.
    _rule(f"([-+]?{NUMBER})", "do"),
    _rule(r"([0-9]++\.x)(?![A-Za-z])", "d", ".", cased=False),
    _rule(rf"((?:[0-9]{{1,4}}[- \u00a0])?[0-9]{{1,4}}(?:\\?/|\u2044)[0-9]{{1,4}})", "d", normalise=_no_break),
    _rule(
        r"((?:\([0-9]{2,3}\)[ \u00a0]?|(?:\+\+?)?(?:[0-9]{2,4}[- \u00a0])?[0-9]{2,4}[- \u00a0])"
        r"[0-9]{3,4}[- \u00a0]?[0-9]{3,5})",
        "do",
        normalise=_no_break,
    ),
    _rule(r"((?:\+\+?)?(?:[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5})", "do"),
    # Addresses and mark-up.
    _rule(f"(https?://{URL_TAIL})", "l", "://", cased=False),
    _rule(
        rf"""(www\.(?:[^{SPACE}"`'<>|.!?(){{}},]{{1,250}}+\.){{1,50}}[a-z]{{2,4}}(?:/{URL_TAIL})?)""",
        "l",
        cased=False,
    ),
    _rule(rf"((?:{HOST_CHARACTER}{{1,250}}+\.){{1,50}}(?i:com|net|org|edu)(?:/{URL_TAIL})?)", "lo", "."),
    _rule(
        rf"""([A-Za-z0-9][^{SPACE}"<>|()]{{0,999}}@(?:[^{SPACE}"<>|().]{{1,250}}+\.){{0,50}}[^{SPACE}"<>|().]{{1,250}}+)""",
        "ld",
        "@",
    ),
    _rule(r"(@[A-Za-z_][A-Za-z0-9_]*+)", "o"),
    _rule(f"(#[{LETTER}]++)", "o"),
    _rule(r"(<[!?][A-Za-z-][^>]{0,999}+>)", "o", ">"),
    _rule(
        r"""(</?[A-Za-z][A-Za-z0-9.:@-]*+(?:\s++[A-Za-z][A-Za-z0-9.:-]*+(?:\s*=\s*(?:"[^"]{0,999}+"|'[^']{0,999}+'))?+)*+"""
        r"""\s*+/?\s*+>)""",
        "o",
        ">",
    ),
    # Faces.
    _rule(r"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])(?![A-Za-z0-9])", "o", normalise=_brackets),
    _rule(r"(:3)", "o"),
    _rule(r"([-^x=~<>']_[-^x=~<>'])", "lo"),
    _rule(r"(\([-^x=~<>'][_.]?[-^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\))", "o", normalise=_brackets),
    # Brackets that are written as the tokenizer itself writes them.
    _rule("(-(?:LRB|RRB|LCB|RCB|LSB|RSB)-)", "o", cased=False),
    # Runs of one mark.
    _rule(r"(\.{3,5}|\.[ \u00a0]\.[ \u00a0]\.)", "o", normalise=lambda _: "..."),
    _rule(r"(-----+)", "o"),
    _rule(r"(-{2,4})", "o", normalise=lambda _: "--"),
    _rule(r"([?!]++|\*++|#++|@++|_++|<<|>>|``|'')", "o"),
    _rule("(&#[0-9]++;)", "o", "&"),
]
