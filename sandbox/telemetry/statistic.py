"""CloudWatch's statistics, by their names, over the values of a period.

Definitions: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
(2026). CloudWatch does not say how it takes percentiles; here they are exact on the values that are
kept. A percentile is the smallest value that so many percent of the values do not exceed (nearest
rank). A trimmed share removes whole values only, and never more of them than it says. Of bounds,
the lower one is exclusive and the upper one inclusive.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from sandbox.telemetry.distribution import Distribution, Numbers

# Gives a value, or None where a period has none for this statistic.
Statistic = Callable[[Distribution], float | None]

# Ranks are floating point: what is this close to a whole number is that number.
_SLACK = 1e-9

_SIMPLE: dict[str, Callable[[Distribution], float]] = {
    "SampleCount": lambda values: values.count,
    "Sum": lambda values: values.total,
    "Average": lambda values: values.total / values.count,
    "Minimum": lambda values: values.low,
    "Maximum": lambda values: values.high,
}

_NUMBER = r"\d+(?:\.\d{1,10})?"
_SHORT = re.compile(rf"(p|tm|tc|ts|wm)({_NUMBER})", re.I)
_RANGE = re.compile(rf"(TM|TC|TS|WM|PR)\(\s*({_NUMBER})?(%?)\s*:\s*({_NUMBER})?(%?)\s*\)", re.I)


@lru_cache(maxsize=256)
def statistic(name: str) -> Statistic | None:
    """The statistic of that name, such as Sum, p99.9, tm95, TM(10%:90%) or PR(:300); or None."""
    simple = _SIMPLE.get(name)
    if simple is not None:
        return simple
    if name.upper() == "IQM":
        return _of_values(_trimmed("TM", 25.0, 75.0))
    short = _SHORT.fullmatch(name)
    if short is not None:
        return _short(short.group(1).lower(), float(short.group(2)))
    found = _RANGE.fullmatch(name)
    return None if found is None else _of_range(found)


def _short(kind: str, share: float) -> Statistic | None:
    if share > 100.0:
        return None
    if kind == "p":
        return _of_values(lambda values: _percentile(values, share))
    return _of_values(_trimmed(kind.upper(), 0.0, share))


def _of_range(found: re.Match[str]) -> Statistic | None:
    kind = found.group(1).upper()
    low_text, low_sign, high_text, high_sign = found.groups()[1:]
    if low_text is None and high_text is None:
        return None
    # A sign without a number, and a share on one side with a value on the other, mean nothing.
    given = {bool(s) for t, s in ((low_text, low_sign), (high_text, high_sign)) if t is not None}
    if len(given) > 1 or (low_text is None and low_sign) or (high_text is None and high_sign):
        return None
    in_percent = given.pop()
    low = -math.inf if low_text is None else float(low_text)
    high = math.inf if high_text is None else float(high_text)
    if low >= high:
        return None
    if not in_percent:
        return _of_values(_between(kind, low, high))
    if kind == "PR" or (high_text is not None and high > 100.0):
        return None
    return _of_values(_trimmed(kind, max(low, 0.0), min(high, 100.0)))


def _of_values(measure: Statistic) -> Statistic:
    """`measure` where it can be had: CloudWatch has none for negative values and statistic sets."""

    def measured(values: Distribution) -> float | None:
        if values.has_sets or values.low < 0.0:
            return None
        return measure(values)

    return measured


def _percentile(values: Distribution, share: float) -> float:
    if share >= 100.0:
        return values.high
    if share <= 0.0:
        return values.low
    rank = values.count * (share / 100.0 - _SLACK)
    place = int(np.searchsorted(values.ranks, rank, side="left"))
    return float(values.values[min(place, len(values.values) - 1)])


def _trimmed(kind: str, low: float, high: float) -> Statistic:
    """Of the values in order, those from `low` to `high` percent of them."""

    def measure(values: Distribution) -> float | None:
        first = math.floor(values.count * low / 100.0 + _SLACK)
        last = values.count - math.floor(values.count * (100.0 - high) / 100.0 + _SLACK)
        if last <= first:
            return None
        kept = np.minimum(values.ranks, last) - np.maximum(values.ranks - values.counts, first)
        kept = np.maximum(kept, 0.0)
        if kind != "WM":
            return _measure(kind, values, kept)
        inside = values.values[kept > 0.0]
        return _clipped_mean(values, float(inside[0]), float(inside[-1]))

    return measure


def _between(kind: str, low: float, high: float) -> Statistic:
    """Of the values, those above `low` and not above `high`."""

    def measure(values: Distribution) -> float | None:
        if kind == "WM":
            return _clipped_mean(values, low, high)
        inside = (values.values > low) & (values.values <= high)
        return _measure(kind, values, np.where(inside, values.counts, 0.0))

    return measure


def _measure(kind: str, values: Distribution, kept: Numbers) -> float | None:
    count = float(kept.sum())
    match kind:
        case "TC":
            return count
        case "TS":
            return float(kept @ values.values)
        case "PR":
            return 100.0 * count / values.count
    return float(kept @ values.values) / count if count else None


def _clipped_mean(values: Distribution, low: float, high: float) -> float:
    return float(np.clip(values.values, low, high) @ values.counts) / values.count
