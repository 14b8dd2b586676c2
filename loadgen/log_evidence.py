"""What the logs of a stage say about single requests, joined by request id.

The access log tells refusals of the gateway (THROTTLED, QUOTA_EXCEEDED, WAF_FILTERED, ...) from
those of what lies behind it, and a throttle of Lambda from other 5xx. Only the execution log of a
REST API names a usage plan; it is asked as well where it is on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.aws.access_log import AccessLine, AccessLogReader, access_log_reader, canary_group
from core.aws.log_events import NO_GROUP, filter_events
from core.aws.session import AwsSession
from core.errors import AwsError
from loadgen.limits import Limits
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.records import Records
from loadgen.target import ApiRef

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# Clocks of this machine and of AWS may differ, and a line has the time of the answer.
_SLACK_MS = 60_000
# Some 2,500 lines a page, at 5 to 10 pages a second.
_MAX_PAGES = 100
# Lines of execution logs that name a usage plan, as support articles quote them:
# "(id) Key throttle limit exceeded for Usage Plan ID x, Stage prod, ... Limit: 5.00 Burst: 10".
_PLAN_LINE = re.compile(
    r"\((?P<id>[^)\s]+)\).*?Key (?P<what>throttle limit exceeded|quota exhausted)"
    r".*?(?:Limit: (?P<rate>[\d.]+) Burst: (?P<burst>\d+)|$)"
)
_PLAN_PATTERN = '"Usage Plan ID"'

_Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Found:
    """Rows whose lines were found, with the kind that they have now."""

    rows: _Rows
    kinds: NDArray[np.uint16]


@dataclass(slots=True)
class LogEvidence:
    """Looks requests up in the logs of one stage.

    `unreadable` says why there is no access log to read; `may_come` whether looking again later
    could find more.
    """

    session: AwsSession
    api: ApiRef
    limits: Limits
    started_unix_s: float
    unreadable: str | None = None
    notes: list[str] = field(default_factory=list)
    _reader: AccessLogReader | None = None
    _group: str | None = None
    _logs: CloudWatchLogsClient | None = None
    _pages_left: int = _MAX_PAGES

    def __post_init__(self) -> None:
        log = self.api.settings.access_log if self.api.settings else None
        if log is None:
            self.unreadable = f"stage {self.api.stage} has no access log"
        elif log.group is None:
            self.unreadable = f"the access log of stage {self.api.stage} goes to Firehose"
        else:
            self._group = log.group
            self._reader = access_log_reader(log.format, rest=self.api.kind == "rest")
            if self._reader is None:
                self.unreadable = (
                    f"the access log of stage {self.api.stage} has no $context.requestId"
                )

    @property
    def may_come(self) -> bool:
        """Whether a later look could find more."""
        return self.unreadable is None and self._pages_left > 0

    @property
    def ended_early(self) -> bool:
        """Whether there was more to read than a run should ask for."""
        return self._pages_left <= 0

    @property
    def tells_lambda(self) -> bool:
        """Whether lines say what Lambda answered."""
        return self._reader is not None and "integration_status" in self._reader.fields

    def look(self, records: Records, rows: _Rows, kinds: NDArray[np.uint16]) -> Found:
        """What the logs say now about `rows`, which have the given kinds.

        Errors are looked up before throttles, of which there may be very many.

        Raises:
            AwsError: a log cannot be read.
        """
        throttled = records["status"][rows] == 429
        found = self._named_plans(records, rows[throttled])
        rows, throttled = (part[~np.isin(rows, list(found))] for part in (rows, throttled))
        for chosen in (rows[~throttled], rows[throttled]):
            if self._reader is not None and len(chosen):
                found |= self._lines(self._reader, records, chosen, kinds)
        return Found(np.array(list(found), np.intp), np.array(list(found.values()), np.uint16))

    def _lines(
        self, reader: AccessLogReader, records: Records, rows: _Rows, kinds: NDArray[np.uint16]
    ) -> dict[int, int]:
        """The kinds of rows whose lines are in the access log."""
        waiting = _by_request_id(records, rows)
        pattern = reader.pattern(records["status"][rows].tolist())
        found: dict[int, int] = {}
        for message in self._access_messages(pattern, self._window(records, rows)):
            line = reader.read(message)
            row = None if line is None else waiting.pop(line.request_id.encode(), None)
            if line is not None and row is not None:
                found[row] = kind_by_line(line, Kind.of(int(kinds[row]))).code
            if not waiting:
                break
        return found

    def _access_messages(self, pattern: str, window: tuple[int, int]) -> Iterator[str]:
        """Lines of the access log, and of the canary's own one where the stage has a canary."""
        group, stage = self._group or "", self.api.settings
        yield from self._messages(group, pattern, window)
        if stage is None or not stage.canary:
            return
        try:
            yield from self._messages(canary_group(group), pattern, window)
        except AwsError as error:
            # The group comes with the canary's first request.
            note = f"the access log of the canary could not be read: {error}"
            if error.code != NO_GROUP and note not in self.notes:
                self.notes.append(note)

    def _window(self, records: Records, rows: _Rows) -> tuple[int, int]:
        begin_us = int(records["start_us"][rows].min())
        end_us = int((records["start_us"][rows] + records["service_us"][rows]).max())
        start_ms = int(self.started_unix_s * 1000)
        return start_ms + begin_us // 1000 - _SLACK_MS, start_ms + end_us // 1000 + _SLACK_MS

    def _messages(self, group: str, pattern: str, window: tuple[int, int]) -> Iterator[str]:
        pages = filter_events(
            self._client(),
            group,
            pattern,
            start_ms=max(0, window[0]),
            end_ms=window[1],
            max_pages=self._pages_left,
        )
        for page in pages:
            self._pages_left -= 1
            yield from page

    def _client(self) -> CloudWatchLogsClient:
        if self._logs is None:
            self._logs = self.session.logs()
        return self._logs

    def _named_plans(self, records: Records, rows: _Rows) -> dict[int, int]:
        """The kinds of rows of which the execution log names the usage plan."""
        stage = self.api.settings
        if stage is None or not stage.logs_executions or not len(rows):
            return {}
        group = f"API-Gateway-Execution-Logs_{self.api.id}/{stage.name}"
        waiting = _by_request_id(records, rows)
        found: dict[int, int] = {}
        try:
            for message in self._messages(group, _PLAN_PATTERN, self._window(records, rows)):
                line = _PLAN_LINE.search(message)
                row = None if line is None else waiting.pop(line["id"].encode(), None)
                if line is not None and row is not None:
                    found[row] = self._of_plan(line).code
        except AwsError as error:
            note = f"the execution log could not be read: {error}"
            if note not in self.notes:
                self.notes.append(note)
        return found

    def _of_plan(self, line: re.Match[str]) -> Kind:
        cause = Cause.QUOTA
        if line["what"].startswith("throttle"):
            cause = Cause.USAGE_PLAN
            for step in self.limits.steps:
                for bucket in step.buckets:
                    same = line["rate"] == f"{bucket.rate_rps:.2f}" and line["burst"] == str(
                        bucket.burst
                    )
                    if bucket.layer == Cause.USAGE_PLAN_METHOD and same:
                        cause = Cause.USAGE_PLAN_METHOD
        return Kind(Outcome.THROTTLED, cause, Evidence.ACCESS_LOG)


