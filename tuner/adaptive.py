"""The adaptive plan: where to invoke next, and when enough is known; decides, does not invoke.

Three sizes first. Then, after each handful of calls: what can be believed of the whole curve, which
size is the best choice now, and how much worse than the unknown best it is expected to be (its
regret). Below the target, or when the calls are used up, or when further ones would tell too
little, the choice is verified by calls of its own and stands; else the next calls go where they are
worth most for their price.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from tuner.effort import Effort
from tuner.sample import Sample, warm_by_size, warm_durations
from tuner.sampler import answers_ceased, given_up

if TYPE_CHECKING:
    # Plans name the efforts before numpy is loaded.
    from tuner.payload_mix import PayloadMix
    from tuner.worth import Worth

# Calls at a size before it can be recommended, beside the cold one.
WARM_TO_VERIFY = 2
# Warm calls at each of the first sizes: calls of a second or more scatter by a few per cent, and
# are dear, so that the second one would tell less than it costs.
_WARM_AT_START, _WARM_AT_START_IF_LONG, _LONG_MS = 2, 1, 1000.0
# When so many sizes took their calls, and none of all was warm, nothing else will be.
SIZES_AT_START, _MOST_CALLS_AT_START, _FAILURES_AT_START = 3, 6, 2
# After a size that ran out of memory or time, the next one tried is so much larger.
_STEP_AFTER_FAILURE = 1.5
# Today's size is called first in place of one that differs from it by no more.
_NEARLY_AS_LARGE = 1.25
# At the choice, until all payloads are met: more of them than that are a sample of many.
_MOST_CALLS_TO_MEET = 20
# Calls that are made before beliefs are asked again: a few at first, more when each changes little.
_CALLS_AT_ONCE = ((0, 2), (30, 3), (60, 6))


@dataclass(slots=True)
class Adaptive:
    """A sampler for one tuning; what it has decided but not yet seen invoked is its only memory."""

    candidates_mb: tuple[int, ...]
    worth: Worth
    effort: Effort
    current_mb: int | None = None
    payloads: PayloadMix | None = None
    out_of_calls: bool = False
    _pending: list[int] = field(default_factory=list)
    _state: str = "first look"

    def next_round(
        self, samples: Sequence[Sample], refused: Collection[int], rng: random.Random
    ) -> tuple[int, ...]:
        """The sizes to invoke next; empty when enough is known or nothing can be."""
        self.out_of_calls = False
        usable = usable_sizes(self.candidates_mb, samples, refused)
        self._pending = [size for size in self._pending if size in usable]
        if not usable or answers_ceased(samples, SIZES_AT_START) or _is_hopeless(samples):
            return ()
        if len(samples) >= self.effort.most_calls:
            self.out_of_calls = True
            return ()
        start = self._lacking_at_start(usable, samples)
        if start:
            rng.shuffle(start)
            return tuple(start[: self.effort.most_calls - len(samples)])
        if not self._pending:
            self._pending = self._decide(usable, samples, rng)
        return (self._pending.pop(),) if self._pending else ()

    def state(self, samples: Sequence[Sample]) -> str:
        """What is known so far, in a phrase."""
        return self._state if samples else "first look"

    def _lacking_at_start(self, usable: Sequence[int], samples: Sequence[Sample]) -> list[int]:
        warm = warm_durations(samples, usable)
        start = start_sizes(usable, samples, self.current_mb)
        lacking = [size for size in start if _says_too_little(warm.get(size, ()))]
        # Sizes that failed make others the first; what is known by then need not be.
        known = [size for size, found in warm.items() if not _says_too_little(found)]
        return lacking if len(known) < len(start) else []

    def _decide(
        self, usable: Sequence[int], samples: Sequence[Sample], rng: random.Random
    ) -> list[int]:
        """The sizes of the next calls, all the same one; empty when the choice stands."""
        # Not at the top: numpy takes longer to import than most mistakes take to be found.
        import numpy as np

        from tuner.believed import believed
        from tuner.choice import expected_regret
        from tuner.gain import best_next

        generator = np.random.default_rng(rng.getrandbits(64))
        known = believed(samples, usable, self.worth, generator, draws=self.effort.draws)
        regret = known.regrets(self.worth)
        best = known.choice(self.worth, self.current_mb)
        expected = float(expected_regret(regret)[best])
        self._state = f"{usable[best]} MB looks best, expected within {expected:.1%} of the best"
        warm = {size: n for size, n in _warm_counts(samples).items() if size in usable}
        calls_left = self.effort.most_calls - len(samples)
        lacking = self._lacking_at_the_end(usable[best], warm, usable, calls_left)
        lacking[usable[best]] = max(
            lacking[usable[best]], min(self._to_meet(usable[best], samples), calls_left)
        )
        enough, look = expected <= self.effort.target_share, None
        if not enough and calls_left > sum(lacking.values()):
            price = known.warm.cost_usd.mean(axis=0)
            look = best_next(known.beliefs, regret, price, best, warm, self.effort, generator)
            enough = look.gain_share < self.effort.least_gain_share
        # Holds if nothing is called after this.
        self.out_of_calls = not enough or any(lacking.values())
        if enough or look is None:
            return _last_calls(lacking, calls_left)
        at_once = next(n for calls, n in reversed(_CALLS_AT_ONCE) if len(samples) >= calls)
        cold = 0 if warm.get(look.memory_mb) else 1
        # What the choice and today's size lack is kept for them.
        most = calls_left - sum(n for size, n in lacking.items() if size != look.memory_mb)
        if most <= cold:
            return _last_calls(lacking, calls_left)
        return [look.memory_mb] * min(min(look.calls, at_once) + cold, most)

    def _to_meet(self, memory_mb: int, samples: Sequence[Sample]) -> int:
        """The calls at a size that meet the payloads which had no warm call yet, at most twenty."""
        if self.payloads is None or not self.payloads.is_mix:
            return 0
        met = {sample.payload for sample in samples if sample.counts_as_warm}
        made = sum(sample.memory_mb == memory_mb for sample in samples)
        # Of a new size the first call is cold: it meets nothing.
        cold = 0 if made else 1
        missing = self.payloads.weights.keys() - met
        allowed = max(0, _MOST_CALLS_TO_MEET - made)
        if not missing or not allowed:
            return 0
        return cold + self.payloads.calls_to_meet(missing, after=made + cold, most=allowed)

    def _lacking_at_the_end(
        self, best_mb: int, warm: Mapping[int, int], usable: Sequence[int], calls_left: int
    ) -> dict[int, int]:
        """The calls that the choice lacks, then today's size: no change by an estimate of it.

        Not today's where both cannot be made: then the choice needs them more.
        """
        lacking = {best_mb: _to_verify(warm.get(best_mb, 0))}
        if self.current_mb is not None and self.current_mb in usable:
            of_today = _to_verify(warm.get(self.current_mb, 0))
            if lacking[best_mb] + of_today <= calls_left:
                lacking[self.current_mb] = of_today
        return lacking


def _to_verify(known: int) -> int:
    """How many calls a size with so many warm ones lacks before it can be recommended."""
    return max(0, WARM_TO_VERIFY - known) + (0 if known else 1)


def _last_calls(lacking: Mapping[int, int], calls_left: int) -> list[int]:
    """The calls of the first size that lacks some, if all of them can be made."""
    for size, calls in lacking.items():
        if 0 < calls <= calls_left:
            return [size] * calls
    return []


def start_sizes(
    usable: Sequence[int], samples: Sequence[Sample], current_mb: int | None = None
) -> tuple[int, ...]:
    """The first sizes: the smallest, one where small sizes are past, one where a vCPU is near.

    The largest is not among them: it is the dearest to call, and most curves say before it
    whether it can pay. Today's size takes the place of one that is nearly as large.
    """
    failed = [s.memory_mb for s in samples if s.ran_out]
    low = usable[0]
    if failed:
        low = next((m for m in usable if m >= max(failed) * _STEP_AFTER_FAILURE), usable[-1])
    high = usable[-1]
    if high <= low * 1.5:
        wanted = [float(low), float(high)]
    else:
        second = low * 1.73 if low >= 400 else min(4.0 * low, math.sqrt(low * high))
        wanted = [float(low), second, float(min(high, max(1024, 3 * low)))]
    if current_mb is not None and current_mb in usable:
        wanted = [float(current_mb) if _is_near(current_mb, size) else size for size in wanted]
    nearest = {min(usable, key=lambda m: abs(math.log(m / size))) for size in wanted}
    return tuple(sorted(nearest))


def _is_near(one_mb: float, other_mb: float) -> bool:
    return max(one_mb / other_mb, other_mb / one_mb) <= _NEARLY_AS_LARGE


def usable_sizes(
    candidates_mb: Sequence[int], samples: Sequence[Sample], refused: Collection[int]
) -> tuple[int, ...]:
    """The candidates that may still be recommended.

    Not those that AWS does not offer, nor larger ones; not those that ran out of memory or time,
    nor smaller ones; not those that gave no measurement twice.
    """
    too_small = max((s.memory_mb for s in samples if s.ran_out), default=0)
    too_large = min(refused, default=math.inf)
    by_size: dict[int, list[Sample]] = {}
    for sample in samples:
        by_size.setdefault(sample.memory_mb, []).append(sample)
    return tuple(
        size
        for size in candidates_mb
        if too_small < size < too_large and not given_up(by_size.get(size, ()))
    )


def _says_too_little(durations_ms: Sequence[float]) -> bool:
    """Whether a first size needs another warm call."""
    if not durations_ms:
        return True
    is_long = median(durations_ms) >= _LONG_MS
    return len(durations_ms) < (_WARM_AT_START_IF_LONG if is_long else _WARM_AT_START)


def _is_hopeless(samples: Sequence[Sample]) -> bool:
    """Whether enough sizes took their calls to know that no call will ever be warm."""
    if any(sample.is_warm for sample in samples):
        return False
    tried = Counter(sample.memory_mb for sample in samples if not sample.ran_out)
    failed = Counter(s.memory_mb for s in samples if s.outcome == "failed" and not s.ran_out)
    done = [m for m in tried if tried[m] >= _MOST_CALLS_AT_START or failed[m] >= _FAILURES_AT_START]
    return len(done) >= SIZES_AT_START


def _warm_counts(samples: Sequence[Sample]) -> dict[int, int]:
    return {size: len(warm) for size, warm in warm_by_size(samples).items()}
