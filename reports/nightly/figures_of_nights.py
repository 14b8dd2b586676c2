"""The figures of tonight beside the same figures of earlier nights, as the gates take them.

Only nights that asked the same question count: alike in their key, of the same branch, valid, and
not within a confirmed change that nobody accepted. Their order is that of the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, log, log1p

from reports.history.decisions import acceptance_of, levels_of
from reports.history.history import Past
from reports.history.record import AlarmRecord, RunRecord, SeriesId, SeriesPoint
from reports.nightly.asked import alike
from reports.nightly.plan import LoadStep, NightlyPlan, TuneStep
from reports.regression.series import Observation, Series
from reports.trends.comparable_figures import comparable_points

Step = TuneStep | LoadStep

# Confirmed and muted changes are no baseline; a suspicion is, unless the next night confirms it.
_CHANGED = ("confirmed", "muted")


@dataclass(frozen=True, slots=True)
class FigureNight:
    """One earlier night of a figure."""

    run: RunRecord
    observation: Observation


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of tonight, and its earlier nights, ascending.

    `reruns` are those of tonight that ask the same; `last` is the night before, where it is of the
    same level and was not suspected and cleared, and is not among `nights` then.
    """

    series: SeriesId
    point: SeriesPoint
    run: RunRecord
    tonight: Observation
    nights: Sequence[FigureNight]
    last: FigureNight | None
    reruns: Sequence[Observation]
    floor_share: float
    level: int

    @property
    def name(self) -> str:
        """What the statistics call it."""
        return str(self.series)

    @property
    def floor(self) -> float:
        """The least change that matters, in ln."""
        return log1p(self.floor_share)

    def as_series(self) -> Series:
        """Its nights for the statistics."""
        return Series(
            name=self.name,
            nights=[night.observation for night in self.nights],
            floor_share=self.floor_share,
            group=f"{self.series.step} / {self.series.scope}",
            metric=self.series.metric,
            level=self.level,
        )


@dataclass(frozen=True, slots=True)
class StepNights:
    """The runs of a step: those that tonight is compared with, and how many are unlike.

    `alike` are valid and ask the same; `before` is the last valid run that does not. `reruns` are
    all further runs of tonight's version, also those of pairs.
    """

    tonight: RunRecord
    alike: Sequence[RunRecord]
    before: RunRecord | None
    reruns: Sequence[RunRecord]


def nights_of(
    tonight: RunRecord, past: Past, confirmations: Sequence[RunRecord], branch: str | None
) -> StepNights:
    """The runs of tonight's step; `branch` is the one that tonight is compared with."""
    last: dict[str, RunRecord] = {}
    for run in past.runs:
        is_earlier = (run.sequence, run.night_id) < (tonight.sequence, tonight.night_id)
        if run.step == tonight.step and run.purpose == "night" and is_earlier and run.valid:
            last[run.night_id] = run
    of_branch = [run for run in last.values() if branch is None or run.branch in (None, branch)]
    same = [run for run in of_branch if alike(run.key, tonight.key)]
    unlike = [run for run in of_branch if not alike(run.key, tonight.key)]
    reruns = [
        run
        for run in confirmations
        if run.step == tonight.step and run.purpose in ("rerun", "candidate") and run.valid
    ]
    return StepNights(
        tonight,
        same,
        unlike[-1] if unlike else None,
        [run for run in reruns if alike(run.key, tonight.key)],
    )


def figures_of(step: Step, nights: StepNights, past: Past, plan: NightlyPlan) -> list[Figure]:
    """Each gated figure of tonight's run of `step`."""
    # Runs of pairs say something beside their other one only: both are slow on a slow platform.
    reruns = [run for run in nights.reruns if run.purpose == "rerun"]
    runs = [*nights.alike, *reruns, nights.tonight]
    points = [_by_place(found) for found in comparable_points(runs, [True] * len(runs))]
    metrics = plan.metrics_of(step)
    found = []
    for (scope, metric), point in points[-1].items():
        if metric not in metrics:
            continue
        series = SeriesId(step=step.name, scope=scope, metric=metric)
        of_runs = [one.get((scope, metric)) for one in points[:-1]]
        found.append(_figure(series, point, nights, of_runs, past, plan.floor_of(step, metric)))
    return [_with_window(figure, plan.gates.window, plan.gates.min_nights) for figure in found]


