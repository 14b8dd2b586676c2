"""What is other tonight than in an earlier night, in sentences: what is worth telling; pure.

People who are told the same every night stop reading. So the same alarm is told once, when it is
confirmed, and a night that somebody interrupted is never told.
"""

from __future__ import annotations

from collections.abc import Iterator

from reports.figures import SPACE, percent, percent_range
from reports.history.record import AlarmRecord, NightRecord
from reports.nightly.document import NightGate, NightlyDocument

_BAD = ("failed", "invalid", "error", "refused")


def state_changes(
    document: NightlyDocument, previous: NightRecord | None, *, called: str = "the night before"
) -> list[str]:
    """Empty where nothing changed; `previous` is the last night that is known, if any.

    `called` is what it is called.
    """
    if document.verdict == "interrupted":
        return []
    found = [*_verdict(document, previous, called), *_alarms(document, previous)]
    return [*found, *_budgets(document, previous)]


def failed_budgets(document: NightlyDocument) -> list[str]:
    """The budgets that failed, as a record of the night keeps them."""
    return [_named(gate) for gate in _failed(document)]


def alarm_words(alarm: AlarmRecord) -> str:
    """`p95 of GET /search in orders: +12 % (interval 8 to 16 %) since 2026-11-25`."""
    one = alarm.series
    size = f"{'+' if alarm.change_share >= 0 else ''}{percent(alarm.change_share)}"
    if alarm.change_interval is not None:
        size += f" (interval {percent_range(*alarm.change_interval)})"
    by = f"; confirmed: {alarm.confirmed_by}" if alarm.confirmed_by else ""
    words = f"{one.metric} of {one.scope} in {one.step}: {size} since {alarm.since_night}{by}"
    return words.replace(SPACE, " ")


def _verdict(document: NightlyDocument, previous: NightRecord | None, called: str) -> Iterator[str]:
    tonight, before = document.verdict, previous.verdict if previous else None
    if before in (None, "interrupted"):
        # Of the nights before nothing is known: only what is bad is worth a message.
        if tonight in _BAD:
            yield f"Verdict: {tonight}."
    elif tonight != before:
        yield f"Verdict: {tonight}; {called}: {before}."


def _alarms(document: NightlyDocument, previous: NightRecord | None) -> Iterator[str]:
    before = {alarm.alarm_id: alarm.state for alarm in previous.alarms} if previous else {}
    for alarm in document.alarms:
        was = before.get(alarm.alarm_id)
        if alarm.state != "confirmed" or was == "confirmed":
            continue
        yield alarm_words(alarm) + ("; it is no longer muted" if was == "muted" else "")


def _budgets(document: NightlyDocument, previous: NightRecord | None) -> Iterator[str]:
    before = previous.failed if previous else []
    if before is None:
        return
    for gate in _failed(document):
        if _named(gate) not in before:
            yield f"{gate.step}, {gate.scope}: {gate.text}: {gate.message}".replace(SPACE, " ")


def _failed(document: NightlyDocument) -> list[NightGate]:
    return [gate for gate in document.gates if gate.kind == "budget" and gate.status == "failed"]


def _named(gate: NightGate) -> str:
    return f"{gate.step} / {gate.scope} / {gate.text}"
