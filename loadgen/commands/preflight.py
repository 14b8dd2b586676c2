"""`loadgen preflight`."""

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
  loadgen preflight api.yaml                      what will this load meet?\n
  loadgen preflight api.yaml --duration "GET /orders=120ms"\n
  loadgen preflight profiles/orders.yaml --sandbox --export html=preflight.html\n
\n
Exit codes: 0 the run can be made, 2 a mistake in the profile, 6 it would surely be spoilt.
"""


def command(
    profile: Annotated[Path, typer.Argument(metavar="PROFILE", help="The profile, a YAML file.")],
    env: Annotated[
        str | None,
        typer.Option("--env", metavar="NAME", help="One of the profile's environments."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Instead of what the profile has."),
    ] = None,
    duration: Annotated[
        list[str] | None,
        typer.Option(
            "--duration", metavar="STEP=TIME", help="How long the function of a step runs."
        ),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Look at the profile's stack in a local AWS.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", metavar="N", min=0, help="The arrivals of a run.", show_default="random"
        ),
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="AWS region.")] = None,
    aws_profile: Annotated[str | None, typer.Option("--profile", help="AWS profile.")] = None,
    export: Annotated[
        list[str] | None,
        typer.Option("--export", metavar="KIND=PATH", help="Also write html=, md= or json=."),
    ] = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what a load will meet: limits, refusals, concurrency, quotas, cost; sends nothing."""

    def body(console: Console) -> ExitCode:
        from loadgen.options import RunOptions
        from loadgen.preflight.run import PreflightOptions, preflight

        run = RunOptions(
            profile=profile,
            environment=env,
            settings=tuple(settings or ()),
            sandbox=sandbox,
            region=region,
            aws_profile=aws_profile,
            seed=seed,
            exports=tuple(export or ()),
        )
        return preflight(PreflightOptions(run, tuple(duration or ())), console)

    console = Console(verbosity=-1 if quiet else int(verbose), json_output=json_output)
    raise typer.Exit(run_command(console, lambda: body(console)))
