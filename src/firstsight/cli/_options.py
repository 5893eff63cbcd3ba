"""Options that several verbs share, so that they are spelt and explained alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

__all__ = ["format_option", "overwrite_option", "quiet_option", "resamples_option", "seed_option"]

F = TypeVar("F", bound=Callable[..., Any])


def quiet_option(function: F) -> F:
    """Add ``--quiet``, passed as ``quiet: bool``."""
    return click.option("--quiet", is_flag=True, help="No progress and no notes on stderr.")(function)


def overwrite_option(function: F) -> F:
    """Add ``--overwrite``, passed as ``overwrite: bool``."""
    return click.option("--overwrite", is_flag=True, help="Replace the output if it exists.")(function)


def resamples_option(text: str, least: int = 0) -> Callable[[F], F]:
    """Add ``--resamples``, passed as ``n_resamples: int``, ``least`` or more, 1,000 unless told; help: ``text``."""
    return click.option(
        "--resamples",
        "n_resamples",
        type=click.IntRange(min=least),
        default=1000,
        show_default=True,
        metavar="N",
        help=text,
    )


def seed_option(function: F) -> F:
    """Add ``--seed``, passed as ``seed: int``, 0 unless told."""
    option = click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        show_default=True,
        help="Seed of all that is random.",
    )
    return option(function)


def format_option(names: Sequence[str], default: str) -> Callable[[F], F]:
    """Add ``--format`` with the allowed ``names``, passed as ``format_name: str``."""
    return click.option(
        "--format",
        "format_name",
        type=click.Choice(names),
        default=default,
        show_default=True,
        help="Form of the output.",
    )
