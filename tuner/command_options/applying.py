"""What is done with the answer."""

from __future__ import annotations

from typing import Annotated

import typer

_APPLY = "What is done with the answer"

ShiftShare = Annotated[
    str | None,
    typer.Option(
        "--shift-share",
        metavar="SHARE",
        help="With shift=NAME: the first share of the alias's calls.",
        show_default="10%",
        rich_help_panel=_APPLY,
    ),
]
ShiftSeconds = Annotated[
    float | None,
    typer.Option(
        "--shift-seconds",
        metavar="S",
        help="With shift=NAME: how long both versions are compared.",
        show_default="300",
        rich_help_panel=_APPLY,
    ),
]
Check = Annotated[
    str | None,
    typer.Option(
        "--check",
        metavar="COMMAND",
        help="With shift=NAME: goes back unless it ends with 0; once a minute.",
        rich_help_panel=_APPLY,
    ),
]
Alarm = Annotated[
    list[str] | None,
    typer.Option(
        "--alarm",
        metavar="NAME",
        help="With shift=NAME: goes back when this CloudWatch alarm rings; repeatable.",
        rich_help_panel=_APPLY,
    ),
]
Apply = Annotated[
    str | None,
    typer.Option(
        "--apply",
        metavar="WHERE",
        help="After a run that passes, give it the size: latest, alias=NAME or shift=NAME.",
        rich_help_panel=_APPLY,
    ),
]
