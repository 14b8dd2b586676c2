"""What a rate did: the verdict over all that was sent at it, and the words for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from loadgen.outcome import Cause, Outcome
from loadgen.search.criterion import Criterion
from loadgen.search.evidence import Evidence, Sample, weigh
from loadgen.search.finding import Curve, Shares, Verdict
from loadgen.search.growth import Bucket, Growth, growth_of
from loadgen.steered.segment import Sent

_US = 1_000_000
SETTLE_SHARE = 0.25  # of a segment: queues fill, connections are made, functions start
_BLOCKED_SHARE = 0.95  # of the last requests: that is no rate limit
_BROKEN_SHARE = 0.5  # of all requests: there is nobody to search any more
_FEW = 20


@dataclass(frozen=True, slots=True)
class Terms:
    """What verdicts depend on besides the load: the SLO, error rates, what the generator may do."""

    criteria: tuple[Criterion, ...]
    alpha: float  # that a verdict at one rate is wrong
    max_start_lag_s: float
    max_dropped: float

    @property
    def refused_share(self) -> float:
        """The share of requests that may be refused."""
        shares = [
            each.limit_share
            for each in self.criteria
            if each.condition.subject in ("throttled", "ok", "admitted")
        ]
        return min(shares, default=0.0)


@dataclass(slots=True)
class Chain:
    """Segments at one rate, one right after the other."""

    rate_rps: float
    per_request: float  # how much of the rate a request is
    sent: list[Sent] = field(default_factory=list)
    settle_s: float | None = None  # None: a share of each segment

    @property
    def length_s(self) -> float:
        """How long arrivals came."""
        return sum(one.length_s for one in self.sent)

    def hidden_s(self, index: int, terms: Terms, bucket: Bucket) -> float:
        """How long a bucket hides its refusals, with what it got back between segments so far."""
        pairs = pairwise(self.sent[: index + 1])
        rest_s = sum((after.from_us - before.to_us) / _US for before, after in pairs)
        return bucket.hidden_s(self.rate_rps, terms.refused_share, rest_s)

    @property
    def requests(self) -> int:
        """Requests that were sent."""
        return sum(len(one.records) + one.cut for one in self.sent)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a rate and why."""

    verdict: Verdict
    reason: str
    criterion: Criterion | None  # the one that breaks
    shares: tuple[Shares, ...]
    evidence: tuple[Evidence, ...]
    growth: Growth | None
    settle_s: float

    @property
    def leans(self) -> bool:
        """Whether it looks as if the rate held."""
        below = all(one.share is not None and one.share <= one.limit_share for one in self.shares)
        return below and self.verdict in ("holds", "undecided")


def judge(chain: Chain, terms: Terms, bucket: Bucket | None) -> Judgement:
    """Judges a rate by all its segments; `bucket` is the limit that was met so far, if one was."""
    last = chain.sent[-1]
    every = range(len(chain.sent))
    plain = [_settle_s(chain, index, terms, None) for index in every]
    hidden = [_settle_s(chain, index, terms, bucket) for index in every]
    evidence = tuple(_evidence(chain, each, plain, hidden) for each in terms.criteria)
    # Each criterion has two looks at "breaks": with and without what a bucket hides.
    alpha_above = terms.alpha / (2 * len(terms.criteria))
    verdicts = [one.verdict(terms.alpha, alpha_above) for one in evidence]
    growth = growth_of(last, plain[-1])
    verdict, reason, criterion = _verdict(chain, terms, verdicts, growth)
    shares = tuple(
        Shares(
            that=str(each.condition),
            share=one.share,
            limit_share=each.limit_share,
            counted=one.counted,
            worth=one.worth,
            verdict=found,
        )
        for each, one, found in zip(terms.criteria, evidence, verdicts, strict=True)
    )
    left_out = sum(
        min(settle, one.length_s) for settle, one in zip(hidden, chain.sent, strict=True)
    )
    return Judgement(verdict, reason, criterion, shares, evidence, growth, left_out)


def _evidence(
    chain: Chain, criterion: Criterion, plain: Sequence[float], hidden: Sequence[float]
) -> Evidence:
    """The evidence on one criterion; what a bucket hides may speak against it, but not for it."""
    of_latency = criterion.is_latency
    whole = weigh(_samples(chain, plain, criterion), criterion.limit_share, of_latency=of_latency)
    if of_latency or criterion.condition.subject == "failed" or plain == hidden:
        return whole
    found = weigh(_samples(chain, hidden, criterion), criterion.limit_share)
    return replace(found, above=max(whole.above, found.above))


def _verdict(
    chain: Chain, terms: Terms, verdicts: Sequence[Verdict], growth: Growth | None
) -> tuple[Verdict, str, Criterion | None]:
    broken = [
        each for each, found in zip(terms.criteria, verdicts, strict=True) if found == "breaks"
    ]
    late = next(filter(None, (_lag_fault(one, terms) for one in chain.sent)), None)
    if late is not None:
        return "unusable", late, None
    if broken:
        return "breaks", f"{broken[0].condition} does not hold", broken[0]
    if growth is not None and growth.grows(chain.rate_rps / chain.per_request):
        reason = f"the queue grows by {growth.rps:.3g} requests a second"
        return "breaks", reason, None
    # Where the API breaks, it is what holds up requests; where it does not, the generator is.
    dropped = next(filter(None, (_drop_fault(one, terms) for one in chain.sent)), None)
    if dropped is not None:
        return "unusable", dropped, None
    if all(found == "holds" for found in verdicts):
        if growth is not None and growth.may_grow(chain.rate_rps / chain.per_request):
            return "undecided", "the queue may be growing", None
        return "holds", "", None
    unsure = [
        each for each, found in zip(terms.criteria, verdicts, strict=True) if found == "undecided"
    ]
    return "undecided", f"{unsure[0].condition} may hold or not", None


