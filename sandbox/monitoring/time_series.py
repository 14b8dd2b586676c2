"""Values by time: what a query gives and expressions work on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.telemetry.metrics import Metric

# By the beginning of the period, in seconds.
Points = dict[int, float]


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """One value for each period that has one; `metric` is None for what was computed."""

    label: str
    period_s: int
    points: Points
    metric: Metric | None = None

    def map(self, change: Callable[[float], float]) -> TimeSeries:
        """The same with all values changed."""
        return self.of({time_s: change(value) for time_s, value in self.points.items()})

    def of(self, points: Points) -> TimeSeries:
        """Other points in the place of these: a computed series, of finite numbers."""
        finite = {time_s: value for time_s, value in points.items() if math.isfinite(value)}
        return TimeSeries(self.label, self.period_s, finite)
