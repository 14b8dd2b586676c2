"""Which rate to try next: double until one breaks, then close in on an estimate from both sides.

The estimate only decides where to look; what holds and what breaks is decided by the tests. On a
side where nothing could be decided, the next rate is further away from the estimate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from loadgen.search.estimate import Estimate
from loadgen.search.finding import Verdict

_DOUBLE = math.log(2.0)
_SPREADS = 1.5  # of the estimate: how far from it a test is likely to be decided
_SIDE_MOST_SHARE = 1 / 3  # of the bracket
_NEAR_ENOUGH = 1.6  # sides: an end that is nearer to the estimate than that is not moved any more
_FURTHER = 0.04  # a rate beside one at which nothing was decided is at least so far from it
_SURE_SHARE = 0.7  # of the resolution: the spread of an estimate that is sure enough
_LOOKS = 4  # at the estimate, once nothing else is left to try
_WIDENING = 1.6  # of that distance, for each further rate


@dataclass(slots=True)
class Bracket:
    """What is known of the rate: the highest that holds, the lowest that breaks, between which.

    `leaning` are rates that look as if they held, and were not held for long enough to say so.
    """

    least: float  # bounds
    most: float
    resolution: float
    holds: list[float] = field(default_factory=list)
    breaks: list[float] = field(default_factory=list)
    undecided: list[float] = field(default_factory=list)
    leaning: list[float] = field(default_factory=list)
    looks: int = 0  # at the estimate itself

    @property
    def low(self) -> float | None:
        """The highest rate that holds below all that break."""
        most = self.high or math.inf
        return max((rate for rate in self.holds if rate < most), default=None)

    @property
    def high(self) -> float | None:
        """The lowest rate that breaks."""
        return min(self.breaks, default=None)

    @property
    def floor(self) -> float:
        """The highest rate that holds, or the lower bound."""
        return self.least if self.low is None else self.low

    @property
    def ceiling(self) -> float:
        """The lowest rate that breaks, or the upper bound, at which nothing could be decided."""
        return self.most if self.high is None else self.high

    @property
    def is_narrow(self) -> bool:
        """Whether both ends are known, and as near to each other as asked."""
        if self.low is None or self.high is None:
            return False
        return self.high / self.low - 1 <= self.resolution * 1.0001

    def add(self, rate_rps: float, verdict: Verdict, *, leans: bool = False) -> None:
        """Takes a verdict down; `leans`: without one, it looks as if the rate held."""
        if verdict == "holds":
            self.holds.append(rate_rps)
        elif verdict == "breaks":
            self.breaks.append(rate_rps)
        elif leans:
            self.leaning.append(rate_rps)
        else:
            self.undecided.append(rate_rps)

    def forget(self, rate_rps: float) -> None:
        """Strikes a rate that was seen to hold: it was not held for long enough."""
        self.holds = [rate for rate in self.holds if rate != rate_rps]

    # -- upwards ----------------------------------------------------------------------------------

    def upward(self) -> float | None:
        """The next rate while none breaks; None at the top."""
        tried = max((*self.holds, *self.leaning, *self.undecided), default=None)
        if tried is None:
            return self.least
        return None if tried >= self.most else min(tried * math.exp(_DOUBLE), self.most)

    # -- closing in -------------------------------------------------------------------------------

    def between(self, found: Estimate) -> float | None:
        """The next rate once one breaks; None when both ends are as near as can be told."""
        if self.is_narrow or self.ceiling <= self.least or self.most in self.holds:
            return None
        lower, upper = math.log(self.floor), math.log(self.ceiling)
        middle = math.log(found.rate_rps)
        least_side = math.log1p(self.resolution) / 2
        side = max(least_side, min(_SPREADS * found.spread, (upper - lower) * _SIDE_MOST_SHARE))
        choices = []
        if self.low is None or middle - lower > _NEAR_ENOUGH * side:
            below = self._target(middle, lower, -side)
            # The lower bound itself may be tried, where nothing above it is known to hold.
            if below is None and self.low is None and not self._was_tried(self.floor):
                below = lower
            choices.append((middle - lower, below))
        if upper - middle > _NEAR_ENOUGH * side:
            choices.append((upper - middle, self._target(middle, upper, side)))
        # The side on which more is unknown first.
        known = [(gap, target) for gap, target in choices if target is not None]
        if known:
            return math.exp(max(known)[1])
        return self._at_estimate(found)

    def _at_estimate(self, found: Estimate) -> float | None:
        """The estimate itself, as long as it is less sure than asked."""
        if found.spread <= _SURE_SHARE * self.resolution or self.looks >= _LOOKS:
            return None
        self.looks += 1
        return found.rate_rps

    def _was_tried(self, rate_rps: float) -> bool:
        return rate_rps in (*self.holds, *self.undecided)

    def _target(self, middle: float, end: float, side: float) -> float | None:
        """A rate on one side of the estimate, beyond those at which nothing was decided."""
        way = math.copysign(1.0, side)
        tried = [math.log(rate) for rate in self.undecided]
        outer = [at for at in tried if way * (at - middle) > 0 and way * (end - at) > 0]
        target = middle + side
        if outer:
            furthest = max(outer, key=lambda at: way * at)
            further = max(abs(side), _FURTHER) * _WIDENING ** (len(outer) - 1)
            target = max(target * way, furthest * way + further) * way
        room = way * (end - target)
        return target if room > math.log1p(self.resolution) / 2 else None
