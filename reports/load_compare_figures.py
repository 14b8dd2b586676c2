"""Figures of two compared load runs as people read them: values, changes, intervals, marks."""

from __future__ import annotations

from reports.figures import MINUS, SPACE, fixed, milliseconds, part_of, percent, rate, usd
from reports.load_compare_document import MetricChange

METRIC_WORDS = {
    "p50": "p50",
    "p95": "p95",
    "p99": "p99",
    "throttled": "throttled share",
    "failed": "failed share",
    "admitted": "admitted rate",
    "cost": "cost per million",
}
# What a metric is when it rises, and when it falls.
_WAYS = {
    "p50": ("slower", "faster"),
    "p95": ("slower", "faster"),
    "p99": ("slower", "faster"),
    "throttled": ("higher", "lower"),
    "failed": ("higher", "lower"),
    "admitted": ("higher", "lower"),
    "cost": ("dearer", "cheaper"),
}
MARKS = {"worse": "!", "better": "+", "same": "=", "cannot be told": "~"}


def is_told(change: MetricChange) -> bool:
    """Whether a change is told from noise, and matters."""
    return change.verdict in ("worse", "better")


def blocks_differ(change: MetricChange) -> bool:
    """Whether the change of the two figures lies outside of the interval, which is by blocks."""
    if change.interval is None or change.change is None:
        return False
    low, high = change.interval
    return not low <= change.change <= high


def by_blocks(change: MetricChange) -> MetricChange:
    """The metric with the mean over blocks of time as its change."""
    return change.model_copy(update={"change": change.block_change})


def way_word(change: MetricChange) -> str:
    """In which direction the figures moved: slower, lower, dearer."""
    rises = (change.change or 0) >= (0 if change.unit == "share" else 1)
    return _WAYS[change.metric][0 if rises else 1]


def told_words(change: MetricChange) -> str:
    """What the verdict rests on: `12 % slower`, where blocks differ `block by block 9 % slower`."""
    if blocks_differ(change):
        told = by_blocks(change)
        return f"block by block {size_words(told)} {way_word(told)}"
    return f"{size_words(change)} {way_word(change)}"


def blocks_words(change: MetricChange) -> str:
    """Where blocks differ, the mean of their changes: the two figures do not say it; else empty."""
    if not blocks_differ(change):
        return ""
    return f"blocks of time differ, by {signed_words(by_blocks(change))} on average"


def verdict_words(change: MetricChange) -> str:
    """Mark and word, for a cell: `! slower`, `~ cannot be told`."""
    word = way_word(by_blocks(change)) if is_told(change) else change.verdict
    return f"{MARKS[change.verdict]} {word}"


def size_words(change: MetricChange) -> str:
    """How much the metric moved, without a sign: `12 %`, or `2.9 points` of a share."""
    if change.change is None:
        return "not known"
    if change.unit == "share":
        return f"{_points(abs(change.change))} points"
    return percent(abs(change.change - 1))


def signed_words(change: MetricChange) -> str:
    """How much the metric moved, with its sign, for a cell: +12 %, or −2.9 pp."""
    if change.change is None:
        return "not known"
    moved = change.change if change.unit == "share" else change.change - 1
    text = f"{_points(abs(moved))}{SPACE}pp" if change.unit == "share" else percent(abs(moved))
    return (
        text if not any(c in text for c in "123456789") else f"{'+' if moved > 0 else MINUS}{text}"
    )


def interval_words(change: MetricChange) -> str:
    """The interval of the change with its unit: −1.2 to 4.5 %."""
    unit = "pp" if change.unit == "share" else "%"
    return f"{interval_numbers(change)}{SPACE}{unit}"


def interval_numbers(change: MetricChange) -> str:
    """The interval of the change, in the unit of the change: −1.2 to 4.5."""
    if change.interval is None:
        return "none"
    if change.unit == "share":
        low, high = (_points(end) for end in change.interval)
    else:
        low, high = (_per_cent(end - 1) for end in change.interval)
    return f"{low} to {high}"


def _points(share: float) -> str:
    scaled = share * 100
    return fixed(scaled, 1 if abs(scaled) >= 0.95 or scaled == 0 else 2)


def _per_cent(share: float) -> str:
    scaled = share * 100
    return fixed(scaled, 0 if abs(scaled) >= 9.95 else 1)


def value_words(change: MetricChange, value: float | None) -> str:
    """A value of the metric with its unit."""
    if value is None:
        return "not measured"
    if change.unit == "ms":
        return milliseconds(value)
    if change.unit == "share":
        return part_of(value, 1)
    return rate(value) if change.unit == "rps" else usd(value)
