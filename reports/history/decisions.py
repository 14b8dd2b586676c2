"""What holds of the decisions in a history: accepted levels, and mutes that have not ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reports.history.record import AlarmRecord, EventRecord, NightRecord, SeriesId

# With 24 figures and a family error of 5 % a sound figure is suspected once in 480 nights. One that
# is suspected and cleared this often in a month is noisier than its floor allows, or drifts.
CHRONIC_CLEARED = 3
CHRONIC_NIGHTS = 30


@dataclass(frozen=True, slots=True)
class Chronic:
    """A figure that is suspected again and again, and never confirmed."""

    series: SeriesId
    cleared: int


def moment_of(text: str) -> datetime:
    """An ISO 8601 time as an aware one; without a zone it is UTC."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=found.tzinfo or UTC)


def mutes_in_force(events: Sequence[EventRecord], now: datetime) -> list[EventRecord]:
    """The mutes that have neither ended nor been taken back, in the order of their decision.

    Of two for the same figure or alarm the later one counts, also where it ends sooner.
    """
    held: dict[tuple[str | None, SeriesId | None], EventRecord] = {}
    for event in events:
        if event.action == "mute":
            held.pop(_what(event), None)
            held[_what(event)] = event
        elif event.action == "unmute":
            held = {what: mute for what, mute in held.items() if not _takes_back(event, mute)}
    return [mute for mute in held.values() if not _is_over(mute, now)]


def mute_of(
    mutes: Sequence[EventRecord], series: SeriesId, alarm_id: str | None = None
) -> EventRecord | None:
    """The mute, of those in force, that covers a figure or this alarm of it; None where none does.

    A mute of an alarm covers that alarm alone: a later change of the figure is another.
    """
    for mute in mutes:
        if mute.alarm_id is not None:
            if mute.alarm_id == alarm_id:
                return mute
        elif mute.series is None or mute.series == series:
            return mute
    return None


def acceptance_of(events: Sequence[EventRecord], alarm: AlarmRecord) -> EventRecord | None:
    """The decision that accepted an alarm: its own, or a level of its figure from its first night.

    None where nobody did. A level that begins later does not accept it: until then it was worse.
    """
    for event in events:
        if event.action != "accept":
            continue
        if event.alarm_id == alarm.alarm_id:
            return event
        of_figure = event.series is None or event.series == alarm.series
        if of_figure and event.alarm_id is None and event.from_sequence == alarm.since_sequence:
            return event
    return None


def levels_of(events: Sequence[EventRecord], series: SeriesId) -> list[int]:
    """The sequences from which accepted levels of a figure hold, ascending."""
    return sorted(
        {
            event.from_sequence
            for event in events
            if event.action == "accept"
            and event.from_sequence is not None
            and event.series in (None, series)
        }
    )


def chronic_suspects(nights: Sequence[NightRecord]) -> list[Chronic]:
    """Figures that were cleared `CHRONIC_CLEARED` times or more in the last nights, most first."""
    counts: dict[SeriesId, set[str]] = {}
    for night in nights[-CHRONIC_NIGHTS:]:
        for alarm in night.alarms:
            if alarm.state == "cleared":
                counts.setdefault(alarm.series, set()).add(alarm.alarm_id)
    found = [Chronic(series, len(ids)) for series, ids in counts.items()]
    chronic = [one for one in found if one.cleared >= CHRONIC_CLEARED]
    return sorted(chronic, key=lambda one: (-one.cleared, str(one.series)))


def latest_alarms(nights: Sequence[NightRecord]) -> dict[str, AlarmRecord]:
    """Each alarm by its id, as the last night that has it saw it; in the order of first sight."""
    return {alarm.alarm_id: alarm for night in nights for alarm in night.alarms}


def _what(event: EventRecord) -> tuple[str | None, SeriesId | None]:
    """An alarm, or a figure: with an alarm the figure only says whose it is."""
    return (event.alarm_id, None) if event.alarm_id is not None else (None, event.series)


def _takes_back(unmute: EventRecord, mute: EventRecord) -> bool:
    if unmute.alarm_id is not None:
        return mute.alarm_id == unmute.alarm_id
    return unmute.series is None or mute.series == unmute.series


def _is_over(mute: EventRecord, now: datetime) -> bool:
    return mute.until_utc is not None and moment_of(mute.until_utc) <= now
