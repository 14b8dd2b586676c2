"""Where another call is worth most: beliefs whose value of information is plain to see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.beliefs import Beliefs
from tuner.effort import DEFAULT, THOROUGH, Effort
from tuner.estimate import Floats
from tuner.gain import Next, best_next
from tuner.objective import Goal, regrets

SIZES = (128, 256, 512, 1024)
DRAWS = 256
WARM = dict.fromkeys(SIZES, 2)


def believed(typical_ms: list[float], spread: list[float], noise: float = 0.05) -> Beliefs:
    """Independent beliefs of each size: how long it takes, and by what factor that is open."""
    rng = np.random.default_rng(1)
    off = rng.standard_normal((DRAWS, len(typical_ms))) * np.array(spread)
    sizes = SIZES[: len(typical_ms)]
    return Beliefs(sizes, np.array(typical_ms) * np.exp(off), np.full(len(sizes), noise))


def next_call(
    beliefs: Beliefs,
    price: list[float] | None = None,
    warm: dict[int, int] | None = None,
    effort: Effort = DEFAULT,
) -> Next:
    """The next call when the least duration is looked for, at prices that are all alike or not."""
    regret = fastest(beliefs)
    cost = np.array(price) if price else np.ones(len(beliefs.sizes_mb))
    best = int(regret.mean(axis=0).argmin())
    known = WARM if warm is None else warm
    return best_next(beliefs, regret, cost, best, known, effort, np.random.default_rng(2))


def fastest(beliefs: Beliefs) -> Floats:
    cost = np.ones_like(beliefs.duration_ms)
    return np.asarray(regrets(Goal("speed"), cost, beliefs.duration_ms))


def test_what_is_open_is_called_and_what_is_known_is_not() -> None:
    beliefs = believed([300.0, 100, 100, 300], [0.01, 0.001, 0.3, 0.01])

    assert next_call(beliefs).memory_mb == 512


def test_a_hopeless_size_is_left_alone_however_little_is_known_of_it() -> None:
    beliefs = believed([100.0, 101, 900], [0.05, 0.05, 0.5])

    assert next_call(beliefs).memory_mb != 512


def test_of_sizes_that_tell_as_much_the_cheaper_one_is_called() -> None:
    beliefs = believed([100.0, 100, 100], [0.001, 0.2, 0.2])

    assert next_call(beliefs, price=[1, 1, 9]).memory_mb == 256
    assert next_call(beliefs, price=[1, 9, 1]).memory_mb == 512


def test_where_calls_count_alike_the_bill_does_not_decide() -> None:
    beliefs = believed([100.0, 100, 100], [0.001, 0.19, 0.2])

    assert next_call(beliefs, price=[1, 1, 9], effort=THOROUGH).memory_mb == 512
    assert next_call(beliefs, price=[1, 1, 9]).memory_mb == 256


def test_a_size_that_has_to_start_first_costs_a_call_more() -> None:
    beliefs = believed([100.0, 100, 100], [0.001, 0.2, 0.2])

    assert next_call(beliefs, warm={128: 2, 512: 2}).memory_mb == 512
    assert next_call(beliefs, warm={128: 2, 256: 2}).memory_mb == 256


def test_several_calls_are_thought_of_where_one_would_drown_in_noise() -> None:
    calm = believed([100.0, 100], [0.001, 0.2], noise=0.01)
    noisy = believed([100.0, 110], [0.001, 0.1], noise=0.5)

    found = [next_call(beliefs) for beliefs in (calm, noisy)]
    assert [(look.memory_mb, look.calls) for look in found] == [(256, 1), (256, 4)]
    assert found[0].gain_share > found[1].gain_share


def test_it_is_the_same_for_the_same_random_numbers() -> None:
    beliefs = believed([100.0, 102, 98, 101], [0.1, 0.1, 0.1, 0.1])

    assert next_call(beliefs) == next_call(beliefs)


@pytest.mark.parametrize(
    "beliefs",
    [
        pytest.param(believed([100.0], [0.1]), id="one size"),
        pytest.param(believed([100.0, 100], [0.0, 0.0]), id="everything known"),
        pytest.param(believed([100.0, 900], [0.0, 0.0]), id="known, and far apart"),
        pytest.param(believed([100.0, 101], [3.0, 3.0]), id="nothing known"),
        pytest.param(believed([1e-2, 9e5], [0.1, 0.1]), id="extremes"),
        pytest.param(believed([100.0, 101], [0.1, 0.1], noise=1e-9), id="no noise"),
    ],
)
def test_there_is_always_an_answer(beliefs: Beliefs) -> None:
    found = next_call(beliefs)

    assert found.memory_mb in beliefs.sizes_mb
    assert found.calls >= 1


@settings(max_examples=30)
@given(
    rows=st.lists(st.lists(st.floats(0.01, 9e5), min_size=3, max_size=3), min_size=2, max_size=40),
    noise=st.floats(1e-6, 5),
)
def test_few_and_wild_draws_have_an_answer_as_well(rows: list[list[float]], noise: float) -> None:
    beliefs = Beliefs(SIZES[:3], np.array(rows), np.full(3, noise))

    assert next_call(beliefs).memory_mb in SIZES[:3]
