"""The knee of a curve: the smallest size beyond which more speed costs too much; pure.

With a share of 10 %: beyond it, another 10 % of speed costs more than 10 %.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tuner.estimate import Floats

    Indices = npt.NDArray[np.intp]

_MOST_SHARE = 1.0
_CENTRAL = (0.05, 0.95)
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_SHARE = re.compile(r"\s*(\d*\.\d+|\d+)\s*")


def parse_knee(text: str) -> float:
    """The share that `--knee` names: 0.1 for "10%" as for "0.1".

    Raises:
        InputError: for anything else, and for shares outside of 0 to 100 %.
    """
    percent, share = _PERCENT.fullmatch(text), _SHARE.fullmatch(text)
    found = float(percent[1]) / 100 if percent else float(share[1]) if share else 0.0
    if not 0 < found <= _MOST_SHARE:
        raise InputError(
            f"--knee: expected a share above 0 and up to 100%, as in 10% or 0.1 (got {text!r})"
        )
    return found


@dataclass(frozen=True, slots=True)
class Knee:
    """The column of the size to take for the knee, and the columns of those that may be it."""

    index: int
    tied: tuple[int, ...]


def knee_size(
    cost: Floats, duration: Floats, share: float, allowed: Sequence[int] | None = None
) -> Knee:
    """The knee of draws (S, G), whose columns are sizes, ascending; of `allowed` columns only.

    Each draw has a knee of its own. The answer is the median of them, which is the size that is
    the fewest steps of the grid away from the true knee on average; a mean would follow the few
    draws that are far off. Of `allowed` columns it is the one with the fewest expected steps, the
    smaller one where two are equal. Tied are all sizes that are the knee of a draw, without the
    5 % of draws at each end.
    """
    # Not at the top: options are checked before numpy is loaded.
    import numpy as np

    knees = knee_columns(cost, duration, share)
    columns = range(cost.shape[1]) if allowed is None else allowed
    index = min(columns, key=lambda column: (float(np.abs(knees - column).mean()), column))
    low, high = np.quantile(knees, _CENTRAL, method="nearest")
    central = {column for column in np.unique(knees).tolist() if low <= column <= high}
    # Of allowed sizes, the answer may be the knee of no draw at all.
    return Knee(index=index, tied=tuple(sorted(central | {index})))


def knee_columns(cost: Floats, duration: Floats, share: float) -> Indices:
    """The column (S) of the knee of each draw.

    The smallest m such that no larger m' has both t(m') <= t(m) / (1 + share) and
    c(m') / c(m) <= t(m) / t(m'): at least the share faster, and each per cent of speed for at
    most one of money. A limit of 1 + share on the ratio of costs would be the same where sizes
    are close; where one step doubles the speed, it would refuse it for 11 % more money, and the
    knee would hang on which sizes were tried. A step of the curve, where a size is no faster than
    the one before it, does not hide one behind it that is worth its price. The largest size is
    always one.
    """
    import numpy as np

    draws, sizes = cost.shape
    product = cost * duration
    found = np.full(draws, sizes - 1, dtype=np.intp)
    for column in range(sizes - 2, -1, -1):
        faster = duration[:, column + 1 :] <= duration[:, [column]] / (1 + share)
        worth_it = product[:, column + 1 :] <= product[:, [column]]
        found[~(faster & worth_it).any(axis=1)] = column
    return found
