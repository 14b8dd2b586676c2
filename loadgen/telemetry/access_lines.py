"""The access log of a stage, line by line, into the traces of requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from core.aws.access_log import AccessLine, AccessLogReader, access_log_reader, canary_group
from core.aws.log_events import NO_GROUP
from core.aws.session import AwsSession
from core.errors import AwsError
from loadgen.records import Records
from loadgen.target import ApiRef
from loadgen.telemetry.log_reading import GroupReader
from loadgen.telemetry.sampling import LogSlice, Rows
from loadgen.telemetry.traces import CANARY, NO_CANARY, UNKNOWN, Traces
from reports.load_telemetry import LogMatch

_FIRST_REFUSAL = 300  # of Lambda: the call did not run, so no REPORT line is to come
_THROTTLED = 429  # of Lambda; the client sees a 5xx
LATE = "lines come up to some minutes late; loadgen collect looks again"


@dataclass(slots=True)
class AccessWatch:
    """Finds the lines of requests; `waits` is whether another look may find more.

    `calls` has the row of each call of a function that ran, by the id that its REPORT line has.
    """

    session: AwsSession
    api: ApiRef
    records: Records
    traces: Traces
    slices: list[LogSlice]
    started_s: float
    sampled: bool = False
    waits: bool = True
    calls: dict[str, int] = field(default_factory=dict)
    lines: int = 0
    _why: str = ""
    _of_canary: str = ""  # why its own log is missing
    _reader: AccessLogReader | None = None
    _groups: list[tuple[GroupReader, int]] = field(default_factory=list)  # with what lines are of
    _waiting: list[dict[str, int]] = field(default_factory=list)  # by slice: rows by request id

    def __post_init__(self) -> None:
        # What an earlier look found whole is not looked for again.
        done = self.traces["has_log"] & self.traces["has_report"]
        for part in self.slices:
            rows = part.rows[~done[part.rows]]
            names = self.records["request_id"][rows].tolist()
            self._waiting.append(
                {
                    name.decode("ascii", "replace"): row
                    for name, row in zip(names, rows.tolist(), strict=True)
                }
            )
        self._why = self._open()
        self.waits = not self._why and any(self._waiting)

    @property
    def names_calls(self) -> bool:
        """Whether lines have the id that REPORT lines have."""
        return self._reader is not None and "function_request_id" in self._reader.fields

    def look(self, now_s: float) -> None:
        """Reads what is there now; lines that were found are not looked for again."""
        try:
            for part, waiting in zip(self.slices, self._waiting, strict=True):
                for group, canary in self._groups:
                    if waiting and not group.is_spent:
                        self._read(group, canary, part, waiting)
        except AwsError as error:
            self._why, self.waits = f"the access log could not be read: {error}", False
            return
        spent = any(group.is_spent for group, _ in self._groups)
        if spent and any(self._waiting):
            self._why = "there was more to read than one run asks for"
        self.waits = not self._why and any(self._waiting)

    def match(self, *, settled: bool) -> LogMatch:
        """How many of the requests were found; `settled`: no more lines are to come."""
        wanted = sum(len(part.rows) for part in self.slices)
        matched = int(self.traces["has_log"].sum())
        why = ""
        if matched < wanted:
            missing = "the log has no line of the others" if settled else LATE
            why = self._why or self._of_canary or missing
        elif not wanted:
            why = self._why
        return LogMatch(
            source="access_log",
            wanted=wanted,
            matched=matched,
            matched_share=matched / wanted if wanted else None,
            lines=self.lines,
            why=why,
        )

    @property
    def _tells_authorizers(self) -> bool:
        return self._reader is not None and "authorizer_latency" in self._reader.fields

    def _open(self) -> str:
        """Why there is nothing to read; empty where there is."""
        stage = self.api.settings
        if stage is None:
            return "the stage could not be read, so its access log is unknown"
        if stage.access_log is None:
            return f"stage {stage.name} has no access log"
        if stage.access_log.group is None:
            return f"the access log of stage {stage.name} goes to Firehose"
        self._reader = access_log_reader(stage.access_log.format, rest=self.api.kind == "rest")
        if self._reader is None:
            return f"the access log of stage {stage.name} has no $context.requestId"
        group = stage.access_log.group
        self._groups = [(self._group(group), NO_CANARY if stage.canary else UNKNOWN)]
        if stage.canary:
            self._groups.append((self._group(canary_group(group)), CANARY))
        return ""

    def _group(self, name: str) -> GroupReader:
        return GroupReader(self.session, name, "", self.started_s, self.sampled)

    def _read(
        self, group: GroupReader, canary: int, part: LogSlice, waiting: dict[str, int]
    ) -> None:
        rows = np.fromiter(waiting.values(), np.intp, len(waiting))
        try:
            for line in self._lines(group, part, rows):
                row = waiting.pop(line.request_id, None)
                if row is not None:
                    self.traces["canary"][row] = canary
                    self._note(row, line)
                if not waiting:
                    return
        except AwsError as error:
            if canary != CANARY:
                raise
            # The group comes with the canary's first request: what is missing stays unmatched.
            denied = error.code != NO_GROUP
            self._of_canary = f"that of the canary could not be read: {error}" if denied else ""

    def _lines(self, group: GroupReader, part: LogSlice, rows: Rows) -> Iterator[AccessLine]:
        reader = self._reader
        if reader is None:
            return
        for event in group.events(self.records, part, rows):
            self.lines += 1
            line = reader.read(event.message)
            if line is not None:
                yield line

    def _note(self, row: int, line: AccessLine) -> None:
        trace = self.traces[row]
        trace["has_log"] = True
        if line.canary is not None:
            trace["canary"] = CANARY if line.canary else NO_CANARY
        for name, value in (
            ("latency_ms", line.latency_ms),
            ("integration_ms", line.integration_ms),
            ("authorizer_ms", line.authorizer_ms),
        ):
            if value is not None:
                trace[name] = value
        ran = line.integration_status is None or line.integration_status < _FIRST_REFUSAL
        if line.authorizer_ms is None and self._tells_authorizers:
            trace["authorizer_ms"] = 0.0  # none was asked, or its answer was known
        trace["throttled"] = line.integration_status == _THROTTLED
        if line.function_request_id is not None and ran:
            self.calls[line.function_request_id] = row
