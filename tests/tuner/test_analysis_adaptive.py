"""Answers of adaptive tunings: every candidate is known, what was invoked is in the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.document import Objective
from tests.tuner.factories import drawn, failed, lost, sample
from tests.tuner.tuning_rig import (
    CANDIDATES,
    PRICE,
    Curve,
    mixed,
    power,
    saturating,
    stepped,
    waiting,
)
from tuner.analysis import Answer, Question, analyse
from tuner.objective import Goal, SloLimit
from tuner.sample import Sample
from tuner.usage import Usage

INVOKED = (128, 256, 512, 1024, 1769, 3008)


def ask(
    samples: list[Sample],
    goal: Objective | Goal = "cost",
    *,
    current_mb: int = 512,
    candidates_mb: tuple[int, ...] = CANDIDATES,
    refused: dict[int, str] | None = None,
    usage: Usage | None = None,
) -> Answer:
    """As a run asks: of the candidates, the table has what was invoked or refused."""
    why = refused or {}
    told = sorted({s.memory_mb for s in samples} | set(why))
    question = Question(
        goal=goal if isinstance(goal, Goal) else Goal(goal),
        current_mb=current_mb,
        price=PRICE,
        storage_mb=512,
        seed=1,
        candidates_mb=candidates_mb,
        usage=usage or Usage(),
    )
    return analyse(samples, told, why, question)


def samples_of(curve: Curve, n: int = 5, sigma: float = 0.01) -> list[Sample]:
    return drawn(curve, INVOKED, n=n, sigma=sigma, seed=4)


@pytest.mark.parametrize(
    ("curve", "objective", "expected"),
    [
        pytest.param(waiting, "cost", {128}, id="waiting: the smallest is the cheapest"),
        pytest.param(stepped, "cost", {512}, id="stepped: above the cliff"),
        pytest.param(power, "cost", {3008}, id="power: the largest"),
        pytest.param(saturating, "speed", {1769}, id="speed: nothing gained above a vCPU"),
        pytest.param(waiting, "speed", {128}, id="speed: flat, so the cheapest"),
        pytest.param(saturating, "knee", {1769}, id="the knee is where a vCPU is complete"),
    ],
)
def test_the_known_best_of_the_invoked_sizes_is_recommended(
    curve: Curve, objective: Objective, expected: set[int]
) -> None:
    answer = ask(samples_of(curve), objective)

    assert answer.recommendation is not None
    assert answer.recommendation.memory_mb in expected
    assert answer.recommendation.memory_mb in answer.recommendation.tied_mb


def test_the_table_has_what_was_invoked_and_the_curve_all_candidates() -> None:
    answer = ask(samples_of(mixed))

    assert [size.memory_mb for size in answer.sizes] == list(INVOKED)
    assert answer.model is not None
    assert [point.memory_mb for point in answer.model.curve] == list(CANDIDATES)
    assert answer.recommendation is not None
    assert set(answer.recommendation.tied_mb) <= set(CANDIDATES)


def test_sizes_that_were_not_invoked_can_be_as_good_but_are_not_recommended() -> None:
    answer = ask(samples_of(saturating, sigma=0.03))

    assert answer.recommendation is not None
    assert set(answer.recommendation.tied_mb) - set(INVOKED)
    assert answer.recommendation.memory_mb in INVOKED


def test_a_size_with_one_warm_call_is_not_recommended_where_others_have_two() -> None:
    cheap = [sample(142, 60.0)]

    answer = ask([*samples_of(waiting)[5:], *cheap], "cost")

    assert answer.recommendation is not None
    assert answer.recommendation.memory_mb == 256
    assert 142 in answer.recommendation.tied_mb


@pytest.mark.parametrize(
    ("bad", "failure"),
    [
        pytest.param([failed(128)], "timeout (1 of 6 calls)", id="a timeout"),
        pytest.param(
            [failed(256, "Runtime.OutOfMemory")], "out of memory (1 of 6 calls)", id="out of memory"
        ),
        pytest.param([failed(128, "KeyError")] * 6, "KeyError: why (6 of 11 calls)", id="errors"),
        pytest.param([lost(128)] * 6, "no REPORT in the log tail (6 of 11 calls)", id="lost"),
    ],
)
def test_a_size_that_fails_now_and_then_is_out_with_its_reason(
    bad: list[Sample], failure: str
) -> None:
    answer = ask([*samples_of(waiting), *bad])

    row = next(size for size in answer.sizes if size.memory_mb == bad[0].memory_mb)
    assert row.failure == failure
    assert (row.n, row.n_failed, row.cost_usd_per_million) == (5, len(bad), None)
    assert answer.recommendation is not None
    assert row.memory_mb not in answer.recommendation.tied_mb
    # Sizes below one that was too small are out as well, though nothing failed there.
    assert answer.recommendation.memory_mb == (256 if bad[0].memory_mb == 128 else 512)


def test_refused_sizes_and_larger_ones_are_out() -> None:
    samples = [s for s in samples_of(power) if s.memory_mb < 1769]

    answer = ask(samples, refused={1769: "the account is capped"})

    assert answer.sizes[-1].failure == "the account is capped"
    assert answer.recommendation is not None
    assert answer.recommendation.memory_mb == 1024
    assert max(answer.recommendation.tied_mb) < 1769


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([], id="no call"),
        pytest.param([sample(128, cold=True), sample(512, cold=True)], id="only cold ones"),
        pytest.param([failed(128), failed(512), failed(1024)], id="only timeouts"),
        pytest.param([failed(512, "KeyError")] * 2, id="only errors"),
        pytest.param([lost(128), lost(512)], id="only lost ones"),
        pytest.param([*[sample(512)] * 3, failed(1024)], id="warm ones below a timeout"),
        pytest.param([*[sample(512)] * 3, failed(3008)], id="the largest is too small"),
    ],
)
def test_without_a_warm_call_that_can_be_used_there_is_no_recommendation(
    samples: list[Sample],
) -> None:
    answer = ask(samples, Goal("cost"))

    assert (answer.recommendation, answer.model) == (None, None)
    assert [size.memory_mb for size in answer.sizes] == sorted({s.memory_mb for s in samples})


@pytest.mark.parametrize(
    ("candidates", "samples"),
    [
        pytest.param((512,), [sample(512)] * 3, id="one candidate"),
        pytest.param((512, 513), [sample(512), sample(513)], id="two candidates"),
        pytest.param(CANDIDATES, [sample(3008)], id="one call"),
        pytest.param(CANDIDATES, [sample(512, 0.0, billed_ms=0.0)] * 3, id="no time at all"),
        pytest.param(CANDIDATES, [sample(512, 9e5)] * 50, id="fifteen minutes, fifty times"),
        pytest.param(
            CANDIDATES, [sample(size, 0.01) for size in (128, 142, 157)], id="all the same"
        ),
        pytest.param((), [sample(512)] * 3, id="no candidates"),
        pytest.param(CANDIDATES, [sample(333)] * 3, id="a size that is no candidate"),
    ],
)
def test_little_and_odd_samples_have_an_answer(
    candidates: tuple[int, ...], samples: list[Sample]
) -> None:
    answer = ask(samples, candidates_mb=candidates)

    told = {s.memory_mb for s in samples}
    assert {size.memory_mb for size in answer.sizes} == told
    if told & set(candidates):
        assert answer.recommendation is not None
        assert answer.recommendation.memory_mb in told


def test_the_saving_is_against_todays_size_invoked_or_not() -> None:
    invoked, estimated = (ask(samples_of(waiting), current_mb=size) for size in (1024, 627))

    for answer, share in ((invoked, 0.73), (estimated, 0.63)):
        assert answer.recommendation is not None
        saving = answer.recommendation.saving
        assert saving is not None
        assert saving.cost_share == pytest.approx(share, abs=0.03)
        assert saving.cost_interval[0] <= saving.cost_share <= saving.cost_interval[1]


def test_a_current_size_beyond_the_candidates_has_no_saving() -> None:
    answer = ask(samples_of(waiting), current_mb=9000)

    assert answer.recommendation is not None
    assert answer.recommendation.saving is None


def test_a_share_of_cold_calls_changes_cost_and_choice() -> None:
    def init_ms(size: int) -> float:
        return 4000 * (128 / size) ** 1.5

    cold = [
        sample(size, 60.0, cold=True, init_ms=init_ms(size), billed_ms=60 + init_ms(size))
        for size in INVOKED
    ]
    samples = [*samples_of(waiting), *cold]

    warm_only = ask(samples)
    half_cold = ask(samples, usage=Usage(cold_share=0.5, cold_source="given"))

    assert warm_only.cold is None
    assert half_cold.cold is not None
    assert [size.memory_mb for size in half_cold.cold.sizes] == list(INVOKED)
    assert warm_only.recommendation is not None
    assert half_cold.recommendation is not None
    assert half_cold.recommendation.memory_mb > warm_only.recommendation.memory_mb == 128


@pytest.mark.parametrize(
    ("limit_ms", "verdict", "recommended"),
    [
        pytest.param(200.0, "met", 1024, id="the cheapest that keeps it"),
        pytest.param(20.0, "infeasible", None, id="none keeps it"),
    ],
)
def test_a_limit_is_kept_by_samples_not_by_the_curve(
    limit_ms: float, verdict: str, recommended: int | None
) -> None:
    goal = Goal("slo", slo=SloLimit(95, limit_ms))

    answer = ask(samples_of(saturating, n=60, sigma=0.03), goal)

    assert answer.slo is not None
    assert answer.slo.verdict == verdict
    assert (answer.recommendation and answer.recommendation.memory_mb) == recommended


def test_few_samples_neither_keep_a_limit_nor_miss_it() -> None:
    answer = ask(samples_of(saturating), Goal("slo", slo=SloLimit(95, 200.0)))

    assert answer.slo is not None
    assert (answer.slo.verdict, answer.recommendation) == ("not separable", None)


def test_a_month_has_the_invoked_sizes_and_todays() -> None:
    answer = ask(samples_of(waiting), current_mb=627, usage=Usage(requests_per_month=1e6))

    assert answer.monthly is not None
    assert {size.memory_mb for size in answer.monthly.sizes} == {*INVOKED, 627}


def test_the_same_seed_gives_the_same_answer_whatever_the_order_of_the_calls() -> None:
    samples = drawn(mixed, (128, 512, 1024), n=3, sigma=0.05, seed=2)

    first = ask(samples)

    assert ask(samples) == first
    by_size = sorted(samples, key=lambda s: s.memory_mb)
    assert ask([replace(s, round=9) for s in by_size]).recommendation == first.recommendation
