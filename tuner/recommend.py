"""The size to take, and those that cannot be told apart from it; pure.

Only sizes that were invoked are recommended, as long as there is one. Differences are judged by
replicates of each size: bootstrap resamples of its samples, or joint draws of what is believed of
the whole curve. A size is told apart from the recommended one when the 90 % interval of their
ratio says that it is worse, and by more than one per cent, which nobody would act on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.document import Recommendation, Saving, SloEvidence
from tuner.adaptive import WARM_TO_VERIFY
from tuner.choice import TIED_SHARE, choose, expected_regret
from tuner.estimate import Floats
from tuner.interval import interval_of
from tuner.knee import knee_size
from tuner.objective import DEFAULT_KNEE_SHARE, Goal, regrets, relative_score, scores
from tuner.reasons import Case, reasons

# What counts as equal to the best, so that the other quality decides. Within one per cent: nobody
# pays ten times the duration for that. Within three where the samples cannot tell them apart: it
# is about what hosts of one size differ by.
_EQUAL_SHARE = TIED_SHARE
_EQUAL_IF_TIED_SHARE = 0.03
_BOUND_LEVEL = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class SizeEvidence:
    """What is known of one size; the replicates are joint, one row a resample or a draw.

    `n` warm samples, 0 where it was not invoked. `cost_usd` is for one invocation. `tails` are the
    quantiles of the replicates that make its 90 % interval; None where too few samples say how
    far off they are. `slo` is what its samples say of the limit, where there is one.
    """

    memory_mb: int
    n: int
    duration_ms: float
    billed_ms: float
    cost_usd: float
    duration_replicates: Floats
    billed_replicates: Floats
    cost_replicates: Floats
    tails: tuple[float, float] | None
    slo: SloEvidence | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """The size to take, the best by the objective alone, and those not told apart from the first.

    `equal_share` is by how much less the second can be better than the first.
    """

    best: SizeEvidence
    lowest: SizeEvidence
    tied: Sequence[SizeEvidence]
    equal_share: float = _EQUAL_IF_TIED_SHARE


def recommend(
    evidence: Sequence[SizeEvidence],
    planned_mb: Sequence[int],
    goal: Goal,
    current_mb: int,
    *,
    joint: bool,
) -> Recommendation | None:
    """The best of the sizes that can be used; None when there is none, or none keeps the limit.

    `joint` says that rows of the replicates are whole curves, so that the least expected regret
    can choose; else each size stands for itself, and point estimates choose. `planned_mb` are all
    sizes of the run: an edge of them is a reason to look beyond, while next to a size that failed
    there is nothing to look for.
    """
    ordered = sorted(evidence, key=lambda item: item.memory_mb)
    allowed = _allowed(ordered, goal, joint=joint)
    if not allowed:
        return None
    current = next((item for item in ordered if item.memory_mb == current_mb), None)
    choice = _choose(ordered, allowed, goal, current, joint=joint)
    best = choice.best
    regret, bound = _closeness(ordered, best, goal) if joint else (None, None)
    return Recommendation(
        memory_mb=best.memory_mb,
        tied_mb=[item.memory_mb for item in choice.tied],
        objective=goal.objective,
        weight=goal.weight,
        saving=saving_of(best, current) if current else None,
        reasons=reasons(
            Case(
                goal=goal,
                usable=len(allowed),
                called="verified" if joint else "usable",
                best_mb=best.memory_mb,
                lowest_mb=choice.lowest.memory_mb,
                within_share=choice.equal_share,
                planned_mb=planned_mb,
                relative_score=_relative_score(best, current, goal) if current else None,
            )
        ),
        cost_usd_per_million=best.cost_usd * 1e6,
        cost_interval=interval_of(best.cost_replicates * 1e6, best.tails),
        duration_ms=best.duration_ms,
        duration_interval_ms=interval_of(best.duration_replicates, best.tails),
        regret_share=regret,
        regret_bound_share=bound,
        knee_share=goal.knee_share,
    )


def _allowed(evidence: Sequence[SizeEvidence], goal: Goal, *, joint: bool) -> list[SizeEvidence]:
    """The sizes that can be recommended."""
    if goal.objective == "slo":
        return [item for item in evidence if item.slo is not None and item.slo.verdict == "met"]
    verified = [item for item in evidence if item.n >= WARM_TO_VERIFY] if joint else []
    return verified or [item for item in evidence if item.n] or list(evidence)


def _choose(
    evidence: Sequence[SizeEvidence],
    allowed: Sequence[SizeEvidence],
    goal: Goal,
    current: SizeEvidence | None,
    *,
    joint: bool,
) -> _Choice:
    if goal.objective == "knee":
        return _at_the_knee(evidence, allowed, goal)
    if not joint:
        lowest = min(allowed, key=lambda item: _score(item, goal))
        best = _best(allowed, lowest, goal)
        return _Choice(best, lowest, _tied(allowed, best, goal))
    cost, duration = _columns(evidence)
    columns = [_index(evidence, item) for item in allowed]
    today = None if current is None else _index(evidence, current)
    best = evidence[choose(goal, cost, duration, columns, today)]
    expected = expected_regret(regrets(goal, cost, duration))
    lowest = min(allowed, key=lambda item: float(expected[_index(evidence, item)]))
    # What a limit is kept by is known of invoked sizes only; other objectives know all sizes.
    comparable = allowed if goal.objective == "slo" else evidence
    worse_by = float(expected[_index(evidence, best)] - expected[_index(evidence, lowest)])
    # Said as "by less than", so rounded up.
    within = (math.floor(worse_by * 1000) + 1) / 1000
    return _Choice(best, lowest, _tied(comparable, best, goal), within)


def _at_the_knee(
    evidence: Sequence[SizeEvidence], allowed: Sequence[SizeEvidence], goal: Goal
) -> _Choice:
    share = DEFAULT_KNEE_SHARE if goal.knee_share is None else goal.knee_share
    knee = knee_size(*_columns(evidence), share, [_index(evidence, item) for item in allowed])
    best = evidence[knee.index]
    tied = [evidence[column] for column in knee.tied]
    # Too few samples at either size say nothing, and equality is not claimed from nothing.
    return _Choice(best, best, [item for item in tied if item is best or common_tails(item, best)])


def _columns(evidence: Sequence[SizeEvidence]) -> tuple[Floats, Floats]:
    """Replicates of cost and of duration, (S, G)."""
    return (
        np.stack([item.cost_replicates for item in evidence], axis=1),
        np.stack([item.duration_replicates for item in evidence], axis=1),
    )


def _index(evidence: Sequence[SizeEvidence], wanted: SizeEvidence) -> int:
    return next(column for column, item in enumerate(evidence) if item is wanted)


def _score(item: SizeEvidence, goal: Goal) -> float:
    cost, duration = np.array([item.cost_usd]), np.array([item.duration_ms])
    return math.log(scores(goal, cost, duration)[0])


def _best(evidence: Sequence[SizeEvidence], lowest: SizeEvidence, goal: Goal) -> SizeEvidence:
    """Of the sizes as good as the lowest score the fastest; for speed, the cheapest.

    No size within three per cent of the lowest that ties with the answer is better in the other
    quality: nobody would be told to leave it.
    """
    lowest_score = _score(lowest, goal)

    def other_quality(item: SizeEvidence) -> float:
        return item.cost_usd if goal.objective == "speed" else item.duration_ms

    def equals(item: SizeEvidence, best: SizeEvidence) -> bool:
        worse_by = _score(item, goal) - lowest_score
        if item is best or worse_by <= math.log1p(_EQUAL_SHARE):
            return True
        return worse_by <= math.log1p(_EQUAL_IF_TIED_SHARE) and _may_equal(item, best, goal)

    best = lowest
    while True:
        better = min((item for item in evidence if equals(item, best)), key=other_quality)
        if other_quality(better) >= other_quality(best):
            return best
        best = better


def _tied(
    evidence: Sequence[SizeEvidence], best: SizeEvidence, goal: Goal
) -> Sequence[SizeEvidence]:
    return [item for item in evidence if item is best or _may_equal(item, best, goal)]


def _may_equal(item: SizeEvidence, other: SizeEvidence, goal: Goal) -> bool:
    """Whether the replicates leave open that `item` is at most one per cent worse than `other`.

    Too few samples at either size say nothing, and equality is not claimed from nothing.
    """
    tails = common_tails(item, other)
    if tails is None:
        return False
    ratio = scores(goal, item.cost_replicates, item.duration_replicates) / scores(
        goal, other.cost_replicates, other.duration_replicates
    )
    return float(np.quantile(ratio, tails[0])) <= 1 + _EQUAL_SHARE


def common_tails(item: SizeEvidence, other: SizeEvidence) -> tuple[float, float] | None:
    """The quantiles for what compares two sizes: those of the one that is known less well."""
    if item.tails is None or other.tails is None:
        return None
    return min(item.tails[0], other.tails[0]), max(item.tails[1], other.tails[1])


def _closeness(
    evidence: Sequence[SizeEvidence], best: SizeEvidence, goal: Goal
) -> tuple[float | None, float | None]:
    """By how much `best` is expected to be worse than the best of each draw, and the 90 % bound.

    Not for a limit: what is best depends on sizes of which nobody knows whether they keep it.
    """
    if goal.objective == "slo":
        return None, None
    regret = regrets(goal, *_columns(evidence))
    column = _index(evidence, best)
    bound = float(np.quantile(regret[:, column], _BOUND_LEVEL))
    return float(expected_regret(regret)[column]), bound


def saving_of(best: SizeEvidence, current: SizeEvidence) -> Saving | None:
    """By how much `best` is below `current`, as shares of the latter.

    Rows of their replicates belong together. None where too few samples say how far off it is.
    """
    if best is current:
        nothing = (0.0, 0.0)
        return Saving(
            cost_share=0, cost_interval=nothing, duration_share=0, duration_interval=nothing
        )
    tails = common_tails(best, current)
    cost = interval_of(1 - best.cost_replicates / current.cost_replicates, tails)
    duration = interval_of(1 - best.duration_replicates / current.duration_replicates, tails)
    if cost is None or duration is None:
        return None
    return Saving(
        cost_share=1 - best.cost_usd / current.cost_usd,
        cost_interval=cost,
        duration_share=1 - best.duration_ms / current.duration_ms,
        duration_interval=duration,
    )


def _relative_score(best: SizeEvidence, current: SizeEvidence, goal: Goal) -> float | None:
    """The balanced score against today's size; None for other objectives, and where it is."""
    if goal.objective != "balanced" or best is current:
        return None
    return relative_score(
        goal, best.cost_usd, best.duration_ms, current.cost_usd, current.duration_ms
    )
