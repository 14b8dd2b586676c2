"""`tune compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from tuner.commands.ending import end


def command(
    before: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the earlier run.")],
    after: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the later run.")],
    tolerance: Annotated[
        str,
        typer.Option(
            "--tolerance", metavar="SHARE", help="A change up to this does not matter: 3%."
        ),
    ] = "3%",
    export: Annotated[
        list[str] | None,
        typer.Option("--export", metavar="KIND=PATH", help="Also write html=, md= or json=."),
    ] = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what changed between two tunings, and whether it can be told from noise.

    Ends with 3 where the size in use or the recommended one got slower or dearer, and with 4
    where that cannot be told.
    """

    def body(console: Console) -> ExitCode:
        from tuner.compare.command import CompareOptions, compare

        options = CompareOptions(before, after, tolerance, tuple(export or ()))
        return compare(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
