"""Why a size is recommended, in sentences; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.aws.limits import MEMORY_MAX_MB, MEMORY_MIN_MB
from reports.figures import megabytes, percent
from tuner.objective import Goal


@dataclass(frozen=True, slots=True)
class Case:
    """What the sentences are made from.

    `usable` sizes could be chosen, `called` what they are called; `lowest_mb` is the best of them
    by the objective alone, better than the chosen one by less than `within_share`.
    `relative_score` is the balance against today's size.
    """

    goal: Goal
    usable: int
    called: Literal["usable", "verified"]
    best_mb: int
    lowest_mb: int
    within_share: float
    planned_mb: Sequence[int]
    relative_score: float | None = None


def reasons(case: Case) -> list[str]:
    """Why this size, what the comparison rests on, and whether a better one may be elsewhere."""
    found = [_main_reason(case)]
    if case.relative_score is not None:
        found.append(f"its balance is {case.relative_score:.2f} of today's (1 is as now)")
    edges = {min(case.planned_mb): "smallest", max(case.planned_mb): "largest"}
    more_to_try = case.best_mb not in (MEMORY_MIN_MB, MEMORY_MAX_MB)
    if case.usable > 1 and case.best_mb in edges and more_to_try:
        edge = edges[case.best_mb]
        found.append(f"it is the {edge} size measured: the best may lie beyond")
    return found


def _main_reason(case: Case) -> str:
    size, goal = megabytes(case.best_mb), case.goal
    if goal.objective == "knee":
        return f"{size} is the median of the knees of all curves that the samples allow"
    best_at = {
        "cost": "the lowest cost",
        "slo": "the lowest cost",
        "speed": "the shortest duration",
        "balanced": f"the best balance with a weight of {goal.cost_weight:g} on cost",
    }[goal.objective]
    if case.best_mb != case.lowest_mb:
        first, other = megabytes(case.lowest_mb), "cost" if goal.objective == "speed" else "speed"
        within = percent(case.within_share)
        return f"{first} has {best_at} by less than {within}; {size} is better in {other}"
    if goal.slo is not None:
        return _kept_reason(case, f"p{goal.slo.percentile:g} < {goal.slo.limit_ms:g} ms")
    if case.usable == 1:
        return f"{size} is the only {_called(case, 'size')}"
    return f"{size} has {best_at} of the {case.usable} {_called(case, 'sizes')}"


def _called(case: Case, sizes: str) -> str:
    """What sizes need to be chosen; the number is that of `WARM_TO_VERIFY`."""
    return (
        f"{sizes} with two warm samples or more"
        if case.called == "verified"
        else (f"usable {sizes}")
    )


def _kept_reason(case: Case, limit: str) -> str:
    size = megabytes(case.best_mb)
    if case.usable == 1:
        return f"{size} is the only size shown to keep {limit}"
    return f"{size} has the lowest cost of the {case.usable} sizes shown to keep {limit}"
