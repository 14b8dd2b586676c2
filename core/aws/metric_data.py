"""Many metrics of CloudWatch at once, by GetMetricData: minute by minute, or over a whole window.

Percentiles over minutes cannot be made from those of the minutes, so a window is asked for as one
period that begins with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import (
        GetMetricDataOutputTypeDef,
        MetricDataQueryTypeDef,
    )

MINUTE_S = 60
# Of one call (GetMetricData, 2026).
_MOST_QUERIES = 500
# 100,800 data points each.
_MOST_PAGES = 50
# CloudWatch keeps single minutes for 15 days.
_LONGEST_S = 15 * 24 * 3600
_LONGEST_PERIOD_S = 24 * 3600

Points = Mapping[int, float]  # by the Unix time at which their period begins


@dataclass(frozen=True, slots=True)
class Query:
    """One statistic of one metric; a percentile is `p99`. Dimensions by name."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str


@dataclass(frozen=True, slots=True)
class Window:
    """Whole minutes around a time range, Unix times; `end_s` is not in it."""

    begin_s: int
    end_s: int

    @classmethod
    def around(cls, begin_s: float, end_s: float) -> Window:
        """The minutes from that of `begin_s` to that of `end_s`, the last 15 days of them."""
        end = (int(end_s) // MINUTE_S + 1) * MINUTE_S
        return cls(max(int(begin_s) // MINUTE_S * MINUTE_S, end - _LONGEST_S), end)

    @property
    def length_s(self) -> int:
        """How long it is, a multiple of 60."""
        return self.end_s - self.begin_s


@dataclass(slots=True)
class MetricReader:
    """Reads metrics of one account and region; `asked` counts those that were asked for."""

    client: CloudWatchClient
    asked: int = field(default=0, init=False)  # AWS takes $0.01 for 1,000 (2026)

    def by_minute(self, queries: Iterable[Query], window: Window) -> dict[Query, Points]:
        """Each minute that has data; a metric that nothing was published of has none.

        Raises:
            AwsError: CloudWatch does not answer, or may not be asked.
        """
        return self._read(list(queries), window, MINUTE_S)

    def over_all(self, queries: Iterable[Query], window: Window) -> dict[Query, float | None]:
        """The statistic over the whole window; None without data.

        Also None where CloudWatch answers with other periods than the one asked for, and for
        windows of more than a day.

        Raises:
            AwsError: CloudWatch does not answer, or may not be asked.
        """
        wanted = list(queries)
        if window.length_s > _LONGEST_PERIOD_S:
            return dict.fromkeys(wanted)
        found = self._read(wanted, window, window.length_s)
        return {
            query: points.get(window.begin_s) if len(points) == 1 else None
            for query, points in found.items()
        }

    def _read(self, queries: Sequence[Query], window: Window, period_s: int) -> dict[Query, Points]:
        found: dict[Query, dict[int, float]] = {query: {} for query in queries}
        for at in range(0, len(queries), _MOST_QUERIES):
            part = queries[at : at + _MOST_QUERIES]
            self.asked += len(part)
            for page in self._pages(part, window, period_s):
                for result in page["MetricDataResults"]:
                    _check(result.get("StatusCode"), result.get("Messages", []))
                    query = part[int(result.get("Id", "q0")[1:])]
                    times = result.get("Timestamps", [])
                    for moment, value in zip(times, result.get("Values", []), strict=True):
                        found[query][int(moment.timestamp())] = value
        return dict(found)

    def _pages(
        self, queries: Sequence[Query], window: Window, period_s: int
    ) -> Iterable[GetMetricDataOutputTypeDef]:
        wanted = [_wanted(number, query, period_s) for number, query in enumerate(queries)]
        begin, end = (datetime.fromtimestamp(t, UTC) for t in (window.begin_s, window.end_s))
        token: str | None = None
        for _ in range(_MOST_PAGES):
            with aws_call("read metrics"):
                if token is None:
                    page = self.client.get_metric_data(
                        MetricDataQueries=wanted, StartTime=begin, EndTime=end
                    )
                else:
                    page = self.client.get_metric_data(
                        MetricDataQueries=wanted, StartTime=begin, EndTime=end, NextToken=token
                    )
            yield page
            token = page.get("NextToken")
            if not token:
                return
        raise AwsError("could not read metrics: there are more than one run should ask for")


def _wanted(number: int, query: Query, period_s: int) -> MetricDataQueryTypeDef:
    return {
        "Id": f"q{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": query.namespace,
                "MetricName": query.metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in query.dimensions],
            },
            "Period": period_s,
            "Stat": query.statistic,
        },
    }


def _check(status: str | None, messages: Sequence[Mapping[str, object]]) -> None:
    """Refuses results of which AWS says that they are not whole."""
    if status in ("Forbidden", "InternalError"):
        words = "; ".join(str(message.get("Value", "")) for message in messages)
        raise AwsError(
            f"could not read metrics: {status}{': ' if words else ''}{words}", code=status
        )


# -- what a latency or duration is asked for -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spread:
    """How a time in ms is spread over `n` values, as CloudWatch computes it."""

    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    mean_ms: float
    max_ms: float
    n: int


_SPREAD_STATISTICS = ("p50", "p90", "p95", "p99", "Average", "Maximum", "SampleCount")


def spread_queries(of: Query) -> list[Query]:
    """What `spread_of` needs of the metric of `of`."""
    return [replace(of, statistic=statistic) for statistic in _SPREAD_STATISTICS]


def spread_of(of: Query, found: Mapping[Query, float | None]) -> Spread | None:
    """The spread of the metric of `of`; None where nothing was published."""
    values = [found.get(query) for query in spread_queries(of)]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    p50, p90, p95, p99, mean, most, n = known
    return Spread(p50, p90, p95, p99, mean, most, round(n))
