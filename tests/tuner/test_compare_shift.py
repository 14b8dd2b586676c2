"""Changes of which the truth is known: how often they are found, and called where none are."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.compare_document import Change
from tests.tuner.compare_rig import ALIKE, LOTTERY, durations
from tests.tuner.test_analysis import SIZES
from tuner.compare.levels import Level, LevelPair, level_pairs
from tuner.compare.shift import Shift, believe_shift
from tuner.compare.verdicts import DURATION, change_of, changes_of, no_worse

Hosts = tuple[tuple[float, float], ...]

PAIRS = 100
TOLERANCE = 0.03
IN_USE = 512


@cache
def shifts(slower: float, hosts: Hosts, n: int = 10) -> list[Shift]:
    """What is believed of so many pairs of runs, of which the later ones are slower."""
    rng = np.random.default_rng(20)
    return [
        believe_shift(
            level_pairs(
                durations(rng, n=n, hosts=hosts), durations(rng, slower=slower, n=n, hosts=hosts)
            ),
            rng,
            draws=1000,
        )
        for _ in range(PAIRS)
    ]


def in_use(slower: float, hosts: Hosts, n: int = 10) -> list[Change]:
    return [change_of(shift.at(IN_USE), TOLERANCE, DURATION) for shift in shifts(slower, hosts, n)]


@pytest.mark.parametrize(
    ("hosts", "n"),
    [
        pytest.param(ALIKE, 10, id="hosts that are alike"),
        pytest.param(LOTTERY, 10, id="hosts that are a lottery"),
        pytest.param(LOTTERY, 3, id="few samples"),
    ],
)
def test_no_change_is_seldom_called_one(hosts: Hosts, n: int) -> None:
    found = in_use(1.0, hosts, n)

    assert sum(change.verdict == "slower" for change in found) <= 0.05 * PAIRS
    assert sum(change.verdict == "faster" for change in found) <= 0.05 * PAIRS


def test_of_many_sizes_none_is_called_changed_more_often_than_one_would_be() -> None:
    alarms = sum(
        any(
            change.verdict in ("slower", "faster")
            for change in changes_of([shift.at(size) for size in SIZES], TOLERANCE, DURATION)
        )
        for shift in shifts(1.0, LOTTERY)
    )

    assert alarms <= 0.10 * PAIRS


@pytest.mark.parametrize(
    ("hosts", "n", "least_share"),
    [
        pytest.param(ALIKE, 10, 0.9, id="usual samples"),
        pytest.param(LOTTERY, 10, 0.7, id="hosts that are a lottery"),
        pytest.param(ALIKE, 3, 0.6, id="few samples"),
    ],
)
def test_a_slow_down_of_ten_per_cent_is_mostly_found_and_hardly_ever_called_none(
    hosts: Hosts, n: int, least_share: float
) -> None:
    found = in_use(1.1, hosts, n)

    assert sum(change.verdict == "slower" for change in found) >= least_share * PAIRS
    assert sum(no_worse(change, TOLERANCE) for change in found) <= 0.05 * PAIRS


def test_without_a_change_most_runs_rule_a_large_slow_down_out() -> None:
    assert sum(no_worse(change, TOLERANCE) for change in in_use(1.0, ALIKE)) >= 0.8 * PAIRS


def test_nine_in_ten_intervals_hold_the_true_change() -> None:
    for hosts in (ALIKE, LOTTERY):
        held = [change.interval[0] <= 1.1 <= change.interval[1] for change in in_use(1.1, hosts)]

        assert sum(held) >= (0.9 - 3 * np.sqrt(0.09 / PAIRS)) * PAIRS


def a_pair(memory_mb: int, log_ratio: float, variance: float = 1e-4) -> LevelPair:
    return LevelPair(
        memory_mb, Level(5.0, variance / 2, 10), Level(5.0 + log_ratio, variance / 2, 10)
    )


def believed(*log_ratios: float) -> Shift:
    pairs = [a_pair(128 * (place + 1), ratio) for place, ratio in enumerate(log_ratios)]
    return believe_shift(pairs, np.random.default_rng(1))


def test_a_size_that_jumps_alone_may_have_met_another_host() -> None:
    shift = believed(0.0, 0.01, 0.2, -0.01, 0.0, 0.01)

    alone = change_of(shift.at(384), TOLERANCE, DURATION)
    assert alone.verdict == "cannot be told"
    assert change_of(shift.at(128), TOLERANCE, DURATION).verdict == "same"


def test_sizes_that_move_together_were_changed() -> None:
    shift = believed(0.19, 0.2, 0.21, 0.2, 0.18)

    assert change_of(shift.mean, TOLERANCE, DURATION).verdict == "slower"
    assert change_of(shift.at(128), TOLERANCE, DURATION).verdict == "slower"


def test_sizes_that_differ_by_much_and_alike_on_each_side_are_left_as_they_are() -> None:
    shift = believed(0.9, 0.85, 0.88, 0.02, 0.0, 0.01)

    assert np.median(shift.at(128)) == pytest.approx(0.88, abs=0.05)
    assert np.median(shift.at(768)) == pytest.approx(0.0, abs=0.05)


def test_a_size_that_was_not_measured_is_known_less_well() -> None:
    shift = believed(0.1, 0.11, 0.09, 0.1)

    unseen, seen = shift.at(5000), shift.at(128)
    assert np.median(unseen) == pytest.approx(0.1, abs=0.02)
    assert np.std(unseen) > np.std(seen)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-8.0, 8.0), st.floats(1e-6, 1.0)), min_size=1, max_size=8))
def test_any_pair_of_runs_gives_finite_beliefs(seen: list[tuple[float, float]]) -> None:
    pairs = [a_pair(128 * (i + 1), ratio, spread) for i, (ratio, spread) in enumerate(seen)]

    shift = believe_shift(pairs, np.random.default_rng(1), draws=50)

    for draws in (shift.mean, shift.unseen, shift.sizes):
        assert np.isfinite(draws).all()


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.sampled_from(SIZES),
        st.lists(st.floats(0.0, 900_000.0), max_size=6),
        max_size=4,
    )
)
def test_any_durations_give_finite_levels(before_ms: dict[int, list[float]]) -> None:
    after_ms = {512: [80.0, 81.0], 1024: [40.0]}

    pairs = level_pairs(before_ms, after_ms)

    assert [pair.memory_mb for pair in pairs] == sorted(
        size for size in (512, 1024) if before_ms.get(size)
    )
    assert all(np.isfinite(pair.log_ratio) and pair.variance > 0 for pair in pairs)


def test_one_slow_call_moves_a_level_by_little() -> None:
    calm = {512: [100.0, 101.0, 99.0, 100.5, 99.5]}
    with_one = {512: [*calm[512], 1000.0]}

    (pair,) = level_pairs(calm, with_one)

    assert abs(pair.log_ratio) < 0.05
