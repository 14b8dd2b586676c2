"""Where the adaptive plan invokes next, and when it ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tuner.factories import failed, lost, sample
from tests.tuner.tuning_rig import (
    CANDIDATES,
    COST,
    PRICE,
    Answering,
    Tuning,
    answers,
    mixed,
    power,
    saturating,
    tune,
    waiting,
)
from tuner.adaptive import WARM_TO_VERIFY, Adaptive, start_sizes, usable_sizes
from tuner.effort import DEFAULT, Effort
from tuner.grid import candidate_sizes
from tuner.sample import Sample
from tuner.worth import Worth

FEW = Effort(most_calls=16, target_share=0.02)


def failing_below(memory_mb: int, error_type: str) -> Answering:
    """A function that needs so much memory."""
    works = answers(mixed)
    return lambda size, before: (
        works(size, before) if size >= memory_mb else failed(size, error_type)
    )


@pytest.mark.parametrize(
    ("candidates", "samples", "expected"),
    [
        pytest.param(CANDIDATES, [], (128, 512, 1024), id="the default range"),
        pytest.param(candidate_sizes(128, 10240), [], (128, 512, 1024), id="up to the largest"),
        pytest.param(candidate_sizes(512, 3008), [], (512, 845, 1536), id="from half a GB"),
        pytest.param(candidate_sizes(3008, 10240), [], (3008, 5308, 9053), id="large sizes"),
        pytest.param(candidate_sizes(128, 1024), [], (128, 347, 1024), id="small sizes"),
        pytest.param(candidate_sizes(512, 700), [], (512, 700), id="a narrow range"),
        pytest.param((512, 513), [], (512, 513), id="two sizes"),
        pytest.param((512,), [], (512,), id="one size"),
        pytest.param(
            CANDIDATES[CANDIDATES.index(142) :],
            [failed(128)],
            (192, 768, 1024),
            id="after a failure one that is half as large again",
        ),
        pytest.param((2730, 3008), [failed(2646)], (3008,), id="little room after a failure"),
    ],
)
def test_it_starts_where_curves_differ_and_calls_are_cheap(
    candidates: tuple[int, ...], samples: list[Sample], expected: tuple[int, ...]
) -> None:
    assert start_sizes(candidates, samples) == expected


@pytest.mark.parametrize(
    ("samples", "refused", "unusable"),
    [
        pytest.param([], [], set(), id="nothing known"),
        pytest.param([failed(256)], [], {128, 256}, id="a timeout"),
        pytest.param([failed(256, "Runtime.OutOfMemory")], [], {128, 256}, id="out of memory"),
        pytest.param([sample(256)] * 9 + [failed(256)], [], {128, 256}, id="now and then"),
        pytest.param([], [2048], {2048, 3008}, id="refused, and with it what is larger"),
        pytest.param([], [4096], set(), id="what is refused was no candidate"),
        pytest.param([failed(512, "KeyError")], [], set(), id="an error may be bad luck"),
        pytest.param([failed(512, "KeyError")] * 2, [], {512}, id="two are an answer"),
        pytest.param([lost(512)] * 2, [], {512}, id="lost twice"),
        pytest.param([sample(512)] * 2 + [lost(512)] * 2, [], set(), id="as often measured"),
        pytest.param([failed(3008)], [], {128, 256, 512, 1024, 2048, 3008}, id="all too small"),
        pytest.param([failed(1024)], [512], {128, 256, 512, 1024, 2048, 3008}, id="none left"),
    ],
)
def test_what_can_be_used(samples: list[Sample], refused: list[int], unusable: set[int]) -> None:
    sizes = (128, 256, 512, 1024, 2048, 3008)

    assert set(sizes) - set(usable_sizes(sizes, samples, refused)) == unusable


calls = st.lists(
    st.builds(
        lambda size, call: call(size),
        st.sampled_from(CANDIDATES),
        st.sampled_from([sample, failed, lost, lambda size: failed(size, "KeyError")]),
    ),
    max_size=12,
)


@given(
    before=calls,
    more=calls.map(lambda taken: [s for s in taken if s.outcome != "measured"]),
    refused=st.sets(st.sampled_from(CANDIDATES), max_size=2),
    more_refused=st.sets(st.sampled_from(CANDIDATES), max_size=2),
)
def test_no_failure_and_no_refusal_makes_a_size_usable_again(
    before: list[Sample], more: list[Sample], refused: set[int], more_refused: set[int]
) -> None:
    earlier = usable_sizes(CANDIDATES, before, refused)
    later = usable_sizes(CANDIDATES, [*before, *more], refused | more_refused)

    assert set(later) <= set(earlier) <= set(CANDIDATES)
    assert list(later) == sorted(later)


def test_the_first_sizes_are_called_until_each_has_two_warm_calls() -> None:
    tuning = tune(answers(mixed))

    first = [sizes for _, sizes in tuning.rounds[:3]]
    assert [sorted(sizes) for sizes in first] == [[128, 512, 1024]] * 3
    assert all(len(sizes) == 1 for _, sizes in tuning.rounds[3:])


def test_the_same_seed_makes_the_same_calls() -> None:
    first, again, other = (tune(answers(power), seed=seed).rounds for seed in (1, 1, 2))

    assert first == again
    assert first != other


@pytest.mark.parametrize("most", [*range(1, 14), 20])
def test_it_never_takes_more_calls_than_allowed(most: int) -> None:
    tuning = tune(answers(mixed, scale=0.3), effort=Effort(most, 0.0))

    # It may end where what is left could not verify another choice.
    assert most - (WARM_TO_VERIFY + 1) <= len(tuning.samples) <= most
    assert tuning.sampler.out_of_calls


def test_it_ends_where_calls_would_tell_too_little() -> None:
    # Sizes that are equally cheap, and calls that scatter: no number of calls finds the best one.
    noisy = answers(saturating, scale=0.5)
    greedy = Effort(80, target_share=0.0, least_gain_share=1e-2)
    tuning, other = (tune(noisy, effort=e) for e in (greedy, replace(greedy, least_gain_share=0)))

    assert len(tuning.samples) < 80 - (WARM_TO_VERIFY + 1) <= len(other.samples)
    assert (tuning.sampler.out_of_calls, other.sampler.out_of_calls) == (False, True)


def test_it_is_not_out_of_calls_when_answers_cease() -> None:
    works = answers(mixed, scale=0.3)
    tuning = tune(
        lambda size, before: works(size, before) if len(before) < 14 else lost(size),
        effort=Effort(60, 0.0),
    )

    assert 14 < len(tuning.samples) < 60 - (WARM_TO_VERIFY + 1)
    assert not tuning.sampler.out_of_calls


def test_it_is_not_out_of_calls_when_it_knows_enough() -> None:
    tuning = tune(answers(power), effort=Effort(55, 0.05))

    assert len(tuning.samples) < 55
    assert not tuning.sampler.out_of_calls


@pytest.mark.parametrize("candidates", [(512,), (512, 513), (128, 3008), candidate_sizes(512, 600)])
def test_of_few_candidates_each_is_known_soon(candidates: tuple[int, ...]) -> None:
    tuning = tune(answers(waiting, scale=0.01), candidates_mb=candidates)

    assert set(tuning.asked) <= set(candidates)
    assert len(tuning.samples) <= 3 * min(len(candidates), 3)


@pytest.mark.parametrize("current", [128, 500, 3008, 9000])
def test_todays_size_may_be_anywhere(current: int) -> None:
    candidates = candidate_sizes(128, 3008, current)
    tuning = tune(answers(waiting), candidates_mb=candidates, current_mb=current)

    assert set(tuning.asked) <= set(candidates)
    assert len(tuning.samples) < DEFAULT.most_calls


@pytest.mark.parametrize("error_type", ["Runtime.OutOfMemory", "Sandbox.Timedout"])
@pytest.mark.parametrize("needed_mb", [200, 700, 3008])
def test_sizes_that_are_too_small_are_called_once_and_none_below_them(
    error_type: str, needed_mb: int
) -> None:
    tuning = tune(failing_below(needed_mb, error_type))

    too_small = [s.memory_mb for s in tuning.samples if s.ran_out]
    assert max(Counter(too_small).values()) == 1
    assert_only_usable_sizes_were_asked_for(tuning)
    best = min(size for size in CANDIDATES if size >= needed_mb)
    assert tuning.warm(best) >= WARM_TO_VERIFY


def test_refused_sizes_are_asked_for_once_and_none_above_them() -> None:
    tuning = tune(answers(power), largest_mb=1536)

    assert len(tuning.refused) >= 1
    assert all(tuning.asked.count(size) == 1 for size in tuning.refused)
    assert_only_usable_sizes_were_asked_for(tuning)
    assert tuning.warm(1536) >= WARM_TO_VERIFY


def test_a_size_that_fails_is_left_alone_and_the_others_are_tuned() -> None:
    works = answers(mixed)
    tuning = tune(
        lambda size, before: failed(size, "KeyError") if size == 512 else works(size, before)
    )

    assert tuning.asked.count(512) == 2
    assert tuning.warm(128) >= WARM_TO_VERIFY


def test_pending_calls_at_a_size_that_fails_are_given_up() -> None:
    works = answers(mixed)

    def answer(size: int, before: Sequence[Sample]) -> Sample:
        second = sum(s.memory_mb == size for s in before) == 1
        return failed(size) if second and size < 1024 and len(before) > 9 else works(size, before)

    tuning = tune(answer)

    too_small = [s.memory_mb for s in tuning.samples if s.ran_out]
    assert too_small
    assert max(Counter(too_small).values()) == 1
    assert_only_usable_sizes_were_asked_for(tuning)


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        pytest.param(lambda size, _: lost(size), 3, id="lost from the beginning"),
        pytest.param(lambda size, _: failed(size), 9, id="no size has enough time"),
        pytest.param(
            lambda size, _: failed(size, "Runtime.OutOfMemory"), 9, id="no size has the memory"
        ),
    ],
)
def test_it_ends_soon_where_nothing_can_be_measured(answer: Answering, most: int) -> None:
    assert len(tune(answer).samples) <= most


ANSWERS: list[Callable[[int], Sample] | None] = [
    None,
    None,
    None,
    lost,
    lambda size: failed(size, "KeyError"),
]


@settings(max_examples=20)
@given(
    which=st.lists(st.sampled_from(ANSWERS), min_size=FEW.most_calls, max_size=FEW.most_calls),
    needed_mb=st.sampled_from([0, 0, 200, 900]),
    largest_mb=st.sampled_from([600, 2000, 10240]),
    limits=st.sampled_from([(128, 3008), (512, 512), (512, 640), (1024, 10240)]),
    seed=st.integers(0, 99),
)
def test_whatever_comes_back_it_ends_and_asks_only_for_what_can_be_used(
    which: list[Callable[[int], Sample] | None],
    needed_mb: int,
    largest_mb: int,
    limits: tuple[int, int],
    seed: int,
) -> None:
    works = failing_below(needed_mb, "Sandbox.Timedout")

    def answer(size: int, before: Sequence[Sample]) -> Sample:
        other = which[len(before)]
        return works(size, before) if other is None else other(size)

    tuning = tune(
        answer,
        effort=FEW,
        candidates_mb=candidate_sizes(*limits),
        largest_mb=largest_mb,
        seed=seed,
    )

    assert len(tuning.samples) <= FEW.most_calls
    assert_only_usable_sizes_were_asked_for(tuning)


def assert_only_usable_sizes_were_asked_for(tuning: Tuning) -> None:
    """At the beginning of each round nothing spoke against its sizes."""
    for known, sizes in tuning.rounds:
        before = tuning.samples[:known]
        assert set(sizes) <= set(tuning.sampler.candidates_mb)
        assert len(set(sizes)) == len(sizes)
        assert all(size > s.memory_mb for size in sizes for s in before if s.ran_out)
        for size in sizes:
            own = [s.outcome for s in before if s.memory_mb == size]
            assert len(own) - own.count("measured") <= max(own.count("measured"), 1)


def test_it_says_what_it_knows() -> None:
    sampler = Adaptive(CANDIDATES, Worth(COST, PRICE, 512), DEFAULT, 512)
    works, samples = answers(waiting), list[Sample]()
    rng = random.Random(1)

    assert sampler.state(samples) == "first look"
    while sizes := sampler.next_round(samples, (), rng):
        samples.extend(works(size, samples) for size in sizes)

    assert sampler.state(samples).startswith("128 MB looks best, expected within ")
