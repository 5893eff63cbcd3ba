"""Lines for a person on stderr: nothing that an untrusted name holds can move the cursor or forge a line."""

from __future__ import annotations

import sys

import click

from firstsight._text import visible

__all__ = ["note", "warning"]


def note(text: str, *, quiet: bool = False) -> None:
    """Print one line for a person on stderr; silent with ``quiet`` and where stderr is not a terminal."""
    if not quiet and sys.stderr.isatty():
        click.echo(f"firstsight: {visible(text)}", err=True)


def warning(text: str) -> None:
    """Print one line on stderr that changes how the result must be read; nothing silences it."""
    click.echo(f"firstsight: warning: {visible(text)}", err=True)
