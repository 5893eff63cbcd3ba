"""Text for a terminal: nothing that an untrusted name or caption holds can move the cursor or forge a line."""

from __future__ import annotations

import sys
import unicodedata

import click

__all__ = ["note", "printable", "warning"]

_ESCAPED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Characters that reorder or hide text (Unicode Standard Annex 9, "Trojan Source"); joiners stay, words need them.
_ESCAPED_CHARACTERS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def printable(text: str) -> str:
    r"""Return ``text`` on one line, every control character as a visible escape.

    Control characters (ANSI escapes, newlines, NUL), line and paragraph separators, lone surrogates and characters that
    reverse the direction of text are escaped as Python writes them; everything else, Hangul and emoji too, stays.

    Example:
        >>> print(printable("a\x1b[31mred\nphoto"))
        a\x1b[31mred\nphoto
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def note(text: str, *, quiet: bool = False) -> None:
    """Print one line for a person on stderr; silent with ``quiet`` and where stderr is not a terminal."""
    if not quiet and sys.stderr.isatty():
        click.echo(f"firstsight: {printable(text)}", err=True)


def warning(text: str) -> None:
    """Print one line on stderr that changes how the result must be read; nothing silences it."""
    click.echo(f"firstsight: warning: {printable(text)}", err=True)


def _escaped(character: str) -> str:
    if unicodedata.category(character) in _ESCAPED_CATEGORIES or character in _ESCAPED_CHARACTERS:
        return character.encode("unicode_escape", "backslashreplace").decode("ascii")
    return character
