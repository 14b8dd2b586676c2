"""What is best, and how the function is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_GOAL, _USE = "What is best", "How it is used"

Objective = Annotated[
    str | None,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="cost, speed, balanced, slo or knee.",
        show_default="cost",
        rich_help_panel=_GOAL,
    ),
]
Weight = Annotated[
    float | None,
    typer.Option(
        "--weight",
        metavar="W",
        help="Balanced: weight of cost, 0 to 1.",
        show_default="0.5",
        rich_help_panel=_GOAL,
    ),
]
Slo = Annotated[
    str | None,
    typer.Option(
        "--slo",
        metavar="LIMIT",
        help='The cheapest size that keeps it: "p95 < 300ms".',
        rich_help_panel=_GOAL,
    ),
]
Knee = Annotated[
    str | None,
    typer.Option(
        "--knee",
        metavar="SHARE",
        help="With 10%: the size beyond which another 10% of speed costs over 10%.",
        rich_help_panel=_GOAL,
    ),
]
ColdShare = Annotated[
    str | None,
    typer.Option(
        "--cold-share",
        metavar="SHARE",
        help="Mix in cold calls: 2%, or auto to read it from logs.",
        rich_help_panel=_USE,
    ),
]
Requests = Annotated[
    str | None,
    typer.Option(
        "--requests-per-month",
        metavar="N",
        help="Costs of a month: 3.2M, or auto to read it from metrics.",
        rich_help_panel=_USE,
    ),
]
GivenColdShare = Annotated[
    str | None, typer.Option("--cold-share", metavar="SHARE", help="Mix in cold calls: 2%.")
]
GivenRequests = Annotated[
    str | None,
    typer.Option("--requests-per-month", metavar="N", help="Costs of a month: 3.2M."),
]
PriceFile = Annotated[
    Path | None,
    typer.Option(
        "--price-file",
        metavar="FILE",
        help="Prices to use instead of the bundled ones.",
        rich_help_panel=_USE,
    ),
]
ServerPriceFile = Annotated[
    Path | None,
    typer.Option(
        "--server-price-file",
        metavar="FILE",
        help="Prices of machines to compare a month with.",
        rich_help_panel=_USE,
    ),
]
OtherPrices = Annotated[
    Path | None,
    typer.Option("--price-file", metavar="FILE", help="Prices to use instead of those of the run."),
]
