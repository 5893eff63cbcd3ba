"""The ``firstsight`` command: finds its verbs by entry point and turns every error into one line and an exit code."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import NoReturn

import click

from firstsight import __version__
from firstsight._text import visible
from firstsight.errors import FirstsightError, UnknownNameError, UsageError

__all__ = ["EXIT_FAILED", "EXIT_INTERRUPTED", "EXIT_SOME_FAILED", "EXIT_USAGE", "cli", "main"]

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_SOME_FAILED = 3
EXIT_INTERRUPTED = 130

_GROUP = "firstsight.commands"
_BROKEN_LIST = re.compile(r"([:,])\n\t")  # click writes the values that an argument may have one a line


class _LazyGroup(click.Group):
    """A group whose verbs are entry points, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_entries())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = _entries().get(cmd_name)
        if entry is None:
            return None
        try:
            command = entry.load()
        except (ImportError, AttributeError, FirstsightError) as error:
            return _unavailable(cmd_name, error)
        if not isinstance(command, click.Command):
            return _unavailable(cmd_name, TypeError(f"{entry.value} is not a click.Command"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _entries() and not name.startswith("-") and not ctx.resilient_parsing:
            raise UnknownNameError("verb", name, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example:  firstsight caption photos/ --format jsonl -o captions.jsonl",
)
@click.version_option(__version__, "--version", prog_name="firstsight", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> int:
    """Caption images that were never seen before, score captions, and show the result."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        return EXIT_USAGE
    return 0


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code.

    Args:
        args: The arguments after the program's name; those of the process unless given.
    """
    sys.exit(run(args))


def run(args: Sequence[str] | None = None) -> int:
    """Return the exit code of one command line: 0 done, 1 failed, 2 usage, 3 some images failed, 130 interrupted."""
    try:
        result = cli.main(None if args is None else list(args), prog_name="firstsight", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        _print_usage_error(error)
        return EXIT_USAGE
    except click.ClickException as error:
        _print_error(error.format_message())
        return error.exit_code
    except UsageError as error:
        _print_error(str(error))
        return EXIT_USAGE
    except FirstsightError as error:
        _print_error(str(error))
        return EXIT_FAILED
    except (click.Abort, KeyboardInterrupt):
        _print_error("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return EXIT_FAILED
    except OSError as error:
        _print_error(_os_message(error))
        return EXIT_FAILED


def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=_GROUP)}


def _unavailable(name: str, cause: Exception) -> click.Command:
    """Return a verb that says why it cannot be loaded, so that one broken plug-in hides no other verb."""

    def fail(rest: tuple[str, ...]) -> NoReturn:  # noqa: ARG001
        if isinstance(cause, FirstsightError):
            raise cause
        raise FirstsightError(f"The verb {name!r} cannot be loaded: {cause}") from cause

    return click.Command(
        name,
        callback=fail,
        params=[click.Argument(["rest"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        help="Cannot be loaded here; run it to see why.",
    )


def _print_usage_error(error: click.UsageError) -> None:
    _print_error(_BROKEN_LIST.sub(r"\1 ", error.format_message()))
    if error.ctx is not None:
        click.echo(f"Try: {error.ctx.command_path} --help", err=True)


def _print_error(message: str) -> None:
    with contextlib.suppress(OSError):
        click.echo(f"firstsight: error: {visible(message)}", err=True)


def _os_message(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename is not None else reason


def _forget_output() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not fail on the closed pipe."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
