"""Time limits of a run."""

from __future__ import annotations

import time

import pytest

from core.interrupt import StopRequest
from tuner.time_limit import TimeLimit


@pytest.mark.parametrize(
    ("max_seconds", "began_ago_s", "is_over"),
    [
        pytest.param(None, 1e6, False, id="none"),
        pytest.param(60.0, 0.0, False, id="time left"),
        pytest.param(60.0, 61.0, True, id="time is up"),
    ],
)
def test_a_run_is_over_when_its_time_is_up(
    max_seconds: float | None, began_ago_s: float, *, is_over: bool
) -> None:
    limit = TimeLimit(StopRequest(), max_seconds, time.monotonic() - began_ago_s)

    assert limit.is_over() == is_over
    assert limit.wait(0) == is_over
    assert limit.elapsed_s() >= began_ago_s


def test_nobody_waits_beyond_it() -> None:
    assert TimeLimit(StopRequest(), 0.01).wait(3600)


def test_a_stop_ends_it() -> None:
    stop = StopRequest()
    limit = TimeLimit(stop)
    stop.request()

    assert limit.is_over()
    assert limit.wait(3600)
