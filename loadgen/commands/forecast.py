"""`loadgen forecast`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.command import run_command
from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode

EPILOG = """\
Examples:\n
  loadgen forecast runs/20261126T162445Z-load-orders --rate 500\n
  loadgen forecast runs/20261126T162445Z-load-orders --today 40 --duration checkout=120ms\n
"""


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a load run.")],
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", metavar="RPS", help="Requests a second.", show_default="twice today's"
        ),
    ] = None,
    today: Annotated[
        float | None,
        typer.Option("--today", metavar="RPS", help="Today's rate.", show_default="the run's"),
    ] = None,
    duration: Annotated[
        list[str] | None,
        typer.Option("--duration", metavar="FUNCTION=TIME", help="How long a function runs."),
    ] = None,
    spillover: Annotated[
        str,
        typer.Option(
            "--spillover", metavar="SHARE", help="Of calls that may find no provisioned one free."
        ),
    ] = "1%",
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what another rate would mean: concurrency, cold starts, the first limit that binds.

    Uses what a run found, its mix and the limits that it read; asks AWS nothing.
    """

    def body(console: Console) -> ExitCode:
        from loadgen.forecast.command import ForecastOptions, forecast

        return forecast(
            ForecastOptions(run, rate, today, tuple(duration or ()), spillover), console
        )

    console = Console(verbosity=-1 if quiet else int(verbose), json_output=json_output)
    raise typer.Exit(run_command(console, lambda: body(console)))
