"""The fixed plan: enough warm samples at each size, in random order, and never without end."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuner.factories import failed, lost, sample
from tuner.sample import Sample
from tuner.sampler import FixedRounds, given_up

SIZES = (128, 512, 1024)


def rounds_of(samples: int, sizes: tuple[int, ...] = SIZES) -> FixedRounds:
    return FixedRounds(sizes, samples, attempts_per_size=samples + 4)


def play(
    plan: FixedRounds,
    answer: dict[int, list[Sample]],
    seed: int = 1,
    refused: tuple[int, ...] = (),
) -> list[list[int]]:
    """The rounds that a plan asks for when each size answers with its own list, then warm."""
    rng, samples, rounds = random.Random(seed), [], []
    while sizes := plan.next_round(samples, refused, rng):
        rounds.append(list(sizes))
        for size in sizes:
            queue = answer.get(size, [])
            samples.append(queue.pop(0) if queue else sample(size))
        assert len(samples) <= len(SIZES) * plan.attempts_per_size
    return rounds


def test_every_size_gets_its_warm_samples_and_a_cold_one_is_made_up_for() -> None:
    cold = {size: [sample(size, cold=True)] for size in SIZES}

    rounds = play(rounds_of(5), cold)

    assert len(rounds) == 6
    assert all(sorted(sizes) == list(SIZES) for sizes in rounds)


def test_rounds_come_in_different_orders_and_repeat_with_the_seed() -> None:
    rounds = play(rounds_of(20), {})

    assert len({tuple(sizes) for sizes in rounds}) > 1
    assert rounds == play(rounds_of(20), {})
    assert rounds != play(rounds_of(20), {}, seed=2)


@pytest.mark.parametrize(
    ("refused", "left"),
    [
        pytest.param((), (128, 512, 1024), id="none"),
        pytest.param((1024,), (128, 512), id="the largest"),
        pytest.param((512,), (128,), id="a larger one is as good as refused"),
        pytest.param((128, 512, 1024), (), id="all"),
    ],
)
def test_refused_sizes_are_left_out(refused: tuple[int, ...], left: tuple[int, ...]) -> None:
    rounds = play(rounds_of(3), {}, refused=refused)

    assert {size for sizes in rounds for size in sizes} == set(left)
    assert len(rounds) == (3 if left else 0)


def test_how_far_it_is_is_said_by_sizes() -> None:
    samples = [sample(128), sample(128), sample(512)]

    assert rounds_of(2).state([]) == "0 of 3 sizes done"
    assert rounds_of(2).state(samples) == "1 of 3 sizes done"


def test_a_size_that_fails_twice_is_left_alone() -> None:
    rounds = play(rounds_of(4), {128: [failed(128) for _ in range(50)]})

    assert sum(sizes.count(128) for sizes in rounds) == 2
    assert sum(sizes.count(512) for sizes in rounds) == 4


def test_a_size_that_never_reports_is_left_alone_as_well() -> None:
    rounds = play(rounds_of(4), {128: [lost(128) for _ in range(50)]})

    assert sum(sizes.count(128) for sizes in rounds) == 2
    assert sum(sizes.count(512) for sizes in rounds) == 4


def all_lost(rounds: int, sizes: tuple[int, ...] = SIZES) -> dict[int, list[Sample]]:
    return {size: [lost(size)] * rounds for size in sizes}


def test_nothing_follows_a_first_round_of_which_every_call_is_lost() -> None:
    assert len(play(rounds_of(10), all_lost(50))) == 1


@pytest.mark.parametrize(
    ("lost_rounds", "rounds"),
    [(1, 11), (2, 12), (3, 9), (50, 9)],
    ids=["one is made up for", "two as well", "three are the end", "many are the end"],
)
def test_a_later_round_that_is_lost_may_pass_and_three_are_the_end(
    lost_rounds: int, rounds: int
) -> None:
    answers = {size: [*[sample(size)] * 6, *[lost(size)] * lost_rounds] for size in SIZES}

    assert len(play(rounds_of(10), answers)) == rounds


def test_one_measurement_in_the_first_round_is_enough_to_go_on() -> None:
    assert len(play(rounds_of(3), all_lost(1, SIZES[1:]))) == 4


def test_one_lost_call_at_the_only_size_may_be_bad_luck() -> None:
    assert len(play(rounds_of(3, (128,)), all_lost(1, (128,)))) == 4
    assert len(play(rounds_of(3, (128,)), all_lost(9, (128,)))) == 2


@pytest.mark.parametrize(
    ("outcomes", "out"),
    [
        pytest.param("", False, id="nothing yet"),
        pytest.param("f", False, id="one failure"),
        pytest.param("ff", True, id="two failures"),
        pytest.param("mff", True, id="mostly failures"),
        pytest.param("mmff", False, id="as many measured"),
        pytest.param("mmmmf", False, id="a rare failure"),
        pytest.param("l", False, id="one lost"),
        pytest.param("ll", True, id="two lost"),
        pytest.param("fl", True, id="one failed, one lost"),
        pytest.param("mmll", False, id="as many measured as lost"),
    ],
)
def test_a_size_is_given_up_when_it_fails_more_than_it_measures(
    outcomes: str,
    out: bool,  # noqa: FBT001 # a column of the table
) -> None:
    kinds = {"f": failed(128), "l": lost(128), "m": sample(128)}
    samples = [kinds[letter] for letter in outcomes]

    assert given_up(samples) is out


@given(st.lists(st.sampled_from("mcfl"), max_size=60), st.integers(1, 8))
def test_whatever_comes_back_the_plan_ends(outcomes: list[str], n: int) -> None:
    kinds = {
        "m": sample(128),
        "c": sample(128, cold=True),
        "f": failed(128),
        "l": lost(128),
    }
    plan = rounds_of(n, (128,))

    rounds = play(plan, {128: [kinds[letter] for letter in outcomes]})

    assert len(rounds) <= plan.attempts_per_size
