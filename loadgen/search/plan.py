"""The search as a plan: which rates are tried, when it is over, and what it found.

The error is controlled by the union bound: the probability that the verdict at one rate is wrong is
at most (1 - confidence) / n, with n the number of verdicts that a search of these bounds takes. So
the highest rate that holds is between the two that are told with the confidence that was asked
for, if a higher rate is never better and the API does not change meanwhile. The latter is looked
at: both ends are tried again.
"""

from __future__ import annotations

import math
from collections.abc import Generator

from loadgen.profile.model import Phase, Profile
from loadgen.search.choice import Bracket
from loadgen.search.criterion import criteria_of
from loadgen.search.estimate import Estimate, estimate
from loadgen.search.finding import (
    Ended,
    Hysteresis,
    Role,
    SearchFinding,
)
from loadgen.search.hold import Held, Holder, SearchEnd, plain
from loadgen.search.judge import Terms
from loadgen.steered.segment import Plan, Segment, Sent

_DOUBLINGS = 3  # a rate is held for 1, 2 and 4 steps
_MOST_RATES = 24
_VERDICTS_BESIDES = 8  # that close in after the bracket, and that look at both ends again
_OVERLOAD = 1.2  # of the lowest rate that breaks, before the rate is approached from above
Stage = Generator[Segment, Sent, tuple[Hysteresis, str]]


def search_plan(profile: Profile, phase: Phase) -> Plan[SearchFinding]:
    """The plan that finds the highest rate that holds the SLO of `phase`.

    Raises:
        InputError: its SLO cannot be tested; profiles are checked for that.
    """
    return _Search(profile, phase).run()


