"""Plans: which sizes, how many calls, what they may cost."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.prices import bundled_prices
from core.errors import InputError
from tests.tuner.factories import failed, lost, sample
from tuner.plan import Plan, choose_sizes, doubts, parse_sizes, snap_start_note
from tuner.sample import Sample
from tuner.sampler import FixedRounds

LADDER = (128, 256, 512, 1024, 1769, 3008)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        pytest.param("512", (512,), id="one"),
        pytest.param("1024, 128 ,512", (128, 512, 1024), id="sorted"),
        pytest.param("128,128", (128,), id="once each"),
        pytest.param("128,10240", (128, 10240), id="the limits"),
    ],
)
def test_sizes_are_read(text: str, sizes: tuple[int, ...]) -> None:
    assert parse_sizes(text) == sizes


@pytest.mark.parametrize(
    ("text", "got"),
    [
        pytest.param("64", "got 64", id="below"),
        pytest.param("20000", "got 20000", id="above"),
        pytest.param("128,,256", "got ''", id="a gap"),
        pytest.param("", "got ''", id="empty"),
        pytest.param("512MB", "got '512MB'", id="a unit"),
        pytest.param("-512", "got '-512'", id="negative"),
        pytest.param("1e3", "got '1e3'", id="a float"),
        pytest.param("٥١٢", "got '٥١٢'", id="other digits"),
    ],
)
def test_a_wrong_size_is_named(text: str, got: str) -> None:
    with pytest.raises(
        InputError, match=f"--sizes: expected whole MB between 128 and 10240.*{got}"
    ):
        parse_sizes(text)


@pytest.mark.parametrize(
    ("low", "high", "current", "sizes"),
    [
        pytest.param(None, None, 512, LADDER, id="defaults"),
        pytest.param(None, None, 640, (128, 256, 512, 640, 1024, 1769, 3008), id="current added"),
        pytest.param(200, 1100, 512, (200, 256, 512, 1024, 1100), id="limits are measured"),
        pytest.param(4000, None, 4000, (4000,), id="a minimum above the default maximum"),
        pytest.param(None, 10240, 128, (*LADDER, 5308, 10240), id="to the top"),
        pytest.param(1024, 1024, 1024, (1024,), id="one size"),
    ],
)
def test_sizes_are_chosen(
    low: int | None, high: int | None, current: int, sizes: tuple[int, ...]
) -> None:
    chosen, notes = choose_sizes(
        sizes=None, min_memory_mb=low, max_memory_mb=high, current_mb=current
    )

    assert chosen == sizes
    assert bool(notes) == (current == 640)


def test_given_sizes_are_taken_as_they_are() -> None:
    chosen, notes = choose_sizes(
        sizes=(300, 200), min_memory_mb=None, max_memory_mb=None, current_mb=128
    )

    assert (chosen, notes) == ((200, 300), ())


@pytest.mark.parametrize(
    ("sizes", "low", "high", "message"),
    [
        pytest.param((128,), 128, None, "--sizes: leave out --min-memory", id="both"),
        pytest.param(None, 64, None, r"--min-memory: .*\(got 64\)", id="minimum too small"),
        pytest.param(None, None, 20000, r"--max-memory: .*\(got 20000\)", id="maximum too large"),
        pytest.param(
            None, 1024, 512, r"--min-memory: expected at most.*512 \(got 1024\)", id="turned"
        ),
    ],
)
def test_limits_that_contradict_are_refused(
    sizes: tuple[int, ...] | None, low: int | None, high: int | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        choose_sizes(sizes=sizes, min_memory_mb=low, max_memory_mb=high, current_mb=512)


def test_the_cost_range_runs_from_one_ms_to_the_timeout_of_every_call_that_may_be_made() -> None:
    price = bundled_prices().lambda_price("us-east-1", "x86_64")
    plan = Plan((1024,), samples_per_size=10, parallel=1, seed=1)

    cost = plan.cost_range(price, timeout_s=3, storage_mb=512)

    assert plan.invocations == 11
    assert plan.attempts_per_size == 16
    assert cost.least_usd == pytest.approx(11 * (0.0000166667 / 1000 + 2e-7))
    assert cost.most_usd == pytest.approx(16 * (3 * 0.0000166667 + 2e-7))


def priced(*billed_ms: float) -> float:
    price = bundled_prices().lambda_price("us-east-1", "x86_64")
    return sum(price.invocation_usd(1024, ms) for ms in billed_ms)


@pytest.mark.parametrize(
    ("calls", "expected_usd"),
    [
        pytest.param(
            [sample(1024, billed_ms=5000.0, cold=True), sample(1024, billed_ms=100.0)],
            priced(5000, *[100] * 10),
            id="one cold and ten warm",
        ),
        pytest.param(
            [sample(1024, billed_ms=300.0), lost(1024)], priced(*[300] * 11), id="one lost"
        ),
        pytest.param([lost(1024), lost(1024)], 0, id="nothing known"),
        pytest.param(
            [failed(1024), failed(1024)], priced(*[failed(1024).billed_ms or 0] * 2), id="given up"
        ),
    ],
)
def test_the_cost_is_expected_from_one_cold_and_one_warm_call(
    calls: list[Sample], expected_usd: float
) -> None:
    price = bundled_prices().lambda_price("us-east-1", "x86_64")
    plan = Plan((1024,), samples_per_size=10, parallel=1, seed=1)

    assert plan.expected_usd(calls, price, storage_mb=512) == pytest.approx(expected_usd)


@pytest.mark.parametrize(
    ("sizes", "samples", "said"),
    [
        pytest.param((128, 512), 5, [], id="enough"),
        pytest.param((512,), 5, ["with one size"], id="one size"),
        pytest.param((128, 512), 4, ["--samples 4 .* at least 5"], id="few samples"),
        pytest.param((512,), 1, ["with one size", "--samples 1"], id="both"),
    ],
)
def test_a_plan_that_can_only_be_inconclusive_says_so(
    sizes: tuple[int, ...], samples: int, said: list[str]
) -> None:
    found = doubts(sizes, samples, fewest_samples=5)

    assert len(found) == len(said)
    for pattern, note in zip(said, found, strict=True):
        assert re.search(f"can only be inconclusive: .*{pattern}", note)


@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        # 2 GB for 10,800 s at 0.0000015046, and 2 GB restored at 0.0001397998.
        pytest.param("python3.13", r"about \$0\.0325 \(3 hours.* \$0\.00028.*2026", id="python"),
        pytest.param(None, "free for Java", id="an image may be Java"),
    ],
)
def test_what_snap_start_costs_besides_is_said(runtime: str | None, said: str) -> None:
    assert re.search(said, snap_start_note((512, 1536), runtime) or "")


def test_snap_start_is_free_for_java() -> None:
    assert snap_start_note((512,), "java21") is None


@given(st.integers(1, 1000), st.randoms(use_true_random=False))
def test_no_sampler_spends_more_than_the_plan_has_said(n: int, random: Random) -> None:
    plan = Plan((128,), samples_per_size=min(n, 30), parallel=1, seed=1)
    sampler = FixedRounds(plan.sizes_mb, plan.samples_per_size, plan.attempts_per_size)
    taken: list[Sample] = []

    while sampler.next_round(taken, random):
        taken.append(sample(128, cold=random.random() < 0.9))

    assert plan.samples_per_size <= len(taken) <= plan.attempts_per_size


@given(
    low=st.integers(128, 10240) | st.none(),
    high=st.integers(128, 10240) | st.none(),
    current=st.integers(128, 10240),
)
def test_every_choice_holds_the_limits_and_the_current_size(
    low: int | None, high: int | None, current: int
) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low

    chosen, _ = choose_sizes(sizes=None, min_memory_mb=low, max_memory_mb=high, current_mb=current)

    assert current in chosen
    assert all(limit in chosen for limit in (low, high) if limit is not None)
    assert list(chosen) == sorted(set(chosen))
    assert all(128 <= size <= 10240 for size in chosen)
