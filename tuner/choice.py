"""Which size to take, from joint draws of cost and duration; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tuner.knee import knee_size
from tuner.objective import DEFAULT_KNEE_SHARE, Goal, regrets

if TYPE_CHECKING:
    from tuner.estimate import Floats

# Beyond that, a draw is a disaster of the same kind: it must not decide by how far it is off.
_MOST_REGRET = 1.0
# Sizes that are expected to be worse by no more than this are as good: the other quality decides.
EQUAL_SHARE = 0.01


def expected_regret(regret: Floats) -> Floats:
    """By how much each size (G) is expected to be worse than the best of all; from (S, G)."""
    return np.asarray(np.minimum(regret, _MOST_REGRET).mean(axis=0))


def choose(
    goal: Goal, cost_usd: Floats, duration_ms: Floats, allowed: Sequence[int] | None = None
) -> int:
    """The column of the size to take, of the `allowed` ones; from joint draws (S, G).

    It has the least expected regret against the best of all sizes; among sizes as good as that, it
    is the fastest, or for speed the cheapest. A knee is not a least of anything: it has a rule of
    its own.
    """
    columns = range(cost_usd.shape[1]) if allowed is None else allowed
    if goal.objective == "knee":
        share = DEFAULT_KNEE_SHARE if goal.knee_share is None else goal.knee_share
        return knee_size(cost_usd, duration_ms, share, columns).index
    expected = expected_regret(regrets(goal, cost_usd, duration_ms))
    other = np.log(cost_usd if goal.objective == "speed" else duration_ms).mean(axis=0)
    least = min(expected[column] for column in columns)
    as_good = [column for column in columns if expected[column] <= least + EQUAL_SHARE]
    return min(as_good, key=lambda column: float(other[column]))
