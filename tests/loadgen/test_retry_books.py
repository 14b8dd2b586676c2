"""Operations and attempts find their way from an injector into the result, and add up there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loadgen.messages import Frame, from_line, to_line
from loadgen.profile.model import Profile
from loadgen.retry.cells import Fate
from loadgen.retry.operation_log import OperationLog
from loadgen.retry.report import retry_report
from loadgen.schedule import plan_phases
from loadgen.steps import step_infos
from loadgen.tally import Tally
from reports.load_retries import RetryReport
from reports.load_retry_tables import (
    attempts_table,
    operations_table,
    retry_phases_table,
    retry_sentences,
)
from tests.loadgen.made_runs import profile_of

MS, S = 1_000_000, 1_000_000_000
PHASES = (
    {"name": "warm", "duration": "1s", "rate": 3, "measure": False},
    {"name": "hold", "duration": "2s", "rate": 3},
)


def profile(retry: object = "standard") -> Profile:
    return profile_of(*PHASES, retry=retry)


def written(log: OperationLog) -> None:
    """Three operations of the step 1 in the second phase, and one of step 0 in the first."""
    log.begun((S // 2, 0, 0))
    log.sent((S // 2, 0, 0, 0, 1))
    log.answered((S // 2, S // 2 + 5 * MS, 0, 0, 1, 1))
    log.ended((S // 2, S // 2 + 5 * MS, 0, 0, Fate.OK))
    # Refused once, then ok a second later; the retry was held back for 40 ms.
    log.begun((S, 1, 1))
    log.sent((S, 0, 1, 1, 1))
    log.answered((S, S + 10 * MS, 1, 1, 1, 0))
    log.sent((2 * S + 50 * MS, 40 * MS, 1, 1, 2))
    log.answered((2 * S + 50 * MS, 2 * S + 80 * MS, 1, 1, 2, 1))
    log.ended((S, 2 * S + 80 * MS, 1, 1, Fate.OK))
    # Given up, and never ended.
    log.begun((S, 1, 1))
    log.sent((S, 0, 1, 1, 1))
    log.answered((S, S + 10 * MS, 1, 1, 1, 0))
    log.ended((S, S, 1, 1, Fate.RUN_ENDED))
    log.begun((S, 1, 1))
    log.sent((S, 0, 1, 1, 1))


def frame() -> Frame:
    log = OperationLog()
    written(log)
    operations, attempts = log.take(0, lambda: None)
    assert log.take(0, lambda: None) == ([], [])
    plain = Frame(0, 0, S // 1000, [], [], 0, 0, 0.1, "")
    made = from_line(to_line(replace(plain, operations=operations, attempts=attempts)))
    assert isinstance(made, Frame)
    return made


def tally_of(made: Profile, *frames: Frame) -> Tally:
    tally = Tally(plan_phases(made), step_infos(made))
    for number, one in enumerate(frames):
        tally.add(replace(one, number=number))
    return tally


def report(*frames: Frame) -> RetryReport:
    made = profile()
    found = retry_report(made, tally_of(made, *(frames or (frame(),))))
    assert found is not None
    return found


def test_operations_of_measured_phases_are_counted_by_what_became_of_them() -> None:
    whole = report().whole

    assert (whole.operations, whole.ok, whole.failed, whole.cut) == (3, 1, 0, 1)
    assert whole.gave_up.model_dump() == {"attempts": 0, "quota": 0, "run_ended": 1}
    assert (whole.requests, whole.amplification) == (4, pytest.approx(4 / 3))
    assert (whole.offered_rps, whole.wire_rps, whole.goodput_rps) == (1.5, 2.0, 0.5)


def test_the_latency_of_an_operation_has_its_backoff_and_that_of_an_attempt_has_not() -> None:
    found = report()

    assert found.whole.latency_ms is not None
    assert (found.whole.latency_ms.n, found.whole.latency_ms.max) == (1, 1080.0)
    first, second = found.attempts
    assert (first.attempt, first.sent, first.completed, first.ok, first.held) == (1, 3, 2, 0, 0)
    assert (second.attempt, second.sent, second.ok, second.held_mean_ms) == (2, 1, 1, 40.0)
    assert second.response_ms is not None
    assert second.response_ms.max == 30.0


def test_requests_count_in_their_own_second_and_operations_in_their_first() -> None:
    seconds = {
        one.second: (one.operations, one.ok, one.first, one.retries) for one in report().seconds
    }

    assert seconds == {0: (1, 1, 1, 0), 1: (3, 0, 3, 0), 2: (0, 1, 0, 1)}


def test_what_is_due_after_its_phase_is_in_no_rate() -> None:
    log = OperationLog()
    written(log)
    log.sent((4 * S, 0, 1, 1, 2))
    log.answered((4 * S, 4 * S + MS, 1, 1, 2, 1))
    operations, attempts = log.take(0, lambda: None)
    whole = report(replace(frame(), operations=operations, attempts=attempts)).whole

    assert (whole.requests, whole.late) == (5, 1)
    assert (whole.wire_rps, whole.goodput_rps) == (2.0, 0.5)


def test_steps_and_phases_have_their_own() -> None:
    found = report()

    assert [(one.name, one.operations) for one in found.steps] == [
        ("browse items", 0),
        ("POST /orders", 3),
    ]
    assert [(one.name, one.operations) for one in found.phases] == [("warm", 1), ("hold", 3)]


def test_frames_add_up() -> None:
    assert report(frame(), frame()).whole.requests == 8
    assert report(frame(), frame()).attempts[1].held_mean_ms == 40.0


@pytest.mark.parametrize(
    ("cells", "change", "said"),
    [
        ("operations", {"step": 9}, "step"),
        ("operations", {"phase": 9}, "phase"),
        ("operations", {"fate": 9}, "Fate"),
        ("attempts", {"second": -1}, "second"),
        ("attempts", {"response": "damaged"}, "histogram"),
    ],
    ids=["step", "phase", "fate", "second", "histogram"],
)
def test_nothing_of_a_damaged_frame_is_counted(
    cells: str, change: dict[str, Any], said: str
) -> None:
    made, tally = frame(), tally_of(profile())
    first, *others = getattr(made, cells)

    with pytest.raises(ValueError, match=said):
        tally.add(replace(made, **{cells: [replace(first, **change), *others]}))

    assert not tally.retries


@pytest.mark.parametrize("retry", [None, "standard"])
def test_without_modelled_clients_there_is_no_part(retry: object) -> None:
    made = profile(retry)
    plain = Frame(0, 0, S, [], [], 0, 0, 0.1, "")

    assert retry_report(made, tally_of(made, plain)) is None


def test_clients_are_listed_by_scenario() -> None:
    made = profile({"mode": "adaptive", "clients": 4})
    found = retry_report(made, tally_of(made, frame()))

    assert found is not None
    assert [(one.scenario, one.mode, one.clients) for one in found.clients] == [
        ("browse", "adaptive", 4),
        ("buy", "adaptive", 4),
    ]


def test_a_reader_is_told_what_became_of_the_load() -> None:
    assert retry_sentences(report()) == [
        "3 operations became 4 requests: 1.33 each",
        "goodput 0.500/s of 1.50/s offered, 2/s on the wire",
        "33\N{NO-BREAK SPACE}% of operations were given up: 1 because the run ended",
        (
            "clients held 1 of 4 requests back by their own rate limit, for "
            "40.0\N{NO-BREAK SPACE}ms on average"
        ),
    ]


def test_tables_have_a_row_for_each_step_attempt_and_phase() -> None:
    found = report()
    attempts, phases = attempts_table(found), retry_phases_table(found)
    assert attempts is not None
    assert phases is not None

    names = [
        [row.cells[0] for row in table.rows]
        for table in (operations_table(found), attempts, phases)
    ]

    assert names == [["browse items", "POST /orders", "all"], ["first", "2"], ["warm", "hold"]]
