"""Which objects of a history may go: pure, by the dates that nights count for.

Nights that baselines stand on never go: the last 90 of each branch, those from which an accepted
level holds, and those that are named. Decisions stay for good: they are small, and say why a level
is what it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from reports.history.decisions import latest_alarms
from reports.history.history import Past, StoredRecord, past_of
from reports.history.record import EventRecord

# What trend pages and change points look at; baselines look at 28 of the same key.
NIGHTS_KEPT = 90


@dataclass(frozen=True, slots=True)
class Retained:
    """Which nights go with which objects, and how many of the old ones stay for which reason."""

    nights: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    kept: dict[str, int] = field(default_factory=dict)


def prunable(
    stored: Sequence[StoredRecord],
    today: date,
    days: int,
    *,
    keep_nights: int = NIGHTS_KEPT,
    pinned: Collection[str] = (),
) -> Retained:
    """The nights of a plan that are more than `days` days old and that nothing stands on.

    `pinned` are ids or dates of nights. A night whose date cannot be read stays.
    """
    past = past_of([entry.record for entry in stored])
    nights = _nights(past)
    recent = _recent(past, nights, keep_nights)
    began = _accepted(past)
    gone: set[str] = set()
    kept: Counter[str] = Counter()
    for night_id, (sequence, night) in nights.items():
        if not _is_old(night, today, days):
            continue
        if night_id in recent:
            kept[f"of the last {keep_nights} nights"] += 1
        elif {night_id, sequence} & began:
            kept["from which an accepted level holds"] += 1
        elif {night_id, night} & set(pinned):
            kept["named to be kept"] += 1
        else:
            gone.add(night_id)
    names = [
        entry.name
        for entry in stored
        if not isinstance(entry.record, EventRecord) and entry.record.night_id in gone
    ]
    return Retained(tuple(one for one in nights if one in gone), tuple(names), dict(kept))


def _nights(past: Past) -> dict[str, tuple[int, str]]:
    """Sequence and date of each night that left runs or a record, in order."""
    found = {run.night_id: (run.sequence, run.night) for run in past.runs}
    found |= {night.night_id: (night.sequence, night.night) for night in past.nights}
    return dict(sorted(found.items(), key=lambda item: (item[1][0], item[0])))


def _recent(past: Past, nights: Mapping[str, object], most: int) -> set[str]:
    """The last nights of each branch: nights are compared with those of their own."""
    branches = {run.night_id: run.branch for run in past.runs}
    branches |= {night.night_id: night.branch for night in past.nights}
    counts: Counter[str | None] = Counter()
    recent = set()
    for night_id in reversed(list(nights)):
        counts[branches[night_id]] += 1
        if counts[branches[night_id]] <= most:
            recent.add(night_id)
    return recent


def _accepted(past: Past) -> set[int | str]:
    """Sequences and ids of the nights at which accepted levels begin."""
    alarms = latest_alarms(past.nights)
    began: set[int | str] = set()
    for event in past.events:
        if event.action != "accept":
            continue
        if event.from_sequence is not None:
            began.add(event.from_sequence)
        alarm = alarms.get(event.alarm_id or "")
        if alarm is not None:
            began |= {alarm.since_sequence, alarm.since_night_id}
    return began


def _is_old(night: str, today: date, days: int) -> bool:
    try:
        return date.fromisoformat(night) < today - timedelta(days=days)
    except ValueError:
        return False
