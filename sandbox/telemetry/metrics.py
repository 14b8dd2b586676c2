"""Metrics by the minute, in memory: what CloudWatch knows.

A minute of a metric is the values that came in it, each with its count. The newest data is always
kept; what goes first, when the store is full, is the oldest minute of all metrics.
"""

from __future__ import annotations

import logging
import math
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.telemetry.contract import Dimensions, MetricSource
from sandbox.telemetry.distribution import MAX_VALUES, Distribution

MINUTE_S = 60
# How long CloudWatch keeps data of one minute (CloudWatch concepts, 2026).
RETENTION_S = 15 * 24 * 3600
# Metrics at the same time; more are refused.
MAX_SERIES = 20_000
# Distinct values in the whole store, 16 bytes each; and what a minute of a metric costs in
# addition to its values, in the same measure.
MAX_STORED_VALUES = 6_000_000
POINT_COST = 40

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Metric:
    """What names a metric; `dimensions` in the order of their names."""

    namespace: str
    name: str
    dimensions: Dimensions = ()


@dataclass(frozen=True, slots=True)
class Series:
    """A metric in one unit: values in different units are never mixed by themselves."""

    metric: Metric
    unit: str


@dataclass(slots=True)
class _Point:
    """One minute of a series: what was folded into arrays, and what came since."""

    folded: Distribution | None = None
    fresh: dict[float, float] = field(default_factory=dict)
    # What the store was told that it costs.
    charged: int = 0

    def add(self, counts: Mapping[float, float]) -> None:
        if len(counts) > MAX_VALUES // 4:  # arrays are quicker with so many
            self.add_distribution(Distribution.of(counts))
            return
        fresh = self.fresh
        for value, count in counts.items():
            fresh[value] = fresh.get(value, 0.0) + count
        if len(fresh) > MAX_VALUES:
            self.fold()

    def fold(self) -> Distribution:
        """All of it in one piece; there has to be something."""
        if self.fresh:
            self.add_distribution(Distribution.of(self.fresh))
            self.fresh = {}
        if self.folded is None:
            raise ValueError("a minute without values")
        return self.folded

    def add_distribution(self, values: Distribution) -> None:
        parts = [values] if self.folded is None else [self.folded, values]
        self.folded = Distribution.merged(parts).bounded()

    @property
    def cost(self) -> int:
        """In stored values."""
        return POINT_COST + len(self.fresh) + (self.folded.size if self.folded else 0)


