"""Text of the report: two languages side by side, and untrusted text that cannot act."""

from __future__ import annotations

import unicodedata

from markupsafe import Markup, escape

__all__ = ["both", "breakable", "visible"]

_ESCAPED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Characters that reorder text (Unicode Standard Annex 9) and the byte order mark.
_ESCAPED_CHARACTERS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def visible(text: str) -> str:
    r"""Return ``text`` with each control character, lone surrogate and direction mark as a visible escape.

    The result can always be written as UTF-8 and reads in one direction; markup is left to the template's escaping.

    Example:
        >>> visible("one\x1b[31m two\u2028three")
        'one\\x1b[31m two\\u2028three'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def both(english: str, korean: str, /, **values: object) -> Markup:
    """Return both texts as HTML, of which the page shows one; ``values`` fill ``{name}`` in each, escaped.

    Example:
        >>> both("{n} photos", "사진 {n}장", n=3)
        Markup('<span class="en" lang="en">3 photos</span><span class="ko" lang="ko">사진 3장</span>')
    """
    shown = {name: _as_html(value) for name, value in values.items()}
    spans = (
        Markup('<span class="{0}" lang="{0}">{1}</span>').format(language, Markup(escape(text)).format(**shown))
        for language, text in (("en", english), ("ko", korean))
    )
    return Markup("").join(spans)


def breakable(signature: str) -> Markup:
    """Return a signature as HTML whose lines break between its fields rather than within them."""
    return Markup("|<wbr>").join(escape(field) for field in signature.split("|"))


def _as_html(value: object) -> Markup:
    if isinstance(value, str) and not isinstance(value, Markup):
        return escape(visible(value))
    return escape(value)


def _escaped(character: str) -> str:
    if unicodedata.category(character) in _ESCAPED_CATEGORIES or character in _ESCAPED_CHARACTERS:
        return character.encode("unicode_escape").decode("ascii")
    return character
