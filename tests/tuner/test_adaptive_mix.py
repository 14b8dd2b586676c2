"""Adaptive tunings with several payloads, of functions whose curve and factors are known."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.tuner.factories import sample
from tests.tuner.test_payload_effects import FACTORS, WEIGHTS
from tests.tuner.test_payload_mix import mix
from tests.tuner.tuning_rig import CANDIDATES, COST, PRICE, Curve, costs_usd, mixed, stepped
from tuner.adaptive import Adaptive
from tuner.analysis import Question, analyse
from tuner.counting import Counting
from tuner.effort import DEFAULT
from tuner.noise import DEGREES_OF_FREEDOM
from tuner.payload_mix import PayloadMix, WeightedPayload
from tuner.sample import Sample
from tuner.worth import Worth


def tuned(curve: Curve, payloads: PayloadMix, *, seed: int, most_calls: int = 55) -> list[Sample]:
    """The calls of a tuning: durations are those of the curve times their payload's factor."""
    worth = Worth(COST, PRICE, 512, payload_weights=payloads.weights)
    effort = replace(DEFAULT, most_calls=most_calls)
    sampler = Adaptive(CANDIDATES, worth, effort, 512, payloads=payloads)
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    turns: dict[int, Iterator[WeightedPayload]] = {}
    found: list[Sample] = []
    while sizes := sampler.next_round(found, (), rng):
        for size in sizes:
            is_new = size not in turns
            item = next(turns.setdefault(size, payloads.turns()))
            duration_ms = curve(size) * FACTORS.get(item.name, 1.0)
            duration_ms *= float(np.exp(0.05 * noise.standard_t(DEGREES_OF_FREEDOM)))
            call = sample(size, duration_ms, payload=item.name)
            found.append(replace(call, cold=True, init_ms=100.0) if is_new else call)
        assert len(found) <= most_calls, "it does not end"
    return found


def mean_regret(curve: Curve, runs: Sequence[tuple[int, list[Sample]]]) -> float:
    costs = dict(zip(CANDIDATES, costs_usd(curve), strict=True))
    return float(np.mean([costs[mb] / min(costs.values()) - 1 for mb, _ in runs]))


def recommended(samples: list[Sample]) -> tuple[int, float]:
    question = Question(
        COST, 512, PRICE, 512, 1, candidates_mb=CANDIDATES, counting=Counting("adaptive", WEIGHTS)
    )
    taken = analyse(samples, [], {}, question).recommendation
    assert taken is not None
    assert taken.cost_usd_per_million is not None
    return taken.memory_mb, taken.cost_usd_per_million


@pytest.mark.parametrize("curve", [stepped, mixed])
def test_size_and_cost_of_the_mix_are_found_with_about_as_many_calls(curve: Curve) -> None:
    runs, errors, calls = [], [], []
    for seed in range(6):
        samples = tuned(curve, mix(*WEIGHTS.values(), seed=seed, even_share=0.5), seed=seed)
        assert {s.payload for s in samples if s.counts_as_warm} == set(WEIGHTS)
        memory_mb, cost_usd = recommended(samples)
        runs.append((memory_mb, samples))
        true_usd = PRICE.invocation_usd(memory_mb, curve(memory_mb) + 0.5) * 1e6
        errors.append(abs(cost_usd / true_usd - 1))
        calls.append(len(samples))

    assert mean_regret(curve, runs) < 0.04
    assert np.median(errors) < 0.08
    assert np.mean(calls) < 50


def test_a_mix_of_very_many_payloads_ends_as_others_do() -> None:
    samples = tuned(stepped, mix(*[1.0] * 200, even_share=0.5), seed=1)

    assert len(samples) <= 55


def test_payloads_are_not_waited_for_beyond_the_calls_that_are_allowed() -> None:
    samples = tuned(stepped, mix(98, 1, 1, even_share=0.0), seed=2, most_calls=20)

    assert len(samples) <= 20
