"""By how much a configured memory size costs more than the cheapest: with bounds that hold.

The cheapest of several noisy sizes looks cheaper than it is, so that every size seems to have a
regret. The bounds are therefore simultaneous ones over all comparisons of the configured size with
another (multiple comparisons with the best: Hsu 1981): with `level`, no size at all is further
below or above than its bound says. In a flat valley the lower bound is above zero in at most half
of `1 - level` of the nights. The estimate has the bias taken off that a bootstrap finds.

Errors of sizes are taken as independent. Those of an adaptive run rise and fall together, so that
ratios are surer than said here, and bounds err to the side of no alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, log, log1p

import numpy as np
from numpy.typing import NDArray

from reports.history.record import CurveRow, PricesUsed
from reports.regression.cost_curve import at_size, call_usd, row_errors

Floats = NDArray[np.float64]

_DRAWS = 2000
# The standard error that nobody's ratio of two sizes is below.
_FINEST = 1e-4


@dataclass(frozen=True, slots=True)
class Regret:
    """The configured size's cost over the cheapest one's, less one: 0.12 is 12 % too much.

    `best_mb` is the size of which it is surest to be cheaper; `low` and `high` hold the true
    regret with the level asked for.
    """

    share: float
    low: float
    high: float
    best_mb: int
    n: int


def regret(
    rows: Sequence[CurveRow],
    current_mb: int,
    prices: PricesUsed,
    *,
    level: float = 0.95,
    seed: int = 1,
) -> Regret | None:
    """The regret of `current_mb` among sizes that were called; None where it cannot be bounded.

    That is: the configured size lies outside of the curve, no other size was called, or nothing
    says how sure the sizes are.
    """
    known = _known(rows, current_mb, prices)
    if known is None:
        return None
    compared, costs, errors = known
    found = _bounded(costs, errors, level, np.random.default_rng(seed))
    best = int(np.argmax(found.lows))
    return Regret(
        share=expm1(found.value),
        low=expm1(max(0.0, float(found.lows.max()))),
        high=expm1(max(0.0, float(found.highs.max()))),
        best_mb=compared[1 + best].memory_mb,
        n=sum(row.n for row in compared),
    )


def regret_p_value(
    rows: Sequence[CurveRow],
    current_mb: int,
    prices: PricesUsed,
    limit_share: float,
    *,
    seed: int = 1,
) -> float | None:
    """How likely bounds as far out are where no size saves more than `limit_share`."""
    known = _known(rows, current_mb, prices)
    if known is None:
        return None
    _, costs, errors = known
    spread, differences = _noise(errors, np.random.default_rng(seed))
    seen = float(((costs[0] - costs[1:] - log1p(limit_share)) / spread).max())
    beyond = int(((differences / spread).max(axis=1) >= seen).sum())
    return (beyond + 1) / (_DRAWS + 1)


def _known(
    rows: Sequence[CurveRow], current_mb: int, prices: PricesUsed
) -> tuple[list[CurveRow], Floats, Floats] | None:
    """The configured size and then those that were called: rows, ln(cost), standard errors."""
    now = at_size(rows, current_mb)
    others = [
        row for row in rows if row.n and row.error_ln is not None and row.memory_mb != current_mb
    ]
    if now is None or now.error_ln is None or not others:
        return None
    compared = [now, *others]
    costs = np.array([log(call_usd(row.memory_mb, row.billed_ms, prices)) for row in compared])
    errors = np.array([error or 0.0 for error in row_errors(compared, prices)])
    return compared, costs, errors


@dataclass(frozen=True, slots=True)
class _Bounds:
    """ln(regret) without its bias, and simultaneous bounds of ln(cost now / cost there) by size."""

    value: float
    lows: Floats
    highs: Floats


def _bounded(costs: Floats, errors: Floats, level: float, rng: np.random.Generator) -> _Bounds:
    """`costs` are logarithms; the first is that of the configured size."""
    gains = costs[0] - costs[1:]
    spread, differences = _noise(errors, rng)
    reach = float(np.quantile((np.abs(differences) / spread).max(axis=1), level))
    apparent = max(0.0, float(gains.max()))
    imagined = np.maximum((gains + differences).max(axis=1), 0.0)
    lows, highs = gains - reach * spread, gains + reach * spread
    least = max(0.0, float(lows.max()))
    unbiased = min(max(2 * apparent - float(imagined.mean()), least), apparent)
    return _Bounds(unbiased, lows, highs)


def _noise(errors: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The standard error of each ratio with the configured size, and draws of all together."""
    spread = np.maximum(np.hypot(errors[0], errors[1:]), _FINEST)
    noise = errors * rng.standard_normal((_DRAWS, len(errors)))
    return spread, noise[:, [0]] - noise[:, 1:]


def pooled_rows(several: Sequence[Sequence[CurveRow]]) -> list[CurveRow]:
    """One curve of several runs of one function: sizes of all of them, by their precision.

    Without the sizes of which some run does not say how sure it is.
    """
    if not several:
        return []
    tables = [{row.memory_mb: row for row in rows} for rows in several]
    found = []
    for memory_mb in sorted(set.intersection(*(set(table) for table in tables))):
        rows = [table[memory_mb] for table in tables]
        if any(not row.error_ln for row in rows):
            continue
        weights = [1 / (row.error_ln or 1.0) ** 2 for row in rows]
        total = sum(weights)
        mean = sum(w * log(r.billed_ms) for w, r in zip(weights, rows, strict=True)) / total
        found.append(
            CurveRow(
                memory_mb=memory_mb,
                billed_ms=float(np.exp(mean)),
                error_ln=total**-0.5,
                n=sum(row.n for row in rows),
            )
        )
    return found
