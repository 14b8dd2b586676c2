"""What becomes of a figure tonight: fine, suspected, confirmed, cleared, muted; pure.

An alarm is of a figure and of the night in which its change began. Later nights are more of the
same alarm, until the figure is back, or somebody accepts the new level.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1
from typing import Literal

from reports.history.record import AlarmRecord, AlarmState, RunRecord, SeriesId
from reports.nightly.figures_of_nights import Figure
from reports.regression.confirmation import Confirmation
from reports.regression.relative import Judgement

# What holds an alarm: a figure that was confirmed need not be shown again from nothing each night.
HELD_P = 0.05
_HELD_PART = 0.5

Fate = Literal["fine", "suspect", "confirmed", "cleared", "recovered"]


@dataclass(frozen=True, slots=True)
class Course:
    """What came of a figure; `by` says in words who confirmed or cleared it.

    `since` is the run of the first night of the change. `ask` where further runs would tell.
    """

    fate: Fate
    by: str = ""
    since: RunRecord | None = None
    ask: bool = False


def course_of(
    figure: Figure,
    judged: Judgement,
    before: AlarmRecord | None,
    confirmation: Confirmation | None,
    *,
    runs_again: bool,
) -> Course:
    """What becomes of a figure, by its judgement, its open alarm, and tonight's further runs.

    `runs_again`: further runs of the night can be had, so that two nights wait for them as well.
    """
    if judged.change is None or judged.p_value is None:
        return Course("fine")
    if before is not None:
        if is_confirmed(before):
            held = judged.change >= _HELD_PART * figure.floor and judged.p_value <= HELD_P
            if held or judged.answer == "worse":
                return Course("confirmed", before.confirmed_by)
            return Course("recovered", "tonight it is back where it was")
        agrees = judged.change >= figure.floor and judged.p_value <= HELD_P
        if confirmation is not None and confirmation.paired:
            # The platform may be as slow as last night; pairs do not mind.
            return _suspected(figure, judged, confirmation, runs_again=runs_again)
        if agrees or judged.two_nights:
            return Course("confirmed", "the next night agrees")
        if judged.answer != "worse":
            return Course("cleared", "the next night does not agree")
    if judged.answer != "worse":
        return Course("fine")
    return _suspected(figure, judged, confirmation, runs_again=runs_again)


def is_confirmed(alarm: AlarmRecord) -> bool:
    """Whether it was ever confirmed; what is muted may only be suspected."""
    return alarm.state == "confirmed" or (alarm.state == "muted" and bool(alarm.confirmed_by))


def _suspected(
    figure: Figure, judged: Judgement, confirmation: Confirmation | None, *, runs_again: bool
) -> Course:
    of_two = judged.two_nights and figure.last is not None
    since = figure.last.run if of_two and figure.last is not None else figure.run
    too = "last night was as high" if of_two else ""
    if confirmation is None:
        if of_two and not runs_again:
            return Course("confirmed", too, since)
        return Course("suspect", _waits(judged), since, ask=True)
    if not confirmation.confirmed:
        return Course("cleared", confirmation.words, since)
    return Course("confirmed", f"{too}; {confirmation.words}" if too else confirmation.words, since)


def _waits(judged: Judgement) -> str:
    if judged.common:
        return "most endpoints rose tonight, which may be the platform; the next night decides"
    return "no further run tells; the next night decides"


def alarm_id_of(series: SeriesId, night_id: str) -> str:
    """The name of the change of a figure that began with a night; the same on each later one."""
    digest = hashlib.sha256(f"{series}\n{night_id}".encode()).hexdigest()
    return f"a-{digest[:8]}"


def alarm_of(
    figure: Figure, judged: Judgement, course: Course, state: AlarmState, before: AlarmRecord | None
) -> AlarmRecord:
    """The alarm as tonight sees it; `before` is the same one of an earlier night."""
    change, interval = judged.change or 0.0, judged.interval
    first = course.since or figure.run
    values = {
        "series": figure.series,
        "state": state,
        "change_share": expm1(change),
        "change_interval": None if interval is None else (expm1(interval[0]), expm1(interval[1])),
        "p_value": judged.p_adjusted,
        "floor_share": figure.floor_share,
        "baseline_value": figure.point.value / (1 + expm1(change)),
        "value": figure.point.value,
        "unit": figure.point.unit,
        "confirmed_by": "" if course.fate == "suspect" else course.by,
    }
    if before is not None:
        return before.model_copy(update=values)
    beginning = {
        "alarm_id": alarm_id_of(figure.series, first.night_id),
        "since_night": first.night,
        "since_night_id": first.night_id,
        "since_sequence": first.sequence,
        "commits": (_commit_before(figure, first), first.git_commit),
    }
    return AlarmRecord.model_validate(beginning | values)


def _commit_before(figure: Figure, first: RunRecord) -> str | None:
    """The commit of the last night without the change."""
    nights = [*figure.nights, *([figure.last] if figure.last is not None else [])]
    earlier: Sequence[RunRecord] = [night.run for night in nights]
    known = [run for run in earlier if run.sequence < first.sequence]
    return known[-1].git_commit if known else None
