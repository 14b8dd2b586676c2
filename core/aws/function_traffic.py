"""How often a Lambda function is called, by its metrics, and how many calls are cold, by its logs.

Lambda has no metric of cold starts: only REPORT lines say which calls had one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from core.aws.gateway import DENIED
from core.aws.log_events import event_pages, version_of_stream
from core.aws.log_query import Pause, run_query, sleep
from core.aws.report_line import reports_in
from core.aws.session import aws_call
from core.errors import AwsError, Interrupted

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_logs import CloudWatchLogsClient

DAYS_PER_MONTH = 30.4375  # 365.25 / 12
DEFAULT_DAYS = 14

_HOUR_S = 3600
_MAX_POINTS = 1440  # the most that GetMetricStatistics gives at once
# 1 MB or 10,000 lines each, at 5 to 10 pages a second: some 500,000 calls in 20 s.
_MAX_PAGES = 100
_SAID_FROM_USD = 0.01
_GIVE_TRAFFIC = "give it: --requests-per-month N"
_GIVE_SHARE = "give it: --cold-share 2%"

# Streams are `2026/11/26/[version]id`, and in a group that functions share, with the name before
# the bracket ("Configuring CloudWatch log groups", Lambda Developer Guide).
# Text and JSON logs at once, since a function may have changed from one to the other. Logs
# Insights does not discover the fields of a restore in text ("Monitoring for SnapStart").
_QUERY = r"""
filter @type = "REPORT" or type = "platform.report"
| filter @logStream like "/[" or @logStream like "/{function}["
| parse @logStream /\[(?<executed>[^\]]+)\]/
| parse @message /Restore Duration: (?<restore>[0-9.]+) ms/
| stats count(*) as calls, count(@initDuration) as inits, count(restore) as restores,
  count(record.metrics.initDurationMs) as json_inits,
  count(record.metrics.restoreDurationMs) as json_restores by executed, bin(1d) as day
