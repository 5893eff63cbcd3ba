"""Writes the pages of docs/ that come from the program itself: docs/reference/cli.md from the help of every verb."""

from __future__ import annotations

from pathlib import Path

import click

_ROOT = Path(__file__).resolve().parents[1]
_WIDTH = 80
_HEAD = """\
<!-- Written by `make docs`; do not edit. -->

# Command line

Data goes to standard output; progress and notes go to standard error, and are silent where that is no terminal or with
`--quiet`. `-` stands for standard input or output. Nothing is overwritten without `--overwrite`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed; one line on standard error says why ([errors](errors.md)) |
| 2 | the command line is wrong |
| 3 | finished, but some images failed |
| 130 | interrupted |
"""


def cli_page() -> str:
    """Return the page with the help of the program and of every verb."""
    from firstsight.cli.main import cli

    context = click.Context(cli, info_name="firstsight", terminal_width=_WIDTH, **cli.context_settings)
    parts = [_HEAD, _section("firstsight", cli.get_help(context))]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        verb = click.Context(command, info_name=name, parent=context, terminal_width=_WIDTH)
        parts.append(_section(f"firstsight {name}", command.get_help(verb)))
        for part, subcommand in command.commands.items() if isinstance(command, click.Group) else ():
            inner = click.Context(subcommand, info_name=part, parent=verb, terminal_width=_WIDTH)
            parts.append(_section(f"firstsight {name} {part}", subcommand.get_help(inner)))
    return "\n".join(parts)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{text}\n```\n"


if __name__ == "__main__":
    (_ROOT / "docs" / "reference" / "cli.md").write_text(cli_page(), encoding="utf-8")
