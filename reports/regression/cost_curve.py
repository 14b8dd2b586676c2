"""Curves of cost by memory size over nights: priced alike, on one grid, and read at one size.

All nights are priced with the last one's list, so that a change of the price list is no change of
the code. Curves are compared by the mean of ln(cost) over a grid, never by where they are lowest:
valleys are flat, and their lowest point wanders. Nights that measured other sizes are read off
their own curve, ln(billed time) over ln(memory) between the measured sizes, never beyond them.

Sizes count by how sure nights are of them, the same in all nights: an adaptive run says of sizes
far from all calls little more than what it expects of functions in general.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reports.history.record import CurveRow, PricesUsed, RunRecord
from reports.regression.seen_errors import as_seen
from reports.regression.series import Observation

Floats = NDArray[np.float64]

TODAYS_SIZE = "today's size"
ALL_SIZES = "all sizes"
# A night whose sizes leave less than this of the last night's grid is left out, not the grid cut.
_LEAST_GRID_SHARE = 0.5
_FEWEST_SIZES = 2
# Sizes of these plans are judged together by one model, so that their errors are alike. By how
# much: by this correlation the mean of a curve differs between repeated runs as it is said to.
_JOINT_PLANS = ("adaptive", "thorough")
_CORRELATION = 0.25


def call_usd(memory_mb: float, billed_ms: float, prices: PricesUsed) -> float:
    """What one call costs, its request fee included."""
    per_second = memory_mb / 1024 * prices.gb_second_usd + prices.storage_second_usd
    return billed_ms / 1000 * per_second + prices.request_usd


def row_errors(rows: Sequence[CurveRow], prices: PricesUsed) -> list[float | None]:
    """The standard error of ln(cost) of each row: the request fee is sure."""
    return [
        None
        if row.error_ln is None
        else row.error_ln
        * (1 - prices.request_usd / call_usd(row.memory_mb, row.billed_ms, prices))
        for row in rows
    ]


def at_size(rows: Sequence[CurveRow], memory_mb: int) -> CurveRow | None:
    """The row of a size, or what lies between its neighbours; None beyond the measured ones."""
    ordered = sorted(rows, key=lambda row: row.memory_mb)
    below = [row for row in ordered if row.memory_mb <= memory_mb]
    above = [row for row in ordered if row.memory_mb >= memory_mb]
    if not below or not above:
        return None
    low, high = below[-1], above[0]
    if low.memory_mb == high.memory_mb:
        return low
    part = log(memory_mb / low.memory_mb) / log(high.memory_mb / low.memory_mb)
    return CurveRow(
        memory_mb=memory_mb,
        billed_ms=_between(low.billed_ms, high.billed_ms, part) or 0.0,
        error_ln=_weighed(low.error_ln, high.error_ln, part),
        duration_ms=_between(low.duration_ms, high.duration_ms, part),
        n=min(low.n, high.n),
    )


def mean_log_cost(rows: Sequence[CurveRow], prices: PricesUsed) -> float:
    """The mean of ln(cost of a call) over the sizes."""
    return sum(log(call_usd(row.memory_mb, row.billed_ms, prices)) for row in rows) / len(rows)


def curve_observations(
    records: Sequence[RunRecord], prices: PricesUsed | None = None
) -> list[Observation]:
    """The mean ln(cost of a call) over a grid of sizes that all these nights have in common.

    `records` are ascending, of one key, and the last one is tonight's: its sizes are the grid, and
    its prices are taken where none are given. Nights that cover too little of it are left out.
    Sizes are weighed by the inverse of the variance that nights have on average. A difference of
    two of these is the mean log ratio of two curves.
    """
    prices = prices or (records[-1].prices if records else None)
    if prices is None:
        return []
    curves = [_Curve(record) for record in records if len(record.sizes) >= _FEWEST_SIZES]
    if not curves or curves[-1].record is not records[-1]:
        return []
    grid, kept = _common_grid(curves)
    read = [curve.read(grid, prices) for curve in kept]
    weights = _weights([errors for _, errors in read])
    return as_seen(
        [
            Observation(curve.record.sequence, float(weights @ costs), curve.error(weights, errors))
            for curve, (costs, errors) in zip(kept, read, strict=True)
        ]
    )


def size_observations(
    records: Sequence[RunRecord],
    metric: Literal["duration", "cost"],
    prices: PricesUsed | None = None,
) -> list[Observation]:
    """ln(duration in ms), or ln(cost of a call), at the last night's configured size, by night.

    Earlier nights are read at that size as well, whatever was configured then: a change of the
    setting starts no new baseline, and is no change of the code. Whether the setting is a good one
    is asked by the regret.
    """
    prices = prices or (records[-1].prices if records else None)
    if prices is None or records[-1].current_mb is None:
        return []
    found = []
    for record in records:
        row = at_size(record.sizes, records[-1].current_mb)
        if row is None:
            continue
        if metric == "cost":
            value = call_usd(row.memory_mb, row.billed_ms, prices)
            found.append(Observation(record.sequence, log(value), row_errors([row], prices)[0]))
        elif row.duration_ms:
            found.append(Observation(record.sequence, log(row.duration_ms), row.error_ln))
    return as_seen(found)


@dataclass(frozen=True, slots=True)
class _Curve:
    """One night's curve."""

    record: RunRecord

    @property
    def sizes_mb(self) -> list[int]:
        return [row.memory_mb for row in self.record.sizes]

    def read(self, grid: Sequence[int], prices: PricesUsed) -> tuple[Floats, Floats]:
        """ln(cost) and its standard errors (NaN where not known) at sizes that the night covers."""
        rows = [row for mb in grid if (row := at_size(self.record.sizes, mb)) is not None]
        costs = [log(call_usd(row.memory_mb, row.billed_ms, prices)) for row in rows]
        errors = [np.nan if error is None else error for error in row_errors(rows, prices)]
        return np.array(costs), np.array(errors)

    def error(self, weights: Floats, errors: Floats) -> float | None:
        """The standard error of the weighed mean; None where that of some size is not known."""
        if np.isnan(errors).any():
            return None
        apart, together = float((weights * errors) @ (weights * errors)), float(weights @ errors)
        is_joint = self.record.asked.get("plan") in _JOINT_PLANS
        alike = _CORRELATION if is_joint else 0.0
        return sqrt(alike * together**2 + (1 - alike) * apart)


