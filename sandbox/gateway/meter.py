"""AWS/ApiGateway metrics: counted by request here, by minute and dimension in the store.

REST APIs have Count, 4XXError, 5XXError, Latency, IntegrationLatency and the two of the cache by
ApiName; HTTP APIs have Count, 4xx, 5xx, Latency, IntegrationLatency and DataProcessed by ApiId
("Amazon API Gateway dimensions and metrics" and "Working with metrics for HTTP APIs", developer
guide). Latencies are whole milliseconds, as AWS publishes them.

What the sandbox itself adds to a request, beyond the integration, is a metric of its own:
Overhead in the namespace Sandbox, in milliseconds with three digits, by ApiId and Stage.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.gateway.snapshot import ApiKind
from sandbox.telemetry.contract import Dimensions, MetricSink

NAMESPACE = "AWS/ApiGateway"
SANDBOX_NAMESPACE = "Sandbox"

_MILLISECONDS = "Milliseconds"


def _counts() -> defaultdict[Any, int]:
    return defaultdict(int)


@dataclass(slots=True)
class Minute:
    """What came in one minute at one route."""

    count: int = 0
    client_errors: int = 0
    server_errors: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    # How often each value came; a Counter takes twice as long.
    latency_ms: defaultdict[float, int] = field(default_factory=_counts)
    integration_ms: defaultdict[float, int] = field(default_factory=_counts)
    overhead_us: defaultdict[int, int] = field(default_factory=_counts)
    data_bytes: defaultdict[float, int] = field(default_factory=_counts)


@dataclass(frozen=True, slots=True)
class Place:
    """Where requests are counted: a stage, and one of its routes or None for no route."""

    kind: ApiKind
    api_id: str
    api_name: str
    stage: str
    route_key: str | None

    def dimension_sets(self, *, detailed: bool) -> list[Dimensions]:
        """All sets of dimensions that its requests count for."""
        stage = ("Stage", self.stage)
        if self.kind == "HTTP":
            api = ("ApiId", self.api_id)
            sets: list[Dimensions] = [(api,), (api, stage)]
            if detailed and self.route_key is not None:
                sets.append((api, ("Route", self.route_key), stage))
            return sets
        name = ("ApiName", self.api_name)
        sets = [(name,), (name, stage)]
        if detailed and self.route_key is not None:
            method, _, resource = self.route_key.partition(" ")
            sets.append((name, ("Method", method), ("Resource", resource), stage))
        return sets


class Meter:
    """Counts the requests of one place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.is_detailed = False
        self._is_http = place.kind == "HTTP"
        self._minutes: defaultdict[int, Minute] = defaultdict(Minute)
        self._minute_s = -1
        self._current = Minute()

    def record(
        self,
        wall_s: float,
        status: int,
        latency_ms: float,
        integration_ms: float | None,
        overhead_ms: float,
        data_bytes: int,
    ) -> Minute:
        """Counts a request that arrived at `wall_s`; gives its minute, for what is rare."""
        minute_s = int(wall_s) // 60 * 60
        if minute_s != self._minute_s:
            self._minute_s = minute_s
            self._current = self._minutes[minute_s]
        minute = self._current
        minute.count += 1
        if status >= 400:
            if status < 500:
                minute.client_errors += 1
            else:
                minute.server_errors += 1
        # Half up; the function round takes four times as long.
        minute.latency_ms[int(latency_ms + 0.5)] += 1
        if integration_ms is not None:
            minute.integration_ms[int(integration_ms + 0.5)] += 1
        minute.overhead_us[int(overhead_ms * 1000)] += 1
        if self._is_http:
            minute.data_bytes[data_bytes] += 1
        return minute

    def take(self) -> dict[int, Minute]:
        """All minutes since the last time."""
        minutes, self._minutes = dict(self._minutes), defaultdict(Minute)
        self._minute_s = -1
        return minutes


class GatewayMeters:
    """The meters of all places; they outlive the snapshots that name them."""

    def __init__(self) -> None:
        self._meters: dict[Place, Meter] = {}

    def meter(self, place: Place, *, detailed: bool) -> Meter:
        """The meter of a place; `detailed` from now on says whether the route has metrics."""
        meter = self._meters.get(place)
        if meter is None:
            meter = self._meters[place] = Meter(place)
        meter.is_detailed = detailed
        return meter

    def drain(self, sink: MetricSink) -> None:
        """Hands all over that has come since the last time (`MetricSource`)."""
        for meter in self._meters.values():
            for minute_s, minute in meter.take().items():
                for dimensions in meter.place.dimension_sets(detailed=meter.is_detailed):
                    for name, unit, counts in _metrics(meter.place.kind, minute):
                        sink.add(NAMESPACE, name, dimensions, unit, minute_s, counts)
                stage = (("ApiId", meter.place.api_id), ("Stage", meter.place.stage))
                overhead_ms = _coarse(minute.overhead_us)
                sink.add(SANDBOX_NAMESPACE, "Overhead", stage, _MILLISECONDS, minute_s, overhead_ms)


def _metrics(kind: ApiKind, minute: Minute) -> list[tuple[str, str, Mapping[float, int]]]:
    """The metrics of a minute: name, unit, and how often each value came."""
    client, server = ("4XXError", "5XXError") if kind == "REST" else ("4xx", "5xx")
    metrics: list[tuple[str, str, Mapping[float, int]]] = [
        ("Count", "Count", {1.0: minute.count}),
        (client, "Count", _flags(minute.client_errors, minute.count)),
        (server, "Count", _flags(minute.server_errors, minute.count)),
        ("Latency", _MILLISECONDS, minute.latency_ms),
    ]
    if minute.integration_ms:
        metrics.append(("IntegrationLatency", _MILLISECONDS, minute.integration_ms))
    if kind == "HTTP":
        metrics.append(("DataProcessed", "Bytes", minute.data_bytes))
    elif minute.cache_hits or minute.cache_misses:
        asked = minute.cache_hits + minute.cache_misses
        metrics.append(("CacheHitCount", "Count", _flags(minute.cache_hits, asked)))
        metrics.append(("CacheMissCount", "Count", _flags(minute.cache_misses, asked)))
    return metrics


def _flags(count: int, of: int) -> dict[float, int]:
    """A value of 1 or 0 for each request, so that the sum is a number and the average a rate."""
    return {value: n for value, n in ((1.0, count), (0.0, of - count)) if n}


def _coarse(counts_us: Mapping[int, int]) -> dict[float, int]:
    """In milliseconds: microseconds below 1 ms and 10 µs above, so that values stay few."""
    counts_ms: Counter[float] = Counter()
    for value_us, count in counts_us.items():
        value_ms = value_us / 1000
        counts_ms[value_ms if value_us < 1000 else round(value_ms, 2)] += count
    return counts_ms
