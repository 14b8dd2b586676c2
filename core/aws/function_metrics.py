"""AWS/Lambda: what CloudWatch counts and times of a function, or of one version or alias of it.

Duration has no cold start in it, and throttled calls are no invocations ("Types of metrics for
Lambda functions", developer guide 2026).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.aws.metric_data import (
    MetricReader,
    Points,
    Query,
    Spread,
    Window,
    spread_of,
    spread_queries,
)

_NAMESPACE = "AWS/Lambda"
# By the minute, in the order of FunctionMinute. Concurrency has no other useful statistic.
_OF_MINUTE = (
    ("Invocations", "Sum"),
    ("Errors", "Sum"),
    ("Throttles", "Sum"),
    ("ConcurrentExecutions", "Maximum"),
    ("ProvisionedConcurrencySpilloverInvocations", "Sum"),
    ("Duration", "p50"),
    ("Duration", "p95"),
    ("Duration", "p99"),
)


@dataclass(frozen=True, slots=True)
class CallsOf:
    """Whose calls are meant: of all of a function, or through a version or alias.

    `version` is one of two that a weighted alias leads to; the function is named without its ARN.
    """

    function: str
    qualifier: str | None = None
    version: str | None = None

    @property
    def invocations(self) -> Query:
        """Calls that ran."""
        return self._query("Invocations", "Sum")

    @property
    def throttles(self) -> Query:
        """Calls that Lambda refused."""
        return self._query("Throttles", "Sum")

    def of_version(self, version: str) -> CallsOf:
        """Those of the calls that one version behind the alias served."""
        return replace(self, version=version)

    def read(self, reader: MetricReader, window: Window) -> FunctionMetrics:
        """All metrics of the calls in a window.

        Raises:
            AwsError: CloudWatch does not answer, or may not be asked.
        """
        queries = [self._query(*one) for one in _OF_MINUTE]
        duration = self._query("Duration", "p50")
        points = reader.by_minute(queries, window)
        whole = reader.over_all(spread_queries(duration), window)
        series = [points[query] for query in queries]
        times = sorted(set().union(*(one.keys() for one in series)))
        minutes = tuple(_minute(at_s, series) for at_s in times)
        return FunctionMetrics(minutes, spread_of(duration, whole))

    def _query(self, metric: str, statistic: str) -> Query:
        dimensions = [("FunctionName", self.function)]
        if self.qualifier is not None:
            dimensions.append(("Resource", f"{self.function}:{self.qualifier}"))
        if self.version is not None:
            dimensions.append(("ExecutedVersion", self.version))
        return Query(_NAMESPACE, metric, tuple(dimensions), statistic)


@dataclass(frozen=True, slots=True)
class FunctionMinute:
    """One minute of a function, from the Unix time `at_s` on.

    `concurrency` is the most calls at once; it and times are None where CloudWatch has none.
    """

    at_s: int
    invocations: int
    errors: int
    throttles: int
    concurrency: int | None
    spillover: int  # calls beyond the provisioned concurrency
    duration_p50_ms: float | None
    duration_p95_ms: float | None
    duration_p99_ms: float | None


@dataclass(frozen=True, slots=True)
class FunctionMetrics:
    """A window of a function. Minutes without anything are left out."""

    minutes: tuple[FunctionMinute, ...]
    duration: Spread | None

    @property
    def invocations(self) -> int:
        """Calls that ran, failed ones too."""
        return sum(minute.invocations for minute in self.minutes)

    @property
    def errors(self) -> int:
        """Calls that ran and failed."""
        return sum(minute.errors for minute in self.minutes)

    @property
    def throttles(self) -> int:
        """Calls that Lambda refused."""
        return sum(minute.throttles for minute in self.minutes)

    @property
    def spillover(self) -> int:
        """Calls beyond the provisioned concurrency."""
        return sum(minute.spillover for minute in self.minutes)

    @property
    def concurrency(self) -> int | None:
        """The most calls at once; None where CloudWatch does not say."""
        known = [m.concurrency for m in self.minutes if m.concurrency is not None]
        return max(known, default=None)


def _minute(at_s: int, series: Sequence[Points]) -> FunctionMinute:
    invocations, errors, throttles, concurrency, spillover, *durations = series
    most = concurrency.get(at_s)
    return FunctionMinute(
        at_s,
        round(invocations.get(at_s, 0)),
        round(errors.get(at_s, 0)),
        round(throttles.get(at_s, 0)),
        None if most is None else round(most),
        round(spillover.get(at_s, 0)),
        *(one.get(at_s) for one in durations),
    )
