"""Two looks at AWS for one run: what either of them knew is known."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.telemetry.earlier_look import better_of
from reports.load_telemetry import (
    CoverageState,
    FunctionTelemetry,
    LoadTelemetry,
    LogMatch,
    MetricCoverage,
    ReportTotals,
)

MATCH = LogMatch(source="access_log", wanted=9, matched=9, matched_share=1.0, lines=9)


def reports(lines: int) -> ReportTotals:
    return ReportTotals(
        lines=lines,
        cold=0,
        duration_p50_ms=1.0,
        duration_p95_ms=2.0,
        duration_p99_ms=3.0,
        init_p50_ms=None,
    )


def look(state: CoverageState, lines: int | None = None, **changes: Any) -> LoadTelemetry:
    """A look at a function that was called nine times; `lines` None where no log could be read."""
    function = FunctionTelemetry(
        function="work",
        steps=["GET /"],
        state=state,
        answered=9,
        invocations=9 if state == "covered" else None,
        reports=None if lines is None else reports(lines),
    )
    return LoadTelemetry(
        **{
            "started_unix_s": 0.0,
            "ended_unix_s": 1.0,
            "read_utc": "2026-11-27T00:00:00+00:00",
            "waited_s": 0.0,
            "coverage": MetricCoverage(state=state, answered=9, unanswered=0),
            "functions": [function],
            "logs": [] if lines is None else [MATCH],
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("before", "now", "known"),
    [
        pytest.param(None, look("late"), ("late", None, None), id="the first"),
        pytest.param(look("late", 4), look("covered", 9), ("covered", 9, 9), id="more"),
        pytest.param(look("covered", 9), look("covered"), ("covered", 9, 9), id="logs denied"),
        pytest.param(look("covered", 9), look("covered", 2), ("covered", 9, 9), id="logs expired"),
        pytest.param(look("covered"), look("none", 9), ("covered", 9, 9), id="metrics dropped"),
        pytest.param(look("covered", 9), look("unknown"), ("covered", 9, 9), id="all denied"),
    ],
)
def test_what_either_look_knew_is_known(
    before: LoadTelemetry | None, now: LoadTelemetry, known: tuple[str, int | None, int | None]
) -> None:
    found = better_of(before, now)

    (function,) = found.functions
    lines = function.reports.lines if function.reports else None
    assert (found.coverage.state, function.invocations, lines) == known
    assert (found.logs == [MATCH]) == (lines is not None)


def test_how_old_metrics_are_is_said_once_and_stays_true() -> None:
    first = look("covered", read_utc="2026-11-27T01:00:00+00:00")

    found = first
    for hour in (2, 3):
        found = better_of(found, look("none", read_utc=f"2026-11-27T0{hour}:00:00+00:00"))

    assert found.notes == [
        "metrics are those that were read at 2026-11-27T01:00:00+00:00: a later look found less"
    ]