def _by_request_id(records: Records, rows: _Rows) -> dict[bytes, int]:
    return dict(zip(records["request_id"][rows].tolist(), rows.tolist(), strict=True))


_BY_ERROR_TYPE = {
    "THROTTLED": (Outcome.THROTTLED, Cause.THROTTLE),
    "QUOTA_EXCEEDED": (Outcome.THROTTLED, Cause.QUOTA),
    "WAF_FILTERED": (Outcome.CLIENT_ERROR, Cause.WAF),
    "INTEGRATION_TIMEOUT": (Outcome.SERVER_ERROR, Cause.INTEGRATION_TIMEOUT),
    "ACCESS_DENIED": (Outcome.CLIENT_ERROR, Cause.AUTHORIZER),
    "EXPIRED_TOKEN": (Outcome.CLIENT_ERROR, Cause.AUTHORIZER),
    "INVALID_API_KEY": (Outcome.CLIENT_ERROR, Cause.AUTHORIZER),
    "INVALID_SIGNATURE": (Outcome.CLIENT_ERROR, Cause.AUTHORIZER),
    "MISSING_AUTHENTICATION_TOKEN": (Outcome.CLIENT_ERROR, Cause.AUTHORIZER),
    "UNAUTHORIZED": (Outcome.CLIENT_ERROR, Cause.AUTHORIZER),
}

LAMBDA_THROTTLE = Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.ACCESS_LOG)
_NOBODY = (Cause.NONE, Cause.UNKNOWN)


def kind_by_line(line: AccessLine, before: Kind) -> Kind:
    """The kind of a request by its line of the access log; `before` where that adds nothing.

    Lambda's 429 reaches the client as a 5xx; an integration's own 429 is passed on.
    """
    if line.integration_status == 429 and before.outcome == Outcome.SERVER_ERROR:
        return LAMBDA_THROTTLE
    known = _BY_ERROR_TYPE.get(line.error_type or "")
    if known is not None:
        return Kind(*known, Evidence.ACCESS_LOG)
    answered = line.integration_status is not None and line.integration_status < 400
    if answered and before.outcome == Outcome.SERVER_ERROR and before.cause in _NOBODY:
        # Lambda ran the function: its own 5xx, an exception, or an answer that is no response.
        return Kind(Outcome.SERVER_ERROR, Cause.APPLICATION, Evidence.ACCESS_LOG)
    if line.error_type is not None or line.integration_status is None:
        return before
    if before.outcome == Outcome.THROTTLED:
        return Kind(Outcome.THROTTLED, Cause.APPLICATION, Evidence.ACCESS_LOG)
    if before.cause == Cause.UNKNOWN and answered:
        return Kind(before.outcome, Cause.APPLICATION, Evidence.ACCESS_LOG)
    return before
