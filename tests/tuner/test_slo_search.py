"""The search for the cheapest size within a limit: simulated functions whose truth is known."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from core.aws.prices import bundled_prices
from reports.document import SloEvidence
from tests.tuner.factories import failed, lost, sample
from tuner.beliefs import Beliefs
from tuner.estimate import student_quantile
from tuner.noise import DEGREES_OF_FREEDOM
from tuner.objective import Goal, SloLimit
from tuner.sample import Sample
from tuner.slo import samples_needed, slo_evidence
from tuner.slo_search import (
    Outlook,
    SloSampler,
    decide,
    most_calls,
    most_samples,
    next_look,
    next_size,
    outlook,
)
from tuner.worth import Worth

SIZES = (128, 256, 384, 512, 768, 1024, 1536, 1769, 2048, 3008)
PRICE = bundled_prices().lambda_price("us-east-1", "x86_64")
P95_OF_T = student_quantile(0.95, DEGREES_OF_FREEDOM)
SIGMA = 0.08
TUNINGS = 100


def cpu_bound(memory_mb: float) -> float:
    return 90 * 1769 / min(memory_mb, 1769)


def saturating(memory_mb: float) -> float:
    return 40 + 60_000 / memory_mb


def p95_ms(curve: Callable[[float], float], memory_mb: int) -> float:
    return float(curve(memory_mb) * np.exp(SIGMA * P95_OF_T))


def worth(limit: SloLimit) -> Worth:
    return Worth(Goal("slo", slo=limit), PRICE, 512)


@dataclass(frozen=True)
class Found:
    """How a simulated tuning ended."""

    decision: str
    best_mb: int | None
    samples: int


def tune(curve: Callable[[float], float], limit: SloLimit, rng: np.random.Generator) -> Found:
    """A tuning with a curve that is believed wrongly: by 5 % in level, by a third in scatter."""
    truth = np.array([curve(size) for size in SIZES])
    level = truth * np.exp(rng.normal(0, 0.05)) * np.exp(rng.normal(0, 0.05, (64, len(SIZES))))
    beliefs = Beliefs(SIZES, level, np.full(len(SIZES), SIGMA * np.exp(rng.normal(0, 0.3))))
    cost = worth(limit).cost_usd(SIZES, truth)
    taken: dict[int, list[float]] = {}
    evidence: dict[int, SloEvidence] = {}
    for _ in range(200):
        seen = outlook(beliefs, cost, limit, evidence)
        size = next_size(seen, evidence, limit)
        if size is None:
            break
        known = taken.setdefault(size, [])
        noise = rng.standard_t(DEGREES_OF_FREEDOM, next_look(len(known), limit) - len(known))
        known.extend((curve(size) * np.exp(SIGMA * noise)).tolist())
        evidence[size] = slo_evidence(known, limit)
    met = [size for size, known in evidence.items() if known.verdict == "met"]
    return Found(
        decide(outlook(beliefs, cost, limit, evidence), evidence),
        min(met, key=lambda size: cost[SIZES.index(size)], default=None),
        sum(map(len, taken.values())),
    )


@pytest.mark.parametrize(
    ("curve", "tightness"),
    [
        pytest.param(cpu_bound, 1.05, id="CPU-bound, 5 % to spare at the fastest"),
        pytest.param(cpu_bound, 2.1, id="CPU-bound, a size twice as slow does"),
        pytest.param(saturating, 1.3, id="saturating"),
        pytest.param(saturating, 3.0, id="saturating, far from the fastest"),
    ],
)
def test_the_recommended_size_keeps_the_limit_in_truth(
    curve: Callable[[float], float], tightness: float
) -> None:
    limit = SloLimit(95, min(p95_ms(curve, size) for size in SIZES) * tightness)
    rng = np.random.default_rng(5)

    found = [tune(curve, limit, rng) for _ in range(TUNINGS)]

    taken = [answer.best_mb for answer in found if answer.best_mb is not None]
    assert len(taken) >= TUNINGS / 3
    assert np.mean([p95_ms(curve, size) < limit.limit_ms for size in taken]) >= 0.9
    assert all(answer.decision != "infeasible" for answer in found)


@pytest.mark.parametrize("curve", [cpu_bound, saturating])
@pytest.mark.parametrize("tightness", [0.5, 0.8])
def test_what_no_size_can_keep_is_infeasible(
    curve: Callable[[float], float], tightness: float
) -> None:
    limit = SloLimit(95, min(p95_ms(curve, size) for size in SIZES) * tightness)
    rng = np.random.default_rng(6)

    found = [tune(curve, limit, rng) for _ in range(TUNINGS)]

    assert all(answer.decision != "met" for answer in found)
    assert np.mean([answer.decision == "infeasible" for answer in found]) >= 0.9


def test_a_size_exactly_at_its_limit_passes_in_less_than_a_tenth_of_all_searches() -> None:
    """Though it is looked at three times, each time with 5 % of error."""
    limit = SloLimit(95, 300)
    looks = [59, 118, 177]
    rng = np.random.default_rng(7)
    above = (rng.random((1000, looks[-1])) < 0.05).cumsum(axis=1)

    passed = [
        any(
            slo_evidence([400.0] * row[n - 1] + [100.0] * (n - row[n - 1]), limit).verdict == "met"
            for n in looks
        )
        for row in above.tolist()
    ]

    # 6.6 % by the binomial distribution, and three standard errors of 1,000 repetitions.
    assert np.mean(passed) <= 0.09


def test_looks_come_early_for_misses_and_late_for_what_is_kept() -> None:
    limit = SloLimit(95, 300)
    looks = [0]
    while looks[-1] < most_samples(limit):
        looks.append(next_look(looks[-1], limit))

    assert looks == [0, 2, 4, 8, 16, 32, 59, 118, 177]
    assert most_calls(limit) == 8 * 59 + 100


LIMIT = SloLimit(95, 300)
MET = slo_evidence([100.0] * 59, LIMIT)
MISSED = slo_evidence([400.0] * 8, LIMIT)
OPEN = slo_evidence([100.0] * 8, LIMIT)
USED_UP = slo_evidence([100.0] * 170 + [400.0] * 9, LIMIT)


def seen(
    cost: tuple[float, ...], chance: tuple[float, ...], best_chance: tuple[float, ...] | None = None
) -> Outlook:
    """Three sizes, each faster than the one before."""
    return Outlook(
        sizes_mb=(128, 256, 512),
        cost_usd=np.array(cost),
        percentile_ms=np.array([400.0, 300.0, 200.0]),
        chance=np.array(chance),
        best_chance=np.array(best_chance or chance),
    )


@pytest.mark.parametrize(
    ("outlook_", "evidence", "size", "decision"),
    [
        pytest.param(
            seen((1, 2, 3), (0.4, 0.9, 1)), {}, 128, "not separable", id="the cheapest that may"
        ),
        pytest.param(
            seen((1, 2, 3), (0.1, 0.9, 1)), {}, 256, "not separable", id="not one that hardly can"
        ),
        pytest.param(
            seen((1, 1.01, 1.02), (0.4, 0.9, 1)),
            {},
            512,
            "not separable",
            id="of equal costs the surest",
        ),
        pytest.param(
            seen((1, 2, 3), (0.4, 0.9, 1)),
            {128: MISSED},
            256,
            "not separable",
            id="missed: the next",
        ),
        pytest.param(
            seen((1, 2, 3), (0.4, 0.9, 1)),
            {128: USED_UP},
            256,
            "not separable",
            id="open after its share of calls: the next",
        ),
        pytest.param(
            seen((1, 2, 3), (0.4, 0.9, 1)), {128: MISSED, 256: MET}, None, "met", id="met: the end"
        ),
        pytest.param(
            seen((1, 2, 3), (0.4, 0.9, 1)), {256: MET}, 128, "met", id="a cheaper one is tried yet"
        ),
        pytest.param(
            seen((1, 2, 3), (0, 0, 0), (0, 0.2, 0.2)),
            {},
            512,
            "not separable",
            id="hardly any can: the fastest first",
        ),
        pytest.param(
            seen((1, 2, 3), (0, 0, 0), (0, 0.2, 0.2)),
            {512: MISSED},
            256,
            "not separable",
            id="each that may is looked at",
        ),
        pytest.param(
            seen((1, 2, 3), (0, 0, 0)),
            {128: MISSED},
            512,
            "not separable",
            id="none can: the fastest is asked all the same",
        ),
        pytest.param(
            seen((1, 2, 3), (0, 0, 0)), {512: MISSED}, None, "infeasible", id="none can, and shown"
        ),
        pytest.param(
            seen((1, 2, 3), (0, 0, 0)),
            {512: USED_UP},
            None,
            "not separable",
            id="the fastest stays open",
        ),
    ],
)
def test_what_is_sampled_next_and_what_is_known(
    outlook_: Outlook, evidence: dict[int, SloEvidence], size: int | None, decision: str
) -> None:
    assert next_size(outlook_, evidence, LIMIT) == size
    assert decide(outlook_, evidence) == decision


@pytest.mark.parametrize(
    ("evidence", "decision"),
    [
        pytest.param({128: MISSED, 256: MET}, "met", id="one is met"),
        pytest.param({128: MISSED, 256: MISSED}, "infeasible", id="all are missed"),
        pytest.param({128: MISSED, 256: OPEN}, "not separable", id="one is open"),
        pytest.param({}, "not separable", id="no samples"),
    ],
)
def test_without_a_curve_only_samples_decide(
    evidence: dict[int, SloEvidence], decision: str
) -> None:
    assert decide(None, evidence) == decision


def test_measured_tails_correct_what_the_curve_predicts() -> None:
    beliefs = Beliefs(SIZES, np.full((8, len(SIZES)), 100.0), np.full(len(SIZES), SIGMA))
    cost = np.ones(len(SIZES))
    plain = outlook(beliefs, cost, LIMIT, {}).percentile_ms

    twice = slo_evidence([float(2 * plain[0])] * 40, LIMIT)
    corrected = outlook(beliefs, cost, LIMIT, {128: twice}).percentile_ms

    assert corrected == pytest.approx(2 * plain)
    few = slo_evidence([1.0] * 8, LIMIT)
    assert outlook(beliefs, cost, LIMIT, {128: few}).percentile_ms == pytest.approx(plain)


def play(
    sampler: SloSampler, answer: Callable[[int, random.Random], Sample], seed: int
) -> list[Sample]:
    """All samples that `sampler` asks for; the first at each size is cold."""
    rng, samples = random.Random(seed), list[Sample]()
    while sizes := sampler.next_round(samples, (), rng):
        for size in sizes:
            known = any(s.memory_mb == size for s in samples)
            samples.append(answer(size, rng) if known else sample(size, 900.0, cold=True))
        assert len(samples) <= most_calls(sampler.limit)
    return samples


def test_a_tuning_samples_three_sizes_and_then_the_one_to_show() -> None:
    limit = SloLimit(95, 250)
    sampler = SloSampler(SIZES, worth(limit), limit, 512)

    samples = play(
        sampler, lambda size, rng: sample(size, cpu_bound(size) * rng.lognormvariate(0, 0.03)), 3
    )

    counts = {size: sum(s.memory_mb == size for s in samples) for size in SIZES}
    best = max(counts, key=lambda size: counts[size])
    assert p95_ms(cpu_bound, best) < 250
    assert counts[best] == samples_needed(limit) + 1
    assert len(samples) < 100
    assert "p95 < 250 ms" in sampler.state(samples)


def test_a_hopeless_limit_ends_after_a_few_calls_at_the_fastest_size() -> None:
    limit = SloLimit(99, 40)
    sampler = SloSampler(SIZES, worth(limit), limit, 512)

    samples = play(
        sampler, lambda size, rng: sample(size, cpu_bound(size) * rng.lognormvariate(0, 0.03)), 4
    )

    assert len(samples) < 40


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda size, _: failed(size), id="timeouts"),
        pytest.param(lambda size, _: failed(size, "ValueError"), id="errors"),
        pytest.param(lambda size, _: lost(size), id="lost"),
        pytest.param(
            lambda size, rng: sample(size, 0.0) if rng.random() < 0.6 else lost(size),
            id="zeros, and many lost",
        ),
    ],
)
def test_a_search_ends_whatever_the_calls_answer(
    answer: Callable[[int, random.Random], Sample],
) -> None:
    limit = SloLimit(95, 250)

    assert play(SloSampler(SIZES, worth(limit), limit), answer, 5)
