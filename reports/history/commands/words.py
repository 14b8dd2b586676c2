"""How alarms, decisions and their times are said in `reports history`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.errors import ExitCode
from reports.figures import SPACE, milliseconds, percent, usd
from reports.history.decisions import moment_of
from reports.history.record import AlarmRecord, EventRecord

if TYPE_CHECKING:
    from rich.table import Table


def new_table() -> Table:
    """A table that fits among lines of text."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)


def document_of(**values: object) -> str:
    """The JSON document of a command that came to its end."""
    told = {
        "schema_version": 1,
        "kind": "history",
        "verdict": "pass",
        "exit_code": int(ExitCode.PASS),
        "errors": [],
    }
    return json.dumps({**told, **values}, indent=2)


def value_of(value: float, unit: str) -> str:
    """A figure with its unit; costs are of a million calls or requests."""
    return f"{usd(value)} per million" if unit == "usd_per_million" else milliseconds(value)


def change_of(alarm: AlarmRecord) -> str:
    """`+12 %, 5.0 to 19 %`."""
    text = (
        f"+{percent(alarm.change_share)}"
        if alarm.change_share >= 0
        else percent(alarm.change_share)
    )
    if alarm.change_interval is None:
        return text
    low, high = (percent(share).removesuffix(f"{SPACE}%") for share in alarm.change_interval)
    return f"{text}, {low} to {high}{SPACE}%"


def alarm_line(alarm: AlarmRecord, state: str) -> str:
    """An alarm in one line."""
    return (
        f"{alarm.alarm_id}  {state}: {alarm.series} {change_of(alarm)}, "
        f"since {alarm.since_night} (night {alarm.since_sequence})"
    )


def until_of(event: EventRecord) -> str:
    """When a mute ends: `2026-12-25 00:00 UTC`."""
    if event.until_utc is None:
        return "somebody ends it"
    return f"{moment_of(event.until_utc):%Y-%m-%d %H:%M} UTC"


def what_of(event: EventRecord) -> str:
    """What a decision is about."""
    figure = "all figures" if event.series is None else str(event.series)
    return figure if event.alarm_id is None else f"alarm {event.alarm_id} ({figure})"


def reason_of(event: EventRecord) -> str:
    """Why, and who said so."""
    return f"{event.reason} ({event.who})" if event.who else event.reason


def plain(event: EventRecord) -> Mapping[str, object]:
    """A decision as JSON has it."""
    values: dict[str, object] = event.model_dump(mode="json")
    return values
