"""``firstsight captioners``: what can caption here, what is missing, and under which terms."""

from __future__ import annotations

import itertools
import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import click

from firstsight._text import visible
from firstsight.cli._options import format_option
from firstsight.errors import FirstsightError

__all__ = ["captioners"]

_HEADER = ("NAME", "INSTALLED", "LICENCE", "DESCRIPTION")
_WIDTHS = (12, 20, 31, 31)  # with three gaps of two characters, 100


@dataclass(frozen=True)
class _Row:
    name: str
    is_installed: bool
    install: str | None
    """What to do before it can be used; None where it is installed."""
    licence: str | None
    description: str | None


@click.command(epilog="Example:  firstsight captioners --format json")
@format_option(["table", "json"], "table")
def captioners(format_name: str) -> None:
    """List the captioners with the licence of their weights.

    One that is not installed says what to install.
    """
    rows = _rows()
    if format_name == "json":
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    click.echo(_cells(_HEADER))
    for row in rows:
        installed = "yes" if row.is_installed else f"no: {row.install}"
        click.echo(_cells((row.name, installed, row.licence or "", row.description or "")))


def _rows() -> list[_Row]:
    from firstsight.captioners import CAPTIONERS

    rows = []
    for name in CAPTIONERS.names():
        try:
            captioner = CAPTIONERS.load(name)
        except (FirstsightError, ImportError, AttributeError) as error:
            rows.append(_Row(name, False, str(error), None, None))
        else:
            rows.append(_Row(name, True, None, captioner.licence, captioner.description))
    return rows


def _cells(texts: Sequence[str]) -> str:
    """Return one row of the table, each text wrapped within its column."""
    columns = [textwrap.wrap(visible(text), width) for text, width in zip(texts, _WIDTHS, strict=True)]
    lines = [
        "  ".join(f"{part:<{width}}" for part, width in zip(parts, _WIDTHS, strict=True)).rstrip()
        for parts in itertools.zip_longest(*columns, fillvalue="")
    ]
    return "\n".join(lines)
