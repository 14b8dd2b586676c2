"""`loadgen limits PROFILE`: what limits the API, by what it admits."""

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
  loadgen limits api.yaml --dry-run               what would it send, and what would it cost?\n
  loadgen limits api.yaml --scenario search       whose limit it looks for\n
  loadgen limits api.yaml --sandbox --export html=limits.html\n
\n
Exit codes: 0 found, 3 configuration and behaviour disagree, 4 nothing was refused, 6 a guard
stopped it.
"""


def command(
    profile: Annotated[Path, typer.Argument(metavar="PROFILE", help="The profile, a YAML file.")],
    env: Annotated[
        str | None, typer.Option("--env", metavar="NAME", help="One of the profile's environments.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Instead of what the profile has."),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="NAME", help="Whose limit to look for."),
    ] = None,
    account: Annotated[
        bool, typer.Option("--account", help="Allow to drain a bucket of the whole account.")
    ] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Probe the profile's stack in a local AWS.")
    ] = False,
    region: Annotated[str | None, typer.Option("--region", help="AWS region.")] = None,
    aws_profile: Annotated[str | None, typer.Option("--profile", help="AWS profile.")] = None,
    export: Annotated[
        list[str] | None,
        typer.Option(
            "--export",
            metavar="KIND=PATH",
            help="Also write html=, md=, junit=, csv=, parquet= or json=.",
        ),
    ] = None,
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw what was sent and admitted in the terminal.")
    ] = False,
    runs: Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder for results.")] = Path(
        "runs"
    ),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show phases, requests and cost, send nothing.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Agree to a probe that may cost over a dollar, or how much is not known."
        ),
    ] = False,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find the rate and the burst that limit the API, and whose limit it is.

    Sends more than is let through for some 30 seconds, and infers the token bucket from what was
    admitted. Refused requests cost nothing; guards bound the admitted ones.
    """

    def body(console: Console) -> ExitCode:
        from loadgen.probe.options import LimitsOptions
        from loadgen.probe.run import run_limits

        options = LimitsOptions(
            profile=profile,
            environment=env,
            settings=tuple(settings or ()),
            sandbox=sandbox,
            region=region,
            aws_profile=aws_profile,
            scenario=scenario,
            account=account,
            runs=runs,
            exports=tuple(export or ()),
            chart=chart,
            dry_run=dry_run,
            yes=yes,
        )
        return run_limits(options, console)

    console = Console(verbosity=-1 if quiet else int(verbose), json_output=json_output)
    raise typer.Exit(run_command(console, lambda: body(console)))
