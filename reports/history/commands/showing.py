"""`reports history show`: all that the history knows of one night, run, alarm or decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core.console import Console
from core.errors import ExitCode, InputError
from core.located_model import did_you_mean
from reports.figures import SPACE, moment, percent, usd
from reports.history.commands.listing import state_of
from reports.history.commands.opened import Opened, refuse_empty, warn_of_problems
from reports.history.commands.words import (
    alarm_line,
    document_of,
    new_table,
    plain,
    reason_of,
    until_of,
    value_of,
    what_of,
)
from reports.history.decisions import latest_alarms, mutes_in_force
from reports.history.history import Past
from reports.history.names import object_name
from reports.history.record import AlarmRecord, EventRecord, NightRecord, RunRecord

if TYPE_CHECKING:
    from rich.table import Table

# Fewer letters than this could be the beginning of many ids.
_LEAST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Named:
    """What an id, or the date of a night, names in a history."""

    nights: tuple[NightRecord, ...] = ()
    run: RunRecord | None = None
    alarm: AlarmRecord | None = None
    event: EventRecord | None = None


def named(past: Past, text: str) -> Named:
    """What is called `text`; the beginning of an id will do where it is of one alone.

    Raises:
        InputError: nothing is, with what comes close.
    """
    of_date = tuple(night for night in past.nights if night.night == text)
    if of_date:
        return Named(nights=of_date)
    ids: dict[str, Named] = {night.night_id: Named(nights=(night,)) for night in past.nights}
    ids |= {run.run_id: Named(run=run) for run in past.runs}
    ids |= {name: Named(alarm=alarm) for name, alarm in latest_alarms(past.nights).items()}
    ids |= {event.event_id: Named(event=event) for event in past.events}
    if text in ids:
        return ids[text]
    beginning = [one for name, one in ids.items() if name.startswith(text)]
    if len(beginning) == 1 and len(text) >= _LEAST_PREFIX:
        return beginning[0]
    known = {*ids, *(night.night for night in past.nights)}
    raise InputError(f"no night, run or alarm is called {text!r}{did_you_mean(text, known)}")


def show_named(found: Opened, console: Console, now: datetime) -> ExitCode:
    """Shows what the one word that is left names.

    Raises:
        InputError: it names nothing, or there is not one word.
    """
    if len(found.words) != 1:
        raise InputError(
            f"expected one ID of a night, a run or an alarm (got {len(found.words)})",
            hint=f"reports history list {found.reference} shows them",
        )
    refuse_empty(found)
    past = found.past
    one = named(past, found.words[0])
    if one.run is not None:
        one = Named(run=_whole(found, one.run))
    if console.json_output:
        console.document(document_of(plan=found.plan, **_plain(one, past)))
        return ExitCode.PASS
    warn_of_problems(found, console)
    for line in _lines(one, past, now):
        console.show(line)
    return ExitCode.PASS


def _whole(found: Opened, run: RunRecord) -> RunRecord:
    """A run with its blocks of time; of one that was recorded twice only the first has them."""
    whole = found.history.read(object_name(run))
    if isinstance(whole, RunRecord) and whole.model_copy(update={"blocks": []}) == run:
        return whole
    return run


def _plain(one: Named, past: Past) -> dict[str, object]:
    if one.run is not None:
        return {"run": one.run.model_dump(mode="json")}
    if one.alarm is not None:
        return {
            "alarm": one.alarm.model_dump(mode="json"),
            "nights": [night.night_id for night, _ in _seen(one.alarm, past)],
            "events": [plain(event) for event in _decided(one.alarm, past)],
        }
    if one.event is not None:
        return {"event": plain(one.event)}
    ids = {night.night_id for night in one.nights}
    return {
        "nights": [night.model_dump(mode="json") for night in one.nights],
        "runs": [run.model_dump(mode="json") for run in past.runs if run.night_id in ids],
    }


def _lines(one: Named, past: Past, now: datetime) -> Iterator[str | Table]:
    if one.run is not None:
        yield from _run_lines(one.run)
    elif one.alarm is not None:
        yield from _alarm_lines(one.alarm, past, now)
    elif one.event is not None:
        yield event_line(one.event)
    for number, night in enumerate(one.nights):
        if number:
            yield ""
        yield from _night_lines(night, past, now)


def event_line(event: EventRecord) -> str:
    """A decision in one line."""
    words = {"accept": "accepted", "mute": "muted", "unmute": "no longer muted"}
    end = f" until {until_of(event)}" if event.action == "mute" else ""
    level = f", a new level from night {event.from_sequence}" if event.from_sequence else ""
    when = moment(event.at_utc)
    return f"{when}: {words[event.action]}{end}: {what_of(event)}{level}: {reason_of(event)}"


def _night_lines(night: NightRecord, past: Past, now: datetime) -> Iterator[str | Table]:
    yield (
        f"night {night.night} (id {night.night_id}, number {night.sequence}): {night.verdict}, "
        f"exit code {night.exit_code}"
    )
    yield f"  {moment(night.started_utc)} to {moment(night.finished_utc)}{_where(night)}"
    mutes = mutes_in_force(past.events, now)
    for alarm in night.alarms:
        state = alarm.state if alarm.state == "cleared" else state_of(alarm, past, mutes)
        yield f"  {alarm_line(alarm, state)}"
        if alarm.confirmed_by:
            yield f"    by {alarm.confirmed_by}"
    yield from (f"  failed: {budget}" for budget in night.failed or ())
    yield from (f"  note: {note}" for note in night.notes)
    runs = [run for run in past.runs if run.night_id == night.night_id]
    if not runs:
        yield "  no runs are in the history"
        return
    table = new_table()
    for name in ("run", "step", "of the", "verdict", "valid"):
        table.add_column(name, overflow="fold")
    for name in ("figures", "spent"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs:
        spent = "" if run.spent_usd is None else usd(run.spent_usd)
        valid = "yes" if run.valid else "no"
        figures = str(len(run.points))
        table.add_row(run.run_id, run.step, run.purpose, run.verdict, valid, figures, spent)
    yield table


def _run_lines(run: RunRecord) -> Iterator[str | Table]:
    valid = "valid" if run.valid else f"not valid: {'; '.join(run.invalid_reasons) or 'no reason'}"
    yield f"run {run.run_id} of {run.step} ({run.kind}), {run.night}: {run.verdict}, {valid}"
    yield f"  {moment(run.started_utc)} to {moment(run.finished_utc)}{_where(run)}"
    key = run.key
    sizes = ", ".join(f"{size}{SPACE}MB" for size in key.memory_mb)
    told = (key.target, key.region, key.arch, sizes, run.runtime, run.environment)
    yield f"  {', '.join(part for part in told if part)}"
    if run.recommended_mb is not None:
        now = f" (now {run.current_mb}{SPACE}MB)" if run.current_mb else ""
        yield f"  recommended: {run.recommended_mb}{SPACE}MB{now}"
    table = new_table()
    table.add_column("of")
    table.add_column("figure", no_wrap=True)
    for name in ("value", "error", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for point in run.points:
        error = "" if point.error_ln is None else f"±{percent(point.error_ln)}"
        value = value_of(point.value, point.unit)
        table.add_row(point.scope, point.metric, value, error, f"{point.n:,}")
    yield table
    if run.blocks:
        count = sum(len(scope.blocks) for scope in run.blocks)
        parts = ", ".join(scope.scope for scope in run.blocks[:6])
        more = ", ..." if len(run.blocks) > 6 else ""
        yield f"  with histograms of {count} blocks of time: {parts}{more}"


def _alarm_lines(alarm: AlarmRecord, past: Past, now: datetime) -> Iterator[str]:
    mutes = mutes_in_force(past.events, now)
    state = alarm.state if alarm.state == "cleared" else state_of(alarm, past, mutes)
    yield alarm_line(alarm, state)
    value = value_of(alarm.value, alarm.unit)
    if alarm.baseline_value is not None:
        baseline = value_of(alarm.baseline_value, alarm.unit)
        yield f"  {value}; before {baseline}; a change below {percent(alarm.floor_share)} is none"
    else:
        yield f"  {value}"
    if alarm.p_value is not None:
        yield f"  p = {alarm.p_value:.2g}, one-sided, adjusted for all figures of the night"
    if alarm.confirmed_by:
        yield f"  by {alarm.confirmed_by}"
    before, after = alarm.commits
    if before or after:
        yield f"  commits: {(before or 'not known')[:12]} without it, {(after or '?')[:12]} with it"
    for night, seen in _seen(alarm, past):
        yield f"  {night.night} (night {night.sequence}): {seen.state}"
    yield from (f"  {event_line(event)}" for event in _decided(alarm, past))


def _seen(alarm: AlarmRecord, past: Past) -> Iterator[tuple[NightRecord, AlarmRecord]]:
    for night in past.nights:
        for seen in night.alarms:
            if seen.alarm_id == alarm.alarm_id:
                yield night, seen


def _decided(alarm: AlarmRecord, past: Past) -> list[EventRecord]:
    """The decisions about an alarm, its figure or all figures since it began."""
    return [
        event
        for event in past.events
        if event.alarm_id == alarm.alarm_id
        or (
            event.alarm_id is None
            and event.series in (None, alarm.series)
            and event.sequence >= alarm.since_sequence
        )
    ]


def _where(record: NightRecord | RunRecord) -> str:
    commit = f", commit {record.git_commit[:12]}" if record.git_commit else ""
    return f"{f', branch {record.branch}' if record.branch else ''}{commit}"
