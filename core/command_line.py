"""What every console script has in common: how it is made, its options, and how it ends.

Imports typer and nothing else that takes time, because `--help` must answer at once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from typer.core import TyperCommand, TyperOption

from core.command import run_command
from core.console import Console
from core.errors import ExitCode, InputError
from core.streams import discard_stdout, prepare_streams

if TYPE_CHECKING:
    # typer brings its own click.
    from typer._click import Context, HelpFormatter


# What pydantic's names of number errors begin with, and what was expected.
_NUMBERS = {"int": "a whole number", "float": "a number"}
_SAID_DEFAULT = re.compile(r"\[default: \((.*)\)\]$")


def new_app() -> typer.Typer:
    """A typer application with the settings that all scripts share."""
    return typer.Typer(
        add_completion=False,
        # rich would double the time that --help takes.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


class GroupedCommand(TyperCommand):
    """A command whose help shows options under the headings that `rich_help_panel` names.

    typer does so with rich only.
    """

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Arguments first, then options by heading, in the order of their first ones."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            heading = "Arguments"
            if isinstance(param, TyperOption):
                heading = param.rich_help_panel or "Options"
            else:
                record = (record[0].partition(" <")[0], record[1])
            groups.setdefault(heading, []).append((record[0], _plain_default(record[1])))
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def _plain_default(text: str) -> str:
    """`[default: (cost)]` without the brackets that mark a default which is only said."""
    return _SAID_DEFAULT.sub(r"[default: \1]", text)


def run_app(app: typer.Typer, name: str) -> NoReturn:
    """Ends with the command's exit code; a wrong option is one line, like any other mistake."""
    prepare_streams()
    arguments = sys.argv[1:] or ["--help"]
    try:
        code = app(arguments, prog_name=name, standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        asked = _asked(app, name, arguments) if context is None else context.command_path
        code = _refuse(arguments, InputError(_mistake(error), hint=f"see {asked} --help"))
    except typer.Abort:
        code = ExitCode.INTERRUPTED
    except OSError as error:
        # Of --help and --version, which write to stdout themselves.
        discard_stdout()
        reason = error.strerror or str(error)
        code = _refuse(arguments, InputError(f"could not write to stdout: {reason}"))
    raise SystemExit(code)


def _asked(app: typer.Typer, name: str, arguments: Sequence[str]) -> str:
    """The command whose help says more, where the parser does not tell which it was."""
    verbs = {command.name for command in app.registered_commands}
    return f"{name} {arguments[0]}" if arguments[0] in verbs else name


def _refuse(arguments: Sequence[str], error: InputError) -> ExitCode:
    def body() -> ExitCode:
        raise error

    return run_command(Console(json_output="--json" in arguments), body)


def _mistake(error: typer.TyperException) -> str:
    """What is wrong with the command line; typer does not name the value that is no number."""
    if isinstance(error, typer.BadParameter) and error.param is not None:
        # Loaded already where a value was refused.
        from pydantic import ValidationError

        cause = error.__cause__
        if isinstance(cause, ValidationError):
            problem = cause.errors(include_url=False)[0]
            expected = _NUMBERS.get(problem["type"].partition("_")[0])
            if expected is not None:
                option = max(error.param.opts, key=len)
                return f"{option}: expected {expected} (got {problem['input']!r})"
    return error.format_message().rstrip(".")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 # typer calls it with the option's value
    if wanted:
        from core.version import toolkit_version

        typer.echo(toolkit_version())
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only the answer and warnings.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more about each step.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
