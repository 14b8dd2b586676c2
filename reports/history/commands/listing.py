"""`reports history list`: the nights of a plan, what is open, and what somebody decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from core.console import Console
from core.errors import ExitCode
from reports.history.commands.opened import Opened, refuse_empty, warn_of_problems
from reports.history.commands.words import (
    alarm_line,
    document_of,
    new_table,
    plain,
    reason_of,
    until_of,
    what_of,
)
from reports.history.decisions import (
    CHRONIC_NIGHTS,
    Chronic,
    acceptance_of,
    chronic_suspects,
    mute_of,
    mutes_in_force,
)
from reports.history.history import Past
from reports.history.record import AlarmRecord, EventRecord, NightRecord

if TYPE_CHECKING:
    from rich.table import Table

_OPEN = ("confirmed", "suspect", "muted", "accepted")


def list_history(found: Opened, nights: int, console: Console, now: datetime) -> ExitCode:
    """Shows the last `nights` nights and what holds now.

    Raises:
        InputError: the history has nothing of the plan.
        ToolError: it cannot be read.
    """
    refuse_empty(found)
    past, shown = found.past, found.past.nights[-nights:]
    mutes = mutes_in_force(past.events, now)
    alarms = open_alarms(last_nights(shown))
    if console.json_output:
        console.document(
            document_of(
                plan=found.plan,
                place=found.history.place,
                nights=[night.model_dump(mode="json") for night in shown],
                alarms=[
                    {**alarm.model_dump(mode="json"), "state": state_of(alarm, past, mutes)}
                    for alarm in alarms
                ],
                mutes=[plain(mute) for mute in mutes],
                chronic=[
                    {"series": one.series.model_dump(), "cleared": one.cleared}
                    for one in chronic_suspects(past.nights)
                ],
                problems=[str(problem) for problem in past.problems],
            )
        )
    else:
        warn_of_problems(found, console)
        console.show(_headline(found, len(shown)))
        if shown:
            console.show(_table(shown))
        for line in _lines(found, alarms, mutes):
            console.show(line)
    return ExitCode.PASS


def last_nights(nights: Sequence[NightRecord]) -> list[NightRecord]:
    """The last of each branch that came to its end."""
    ended = (night for night in nights if night.verdict != "interrupted")
    return list({night.branch: night for night in ended}.values())


def open_alarms(nights: Sequence[NightRecord]) -> list[AlarmRecord]:
    """The alarms of nights, but for those that were cleared."""
    return [alarm for night in nights for alarm in night.alarms if alarm.state in _OPEN]


def state_of(alarm: AlarmRecord, past: Past, mutes: Sequence[EventRecord]) -> str:
    """The state of an alarm now: what was decided after the night counts as well."""
    if acceptance_of(past.events, alarm) is not None:
        return "accepted"
    muted = mute_of(mutes, alarm.series, alarm.alarm_id)
    if muted is not None and alarm.state in ("confirmed", "muted"):
        return "muted"
    return "confirmed" if alarm.state == "muted" else alarm.state


def _headline(found: Opened, shown: int) -> str:
    past = found.past
    count = len(past.nights)
    nights = "1 night" if count == 1 else f"{count} nights"
    if not past.nights:
        runs = f"{len(past.runs)} runs of nights that came to no end" if past.runs else "no runs"
        return f"{found.plan}: no night in {found.history.place}, {runs}"
    last = f", the last {shown} of them" if shown < count else ""
    return f"{found.plan}: {nights} in {found.history.place}{last}"


def _table(nights: Sequence[NightRecord]) -> Table:
    branches = len({night.branch for night in nights}) > 1
    table = new_table()
    for name in ("night", "seq"):
        table.add_column(name, no_wrap=True, justify="right" if name == "seq" else "left")
    table.add_column("verdict", no_wrap=True)
    table.add_column("exit", justify="right", no_wrap=True)
    table.add_column("judged", justify="right", no_wrap=True)
    table.add_column("alarms", ratio=1)
    if branches:
        table.add_column("branch", max_width=16, overflow="ellipsis", no_wrap=True)
    table.add_column("commit", no_wrap=True)
    for night in nights:
        cells = [night.night, str(night.sequence), night.verdict, str(night.exit_code)]
        cells += [str(night.judged), _counted(night.alarms)]
        cells += [night.branch or ""] if branches else []
        table.add_row(*cells, (night.git_commit or "")[:7])
    return table


def _counted(alarms: Sequence[AlarmRecord]) -> str:
    counts = Counter(str(alarm.state) for alarm in alarms)
    states = ("confirmed", "suspect", "muted", "accepted", "cleared")
    return ", ".join(f"{counts[state]} {state}" for state in states if counts[state])


def _lines(
    found: Opened, alarms: Sequence[AlarmRecord], mutes: Sequence[EventRecord]
) -> Iterator[str]:
    past = found.past
    for number, alarm in enumerate(alarms):
        if number == 0:
            yield "\nAlarms of the last night"
        state = state_of(alarm, past, mutes)
        yield f"  {alarm_line(alarm, state)}"
        accepted = acceptance_of(past.events, alarm)
        if accepted is not None:
            yield f"    {reason_of(accepted)}"
    if any(state_of(alarm, past, mutes) == "confirmed" for alarm in alarms):
        yield f"  To take one as it is: reports history accept {found.reference} ID --reason TEXT"
    for number, mute in enumerate(mutes):
        if number == 0:
            yield "\nMuted"
        yield f"  until {until_of(mute)}: {what_of(mute)}: {reason_of(mute)}"
    yield from _chronic_lines(chronic_suspects(past.nights))


def _chronic_lines(chronic: Sequence[Chronic]) -> Iterator[str]:
    for number, one in enumerate(chronic):
        if number == 0:
            yield f"\nSuspected and cleared again and again in the last {CHRONIC_NIGHTS} nights"
        yield f"  {one.cleared} times: {one.series}"
    if chronic:
        yield "  They are noisier than their floors allow: more requests, or a higher floor, helps."
