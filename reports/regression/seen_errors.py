"""Errors of nights that are no larger than nights differ.

Within one night an error is often an upper bound: the intervals of a tuning hold for any shape of
its durations, and twice as far as nights of it differ is usual. Taken as it stands it would hide
changes for good. How nights differ from the next one says what it is worth: a night that is less
sure than others stays as much less sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import numpy as np

from reports.regression.series import Observation

# Fewer neighbours say little of how nights differ.
_FEWEST_NIGHTS = 8
# By chance a few nights may lie close together: no error is made smaller than this part of it.
_LEAST_FACTOR = 0.25
# Of a normal distribution, the standard deviation over the median of absolute deviations.
_NORMAL = 1.4826


def as_seen(observations: Sequence[Observation]) -> list[Observation]:
    """The same nights with smaller errors, where those say more than nights differ; never larger.

    Nights are compared with the one before, by the median: a change of the level or a bad night
    hardly counts. Errors stay as they are with fewer than eight nights.
    """
    errors = [night.error for night in observations if night.error]
    if len(errors) < _FEWEST_NIGHTS:
        return list(observations)
    steps = np.abs(np.diff([night.y for night in observations]))
    spread = _NORMAL * float(np.median(steps)) / sqrt(2)
    factor = min(max(spread / float(np.median(errors)), _LEAST_FACTOR), 1.0)
    return [
        night if night.error is None else replace(night, error=factor * night.error)
        for night in observations
    ]
