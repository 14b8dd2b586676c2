"""Runs of cold starts only: each is looked at as a warm call would be, of all that a caller waits.

So one way from samples to an answer serves both: durations are INIT (or restore) and Duration,
costs those of all that is billed. Pure.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from tuner.cold import wait_ms
from tuner.sample import Sample
from tuner.sampler import FixedRounds


def as_warm(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """The cold samples as warm ones that took what a caller waits; warm ones do not count."""
    return tuple(_as_warm(sample) for sample in samples)


def _as_warm(sample: Sample) -> Sample:
    if not sample.counts_as_cold:
        return replace(sample, discarded=True) if sample.is_warm else sample
    return replace(sample, cold=False, duration_ms=wait_ms(sample), init_ms=None, restore_ms=None)


@dataclass(frozen=True, slots=True)
class ColdRounds:
    """Rounds of cold starts, the same number at each size."""

    rounds: FixedRounds
    out_of_calls = False

    def next_round(
        self, samples: Sequence[Sample], refused: Collection[int], rng: random.Random
    ) -> tuple[int, ...]:
        """Every size that still lacks cold samples, once, shuffled."""
        return self.rounds.next_round(as_warm(samples), refused, rng)

    def state(self, samples: Sequence[Sample]) -> str:
        """How many sizes have their samples."""
        return self.rounds.state(as_warm(samples))
