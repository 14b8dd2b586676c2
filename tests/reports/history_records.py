"""Records of a made-up plan, as nights leave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reports.history.record import (
    AlarmRecord,
    AlarmState,
    CurveRow,
    EventRecord,
    Key,
    NightRecord,
    RunRecord,
    ScopeBlocks,
    SeriesId,
    SeriesPoint,
)
from reports.load_histograms import LatencyBlock

PLAN = "shop"
FIRST = datetime(2026, 8, 1, 3, tzinfo=UTC)
SEARCH = SeriesId(step="orders", scope="GET /search", metric="p95")


def at(sequence: int) -> datetime:
    """When the night of this number began."""
    return FIRST + timedelta(days=sequence - 1)


def run(sequence: int, step: str = "orders", plan: str = PLAN, value: float = 120.0) -> RunRecord:
    """A load run of a night."""
    began = at(sequence)
    block = LatencyBlock(
        from_s=0, to_s=30, completed=100, ok=99, throttled=1, failed=0, ok_response="HISTFAAAAA=="
    )
    return RunRecord(
        run_id=f"{step}{sequence:04}",
        night_id=f"n{sequence:04}",
        sequence=sequence,
        night=f"{began:%Y-%m-%d}",
        plan=plan,
        step=step,
        kind="load",
        started_utc=began.isoformat(),
        finished_utc=(began + timedelta(minutes=5)).isoformat(),
        verdict="pass",
        valid=True,
        key=Key(
            kind="load", asked_sha256="a" * 64, target="api", region="eu-west-1", arch="arm64",
            memory_mb=[512],
        ),
        points=[
            SeriesPoint(
                scope="GET /search", metric="p95", unit="ms", value=value, error_ln=0.02, n=1000
            ),
            SeriesPoint(
                scope="the run", metric="cost", unit="usd_per_million", value=4.2, error_ln=None,
                n=1000,
            ),
        ],
        blocks=[ScopeBlocks(scope="GET /search", blocks=[block, block])],
        sizes=[CurveRow(memory_mb=512, billed_ms=30.5, error_ln=0.01, n=40)],
        git_commit=f"{sequence:040x}",
    )  # fmt: skip


def alarm(
    since: int, state: AlarmState = "confirmed", series: SeriesId = SEARCH, alarm_id: str = ""
) -> AlarmRecord:
    """An alarm of a figure that got worse in the night `since`."""
    return AlarmRecord(
        alarm_id=alarm_id or f"a{since:04}",
        series=series,
        state=state,
        since_night=f"{at(since):%Y-%m-%d}",
        since_night_id=f"n{since:04}",
        since_sequence=since,
        change_share=0.12,
        change_interval=(0.05, 0.19),
        p_value=0.001,
        floor_share=0.07,
        baseline_value=120.0,
        value=134.4,
        unit="ms",
    )


def night(sequence: int, *alarms: AlarmRecord, plan: str = PLAN) -> NightRecord:
    """A night and its alarms."""
    began = at(sequence)
    confirmed = any(found.state == "confirmed" for found in alarms)
    return NightRecord(
        night_id=f"n{sequence:04}",
        sequence=sequence,
        night=f"{began:%Y-%m-%d}",
        plan=plan,
        started_utc=began.isoformat(),
        finished_utc=(began + timedelta(minutes=20)).isoformat(),
        verdict="failed" if confirmed else "pass",
        exit_code=3 if confirmed else 0,
        alarms=list(alarms),
        judged=24,
        git_commit=f"{sequence:040x}",
    )


def event(sequence: int, **changed: object) -> EventRecord:
    """A decision after the night of this number: by default, to accept its alarm."""
    values: dict[str, object] = {
        "event_id": f"e{sequence:04}",
        "plan": PLAN,
        "at_utc": (at(sequence) + timedelta(hours=6)).isoformat(),
        "sequence": sequence,
        "action": "accept",
        "alarm_id": f"a{sequence:04}",
        "series": SEARCH,
        "from_sequence": sequence,
        "reason": "a larger page",
    }
    return EventRecord.model_validate({**values, **changed})
