"""`loadgen collect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.command import run_command
from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode, InputError

EPILOG = """\
Examples:\n
  loadgen collect runs/20261127T001824Z-load-orders           minutes later\n
  loadgen collect runs/20261127T001824Z-load-orders --settle 3m\n
\n
Exit codes: 0 read, 2 AWS can have nothing of the run, 4 the metrics do not cover it yet.
"""


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    region: Annotated[str | None, typer.Option("--region", help="AWS region.")] = None,
    aws_profile: Annotated[str | None, typer.Option("--profile", help="AWS profile.")] = None,
    settle: Annotated[
        str | None,
        typer.Option(
            "--settle",
            metavar="TIME",
            help="How long to wait for what is late.",
            show_default="aws.settle of the run's profile",
        ),
    ] = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Read what AWS has of a run by now, and put it into its result: metrics, logs, traces.

    Sends nothing to the API. The result as the run wrote it stays in result.before-collect.json.
    """

    def body(console: Console) -> ExitCode:
        from loadgen.telemetry.collecting import CollectOptions, collect

        options = CollectOptions(run, region, aws_profile, _length_s(settle))
        return collect(options, console)

    console = Console(verbosity=-1 if quiet else int(verbose), json_output=json_output)
    raise typer.Exit(run_command(console, lambda: body(console)))


def _length_s(text: str | None) -> float | None:
    """A length of time in s, as profiles have them."""
    if text is None:
        return None
    from pydantic import TypeAdapter, ValidationError

    from core.quantities import DurationS

    try:
        return TypeAdapter(DurationS).validate_python(text)
    except ValidationError as error:
        message = f"--settle: must be a length of time such as 3m or 90s (got {text!r})"
        raise InputError(message) from error
