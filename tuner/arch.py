"""The same work on x86_64 and arm64: which is better, by how much, and one table of both; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.aws.prices import Arch
from reports.document import ArchComparison, ArchSize
from reports.figures import megabytes
from tuner.analysis import Answer
from tuner.interval import interval_of
from tuner.objective import Goal, scores
from tuner.recommend import SizeEvidence, common_tails, saving_of

if TYPE_CHECKING:
    from tuner.estimate import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One architecture: the function that stands for it, and what its samples say."""

    arch: Arch
    function: str
    answer: Answer

    @property
    def name(self) -> str:
        """The function as a sentence names it."""
        return f"{self.function} ({self.arch})"

    @property
    def best(self) -> SizeEvidence | None:
        """What is known of the recommended size; None where there is none, or it is a guess."""
        taken = self.answer.recommendation
        if taken is None:
            return None
        return next((item for item in self.invoked if item.memory_mb == taken.memory_mb), None)

    @property
    def invoked(self) -> Sequence[SizeEvidence]:
        """The usable sizes with samples enough to say how far off their figures are."""
        return [item for item in self.answer.evidence if item.n and item.tails is not None]


@dataclass(frozen=True, slots=True)
class NotComparable:
    """Why there is no comparison; `is_answer` where that answers the question all the same."""

    reason: str
    is_answer: bool = False


def compare(
    goal: Goal, one: Side, other: Side, rng: np.random.Generator
) -> ArchComparison | NotComparable:
    """The best size of each architecture against that of the other, and a table of all sizes.

    The samples of the two are independent of each other, but their draws are not where both began
    with the same seed: the rows of the second are put in another order, so that a row of one meets
    any row of the other.
    """
    hindrance = _hindrance(goal, one, other)
    if hindrance is not None:
        return hindrance
    pair = [(one, one.best), (other, other.best)]
    found = [(side, best) for side, best in pair if best is not None]
    (side, best), (beaten, second) = sorted(found, key=lambda item: _score(item[1], goal))
    least_scores = _least_scores(goal, beaten, second)
    order = _order(len(least_scores), len(best.cost_replicates), rng)
    second = _reordered(second, order)
    saving = saving_of(best, second)
    if saving is None:  # both are of `invoked`, which have intervals
        return NotComparable(f"too few samples of {one.name} or {other.name}")
    return ArchComparison(
        functions={one.arch: one.function, other.arch: other.function},
        sizes=_sizes(one, other),
        best_arch=side.arch,
        best_mb=best.memory_mb,
        cost_saving_share=saving.cost_share,
        cost_saving_interval=saving.cost_interval,
        duration_saving_share=saving.duration_share,
        duration_saving_interval=saving.duration_interval,
        separable=_separable(goal, best, second, least_scores[order]),
    )


def _hindrance(goal: Goal, one: Side, other: Side) -> NotComparable | None:
    sides = (one, other)
    without = [side for side in sides if side.answer.recommendation is None]
    if without and goal.objective == "slo":
        return _within_the_limit(goal, sides)
    if without:
        names = " and ".join(side.name for side in without)
        return NotComparable(f"there is no size to recommend for {names}")
    few = [side.name for side in sides if side.best is None]
    if few:
        return NotComparable(f"too few samples of {' and '.join(few)}")
    if (one.answer.cold is None) != (other.answer.cold is None):
        unknown = one if one.answer.cold is None else other
        return NotComparable(f"no cold call of {unknown.name} was measured")
    return None


def _within_the_limit(goal: Goal, sides: tuple[Side, Side]) -> NotComparable:
    """What a limit that not both keep says of them."""
    words = []
    for side in sides:
        taken, slo = side.answer.recommendation, side.answer.slo
        if taken is not None:
            words.append(f"{side.name} keeps {goal.slo} at {megabytes(taken.memory_mb)}")
        elif slo is not None and slo.verdict == "infeasible":
            words.append(f"no size of {side.name} keeps {goal.slo}")
        else:
            words.append(f"no size of {side.name} is shown to keep {goal.slo}")
    decided = all(
        side.answer.slo is not None and side.answer.slo.verdict != "not separable" for side in sides
    )
    return NotComparable("; ".join(words), is_answer=decided)


def _score(item: SizeEvidence, goal: Goal) -> float:
    return float(scores(goal, np.array([item.cost_usd]), np.array([item.duration_ms]))[0])


def _order(rows: int, wanted: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(rows, size=wanted, replace=wanted > rows)


def _reordered(item: SizeEvidence, order: np.ndarray) -> SizeEvidence:
    """The same size with its rows in another order."""
    return replace(
        item,
        duration_replicates=item.duration_replicates[order],
        billed_replicates=item.billed_replicates[order],
        cost_replicates=item.cost_replicates[order],
    )


def _least_scores(goal: Goal, side: Side, best: SizeEvidence) -> Floats:
    """The score of the best that an architecture may have, at any size, in each row.

    Where rows are whole curves, also sizes that were not invoked may be better than the one that
    was chosen. Where they are not, the least of many would be the luckiest: it is the chosen one.
    """
    taken = side.answer.recommendation
    rows_are_curves = taken is not None and taken.regret_share is not None
    has_least = goal.objective not in ("slo", "knee")
    sizes = side.answer.evidence if rows_are_curves and has_least else (best,)
    columns = [scores(goal, item.cost_replicates, item.duration_replicates) for item in sizes]
    least: Floats = np.min(columns, axis=0)
    return least


def _separable(goal: Goal, best: SizeEvidence, second: SizeEvidence, least_scores: Floats) -> bool:
    """Whether the 90 % interval of the saving by the objective is above zero."""
    own = scores(goal, best.cost_replicates, best.duration_replicates)
    interval = interval_of(1 - own / least_scores, common_tails(best, second))
    return interval is not None and interval[0] > 0


def _sizes(one: Side, other: Side) -> list[ArchSize]:
    rows = [(side.arch, item) for side in (one, other) for item in side.invoked]
    return [
        row
        for arch, item in rows
        if (row := _row(arch, item, [other for _, other in rows])) is not None
    ]


def _row(arch: Arch, item: SizeEvidence, all_sizes: Sequence[SizeEvidence]) -> ArchSize | None:
    duration = interval_of(item.duration_replicates, item.tails)
    cost = interval_of(item.cost_replicates * 1e6, item.tails)
    if duration is None or cost is None:
        return None
    return ArchSize(
        arch=arch,
        memory_mb=item.memory_mb,
        n=item.n,
        duration_ms=item.duration_ms,
        duration_interval_ms=duration,
        cost_usd_per_million=item.cost_usd * 1e6,
        cost_interval=cost,
        pareto=not any(_undercuts(other, item) for other in all_sizes),
    )


def _undercuts(one: SizeEvidence, other: SizeEvidence) -> bool:
    """Whether `one` is better in one quality and not worse in the other, by typical figures."""
    cheaper, faster = one.cost_usd - other.cost_usd, one.duration_ms - other.duration_ms
    return max(cheaper, faster) <= 0 and min(cheaper, faster) < 0
