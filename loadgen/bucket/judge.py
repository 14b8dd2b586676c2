"""What limits an API, from what it admitted: the kind, and rate and burst where there are any.

First what gives itself away without a fit, then one bucket, then shards, then others. Only a bucket
and evenly met shards get 90 % intervals; for all else there are ranges, wide on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np

from loadgen.bucket.arrivals import Arrivals, Bins, arrivals_of, bins_of
from loadgen.bucket.bounds import frontier, least_burst, least_rate
from loadgen.bucket.finding import BucketFinding, Kind, Range
from loadgen.bucket.fit import Fit, Mixture, fit_bucket, fit_others, fit_shards, mixture
from loadgen.bucket.interval import REPEATS, Repeats, intervals, repeated, signs_of
from loadgen.bucket.observation import Observation
from loadgen.bucket.shape import Sign, adaptive, delayed, sign_of
from loadgen.bucket.spread import CLEAR, LEAST_CONNECTIONS, Spread, spread_over_connections
from loadgen.bucket.steady import Stretch, stretches

SHARDS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
# Standard deviations above a simulated bucket from which a limit is not called one; and from which
# an interval also has to hold for shards that jitter hides.
_NOT_PLAIN, _DOUBTED = 3.1, 1.2
_LOSS_NOT_PLAIN = 2.3  # of the loss alone: that is all that a few requests of others change
# With few requests the loss varies much, but never by that factor where it is a bucket.
_MISFIT = 2.8
# The same for shards; between the two they may be something else, and get a range.
_NOT_SHARDED, _SHARDS_DOUBTED = 3.0, 1.7
_UNEQUAL_DOUBTED = 2.0  # connections, of shards that are fitted as met at random
_LEAST_SHARD = 6.0  # tokens; a fluid model of fewer is no estimate
_LEAST_BURST = 5.0
_POOR = 1.6  # a loss that one bucket of a few tokens does not have
# Others are named where they explain the loss, and more than the little that chance does.
_BETTER, _LEAST_SHARE = 0.7, 0.02
_FAR_APART = 5.0  # standard deviations: not a bucket, beyond any chance
# Shards have to fit so much better than others for an interval, which others would make wrong.
_CLEARLY = 0.82
_NEARLY = 1.15  # shards that fit nearly as well as others: a range, which holds for both
# Ranges reach this far beyond the estimates.
_BELOW, _ABOVE = 0.85, 1.2
_BURST_BELOW, _BURST_ABOVE = 0.6, 1.5


def judge_bucket(observation: Observation, repeats: int = REPEATS) -> BucketFinding:
    """Tell how the limit is kept that refused some of these requests, its rate and its burst.

    Intervals come from so many simulated repeats; fewer than some 20 make them coarse.
    """
    if not observation.refused:
        return _unbounded(observation, "nothing was refused")
    sign = sign_of(observation)
    if sign is not None:
        return _by_sign(observation, sign)
    steady = stretches(observation)
    if not steady:
        why = f"{observation.refused} requests were refused, but no overload lasted"
        return _unbounded(observation, why)
    return _Judgement(observation, steady, repeats).finding()


class _Judgement:
    def __init__(self, observation: Observation, steady: Sequence[Stretch], repeats: int) -> None:
        self._observation, self._count = observation, repeats
        self._rates = [one.admitted_rps for one in steady]
        admitted_s = np.sort(observation.send_s[observation.admitted])
        # A stretch may hold the end of a burst, another be too short: the fit decides.
        rough = [(rate, least_burst(admitted_s, rate)) for rate in _some(self._rates)]
        self._burst = rough[0][1]
        self._spread: Spread = spread_over_connections(observation)
        self._bins: Bins = bins_of(observation, rough[0][0])
        self._arrivals: Arrivals = arrivals_of(observation, self._bins)
        self._plain: Fit = fit_bucket(self._arrivals, rough)

    def finding(self) -> BucketFinding:
        """One bucket if it fits as such a bucket does, else what fits better."""
        plain = self._plain
        if self._spread.unequal > CLEAR:
            mixed = mixture(self._shards())
            why = "connections are refused unequally: each seems to meet a shard of its own"
            return self._sharded(mixed, why)
        doubt = self._doubt(plain)
        if doubt is not None:
            return self._doubtful(doubt)
        repeats = self._repeats(plain)
        signs = signs_of(self._arrivals, plain)
        excess = repeats.excess(signs)
        apart = excess.of_bucket
        off = excess.loss >= _LOSS_NOT_PLAIN or repeats.misfit(signs.loss) > _MISFIT
        if apart >= _NOT_PLAIN or off:
            return self._not_plain(apart)
        why = "one bucket explains what was admitted"
        mixed = mixture([plain])
        if apart > _DOUBTED:
            mixed = self._doubted()
        return self._interval("token_bucket", mixed, repeats, why)

    def _doubtful(self, doubt: str) -> BucketFinding:
        """A range, for `doubt`: shards of few tokens look like one bucket of hardly any."""
        plain = self._plain
        if plain.loss > _POOR:
            mixed = mixture(self._shards())
            if mixed.best.loss < _BETTER * plain.loss:
                why = f"about {mixed.best.family.shards} buckets explain it better than one"
                few = self._spread.connections < LEAST_CONNECTIONS
                return self._sharded(mixed, f"{why}; {doubt}" if few else why)
        return self._range("token_bucket", [plain], doubt, guess=plain)

    def _not_plain(self, apart: float) -> BucketFinding:
        """What fits better than one bucket, from which the requests are so far `apart`."""
        plain = self._plain
        late = delayed(self._observation, plain.rate_rps)
        mixed, others = mixture(self._shards()), fit_others(self._arrivals, plain)
        if late is not None:
            return self._range("delayed_synchronisation", [plain, mixed.best], late)
        sharded = self._if_sharded(mixed, others)
        if sharded is not None:
            return sharded
        if others.loss < _BETTER * plain.loss and others.other_share > _LEAST_SHARE:
            share = others.other_share
            why = f"others seem to use about {share:.0%} of the rate"
            # A small share may be chance, and the plain rate is then the better one.
            guess = others if apart > _FAR_APART else plain
            every = [plain, others]
            return self._range("other_traffic", every, why, other_share=share, guess=guess)
        changed = adaptive(self._observation)
        if changed is not None:
            return self._range("adaptive", [plain], changed)
        why = "no bucket, shards or steady other traffic explain what was admitted"
        return self._range("poorly_kept", [plain, mixed.best, others], why, guess=plain)

    def _if_sharded(self, mixed: Mixture, others: Fit) -> BucketFinding | None:
        """Shards with an interval, with a range where that is doubtful, or None."""
        best, number = mixed.best, mixed.best.family.shards
        if best.loss > _NEARLY * others.loss:
            return None
        repeats = self._repeats(best)
        apart = repeats.excess(signs_of(self._arrivals, best))
        if apart.of_shards >= _NOT_SHARDED or apart.gain >= _SHARDS_DOUBTED:
            return None
        why = f"about {number} buckets, met at random, explain it better than one"
        little = others.other_share <= _LEAST_SHARE
        clear = (
            best.loss < (1.0 if little else _CLEARLY) * others.loss
            and apart.of_shards < _SHARDS_DOUBTED
            and self._spread.unequal < _UNEQUAL_DOUBTED
            and best.burst / number >= _LEAST_SHARD
        )
        if clear:
            return self._interval("sharded", mixed, repeats, why)
        nearly = f"others using {others.other_share:.0%} of the rate would do nearly as well"
        return self._sharded(mixed, why if best.loss < others.loss else f"{why}; {nearly}")

    def _doubted(self) -> Mixture:
        """The plain fit, as uncertain as it would be if it were shards or used by others."""
        plain = self._plain
        shards = mixture([plain, *self._shards()])
        others = fit_others(self._arrivals, plain)
        rates = [abs(log(one / plain.rate_rps)) for one in (shards.rate_rps, others.rate_rps)]
        bursts = abs(log(shards.burst / plain.burst))
        return Mixture(plain, plain.rate_rps, plain.burst, max(rates), bursts)

    def _shards(self) -> list[Fit]:
        return fit_shards(self._arrivals, self._plain, SHARDS)

    def _repeats(self, fit: Fit) -> Repeats:
        return repeated(self._observation, self._arrivals, self._bins, fit, self._count)

    def _interval(self, kind: Kind, mixed: Mixture, repeats: Repeats, why: str) -> BucketFinding:
        rate, burst = intervals(mixed, repeats)
        misfit, number = repeats.misfit(mixed.best.loss), mixed.best.family.shards
        return BucketFinding(kind, rate, burst, (why,), shards=number, misfit=misfit)

    def _doubt(self, fit: Fit) -> str | None:
        """Why there is no interval, whether a model fits or not."""
        if self._spread.connections < LEAST_CONNECTIONS:
            return (
                f"all came on {self._spread.connections} connections: if shards are chosen by"
                " connection, the limit is larger"
            )
        smeared = fit.rate_rps * self._arrivals.jitter_s
        if fit.burst < max(_LEAST_BURST, smeared):
            small = f"a burst of about {fit.burst:.0f} is too small to be told"
            moved = f": the network's jitter moves {smeared:.0f} requests"
            return small + (moved if smeared >= 1 else "")
        return None

    def _sharded(self, mixed: Mixture, why: str) -> BucketFinding:
        number = mixed.best.family.shards
        return self._range("sharded", [self._plain, mixed.best], why, shards=number, guess=mixed)

    def _range(
        self,
        kind: Kind,
        fits: Sequence[Fit],
        why: str,
        shards: int = 1,
        other_share: float = 0.0,
        guess: Fit | Mixture | None = None,
    ) -> BucketFinding:
        """A range around all estimates; `guess` is the one to name, where one is any good."""
        rates = [*self._rates, *(one.rate_rps for one in fits)]
        bursts = [self._burst, *(one.burst for one in fits)]
        return BucketFinding(
            kind,
            Range(
                None if guess is None else guess.rate_rps,
                _BELOW * min(rates),
                _ABOVE * max(rates),
                calibrated=False,
            ),
            Range(
                None if guess is None else guess.burst,
                _BURST_BELOW * min(bursts),
                _BURST_ABOVE * max(bursts),
                calibrated=False,
            ),
            (why,),
            shards=shards,
            other_share=other_share,
        )


def _some(rates: Sequence[float]) -> list[float]:
    """The middle one first, then the highest and the lowest."""
    return list(dict.fromkeys([float(np.median(rates)), max(rates), min(rates)]))


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
