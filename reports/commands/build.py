"""`reports build RUN...`: runs on one page, and as summary, gates and tables."""

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
  reports build runs/20251120T091402Z-load-orders
  reports build runs/*-tune-* runs/*-load-* -o report.html
  reports build runs/20251120T020004Z-nightly-shop
  reports build runs/* --export md=summary.md --export junit=gates.xml
  reports build runs/* --export parquet=runs.parquet --export csv=runs.csv
  reports build runs/20251120T091402Z-load-orders --chart
  reports build runs/*/result.json -o report.html --json
"""


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Run folders, or their result.json files."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PATH", help="The HTML file to write.")
    ] = Path("report.html"),
    export: Annotated[
        list[str] | None,
        typer.Option(
            "--export",
            metavar="KIND=PATH",
            help="Also write md=, junit=, csv=, parquet=, json= or html=; repeatable.",
        ),
    ] = None,
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw the main charts in the terminal.")
    ] = False,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Put tunings, load runs, probes of limits and nights on one page.

    The page is a single file: it needs no network, no script and no server.
    Its path goes to stdout. Of several runs, those without a result are skipped
    with a warning.
    """

    def body(console: Console) -> ExitCode:
        from reports.build import build_report

        return build_report(console, runs, output, tuple(export or ()), chart=chart)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
