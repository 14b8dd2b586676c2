"""`tune apply`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from tuner.command_options.applying import Alarm, Check, ShiftSeconds, ShiftShare
from tuner.command_options.places import Profile
from tuner.commands.ending import end


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Folder of a run; with --undo its id as well.")
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="WHERE", help="latest, alias=NAME or shift=NAME."),
    ] = None,
    shift_share: ShiftShare = None,
    shift_seconds: ShiftSeconds = None,
    check: Check = None,
    alarm: Alarm = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Put back what was applied of the run.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    profile: Profile = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Give a function the memory size that a run recommends, or take that back."""

    def body(console: Console) -> ExitCode:
        from tuner.apply.destination import ShiftOptions
        from tuner.apply.verb import ApplyOptions, apply

        options = ApplyOptions(
            run=run,
            to=to,
            shift=ShiftOptions(shift_share, shift_seconds, check, tuple(alarm or ())),
            undo=undo,
            yes=yes,
            profile=profile,
        )
        return apply(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
