"""Which size to take, from joint draws of cost and duration; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tuner.estimate import Floats


# Beyond that, a draw is a disaster of the same kind: it must not decide by how far it is off.
_MOST_REGRET = 1.0
# Sizes that are expected to be worse by no more than this are as good: the other quality decides.
EQUAL_SHARE = 0.01


def expected_regret(regret: Floats) -> Floats:
    """By how much each size (G) is expected to be worse than the best of all; from (S, G)."""
    return np.asarray(np.minimum(regret, _MOST_REGRET).mean(axis=0))


def pick(regret: Floats, other: Floats) -> int:
    """The index of the size to take.

    The least expected regret; among sizes as good as that, the best in the `other` quality, whose
    draws (S, G) are lower for better (duration where regret is of cost).
    """
    expected = expected_regret(regret)
    as_good = np.flatnonzero(expected <= expected.min() + EQUAL_SHARE)
    return int(as_good[np.argmin(np.log(other[:, as_good]).mean(axis=0))])