class _Search:
    def __init__(self, profile: Profile, phase: Phase) -> None:
        least, most = phase.bounds or (1.0, 1.0)
        verdicts = math.ceil(math.log2(most / least)) + 1 + _VERDICTS_BESIDES
        self._terms = Terms(
            criteria=criteria_of(phase.slo),
            alpha=(1 - phase.confidence) / verdicts,
            max_start_lag_s=profile.validity.max_start_lag_s,
            max_dropped=profile.validity.max_dropped,
        )
        self._holder = Holder(profile, phase, self._terms)
        guarded = profile.guards.max_rate * self._holder.per_request
        self._top = "guards.max_rate" if guarded < most else "the upper bound"
        self._bracket = Bracket(least, min(most, guarded), phase.resolution)

    @property
    def _held(self) -> Held:
        return self._holder.held

    def run(self) -> Plan[SearchFinding]:
        """Tries rates until the answer is as narrow as asked, or something ends the search."""
        hysteresis: tuple[Hysteresis, str] = ("unknown", "it was not approached from above")
        ended: Ended | None = None
        try:
            ended, detail = yield from self._narrow()
            hysteresis = yield from self._from_above()
        except SearchEnd as end:
            # What ends the look from above takes nothing from an answer that is there.
            if ended is None or end.ended in ("unstable", "stopped"):
                ended, detail = end.ended, end.detail
            else:
                hysteresis = "unknown", end.detail
        return self._finding(ended, detail, hysteresis)

    # -- upwards, then from both sides ------------------------------------------------------------

    def _narrow(self) -> Generator[Segment, Sent, tuple[Ended, str]]:
        bracket = self._bracket
        for _ in range(_MOST_RATES):
            upward = bracket.upward() if bracket.high is None else None
            role: Role = "narrow" if upward is None else "bracket"
            rate_rps = bracket.between(self._estimate()) if upward is None else upward
            if rate_rps is None:
                return self._outcome()
            # On the way up, what looks as if it held need not be shown: a higher rate will.
            up = role == "bracket" and rate_rps < bracket.most
            try:
                found = yield from self._holder.hold(rate_rps, role, _DOUBLINGS, up=up)
            except SearchEnd as end:
                if end.ended == "generator":
                    yield from self._highest_sent()
                raise
            bracket.add(rate_rps, found.verdict, leans=up and found.leans)
            self._strike_hidden()
        return "budget", f"{_MOST_RATES} rates were tried"

    def _highest_sent(self) -> Generator[Segment, Sent, None]:
        """Where the generator is too slow to go on: whether what it could send holds."""
        sendable = max(self._bracket.leaning, default=None)
        if self._bracket.high is None and self._bracket.low is None and sendable is not None:
            found = yield from self._holder.hold(sendable, "narrow", _DOUBLINGS)
            self._bracket.add(sendable, found.verdict)

    def _outcome(self) -> tuple[Ended, str]:
        bracket = self._bracket
        if bracket.high is None:
            if bracket.most in bracket.holds:
                return "holds_everywhere", f"it holds up to {self._top}"
            return "undecided", f"whether {self._top} holds could not be told"
        if bracket.low is None:
            if bracket.least in bracket.breaks:
                return "breaks_everywhere", "it breaks at the lower bound already"
            return "undecided", "no rate was seen to hold"
        if bracket.is_narrow:
            return "found", ""
        return "found", "rates between could not be told apart in the time that one is held"

    def _strike_hidden(self) -> None:
        """Rates that were not held for longer than a bucket hides a limit have shown nothing."""
        bucket, lengths_s = self._held.bucket, self._held.lengths_s
        if bucket is None:
            return
        for rate_rps in list(self._bracket.holds):
            if lengths_s[rate_rps] < bucket.hidden_s(rate_rps, self._terms.refused_share):
                self._bracket.forget(rate_rps)

    def _estimate(self) -> Estimate:
        bracket, bucket = self._bracket, self._held.bucket
        low, high = bracket.floor, bracket.ceiling
        if bucket is not None and "throttled" in self._held.limited_by.get(high, ""):
            found = bucket.refill_rps / (1 - self._terms.refused_share)
            if low < found < high:
                return Estimate(found, bracket.resolution / 4)
        served_rps = self._held.served_rps.get(high, 0.0)
        if low < served_rps < high:
            # A queue that grows tells what is served, and no more than that can hold.
            return Estimate(served_rps, bracket.resolution / 2)
        return estimate(self._held.points, low, high)

    # -- once more, and from above ----------------------------------------------------------------

    def _from_above(self) -> Stage:
        """Breaks the SLO once more and comes back without a rest; then, after one, from below."""
        low, high = self._bracket.low, self._bracket.high
        if low is None or high is None:
            return "unknown", "no rate that holds and one that breaks are known"
        again = yield from self._holder.hold(high, "again", 2)
        if again.verdict == "holds":
            raise SearchEnd("unstable", f"{plain(high)}/s broke before, and holds now")
        over_rps = min(high * _OVERLOAD, self._bracket.most)
        above = yield from self._holder.hold_from_above(low, over_rps)
        if above.verdict == "holds":
            return "none", f"right after {plain(over_rps)}/s, {plain(low)}/s holds as before"
        below = yield from self._holder.hold(low, "again", _DOUBLINGS)
        if below.verdict == "breaks":
            raise SearchEnd("unstable", f"{plain(low)}/s held before, and breaks now")
        if above.leans:
            # Where an overload has left something behind, hardly any request is as fast as it was.
            return "none", f"right after {plain(over_rps)}/s, {plain(low)}/s looks as before"
        if above.verdict != "breaks" or below.verdict != "holds":
            return "unknown", "what a rate does after an overload could not be told in time"
        if above.growth is not None and above.growth.shrinks:
            return "unknown", "what had queued up in an overload was still being worked off"
        words = f"right after {plain(over_rps)}/s, {plain(low)}/s breaks; after a rest it holds"
        return "seen", words

    # -- what it found ----------------------------------------------------------------------------

    def _finding(
        self, ended: Ended, detail: str, hysteresis: tuple[Hysteresis, str]
    ) -> SearchFinding:
        held, (low, high) = self._held, self._interval(ended)
        rate_rps = None
        if low is not None and high is not None and ended != "unstable":
            rate_rps = min(max(self._estimate().rate_rps, low), high)
        elif ended == "holds_everywhere":
            rate_rps = low
        bucket = held.bucket
        return SearchFinding(
            ended=ended,
            detail=detail,
            rate_rps=rate_rps,
            low_rps=low,
            high_rps=high,
            limited_by=None if high is None else held.limited_by.get(high),
            hysteresis=hysteresis[0],
            hysteresis_detail=hysteresis[1],
            burst=None if bucket is None else bucket.burst,
            refill_rps=None if bucket is None else bucket.refill_rps,
            tried=tuple(held.tried),
            assumed=tuple(str(each.condition) for each in self._terms.criteria if each.assumed),
            requests=held.requests,
            took_s=held.ended_s - (held.tried[0].from_s if held.tried else held.ended_s),
        )

    def _interval(self, ended: Ended) -> tuple[float | None, float | None]:
        """The highest rate that holds and the lowest that breaks, as far as they still do."""
        if ended != "unstable":
            return self._bracket.low, self._bracket.high
        last = self._held.tried[-1]
        holds = [rate for rate in self._bracket.holds if rate < last.rate_rps]
        breaks = [rate for rate in self._bracket.breaks if rate > last.rate_rps]
        low = max(holds, default=None) if last.verdict == "breaks" else self._bracket.low
        high = min(breaks, default=None) if last.verdict == "holds" else self._bracket.high
        return low, high
