"""The past as the doctor takes it: each gated figure as a series, its reruns, its dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

from reports.history.decisions import levels_of
from reports.history.record import RunRecord, SeriesId
from reports.nightly.plan import NightlyPlan
from reports.regression.series import Observation, Series
from reports.trends.series_nights import SeriesNight, nights_of_step
from reports.trends.trend import PastNights, last_nights


@dataclass(frozen=True, slots=True)
class Gated:
    """A gated figure: its nights that count, and those of its reruns by their order."""

    series: SeriesId
    nights: Sequence[SeriesNight]
    observed: Series
    reruns: Mapping[int, Sequence[Observation]]


@dataclass(frozen=True, slots=True)
class GatedPast:
    """All gated figures; `dates` and `night_ids` are of nights by their order."""

    figures: Mapping[str, Gated]
    dates: Mapping[int, str]
    night_ids: Mapping[int, str]
    branch: str | None


def gated_past(past: PastNights, plan: NightlyPlan, last: int) -> GatedPast:
    """Figures of the last so many nights, of the plan's branch or that of its newest night."""
    branch = plan.branch or next((run.branch for run in reversed(past.runs) if run.branch), None)
    of_branch = [run for run in past.runs if branch is None or run.branch in (None, branch)]
    runs = last_nights(of_branch, last)
    places = list(dict.fromkeys((run.sequence, run.night_id) for run in runs))
    orders = {night_id: order for order, (_, night_id) in enumerate(places)}
    figures: dict[str, Gated] = {}
    for step in plan.steps:
        metrics = plan.metrics_of(step)
        of_step = [run for run in runs if run.step == step.name]
        again = [run for run in of_branch if run.step == step.name and run.purpose == "rerun"]
        for series, nights in nights_of_step(of_step, {}).items():
            counted = _one_a_night([night for night in nights if night.counts])
            if series.metric not in metrics or not counted:
                continue
            starts = levels_of(past.events, series)
            observed = Series(
                str(series),
                [_observation(night, orders, starts) for night in counted],
                plan.floor_of(step, series.metric),
                group=f"{series.step} / {series.scope}",
                metric=series.metric,
            )
            found = _reruns(series, [*of_step, *again], orders)
            figures[str(series)] = Gated(series, counted, observed, found)
    dates = {orders[run.night_id]: run.night for run in runs}
    night_ids = {order: night_id for night_id, order in orders.items()}
    return GatedPast(figures, dates, night_ids, branch)


def _one_a_night(nights: Sequence[SeriesNight]) -> list[SeriesNight]:
    """Of a night that ran a step twice, the last run counts."""
    return [*{night.run.night_id: night for night in nights}.values()]


def _observation(
    night: SeriesNight, orders: Mapping[str, int], starts: Sequence[int]
) -> Observation:
    level = sum(start <= night.run.sequence for start in starts)
    return Observation(orders[night.run.night_id], night.y, night.point.error_ln, level)


def _reruns(
    series: SeriesId, runs: Sequence[RunRecord], orders: Mapping[str, int]
) -> dict[int, list[Observation]]:
    """What reruns of the same night showed, at the prices and sizes of the last night.

    A rerun is read together with the runs of all nights, so that it is one of them.
    """
    if all(run.purpose == "night" for run in runs):
        return {}
    nights = [run for run in runs if run.purpose == "night"]
    again = [run for run in runs if run.purpose == "rerun" and run.valid]
    read = nights_of_step([*again, *nights], {}).get(series, [])
    found: dict[int, list[Observation]] = {}
    for night in read:
        if night.run.purpose == "rerun" and night.counts and night.run.night_id in orders:
            order = orders[night.run.night_id]
            found.setdefault(order, []).append(
                Observation(order, log(night.point.value), night.point.error_ln)
            )
    return found


def shifted(
    reruns: Mapping[int, Sequence[Observation]], shifts: Mapping[int, float]
) -> Iterator[tuple[int, list[Observation]]]:
    """Reruns without the steps that were taken out of their nights."""
    for order, of_night in reruns.items():
        if order in shifts:
            yield order, [replace(one, y=one.y - shifts[order]) for one in of_night]


def typical_requests(nights: Sequence[SeriesNight]) -> int:
    """The middle number of requests or calls behind a figure."""
    counts = sorted(Counter(night.point.n for night in nights).elements())
    return counts[len(counts) // 2] if counts else 0