def _weights(errors: Sequence[Floats]) -> Floats:
    """How much each size of the grid counts, in all nights alike; equally where none is sure."""
    known = [one for one in errors if not np.isnan(one).any() and (one > 0).all()]
    if not known:
        return np.full(len(errors[0]), 1 / len(errors[0]))
    precision = 1 / np.mean(np.square(known), axis=0)
    weights: Floats = precision / precision.sum()
    return weights


def _common_grid(curves: Sequence[_Curve]) -> tuple[list[int], list[_Curve]]:
    """Tonight's sizes that all nights cover, and the nights that are kept for it."""
    tonight = curves[-1]
    needed = max(_FEWEST_SIZES, _LEAST_GRID_SHARE * len(tonight.sizes_mb))
    kept = [*curves]
    while True:
        low = max(min(curve.sizes_mb) for curve in kept)
        high = min(max(curve.sizes_mb) for curve in kept)
        grid = [size for size in tonight.sizes_mb if low <= size <= high]
        if len(grid) >= needed or len(kept) == 1:
            return grid, kept
        kept.remove(min(kept[:-1], key=lambda curve: _covered(curve, tonight)))


def _covered(curve: _Curve, tonight: _Curve) -> int:
    """How many of tonight's sizes a night covers."""
    low, high = min(curve.sizes_mb), max(curve.sizes_mb)
    return sum(low <= size <= high for size in tonight.sizes_mb)


def _between(low: float | None, high: float | None, part: float) -> float | None:
    """Straight in logarithms, `part` of the way from `low` to `high`."""
    if not low or not high:
        return None
    value: float = low * (high / low) ** part
    return value


def _weighed(low: float | None, high: float | None, part: float) -> float | None:
    """The largest error that a value between two uncertain ones can have by theirs."""
    return None if low is None or high is None else (1 - part) * low + part * high
