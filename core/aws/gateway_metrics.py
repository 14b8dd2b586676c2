"""AWS/ApiGateway: what CloudWatch counts and times of one stage.

REST APIs count under the *name* of the API, so two APIs of one name and stage are one in CloudWatch
("Amazon API Gateway dimensions and metrics", developer guide 2026). There is no metric of
throttles: 429s are among the 4xx.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.aws.gateway import ApiKind
from core.aws.metric_data import MetricReader, Query, Spread, Window, spread_of, spread_queries

_NAMESPACE = "AWS/ApiGateway"
_MINUTE_STATISTICS = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class StageMetrics:
    """Which stage is meant; `name` is that of its API."""

    kind: ApiKind
    api_id: str
    name: str
    stage: str

    @property
    def count(self) -> Query:
        """All requests that reached the stage, refused ones too."""
        return self._query("Count", "Sum")

    def read(self, reader: MetricReader, window: Window) -> GatewayMetrics:
        """All metrics of the stage in a window.

        Raises:
            AwsError: CloudWatch does not answer, or may not be asked.
        """
        by_kind = ("4XXError", "5XXError") if self.kind == "rest" else ("4xx", "5xx")
        client, server = (self._query(name, "Sum") for name in by_kind)
        latency, integration = (self._query(n, "p50") for n in ("Latency", "IntegrationLatency"))
        times = [
            Query(_NAMESPACE, one.metric, one.dimensions, statistic)
            for one in (latency, integration)
            for statistic in _MINUTE_STATISTICS
        ]
        points = reader.by_minute([self.count, client, server, *times], window)
        whole = reader.over_all([*spread_queries(latency), *spread_queries(integration)], window)
        minutes = tuple(
            GatewayMinute(
                at_s,
                round(points[self.count][at_s]),
                round(points[client].get(at_s, 0)),
                round(points[server].get(at_s, 0)),
                *(points[query].get(at_s) for query in times),
            )
            for at_s in sorted(points[self.count])
        )
        return GatewayMetrics(minutes, spread_of(latency, whole), spread_of(integration, whole))

    def _query(self, metric: str, statistic: str) -> Query:
        api = ("ApiName", self.name) if self.kind == "rest" else ("ApiId", self.api_id)
        return Query(_NAMESPACE, metric, (api, ("Stage", self.stage)), statistic)


@dataclass(frozen=True, slots=True)
class GatewayMinute:
    """One minute of a stage, from the Unix time `at_s` on; times are None where it has none."""

    at_s: int
    count: int
    client_errors: int
    server_errors: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    integration_p50_ms: float | None
    integration_p95_ms: float | None
    integration_p99_ms: float | None


@dataclass(frozen=True, slots=True)
class GatewayMetrics:
    """A window of a stage. Latency is all that the gateway took, integration what lies behind it.

    Minutes without a request are left out.
    """

    minutes: tuple[GatewayMinute, ...]
    latency: Spread | None
    integration: Spread | None

    @property
    def count(self) -> int:
        """All requests that reached the stage."""
        return sum(minute.count for minute in self.minutes)

    @property
    def client_errors(self) -> int:
        """Answers with 4xx, throttled ones among them."""
        return sum(minute.client_errors for minute in self.minutes)

    @property
    def server_errors(self) -> int:
        """Answers with 5xx."""
        return sum(minute.server_errors for minute in self.minutes)
