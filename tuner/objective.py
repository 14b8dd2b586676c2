"""What "best" means: one score a size, lower is better; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from core.errors import InputError
from reports.document import Objective

if TYPE_CHECKING:
    from tuner.estimate import Floats

OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
DEFAULT_WEIGHT = 0.5


def check_objective(objective: str, weight: float | None) -> tuple[Objective, float | None]:
    """The objective and, for balanced, the weight of cost.

    Raises:
        InputError: for an unknown objective, or a weight that is no share or is not used.
    """
    if objective not in OBJECTIVES:
        raise InputError(
            f"--objective: expected one of {', '.join(OBJECTIVES)} (got {objective!r})"
        )
    known: Objective = next(name for name in OBJECTIVES if name == objective)
    if known != "balanced":
        if weight is not None:
            raise InputError(f"--weight: only used with --objective balanced (got {objective!r})")
        return known, None
    chosen = DEFAULT_WEIGHT if weight is None else weight
    if not 0 <= chosen <= 1:
        raise InputError(f"--weight: expected a share from 0 (speed) to 1 (cost) (got {chosen})")
    return known, chosen


def log_scores(
    objective: Objective, weight: float | None, cost: Floats, duration: Floats
) -> Floats:
    """The logarithm of what to minimise, elementwise.

    Balanced is the weighted geometric mean cost^w x duration^(1-w): 1 % of cost counts w, 1 % of
    duration 1-w, whatever other sizes were tested. Normalising by the largest tested value, as is
    usual, lets the choice of sizes decide the winner.
    """
    shares = {"cost": 1.0, "speed": 0.0, "balanced": weight if weight is not None else 0.5}
    share = shares[objective]
    return np.asarray(share * np.log(cost) + (1 - share) * np.log(duration))
