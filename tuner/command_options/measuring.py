"""What is measured, and when to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_PLAN, _BUDGET = "What is measured", "When to stop"

PowerTuning = Annotated[
    Path | None,
    typer.Option(
        "--power-tuning",
        metavar="FILE",
        help="Options from an input file of aws-lambda-power-tuning; those given go first.",
        rich_help_panel=_PLAN,
    ),
]
ColdOnly = Annotated[
    bool,
    typer.Option(
        "--cold-only",
        help="Fixed plan: measure cold starts only, each by a version of its own.",
        rich_help_panel=_PLAN,
    ),
]
TestRun = Annotated[
    bool,
    typer.Option(
        "--test-run",
        help="Make one call at each size, say what works, recommend nothing.",
        rich_help_panel=_PLAN,
    ),
]
MinMemory = Annotated[
    int | None,
    typer.Option(
        "--min-memory",
        metavar="MB",
        help="Smallest size to measure.",
        show_default="128",
        rich_help_panel=_PLAN,
    ),
]
MaxMemory = Annotated[
    int | None,
    typer.Option(
        "--max-memory",
        metavar="MB",
        help="Largest size to measure.",
        show_default="3008",
        rich_help_panel=_PLAN,
    ),
]
Thorough = Annotated[
    bool,
    typer.Option("--thorough", help="Go on until the answer is surer.", rich_help_panel=_PLAN),
]
Sizes = Annotated[
    str | None,
    typer.Option(
        "--sizes",
        metavar="MB,MB,...",
        help="Fixed plan: measure exactly these sizes; all: each 64 MB.",
        rich_help_panel=_PLAN,
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        metavar="N",
        help="Fixed plan: so many warm samples at each size.",
        rich_help_panel=_PLAN,
    ),
]
ColdSamples = Annotated[
    int | None,
    typer.Option(
        "--cold-samples",
        metavar="N",
        help="Cold samples at the sizes that matter, by versions of their own.",
        show_default="1",
        rich_help_panel=_PLAN,
    ),
]
Arch = Annotated[
    str | None,
    typer.Option(
        "--arch",
        metavar="both",
        help="Compare x86_64 and arm64: measure the function below, too.",
        show_default="the function's own",
        rich_help_panel=_PLAN,
    ),
]
ArchFunction = Annotated[
    str | None,
    typer.Option(
        "--arch-function",
        metavar="FUNCTION",
        help="The same work on the other architecture.",
        rich_help_panel=_PLAN,
    ),
]
MaxInvocations = Annotated[
    int | None,
    typer.Option(
        "--max-invocations",
        metavar="N",
        help="End with the best answer so far after N calls.",
        rich_help_panel=_BUDGET,
    ),
]
MaxUsd = Annotated[
    float | None,
    typer.Option(
        "--max-usd", metavar="X", help="... before the bill is over X.", rich_help_panel=_BUDGET
    ),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(
        "--max-seconds", metavar="S", help="... after S seconds.", rich_help_panel=_BUDGET
    ),
]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        help="Agree to a run that may cost over a dollar, and to --apply.",
        rich_help_panel=_BUDGET,
    ),
]
