"""`reports doctor PLAN`: how many alarms of a history are false, and what it can find."""

from __future__ import annotations

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
  reports doctor nightly.yaml
  reports doctor nightly.yaml --history s3://BUCKET/nights --last 60
  reports doctor nightly.yaml --set gates.floors.p99=15% --json

\b
Exit codes:
  0  there are enough nights; the advice is in the text
  2  a mistake in the plan or an option
  4  too few nights: how many are missing is said
"""


def command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a YAML file.")],
    env: Annotated[
        str | None, typer.Option("--env", metavar="NAME", help="One of the plan's environments.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="Try another value of the plan; repeatable."
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
    last: Annotated[
        int, typer.Option("--last", metavar="NIGHTS", help="How many nights are looked at.")
    ] = 90,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is drawn.")] = 1,
    region: Annotated[str | None, typer.Option("--region", help="AWS region.")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="AWS profile.")] = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Replay the nights of a plan as if nothing had changed, and count the alarms.

    Prints the false alarms to expect in a month, the smallest step that each
    figure finds with 80 % power, and what to change: requests, floors, metrics.
    Nothing is sent and nothing is written.
    """

    def body(console: Console) -> ExitCode:
        from reports.nightly.doctor_run import DoctorOptions, run_doctor
        from reports.nightly.options import checked_history

        options = DoctorOptions(
            plan=plan,
            environment=env,
            settings=tuple(settings or ()),
            history=checked_history(history),
            last=last,
            region=region,
            profile=profile,
            seed=seed,
        )
        return run_doctor(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
