"""Lines of one log group in the time of a run: read in pages, and again where some are missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.log_events import LogEvent, event_pages
from core.aws.session import AwsSession
from loadgen.records import Records
from loadgen.telemetry.sampling import LogSlice, Rows

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# Clocks of this machine and of AWS may differ; a line has the time at which the call ended, or the
# extensions of it. Less around slices of a sample, which would else be longer than their requests.
_SLACK_MS, _SAMPLE_SLACK_MS = 60_000, 5_000
# Up to 10,000 lines or 1 MB each, at 5 to 10 a second ("CloudWatch Logs quotas", 2026). Lines of an
# access log have up to 1 KB, and each reading again takes as many pages.
_MOST_PAGES = 800


@dataclass(slots=True)
class GroupReader:
    """Reads `group` with FilterLogEvents, which is free of charge; `pattern` chooses lines.

    `started_s` is the Unix time from which times of records count.
    """

    session: AwsSession
    group: str
    pattern: str
    started_s: float
    sampled: bool
    pages_left: int = _MOST_PAGES
    _client: CloudWatchLogsClient | None = None

    def events(
        self, records: Records, part: LogSlice, rows: Rows | None = None
    ) -> Iterator[LogEvent]:
        """Lines of the time of a slice, or of some of its rows.

        Raises:
            AwsError: the group does not exist, or may not be read.
        """
        begin_us, end_us = part.range_us(records, rows)
        slack_ms = _SAMPLE_SLACK_MS if self.sampled else _SLACK_MS
        start_ms = int(self.started_s * 1000)
        if self._client is None:
            self._client = self.session.logs()
        pages = event_pages(
            self._client,
            self.group,
            self.pattern,
            start_ms=max(0, start_ms + begin_us // 1000 - slack_ms),
            end_ms=start_ms + end_us // 1000 + slack_ms,
            max_pages=self.pages_left,
        )
        for page, _ in pages:
            self.pages_left -= 1
            yield from page

    @property
    def is_spent(self) -> bool:
        """Whether it has read as many pages as a run may ask for."""
        return self.pages_left <= 0
