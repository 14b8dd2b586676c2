"""REPORT lines of a function in the time of a run, into the traces of the requests they are of.

They are joined by the id of the call, which the access log has as `$context.integration.requestId`.
Without it nothing says which request a line belongs to: then there are only totals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.aws.functions import FunctionLog
from core.aws.log_events import NO_GROUP, version_of_stream
from core.aws.report_line import Report, reports_in
from core.aws.session import AwsSession
from core.errors import AwsError
from loadgen.records import Records
from loadgen.telemetry.log_reading import GroupReader
from loadgen.telemetry.sampling import LogSlice, Rows
from loadgen.telemetry.subject import CalledFunction
from loadgen.telemetry.traces import Traces
from reports.load_telemetry import ReportTotals

_PATTERN = '?"REPORT RequestId:" ?"platform.report"'
# A function may have been called by others at the same time: so many lines are kept.
_MOST_LINES = 400_000


@dataclass(slots=True)
class ReportWatch:
    """Collects the REPORT lines of one function; `waits` is whether another look may find more.

    `calls` are the rows of calls by their id, as far as the access log has told them so far.
    """

    session: AwsSession
    called: CalledFunction
    log: FunctionLog
    records: Records
    slices: list[LogSlice]
    started_s: float
    calls: Mapping[str, int]
    sampled: bool = False
    waits: bool = True
    lines: int = 0
    why: str = ""
    _group: GroupReader = field(init=False)
    _found: dict[str, tuple[Report, str]] = field(default_factory=dict)  # with its version
    _parts: list[LogSlice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._group = GroupReader(
            self.session, self.log.group, _PATTERN, self.started_s, self.sampled
        )
        steps = self.records["step"]
        self._parts = [
            LogSlice(rows)
            for part in self.slices
            if len(rows := part.rows[np.isin(steps[part.rows], self.called.steps)])
        ]
        if not self.log.has_reports:
            self.why = (
                f"function {self.called.calls.function} writes no REPORT lines: its "
                "LoggingConfig.SystemLogLevel is WARN"
            )
        self.waits = not self.why and bool(self._parts)

    def look(self, now_s: float) -> None:
        """Reads what is there now."""
        if self.why:
            return
        try:
            for part in self._parts:
                missing = self._missing(part) if self.lines else part.rows
                if len(missing):
                    self._read(part, missing)
        except AwsError as error:
            hint = " (no call has logged yet)" if error.code == NO_GROUP else ""
            self.why = f"REPORT lines could not be read: {error}{hint}"
        if self._group.is_spent or len(self._found) >= _MOST_LINES:
            self.why = "there were more REPORT lines to read than one run asks for"
        self.waits = not self.why and any(len(self._missing(part)) for part in self._parts)

    def fill(self, traces: Traces) -> None:
        """Writes what was found into the traces of the requests that it belongs to."""
        for name, row in self.calls.items():
            report, version = self._found.get(name, (None, ""))
            if report is None:
                continue
            trace = traces[row]
            trace["has_report"] = True
            trace["duration_ms"], trace["billed_ms"] = report.duration_ms, report.billed_ms
            # What did not happen took no time, which is known here.
            trace["init_ms"], trace["restore_ms"] = report.init_ms or 0.0, report.restore_ms or 0.0
            trace["version"] = version.encode()

    def totals(self) -> ReportTotals | None:
        """All lines together; None where there is none."""
        reports = [report for report, _ in self._found.values()]
        if not reports:
            return None
        durations_ms = [report.duration_ms for report in reports]
        durations = np.percentile(durations_ms, (50, 95, 99))
        starts = [report.start_ms for report in reports if report.cold]
        billed_starts_ms = sum(billed_start_ms(report) for report in reports)
        return ReportTotals(
            lines=len(reports),
            cold=len(starts),
            duration_p50_ms=float(durations[0]),
            duration_p95_ms=float(durations[1]),
            duration_p99_ms=float(durations[2]),
            duration_mean_ms=float(np.mean(durations_ms)),
            init_p50_ms=float(np.median(starts)) if starts else None,
            billed_mean_ms=float(np.mean([report.billed_ms for report in reports])),
            billed_start_mean_ms=billed_starts_ms / len(reports),
        )

    def _missing(self, part: LogSlice) -> Rows:
        """Rows of a slice whose call ran and whose line is not there yet."""
        rows = set(part.rows.tolist())
        missing = [
            row for name, row in self.calls.items() if row in rows and name not in self._found
        ]
        return np.array(missing, np.intp)

    def _read(self, part: LogSlice, rows: Rows) -> None:
        function = self.called.calls.function
        for event in self._group.events(self.records, part, rows):
            version = version_of_stream(event.stream, function)
            if version is None or len(self._found) >= _MOST_LINES:
                continue
            self.lines += 1
            for report in reports_in(event.message):
                self._found[report.request_id] = (report, version)


def billed_start_ms(report: Report) -> float:
    """What of a billed duration is INIT or restore: the rest over the call, which is rounded up."""
    if not report.cold:
        return 0.0
    return max(report.billed_ms - math.ceil(report.duration_ms), 0.0)
