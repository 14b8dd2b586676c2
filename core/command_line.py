"""What every console script has in common: how it is made, its options, and how it ends.

Imports typer and nothing else that takes time, because `--help` must answer at once.
"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from core.command import run_command
from core.console import Console
from core.errors import ExitCode, InputError


def new_app() -> typer.Typer:
    """A typer application with the settings that all scripts share."""
    return typer.Typer(
        add_completion=False,
        # rich would double the time that --help takes.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run_app(app: typer.Typer, name: str) -> NoReturn:
    """Ends with the command's exit code; a wrong option is one line, like any other mistake."""
    arguments = sys.argv[1:] or ["--help"]
    try:
        code = app(arguments, prog_name=name, standalone_mode=False)
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        console = Console(json_output="--json" in arguments)

        def refuse() -> ExitCode:
            raise InputError(message, hint=f"see {name} --help")

        code = run_command(console, refuse)
    except typer.Abort:
        code = ExitCode.INTERRUPTED
    raise SystemExit(code)


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
