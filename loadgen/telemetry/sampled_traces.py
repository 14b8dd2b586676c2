"""X-Ray's traces of a run, into the traces of those few requests that it sampled.

They fill in what no log told. X-Ray samples one request a second and 5 % of the others, unless a
rule says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.aws.session import AwsSession
from core.aws.xray import TracedCall, traced_calls
from core.errors import AwsError
from loadgen.records import Records
from loadgen.telemetry.subject import Subject
from loadgen.telemetry.traces import Traces
from reports.load_telemetry import LogMatch

# 40 calls of BatchGetTraces.
_MOST_TRACES = 200
_SLACK_S = 5.0
_TIMES = ("latency_ms", "integration_ms", "init_ms", "restore_ms", "duration_ms")


def fill_from_xray(
    session: AwsSession,
    subject: Subject,
    records: Records,
    traces: Traces,
    calls: Mapping[str, int],
    *,
    started_s: float,
    ended_s: float,
) -> LogMatch | None:
    """How many traces there were, and of how many the request is known; None if not traced.

    `calls` are the rows of calls of functions by their id; times are Unix times. `wanted` counts
    the traces, not the requests: most of those are not sampled.
    """
    api, stage = subject.api, subject.stage
    if stage is None or not stage.traces or api.name is None:
        return None
    try:
        found = traced_calls(
            session.xray(),
            api.name,
            stage.name,
            start_s=started_s - _SLACK_S,
            end_s=ended_s + _SLACK_S,
            most=_MOST_TRACES,
        )
    except AwsError as error:
        return _match(0, 0, f"traces could not be read: {error}")
    rows = {
        name.decode("ascii", "replace"): row
        for row, name in enumerate(records["request_id"].tolist())
        if name
    }
    matched = sum(_fill(call, rows, calls, traces) for call in found)
    why = "" if found else "X-Ray has no whole trace of the run (yet, or they go elsewhere)"
    return _match(len(found), matched, why)


def _fill(
    call: TracedCall, rows: Mapping[str, int], calls: Mapping[str, int], traces: Traces
) -> bool:
    """Writes one trace where its request is known; times that a log told stay."""
    row = rows.get(call.request_id or "", calls.get(call.function_request_id or ""))
    if row is None:
        return False
    trace = traces[row]
    for name in _TIMES:
        value = getattr(call, name)
        if value is not None and np.isnan(trace[name]):
            trace[name], trace["has_xray"] = value, True
    return True


def _match(wanted: int, matched: int, why: str) -> LogMatch:
    return LogMatch(
        source="xray",
        wanted=wanted,
        matched=matched,
        matched_share=matched / wanted if wanted else None,
        lines=wanted,
        why=why,
    )
