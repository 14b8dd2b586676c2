"""`reports explain METRIC`: what a word of a report means."""

from __future__ import annotations

from typing import Annotated

import typer

from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from reports.commands.ending import end

EPILOG = """\
\b
Examples:
  reports explain                     all words, by subject
  reports explain "response time"     from when it counts, and what misleads
  reports explain "p95(response)"     what a threshold is about
  reports explain spectrum            how a chart is read
  reports explain regret --json
"""


def command(
    metric: Annotated[
        str | None,
        typer.Argument(
            metavar="METRIC", help="A metric, an outcome, a cause or a chart; without it, all."
        ),
    ] = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what a word of a report means.

    What it counts and from when, its unit, formula, source and place in documents, and how it
    misleads who reads it quickly.
    """

    def body(console: Console) -> ExitCode:
        from reports.explain import explain

        return explain(console, metric)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