"""
_COLD_COLUMNS = ("inits", "restores", "json_inits", "json_restores")
_PATTERN = '?"REPORT RequestId:" ?"platform.report"'


@dataclass(frozen=True, slots=True)
class Traffic:
    """Calls of a function between two moments, by the metric Invocations.

    They include failed calls, calls of all versions, and those of tunings: some 30 each.
    """

    calls: int
    start: datetime
    end: datetime
    first_calls: date

    @property
    def requests_per_month(self) -> float:
        """The calls of a mean month of 30.4375 days, if they go on like this."""
        return self.calls / ((self.end - self.start) / timedelta(days=1)) * DAYS_PER_MONTH

    @property
    def source(self) -> str:
        """Where the figure is from, and what makes it doubtful."""
        days = f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}"
        said = f"metric Invocations, {days}: {self.calls:,} calls"
        # A function that is younger than the time range has more calls a month than this says.
        late = self.first_calls - self.start.date() > timedelta(days=1)
        return said + (f", none before {self.first_calls}" if late else "")


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """Calls of a function and how many of them were cold (INIT or restore), by its REPORT lines.

    `first` and `last` are the days (UTC) of the first and the last call that was seen.
    `scanned_usd` is about what AWS takes for the search. With `is_partial`, there was more to
    read than one may ask for: then the calls are the oldest ones.
    """

    calls: int
    cold: int
    first: date
    last: date
    scanned_gb: float = 0.0
    scanned_usd: float = 0.0
    is_partial: bool = False

    @property
    def cold_share(self) -> float:
        """Cold calls as a share of all."""
        return self.cold / self.calls

    @property
    def source(self) -> str:
        """Where the share is from, over which time, and what it cost where that is a cent."""
        when = str(self.first) if self.first == self.last else f"{self.first} to {self.last}"
        part = ", the oldest calls only" if self.is_partial else ""
        said = f"REPORT lines, {when}{part}: {self.cold:,} of {self.calls:,} calls were cold"
        if self.scanned_usd < _SAID_FROM_USD:
            return said
        return f"{said}; to count them cost about ${self.scanned_usd:.2f} of Logs Insights"


def requests_per_month(
    cloudwatch: CloudWatchClient, function: str, *, days: int = DEFAULT_DAYS, now: datetime
) -> Traffic:
    """The calls of a function (its name, not its ARN) in the last `days` days.

    One call of GetMetricStatistics. CloudWatch has no data for hours without calls, so that a
    function that slept and one that did not exist yet look alike.

    Raises:
        AwsError: the metric cannot be read, or has no calls.
    """
    period_s = _HOUR_S * -(-(days * 24 + 1) // _MAX_POINTS)
    start = _whole_hour(now - timedelta(days=days))
    with aws_call(f"read the metric Invocations of {function}"):
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=start,
            EndTime=now,
            Period=period_s,
            Statistics=["Sum"],
        )
    calls_by_day: dict[date, float] = {}
    for point in answer["Datapoints"]:
        day = point["Timestamp"].astimezone(UTC).date()
        calls_by_day[day] = calls_by_day.get(day, 0.0) + point.get("Sum", 0.0)
    called = [day for day, calls in calls_by_day.items() if calls > 0]
    if not called:
        raise AwsError(
            f"function {function!r}: CloudWatch has no invocations in the last {days} days",
            hint=_GIVE_TRAFFIC,
        )
    return Traffic(
        calls=round(sum(calls_by_day.values())),
        start=start,
        end=now,
        first_calls=min(called),
    )


def cold_share(
    logs: CloudWatchLogsClient,
    function: str,
    *,
    days: int = DEFAULT_DAYS,
    now: datetime,
    group: str | None = None,
    versions: Collection[str] | None = None,
    pause: Pause = sleep,
) -> ColdStarts:
    """The calls of a function (its name) in the last `days` days and how many were cold.

    Asks Logs Insights, which is paid by what it scans, and where that is not allowed
    FilterLogEvents, which is free and may not come to the end. `group` is the function's log group
    unless it is /aws/lambda/NAME. With `versions` ("$LATEST", "7") calls of other ones do not
    count: a tuning starts more environments than live traffic does, in versions that it deletes.

    Raises:
        AwsError: the logs do not exist or cannot be read, or no call is in them.
        Interrupted: `pause` says that somebody asks to stop.
    """
    search = _Search(
        function=function,
        group=group or f"/aws/lambda/{function}",
        start=now - timedelta(days=days),
        end=now,
        versions=versions,
    )
    try:
        try:
            found = _by_insights(logs, search, pause)
        except AwsError as error:
            if error.code not in DENIED:
                raise
            found = _by_events(logs, search, pause)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        raise AwsError(
            f"function {function!r}: no cold starts to count: log group {search.group} does not "
            "exist",
            code=error.code,
            hint=_GIVE_SHARE,
        ) from error
    if found is None:
        raise AwsError(
            f"function {function!r}: no cold starts to count: log group {search.group} has no "
            f"REPORT of the last {days} days" + ("" if versions is None else " of its versions"),
            hint=_GIVE_SHARE,
        )
    return found


@dataclass(frozen=True, slots=True)
class _Search:
    """Whose calls are looked for, where and since when."""

    function: str
    group: str
    start: datetime
    end: datetime
    versions: Collection[str] | None

    def counts_stream(self, name: str) -> bool:
        """Whether calls of a log stream count."""
        version = version_of_stream(name, self.function)
        return version is not None and self.counts(version)

    def counts(self, version: str) -> bool:
        """Whether calls of a version count."""
        return self.versions is None or version in self.versions


def _by_insights(logs: CloudWatchLogsClient, search: _Search, pause: Pause) -> ColdStarts | None:
    result = run_query(
        logs,
        search.group,
        _QUERY.format(function=search.function),
        start_s=int(search.start.timestamp()),
        end_s=int(search.end.timestamp()) + 1,
        pause=pause,
    )
    rows = [row for row in result.rows if search.counts(row.get("executed", ""))]
    if not rows:
        return None
    days = [date.fromisoformat(row["day"][:10]) for row in rows]
    return ColdStarts(
        calls=sum(int(row["calls"]) for row in rows),
        cold=sum(int(row[column]) for row in rows for column in _COLD_COLUMNS),
        first=min(days),
        last=max(days),
        scanned_gb=result.scanned_gb,
        scanned_usd=result.usd,
    )


def _by_events(logs: CloudWatchLogsClient, search: _Search, pause: Pause) -> ColdStarts | None:
    pages = event_pages(
        logs,
        search.group,
        _PATTERN,
        start_ms=int(search.start.timestamp() * 1000),
        end_ms=int(search.end.timestamp() * 1000) + 1,
        max_pages=_MAX_PAGES,
    )
    calls, cold, is_partial = 0, 0, False
    first_ms, last_ms = 0, 0
    for events, is_partial in pages:  # noqa: B007 # that of the last page is wanted
        if pause(0):
            raise Interrupted(f"stopped while log group {search.group} was read")
        for event in events:
            if not search.counts_stream(event.stream):
                continue
            for report in reports_in(event.message):
                first_ms, last_ms = (first_ms if calls else event.timestamp_ms), event.timestamp_ms
                calls += 1
                cold += report.cold
    if not calls:
        return None
    return ColdStarts(calls, cold, _day(first_ms), _day(last_ms), is_partial=is_partial)


def _whole_hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _day(timestamp_ms: int) -> date:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).date()
