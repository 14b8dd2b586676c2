"""`reports nightly PLAN`: a night of tunings and load runs, judged by budgets and by the past."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from reports.commands.ending import end

EPILOG = """\
\b
Examples:
  reports nightly profiles/nightly.yaml --sandbox   try it, no account needed
  reports nightly nightly.yaml --dry-run            what runs, and at what cost?
  reports nightly nightly.yaml --env staging --history s3://BUCKET/nights
  reports nightly nightly.yaml --only "load orders" --inconclusive pass
  reports nightly nightly.yaml --set gates.confirm.by=next_night
  reports nightly nightly.yaml --export html=public/index.html --json

\b
Exit codes, of those that apply the first in this order:
  2    a mistake in the plan or an option: nothing has run
  130  interrupted; 143 terminated: the same command goes on with the night
  3    a budget does not hold, or a regression is confirmed
  1    a step ended in an error, or without a result
  5    the measurement of a step is invalid
  6    a guard refused a step, or another night of the plan runs
  4    inconclusive: too few nights or requests (0 with --inconclusive pass)
  0    pass
"""


def command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a YAML file.")],
    env: Annotated[
        str | None, typer.Option("--env", metavar="NAME", help="One of the plan's environments.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="Instead of what the plan has; repeatable."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="STEP", help="Only this step; repeatable."),
    ] = None,
    night: Annotated[
        str | None,
        typer.Option(
            "--night",
            metavar="DATE",
            help="The date that the night counts for.",
            show_default="today, in UTC",
        ),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            "--history",
            metavar="PLACE",
            help="A folder, or s3://BUCKET/PREFIX.",
            show_default="the plan's, or nightly-history",
        ),
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder for results.")] = Path(
        "runs"
    ),
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Each step runs in a local AWS of its own.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, also where a night was interrupted.")
    ] = False,
    inconclusive: Annotated[
        str | None,
        typer.Option(
            "--inconclusive",
            metavar="fail|pass",
            help="Whether too little data ends with 4 or with 0.",
            show_default="the plan's, or fail",
        ),
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option(
            "--export",
            metavar="KIND=PATH",
            help="Also write html=, junit=, md=, json= or badge=; repeatable.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show steps and cost range, send nothing.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Agree to steps that may cost over a dollar, or how much is not known."
        ),
    ] = False,
    region: Annotated[str | None, typer.Option("--region", help="AWS region.")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="AWS profile.")] = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run the tunings and load runs of a plan, keep their history, and judge the night.

    Each step is a process of its own: one that fails does not lose the others.
    Its run is judged in this order: is it valid, do its budgets hold, is it worse
    than the nights before. What looks worse is measured again before it fails.

    The night's folder has its page, JUnit, Markdown and JSON.
    """

    def body(console: Console) -> ExitCode:
        from reports.nightly.options import (
            NightOptions,
            checked_exports,
            checked_history,
            checked_inconclusive,
            checked_night,
        )

        options = NightOptions(
            plan=plan,
            environment=env,
            settings=tuple(settings or ()),
            only=tuple(only or ()),
            night=checked_night(night),
            history=checked_history(history),
            runs=runs,
            sandbox=sandbox,
            fresh=fresh,
            inconclusive=checked_inconclusive(inconclusive),
            dry_run=dry_run,
            yes=yes,
            exports=checked_exports(tuple(export or ()), plan, json_output=json_output),
            region=region,
            profile=profile,
            command=("reports", *sys.argv[1:]),
        )
        from reports.nightly.night import run_night

        return run_night(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
