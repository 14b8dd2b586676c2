"""Runs of cold starts only: they are counted as warm calls are elsewhere, by all that one waits."""

from __future__ import annotations

import random

import pytest

from tests.tuner.factories import failed, sample
from tests.tuner.tuning_rig import COST, PRICE
from tuner.analysis import Answer, Question, analyse
from tuner.cold_only import ColdRounds, as_warm
from tuner.counting import Counting
from tuner.sample import Sample
from tuner.sampler import FixedRounds


def cold(memory_mb: int, wait_ms: float = 300.0, **changes: object) -> Sample:
    """A cold call of which 200 ms are INIT."""
    return sample(memory_mb, wait_ms - 200, cold=True, init_ms=200.0, billed_ms=wait_ms, **changes)


def answered(samples: list[Sample], runtime: str | None = "python3.13") -> Answer:
    question = Question(COST, 512, PRICE, 512, 1, runtime=runtime, counting=Counting(plan="cold"))
    return analyse(samples, [128, 512], {}, question)


def test_a_cold_call_counts_by_all_that_is_waited_for() -> None:
    (counted,) = as_warm([cold(512)])

    assert (counted.counts_as_warm, counted.duration_ms, counted.billed_ms) == (True, 300, 300)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(sample(512), id="a warm call"),
        pytest.param(failed(512), id="a failed one"),
    ],
)
def test_others_do_not_count(other: Sample) -> None:
    (counted,) = as_warm([other])

    assert not counted.counts_as_warm
    assert not counted.counts_as_cold


def test_rounds_end_when_each_size_has_its_cold_starts() -> None:
    rounds = ColdRounds(FixedRounds((128, 512), samples_per_size=2, attempts_per_size=5))
    samples = [cold(128), cold(128), cold(512), sample(512)]

    assert rounds.next_round(samples, (), random.Random(1)) == (512,)
    assert rounds.next_round([*samples, cold(512)], (), random.Random(1)) == ()
    assert (
        rounds.next_round([*samples, sample(512), sample(512), sample(512)], (), random.Random(1))
        == ()
    )


def test_the_answer_is_in_cold_waits_and_all_that_is_billed() -> None:
    found = answered([*(cold(128, 900) for _ in range(5)), *(cold(512, 300) for _ in range(5))])

    small, large = found.sizes
    assert (large.n, large.n_cold, large.duration_typical_ms) == (5, 5, 300)
    assert (large.cold_p50_ms, large.init_p50_ms) == (300, 200)
    assert small.cost_usd_per_million == pytest.approx(PRICE.invocation_usd(128, 900) * 1e6)
    assert found.recommendation is not None
    assert found.recommendation.memory_mb == 128
    assert "only cold starts were measured" in found.notes[0]


def test_restores_of_snapshots_are_in_the_cost_but_for_java() -> None:
    restored = [cold(size, restore_ms=50.0) for size in (128, 512) for _ in range(5)]

    paid, free = (answered(restored, runtime).sizes[1] for runtime in ("python3.13", "java21"))

    assert paid.cost_usd_per_million is not None
    assert free.cost_usd_per_million is not None
    assert paid.cost_usd_per_million - free.cost_usd_per_million == pytest.approx(
        0.0001397998 * 0.5 * 1e6, rel=0.01
    )
