"""The figures of a step's runs as they compare: costs at one price list, tunings at one size.

The last run that counts says at which prices, sizes and grid of sizes the others are read, as the
relative gate does: so a new price list, or another memory setting, is no step of a trend.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

from reports.history.record import RunRecord, SeriesPoint
from reports.regression.bill import bill_observations
from reports.regression.cost_curve import (
    ALL_SIZES,
    TODAYS_SIZE,
    curve_observations,
    size_observations,
)
from reports.regression.series import Observation

_MILLION = 1e6
# Loads have a bill; what tunings cost is in their curves.
_BILLED = ("the run", "cost")


@dataclass(frozen=True, slots=True)
class _Read:
    """A figure read off a run anew: ln(value) and its standard error."""

    y: float
    error: float | None


Figure = tuple[str, str]  # scope and metric


def comparable_points(runs: Sequence[RunRecord], counts: Sequence[bool]) -> list[list[SeriesPoint]]:
    """The points of each run; `counts` says which are valid and like the last one.

    Points of runs that do not count are read at the last prices alone. Where a run that counts has
    nothing to compare, as a bill without the parts of the last one, the figure is left out.
    """
    counted = [
        run.model_copy(update={"sequence": place})
        for place, (run, does_count) in enumerate(zip(runs, counts, strict=True))
        if does_count
    ]
    together = dict(_read(counted))
    found = []
    for place, (run, does_count) in enumerate(zip(runs, counts, strict=True)):
        known: Mapping[Figure, _Read | None]
        if does_count:
            known = {figure: values.get(place) for figure, values in together.items()}
        else:
            known = _alone(run, counted)
        found.append([*_points(run, known)])
    return found


def _points(run: RunRecord, known: Mapping[Figure, _Read | None]) -> Iterator[SeriesPoint]:
    for point in run.points:
        figure = (point.scope, point.metric)
        if figure not in known:
            yield point
        elif (read := known[figure]) is not None:
            yield point.model_copy(update={"value": exp(read.y), "error_ln": read.error})


def _read(runs: Sequence[RunRecord]) -> Iterator[tuple[Figure, dict[int, _Read]]]:
    """Figures that are read off all runs together, by the sequence of each run."""
    if not runs:
        return
    if any(run.sizes for run in runs):
        yield (TODAYS_SIZE, "duration"), _by_order(size_observations(runs, "duration"), 1.0)
        yield (TODAYS_SIZE, "cost"), _by_order(size_observations(runs, "cost"), _MILLION)
        yield (ALL_SIZES, "curve"), _by_order(curve_observations(runs), _MILLION)
    if runs[-1].bill:
        yield _BILLED, _by_order(bill_observations(runs), 1.0)


def _alone(run: RunRecord, counted: Sequence[RunRecord]) -> dict[Figure, _Read]:
    """What a run that does not count shows at the prices of the last one that does."""
    prices = counted[-1].prices if counted else None
    if not run.sizes or prices is None:
        return {}
    cost = _by_order(size_observations([run], "cost", prices), _MILLION)
    curve = _by_order(curve_observations([run], prices), _MILLION)
    found = {(TODAYS_SIZE, "cost"): [*cost.values()], (ALL_SIZES, "curve"): [*curve.values()]}
    return {figure: values[0] for figure, values in found.items() if values}


def _by_order(observations: Sequence[Observation], factor: float) -> dict[int, _Read]:
    """Of observations per call, with the unit that points have: `factor` times as much."""
    return {one.order: _Read(one.y + log(factor), one.error) for one in observations}
