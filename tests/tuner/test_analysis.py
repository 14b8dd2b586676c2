"""Answers from samples with a known truth, and from samples that say little."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from core.aws.prices import bundled_prices
from reports.document import Objective
from tests.tuner.factories import drawn, failed, lost, sample
from tuner.analysis import Answer, Question, analyse
from tuner.objective import Goal
from tuner.sample import Sample

SIZES = (128, 256, 512, 1024, 1769, 3008)


def ask(
    samples: list[Sample],
    objective: Objective = "cost",
    weight: float | None = None,
    current_mb: int = 512,
    sizes: tuple[int, ...] = SIZES,
    refused: dict[int, str] | None = None,
) -> Answer:
    question = Question(
        goal=Goal(objective, weight),
        current_mb=current_mb,
        price=bundled_prices().lambda_price("us-east-1", "x86_64"),
        storage_mb=512,
        seed=1,
    )
    return analyse(samples, sizes, refused or {}, question)


def cpu_bound(memory_mb: int) -> float:
    return 90 * 1769 / min(memory_mb, 1769)


def waiting(memory_mb: int) -> float:
    return 60.0


def starved_below_512(memory_mb: int) -> float:
    """Super-linear at the small end, as real functions are that swap or collect garbage."""
    return 100 * 512 / min(memory_mb, 512) * (3 if memory_mb < 512 else 1)


@pytest.mark.parametrize(
    ("truth", "objective", "weight", "expected"),
    [
        pytest.param(waiting, "cost", None, {128}, id="waiting: the smallest is the cheapest"),
        pytest.param(cpu_bound, "cost", None, {1769}, id="CPU-bound: same money, so the fastest"),
        pytest.param(starved_below_512, "cost", None, {512}, id="starved: above the cliff"),
        pytest.param(cpu_bound, "speed", None, {1769}, id="speed: nothing gained above one vCPU"),
        pytest.param(waiting, "speed", None, {128}, id="speed: flat, so the cheapest"),
        pytest.param(cpu_bound, "balanced", 0.5, {1769}, id="balanced"),
        pytest.param(starved_below_512, "balanced", 1.0, {512}, id="balanced, all on cost"),
    ],
)
def test_the_known_best_size_is_found(
    truth: Callable[[int], float], objective: Objective, weight: float | None, expected: set[int]
) -> None:
    samples = drawn(truth, SIZES, n=10, sigma=0.002, seed=4)

    answer = ask(samples, objective, weight)

    assert answer.recommendation is not None
    assert answer.recommendation.memory_mb in expected
    assert answer.recommendation.memory_mb in answer.recommendation.tied_mb


def test_sizes_of_equal_cost_cannot_be_told_apart_in_noise() -> None:
    answer = ask(drawn(cpu_bound, SIZES, n=10, sigma=0.05, seed=5))

    assert answer.recommendation is not None
    assert len({128, 256, 512, 1024, 1769} & set(answer.recommendation.tied_mb)) >= 3
    assert 3008 not in answer.recommendation.tied_mb


def test_the_saving_is_against_the_current_size() -> None:
    answer = ask(drawn(waiting, SIZES, n=10, sigma=0.01, seed=6), current_mb=1024)

    assert answer.recommendation is not None
    saving = answer.recommendation.saving
    assert saving is not None
    # Billed 61 ms at 128 MB against 1,024 MB, request fee included.
    assert saving.cost_share == pytest.approx(0.73, abs=0.02)
    assert saving.cost_interval[0] <= saving.cost_share <= saving.cost_interval[1]
    assert saving.duration_interval[0] < 0 < saving.duration_interval[1]


def test_a_current_size_without_samples_has_no_saving() -> None:
    answer = ask(drawn(waiting, SIZES, n=10, sigma=0.01, seed=6), current_mb=640)

    assert answer.recommendation is not None
    assert answer.recommendation.saving is None


def test_cold_failed_and_lost_calls_are_kept_out_of_the_warm_figures() -> None:
    samples = [
        *drawn(waiting, SIZES, n=5, sigma=0.01, seed=7),
        sample(128, 5000.0, cold=True, init_ms=300.0),
        sample(128, 7000.0, after_error=True),
        failed(128, "ValueError"),
        lost(128),
    ]

    size = ask(samples).sizes[0]

    assert (size.n, size.n_cold, size.n_failed) == (5, 1, 2)
    assert size.duration_ms is not None
    assert size.duration_ms.p95 < 70
    assert size.cold_p50_ms == 5300
    assert size.init_p50_ms == 300
    assert size.failure is None


def test_a_size_that_fails_is_a_fact_and_not_the_end() -> None:
    samples = [
        *drawn(waiting, SIZES[1:], n=5, sigma=0.01, seed=8),
        failed(128, "Runtime.OutOfMemory"),
        failed(128, "Runtime.OutOfMemory"),
    ]

    answer = ask(samples, refused={3008: "the account is capped"})

    assert answer.sizes[0].failure == "out of memory (2 of 2 calls)"
    assert answer.sizes[0].cost_usd_per_million is None
    assert answer.recommendation is not None
    assert answer.recommendation.memory_mb == 256


@pytest.mark.parametrize(
    ("error_type", "failures", "usable"),
    [
        pytest.param("Runtime.OutOfMemory", 1, False, id="out of memory once"),
        pytest.param("Sandbox.Timedout", 1, False, id="a timeout once"),
        pytest.param("ValueError", 1, True, id="an error of the function's own"),
        pytest.param("ValueError", 11, False, id="more errors than measurements"),
    ],
)
def test_a_size_that_fails_now_and_then_is_not_recommended_however_cheap(
    error_type: str,
    failures: int,
    usable: bool,  # noqa: FBT001 # a column of the table
) -> None:
    samples = [
        *drawn(waiting, SIZES, n=10, sigma=0.01, seed=12),
        *[failed(128, error_type) for _ in range(failures)],
    ]

    answer = ask(samples)

    assert answer.recommendation is not None
    assert answer.recommendation.memory_mb == (128 if usable else 256)
    assert (128 in answer.recommendation.tied_mb) == usable
    assert (answer.sizes[0].failure is None) == usable
    assert answer.sizes[0].n == 10
    assert answer.sizes[0].n_failed == failures


def test_a_refused_size_says_why() -> None:
    answer = ask([], sizes=(128, 3008), refused={3008: "the account is capped"})

    assert answer.sizes[1].failure == "the account is capped"
    assert answer.sizes[0].failure is None
    assert answer.recommendation is None
    assert answer.model is None


@pytest.mark.parametrize("n", [1, 2, 4])
def test_a_handful_of_samples_says_nothing_about_its_uncertainty(n: int) -> None:
    answer = ask(drawn(waiting, SIZES, n=n, sigma=0.01, seed=9))

    assert answer.sizes[0].cost_interval is None
    assert answer.recommendation is not None
    assert answer.recommendation.tied_mb == [answer.recommendation.memory_mb]
    assert answer.recommendation.saving is None
    assert answer.model is not None
    assert all(point.duration_band_ms is None for point in answer.model.curve)


def test_a_size_with_one_sample_is_not_called_equal() -> None:
    answer = ask([*drawn(waiting, SIZES[:3], n=10, sigma=0.02, seed=9), sample(1024, 400.0)])

    assert answer.recommendation is not None
    assert 1024 not in answer.recommendation.tied_mb


def test_one_slow_sample_does_not_bend_the_curve() -> None:
    """It counts by the spread of the others, though a single sample shows none of its own."""
    many = [size for size in SIZES if size != 1024]
    truth_ms = 90 * 1769 / 1024
    answer = ask([*drawn(cpu_bound, many, n=10, sigma=0.1, seed=9), sample(1024, 3 * truth_ms)])

    assert answer.model is not None
    for point in answer.model.curve:
        if point.memory_mb in many:
            assert point.duration_ms == pytest.approx(cpu_bound(int(point.memory_mb)), rel=0.25)


def test_the_same_failure_is_the_same_reason_whatever_its_request_id() -> None:
    message = "RequestId: {} Error: Runtime exited with error: exit status 3"
    calls = [
        replace(failed(512, "Runtime.ExitError"), error_message=message.format(uuid4()))
        for _ in range(3)
    ]

    assert ask(calls, sizes=(512,)).sizes[0].failure == (
        "Runtime.ExitError: Runtime exited with error: exit status 3 (3 of 3 calls)"
    )


def test_cost_is_what_the_price_list_makes_of_billed_time() -> None:
    samples = [sample(1024, 99.2, billed_ms=100.0) for _ in range(5)]

    size = ask(samples, sizes=(1024,)).sizes[0]

    assert size.cost_usd_per_million == pytest.approx(1.66667 + 0.2)
    assert size.cost_interval == pytest.approx((1.86667, 1.86667))


def test_the_same_seed_gives_the_same_answer() -> None:
    samples = drawn(cpu_bound, SIZES, n=8, sigma=0.05, seed=10)

    assert ask(samples) == ask(samples)


def test_the_curve_stays_inside_the_measured_sizes() -> None:
    model = ask(drawn(cpu_bound, SIZES, n=8, sigma=0.02, seed=11)).model

    assert model is not None
    assert model.family == "saturating"
    assert (model.curve[0].memory_mb, model.curve[-1].memory_mb) == (128, 3008)
    for point in model.curve:
        low, high = point.duration_band_ms
        assert low <= point.duration_ms <= high
