"""What the means of aws-lambda-power-tuning show by the rules of `tune`, and what they leave open.

Pure. There is no scatter in means: nothing here has an interval, and nothing is recommended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.aws.limits import MEMORY_MAX_MB, MEMORY_MIN_MB
from core.aws.prices import bundled_prices
from reports.document import Objective
from tuner.choice import TIED_SHARE
from tuner.curve import Curve, choose
from tuner.estimate import Floats
from tuner.grid import STANDARD_SIZES_MB, candidate_sizes
from tuner.objective import Goal, scores
from tuner.power_tuning.link import Point
from tuner.power_tuning.output_file import PowerTuningOutput
from tuner.sizes import SIZE_LADDER_MB

# The price of an ms at 1 MB there: only turns its prices into numbers the size of billed times.
_USD_PER_MB_MS = 2.1e-9 / 128
# Where predictions of left-out sizes are typically further off, the points follow no curve.
CURVE_ERROR_MOST = 0.25
# Two runs of the same input differed by more; within this, no mean tells sizes apart.
_NEAR_SHARE = 0.10
_MOST_OPEN = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One size; costs are of a million invocations, as power tuning states them and with the fee.

    They are the same where the fee of a request is not known in the currency.
    """

    memory_mb: int
    duration_ms: float
    stated_per_million: float
    cost_per_million: float


@dataclass(frozen=True, slots=True)
class Between:
    """What the curve through the points says of the sizes between them.

    `loo_error` is how far predictions of left-out points typically are off, as a share. `best_mb`
    is the best size that was not measured, which is better than the best one that was by
    `gain_share`: negative where it is worse.
    """

    family: str
    formula: str
    loo_error: float
    best_mb: int
    gain_share: float

    @property
    def is_sound(self) -> bool:
        """Whether the points follow the curve closely enough to say anything."""
        return self.loo_error <= CURVE_ERROR_MOST

    @property
    def may_be_better(self) -> bool:
        """Whether a size between the points may be better by more than nobody would act on."""
        return self.is_sound and self.gain_share > TIED_SHARE


@dataclass(frozen=True, slots=True)
class Reading:
    """All that the means show; `open_mb` are the sizes that a measurement has to tell apart."""

    rows: tuple[Row, ...]
    goal: Goal
    best_mb: dict[Objective, int]
    between: Between | None
    open_mb: tuple[int, ...]
    at_edge: bool


def read_points(output: PowerTuningOutput, goal: Goal) -> Reading:
    """What the points show; `goal` decides what is looked for between them."""
    fee = request_fee_per_million(output.currency) or 0.0
    rows = tuple(_row(point, fee) for point in output.points)
    best_mb: dict[Objective, int] = {
        "cost": _best(rows, Goal("cost")).memory_mb,
        "speed": _best(rows, Goal("speed")).memory_mb,
        "balanced": _best(rows, goal if goal.weight is not None else Goal("balanced")).memory_mb,
    }
    best = _best(rows, goal)
    between = _between(rows, best, goal, fee)
    sizes = sorted({row.memory_mb for row in rows})
    return Reading(
        rows=rows,
        goal=goal,
        best_mb=best_mb,
        between=between,
        open_mb=_open(rows, best, goal, between),
        at_edge=best.memory_mb in (sizes[0], sizes[-1]),
    )


def request_fee_per_million(currency: str) -> float | None:
    """The fee of a million requests, which power tuning leaves out; None where it is not known.

    In USD it is the same in all regions of the price table's first partition.
    """
    if currency != "USD":
        return None
    return bundled_prices().lambda_price("us-east-1", "x86_64").request_usd * 1e6


def _row(point: Point, fee: float) -> Row:
    stated = point.cost * 1e6
    return Row(point.memory_mb, point.duration_ms, stated, stated + fee)


def _columns(rows: Sequence[Row]) -> tuple[Floats, Floats]:
    return (
        np.array([row.cost_per_million for row in rows], dtype=np.float64),
        np.array([row.duration_ms for row in rows], dtype=np.float64),
    )


def _best(rows: Sequence[Row], goal: Goal) -> Row:
    """Of the sizes within one per cent of the lowest score the fastest; for speed, the cheapest."""
    found = scores(goal, *_columns(rows))
    equal = [
        row
        for row, score in zip(rows, found, strict=True)
        if score <= found.min() * (1 + TIED_SHARE)
    ]
    if goal.objective == "speed":
        return min(equal, key=lambda row: row.cost_per_million)
    return min(equal, key=lambda row: row.duration_ms)


