"""`tune analyze`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from tuner.command_options.goal import (
    GivenColdShare,
    GivenRequests,
    Knee,
    Objective,
    OtherPrices,
    ServerPriceFile,
    Slo,
    Weight,
)
from tuner.command_options.places import Export
from tuner.commands.ending import end


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    objective: Objective = None,
    weight: Weight = None,
    slo: Slo = None,
    knee: Knee = None,
    cold_share: GivenColdShare = None,
    requests_per_month: GivenRequests = None,
    price_file: OtherPrices = None,
    server_price_file: ServerPriceFile = None,
    export: Export = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Answer again from the samples of a run, without invoking anything."""

    def body(console: Console) -> ExitCode:
        from tuner.analyze import AnalyzeOptions, analyze

        options = AnalyzeOptions(
            run=run,
            objective=objective,
            weight=weight,
            slo=slo,
            knee=knee,
            cold_share=cold_share,
            requests_per_month=requests_per_month,
            price_file=price_file,
            server_price_file=server_price_file,
            exports=tuple(export or ()),
        )
        return analyze(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
