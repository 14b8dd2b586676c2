"""Reads the numbers that Lambda logs for one invocation: its REPORT, as text or as JSON.

The log tail of an Invoke is the last 4 KB: its first line may be cut, application lines may look
like a report, extensions may print after it. So the last report that carries the request id of
the invocation counts, and a report that is not there is None, never a zero.

Formats: "Understanding Lambda log formats" and the Telemetry API schema (2025-01-29).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

_REPORT_START = "REPORT RequestId:"
# A key, its number and its unit: "Billed Restore Duration: 55 ms". Keys are matched whole, since
# four of them end in "Duration".
_FIELD = re.compile(r"^\s*([A-Z][A-Za-z ]*?):\s*(.*?)\s*$")
_NUMBER = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|MB)$")
# The X-Ray part may follow a tab or a new line, so fields are cut at either.
_SEPARATORS = re.compile(r"[\t\r\n]+")
# A day in ms, and far above any size in MB: a larger figure was not printed by Lambda.
_LARGEST = 86_400_000.0


@dataclass(frozen=True, slots=True)
class Report:
    """One invocation as Lambda reported it; times in ms as printed, memory in MB.

    `billed_ms` already contains INIT (since 2025-08-01) and the billed part of a restore: add
    nothing to it. `duration_ms` contains neither.
    """

    request_id: str
    duration_ms: float
    billed_ms: float
    memory_mb: int
    max_memory_used_mb: int | None
    init_ms: float | None = None
    restore_ms: float | None = None
    billed_restore_ms: float | None = None
    status: str | None = None
    error_type: str | None = None
    xray_trace_id: str | None = None

    @property
    def cold(self) -> bool:
        """Whether this invocation started an environment."""
        return self.init_ms is not None or self.restore_ms is not None

    @property
    def start_ms(self) -> float:
        """What the start of the environment took before the handler, 0 when warm."""
        return (self.init_ms or 0.0) + (self.restore_ms or 0.0)


def decode_log_tail(log_result: str) -> str:
    """The text of Invoke's base64 `LogResult`; a character cut in two becomes U+FFFD."""
    try:
        return base64.b64decode(log_result, validate=True).decode("utf-8", errors="replace")
    except (binascii.Error, ValueError):
        return ""


def parse_report(log: str, request_id: str) -> Report | None:
    """The last REPORT of `request_id` in `log`, or None when there is none that can be read."""
    reports = [report for report in reports_in(log) if report.request_id == request_id]
    return reports[-1] if reports else None


def reports_in(log: str) -> Iterator[Report]:
    """All REPORTs in `log`, whatever invocation they are of, as they stand there."""
    lines = log.splitlines()
    for index, line in enumerate(lines):
        # An application that prints without a newline leaves its text before the REPORT.
        start = line.rfind(_REPORT_START)
        if start >= 0:
            following = lines[index + 1] if index + 1 < len(lines) else ""
            continuation = following if following.startswith("XRAY TraceId:") else ""
            report = _from_text(line[start:] + "\n" + continuation)
        elif "platform.report" in line:
            report = _from_json(line)
        else:
            continue
        if report is not None:
            yield report


def _from_text(line: str) -> Report | None:
    fields: dict[str, str] = {}
    for part in _SEPARATORS.split(line):
        match = _FIELD.match(part)
        if match:
            fields.setdefault(match.group(1).removeprefix("REPORT "), match.group(2))
    duration, billed = _quantity(fields, "Duration"), _quantity(fields, "Billed Duration")
    memory = _quantity(fields, "Memory Size")
    if duration is None or billed is None or memory is None:
        return None
    used = _quantity(fields, "Max Memory Used")
    return Report(
        request_id=fields.get("RequestId", ""),
        duration_ms=duration,
        billed_ms=billed,
        memory_mb=int(memory),
        max_memory_used_mb=None if used is None else int(used),
        init_ms=_quantity(fields, "Init Duration"),
        restore_ms=_quantity(fields, "Restore Duration"),
        billed_restore_ms=_quantity(fields, "Billed Restore Duration"),
        status=fields.get("Status"),
        error_type=fields.get("Error Type"),
        xray_trace_id=fields.get("XRAY TraceId"),
    )


def _quantity(fields: Mapping[str, str], key: str) -> float | None:
    match = _NUMBER.match(fields.get(key, ""))
    return _credible(float(match.group(1))) if match else None


def _credible(value: float) -> float | None:
    return float(value) if 0 <= value <= _LARGEST else None


def _from_json(line: str) -> Report | None:
    try:
        event = json.loads(line[line.index("{") :])
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or event.get("type") != "platform.report":
        return None
    record = event.get("record")
    if not isinstance(record, dict) or not isinstance(record.get("metrics"), dict):
        return None
    metrics = cast("Mapping[str, object]", record["metrics"])
    duration, billed = _metric(metrics, "durationMs"), _metric(metrics, "billedDurationMs")
    memory = _metric(metrics, "memorySizeMB")
    if duration is None or billed is None or memory is None:
        return None
    used = _metric(metrics, "maxMemoryUsedMB")
    return Report(
        request_id=str(record.get("requestId", "")),
        duration_ms=duration,
        billed_ms=billed,
        memory_mb=int(memory),
        max_memory_used_mb=None if used is None else int(used),
        init_ms=_metric(metrics, "initDurationMs"),
        restore_ms=_metric(metrics, "restoreDurationMs"),
        billed_restore_ms=_metric(metrics, "billedRestoreDurationMs"),
        status=_text(record, "status"),
        error_type=_text(record, "errorType"),
        xray_trace_id=_trace_id(record),
    )


def _metric(metrics: Mapping[str, object], key: str) -> float | None:
    value = metrics.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _credible(value)


def _text(record: Mapping[str, object], key: str) -> str | None:
    value = record.get(key)
    return value if isinstance(value, str) else None


def _trace_id(record: Mapping[str, object]) -> str | None:
    tracing = record.get("tracing")
    value = tracing.get("value") if isinstance(tracing, dict) else None
    match = re.search(r"Root=([^;]+)", value) if isinstance(value, str) else None
    return match.group(1) if match else None