class MetricStore:
    """Takes values by the minute and gives them by the period.

    `delay_s` is the publication delay, and may be set at any time: a minute is seen from its end
    and that delay on. With 0 everything is seen at once, the minute that still runs too.
    """

    def __init__(self, clock: Callable[[], float] = time.time, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        # What a fault adds to it, asked at each read.
        self.more_delay_s: Callable[[], float] = lambda: 0.0
        self._clock = clock
        self._sources: list[MetricSource] = []
        self._minutes: dict[int, dict[Series, _Point]] = {}
        self._times: list[int] = []  # the keys of `_minutes`, in order
        self._points_of: dict[Series, int] = {}
        self._by_metric: dict[Metric, list[Series]] = {}
        self._cost = 0
        self._warned = False

    def register(self, source: MetricSource) -> None:
        """Drains `source` before each read."""
        self._sources.append(source)

    def drain(self) -> None:
        """Takes what the sources have; each read does it, and a timer may."""
        for source in self._sources:
            source.drain(self)

    def now(self) -> float:
        """The time of the store, in seconds since the epoch."""
        return self._clock()

    def has_room(self, series: Iterable[Series]) -> bool:
        """Whether all of `series` can be stored."""
        new = {one for one in series if one not in self._points_of}
        return len(self._points_of) + len(new) <= MAX_SERIES

    # Writing

    def add(
        self,
        namespace: str,
        name: str,
        dimensions: Dimensions,
        unit: str,
        minute_s: int,
        counts: Mapping[float, float],
    ) -> None:
        """Adds values, each with how often it came, to the minute that begins at `minute_s`."""
        series = Series(Metric(namespace, name, tuple(sorted(dimensions))), unit)
        point = self._point(series, minute_s) if counts else None
        if point is not None:
            point.add(counts)
            self._charge(point)
            self._make_room()

    def add_distribution(self, series: Series, minute_s: int, values: Distribution) -> None:
        """Adds values that are counted already, or a statistic set."""
        point = self._point(series, minute_s)
        if point is not None:
            point.add_distribution(values)
            self._charge(point)
            self._make_room()

    def _point(self, series: Series, minute_s: int) -> _Point | None:
        minute_s -= minute_s % MINUTE_S
        if minute_s < self._clock() - RETENTION_S:
            return None
        points = self._minutes.get(minute_s)
        point = None if points is None else points.get(series)
        if point is not None:
            return point
        if series not in self._points_of and not self._admit(series):
            return None
        if points is None:
            points = self._begin_minute(minute_s)
        point = points[series] = _Point()
        self._points_of[series] += 1
        return point

    def _admit(self, series: Series) -> bool:
        if len(self._points_of) >= MAX_SERIES:
            if not self._warned:
                logger.warning(
                    "more than %d metrics: new ones are dropped (the first is %s)",
                    MAX_SERIES,
                    series,
                )
            self._warned = True
            return False
        self._points_of[series] = 0
        self._by_metric.setdefault(series.metric, []).append(series)
        return True

    def _begin_minute(self, minute_s: int) -> dict[Series, _Point]:
        # A minute that ended gets few values more: its values go into arrays.
        for time_s in self._times[-2:]:
            for point in self._minutes[time_s].values():
                self._fold(point)
        insort(self._times, minute_s)
        self._minutes[minute_s] = {}
        oldest_s = self._clock() - RETENTION_S
        while self._times[0] < min(oldest_s, minute_s):
            self._drop_oldest()
        return self._minutes[minute_s]

    def _fold(self, point: _Point) -> Distribution:
        if point.folded is not None and not point.fresh:
            return point.folded  # nothing has come: it costs what it did
        values = point.fold()
        self._charge(point)
        return values

    def _charge(self, point: _Point) -> None:
        cost = point.cost
        self._cost += cost - point.charged
        point.charged = cost

    def _make_room(self) -> None:
        while self._cost > MAX_STORED_VALUES and len(self._times) > 1:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        for series, point in self._minutes.pop(self._times.pop(0)).items():
            self._cost -= point.charged
            self._points_of[series] -= 1
            if not self._points_of[series]:
                self._forget(series)

    def _forget(self, series: Series) -> None:
        del self._points_of[series]
        others = [one for one in self._by_metric[series.metric] if one != series]
        if others:
            self._by_metric[series.metric] = others
        else:
            del self._by_metric[series.metric]

    # Reading

    def units(self, metric: Metric) -> list[str]:
        """The units that a metric has values in."""
        self.drain()
        return sorted(series.unit for series in self._by_metric.get(metric, ()))

    def periods(
        self, metric: Metric, start_s: float, end_s: float, period_s: int, unit: str | None = None
    ) -> list[tuple[int, Distribution]]:
        """The values of a metric from `start_s` to before `end_s`, by periods from `start_s` on.

        A period is named by its beginning; those without values are left out. Without `unit` all
        units count.
        """
        self.drain()
        wanted = [
            series
            for series in self._by_metric.get(metric, ())
            if unit is None or series.unit == unit
        ]
        parts: dict[int, list[Distribution]] = {}
        for minute_s in self._visible(start_s, end_s):
            points = self._minutes[minute_s]
            begin_s = int(start_s + (minute_s - start_s) // period_s * period_s)
            for series in wanted:
                point = points.get(series)
                if point is not None:
                    parts.setdefault(begin_s, []).append(self._fold(point))
        return [(begin_s, Distribution.merged(found)) for begin_s, found in parts.items()]

    def metrics(self, active_since_s: float) -> list[Metric]:
        """The metrics with visible values since then, in the order of their names."""
        self.drain()
        found: set[Metric] = set()
        # The first minute that ends after that time.
        first_s = math.floor(active_since_s) - MINUTE_S + 1
        for minute_s in self._visible(first_s, math.inf):
            found.update(series.metric for series in self._minutes[minute_s])
        return sorted(found, key=lambda one: (one.namespace, one.name, one.dimensions))

    def _visible(self, start_s: float, end_s: float) -> list[int]:
        """The beginnings of the minutes with data in a time, as far as they may be seen."""
        first, last = bisect_left(self._times, start_s), bisect_left(self._times, end_s)
        delay_s = self.delay_s + self.more_delay_s()
        if delay_s > 0:
            newest_s = self._clock() - MINUTE_S - delay_s
            last = min(last, bisect_right(self._times, newest_s))
        return self._times[first:last]
