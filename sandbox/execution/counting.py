"""When the memory of a process tree is counted page by page, which takes long for a large one.

The sum of what its processes have resident is read at once, and too high where they share pages.
Counting them takes some 16 ms for 1 GB with four children, in which the sandbox does nothing else.
"""

from __future__ import annotations

# Counting one tree takes at most a 21st part of the time, beside the counts that growth calls for.
_PAUSE_PER_COUNT = 20

# Of the limit: a sum that creeps up just below it must not be counted at each step.
_LEAST_GROWTH_SHARE = 0.05


class CountSchedule:
    """Says when the next count is due; values in, values out, in MB and seconds.

    A sum above the limit for the first time is always counted, as it may have to be killed. After
    that a tree is counted again when its sum has grown by what the last count found to be left,
    or when the pause is over: pages that are no longer shared do not show in the sum.
    """

    def __init__(self) -> None:
        self.spent_s = 0.0
        self.is_owed = False  # the last look wanted a count that was not due
        self._not_before_s = 0.0
        self._was_above_limit = False
        self._sum_mb = 0.0
        self._counted_mb = 0.0

    def is_due(self, sum_mb: float, limit_mb: float, now_s: float) -> bool:
        """Whether a tree with this sum is to be counted now."""
        is_first_above = sum_mb > limit_mb and not self._was_above_limit
        is_due = now_s >= self._not_before_s or is_first_above or self._has_grown(sum_mb, limit_mb)
        self._was_above_limit |= is_first_above
        self.is_owed = not is_due
        return is_due

    def note(self, sum_mb: float, counted_mb: float, began_s: float, ended_s: float) -> None:
        """Notes a count and how long it took."""
        self.is_owed = False
        self._sum_mb = sum_mb
        self._counted_mb = counted_mb
        self.spent_s += ended_s - began_s
        self._not_before_s = ended_s + _PAUSE_PER_COUNT * (ended_s - began_s)

    def _has_grown(self, sum_mb: float, limit_mb: float) -> bool:
        left_mb = max(limit_mb - self._counted_mb, limit_mb * _LEAST_GROWTH_SHARE)
        return sum_mb > limit_mb and sum_mb - self._sum_mb > left_mb
