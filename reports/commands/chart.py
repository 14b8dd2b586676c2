"""`reports chart RUN [NAME]`: one chart, in the terminal or as a picture."""

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
  reports chart RUN                          what charts are there?
  reports chart RUN latency                  in the terminal
  reports chart RUN rate -o rate.svg         for a slide
  reports chart RUN rate -o rate.png --width 1600 --dark
  reports chart RUN rate --json              its data
"""


def command(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run folder, or its result.json file.")
    ],
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Of the chart; without it, all are listed."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="A picture: PATH.svg or PATH.png."),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(
            "--width",
            metavar="PX",
            help="How wide the picture is; without it as drawn, and PNG twice that.",
        ),
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="On a dark ground.")] = False,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw one chart, or write it as a picture.

    Without NAME it lists the charts of the run, each with what it shows.
    """

    def body(console: Console) -> ExitCode:
        from reports.chart_command import ChartAsked, run_chart

        return run_chart(console, ChartAsked(run, name, output, width, dark))

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
