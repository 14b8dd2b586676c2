"""No size is taken untried that is smaller than what the function was seen to use."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuner.factories import failed, sample
from tests.tuner.test_analysis_adaptive import ask, samples_of
from tests.tuner.tuning_rig import waiting
from tuner.memory_floor import floor_notes, memory_floor_mb, untried_below_floor
from tuner.sample import Sample

SIZES = (128, 256, 512, 1024)


def used(memory_mb: int, used_mb: int | None, **changes: object) -> Sample:
    return sample(memory_mb, max_memory_used_mb=used_mb, **changes)


@pytest.mark.parametrize(
    ("samples", "floor_mb"),
    [
        pytest.param([], None, id="no call"),
        pytest.param([used(512, None)], None, id="no figure"),
        pytest.param([used(512, 100), used(1024, 300)], 330, id="the most of any size"),
        pytest.param([replace(failed(512), max_memory_used_mb=512)], 564, id="out of memory"),
    ],
)
def test_the_floor_is_the_most_that_was_used_and_a_tenth(
    samples: list[Sample], floor_mb: int | None
) -> None:
    assert memory_floor_mb(samples) == floor_mb


@pytest.mark.parametrize(
    ("samples", "left_out"),
    [
        pytest.param([used(1024, 60)], set(), id="all are large enough"),
        pytest.param([used(1024, 300)], {128, 256}, id="below the floor"),
        pytest.param([used(1024, 470)], {128, 256, 512}, id="within the tenth that is free"),
        pytest.param([used(1024, 300), used(256, 200)], {128}, id="measured all the same"),
        pytest.param([used(1024, 300), failed(256)], {128, 256}, id="tried and failed"),
        pytest.param(
            [used(1024, 300, payload="big"), used(256, 90, payload="small")],
            {128, 256},
            id="tried with another event",
        ),
        pytest.param(
            [
                used(1024, 300, payload="big"),
                used(1024, 300, payload="small"),
                used(256, 240, payload="big"),
            ],
            {128},
            id="tried with the event that used it",
        ),
    ],
)
def test_a_size_below_the_floor_has_to_be_tried(samples: list[Sample], left_out: set[int]) -> None:
    assert untried_below_floor(samples, SIZES, current_mb=1024) == left_out


def test_todays_size_is_in_use_and_never_left_out() -> None:
    assert untried_below_floor([used(1024, 300)], SIZES, current_mb=128) == {256}


@given(
    st.lists(st.builds(used, st.sampled_from(SIZES), st.none() | st.integers(1, 1024)), max_size=20)
)
def test_no_size_that_was_measured_is_left_out(samples: list[Sample]) -> None:
    left_out = untried_below_floor(samples, SIZES, current_mb=512)

    assert left_out.isdisjoint(s.memory_mb for s in samples)
    assert all(size < (memory_floor_mb(samples) or 0) for size in left_out)


@pytest.mark.parametrize(
    ("samples", "recommended_mb", "left_out_mb", "notes"),
    [
        pytest.param([used(512, 60)], 512, (), [], id="room enough"),
        pytest.param([used(128, 120)], 128, (), ["used 120 MB of 128 MB"], id="hardly room"),
        pytest.param(
            [used(128, 90), used(1024, 300)],
            128,
            (),
            ["used up to 300 MB at larger sizes and got by with 90 MB at 128 MB"],
            id="less at the small size",
        ),
        pytest.param(
            [used(1024, 300)], 1024, (128, 256), ["sizes up to 256 MB that were not"], id="left out"
        ),
        pytest.param([], None, (), [], id="nothing measured"),
    ],
)
def test_what_is_said_of_the_memory_in_use(
    samples: list[Sample],
    recommended_mb: int | None,
    left_out_mb: tuple[int, ...],
    notes: list[str],
) -> None:
    said = floor_notes(samples, recommended_mb, left_out_mb)

    assert len(said) == len(notes)
    for found, expected in zip(said, notes, strict=True):
        assert expected in found.replace("\u202f", " ").replace("\xa0", " ")


def test_what_ties_with_the_answer_was_tried_or_is_large_enough() -> None:
    samples = [
        replace(s, max_memory_used_mb=300) for s in samples_of(waiting) if s.memory_mb >= 512
    ]
    invoked = {s.memory_mb for s in samples}

    answer = ask(samples, current_mb=1024)

    assert answer.recommendation is not None
    assert answer.recommendation.memory_mb == min(invoked)
    assert min(answer.recommendation.tied_mb) >= 330
    assert min(item.memory_mb for item in answer.evidence) >= 330
    assert any("that were not tried are left out" in note for note in answer.notes)
