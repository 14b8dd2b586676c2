"""`reports history`: the nights of a plan, what was decided about them, and what may go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.command_line import Json, Quiet, Verbose, new_app
from core.console import Console
from core.errors import ExitCode
from reports.commands.ending import end

if TYPE_CHECKING:
    from reports.history.commands.opened import Opened

app = new_app()

_PLAN_HELP = "The plan's YAML file, or a folder or s3://BUCKET/PREFIX with a history."

First = Annotated[str, typer.Argument(metavar="PLAN_OR_PLACE", help=_PLAN_HELP)]
FirstAlone = Annotated[
    str | None, typer.Argument(metavar="PLAN_OR_PLACE", help=_PLAN_HELP, show_default=False)
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="With --history, PLAN_OR_PLACE may be left out."),
]
Target = Annotated[
    list[str] | None,
    typer.Argument(metavar="ALARM_ID|FIGURE|all", help="A figure is 'STEP / SCOPE / METRIC'."),
]
Place = Annotated[
    str | None,
    typer.Option(
        "--history",
        metavar="PLACE",
        help="Folder or s3://BUCKET/PREFIX; without it that of the plan.",
    ),
]
PlanName = Annotated[
    str | None, typer.Option("--name", metavar="PLAN", help="Which plan of PLACE.")
]
Env = Annotated[
    str | None, typer.Option("--env", metavar="NAME", help="Environment of the plan's file.")
]
Region = Annotated[str | None, typer.Option("--region", help="AWS region.")]
Profile = Annotated[str | None, typer.Option("--profile", help="AWS profile.")]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it is shown wherever this counts.")
]

EPILOG = """\
\b
Examples:
  reports history list profiles/nightly.yaml
  reports history show profiles/nightly.yaml 2026-11-27
  reports history accept profiles/nightly.yaml a-4f1c09d2 --reason "larger pages"
  reports history mute profiles/nightly.yaml a-4f1c09d2 --for 14d --reason "fix is due"
  reports history prune profiles/nightly.yaml --older-than 400d --dry-run
"""


@app.callback(epilog=EPILOG)
def history() -> None:
    """Show the nights of a plan, accept or mute what they found, remove old ones."""


@app.command("list")
def list_nights(
    first: FirstAlone = None,
    nights: Annotated[
        int, typer.Option("--nights", metavar="N", min=1, help="How many of the last nights.")
    ] = 30,
    history: Place = None,
    name: PlanName = None,
    env: Env = None,
    region: Region = None,
    profile: Profile = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show the last nights, open alarms, mutes with their ends, and chronic suspects."""

    def body(console: Console, found: Opened) -> ExitCode:
        from reports.history.commands.listing import list_history

        return list_history(found, nights, console, _now())

    _end(
        [first] if first else [],
        (history, name, env, region, profile),
        body,
        (json_output, quiet, verbose),
    )


