"""The lines that the platform itself writes to a function's log, as text or as JSON.

Text: INIT_START, INIT_REPORT, START, END and REPORT, with tabs and decimals as AWS prints them.
JSON: the objects of the same events (`platform.start`, `platform.report`, ...). Those of what goes
well are of level INFO, so the system log level WARN hides them; those of failures are of level WARN
(Lambda developer guide, "System log level event mapping", read 2026-09).
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from sandbox.execution.contract import Report, VersionSpec
from sandbox.execution.faults import Fault

Phase = Literal["init", "invoke"]
_BILLED_RESTORE = 0.2


def new_log_stream(version: str, now: datetime) -> str:
    """The name of the log stream of a new environment; no other has it."""
    return f"{now:%Y/%m/%d}/[{version}]{uuid.uuid4().hex}"


def report_of(
    *,
    duration_ms: float,
    init_ms: float | None,
    max_memory_used_mb: float,
    memory_mb: int,
    fault: Fault | None,
    restore_ms: float | None = None,
    is_init_billed: bool = True,
) -> Report:
    """The numbers of an invocation as AWS rounds them.

    Init counts into the billed duration (since 2025-08), and so does the billed part of a restore.
    That of an environment made ahead is shown by its first invocation, and billed with what is
    provisioned. Memory never shows more than the function has.
    """
    shown_ms = round(duration_ms, 2)
    shown_init_ms = None if init_ms is None else round(init_ms, 2)
    # What happens outside of the environment is not billed: AWS's own example has 55 of 301 ms.
    billed_restore_ms = None if restore_ms is None else math.ceil(restore_ms * _BILLED_RESTORE)
    billed_init_ms = shown_init_ms if shown_init_ms is not None and is_init_billed else 0.0
    billed_ms = math.ceil(round(shown_ms + billed_init_ms, 2)) + (billed_restore_ms or 0)
    return Report(
        duration_ms=shown_ms,
        billed_ms=max(1, billed_ms),
        max_memory_used_mb=min(memory_mb, math.ceil(max_memory_used_mb)),
        init_ms=shown_init_ms,
        status="success" if fault is None else fault.status,
        error_type=None if fault is None else fault.error_type,
        restore_ms=None if restore_ms is None else round(restore_ms, 2),
        billed_restore_ms=billed_restore_ms,
    )


class PlatformLog:
    """Writes the platform's lines for one version of a function."""

    def __init__(self, spec: VersionSpec) -> None:
        self._spec = spec
        self._is_json = spec.log_format == "JSON"
        self._hides_info = self._is_json and spec.system_log_level == "WARN"

    def init_start(self, now: datetime) -> bytes:
        """A new environment begins to load the function."""
        if self._hides_info:
            return b""
        version, arn = _runtime_version(self._spec)
        if self._is_json:
            record = {
                "initializationType": self._spec.initialization,
                "phase": "init",
                "runtimeVersion": version,
                "runtimeVersionArn": arn,
                "functionName": self._spec.function_name,
                "functionVersion": self._spec.version,
                "instanceMaxMemory": self._spec.memory_mb * 1024 * 1024,
            }
            return _event("platform.initStart", record, now)
        return f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}\n".encode()

    def restored(self, restore_ms: float, now: datetime) -> bytes:
        """A new environment was made from a snapshot."""
        if self._hides_info:
            return b""
        version, arn = _runtime_version(self._spec)
        if self._is_json:
            start = {"runtimeVersion": version, "runtimeVersionArn": arn}
            report = {"status": "success", "metrics": {"durationMs": round(restore_ms, 3)}}
            started = _event("platform.restoreStart", start, now)
            return started + _event("platform.restoreReport", report, now)
        return (
            f"RESTORE_START Runtime Version: {version}\tRuntime Version ARN: {arn}\n"
            f"RESTORE_REPORT Restore Duration: {restore_ms:.2f} ms\n"
        ).encode()

    def init_report(
        self,
        now: datetime,
        *,
        init_ms: float,
        phase: Phase,
        status: Literal["error", "timeout"],
        error_type: str | None = None,
    ) -> bytes:
        """A function did not load. AWS writes nothing like it when Init succeeds."""
        if self._is_json:
            record: dict[str, object] = {
                "initializationType": self._spec.initialization,
                "phase": phase,
                "status": status,
                "metrics": {"durationMs": round(init_ms, 3)},
            }
            if error_type is not None:
                record["errorType"] = error_type
            return _event("platform.initReport", record, now)
        fields = [f"INIT_REPORT Init Duration: {init_ms:.2f} ms", f"Phase: {phase}"]
        fields.append(f"Status: {status}")
        if error_type is not None:
            fields.append(f"Error Type: {error_type}")
        return ("\t".join(fields) + "\n").encode()

    def start(self, request_id: str, now: datetime) -> bytes:
        """An invocation begins."""
        if self._hides_info:
            return b""
        if self._is_json:
            record = {"requestId": request_id, "version": self._spec.version}
            return _event("platform.start", record, now)
        return f"START RequestId: {request_id} Version: {self._spec.version}\n".encode()

    def report(
        self, request_id: str, report: Report, now: datetime, *, by_platform: bool = False
    ) -> bytes:
        """An invocation ended; the text form has the END line before it.

        A text line states the error only when the platform saw it (`by_platform`).
        """
        if self._hides_info and report.status == "success":
            return b""
        if self._is_json:
            return _event("platform.report", self._report_record(request_id, report), now)
        fields = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {report.duration_ms:.2f} ms",
            f"Billed Duration: {report.billed_ms} ms",
            f"Memory Size: {self._spec.memory_mb} MB",
            f"Max Memory Used: {report.max_memory_used_mb} MB",
        ]
        if report.init_ms is not None:
            fields.append(f"Init Duration: {report.init_ms:.2f} ms")
        if report.restore_ms is not None:
            fields.append(f"Restore Duration: {report.restore_ms:.2f} ms")
            fields.append(f"Billed Restore Duration: {report.billed_restore_ms} ms")
        line = "\t".join(fields) + "\t"
        if report.status == "timeout":
            line += "Status: timeout"
        elif report.status == "error" and by_platform:
            line += f"Status: error\tError Type: {report.error_type}"
        return f"END RequestId: {request_id}\n{line}\n".encode()

    def logs_dropped(self, dropped_bytes: int, now: datetime) -> bytes:
        """The sandbox did not keep all that the handler printed; nothing when it did."""
        if dropped_bytes == 0:
            return b""
        reason = "the sandbox keeps the end of what a function prints"
        if self._is_json:
            record = {"reason": reason, "droppedBytes": dropped_bytes}
            return _event("platform.logsDropped", record, now)
        return f"[sandbox] {dropped_bytes} bytes before were dropped: {reason}\n".encode()

    def _report_record(self, request_id: str, report: Report) -> dict[str, object]:
        metrics: dict[str, float] = {
            "durationMs": report.duration_ms,
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": self._spec.memory_mb,
            "maxMemoryUsedMB": report.max_memory_used_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = report.init_ms
        if report.restore_ms is not None and report.billed_restore_ms is not None:
            metrics["restoreDurationMs"] = report.restore_ms
            metrics["billedRestoreDurationMs"] = report.billed_restore_ms
        record: dict[str, object] = {"requestId": request_id, "status": report.status}
        if report.status == "error" and report.error_type is not None:
            record["errorType"] = report.error_type
        return record | {"metrics": metrics}


def _event(kind: str, record: Mapping[str, object], now: datetime) -> bytes:
    time = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
    document = {"time": time, "type": kind, "record": record}
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _runtime_version(spec: VersionSpec) -> tuple[str, str]:
    """`python:3.11.v1` and an ARN that is the same for the same runtime, as on AWS."""
    family = spec.runtime.split(".")[0].rstrip("0123456789")
    version = f"{family}:{spec.runtime.removeprefix(family).lstrip('.') or '1'}.v1"
    region = spec.function_arn.split(":")[3] if spec.function_arn.count(":") >= 3 else "us-east-1"
    digest = hashlib.sha256(version.encode()).hexdigest()
    return version, f"arn:aws:lambda:{region}::runtime:{digest}"
