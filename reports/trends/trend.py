"""Trends: each figure over the last nights, with levels, changes and what happened to its step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import ceil
from typing import Protocol
from zlib import crc32

import numpy as np

from reports.history.decisions import levels_of
from reports.history.record import AlarmRecord, EventRecord, NightRecord, RunRecord, SeriesId
from reports.nightly.document import NightGate, Trend, TrendMark
from reports.nightly.plan import NightlyPlan
from reports.trends.night_marks import (
    alarms_of,
    marks_of_events,
    marks_of_step,
    marks_of_steps,
)
from reports.trends.series_nights import SeriesNight, nights_of_step, states_of
from reports.trends.trend_levels import bands_of, steps_of

_DAY_S = 86_400.0
# A gap that is longer than this is a clock, or another life of the plan.
_MOST_MISSING = 400


class PastNights(Protocol):
    """What a history knows of a plan, in the order of its nights."""

    @property
    def runs(self) -> Sequence[RunRecord]: ...

    @property
    def nights(self) -> Sequence[NightRecord]: ...

    @property
    def events(self) -> Sequence[EventRecord]: ...


def trends_of(
    past: PastNights,
    tonight: Sequence[RunRecord],
    *,
    plan: NightlyPlan,
    gates: Sequence[NightGate] = (),
    alarms: Sequence[AlarmRecord] = (),
    rng_seed: int = 0,
    nights: int = 90,
) -> list[Trend]:
    """The gated figures of the plan's steps over the last `nights` nights, in the plan's order.

    `gates` and `alarms` are those of tonight; alarms also of earlier nights whose state tonight
    changed. Runs of another branch than tonight's are left out.
    """
    runs = last_nights(_of_branch([*past.runs, *tonight], tonight), nights)
    tonight_id = tonight[-1].night_id if tonight else None
    states = states_of(past.nights, tonight_id, gates, alarms)
    known = [*alarms_of(past.nights), *alarms]
    last_night = runs[-1].night if runs else None
    found = []
    for step in plan.steps:
        of_step = [run for run in runs if run.step == step.name]
        metrics = plan.metrics_of(step)
        for series, of_series in nights_of_step(of_step, states).items():
            # What is no longer asked for has only nights that are unlike.
            if series.metric not in metrics or all(one.status == "unlike" for one in of_series):
                continue
            floor = plan.floor_of(step, series.metric)
            rng = np.random.default_rng([rng_seed, crc32(str(series).encode())])
            trend = _Trend(series, of_series, of_step, past.events, known, floor, rng)
            found.append(trend.document(plan.every_s, last_night))
    return found


def _of_branch(runs: Sequence[RunRecord], tonight: Sequence[RunRecord]) -> list[RunRecord]:
    branch = next((run.branch for run in reversed(tonight) if run.branch), None)
    if branch is None:
        return list(runs)
    return [run for run in runs if run.branch in (None, branch)]


def last_nights(runs: Sequence[RunRecord], nights: int) -> list[RunRecord]:
    """Runs of nights in the order of the history, of the last so many nights."""
    order = sorted(
        (run for run in runs if run.purpose == "night"),
        key=lambda run: (run.sequence, run.night_id, run.run_id),
    )
    kept = list(dict.fromkeys((run.sequence, run.night_id) for run in order))[-nights:]
    return [run for run in order if (run.sequence, run.night_id) in set(kept)]


class _Trend:
    """One figure, with what is needed to tell of it."""

    def __init__(
        self,
        series: SeriesId,
        nights: Sequence[SeriesNight],
        runs: Sequence[RunRecord],
        events: Sequence[EventRecord],
        alarms: Sequence[AlarmRecord],
        floor_share: float,
        rng: np.random.Generator,
    ) -> None:
        self.series, self.nights, self.runs = series, nights, runs
        self.events, self.alarms = events, alarms
        self.floor_share, self.rng = floor_share, rng

    def document(self, every_s: float, last_night: str | None) -> Trend:
        counted = [night for night in self.nights if night.counts]
        steps = steps_of(counted, levels_of(self.events, self.series), self.floor_share, self.rng)
        unit = self.nights[0].point.unit
        marks = [
            *marks_of_step(self.runs, money=unit == "usd_per_million"),
            *marks_of_steps(counted, steps),
            *marks_of_events(self.events, self.series, self.alarms, self.nights, steps),
        ]
        return Trend(
            series=self.series,
            unit=unit,
            points=[night.as_point() for night in self.nights],
            levels=bands_of(counted, steps.starts),
            marks=sorted(_once(marks), key=lambda mark: (mark.sequence, mark.kind)),
            missing=missing_dates([night.run.night for night in self.nights], every_s, last_night),
        )


def _once(marks: Sequence[TrendMark]) -> Iterator[TrendMark]:
    """Two runs of a night tell the same twice."""
    seen: set[tuple[int, str, str]] = set()
    for mark in marks:
        place = (mark.sequence, mark.kind, mark.text)
        if place not in seen:
            seen.add(place)
            yield mark


def missing_dates(nights: Sequence[str], every_s: float, last_night: str | None) -> list[str]:
    """Dates between the nights at which one was due and none is; at most one for each day."""
    days = [day for text in [*nights, last_night or ""] if (day := _day(text)) is not None]
    there = {_day(text) for text in nights}
    step = max(every_s / _DAY_S, 1.0)
    found: set[date] = set()
    for before, after in pairwise(_ascending(days)):
        gap = (after - before).days
        if gap > _MOST_MISSING:
            continue
        # Half a step early or late is the same night.
        times = max(ceil(gap / step - 0.5), 1)
        found.update(before + timedelta(days=round(due * step)) for due in range(1, times))
    if last_night and days:
        found.add(days[-1])
    return [day.isoformat() for day in sorted(found - there)]


def _ascending(days: Sequence[date]) -> list[date]:
    """The most days that ascend in their order: what a clock that jumped wrote is left out."""

    def rank(one: list[date]) -> tuple[int, int]:
        # Of equally many, those that end first: a clock more often jumps ahead.
        return len(one), -one[-1].toordinal()

    chains: list[list[date]] = []
    for day in days:
        before: list[date] = max((c for c in chains if c[-1] < day), key=rank, default=[])
        chains.append([*before, day])
    return max(chains, key=rank, default=[])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
