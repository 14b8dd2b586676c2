"""Decides which sizes are invoked next, from the samples so far; pure.

A round holds each size at most once, in random order: drift over the run and differences between
hosts then fall on all sizes alike and do not look like an effect of memory.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuner.sample import Sample

# A size is given up after this many failed or lost calls that are not outnumbered by measurements:
# one may be bad luck, two in a row are an answer, and each can cost as much as the timeout.
_FAILURES_TO_GIVE_UP = 2
_LOST_ROUNDS_TO_END = 3


class Sampler(Protocol):
    """A strategy for spending invocations."""

    @property
    def out_of_calls(self) -> bool:
        """Whether it ended for lack of calls: with more of them it would have gone on."""

    def next_round(
        self, samples: Sequence[Sample], refused: Collection[int], rng: random.Random
    ) -> tuple[int, ...]:
        """The sizes (MB) to invoke next, in this order; empty when enough is known.

        `refused` are sizes that AWS does not offer; larger ones are as good as refused.
        """

    def state(self, samples: Sequence[Sample]) -> str:
        """What is known or lacking so far, in a phrase for the progress line."""


@dataclass(frozen=True, slots=True)
class FixedRounds:
    """The same number of warm samples at each size, in randomised interleaved rounds.

    Cold, failed and lost calls are made up for until a size took `attempts_per_size` calls. When
    answers have ceased, it ends.
    """

    sizes_mb: tuple[int, ...]
    samples_per_size: int
    attempts_per_size: int
    out_of_calls = False

    def next_round(
        self, samples: Sequence[Sample], refused: Collection[int], rng: random.Random
    ) -> tuple[int, ...]:
        """Every size that still lacks warm samples, once, shuffled."""
        offered = offered_sizes(self.sizes_mb, refused)
        if answers_ceased(samples, len(offered)):
            return ()
        open_sizes = [size for size in offered if self._lacks(size, samples)]
        rng.shuffle(open_sizes)
        return tuple(open_sizes)

    def state(self, samples: Sequence[Sample]) -> str:
        """How many sizes have their samples."""
        invoked = {sample.memory_mb for sample in samples}
        done = sum(not self._lacks(size, samples) for size in invoked)
        return f"{done} of {len(self.sizes_mb)} sizes done"

    def _lacks(self, size: int, samples: Sequence[Sample]) -> bool:
        own = [sample for sample in samples if sample.memory_mb == size]
        warm = sum(sample.counts_as_warm for sample in own)
        return (
            warm < self.samples_per_size and len(own) < self.attempts_per_size and not given_up(own)
        )


def offered_sizes(sizes_mb: Sequence[int], refused: Collection[int]) -> tuple[int, ...]:
    """The sizes below those that AWS does not offer."""
    return tuple(size for size in sizes_mb if not any(size >= other for other in refused))


def answers_ceased(samples: Sequence[Sample], sizes: int) -> bool:
    """Whether nothing can be measured any more: only then it makes no sense to spend the rest.

    A first round of `sizes` calls that are all lost shows a function that does not report. Later,
    a few cut connections in a row may pass: it takes three rounds.
    """
    rounds = _LOST_ROUNDS_TO_END if any(s.outcome != "lost" for s in samples) else 1
    in_a_row = max(_FAILURES_TO_GIVE_UP, rounds * sizes)
    last = samples[-in_a_row:]
    return len(last) == in_a_row and all(sample.outcome == "lost" for sample in last)


def given_up(samples_of_size: Sequence[Sample]) -> bool:
    """Whether a size gives no measurement more often than it gives one."""
    measured = sum(sample.outcome == "measured" for sample in samples_of_size)
    unmeasured = len(samples_of_size) - measured
    return unmeasured >= _FAILURES_TO_GIVE_UP and unmeasured > measured
