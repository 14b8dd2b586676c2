"""Both architectures compared, from samples with a known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.aws.prices import Arch, bundled_prices
from reports.document import ArchComparison, ArchSize
from reports.figures import megabytes
from tests.tuner.factories import drawn, failed, sample
from tuner.analysis import Question, analyse
from tuner.arch import NotComparable, Side, compare
from tuner.objective import Goal, SloLimit
from tuner.sample import Sample
from tuner.usage import Usage

SIZES = (128, 512, 1024, 1769)
COST, SPEED = Goal("cost"), Goal("speed")
LIMIT = Goal("slo", slo=SloLimit(50, 120))
Law = Callable[[int], float]


def cpu_bound(memory_mb: int) -> float:
    return 90 * 1769 / min(memory_mb, 1769)


def slower(factor: float, law: Law = cpu_bound) -> Law:
    return lambda memory_mb: factor * law(memory_mb)


def with_cold(samples: list[Sample], init_ms: float = 300) -> list[Sample]:
    sizes = sorted({sample.memory_mb for sample in samples})
    starts = [sample(m, 150, cold=True, init_ms=init_ms, billed_ms=450.0) for m in sizes]
    return [*starts, *samples]


def side(
    arch: Arch,
    samples: list[Sample],
    goal: Goal = COST,
    *,
    adaptive: bool = False,
    usage: Usage | None = None,
) -> Side:
    question = Question(
        goal=goal,
        current_mb=512,
        price=bundled_prices().lambda_price("us-east-1", arch),
        storage_mb=512,
        seed=1,
        candidates_mb=(128, 256, 512, 769, 1024, 1769) if adaptive else None,
        usage=usage or Usage(),
    )
    return Side(arch, f"orders-{arch}", analyse(samples, SIZES, {}, question))


def compared(one: Side, other: Side, goal: Goal = COST) -> ArchComparison:
    found = compare(goal, one, other, np.random.default_rng(1))
    assert isinstance(found, ArchComparison)
    return found


def taken(
    law: Law, *, n: int = 10, sigma: float = 0.02, seed: int = 1, sizes: tuple[int, ...] = SIZES
) -> list[Sample]:
    return drawn(law, sizes, n, sigma, seed)


@pytest.mark.parametrize("adaptive", [False, True], ids=["fixed plan", "adaptive plan"])
@pytest.mark.parametrize(
    ("arm_factor", "goal", "best", "saves", "separable"),
    [
        pytest.param(1.0, COST, "arm64", 0.20, True, id="as fast: a fifth cheaper"),
        pytest.param(0.8, COST, "arm64", 0.36, True, id="faster: cheaper still"),
        pytest.param(1.5, COST, "x86_64", 0.17, True, id="half as slow again: dearer"),
        pytest.param(1.25, COST, None, 0.0, False, id="dearer by what it is cheaper"),
        pytest.param(1.0, SPEED, None, None, False, id="as fast: no difference in speed"),
        pytest.param(1.3, SPEED, "x86_64", None, True, id="slower, for speed"),
    ],
)
def test_the_best_of_one_is_compared_with_the_best_of_the_other(
    *,
    arm_factor: float,
    goal: Goal,
    best: Arch | None,
    saves: float | None,
    separable: bool,
    adaptive: bool,
) -> None:
    x86 = side("x86_64", taken(cpu_bound, n=16, seed=1), goal, adaptive=adaptive)
    arm = side("arm64", taken(slower(arm_factor), n=16, seed=2), goal, adaptive=adaptive)

    found = compared(x86, arm, goal)

    assert found.separable is separable
    assert best is None or found.best_arch == best
    assert saves is None or found.cost_saving_share == pytest.approx(saves, abs=0.05)
    low, high = found.cost_saving_interval
    assert low <= found.cost_saving_share <= high
    assert found.functions == {"x86_64": "orders-x86_64", "arm64": "orders-arm64"}


def test_which_function_is_named_first_does_not_matter() -> None:
    x86, arm = side("x86_64", taken(cpu_bound)), side("arm64", taken(slower(1.1), seed=2))

    one, other = compared(x86, arm), compared(arm, x86)

    assert (one.best_arch, one.best_mb, one.separable) == ("arm64", other.best_mb, other.separable)
    assert one.cost_saving_share == other.cost_saving_share


def test_the_same_seed_for_both_does_not_narrow_the_interval() -> None:
    """Rows drawn alike would go up and down together, and their ratio would not vary at all."""
    samples = taken(cpu_bound, sigma=0.1)

    found = compared(side("x86_64", samples), side("arm64", samples), SPEED)

    low, high = found.duration_saving_interval
    assert high - low > 0.05
    assert not found.separable


def test_the_truth_is_as_often_in_the_interval_as_it_says() -> None:
    """Both as fast, so arm64 costs a fifth less; but for the request fee, which is the same."""
    prices = bundled_prices()
    x86_usd, arm_usd = (
        prices.lambda_price("us-east-1", arch).invocation_usd(1769, 90.5, storage_mb=512)
        for arch in ("x86_64", "arm64")
    )
    truth = 1 - arm_usd / x86_usd
    repetitions = 60
    held = 0
    for seed in range(repetitions):
        x86 = side("x86_64", taken(cpu_bound, sigma=0.1, seed=seed, sizes=(1769,)))
        arm = side("arm64", taken(cpu_bound, sigma=0.1, seed=1000 + seed, sizes=(1769,)))
        found = compared(x86, arm)
        low, high = found.cost_saving_interval
        held += low <= truth <= high

    assert 0.8 <= held / repetitions <= 1


def test_the_front_has_the_sizes_of_both_that_no_other_undercuts() -> None:
    laws = {128: 1000.0, 512: 250.0, 1024: 125.0, 1769: 70.0}
    x86 = side("x86_64", taken(lambda m: laws[m] * (0.5 if m == 1769 else 1), sigma=0.001))
    arm = side("arm64", taken(lambda m: laws[m], sigma=0.001, seed=2))

    found = compared(x86, arm)

    front = {(row.arch, row.memory_mb) for row in found.sizes if row.pareto}
    assert len(found.sizes) == 8
    assert ("x86_64", 1769) in front
    assert not any(undercut(row, found.sizes) for row in found.sizes if row.pareto)
    assert all(undercut(row, found.sizes) for row in found.sizes if not row.pareto)


def undercut(row: ArchSize, rows: list[ArchSize]) -> bool:
    return any(
        other.cost_usd_per_million < row.cost_usd_per_million
        and other.duration_ms < row.duration_ms
        for other in rows
    )


def test_only_invoked_sizes_that_can_be_used_are_in_the_table() -> None:
    x86 = side("x86_64", [*taken(cpu_bound), *[failed(128)] * 2], adaptive=True)
    arm = side("arm64", taken(cpu_bound, seed=2, sizes=(512, 1769)), adaptive=True)

    rows = compared(x86, arm).sizes

    assert [(row.arch, row.memory_mb) for row in rows] == [
        ("x86_64", 512),
        ("x86_64", 1024),
        ("x86_64", 1769),
        ("arm64", 512),
        ("arm64", 1769),
    ]


def test_with_a_share_of_cold_calls_the_mix_is_compared() -> None:
    usage = Usage(cold_share=0.5)
    slow_start, fast_start = (
        with_cold(taken(cpu_bound, seed=seed), init_ms) for seed, init_ms in ((1, 900), (2, 100))
    )

    plain = compared(side("x86_64", slow_start, SPEED), side("arm64", fast_start, SPEED), SPEED)
    mixed = compared(
        side("x86_64", slow_start, SPEED, usage=usage),
        side("arm64", fast_start, SPEED, usage=usage),
        SPEED,
    )

    assert not plain.separable
    assert (mixed.separable, mixed.best_arch) == (True, "arm64")


def test_a_size_that_nobody_invoked_may_be_the_better_one() -> None:
    """One run looked at small sizes only: its best may be as fast as the other's larger one."""
    small = taken(cpu_bound, sizes=(128, 512), n=4)
    all_sizes = taken(cpu_bound, sizes=(512, 1769), n=4, seed=2)

    found = compared(
        side("x86_64", small, SPEED, adaptive=True),
        side("arm64", all_sizes, SPEED, adaptive=True),
        SPEED,
    )

    assert (found.best_arch, found.best_mb) == ("arm64", 1769)
    assert found.duration_saving_interval[0] > 0.5
    assert not found.separable


