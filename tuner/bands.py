"""The curves for the report: the chosen families for billed and real time, with bootstrap bands.

Sizes with too few samples for an interval stay out: one slow call would bend the curve. Where they
are all that there is, the curve goes through them without weights and without a band.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.aws.prices import LambdaPrice
from reports.document import CurvePoint, FamilyScore, Model, UnseenSize
from tuner.beliefs import believe
from tuner.curve import Choice, choose, refit
from tuner.estimate import MIN_SAMPLES_FOR_INTERVAL, Floats, interval_quantiles
from tuner.noise import DEGREES_OF_FREEDOM
from tuner.recommend import SizeEvidence
from tuner.sample import Sample, warm_durations

_GRID_POINTS = 48
# Enough for the 5 % and 95 % points of a band that is drawn, at a few ms of computing each.
_BAND_REPLICATES = 120
_DRAWN_BAND = (0.05, 0.95)
_MIXTURE = "mixture of capped power laws"
_LEAST_MS = 0.01
# The median of more calls than this scatters less than anybody can see.
_MOST_CALLS = 100


def build_model(
    evidence: Sequence[SizeEvidence],
    price: LambdaPrice,
    storage_mb: int,
    rng: np.random.Generator,
) -> Model | None:
    """The fitted curves between the smallest and the largest size used; None below three sizes."""
    trusted = [item for item in evidence if item.n >= MIN_SAMPLES_FOR_INTERVAL]
    has_band = len(trusted) >= 3
    used = trusted if has_band else evidence
    memory = np.array([item.memory_mb for item in used], dtype=np.float64)
    billed = [item.billed_replicates for item in used]
    duration = [item.duration_replicates for item in used]
    billed_errors, duration_errors = (
        _relative_errors(replicates) if has_band else np.zeros(len(used))
        for replicates in (billed, duration)
    )
    billed_choice = choose(memory, np.array([item.billed_ms for item in used]), billed_errors)
    duration_choice = choose(memory, np.array([item.duration_ms for item in used]), duration_errors)
    if billed_choice is None or duration_choice is None:
        return None
    quantiles = interval_quantiles(min(item.n for item in trusted)) if has_band else None
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
            (
                duration_choice.curve.predict(grid),
                _band(duration_choice, memory, duration, grid, quantiles, rng),
            ),
            (curve.predict(grid), _band(billed_choice, memory, billed, grid, quantiles, rng)),
            price,
            storage_mb,
        ),
    )


def believed_model(
    samples: Sequence[Sample],
    evidence: Sequence[SizeEvidence],
    price: LambdaPrice,
    storage_mb: int,
    rng: np.random.Generator,
) -> Model | None:
    """The curve that all samples lead to expect at all candidate sizes, with its 90 % band.

    Beside it stand the families, fitted to the invoked sizes: how well would each have predicted
    a size that it had not seen? None below three invoked sizes.
    """
    invoked = [item for item in evidence if item.n]
    memory = np.array([item.memory_mb for item in invoked], dtype=np.float64)
    durations = warm_durations(samples, [item.memory_mb for item in invoked])
    # Their own medians: the expected curve would flatter families that look like it.
    medians = np.array([np.median(durations[item.memory_mb]) for item in invoked])
    choice = choose(
        memory,
        np.maximum(medians, _LEAST_MS),
        _relative_errors([item.duration_replicates for item in invoked]),
    )
    if choice is None:
        return None
    unseen = _left_out(samples, [item.memory_mb for item in evidence], rng)
    own_error = _typical_error(unseen)
    errors = {_MIXTURE: own_error, **choice.loo_errors}
    return Model(
        family=_MIXTURE,
        formula="duration ms = level x (w + (1 - w) max(cap / m, 1)^p) x residual",
        parameters={},
        loo_error=own_error,
        candidates=[FamilyScore(family=name, loo_error=error) for name, error in errors.items()],
        duration_family=_MIXTURE,
        curve=[_believed_point(item, price, storage_mb) for item in evidence],
        unseen=unseen,
    )


def _left_out(
    samples: Sequence[Sample], sizes_mb: Sequence[int], rng: np.random.Generator
) -> list[UnseenSize]:
    """Each invoked size beside what the samples of all others lead to expect there.

    Of the sizes between the smallest and the largest: nobody reads the curve beyond them.
    """
    durations = warm_durations(samples, sizes_mb)
    between = {m: found for m, found in durations.items() if min(durations) < m < max(durations)}
    unseen = []
    for left_out, own in between.items():
        others = {size: found for size, found in durations.items() if size != left_out}
        beliefs = believe(others, sizes_mb, rng)
        draws = np.log(beliefs.at(left_out))
        middle = np.exp(np.median(draws))
        # A generator of its own: what is only shown changes nothing that is drawn after it.
        own_rng = np.random.default_rng(left_out)
        scale = float(beliefs.noise[beliefs.sizes_mb.index(left_out)])
        medians = draws + scale * _median_noise(len(draws), len(own), own_rng)
        low, high = np.exp(np.quantile(medians, _DRAWN_BAND))
        unseen.append(
            UnseenSize(
                memory_mb=left_out,
                measured_ms=float(np.exp(np.median(np.log(np.maximum(own, _LEAST_MS))))),
                expected_ms=float(middle),
                expected_interval_ms=(float(low), float(high)),
            )
        )
    return unseen


def _median_noise(draws: int, calls: int, rng: np.random.Generator) -> Floats:
    """How the median of so many calls departs from the typical one, in units of the scale."""
    table = rng.standard_t(DEGREES_OF_FREEDOM, size=(draws, min(calls, _MOST_CALLS)))
    return np.asarray(np.median(table, axis=1), dtype=np.float64)


def _typical_error(unseen: Sequence[UnseenSize]) -> float | None:
    """The root mean square of the logarithms by which sizes that were left out are off."""
    if not unseen:
        return None
    errors = [np.log(size.expected_ms) - np.log(size.measured_ms) for size in unseen]
    return float(np.sqrt(np.mean(np.square(errors))))


def _believed_point(item: SizeEvidence, price: LambdaPrice, storage_mb: int) -> CurvePoint:
    def cost(billed_ms: float) -> float:
        return price.invocation_usd(item.memory_mb, billed_ms, storage_mb=storage_mb) * 1e6

    low_ms, high_ms = np.quantile(item.duration_replicates, _DRAWN_BAND)
    least_ms, most_ms = np.quantile(item.billed_replicates, _DRAWN_BAND)
    return CurvePoint(
        memory_mb=item.memory_mb,
        duration_ms=item.duration_ms,
        duration_band_ms=(float(low_ms), float(high_ms)),
        cost_usd_per_million=cost(item.billed_ms),
        cost_band_usd_per_million=(cost(float(least_ms)), cost(float(most_ms))),
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
    quantiles: tuple[float, float] | None,
    rng: np.random.Generator,
) -> Floats | None:
    """Rows: the lower and the upper end of the curve's 90 % band at each grid size."""
    if quantiles is None:
        return None
    errors = _relative_errors(replicates)
    table = np.stack(replicates, axis=1)
    chosen = rng.choice(len(table), size=_BAND_REPLICATES, replace=False)
    curves = np.stack(
        [refit(choice.curve, memory, table[row], errors).predict(grid) for row in chosen]
    )
    low, high = np.quantile(curves, quantiles, axis=0)
    centre = choice.curve.predict(grid)
    return np.stack([np.minimum(low, centre), np.maximum(high, centre)])


def _points(
    grid: Floats,
    duration: tuple[Floats, Floats | None],
    billed: tuple[Floats, Floats | None],
    price: LambdaPrice,
    storage_mb: int,
) -> list[CurvePoint]:
    """What is drawn at each grid size, from curves and bands in ms."""

    def cost(memory_mb: float, billed_ms: float) -> float:
        return price.invocation_usd(memory_mb, billed_ms, storage_mb=storage_mb) * 1e6

    (duration_ms, duration_band), (billed_ms, billed_band) = duration, billed
    return [
        CurvePoint(
            memory_mb=size,
            duration_ms=float(duration_ms[i]),
            duration_band_ms=None
            if duration_band is None
            else (float(duration_band[0, i]), float(duration_band[1, i])),
            cost_usd_per_million=cost(size, float(billed_ms[i])),
            cost_band_usd_per_million=None
            if billed_band is None
            else (cost(size, float(billed_band[0, i])), cost(size, float(billed_band[1, i]))),
        )
        for i, size in enumerate(map(float, grid))
    ]
