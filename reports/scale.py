"""Scales from values to pixels, and the ticks that a reader can do arithmetic with.

Pure values. A scale may run downwards (`start_px > end_px`), as the vertical axis of an SVG does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

_NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_LOG_MANTISSAS = (1, 2, 5)
# Above this many ticks on a logarithmic axis only the decades keep theirs.
_MANY_LOG_TICKS = 7


class Scale(Protocol):
    """A monotonic map from a domain of values to pixels."""

    @property
    def low(self) -> float:
        """The lower end of the domain."""

    @property
    def high(self) -> float:
        """The upper end of the domain."""

    def position(self, value: float) -> float:
        """Pixels for `value`; values outside the domain are drawn on its edge."""

    def ticks(self) -> list[float]:
        """Round values inside the domain, ascending."""


@dataclass(frozen=True, slots=True)
class LinearScale:
    """Equal differences are equal distances."""

    low: float
    high: float
    start_px: float
    end_px: float
    about: int = 5

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"a scale needs low < high (got {self.low} and {self.high})")

    def position(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _between(self.start_px, self.end_px, share)

    def ticks(self) -> list[float]:
        return nice_ticks(self.low, self.high, self.about)


@dataclass(frozen=True, slots=True)
class LogScale:
    """Equal ratios are equal distances."""

    low: float
    high: float
    start_px: float
    end_px: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high:
            raise ValueError(f"a log scale needs 0 < low < high (got {self.low} and {self.high})")

    def position(self, value: float) -> float:
        # Zero and below have no logarithm: they are drawn on the lower edge.
        if value <= self.low:
            return self.start_px
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return _between(self.start_px, self.end_px, share)

    def ticks(self) -> list[float]:
        return log_ticks(self.low, self.high)


def _between(start_px: float, end_px: float, share: float) -> float:
    return start_px + (end_px - start_px) * min(1.0, max(0.0, share))


def nice_step(span: float, about: int) -> float:
    """The step of 1, 2, 2.5 or 5 times a power of ten that cuts `span` in about `about` parts."""
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step for step in _NICE_STEPS if step * power >= raw * (1 - 1e-9)) * power


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Multiples of a nice step in [low, high]."""
    step = nice_step(high - low, about)
    # The tolerance keeps an end that is a multiple in spite of binary fractions.
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def nice_top(highest: float, about: int = 5) -> float:
    """The end of an axis that begins at zero and holds `highest` with a little air."""
    if highest <= 0:
        return 1.0
    step = nice_step(highest, about)
    return math.ceil(highest * 1.02 / step) * step


def nice_span(lowest: float, highest: float, about: int = 5) -> tuple[float, float]:
    """The ends of an axis that holds both values and need not begin at zero."""
    if not lowest < highest:
        return 0.0, nice_top(highest, about)
    step = nice_step(highest - lowest, about)
    return math.floor(lowest / step) * step, math.ceil(highest / step) * step


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 in each decade of [low, high], or the decades alone when those are many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    inside = [
        (mantissa, mantissa * 10.0**decade)
        for decade in decades
        for mantissa in _LOG_MANTISSAS
        if low * (1 - 1e-9) <= mantissa * 10.0**decade <= high * (1 + 1e-9)
    ]
    if len(inside) < 2:
        return nice_ticks(low, high)
    if len(inside) > _MANY_LOG_TICKS:
        inside = [tick for tick in inside if tick[0] == 1]
    return [value for _, value in inside]


def log_domain(lowest: float, highest: float) -> tuple[float, float]:
    """A domain around positive values whose ends are ticks of 1, 2 or 5."""
    return _mantissa_edge(lowest, up=False), _mantissa_edge(highest, up=True)


def _mantissa_edge(value: float, *, up: bool) -> float:
    decade = math.floor(math.log10(value))
    edges = [m * 10.0**power for power in (decade - 1, decade, decade + 1) for m in _LOG_MANTISSAS]
    # Strictly outside, so that no point sits on the frame.
    if up:
        return min(edge for edge in edges if edge > value * 1.02)
    return max(edge for edge in edges if edge < value / 1.02)
