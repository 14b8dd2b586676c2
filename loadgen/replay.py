"""Names the throttle that refused a request, by replaying a run through the configured buckets.

Throttles of API Gateway look alike on the wire, but each leaves its own pattern in time: an
admitted request takes a token from every bucket on its path, and a request is refused by the
first bucket in order that has none. Levels are followed through the run. They are never known
exactly: requests overtake each other on their way, AWS keeps its limits best-effort and others may
use the same limits. So a level is a normal distribution around the replayed value, and answers
correct it: where a request was admitted there was a token, and where the culprit is clear there
was none.

The probability that bucket k refused a request is p_k x product over j < k of (1 - p_j), where p_j
is the probability that bucket j had less than one token, given that some bucket refused it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.limits import Bucket
from loadgen.outcome import Cause

# A layer is named from this probability on; below it, which throttle it was is left open.
_NAMED_SHARE = 0.6
# The same where no level explains the refusal: somebody else may have used any of the buckets.
_NAMED_SHARE_UNEXPLAINED = 0.97
_UNEXPLAINED = 1e-3
# From this probability on, the bucket is taken to have been empty.
_CLEAR_SHARE = 0.9
# The weight of what the replay cannot know, use by others above all. It falls with the number of
# tokens that others must have taken.
_OUTSIDE_WEIGHT = 0.01
# Levels are rounded, and every clock has a grain.
_MIN_SIGMA = 0.05
# An answer corrects a level only beyond so many standard deviations: within them the time of the
# request may be wrong as well, and such an error passes by itself.
_SLACK = 2.0
# Levels that are off by more than this are not explained by the times of requests.
_LOOSE_TOKENS = 0.5
_LOOSE_FACTOR = 4.0
_SQRT2 = math.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Per request: the layer that refused it, and the probability that it was that one.

    `cause` is `Cause.THROTTLE` where the layer stays open, and `Cause.NONE` for admitted requests.
    `loose` is whether a limit was kept with less precision than the times of requests have: then
    the layers of steps with several limits are estimates.
    """

    cause: NDArray[np.uint8]
    share: NDArray[np.float64]
    loose: bool


def replay(
    time_s: NDArray[np.float64],
    step: NDArray[np.integer],
    refused: NDArray[np.bool_],
    paths: Sequence[Sequence[Bucket]],
    *,
    jitter_s: float,
    sure: NDArray[np.bool_] | None = None,
) -> Attribution:
    """Replays requests, in the order of `time_s`, which is when each reached the gateway.

    `paths` has the buckets of each step in the order in which the gateway asks them. `jitter_s` is
    the standard deviation of the error of `time_s`. Where `sure` is False, something else than
    these buckets may have refused, so that only a bucket whose level says so is named. The first
    pass finds out how well levels explain what happened; the second one knows how far they go.
    """
    keys = list(dict.fromkeys(bucket.shared_key for path in paths for bucket in path))
    buckets = {bucket.shared_key: bucket for path in paths for bucket in path}
    number = {key: index for index, key in enumerate(keys)}
    ordered = [buckets[key] for key in keys]
    routes = [tuple(number[bucket.shared_key] for bucket in path) for path in paths]
    layers = [int(bucket.layer) for bucket in ordered]
    admitted_rps = _admitted_rps(time_s, step, refused, routes, len(ordered))
    moved = [
        min(bucket.rate_rps, most) * jitter_s
        for bucket, most in zip(ordered, admitted_rps, strict=True)
    ]
    base = [max(_MIN_SIGMA, tokens) for tokens in moved]
    overtaken = [1.0 - math.exp(-tokens) for tokens in moved]

    run = _Run(ordered, routes, layers, overtaken)
    all_sure = np.ones(len(time_s), np.bool_) if sure is None else sure
    rows = time_s.tolist(), step.tolist(), refused.tolist(), all_sure.tolist()
    misses = run.pass_over(*rows, base).misses
    sigma = [math.hypot(one, miss) for one, miss in zip(base, misses, strict=True)]
    found = run.pass_over(*rows, sigma)
    loose = any(
        miss > max(_LOOSE_TOKENS, _LOOSE_FACTOR * one)
        for one, miss in zip(base, misses, strict=True)
    )
    return Attribution(np.array(found.cause, np.uint8), np.array(found.share, np.float64), loose)