def _between(rows: Sequence[Row], best: Row, goal: Goal, fee: float) -> Between | None:
    """None where the points are too few for a curve, or leave no size between them."""
    memory_mb = np.array([row.memory_mb for row in rows], dtype=np.float64)
    stated = np.array([row.stated_per_million for row in rows], dtype=np.float64)
    durations = _through(memory_mb, _columns(rows)[1])
    billed = _through(memory_mb, stated / _per_ms(memory_mb))
    grid = candidate_sizes(rows[0].memory_mb, rows[-1].memory_mb)
    unseen_mb = np.array([mb for mb in grid if mb not in memory_mb], dtype=np.float64)
    if durations is None or billed is None or not len(unseen_mb):
        return None
    cost = billed.predict(unseen_mb) * _per_ms(unseen_mb) + fee
    predicted = scores(goal, cost, durations.predict(unseen_mb))
    own = scores(goal, *_columns([best]))
    lowest = int(np.argmin(predicted))
    # What the answer leans on most: for speed the curve of durations, else that of costs.
    leading = durations if goal.objective == "speed" else billed
    return Between(
        family=leading.curve.family.name,
        formula=leading.curve.family.formula,
        loo_error=leading.loo_error,
        best_mb=int(unseen_mb[lowest]),
        gain_share=float(1 - predicted[lowest] / own[0]),
    )


def _per_ms(memory_mb: Floats) -> Floats:
    """About what a million ms cost at each size: it cancels out."""
    return memory_mb * (_USD_PER_MB_MS * 1e6)


@dataclass(frozen=True, slots=True, eq=False)
class _Through:
    """A curve that is bent to go through all points, since nothing says which of them is off.

    What it is off at the points is spread between neighbours, by the logarithm of the size.
    """

    curve: Curve
    loo_error: float
    logs_mb: Floats
    off: Floats

    def predict(self, memory_mb: Floats) -> Floats:
        off = np.exp(np.interp(np.log(memory_mb), self.logs_mb, self.off))
        return np.asarray(self.curve.predict(memory_mb) * off, dtype=np.float64)


def _through(memory_mb: Floats, values: Floats) -> _Through | None:
    """The family that predicts left-out points best; None where they are too few to tell."""
    choice = choose(memory_mb, values, np.zeros_like(memory_mb))
    if choice is None or choice.loo_error is None:
        return None
    off = np.log(values / choice.curve.predict(memory_mb))
    return _Through(choice.curve, math.expm1(choice.loo_error), np.log(memory_mb), off)


def _open(rows: Sequence[Row], best: Row, goal: Goal, between: Between | None) -> tuple[int, ...]:
    """The sizes to measure: the best, its neighbours with what is between, and what is near it."""
    found = dict(zip((row.memory_mb for row in rows), scores(goal, *_columns(rows)), strict=True))
    ordered = sorted(found)
    place = ordered.index(best.memory_mb)
    beside = [*ordered[max(0, place - 1) : place], *ordered[place + 1 : place + 2]]
    around = [*beside, *_beyond(ordered, best.memory_mb)]
    # Whatever the curve says: it cannot exclude what nobody measured.
    inside = [mb for mb in STANDARD_SIZES_MB if min(around) < mb < max(around)]
    better = [between.best_mb] if between is not None and between.may_be_better else []
    foremost = [best.memory_mb, *better, *around, *inside]
    near = sorted(
        (mb for mb in ordered if found[mb] <= found[best.memory_mb] * (1 + _NEAR_SHARE)),
        key=lambda mb: float(found[mb]),
    )
    chosen = list(dict.fromkeys([*foremost, *near]))[:_MOST_OPEN]
    return tuple(sorted(mb for mb in chosen if MEMORY_MIN_MB <= mb <= MEMORY_MAX_MB))


def _beyond(ordered: Sequence[int], best_mb: int) -> list[int]:
    """The next usual sizes beyond the edges at which the best one is."""
    larger = [mb for mb in SIZE_LADDER_MB if mb > best_mb][:1]
    smaller = [mb for mb in SIZE_LADDER_MB if mb < best_mb][-1:]
    return [
        *(smaller if best_mb == ordered[0] else []),
        *(larger if best_mb == ordered[-1] else []),
    ]
