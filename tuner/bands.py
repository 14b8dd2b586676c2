"""The curves for the report: the chosen families for billed and real time, with bootstrap bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.aws.prices import LambdaPrice
from reports.document import CurvePoint, FamilyScore, Model
from tuner.curve import Choice, choose, refit
from tuner.estimate import LEVEL, Floats
from tuner.recommend import SizeEvidence

_GRID_POINTS = 48
# Enough for the 5 % and 95 % points of a band that is drawn, at a few ms of computing each.
_BAND_REPLICATES = 120


def build_model(
    evidence: Sequence[SizeEvidence],
    price: LambdaPrice,
    storage_mb: int,
    rng: np.random.Generator,
) -> Model | None:
    """The fitted curves between the smallest and the largest measured size; None below three."""
    memory = np.array([item.memory_mb for item in evidence], dtype=np.float64)
    billed = [item.billed_replicates for item in evidence]
    duration = [item.duration_replicates for item in evidence]
    billed_choice = choose(
        memory, np.array([item.billed_ms for item in evidence]), _relative_errors(billed)
    )
    duration_choice = choose(
        memory, np.array([item.duration_ms for item in evidence]), _relative_errors(duration)
    )
    if billed_choice is None or duration_choice is None:
        return None
    grid = _grid(memory)
    curve = billed_choice.curve
    return Model(
        family=curve.family.name,
        formula=f"billed ms = {curve.family.formula}",
        parameters=dict(curve.parameters),
        loo_error=billed_choice.loo_error,
        candidates=[
            FamilyScore(family=name, loo_error=error)
            for name, error in billed_choice.loo_errors.items()
        ],
        duration_family=duration_choice.curve.family.name,
        curve=_points(
            grid,
            _band(duration_choice, memory, duration, grid, rng),
            _band(billed_choice, memory, billed, grid, rng),
            price,
            storage_mb,
        ),
    )


def _relative_errors(replicates: Sequence[Floats]) -> Floats:
    return np.array([float(np.std(np.log(column))) for column in replicates])


def _grid(memory: Floats) -> Floats:
    """Sizes in equal ratios, the measured ones among them."""
    steps = np.geomspace(memory.min(), memory.max(), _GRID_POINTS)
    return np.unique(np.concatenate([steps, memory]).round(1))


def _band(
    choice: Choice,
    memory: Floats,
    replicates: Sequence[Floats],
    grid: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Rows: the curve, and the lower and upper end of its 90 % band, at each grid size."""
    errors = _relative_errors(replicates)
    table = np.stack(replicates, axis=1)
    chosen = rng.choice(len(table), size=_BAND_REPLICATES, replace=False)
    curves = np.stack(
        [refit(choice.curve, memory, table[row], errors).predict(grid) for row in chosen]
    )
    low, high = np.quantile(curves, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    centre = choice.curve.predict(grid)
    return np.stack([centre, np.minimum(low, centre), np.maximum(high, centre)])


def _points(
    grid: Floats, duration: Floats, billed: Floats, price: LambdaPrice, storage_mb: int
) -> list[CurvePoint]:
    def cost(memory_mb: float, billed_ms: float) -> float:
        return price.invocation_usd(memory_mb, billed_ms, storage_mb=storage_mb) * 1e6

    return [
        CurvePoint(
            memory_mb=float(size),
            duration_ms=float(duration[0, i]),
            duration_band_ms=(float(duration[1, i]), float(duration[2, i])),
            cost_usd_per_million=cost(float(size), float(billed[0, i])),
            cost_band_usd_per_million=(
                cost(float(size), float(billed[1, i])),
                cost(float(size), float(billed[2, i])),
            ),
        )
        for i, size in enumerate(grid)
    ]
