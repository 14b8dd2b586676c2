"""What calls cost and take when a share of them is cold; pure.

A mean over calls: (1 - p) x warm + p x cold, for cost and for latency. Sizes have few cold
samples, mostly one: that of the first call of a version. So the cold side is a curve over all
sizes as the warm side is, believed from cold waits and from cold billed times as printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from core.aws.prices import SNAP_START_PRICES, SNAP_START_RESTORE_USD_PER_GB
from reports.document import ColdMix, ColdSize
from tuner.beliefs import believe
from tuner.cold import cold_by_size, start_ms, wait_ms
from tuner.effort import USUAL_DRAWS
from tuner.sample import Sample

if TYPE_CHECKING:
    from tuner.estimate import Floats

# The ends of a 90 % interval.
_LOW, _HIGH = 0.05, 0.95
_LEAST_BILLED_MS = 1.0

# Cold calls scatter more than warm ones of their duration: fetching code and starting a runtime
# depend on the host. One or two at a size are too few to learn by how much. With this, intervals
# hold the truth as often as they say when INIT and Duration scatter by 10 to 15 %.
_SCATTER = 1.5

# The cost of one invocation for columns of sizes, from billed times; as `Worth.cost_usd`.
CostOf = Callable[[Sequence[int], "Floats"], "Floats"]


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Equally likely costs of a call and times until it is answered; (S, G): draws by sizes."""

    sizes_mb: tuple[int, ...]
    cost_usd: Floats
    latency_ms: Floats

    def of(self, sizes_mb: Sequence[int]) -> Calls:
        """The same of some of the sizes."""
        columns = [self.sizes_mb.index(size) for size in sizes_mb]
        return Calls(tuple(sizes_mb), self.cost_usd[:, columns], self.latency_ms[:, columns])


@dataclass(frozen=True, slots=True, eq=False)
class ColdCalls(Calls):
    """Cold calls: the latency is INIT (or restore) and Duration, the cost is all that is billed."""

    billed_ms: Floats


def believe_cold(
    samples: Sequence[Sample],
    candidates_mb: Sequence[int],
    cost_of: CostOf,
    rng: np.random.Generator,
    *,
    runtime: str | None = None,
    draws: int = USUAL_DRAWS,
) -> ColdCalls | None:
    """What the cold samples at `candidates_mb` allow to believe of cold calls at all of them.

    None without a cold sample.
    """
    sizes = tuple(candidates_mb)
    cold = {size: found for size, found in cold_by_size(samples).items() if size in sizes}
    if not cold:
        return None
    # The same random numbers for both, so that a row has the wait and the bill of one curve.
    seed = int(rng.integers(2**63))

    def curves(time_ms: Callable[[Sample], float]) -> Floats:
        times = {size: [time_ms(sample) for sample in found] for size, found in cold.items()}
        again = np.random.default_rng(seed)
        return believe(times, sizes, again, draws, scatter=_SCATTER).duration_ms

    wait, billed = curves(wait_ms), np.maximum(curves(_billed_ms), _LEAST_BILLED_MS)
    cost = cost_of(sizes, billed) + restore_usd(samples, sizes, runtime)
    return ColdCalls(sizes, cost_usd=cost, latency_ms=wait, billed_ms=billed)


def restore_usd(samples: Sequence[Sample], sizes_mb: Sequence[int], runtime: str | None) -> Floats:
    """What AWS takes for each restore of a snapshot besides the billed time, by size (G).

    0 where no environment was restored, and for Java. Source: AWS Lambda pricing page.
    """
    per_gb = SNAP_START_RESTORE_USD_PER_GB if _pays_for_restores(samples, runtime) else 0.0
    return np.asarray(sizes_mb, dtype=np.float64) / 1024 * per_gb


def restore_note(samples: Sequence[Sample], runtime: str | None) -> str | None:
    """What a reader has to know of the price of restores; None where there is none."""
    if not _pays_for_restores(samples, runtime):
        return None
    return (
        "costs with cold calls contain the price of each SnapStart restore, by "
        f"{SNAP_START_PRICES}, but not that of the cached snapshot"
    )


def mixed(warm: Floats, cold: Floats, cold_share: float) -> Floats:
    """The mean of a cost or a time over calls of which `cold_share` are cold, elementwise."""
    return np.asarray((1 - cold_share) * warm + cold_share * cold)


def with_cold(warm: Calls, cold: Calls, cold_share: float) -> Calls:
    """Mean cost and latency over warm and cold calls, for the sizes of `warm`.

    Draws of one side are independent of those of the other; fewer cold than warm ones are used
    again in order.
    """
    at_sizes = cold.of(warm.sizes_mb)
    rows = np.arange(len(warm.cost_usd)) % len(at_sizes.cost_usd)
    return Calls(
        warm.sizes_mb,
        cost_usd=mixed(warm.cost_usd, at_sizes.cost_usd[rows], cold_share),
        latency_ms=mixed(warm.latency_ms, at_sizes.latency_ms[rows], cold_share),
    )


def widened(replicates: Floats, low_quantile: float) -> Floats:
    """Bootstrap replicates spread so that their 5 % quantile is where `low_quantile` was.

    The bootstrap is too narrow for few samples, and intervals are read off it further out
    (`tuner.estimate.interval_quantiles`). Before replicates are added to other draws, they have
    to be as wide as they are read.
    """
    normal = NormalDist()
    factor = normal.inv_cdf(low_quantile) / normal.inv_cdf(_LOW)
    logs = np.log(replicates)
    centre = np.median(logs)
    return np.asarray(np.exp(centre + factor * (logs - centre)))


def cold_view(
    samples: Sequence[Sample], warm: Calls, cold: ColdCalls, cold_share: float, source: str
) -> ColdMix:
    """Costs and latencies of the sizes of `warm`, when `cold_share` of the calls is cold."""
    mix = with_cold(warm, cold, cold_share)
    measured = cold_by_size(samples)
    return ColdMix(
        cold_share=cold_share,
        source=source,
        sizes=[_cold_size(size, measured.get(size, ()), mix, cold) for size in warm.sizes_mb],
    )


def _cold_size(size: int, measured: Sequence[Sample], mix: Calls, cold: ColdCalls) -> ColdSize:
    at, cold_at = mix.sizes_mb.index(size), cold.sizes_mb.index(size)
    cost = mix.cost_usd[:, at] * 1e6
    low, high = np.quantile(cost, (_LOW, _HIGH))
    return ColdSize(
        memory_mb=size,
        n_cold=len(measured),
        init_ms=float(np.median([start_ms(sample) for sample in measured])) if measured else None,
        cold_ms=float(np.median(cold.latency_ms[:, cold_at])),
        cold_billed_ms=float(np.median(cold.billed_ms[:, cold_at])),
        mean_ms=float(np.median(mix.latency_ms[:, at])),
        cost_usd_per_million=float(np.median(cost)),
        cost_interval=(float(low), float(high)),
        cold_cost_usd_per_million=float(np.median(cold.cost_usd[:, cold_at])) * 1e6,
    )


def _billed_ms(sample: Sample) -> float:
    return sample.billed_ms or 0.0


def _pays_for_restores(samples: Sequence[Sample], runtime: str | None) -> bool:
    is_java = runtime is not None and runtime.startswith("java")
    return not is_java and any(
        sample.restore_ms is not None for sample in samples if sample.counts_as_cold
    )
