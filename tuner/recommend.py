"""The size to take, and those that cannot be told apart from it; pure.

Only measured sizes are recommended. Differences are judged by the bootstrap: a size is told apart
from the recommended one when the 90 % interval of their ratio says that it is worse, and by more
than one per cent, which nobody would act on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.aws.limits import MEMORY_MAX_MB, MEMORY_MIN_MB
from reports.document import Objective, Recommendation, Saving
from reports.figures import megabytes
from tuner.estimate import MIN_SAMPLES_FOR_INTERVAL, Floats, interval, interval_quantiles
from tuner.objective import log_scores

# What counts as equal to the best, so that the other quality decides. Within one per cent: nobody
# pays ten times the duration for that. Within three where the samples cannot tell them apart: it
# is about what hosts of one size differ by.
_EQUAL_SHARE = 0.01
_EQUAL_IF_TIED_SHARE = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class SizeEvidence:
    """What the samples of one size say; the replicates are joint, one row a resample.

    `cost_usd` is for one invocation.
    """

    memory_mb: int
    n: int
    duration_ms: float
    billed_ms: float
    cost_usd: float
    duration_replicates: Floats
    billed_replicates: Floats
    cost_replicates: Floats


def recommend(
    evidence: Sequence[SizeEvidence],
    planned_mb: Sequence[int],
    objective: Objective,
    weight: float | None,
    current_mb: int,
) -> Recommendation | None:
    """The best of the sizes that can be used; None when there is none.

    `planned_mb` are all sizes of the run: an edge of them is a reason to look beyond, while next
    to a size that failed there is nothing to look for.
    """
    if not evidence:
        return None
    lowest = min(evidence, key=lambda item: _score(item, objective, weight))
    best = _best(evidence, lowest, objective, weight)
    tied = [item for item in evidence if item is best or _may_equal(item, best, objective, weight)]
    current = next((item for item in evidence if item.memory_mb == current_mb), None)
    return Recommendation(
        memory_mb=best.memory_mb,
        tied_mb=sorted(item.memory_mb for item in tied),
        objective=objective,
        weight=weight,
        saving=_saving(best, current) if current else None,
        reasons=_reasons(evidence, planned_mb, lowest, best, objective, weight),
    )


def _score(item: SizeEvidence, objective: Objective, weight: float | None) -> float:
    cost, duration = np.array([item.cost_usd]), np.array([item.duration_ms])
    return float(log_scores(objective, weight, cost, duration)[0])


def _best(
    evidence: Sequence[SizeEvidence],
    lowest: SizeEvidence,
    objective: Objective,
    weight: float | None,
) -> SizeEvidence:
    """Of the sizes as good as the lowest score the fastest; for speed, the cheapest.

    No size within three per cent of the lowest that ties with the answer is better in the other
    quality: nobody would be told to leave it.
    """
    lowest_score = _score(lowest, objective, weight)

    def other_quality(item: SizeEvidence) -> float:
        return item.cost_usd if objective == "speed" else item.duration_ms

    def equals(item: SizeEvidence, best: SizeEvidence) -> bool:
        worse_by = _score(item, objective, weight) - lowest_score
        if item is best or worse_by <= math.log1p(_EQUAL_SHARE):
            return True
        near = worse_by <= math.log1p(_EQUAL_IF_TIED_SHARE)
        return near and _may_equal(item, best, objective, weight)

    best = lowest
    while True:
        better = min((item for item in evidence if equals(item, best)), key=other_quality)
        if other_quality(better) >= other_quality(best):
            return best
        best = better


def _may_equal(
    item: SizeEvidence,
    other: SizeEvidence,
    objective: Objective,
    weight: float | None,
) -> bool:
    """Whether the samples leave open that `item` is at most one per cent worse than `other`.

    Too few samples at either size say nothing, and equality is not claimed from nothing.
    """
    n = min(item.n, other.n)
    if n < MIN_SAMPLES_FOR_INTERVAL:
        return False
    worse_by = log_scores(
        objective, weight, item.cost_replicates, item.duration_replicates
    ) - log_scores(objective, weight, other.cost_replicates, other.duration_replicates)
    low, _ = interval_quantiles(n)
    return float(np.quantile(worse_by, low)) <= math.log1p(_EQUAL_SHARE)


def _saving(best: SizeEvidence, current: SizeEvidence) -> Saving | None:
    """By how much the recommendation is below the current size, as shares of the current."""
    if best is current:
        nothing = (0.0, 0.0)
        return Saving(
            cost_share=0, cost_interval=nothing, duration_share=0, duration_interval=nothing
        )
    n = min(best.n, current.n)
    cost = interval(1 - best.cost_replicates / current.cost_replicates, n)
    duration = interval(1 - best.duration_replicates / current.duration_replicates, n)
    if cost is None or duration is None:
        return None
    return Saving(
        cost_share=1 - best.cost_usd / current.cost_usd,
        cost_interval=cost,
        duration_share=1 - best.duration_ms / current.duration_ms,
        duration_interval=duration,
    )


def _reasons(
    evidence: Sequence[SizeEvidence],
    planned_mb: Sequence[int],
    lowest: SizeEvidence,
    best: SizeEvidence,
    objective: Objective,
    weight: float | None,
) -> list[str]:
    goal = {
        "cost": "the lowest cost",
        "speed": "the shortest duration",
        "balanced": f"the best balance with {weight or 0:.0%} weight on cost",
    }[objective]
    size = megabytes(best.memory_mb)
    if len(evidence) == 1:
        reasons = [f"{size} is the only usable size"]
    elif best is lowest:
        reasons = [f"{size} has {goal} of the {len(evidence)} usable sizes"]
    else:
        first, other = megabytes(lowest.memory_mb), "cost" if objective == "speed" else "speed"
        reasons = [f"{first} has {goal} by less than 3 %; {size} is better in {other}"]
    edges = {min(planned_mb): "smallest", max(planned_mb): "largest"}
    more_to_try = best.memory_mb not in (MEMORY_MIN_MB, MEMORY_MAX_MB)
    if len(evidence) > 1 and best.memory_mb in edges and more_to_try:
        edge = edges[best.memory_mb]
        reasons.append(f"it is the {edge} size measured: the best may lie beyond")
    return reasons
