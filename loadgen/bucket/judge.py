"""What limits an API, from what it admitted: the kind, and rate and burst where there are any.

First what gives itself away without a fit, then one bucket, then shards, then others. Only a bucket
and evenly met shards get 90 % intervals; for all else there are ranges, wide on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loadgen.bucket.arrivals import Arrivals, Bins, arrivals_of, bins_of
from loadgen.bucket.bounds import frontier, least_burst, least_rate
from loadgen.bucket.finding import BucketFinding, Kind, Range
from loadgen.bucket.fit import Fit, fit_bucket, fit_others, fit_shards
from loadgen.bucket.interval import Repeats, intervals, repeated, signs_of
from loadgen.bucket.observation import Observation
from loadgen.bucket.shape import Sign, adaptive, delayed, sign_of
from loadgen.bucket.spread import CLEAR, LEAST_CONNECTIONS, Spread, spread_over_connections
from loadgen.bucket.steady import Stretch, stretches

SHARDS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
# Standard deviations above a simulated bucket from which a limit is not called one: by the loss,
# by what a share of others gains, and by that share. Buckets stay below in 99 of 100.
_NOT_PLAIN = (2.6, 3.6, 3.8)
# Shards are fitted with assignments that are not the true ones; what is left is less telling.
_NOT_SHARDED = 2.6
_LEAST_TOKENS = 8.0  # in a shard; with fewer the fit is no estimate
# Ranges reach this far beyond the estimates.
_BELOW, _ABOVE = 0.85, 1.2
_BURST_BELOW, _BURST_ABOVE = 0.6, 1.5


def judge_bucket(observation: Observation) -> BucketFinding:
    """Tell how the limit is kept that refused some of these requests, its rate and its burst."""
    if not observation.refused:
        return _unbounded(observation, "nothing was refused")
    sign = sign_of(observation)
    if sign is not None:
        return _by_sign(observation, sign)
    steady = stretches(observation)
    if not steady:
        why = f"{observation.refused} requests were refused, but no overload lasted"
        return _unbounded(observation, why)
    return _Judgement(observation, steady).finding()


class _Judgement:
    def __init__(self, observation: Observation, steady: Sequence[Stretch]) -> None:
        self._observation = observation
        self._rates = [one.admitted_rps for one in steady]
        rate = max(self._rates)
        self._spread: Spread = spread_over_connections(observation)
        self._bins: Bins = bins_of(observation, rate)
        self._arrivals: Arrivals = arrivals_of(observation, self._bins)
        admitted_s = np.sort(observation.send_s[observation.admitted])
        self._burst = least_burst(admitted_s, rate)
        self._plain: Fit = fit_bucket(self._arrivals, rate, self._burst)

    def finding(self) -> BucketFinding:
        """One bucket if it fits as such a bucket does, else what fits better."""
        if self._spread.unequal > CLEAR:
            shards = self._shards()
            why = "connections are refused unequally: each seems to meet a shard of its own"
            return self._range("sharded", [self._plain, shards], why, shards=shards.family.shards)
        repeats = self._repeats(self._plain)
        signs = signs_of(self._arrivals, self._plain)
        excess = repeats.excess(signs)
        if all(one < most for one, most in zip(excess, _NOT_PLAIN, strict=True)):
            why = f"one bucket explains what was admitted (misfit {repeats.misfit(signs.loss):.1f})"
            return self._interval("token_bucket", self._plain, repeats, why)
        return self._not_plain()

    def _not_plain(self) -> BucketFinding:
        late = delayed(self._observation, self._plain.rate_rps)
        shards, others = self._shards(), fit_others(self._arrivals, self._plain)
        if late is not None:
            return self._range("delayed_synchronisation", [self._plain, shards], late)
        if shards.loss < others.loss:
            repeats = self._repeats(shards)
            enough = shards.burst / shards.family.shards >= _LEAST_TOKENS * 0.75
            fits = repeats.excess(signs_of(self._arrivals, shards))[0] < _NOT_SHARDED
            number = shards.family.shards
            why = f"about {number} buckets, met at random, explain it better than one"
            if enough and fits:
                return self._interval("sharded", shards, repeats, why)
            if fits:
                return self._range("sharded", [self._plain, shards], why, shards=number)
        if others.loss < 0.7 * self._plain.loss and others.other_share > 0.02:
            why = f"others seem to use about {others.other_share:.0%} of the rate"
            every = [self._plain, others]
            return self._range("other_traffic", every, why, other_share=others.other_share)
        changed = adaptive(self._observation)
        if changed is not None:
            return self._range("adaptive", [self._plain], changed)
        why = "no bucket, shards or steady other traffic explain what was admitted"
        return self._range("poorly_kept", [self._plain, shards, others], why)

    def _shards(self) -> Fit:
        return min(fit_shards(self._arrivals, self._plain, SHARDS), key=lambda one: one.loss)

    def _repeats(self, fit: Fit) -> Repeats:
        return repeated(self._observation, self._arrivals, self._bins, fit)

    def _interval(self, kind: Kind, fit: Fit, repeats: Repeats, why: str) -> BucketFinding:
        if self._spread.connections < LEAST_CONNECTIONS:
            few = (
                f"all came on {self._spread.connections} connections: if shards are chosen by"
                " connection, the limit is larger"
            )
            return self._range(kind, [fit], f"{why}; {few}", shards=fit.family.shards)
        rate, burst = intervals(fit, repeats)
        misfit = repeats.misfit(fit.loss)
        return BucketFinding(kind, rate, burst, (why,), shards=fit.family.shards, misfit=misfit)

    def _range(
        self, kind: Kind, fits: Sequence[Fit], why: str, shards: int = 1, other_share: float = 0.0
    ) -> BucketFinding:
        rates = [*self._rates, *(one.rate_rps for one in fits)]
        bursts = [self._burst, *(one.burst for one in fits)]
        return BucketFinding(
            kind,
            Range(None, _BELOW * min(rates), _ABOVE * max(rates), calibrated=False),
            Range(None, _BURST_BELOW * min(bursts), _BURST_ABOVE * max(bursts), calibrated=False),
            (why,),
            shards=shards,
            other_share=other_share,
        )


def _by_sign(observation: Observation, sign: Sign) -> BucketFinding:
    rate: Range | None = None
    burst: Range | None = None
    if sign.kind == "fixed_window" and sign.limit and sign.window_s:
        per_s = sign.limit / sign.window_s
        rate = Range(per_s, _BELOW * per_s, _ABOVE * per_s, calibrated=False)
        # At the border of two windows both may be taken at once.
        burst = Range(None, sign.limit * _BELOW, 2 * sign.limit, calibrated=False)
    return BucketFinding(
        sign.kind, rate, burst, (sign.why,), limit=sign.limit, window_s=sign.window_s
    )


def _unbounded(observation: Observation, why: str) -> BucketFinding:
    admitted_s = np.sort(observation.send_s[observation.admitted])
    burst = least_burst(
        admitted_s, max((one.admitted_rps for one in observation.phases), default=0)
    )
    return BucketFinding(
        "no_refusal",
        Range(None, least_rate(observation, burst), None, calibrated=False),
        Range(None, burst, None, calibrated=False),
        (why,),
        frontier=frontier(observation),
    )
