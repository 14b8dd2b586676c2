"""`reports`: pages from the documents that runs left behind.

Heavy imports wait inside the commands, because `--help` must not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core.command import run_command
from core.command_line import Json, Quiet, Verbose, Version, new_app, run_app
from core.console import Console
from core.errors import ExitCode

app = new_app()


@app.callback()
def reports(version: Version = False) -> None:
    """Make pages from the results of runs."""


@app.command()
def build(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Run folders, or their result.json files."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PATH", help="The HTML file to write.")
    ] = Path("report.html"),
    *,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Put tunings and load runs on one page.

    The page is a single file: it needs no network, no script and no server.
    Its path goes to stdout. Of several runs, those without a result are skipped
    with a warning.

    \b
    Examples:
      reports build runs/20251120T091402Z-load-orders
      reports build runs/*-tune-* runs/*-load-* -o report.html
      reports build runs/*/result.json -o report.html --json
    """
    console = Console(verbosity=verbose - quiet, json_output=json_output)
    raise typer.Exit(run_command(console, lambda: _build(console, runs, output)))


def _build(console: Console, runs: list[Path], output: Path) -> ExitCode:
    from reports.atomic_file import write_atomically
    from reports.exports import check_writable
    from reports.run_folder import read_document

    check_writable(output, f"--output {output}")
    documents = []
    for run in _finished(console, runs):
        console.detail(f"reading {run}")
        documents.append(read_document(run))

    from reports.page import render_page

    page = render_page(documents)
    write_atomically(output, page)
    console.detail(f"wrote {len(documents)} run(s), {len(page.encode()) / 1024:.0f} KB")
    console.document(_answer(output) if console.json_output else str(output))
    return ExitCode.PASS


def _finished(console: Console, runs: list[Path]) -> list[Path]:
    """The runs that left a result; of several, the others are named on stderr and left out."""
    from reports.run_folder import RESULT_NAME

    unfinished = [run for run in runs if run.is_dir() and not (run / RESULT_NAME).exists()]
    if len(unfinished) == len(runs):
        return runs  # reading the first says what is wrong
    for run in unfinished:
        console.warn(f"skipped {run}: no {RESULT_NAME} in it")
    return [run for run in runs if run not in unfinished]


def _answer(output: Path) -> str:
    return json.dumps(
        {
            "schema_version": 1,
            "verdict": "pass",
            "exit_code": int(ExitCode.PASS),
            "errors": [],
            "path": str(output),
        }
    )


def main() -> None:
    """The console script `reports`."""
    run_app(app, "reports")
