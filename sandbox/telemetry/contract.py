"""What the services hand to the stores of metrics and log events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

# Names and values, in the order of the names.
Dimensions = tuple[tuple[str, str], ...]


class MetricSink(Protocol):
    """Takes counted values by the minute."""

    def add(
        self,
        namespace: str,
        name: str,
        dimensions: Dimensions,
        unit: str,
        minute_s: int,
        counts: Mapping[float, int],
    ) -> None:
        """Adds values, each with how often it came, to the minute that begins at `minute_s`."""


class MetricSource(Protocol):
    """Keeps values in a form of its own, and hands them over when somebody asks for metrics."""

    def drain(self, sink: MetricSink) -> None:
        """Hands over all that has come since the last time."""


class LogSink(Protocol):
    """Takes log events."""

    def append(self, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Adds events, each with its time in ms since the epoch; makes group and stream."""
