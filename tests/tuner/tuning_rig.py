"""Adaptive tunings of functions whose curve is known, without any AWS."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.aws.prices import bundled_prices
from tests.tuner.factories import sample
from tuner.adaptive import Adaptive
from tuner.effort import DEFAULT, Effort
from tuner.estimate import Floats
from tuner.grid import candidate_sizes
from tuner.noise import DEGREES_OF_FREEDOM
from tuner.objective import Goal
from tuner.sample import Sample
from tuner.worth import Worth

PRICE = bundled_prices().lambda_price("us-east-1", "x86_64")
CANDIDATES = candidate_sizes(128, 3008, 512)
COST = Goal("cost")
Curve = Callable[[float], float]
# What a call at a size answers, given the calls before it.
Answering = Callable[[int, Sequence[Sample]], Sample]


def saturating(memory_mb: float) -> float:
    """CPU-bound up to one vCPU: below it, every size costs about the same."""
    return 90 * 1769 / min(memory_mb, 1769)


def power(memory_mb: float) -> float:
    """Steeper than the memory: the largest size is the cheapest."""
    return 300 * (1024 / memory_mb) ** 1.3


def waiting(memory_mb: float) -> float:
    """The same at all sizes: the smallest is the cheapest."""
    return 60.0


def mixed(memory_mb: float) -> float:
    """Waits for 40 ms, and works: the smallest is the cheapest by a little."""
    return 40 + 60_000 / memory_mb


def stepped(memory_mb: float) -> float:
    """Three times as slow below 512 MB, where it swaps: 512 MB is the cheapest."""
    return 100 * 512 / min(memory_mb, 512) * (3 if memory_mb < 512 else 1)


def answers(curve: Curve, scale: float = 0.05, seed: int = 1) -> Answering:
    """Calls around a curve, with Student's noise in logarithms; the first at a size is cold."""
    rng = np.random.default_rng(seed)

    def answer(memory_mb: int, before: Sequence[Sample]) -> Sample:
        duration_ms = curve(memory_mb) * np.exp(scale * rng.standard_t(DEGREES_OF_FREEDOM))
        duration_ms = float(min(duration_ms, 9e5))
        if any(s.memory_mb == memory_mb for s in before):
            return sample(memory_mb, duration_ms)
        return sample(memory_mb, 1.3 * duration_ms, cold=True, init_ms=120.0)

    return answer


@dataclass(frozen=True)
class Tuning:
    """How a tuning went.

    `rounds` has the sizes that each round asked for, with the number of samples before it.
    """

    sampler: Adaptive
    samples: list[Sample] = field(default_factory=list)
    rounds: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)

    @property
    def asked(self) -> list[int]:
        """All sizes that were asked for, in order."""
        return [size for _, sizes in self.rounds for size in sizes]

    def warm(self, memory_mb: int) -> int:
        """How many warm calls a size has."""
        return sum(s.counts_as_warm for s in self.samples if s.memory_mb == memory_mb)


def tune(
    answer: Answering,
    *,
    goal: Goal = COST,
    effort: Effort = DEFAULT,
    candidates_mb: tuple[int, ...] = CANDIDATES,
    current_mb: int = 512,
    largest_mb: int = 10240,
    seed: int = 1,
) -> Tuning:
    """A tuning to its end, as a run conducts it; AWS refuses sizes above `largest_mb`."""
    sampler = Adaptive(candidates_mb, Worth(goal, PRICE, 512), effort, current_mb)
    tuning, rng = Tuning(sampler), random.Random(seed)
    while sizes := sampler.next_round(tuning.samples, tuning.refused, rng):
        tuning.rounds.append((len(tuning.samples), sizes))
        assert len(tuning.rounds) <= 2 * effort.most_calls, "it does not end"
        for size in sizes:
            if size > largest_mb:
                tuning.refused[size] = "the account is capped"
                continue
            own = [s for s in tuning.samples if s.memory_mb == size]
            after_error = bool(own) and own[-1].outcome != "measured"
            tuning.samples.append(replace(answer(size, tuning.samples), after_error=after_error))
    return tuning


def costs_usd(curve: Curve, candidates_mb: Sequence[int] = CANDIDATES) -> Floats:
    """What a call costs in truth, at each candidate."""
    worth = Worth(COST, PRICE, 512)
    typical_ms = np.array([curve(size) for size in candidates_mb])
    return worth.cost_usd(candidates_mb, worth.billed_ms(typical_ms))