@app.command("show")
def show(
    first: First,
    words: Ids = None,
    history: Place = None,
    name: PlanName = None,
    env: Env = None,
    region: Region = None,
    profile: Profile = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show all that is known of one night, run, alarm or decision.

    ID is one that `list` or a report shows, or the date of a night.
    """

    def body(console: Console, found: Opened) -> ExitCode:
        from reports.history.commands.showing import show_named

        return show_named(found, console, _now())

    _end(
        [first, *(words or ())],
        (history, name, env, region, profile),
        body,
        (json_output, quiet, verbose),
    )


@app.command("accept")
def accept(
    *,
    first: FirstAlone = None,
    words: Ids = None,
    reason: Reason,
    series: Annotated[
        list[str] | None,
        typer.Option(
            "--series",
            metavar="FIGURE",
            help="Of a night, only this figure ('STEP / SCOPE / METRIC'), or all; repeatable.",
        ),
    ] = None,
    all_of_last: Annotated[
        bool, typer.Option("--all", help="All alarms of the last night.")
    ] = False,
    history: Place = None,
    name: PlanName = None,
    env: Env = None,
    region: Region = None,
    profile: Profile = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Take a change as it is: a new level from the first night that had it.

    ID is an alarm, or a night with all its alarms. With --series, a figure without
    an alarm gets a new level from that night on, as after an improvement.
    """

    def body(console: Console, found: Opened) -> ExitCode:
        from reports.history.commands.recording import record_acceptance

        figures = tuple(series or ())
        return record_acceptance(found, reason, figures, console, all_of_last=all_of_last)

    _end(
        [*([first] if first else []), *(words or ())],
        (history, name, env, region, profile),
        body,
        (json_output, quiet, verbose),
    )


@app.command("mute")
def mute(
    first: First,
    *,
    words: Target = None,
    reason: Reason,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="The last day of it, in UTC; or a time."),
    ] = None,
    span: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long: 12h, 14d or 2w.")
    ] = None,
    history: Place = None,
    name: PlanName = None,
    env: Env = None,
    region: Region = None,
    profile: Profile = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Keep an alarm or a figure from failing nights until a time; it is still shown.

    A figure is written 'STEP / SCOPE / METRIC'.
    """

    def body(console: Console, found: Opened) -> ExitCode:
        from reports.history.commands.recording import record_mute

        return record_mute(found, reason, until, span, console)

    _end(
        [first, *(words or ())],
        (history, name, env, region, profile),
        body,
        (json_output, quiet, verbose),
    )


@app.command("unmute")
def unmute(
    first: First,
    *,
    words: Target = None,
    reason: Reason = "no longer needed",
    history: Place = None,
    name: PlanName = None,
    env: Env = None,
    region: Region = None,
    profile: Profile = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """End a mute before its time; `all` ends every one."""

    def body(console: Console, found: Opened) -> ExitCode:
        from reports.history.commands.recording import record_unmute

        return record_unmute(found, reason, console)

    _end(
        [first, *(words or ())],
        (history, name, env, region, profile),
        body,
        (json_output, quiet, verbose),
    )


@app.command("prune")
def prune(
    first: FirstAlone = None,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="DAYS", help="Which nights of the history: 400d."),
    ] = None,
    runs_older_than: Annotated[
        str | None,
        typer.Option("--runs-older-than", metavar="DAYS", help="Which folders of nights: 30d."),
    ] = None,
    runs: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where the folders of nights are.")
    ] = Path("runs"),
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="NIGHT", help="A night that stays; repeatable."),
    ] = None,
    keep_nights: Annotated[
        int, typer.Option("--keep-nights", metavar="N", help="So many last nights stay.")
    ] = 90,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and delete nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    history: Place = None,
    name: PlanName = None,
    env: Env = None,
    region: Region = None,
    profile: Profile = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Delete old nights from the history, and old folders of nights.

    What is old is in the plan (retention), or in --older-than and --runs-older-than.
    The last 90 nights, those from which accepted levels hold, and all decisions stay.
    """

    def body(console: Console, found: Opened) -> ExitCode:
        from reports.history.commands.pruning import PruneAsked, prune_history

        asked = PruneAsked(
            older_than, runs_older_than, runs, tuple(keep or ()), keep_nights, dry_run, yes
        )
        return prune_history(found, asked, console, _now())

    _end(
        [first] if first else [],
        (history, name, env, region, profile),
        body,
        (json_output, quiet, verbose),
    )


def _end(
    words: list[str],
    place: tuple[str | None, str | None, str | None, str | None, str | None],
    run: Callable[[Console, Opened], ExitCode],
    talk: tuple[bool, bool, bool],
) -> None:
    """Runs a command on the history that is meant, and ends with its exit code."""
    json_output, quiet, verbose = talk

    def body(console: Console) -> ExitCode:
        from reports.history.commands.opened import Asked, opened

        return run(console, opened(Asked(tuple(words), *place)))

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)


def _now() -> datetime:
    return datetime.now(UTC)