def _by_place(points: Iterable[SeriesPoint]) -> dict[tuple[str, str], SeriesPoint]:
    # A figure without a logarithm is no figure; a history may come from anywhere.
    return {
        (point.scope, point.metric): point
        for point in points
        if isfinite(point.value) and point.value > 0
    }


def _figure(
    series: SeriesId,
    point: SeriesPoint,
    nights: StepNights,
    of_runs: Sequence[SeriesPoint | None],
    past: Past,
    floor_share: float,
) -> Figure:
    starts = [start for start in levels_of(past.events, series) if start <= nights.tonight.sequence]
    changed = changed_spans(past, series)
    count = len(nights.alike)
    known = [
        FigureNight(run, _observation(order, found, _level(starts, run)))
        for order, (run, found) in enumerate(zip(nights.alike, of_runs[:count], strict=True))
        if found is not None and not any(span.holds(run.sequence) for span in changed)
    ]
    level = len(starts)
    return Figure(
        series=series,
        point=point,
        run=nights.tonight,
        tonight=_observation(count, point, level),
        nights=known,
        last=None if _was_cleared(past, series, known) else _last(known, nights, level),
        reruns=[_observation(count, one, level) for one in of_runs[count:] if one is not None],
        floor_share=floor_share,
        level=level,
    )


def _was_cleared(past: Past, series: SeriesId, known: Sequence[FigureNight]) -> bool:
    """Whether the last night of a figure looked worse, and its own reruns did not."""
    last_id = known[-1].run.night_id if known else None
    return any(
        alarm.series == series and alarm.state == "cleared" and alarm.since_night_id == last_id
        for night in past.nights
        if night.night_id == last_id
        for alarm in night.alarms
    )


def _last(known: Sequence[FigureNight], nights: StepNights, level: int) -> FigureNight | None:
    """The night before, where it counts."""
    if not known or known[-1].run.run_id != nights.alike[-1].run_id:
        return None
    return known[-1] if known[-1].observation.level == level else None


def _with_window(figure: Figure, window: int, min_nights: int) -> Figure:
    """With the latest nights only, and without last night where there are enough of them.

    Last night is no part of what it is compared with itself; of a level that it began with one
    night or two it is all that there is.
    """
    nights, last = list(figure.nights), figure.last
    at_level = sum(night.observation.level == figure.level for night in nights)
    if last is not None and len(nights) > min_nights and at_level > 2:
        nights = nights[:-1]
    else:
        last = None
    return replace(figure, nights=nights[-window:], last=last)


def _observation(order: int, point: SeriesPoint, level: int) -> Observation:
    error = point.error_ln if point.error_ln is not None and isfinite(point.error_ln) else None
    return Observation(order, log(point.value), error, level)


def _level(starts: Sequence[int], run: RunRecord) -> int:
    return sum(start <= run.sequence for start in starts)


@dataclass(frozen=True, slots=True)
class ChangedSpan:
    """The nights, by sequence, in which a figure was changed and nobody had accepted that."""

    first: int
    last: int

    def holds(self, sequence: int) -> bool:
        """Whether a night is one of them."""
        return self.first <= sequence <= self.last


def changed_spans(past: Past, series: SeriesId) -> list[ChangedSpan]:
    """Of each confirmed or muted change of a figure that was not accepted."""
    spans: dict[str, ChangedSpan] = {}
    for night in past.nights:
        for alarm in night.alarms:
            is_changed = alarm.series == series and alarm.state in _CHANGED
            if is_changed and acceptance_of(past.events, alarm) is None:
                spans[alarm.alarm_id] = ChangedSpan(alarm.since_sequence, night.sequence)
    return list(spans.values())


def open_alarms(past: Past, branch: str | None) -> Mapping[SeriesId, AlarmRecord]:
    """The last alarm of each figure, as far as it has neither ended nor been accepted."""
    last: dict[SeriesId, AlarmRecord] = {}
    for night in past.nights:
        if branch is None or night.branch in (None, branch):
            last.update({alarm.series: alarm for alarm in night.alarms})
    return {
        series: alarm
        for series, alarm in last.items()
        if alarm.state in ("suspect", "confirmed", "muted")
        and acceptance_of(past.events, alarm) is None
    }
