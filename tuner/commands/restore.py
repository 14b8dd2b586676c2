"""`tune restore`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from tuner.command_options.places import Profile
from tuner.commands.ending import end


def command(
    function: Annotated[
        str | None,
        typer.Argument(
            metavar="FUNCTION", help="Function with the marks of a run that has no journal here."
        ),
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="Only show which runs have not ended.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    forget: Annotated[
        str | None,
        typer.Option(
            "--forget",
            metavar="RUN_ID",
            help="Drop a run whose function is gone, or a damaged journal.",
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="NAME", help="AWS region of FUNCTION.")
    ] = None,
    profile: Profile = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Undo what killed runs left: memory, description and published versions."""

    def body(console: Console) -> ExitCode:
        from tuner.apply.record import records_folder, warn_of_killed
        from tuner.restore import RestoreOptions, restore

        options = RestoreOptions(
            function=function,
            region=region,
            profile=profile,
            list_only=list_only,
            forget=forget,
            yes=yes,
        )
        warn_of_killed(records_folder(), console)
        return restore(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
