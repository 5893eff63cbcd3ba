"""Untrusted text made visible: no caption, name or id can move a cursor, forge a line or turn the reading direction."""

from __future__ import annotations

import unicodedata

__all__ = ["visible", "visible_name"]

_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Characters that reorder or hide text (Unicode Standard Annex 9, "Trojan Source"); joiners stay, words need them.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def visible(text: str) -> str:
    r"""Return ``text`` for a person to read, on one line, with each odd character as a visible escape.

    Control characters (ANSI escapes, newlines, NUL), line and paragraph separators, lone surrogates and characters that
    turn the direction of text are escaped as Python writes them; everything else, Hangul and emoji too, stays. The
    result can always be written as UTF-8.

    Example:
        >>> print(visible("a\x1b[31mred\nphoto"))
        a\x1b[31mred\nphoto
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if char in _DIRECTIONS or _is_control(char) else char for char in text)


def visible_name(name: str) -> str:
    r"""Return a file name as an id or a field of a line: exact, but for what no line can hold, such as ``\n``.

    Bytes of the name that are not UTF-8 (lone surrogates in Python) are written as ``\xff``. Marks of direction stay,
    because names in Arabic and Hebrew have them and the id must be the one that the references have.

    Example:
        >>> print(visible_name("two\nlines \udcff"))
        two\nlines \xff
    """
    if name.isascii() and name.isprintable():
        return name
    return "".join(_escaped_byte(char) if _is_control(char) else char for char in name)


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in _CONTROLS


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def _escaped_byte(char: str) -> str:
    return f"\\x{ord(char) - 0xDC00:02x}" if "\udc80" <= char <= "\udcff" else _escaped(char)
