"""Finds the REPORT of a call in its log group, where the tail of the answer does not hold it.

The tail is the last 4 KB of a log, and an extension may print more than that after the REPORT. Log
events can be read some seconds after they were printed, so each search has several tries.
FilterLogEvents is free of charge; all that searches do is bounded in tries, pages and seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from core.aws.invocation import Invocation
from core.aws.log_events import filter_events
from core.aws.report_line import Report, parse_report
from core.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# Before each further try; 30 s in all. What is usual is some seconds, AWS gives no figure.
_PAUSES_S = (1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0, 5.0)
# A page is 1 MB of what was logged in the time of the call, by all traffic of the function.
_MAX_PAGES = 10
# Dates of answers have whole seconds; a REPORT may come after the answer, where extensions go on.
_BEFORE, _AFTER = timedelta(seconds=10), timedelta(minutes=2)
# Where two searches found nothing in their time, a third would not either.
_MAX_IN_VAIN = 2
_NO_GROUP, _NOT_ALLOWED = "ResourceNotFoundException", "AccessDeniedException"


@dataclass(slots=True)
class ReportSearch:
    """Searches `group`, which is read with a client that is only made when it is needed.

    `is_json` is the function's log format. `wait(seconds)` sleeps between tries and returns True
    when the search shall stop. `found` counts what was found, `problem` says why the last search
    found nothing. Threads may share it.
    """

    connect: Callable[[], CloudWatchLogsClient]
    group: str
    is_json: bool
    wait: Callable[[float], bool]
    found: int = 0
    problem: str | None = None
    _in_vain: int = 0
    _client: CloudWatchLogsClient | None = None
    _lock: Lock = field(default_factory=Lock)

    def find(self, invocation: Invocation) -> Report | None:
        """The REPORT of `invocation`; None where it is not found, or where `wait` says to stop."""
        missing = f"it was not in log group {self.group} within {sum(_PAUSES_S):.0f} s either"
        for pause_s in (0.0, *_PAUSES_S):
            if self._in_vain >= _MAX_IN_VAIN or (pause_s and self.wait(pause_s)):
                return None
            try:
                report = self._look(invocation)
            except AwsError as error:
                # A group comes into being with the first event in it.
                if error.code != _NO_GROUP:
                    self._failed(_reason(error), _MAX_IN_VAIN)
                    return None
                missing = (
                    f"log group {self.group} does not exist (may the function's role write it?)"
                )
                continue
            if report is not None:
                with self._lock:
                    self.found, self._in_vain = self.found + 1, 0
                return report
        self._failed(missing, 1)
        return None

    def _look(self, invocation: Invocation) -> Report | None:
        kind = "platform.report" if self.is_json else "REPORT"
        began = invocation.ended - timedelta(milliseconds=invocation.wall_ms)
        pages = filter_events(
            self._connected(),
            self.group,
            f'"{kind}" "{invocation.request_id}"',
            start_ms=_unix_ms(began - _BEFORE),
            end_ms=_unix_ms(invocation.ended + _AFTER),
            max_pages=_MAX_PAGES,
        )
        for messages in pages:
            report = parse_report("\n".join(messages), invocation.request_id)
            if report is not None:
                return report
        return None

    def _connected(self) -> CloudWatchLogsClient:
        with self._lock:
            self._client = self._client or self.connect()
            return self._client

    def _failed(self, problem: str, times: int) -> None:
        with self._lock:
            self.problem = problem
            self._in_vain += times


def _reason(error: AwsError) -> str:
    hint = " (allow logs:FilterLogEvents on it)" if error.code == _NOT_ALLOWED else ""
    return f"{error}{hint}"


def _unix_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
