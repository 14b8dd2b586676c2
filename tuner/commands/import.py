"""`tune import`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from tuner.command_options.goal import Weight
from tuner.commands.ending import end


def command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL",
            help="Output of aws-lambda-power-tuning, or a quoted link to its chart.",
        ),
    ],
    objective: Annotated[
        str | None,
        typer.Option(
            "--objective",
            metavar="NAME",
            help="cost, speed or balanced.",
            show_default="cost",
        ),
    ] = None,
    weight: Weight = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what the results of aws-lambda-power-tuning show, and what they leave open.

    Invokes nothing, asks AWS for nothing, opens no link.
    """

    def body(console: Console) -> ExitCode:
        from tuner.power_tuning.import_run import ImportOptions, import_output

        options = ImportOptions(source=source, objective=objective, weight=weight)
        return import_output(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
