"""Holds one rate after the other until each is decided, and keeps what came of them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from loadgen.profile.model import Phase, Profile
from loadgen.schedule import expected_requests, plan_phases, requests_per_arrival
from loadgen.search.budget import MOST_STEPS
from loadgen.search.estimate import Point, point_of
from loadgen.search.finding import Ended, Role, Tried
from loadgen.search.growth import Bucket, admitted_s, bucket_of
from loadgen.search.judge import (
    Chain,
    Judgement,
    Terms,
    blocked,
    broken,
    curve_point,
    judge,
)
from loadgen.steered.segment import Progress, Segment, Sent, Stream

_REST_MOST_STEPS = 3  # a bucket that takes longer to fill up is not waited for
# From above: an overload, and the rate for so many steps, of which the second half is judged.
_OVER_STEPS = 0.5
_ABOVE_STEPS = 4.0
# A step is cut short when so much of so many requests fails that nothing else can come of it.
_HOPELESS_SHARE = 0.5
_HOPELESS_COUNT = 200
_HOPELESS = "more than half of the requests fail"
_LONGER = 2.0  # a segment that is added to a rate is so many times as long as the one before
_LOOKS_TO_HOLD = 2  # segments before a rate is taken to hold
_UNUSABLE_MOST = 2  # steps that the generator could not send, before it is taken to be too slow

Holding = Generator[Segment, Sent, Judgement]


class SearchEnd(Exception):
    """The search is over, for a reason and with what a reader should know of it."""

    def __init__(self, ended: Ended, detail: str) -> None:
        self.ended = ended
        self.detail = detail
        super().__init__(detail)


@dataclass(slots=True)
class Held:
    """All that a search has seen so far; rates are in the unit of the profile."""

    tried: list[Tried] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    bucket: Bucket | None = None
    admitted_s: list[NDArray[np.float64]] = field(default_factory=list)  # of each segment: when
    # Of each rate: how long it was held in one go.
    lengths_s: dict[float, float] = field(default_factory=dict)
    served_rps: dict[float, float] = field(default_factory=dict)  # while the queue grew
    limited_by: dict[float, str] = field(default_factory=dict)  # of rates that break: why
    steps: float = 0.0  # that were sent, in lengths of a step
    requests: int = 0
    unusable: int = 0
    ended_s: float = 0.0


class Holder:
    """Sends steps of a phase that searches, and judges them."""

    def __init__(self, profile: Profile, phase: Phase, terms: Terms) -> None:
        self._profile = profile
        self._phase = phase
        self._terms = terms
        self._requests_per_arrival = requests_per_arrival(profile, phase)
        in_requests = profile.load.unit == "requests"
        self._rate_per_arrival = self._requests_per_arrival if in_requests else 1.0
        self.per_request = self._rate_per_arrival / self._requests_per_arrival
        # Chance may have sent a little more than expected in the phases before.
        before = expected_requests(profile, plan_phases(profile)[:-1]) * 1.05
        self._most_requests = profile.guards.max_requests - before
        self.held = Held()

    def hold(self, rate_rps: float, role: Role, doublings: int, *, up: bool = False) -> Holding:
        """Holds a rate until it is decided, at most `doublings` times, each twice as long.

        `up`: it is enough that it looks as if it held.

        Raises:
            SearchEnd: nothing more can be found out.
        """
        chain, length_s, tries = Chain(rate_rps, self.per_request), self._phase.step_s, 0
        while True:
            rest_s = 0.0 if chain.sent else self._rest_s()
            segment = self._segment(rate_rps, length_s, rest_s)
            self._check_budget(segment)
            sent = yield segment
            chain.sent.append(sent)
            self._learn_bucket(sent)
            self._count(segment, sent)
            found = _final(judge(chain, self._terms, self.held.bucket), sent)
            tries += 1
            if found.verdict == "holds" and tries < min(doublings, _LOOKS_TO_HOLD):
                # A queue that was empty at first takes time to show what it comes to.
                found = replace(found, verdict="undecided", reason="it was not held for long")
            ends = _stopped(sent) or tries >= doublings or (up and found.leans)
            if found.verdict == "undecided" and not ends:
                length_s *= _LONGER
                continue
            self._note(chain, role, found)
            self._end_if(sent, found)
            if found.verdict != "unusable":
                return found
            # A machine may stand still for a moment: the rate is tried once more.
            chain, tries = Chain(rate_rps, self.per_request), 0

    def hold_from_above(self, rate_rps: float, over_rps: float) -> Holding:
        """Holds a rate right after a higher one, in one segment: between two, queues would drain.

        Raises:
            SearchEnd: nothing more can be found out.
        """
        step_s = self._phase.step_s
        over_s, length_s = _OVER_STEPS * step_s, (_OVER_STEPS + _ABOVE_STEPS) * step_s
        streams = (
            *self._streams(over_rps, 0.0, over_s),
            *self._streams(rate_rps, over_s, length_s),
        )
        name = f"{plain(over_rps)}/s, then {plain(rate_rps)}/s"
        segment = Segment(name, streams, length_s, rest_s=self._rest_s(), watch=_hopeless)
        self._check_budget(segment)
        sent = yield segment
        settle_s = over_s + _ABOVE_STEPS * step_s / 2
        chain = Chain(rate_rps, self.per_request, [sent], settle_s=settle_s)
        self._count(segment, sent)
        found = _final(judge(chain, self._terms, self.held.bucket), sent)
        self._note(chain, "from_above", found)
        self._end_if(sent, found)
        return found

    # -- before a segment -------------------------------------------------------------------------

    def _segment(self, rate_rps: float, length_s: float, rest_s: float) -> Segment:
        return Segment(
            name=f"{plain(rate_rps)}/s",
            streams=self._streams(rate_rps, 0.0, length_s),
            length_s=length_s,
            rest_s=rest_s,
            watch=_hopeless,
        )

    def _streams(self, rate_rps: float, from_s: float, to_s: float) -> tuple[Stream, ...]:
        """One for each scenario of the phase, by weight."""
        arrivals_rps = rate_rps / self._rate_per_arrival
        names, arrivals = self._phase.scenarios, self._profile.load.arrivals
        chosen = [
            (number, one.weight)
            for number, one in enumerate(self._profile.scenarios)
            if names is None or one.name in names
        ]
        whole = sum(weight for _, weight in chosen)
        how: Literal["uniform", "poisson"] = "uniform" if arrivals == "uniform" else "poisson"
        return tuple(
            Stream(number, arrivals_rps * weight / whole, from_s, to_s, how)
            for number, weight in chosen
        )

    def _check_budget(self, segment: Segment) -> None:
        held, guard = self.held, self._profile.guards.max_requests
        if held.steps + segment.length_s / self._phase.step_s > MOST_STEPS:
            raise SearchEnd("budget", f"{MOST_STEPS} steps of {self._phase.step_s:g} s were sent")
        if held.requests + segment.expected * self._requests_per_arrival > self._most_requests:
            raise SearchEnd("requests", f"the next step would pass guards.max_requests {guard:,}")

    def _rest_s(self) -> float:
        """Long enough for queues to drain, and for a bucket that is known to fill up."""
        bucket = self.held.bucket
        if bucket is None or not bucket.refill_rps:
            return self._phase.cool_down_s
        fill_s = min(bucket.burst / bucket.refill_rps, _REST_MOST_STEPS * self._phase.step_s)
        return max(self._phase.cool_down_s, fill_s)

    # -- after it ---------------------------------------------------------------------------------

    def _count(self, segment: Segment, sent: Sent) -> None:
        self.held.steps += segment.length_s / self._phase.step_s
        self.held.requests += len(sent.records) + sent.cut
        self.held.ended_s = sent.to_us / 1e6
        self.held.admitted_s.append(admitted_s(sent))

    def _learn_bucket(self, sent: Sent) -> None:
        """Keeps the bucket that refused most: its figures are the surest."""
        found, known = bucket_of(sent, self.held.admitted_s), self.held.bucket
        if found is not None and (known is None or found.refused > known.refused):
            per = self.per_request
            self.held.bucket = Bucket(found.refill_rps * per, found.burst * per, found.refused)

    def _note(self, chain: Chain, role: Role, found: Judgement) -> None:
        held, rate_rps = self.held, chain.rate_rps
        rested = role != "from_above"
        if rested:
            held.lengths_s[rate_rps] = max(held.lengths_s.get(rate_rps, 0.0), chain.length_s)
        if rested and found.verdict == "breaks":
            held.limited_by[rate_rps] = found.reason
            if found.growth is not None and found.criterion is None:
                held.served_rps[rate_rps] = rate_rps - found.growth.rps * self.per_request
        curve = curve_point(chain) if rested and found.verdict != "unusable" else None
        held.tried.append(
            Tried(
                role=role,
                rate_rps=rate_rps,
                from_s=chain.sent[0].from_us / 1e6,
                length_s=chain.length_s,
                settle_s=found.settle_s,
                requests=chain.requests,
                verdict=found.verdict,
                reason=found.reason,
                shares=found.shares,
                curve=curve,
                growth_rps=None if found.growth is None else found.growth.rps,
            )
        )
        # Right after an overload a rate is another one.
        if rested and found.verdict != "unusable":
            limits = [each.limit_share for each in self._terms.criteria]
            point = point_of(rate_rps, list(zip(found.evidence, limits, strict=True)))
            if point is not None and found.verdict == "breaks" and found.criterion is None:
                point = replace(point, bad=point.worth)  # what its queue comes to
            held.points += [point] if point else []

    def _end_if(self, sent: Sent, found: Judgement) -> None:
        if _stopped(sent):
            raise SearchEnd("stopped", sent.stopped or "")
        if (why := blocked(sent)) is not None:
            raise SearchEnd("refused", why)
        if (why := broken(sent)) is not None and self._answered_more():
            raise SearchEnd("errors", why)
        if found.verdict == "unusable":
            self.held.unusable += 1
            if self.held.unusable >= _UNUSABLE_MOST:
                raise SearchEnd("generator", found.reason)

    def _answered_more(self) -> bool:
        """Whether more was answered before, so that load is not the reason, or nothing ever was."""
        *before, last = self.held.tried
        answered = [one.rate_rps for one in before if one.verdict in ("holds", "undecided")]
        return not before or last.rate_rps <= max(answered, default=0.0)


def plain(rate_rps: float) -> str:
    """A rate with four digits."""
    return f"{rate_rps:,.4g}"


def _hopeless(progress: Progress) -> str | None:
    failed, ended = sum(progress.failed.values()), progress.ended
    many = ended >= _HOPELESS_COUNT and failed > _HOPELESS_SHARE * ended
    return _HOPELESS if many else None


def _stopped(sent: Sent) -> bool:
    """Whether something else than the search itself ended the segment."""
    return sent.stopped is not None and sent.stopped != _HOPELESS


def _final(found: Judgement, sent: Sent) -> Judgement:
    """What was given up is broken, however little of it there is."""
    if sent.stopped == _HOPELESS and found.verdict in ("undecided", "holds"):
        return replace(found, verdict="breaks", reason=_HOPELESS)
    return found
