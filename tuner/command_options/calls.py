"""What each call gets, and how calls are made and counted."""

from __future__ import annotations

from typing import Annotated

import typer

_EVENT, _CALL = "What each call gets", "How calls are made and counted"

PayloadFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--payload",
        metavar="FILE",
        help="JSON event: a file, s3://BUCKET/KEY, or - for stdin; FUNCTION=FILE for one of "
        "several functions.",
        show_default="{}",
        rich_help_panel=_EVENT,
    ),
]
PayloadFile = Annotated[
    str | None,
    typer.Option(
        "--payload",
        metavar="FILE",
        help="JSON event: a file, s3://BUCKET/KEY, or - for stdin.",
        show_default="{}",
        rich_help_panel=_EVENT,
    ),
]
PayloadJson = Annotated[
    str | None,
    typer.Option(
        "--payload-json", metavar="JSON", help="The event itself.", rich_help_panel=_EVENT
    ),
]
PayloadsFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--payloads",
        metavar="FILE",
        help="Several weighted events: a JSON list or NDJSON of payload, weight, name.",
        rich_help_panel=_EVENT,
    ),
]
Payloads = Annotated[
    str | None,
    typer.Option(
        "--payloads",
        metavar="FILE",
        help="Several weighted events: a JSON list or NDJSON of payload, weight, name.",
        rich_help_panel=_EVENT,
    ),
]
AllowError = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-error",
        metavar="TYPE",
        help="An error of the function that is an answer like others; repeatable.",
        rich_help_panel=_CALL,
    ),
]
Discard = Annotated[
    float | None,
    typer.Option(
        "--discard",
        metavar="SHARE",
        help="Fixed plan: leave out that share of a size's samples at each end.",
        show_default="0.1",
        rich_help_panel=_CALL,
    ),
]
DiscardFirst = Annotated[
    int | None,
    typer.Option(
        "--discard-first",
        metavar="N",
        help="The first N warm calls of each size do not count.",
        show_default="0",
        rich_help_panel=_CALL,
    ),
]
Sleep = Annotated[
    float | None,
    typer.Option(
        "--sleep",
        metavar="S",
        help="Seconds between the end of a call and the next one.",
        show_default="0",
        rich_help_panel=_CALL,
    ),
]
TenantId = Annotated[
    str | None,
    typer.Option(
        "--tenant-id",
        metavar="ID",
        help="The tenant of all calls, for functions that isolate tenants.",
        rich_help_panel=_EVENT,
    ),
]
Pre = Annotated[
    str | None,
    typer.Option(
        "--pre",
        metavar="HOOK",
        help="Before each call: lambda:NAME, python:MODULE:FUNCTION or a command.",
        rich_help_panel=_EVENT,
    ),
]
Post = Annotated[
    str | None,
    typer.Option(
        "--post", metavar="HOOK", help="After each call, likewise.", rich_help_panel=_EVENT
    ),
]
HookTimeout = Annotated[
    float | None,
    typer.Option(
        "--hook-timeout",
        metavar="S",
        help="Seconds that a hook may take.",
        show_default="60",
        rich_help_panel=_EVENT,
    ),
]
Parallel = Annotated[
    int | None,
    typer.Option(
        "--parallel",
        metavar="N",
        help="Sizes invoked at the same time; never one size twice.",
        show_default="1",
        rich_help_panel=_CALL,
    ),
]
SkipTrial = Annotated[
    bool,
    typer.Option(
        "--skip-trial",
        help="Leave out the call at today's size that comes first.",
        rich_help_panel=_CALL,
    ),
]
