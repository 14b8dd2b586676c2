"""Which size to take, from joint draws of cost and duration; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tuner.knee import knee_size
from tuner.objective import DEFAULT_KNEE_SHARE, Goal, regrets, scores

if TYPE_CHECKING:
    from tuner.estimate import Floats

# Beyond that, a draw is a disaster of the same kind: it must not decide by how far it is off.
_MOST_REGRET = 1.0
# A size is as good as the best one, and the other quality decides, when it is expected to be worse
# by no more than this, which nobody would act on, and than a quarter of what is not known anyway.
_EQUAL_SHARE, _EQUAL_FACTOR = 0.01, 0.25
# For speed, where curves end flat: three per cent of time are not felt, three times the money are.
_EQUALLY_FAST_SHARE = 0.03
# Today's size stays within three per cent of the least, where the draws cannot tell it from the
# choice: it is about what hosts of one size differ by.
_STAYS_WITHIN_SHARE = 0.03
# What nobody would act on: a size that is worse by no more cannot be told apart.
TIED_SHARE = 0.01
# The lower end of a 90 % interval.
_LOW = 0.05


def expected_regret(regret: Floats) -> Floats:
    """By how much each size (G) is expected to be worse than the best of all; from (S, G)."""
    return np.asarray(np.minimum(regret, _MOST_REGRET).mean(axis=0))


def equal_share(least_regret: float) -> float:
    """By how much more regret than the least a size is still as good; both as shares."""
    return min(_EQUAL_SHARE, _EQUAL_FACTOR * least_regret)


def choose(
    goal: Goal,
    cost_usd: Floats,
    duration_ms: Floats,
    allowed: Sequence[int] | None = None,
    today: int | None = None,
) -> int:
    """The column of the size to take, of the `allowed` ones; from joint draws (S, G).

    It has the least expected regret against the best of all sizes; among sizes as good as that, it
    is the fastest, or for speed the cheapest. Nobody is sent away from `today`, the column of
    today's size, when that may be as good and is better in the other quality. A knee is not a least
    of anything: it has a rule of its own.
    """
    columns = range(cost_usd.shape[1]) if allowed is None else allowed
    if goal.objective == "knee":
        share = DEFAULT_KNEE_SHARE if goal.knee_share is None else goal.knee_share
        return knee_size(cost_usd, duration_ms, share, columns).index
    expected = expected_regret(regrets(goal, cost_usd, duration_ms))
    other = np.log(cost_usd if goal.objective == "speed" else duration_ms).mean(axis=0)
    least = min(float(expected[column]) for column in columns)
    most = least + (_EQUALLY_FAST_SHARE if goal.objective == "speed" else equal_share(least))
    as_good = [column for column in columns if expected[column] <= most]
    best = min(as_good, key=lambda column: float(other[column]))
    if today is None or today not in columns or other[today] >= other[best]:
        return best
    is_near = expected[today] <= least + _STAYS_WITHIN_SHARE
    found = scores(goal, cost_usd, duration_ms)
    may_be_equal = np.quantile(found[:, today] / found[:, best], _LOW) <= 1 + TIED_SHARE
    return today if is_near and may_be_equal else best