def _admitted_rps(
    time_s: NDArray[np.float64],
    step: NDArray[np.integer],
    refused: NDArray[np.bool_],
    routes: Sequence[Sequence[int]],
    n_buckets: int,
) -> list[float]:
    """The most requests that passed each bucket in any second: its level is no more uncertain."""
    passed = ~refused
    second = np.floor(time_s[passed] - (time_s[0] if len(time_s) else 0.0)).astype(np.int64)
    of_step = step[passed]
    most = []
    for index in range(n_buckets):
        steps = [number for number, route in enumerate(routes) if index in route]
        counts = np.bincount(second[np.isin(of_step, steps)])
        most.append(float(counts.max()) if len(counts) else 0.0)
    return most


@dataclass(frozen=True, slots=True)
class _Passed:
    cause: list[int]
    share: list[float]
    misses: list[float]  # root mean square of how far each level was from what happened, in tokens


@dataclass(frozen=True, slots=True)
class _Run:
    buckets: Sequence[Bucket]
    routes: Sequence[tuple[int, ...]]
    layers: Sequence[int]
    overtaken: Sequence[float]  # by bucket: the probability that a request is out of turn

    def pass_over(
        self,
        times: Sequence[float],
        steps: Sequence[int],
        refusals: Sequence[bool],
        sure: Sequence[bool],
        sigma: Sequence[float],
    ) -> _Passed:
        """One pass through the run. One loop, since it runs for every request of a run."""
        rates = [bucket.rate_rps for bucket in self.buckets]
        bursts = [float(bucket.burst) for bucket in self.buckets]
        levels = list(bursts)
        seen = [times[0] if times else 0.0] * len(levels)
        squares, counts = [0.0] * len(levels), [0] * len(levels)
        causes, shares = [0] * len(times), [0.0] * len(times)
        for row, (now, step, is_refused) in enumerate(zip(times, steps, refusals, strict=True)):
            route = self.routes[step]
            for index in route:
                level = levels[index] + (now - seen[index]) * rates[index]
                seen[index] = now
                burst = bursts[index]
                levels[index] = burst if level > burst else level
            if not is_refused:
                for index in route:
                    level = levels[index]
                    if level < 1.0:
                        squares[index] += (1.0 - level) ** 2
                        counts[index] += 1
                        floor = 1.0 - _SLACK * sigma[index]
                        if level < floor:
                            level = floor
                    levels[index] = level - 1.0
                continue
            best, share, explained = _likeliest(route, levels, sigma, self.overtaken)
            shares[row] = share
            if not (explained or sure[row]) or share < (
                _NAMED_SHARE if explained else _NAMED_SHARE_UNEXPLAINED
            ):
                causes[row] = Cause.THROTTLE
                continue
            causes[row] = self.layers[best]
            if share >= _CLEAR_SHARE:
                excess = levels[best] - 1.0
                if excess > 0.0:
                    squares[best] += excess**2
                    levels[best] = min(levels[best], 1.0 + _SLACK * sigma[best])
                counts[best] += 1
        return _Passed(
            causes,
            shares,
            [math.sqrt(s / n) if n else 0.0 for s, n in zip(squares, counts, strict=True)],
        )


def _likeliest(
    route: Sequence[int],
    levels: Sequence[float],
    sigma: Sequence[float],
    overtaken: Sequence[float],
) -> tuple[int, float, bool]:
    """The bucket of `route` that most probably refused, its probability, and if a level says so."""
    best, highest, total, passed, explained = -1, 0.0, 0.0, 1.0, False
    for index in route:
        missing = levels[index] - 1.0
        scale = sigma[index] * _SQRT2
        out_of_turn = overtaken[index]
        # Who was overtaken by an admitted request met a bucket with one token less.
        empty = 0.5 * (
            (1.0 - out_of_turn) * math.erfc(missing / scale)
            + out_of_turn * math.erfc((missing - 1.0) / scale)
        )
        if empty > _UNEXPLAINED:
            explained = True
        empty = (1 - _OUTSIDE_WEIGHT) * empty + _OUTSIDE_WEIGHT / (1.0 + max(0.0, missing))
        weight = passed * empty
        total += weight
        passed *= 1.0 - empty
        if weight > highest:
            best, highest = index, weight
    return best, highest / total if total else 0.0, explained