def _lag_fault(sent: Sent, terms: Terms) -> str | None:
    """That requests began too late, so that another load was sent than was asked for."""
    records = sent.records
    if not len(records):
        return None
    lag_s = float(np.quantile((records["start_us"] - records["intended_us"]) / _US, 0.99))
    if lag_s <= terms.max_start_lag_s:
        return None
    return (
        f"requests began late: p99 {lag_s * 1000:.3g} ms after they were due; "
        f"validity.max_start_lag is {terms.max_start_lag_s * 1000:.3g} ms"
    )


def _drop_fault(sent: Sent, terms: Terms) -> str | None:
    """That too many requests were not sent at all."""
    due = len(sent.records) + sent.cut + sent.dropped
    if not due or sent.dropped / due <= terms.max_dropped:
        return None
    return f"{sent.dropped:,} of {due:,} arrivals found load.max_in_flight requests under way"


def _settle_s(chain: Chain, index: int, terms: Terms, bucket: Bucket | None) -> float:
    """How much of a segment is left out: what settles, and what a full bucket hides at first."""
    sent = chain.sent[index]
    settle_s = SETTLE_SHARE * sent.length_s if chain.settle_s is None else chain.settle_s
    if bucket is None:
        return settle_s
    before_s = sum(one.length_s for one in chain.sent[:index])
    return max(settle_s, chain.hidden_s(index, terms, bucket) - before_s)


def _samples(chain: Chain, settles: Sequence[float], criterion: Criterion) -> list[Sample]:
    found = []
    for sent, settle_s in zip(chain.sent, settles, strict=True):
        if settle_s >= sent.length_s:
            continue
        records = sent.records
        at_s = np.asarray((records["intended_us"] - sent.from_us) / _US, np.float64)
        chosen = criterion.counted(records) & (at_s >= settle_s)
        order = np.argsort(at_s[chosen], kind="stable")
        bad, response_s = criterion.bad(records)[chosen][order], sent.response_s[chosen][order]
        at_s = at_s[chosen][order]
        if sent.cut and criterion.is_latency:
            # What had not ended when the wait for it did was slow, and late in the segment.
            at_s = np.append(at_s, np.full(sent.cut, sent.length_s))
            bad = np.append(bad, np.ones(sent.cut, np.bool_))
            response_s = np.append(response_s, np.full(sent.cut, np.inf))
        found.append(Sample(settle_s, sent.length_s, at_s, bad, response_s))
    return found


# -- what ends a search ---------------------------------------------------------------------------


def blocked(sent: Sent) -> str | None:
    """Why no rate at all would be admitted any more, or None."""
    outcome = sent.outcome
    throttled = outcome == Outcome.THROTTLED
    causes = (sent.records["kind"][throttled] >> 4) & 0xFF
    if (causes == Cause.QUOTA).any():
        return "a quota is used up"
    last = throttled[-len(throttled) // 4 :]
    if len(last) >= _FEW and last.mean() >= _BLOCKED_SHARE:
        return f"{last.mean():.0%} of the last requests are refused, as if by a quota or a block"
    return None


def broken(sent: Sent) -> str | None:
    """Why there is nobody to search any more, or None."""
    outcome = sent.outcome
    lost = (outcome == Outcome.CONNECTION_ERROR) | (outcome == Outcome.TIMEOUT)
    done = len(outcome)
    if done >= _FEW and lost.mean() >= _BROKEN_SHARE:
        return f"{int(lost.sum()):,} of {done:,} requests got no answer"
    return None


# -- the curve ------------------------------------------------------------------------------------


def curve_point(chain: Chain) -> Curve | None:
    """What a rate did, over its last segment without what settles; None if nothing ended there."""
    sent = chain.sent[-1]
    settle_s = SETTLE_SHARE * sent.length_s
    records = sent.records[sent.records["intended_us"] >= sent.from_us + round(settle_s * _US)]
    length_s = sent.length_s - settle_s
    if not len(records) or length_s <= 0:
        return None
    outcome = np.asarray(records["kind"] >> 12, np.int64)
    is_ok = outcome == Outcome.OK
    ended_us = records["start_us"] + records["service_us"]
    in_time = ended_us <= sent.to_us
    refused = outcome == Outcome.THROTTLED
    response_ms = (records["start_us"] - records["intended_us"] + records["service_us"])[
        is_ok
    ] / 1e3
    p50, p95, p99 = (
        np.quantile(response_ms, (0.5, 0.95, 0.99)).tolist() if len(response_ms) else (None,) * 3
    )
    per = chain.per_request
    return Curve(
        rate_rps=chain.rate_rps,
        goodput_rps=float((is_ok & in_time).sum()) / length_s * per,
        admitted_rps=float((~refused).sum()) / length_s * per,
        throttled_share=float(refused.mean()),
        failed_share=float((~is_ok & ~refused).mean()),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )
