"""What people decide, as records: an accepted level, a mute with an end, a mute taken back.

Pure: the past, the words of the command line, the clock and ids come in; decisions come out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from core.errors import InputError
from core.located_model import did_you_mean
from core.text import one_line
from reports.history.commands.listing import open_alarms
from reports.history.commands.showing import named
from reports.history.commands.words import until_of
from reports.history.decisions import acceptance_of, moment_of, mutes_in_force
from reports.history.history import Past
from reports.history.record import AlarmRecord, EventRecord, NightRecord, SeriesId

ALL = "all"
# A mute is to get over a known time; what is to stay is accepted.
_LONGEST_MUTE = timedelta(days=366)
_SPAN = re.compile(r"(\d{1,4})\s*([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
# Who it is: where CI services put it (GitHub, GitLab, Jenkins, CodeBuild), then the system.
_WHO = (
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILD_USER_ID",
    "CODEBUILD_INITIATOR",
    "USER",
    "LOGNAME",
    "USERNAME",
)


@dataclass(frozen=True, slots=True)
class Decider:
    """What each decision of a command has: why, who and when; `new_id` gives ids of events."""

    plan: str
    reason: str
    who: str | None
    now: datetime
    new_id: Callable[[], str]

    def event(
        self, action: Literal["accept", "mute", "unmute"], past: Past, **values: object
    ) -> EventRecord:
        """A decision, after all nights that there are."""
        return EventRecord.model_validate(
            {
                "event_id": self.new_id(),
                "plan": self.plan,
                "at_utc": self.now.isoformat(timespec="milliseconds"),
                "sequence": past.highest_sequence,
                "action": action,
                "reason": self.reason,
                "who": self.who,
                **values,
            }
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """The records to write, and what there was to say of what needs none."""

    events: tuple[EventRecord, ...] = ()
    notes: tuple[str, ...] = ()


def reason_from(text: str) -> str:
    """A reason in one line.

    Raises:
        InputError: when there is none.
    """
    reason = one_line(text)
    if not reason:
        raise InputError("--reason: expected a sentence that others understand in a year (got '')")
    return reason


def who_from(environment: Mapping[str, str]) -> str | None:
    """Who decides, as the CI service or the system says."""
    told = (one_line(environment.get(name, "")) for name in _WHO)
    return next((name for name in told if name), None)


def accept(past: Past, words: Sequence[str], figures: Sequence[str], by: Decider) -> Decided:
    """New levels from the first nights of alarms, or of figures from a night.

    Raises:
        InputError: a word names no alarm and no night, or there is nothing to accept.
    """
    events: list[EventRecord] = []
    notes: list[str] = []
    for alarm, series, sequence in _levels(past, words, figures):
        held = None if alarm is None else acceptance_of([*past.events, *events], alarm)
        if held is None and alarm is None:
            held = _level_held([*past.events, *events], series, sequence)
        if held is not None:
            what = f"alarm {alarm.alarm_id}" if alarm else str(series or "all figures")
            who = f" by {held.who}" if held.who else ""
            notes.append(f"{what} is accepted already{who}, {held.at_utc[:10]}: {held.reason}")
            continue
        alarm_id = None if alarm is None else alarm.alarm_id
        values = {"alarm_id": alarm_id, "series": series, "from_sequence": sequence}
        events.append(by.event("accept", past, **values))
    return Decided(tuple(events), tuple(notes))


def mute(past: Past, word: str, until: datetime, by: Decider) -> Decided:
    """Silence for an alarm, a figure or all of them, until `until`.

    Raises:
        InputError: `word` names none of them.
    """
    target = _target(past, word)
    event = by.event("mute", past, **target, until_utc=until.isoformat(timespec="seconds"))
    return Decided((event,))


def unmute(past: Past, word: str, by: Decider) -> Decided:
    """Ends the mutes of an alarm, a figure or all before their time.

    Raises:
        InputError: `word` names none of them.
    """
    target = _target(past, word)
    event = by.event("unmute", past, **target)
    before = mutes_in_force(past.events, by.now)
    after = mutes_in_force([*past.events, event], by.now)
    rest = [f"still muted until {until_of(one)}: {_called(one)}" for one in after]
    if len(after) == len(before):
        return Decided((), (f"no mute of {_called(event)} is in force; nothing is changed", *rest))
    return Decided((event,), tuple(rest))


def end_of(until: str | None, span: str | None, now: datetime) -> datetime:
    """When a mute ends: at the end of a day in UTC, at a time, or after a span such as 14d.

    Raises:
        InputError: not one of both is given, or it is not in the year to come.
    """
    if (until is None) == (span is None):
        raise InputError("a mute has an end: give one of --until 2026-12-24 and --for 14d")
    option, text = ("--until", until) if until is not None else ("--for", span)
    end = _day_or_time(str(text)) if until is not None else _after(str(text), now)
    if end is None:
        expected = (
            "a date such as 2026-12-24" if until is not None else "a time such as 12h, 14d or 2w"
        )
        raise InputError(f"{option}: expected {expected} (got {text!r})")
    if not now < end <= now + _LONGEST_MUTE:
        raise InputError(
            f"{option}: expected an end in the year to come (got {text!r})",
            hint="what is to stay is accepted, not muted",
        )
    return end


def _day_or_time(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            return moment_of(text).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    if day == date.max:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def _after(text: str, now: datetime) -> datetime | None:
    found = _SPAN.fullmatch(text.strip())
    return now + int(found[1]) * _UNITS[found[2]] if found else None


_Level = tuple[AlarmRecord | None, SeriesId | None, int]


def _levels(past: Past, words: Sequence[str], figures: Sequence[str]) -> list[_Level]:
    """Alarm, figure and first night of each level that is meant; None for all figures."""
    if list(words) == [ALL]:
        ended = [night for night in past.nights if night.verdict != "interrupted"]
        last = open_alarms(ended[-1:])
        alarms = [alarm for alarm in last if _is_chosen(alarm, figures, past)]
        if not alarms:
            raise InputError("the last night has no alarm to accept")
        return [_of_alarm(alarm) for alarm in alarms]
    if not words:
        raise InputError(
            "nothing is named to accept", hint="give the ID of an alarm or of a night, or --all"
        )
    levels: list[_Level] = []
    for word in words:
        one = named(past, word)
        if one.alarm is not None:
            if figures:
                raise InputError(f"--series: goes with a night, and {word} is an alarm of a figure")
            levels.append(_of_alarm(one.alarm))
        elif one.nights:
            for night in one.nights:
                levels += _of_night(night, figures, past)
        else:
            raise InputError(f"{word}: expected the ID of an alarm or of a night")
    return levels


def _of_alarm(alarm: AlarmRecord) -> _Level:
    return alarm, alarm.series, alarm.since_sequence


def _of_night(night: NightRecord, figures: Sequence[str], past: Past) -> list[_Level]:
    open_ones = [alarm for alarm in night.alarms if alarm.state != "cleared"]
    if not figures:
        if not open_ones:
            raise InputError(
                f"the night {night.night} ({night.night_id}) has no alarm to accept",
                hint="--series FIGURE, or --series all, begins a new level without one",
            )
        return [_of_alarm(alarm) for alarm in open_ones]
    levels: list[_Level] = []
    for text in figures:
        series = None if text == ALL else series_of(past, text)
        alarm = next((one for one in open_ones if one.series == series), None)
        levels.append(_of_alarm(alarm) if alarm else (None, series, night.sequence))
    return levels


def _is_chosen(alarm: AlarmRecord, figures: Sequence[str], past: Past) -> bool:
    chosen = [None if text == ALL else series_of(past, text) for text in figures]
    return not chosen or None in chosen or alarm.series in chosen


def _level_held(
    events: Sequence[EventRecord], series: SeriesId | None, sequence: int
) -> EventRecord | None:
    return next(
        (
            event
            for event in events
            if event.action == "accept"
            and event.from_sequence == sequence
            and event.series in (None, series)
        ),
        None,
    )


def series_of(past: Past, text: str) -> SeriesId:
    """The figure that is called `STEP / SCOPE / METRIC`.

    Raises:
        InputError: no figure of the history is, with what comes close.
    """
    wanted = _squeezed(text)
    known = known_series(past)
    found = next((series for name, series in known.items() if _squeezed(name) == wanted), None)
    if found is None:
        raise InputError(f"no figure is called {text!r}{did_you_mean(text, set(known))}")
    return found


def known_series(past: Past) -> dict[str, SeriesId]:
    """All figures that a run or an alarm of the history has, by what they are called."""
    found = {
        SeriesId(step=run.step, scope=point.scope, metric=point.metric)
        for run in past.runs
        for point in run.points
    }
    found |= {alarm.series for night in past.nights for alarm in night.alarms}
    return {str(series): series for series in sorted(found, key=str)}


def _target(past: Past, word: str) -> dict[str, object]:
    """What a mute is about, as values of its record."""
    if word == ALL:
        return {}
    if "/" in word:
        return {"series": series_of(past, word)}
    alarm = named(past, word).alarm
    if alarm is None:
        raise InputError(
            f"{word}: expected the ID of an alarm, a figure or all",
            hint="a figure is called 'STEP / SCOPE / METRIC'",
        )
    return {"alarm_id": alarm.alarm_id, "series": alarm.series}


def _called(event: EventRecord) -> str:
    if event.alarm_id is not None:
        return f"alarm {event.alarm_id}"
    return "all figures" if event.series is None else str(event.series)


def _squeezed(text: str) -> str:
    return "/".join(part.strip() for part in text.split("/"))
