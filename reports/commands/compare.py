"""`reports compare A B`: what changed between two runs of one kind."""

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
  reports compare runs/20261101T090000Z-load-orders runs/20261123T162445Z-load-orders
  reports compare before after --export html=compare.html --export md=summary.md
  reports compare before after --export junit=gates.xml --json
"""


def command(
    before: Annotated[
        Path, typer.Argument(metavar="A", help="The baseline: a run folder or its result.json.")
    ],
    after: Annotated[Path, typer.Argument(metavar="B", help="The newer run.")],
    force: Annotated[
        bool,
        typer.Option("--force", help="Compare what unlike runs have in common."),
    ] = False,
    tolerance: Annotated[
        str | None,
        typer.Option(
            "--tolerance",
            metavar="SHARE",
            help="Of two tunings: a change up to this does not matter.",
        ),
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option(
            "--export",
            metavar="KIND=PATH",
            help="Also write html=, md=, json=, csv= or junit=; repeatable.",
        ),
    ] = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what differs between two load runs, two tunings or two probes of limits.

    Ends with 3 where the newer run got worse, with 4 where that cannot be told
    or the runs are not comparable, and with 5 where one of them is not valid.
    """

    def body(console: Console) -> ExitCode:
        from reports.comparing import CompareOptions, compare_runs

        options = CompareOptions(before, after, tuple(export or ()), force, tolerance)
        return compare_runs(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
