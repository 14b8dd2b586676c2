"""Blocks of time: where they lie, that each request is in one, and what they have of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.latency_blocks import FEWEST, MOST, Block, measured_blocks
from loadgen.messages import PhaseCount
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.profile.model import Profile
from loadgen.schedule import plan_phases
from loadgen.tally import Tally
from reports.histogram import decoded, merged, of_ms, quantile_ms
from reports.load_document import LoadDocument
from reports.load_histograms import LatencyBlock, ok_histograms
from tests.loadgen.made_runs import Made, Seen, profile_of, tally_of
from tests.loadgen.test_result import CTRL_C, document_of

WARM = {"name": "warm", "duration": "3s", "rate": 10.0, "measure": False}
REST = {"name": "rest", "pause": "2s"}
BURST = {"name": "burst", "burst": 20}

REFUSED = Kind(Outcome.THROTTLED, Cause.STAGE, Evidence.WIRE)
BROKEN = Kind(Outcome.SERVER_ERROR, Cause.UNKNOWN, Evidence.WIRE)


def hold(length_s: float, name: str = "hold") -> dict[str, Any]:
    return {"name": name, "duration": f"{length_s}s", "rate": 10.0}


def blocks_of(*phases: Mapping[str, Any], until_s: float = float("inf")) -> list[Block]:
    return measured_blocks(plan_phases(profile_of(*phases)), until_s)


def times(blocks: list[Block]) -> list[tuple[float, float]]:
    return [(block.from_s, block.to_s) for block in blocks]


# -- where blocks lie -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length_s", "count"),
    [(1, 1), (5, 5), (8, 8), (15, 15), (16, 8), (17, 9), (60, 10), (64, 8), (120, 8), (3600, 8)],
)
def test_blocks_of_one_phase_are_as_equal_as_whole_seconds_can_be(
    length_s: int, count: int
) -> None:
    blocks = blocks_of(hold(length_s))
    lengths = {block.to_s - block.from_s for block in blocks}

    assert len(blocks) == count
    assert max(lengths) - min(lengths) <= 1
    assert (blocks[0].from_s, blocks[-1].to_s) == (0, length_s)


def test_a_length_that_divides_all_phases_makes_equal_blocks() -> None:
    blocks = blocks_of(hold(60), REST, hold(50, "again"))
    assert {block.to_s - block.from_s for block in blocks} == {10}


def test_blocks_leave_out_what_is_not_measured() -> None:
    blocks = blocks_of(WARM, hold(4), REST, hold(4, "again"))
    assert times(blocks) == [
        *((at, at + 1) for at in (3, 4, 5, 6)),
        *((at, at + 1) for at in (9, 10, 11, 12)),
    ]
    assert [block.phases for block in blocks] == [{1}] * 4 + [{3}] * 4


def test_phases_that_follow_each_other_are_cut_as_one() -> None:
    assert times(blocks_of(hold(12, "a"), hold(12, "b"))) == [
        (at, at + 3) for at in range(0, 24, 3)
    ]


def test_phases_may_begin_within_a_second() -> None:
    warm = WARM | {"duration": "2500ms"}
    assert times(blocks_of(warm, hold(2.2)))[0] == (2.5, 3.0)
    assert times(blocks_of(warm, hold(2.2)))[-1] == (4.0, 4.7)


def test_a_burst_at_once_is_a_block_of_a_second() -> None:
    assert times(blocks_of(REST, BURST)) == [(2, 3)]


@pytest.mark.parametrize(
    ("until_s", "last"), [(20.0, (18, 20)), (3.4, (3, 3.4)), (1.0, (0.0, 1.0))]
)
def test_blocks_end_where_a_run_was_stopped(until_s: float, last: tuple[float, float]) -> None:
    blocks = blocks_of(hold(20), REST, hold(20, "again"), until_s=until_s)
    assert times(blocks)[-1] == last


def test_nothing_measured_has_no_block() -> None:
    assert blocks_of(WARM) == []


def test_many_short_phases_share_blocks_over_the_gaps_between_them() -> None:
    phases = [
        part
        for number in range(40)
        for part in (BURST | {"name": f"b{number}"}, REST | {"name": f"r{number}"})
    ]
    blocks = blocks_of(*phases)
    assert FEWEST <= len(blocks) <= MOST
    assert {len(block.phases) for block in blocks} == {5}


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 90), st.sampled_from(["hold", "rest", "warm"])),
        min_size=1,
        max_size=12,
    )
)
def test_blocks_cover_each_measured_second_once(phases: list[tuple[int, str]]) -> None:
    made = [
        {"name": f"p{number}"}
        | (
            {"pause": f"{length}s"}
            if kind == "rest"
            else {"duration": f"{length}s", "rate": 1.0, "measure": kind == "hold"}
        )
        for number, (length, kind) in enumerate(phases)
    ]
    plans = plan_phases(profile_of(*made))
    measured_s = sum(plan.to_s - plan.from_s for plan in plans if plan.measured)
    blocks = measured_blocks(plans)

    assert sum(len(block.seconds) for block in blocks) >= measured_s
    assert len(blocks) >= min(FEWEST, measured_s)
    for plan in plans:
        own = [block for block in blocks if plan.index in block.phases]
        seconds = [second for block in own for second in block.seconds]
        assert len(seconds) == len(set(seconds))
        assert set(range(int(plan.from_s), int(plan.to_s))) <= set(seconds) or not plan.measured


# -- what is in them ------------------------------------------------------------------------------


def made_run(*seen: Seen, counts: tuple[PhaseCount, ...] = ()) -> tuple[Profile, Tally]:
    profile = profile_of(WARM, hold(8))
    return profile, tally_of(profile, Made(seen, counts, seconds=14))


def sums(blocks: list[LatencyBlock]) -> tuple[int, int, int, int]:
    return (
        sum(block.completed for block in blocks),
        sum(block.ok for block in blocks),
        sum(block.throttled for block in blocks),
        sum(block.failed for block in blocks),
    )


def mixed() -> LoadDocument:
    return document_of(
        *made_run(
            Seen(1, 9, phase=0),
            Seen(3, 10, ms=50, phase=1),
            Seen(4, 6, ms=100, phase=1, step=1),
            Seen(4, 3, ms=5, phase=1, kind=REFUSED),
            Seen(6, 2, ms=5, phase=1, kind=BROKEN, step=1),
            Seen(10, 4, ms=200, phase=1),
            Seen(13, 1, ms=300, phase=1),  # a step of a flow that began within the phase
        )
    )


def test_each_measured_request_is_in_one_block_of_the_run_and_of_its_step() -> None:
    document = mixed()
    assert document.histograms is not None
    blocks = document.histograms.blocks

    assert sums(blocks) == (26, 21, 3, 2)
    assert [sums(step.blocks) for step in document.steps] == [(18, 15, 3, 0), (8, 6, 0, 2)]
    assert [block.completed for block in blocks] == [10, 9, 0, 2, 0, 0, 0, 5]
    for step in document.steps:
        assert [(b.from_s, b.to_s) for b in step.blocks] == [(b.from_s, b.to_s) for b in blocks]


def test_blocks_of_a_step_are_of_the_phases_that_call_it() -> None:
    profile = profile_of(hold(4, "a"), hold(16, "b"))
    seen = [Seen(1, 9, phase=0), *(Seen(at, 2, phase=1, step=1) for at in range(4, 20))]
    steps = document_of(profile, tally_of(profile, Made(seen, seconds=20))).steps

    assert [b.completed for b in steps[0].blocks] == [0, 9, 0, 0]
    assert [(b.from_s, b.completed) for b in steps[1].blocks] == [(at, 4) for at in range(4, 20, 2)]


def test_blocks_merge_to_the_histograms_of_the_run_whose_percentiles_the_document_has() -> None:
    document = mixed()
    assert document.histograms is not None
    assert document.ok_response_ms is not None
    ok = merged(ok_histograms(document.histograms.blocks))

    assert ok == decoded(document.histograms.ok_response or "")
    assert ok == of_ms([50] * 10 + [100] * 6 + [200] * 4 + [300])
    assert quantile_ms(ok, 0.5) == pytest.approx(document.ok_response_ms.p50, rel=1e-3)
    assert decoded(document.histograms.response or "").n == 26
    assert decoded(document.histograms.service or "").n == 26


def test_blocks_without_an_ok_request_have_no_histogram() -> None:
    document = document_of(*made_run(Seen(4, 3, ms=5, phase=1, kind=REFUSED)))
    assert document.histograms is not None
    assert document.histograms.ok_response is None
    assert {block.ok_response for block in document.histograms.blocks} == {None}


def test_a_run_that_was_stopped_has_blocks_up_to_there() -> None:
    profile, tally = made_run(Seen(3, 10, phase=1), Seen(4, 5, phase=1))
    tally.until_us = 5_000_000
    document = document_of(profile, tally, stop=CTRL_C)
    assert document.histograms is not None
    assert [(b.from_s, b.completed) for b in document.histograms.blocks] == [(3.0, 10), (4.0, 5)]


def test_documents_of_older_versions_have_neither_blocks_nor_histograms() -> None:
    old = mixed().model_dump(exclude={"histograms", "raw_files"})
    for step in old["steps"]:
        del step["blocks"]

    document = LoadDocument.model_validate(old)

    assert (document.histograms, document.raw_files) == (None, [])
    assert [step.blocks for step in document.steps] == [[], []]