@pytest.mark.parametrize(
    ("x86", "arm", "given", "expected"),
    [
        pytest.param(
            taken(cpu_bound),
            [failed(size) for size in SIZES for _ in range(3)],
            {},
            NotComparable("there is no size to recommend for orders-arm64 (arm64)"),
            id="all calls failed",
        ),
        pytest.param(
            taken(cpu_bound, n=3),
            taken(cpu_bound),
            {},
            NotComparable("too few samples of orders-x86_64 (x86_64)"),
            id="three samples",
        ),
        pytest.param(
            with_cold(taken(cpu_bound)),
            taken(cpu_bound),
            {"usage": Usage(cold_share=0.1)},
            NotComparable("no cold call of orders-arm64 (arm64) was measured"),
            id="cold calls of one only",
        ),
        pytest.param(
            taken(cpu_bound, n=30),
            taken(slower(9), n=30),
            {"goal": LIMIT},
            NotComparable(
                f"orders-x86_64 (x86_64) keeps p50 < 120 ms at {megabytes(1769)}; "
                "no size of orders-arm64 (arm64) keeps p50 < 120 ms",
                is_answer=True,
            ),
            id="only one keeps the limit",
        ),
        pytest.param(
            taken(slower(1.33), n=5, sigma=0.2),
            taken(cpu_bound, n=30),
            {"goal": LIMIT},
            NotComparable(
                "no size of orders-x86_64 (x86_64) is shown to keep p50 < 120 ms; "
                f"orders-arm64 (arm64) keeps p50 < 120 ms at {megabytes(1769)}"
            ),
            id="one may keep the limit",
        ),
    ],
)
def test_where_there_is_nothing_to_compare_it_says_why(
    x86: list[Sample], arm: list[Sample], given: dict[str, Any], expected: NotComparable
) -> None:
    sides = side("x86_64", x86, **given), side("arm64", arm, **given)

    found = compare(given.get("goal", COST), *sides, np.random.default_rng(1))

    assert found == expected


def test_sizes_that_both_keep_a_limit_are_compared_by_cost() -> None:
    x86, arm = (
        side("x86_64", taken(cpu_bound, n=30), LIMIT),
        side("arm64", taken(cpu_bound, n=30, seed=2), LIMIT),
    )

    assert compared(x86, arm, LIMIT).best_arch == "arm64"


def test_a_recommendation_that_was_not_invoked_is_not_compared() -> None:
    x86, arm = side("x86_64", taken(cpu_bound)), side("arm64", taken(cpu_bound, seed=2))
    unseen = tuple(replace(item, n=0) for item in arm.answer.evidence)

    found = compare(
        COST,
        x86,
        replace(arm, answer=replace(arm.answer, evidence=unseen)),
        np.random.default_rng(1),
    )

    assert found == NotComparable("too few samples of orders-arm64 (arm64)")
