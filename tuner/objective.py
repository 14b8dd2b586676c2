"""What "best" means: one score a size, lower is better; pure.

Arrays come from the caller, so that options can be checked before numpy is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from core.errors import InputError
from reports.document import Objective
from tuner.knee import knee_columns

if TYPE_CHECKING:
    from tuner.estimate import Floats

OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
DEFAULT_WEIGHT = 0.5
DEFAULT_KNEE_SHARE = 0.1
# Where 1 % of speed is worth 1 % of cost: what a knee is near to, whatever its share.
_KNEE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class SloLimit:
    """A limit on a percentile of warm durations: 95 and 300 for "p95 < 300ms"."""

    percentile: float
    limit_ms: float

    @property
    def share(self) -> float:
        """The percentile as a share: 0.95 for p95."""
        return self.percentile / 100

    def __str__(self) -> str:
        return f"p{self.percentile:g} < {self.limit_ms:g} ms"


@dataclass(frozen=True, slots=True)
class Goal:
    """An objective with what it needs: `weight` for balanced, `slo` and `knee_share` for theirs."""

    objective: Objective
    weight: float | None = None
    slo: SloLimit | None = None
    knee_share: float | None = None

    @property
    def cost_weight(self) -> float:
        """How much a per cent of cost counts, 1 less this being what one of duration does."""
        if self.objective == "balanced":
            return DEFAULT_WEIGHT if self.weight is None else self.weight
        return {"cost": 1.0, "slo": 1.0, "speed": 0.0, "knee": _KNEE_WEIGHT}[self.objective]


def check_objective(
    objective: str | None,
    weight: float | None,
    slo: SloLimit | None = None,
    knee_share: float | None = None,
) -> Goal:
    """The goal that the options set together; a limit or a share alone says which is meant.

    Raises:
        InputError: for an unknown objective, or an option that it lacks or does not use.
    """
    known = _objective(objective, slo, knee_share)
    if weight is not None and known != "balanced":
        raise InputError(
            f"--weight: only used with --objective balanced (the objective is {known})"
        )
    if known == "balanced":
        return Goal(known, weight=_weight(weight))
    if known == "slo":
        return Goal(known, slo=slo)
    if known == "knee":
        return Goal(known, knee_share=DEFAULT_KNEE_SHARE if knee_share is None else knee_share)
    return Goal(known)


def _objective(objective: str | None, slo: SloLimit | None, knee_share: float | None) -> Objective:
    """The objective by its name; by what else is given where it has none."""
    if slo is not None and knee_share is not None:
        raise InputError("--knee: has no meaning with --slo, which takes the cheapest within it")
    if objective is None:
        return "slo" if slo is not None else "knee" if knee_share is not None else "cost"
    if objective not in OBJECTIVES:
        raise InputError(
            f"--objective: expected one of {', '.join(OBJECTIVES)} (got {objective!r})"
        )
    known: Objective = next(name for name in OBJECTIVES if name == objective)
    if slo is not None:
        if known not in ("slo", "cost"):
            raise InputError(
                f"--objective: expected slo or cost with --slo, which takes the cheapest size "
                f"within its limit (got {objective!r})"
            )
        return "slo"
    if known == "slo":
        raise InputError("--objective slo: expected a limit with --slo, as in --slo 'p95 < 300ms'")
    if knee_share is not None and known != "knee":
        raise InputError(f"--knee: only used with --objective knee (the objective is {objective})")
    return known


def _weight(weight: float | None) -> float:
    chosen = DEFAULT_WEIGHT if weight is None else weight
    if not 0 <= chosen <= 1:
        raise InputError(f"--weight: expected a share from 0 (speed) to 1 (cost) (got {chosen})")
    return chosen


def scores(goal: Goal, cost_usd: Floats, duration_ms: Floats) -> Floats:
    """What to minimise, elementwise: cost^w x duration^(1-w), w = 1 for cost and 0 for speed.

    Balanced is the weighted geometric mean: 1 % of cost counts w, 1 % of duration 1-w. Dividing
    both by those of the current setting, or by any other fixed reference, multiplies all scores
    by one number, so that it leaves their ranking as it is. Dividing by the largest value tested,
    as is usual for weighted sums, lets the choice of sizes decide the winner.
    """
    weight = goal.cost_weight
    found: Floats = cost_usd**weight * duration_ms ** (1 - weight)
    return found


def regrets(goal: Goal, cost_usd: Floats, duration_ms: Floats) -> Floats:
    """By how much each size is worse than the best of its row, as a share from 0; (S, G).

    A row is one draw of the whole curve. For an SLO it is that of cost: which sizes keep the
    limit is decided elsewhere. A knee has the least of no score: sizes before and behind that of
    the draw are worse by the ratio of the scores, whichever of them is larger.
    """
    found = scores(goal, cost_usd, duration_ms)
    if goal.objective == "knee":
        return _off_the_knee(goal, found, cost_usd, duration_ms)
    worse: Floats = found / found.min(axis=-1, keepdims=True) - 1
    return worse


def _off_the_knee(goal: Goal, found: Floats, cost_usd: Floats, duration_ms: Floats) -> Floats:
    # Not at the top: options are checked before numpy is loaded.
    import numpy as np

    share = DEFAULT_KNEE_SHARE if goal.knee_share is None else goal.knee_share
    knees = knee_columns(cost_usd, duration_ms, share)
    ratio = found / np.take_along_axis(found, knees[:, None], axis=1)
    return np.asarray(np.maximum(ratio, 1 / ratio) - 1)


def relative_score(
    goal: Goal, cost_usd: float, duration_ms: float, current_usd: float, current_ms: float
) -> float:
    """The score of a size as a multiple of that of the current setting: 1 is as now."""
    weight = goal.cost_weight
    return float((cost_usd / current_usd) ** weight * (duration_ms / current_ms) ** (1 - weight))
