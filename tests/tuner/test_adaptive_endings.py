"""How an adaptive plan ends when calls fail, are lost or are used up; and where it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.tuner.factories import failed, lost
from tests.tuner.tuning_rig import (
    Curve,
    answers,
    mixed,
    power,
    saturating,
    stepped,
    tune,
    waiting,
)
from tuner.adaptive import WARM_TO_VERIFY, start_sizes
from tuner.effort import DEFAULT, THOROUGH, Effort
from tuner.grid import candidate_sizes
from tuner.sample import Sample


@pytest.mark.parametrize(
    "fails",
    [
        pytest.param(failed, id="they time out"),
        pytest.param(lost, id="they are lost"),
    ],
)
def test_sizes_may_work_at_first_and_then_no_more(fails) -> None:
    """As when something behind the function dies in the middle of a run."""
    works = answers(mixed, 0.3)
    tune(
        lambda size, before: works(size, before) if len(before) < 9 else fails(size),
        effort=Effort(300, 0.0),
    )


def test_a_function_that_always_fails_is_not_called_at_every_size() -> None:
    """A payload that it does not understand: three sizes that fail twice each say it all."""
    tuning = tune(lambda size, before: failed(size, "KeyError"))

    assert len(tuning.samples) <= 12


def test_when_answers_cease_it_ends() -> None:
    works = answers(mixed, 0.3)
    tuning = tune(
        lambda size, before: works(size, before) if len(before) < 12 else lost(size),
        effort=Effort(40, 0.0),
    )

    assert len(tuning.samples) <= 12 + 12


@pytest.mark.parametrize("effort", [DEFAULT, THOROUGH], ids=["default", "thorough"])
@pytest.mark.parametrize("kind", ["always cold", "every second call fails"])
def test_a_function_that_is_never_warm_does_not_take_all_calls(effort: Effort, kind: str) -> None:
    """Ends its process after each answer, or fails each second call."""
    works = answers(mixed)

    def answer(size: int, before: Sequence[Sample]) -> Sample:
        own = [s for s in before if s.memory_mb == size]
        if kind == "always cold":
            return replace(works(size, before), cold=True)
        return failed(size, "KeyError") if len(own) % 2 else works(size, before)

    assert len(tune(answer, effort=effort).samples) <= 30


def test_todays_size_takes_the_place_of_one_that_is_nearly_as_large() -> None:
    assert 900 in start_sizes(candidate_sizes(128, 3008, 900), (), 900)


@pytest.mark.parametrize(
    ("curve", "most"),
    [
        pytest.param(waiting, 55, id="enough is known after the first sizes"),
        pytest.param(power, 55, id="enough is known later"),
        pytest.param(stepped, 20, id="the calls are used up"),
    ],
)
def test_no_change_is_proposed_from_a_size_that_was_not_measured(curve: Curve, most: int) -> None:
    candidates = candidate_sizes(128, 3008, 2500)
    assert 2500 not in start_sizes(candidates, (), 2500)

    for seed in range(2):
        tuning = tune(
            answers(curve, 0.05, seed),
            effort=Effort(most, DEFAULT.target_share),
            candidates_mb=candidates,
            current_mb=2500,
            seed=seed,
        )
        assert tuning.warm(2500) >= WARM_TO_VERIFY, (seed, tuning.asked)


@pytest.mark.parametrize(
    ("today_mb", "calls"),
    [pytest.param(9000, 0, id="beyond the limits"), pytest.param(2048, 2, id="it fails")],
)
def test_todays_size_is_left_alone_where_it_cannot_be_used(today_mb: int, calls: int) -> None:
    works = answers(waiting)

    tuning = tune(
        lambda size, before: failed(size, "KeyError") if size == 2048 else works(size, before),
        candidates_mb=candidate_sizes(128, 3008, today_mb),
        current_mb=today_mb,
    )

    assert tuning.warm(128) >= WARM_TO_VERIFY
    assert tuning.asked.count(today_mb) == calls


def test_calls_that_are_too_few_for_todays_size_are_made_elsewhere() -> None:
    candidates = candidate_sizes(128, 3008, 2500)

    tuning = tune(
        answers(mixed, 0.3), effort=Effort(11, 0.0), candidates_mb=candidates, current_mb=2500
    )

    assert len(tuning.samples) == 11
    assert tuning.warm(2500) == 0


@pytest.mark.parametrize(
    ("typical_ms", "warm"),
    [pytest.param(900, 2, id="below a second"), pytest.param(1100, 1, id="a second and more")],
)
def test_long_calls_are_made_once_at_each_of_the_first_sizes(typical_ms: float, warm: int) -> None:
    first = 3 + 3 * warm
    tuning = tune(answers(lambda _: typical_ms, 0.001), effort=Effort(first, 0.0))

    assert [tuning.warm(size) for size in (128, 512, 1024)] == [warm] * 3


@pytest.mark.parametrize("most", [10, 11, 12, 14, 20])
def test_no_call_is_spent_on_a_choice_that_cannot_be_verified_any_more(most: int) -> None:
    for seed in range(12):
        tuning = tune(answers(saturating, 0.08, seed), effort=Effort(most, 0.0), seed=seed)
        assert all(tuning.warm(size) >= 1 for size in set(tuning.asked)), (seed, tuning.asked)


def test_the_last_calls_verify_the_choice() -> None:
    """Two of twelve may change their mind at the very end."""
    unverified = 0
    for seed in range(12):
        tuning = tune(answers(saturating, 0.08, seed), seed=seed)
        size = int(tuning.sampler.state(tuning.samples).split(" MB")[0])
        unverified += tuning.warm(size) < WARM_TO_VERIFY
    assert unverified <= 2
