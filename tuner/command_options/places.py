"""Which functions, where they run, and what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_WHICH, _PLACE, _OUTPUT = "Which functions of a stack", "Where it runs", "What comes out"

Export = Annotated[
    list[str] | None,
    typer.Option(
        "--export",
        metavar="KIND=PATH",
        help="Also write html=, md=, junit=, csv=, parquet= or json=; repeatable.",
        rich_help_panel=_OUTPUT,
    ),
]
Chart = Annotated[
    bool,
    typer.Option(
        "--chart",
        help="Draw cost and duration against memory in the terminal.",
        rich_help_panel=_OUTPUT,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="AWS profile.", rich_help_panel=_PLACE),
]
Function = Annotated[
    str,
    typer.Argument(metavar="FUNCTION", help="Function name or ARN, or NAME:ALIAS, NAME:VERSION."),
]
Functions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FUNCTION",
        help="Function names or ARNs, or NAME:ALIAS; --power-tuning or --stack may name them.",
        show_default=False,
    ),
]
Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="STACK",
        help="The functions of a SAM, CloudFormation or serverless.yml file, or of a stack.",
        rich_help_panel=_WHICH,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="NAME",
        help="Only this function of it; may have * and ?, and be repeated.",
        rich_help_panel=_WHICH,
    ),
]
Except = Annotated[
    list[str] | None,
    typer.Option(
        "--except",
        metavar="NAME",
        help="Not this function of it; likewise.",
        rich_help_panel=_WHICH,
    ),
]
Stage = Annotated[
    str | None,
    typer.Option(
        "--stage",
        metavar="NAME",
        help="Stage of a serverless.yml.",
        show_default="its own, or dev",
        rich_help_panel=_WHICH,
    ),
]
KeepOutputs = Annotated[
    bool,
    typer.Option(
        "--keep-outputs",
        help="Keep what the function answers in the folder of the run.",
        rich_help_panel=_OUTPUT,
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--region", metavar="NAME", help="AWS region.", rich_help_panel=_PLACE),
]
Sandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox",
        help="Measure in a local AWS that lives for this run.",
        rich_help_panel=_PLACE,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Show plan and cost range, change nothing.",
        rich_help_panel=_OUTPUT,
    ),
]
Runs = Annotated[
    Path,
    typer.Option("--runs", metavar="DIR", help="Folder for results.", rich_help_panel=_OUTPUT),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="N",
        help="Repeats what a run draws.",
        show_default="random",
        rich_help_panel=_OUTPUT,
    ),
]
