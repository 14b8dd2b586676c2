"""What is said of a trend: its name, its values with their unit, and the sentence that reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reports.figures import MINUS, SPACE, milliseconds, percent, percent_range, rate, usd
from reports.history.record import AlarmRecord, SeriesId
from reports.nightly.document import Trend, TrendPoint

UNITS = {"ms": "ms", "usd_per_million": "$ per million", "share": "share"}
_SLUG = re.compile(r"[^a-z0-9]+")
_MOST_LETTERS = 60
_STATUSES = {
    "suspect": "suspected",
    "confirmed": "confirmed",
    "invalid": "invalid",
    "unlike": "unlike the others",
}


def series_words(one: SeriesId) -> str:
    """A figure by name, with where it is measured: p95 of GET /search in orders."""
    return f"{one.metric} of {one.scope} in {one.step}"


def trend_title(trend: Trend, *, with_step: bool) -> str:
    """The title of its chart, with the unit: orders: GET /search, p95, ms."""
    one = trend.series
    step = f"{one.step}: " if with_step else ""
    return f"{step}{one.scope}, {one.metric}, {UNITS.get(trend.unit, trend.unit)}"


def trend_name(one: SeriesId) -> str:
    """The name of its chart for `reports chart`: orders-get-search-p95."""
    return _SLUG.sub("-", str(one).lower())[:_MOST_LETTERS].strip("-") or "trend"


def value_words(value: float, unit: str) -> str:
    """A value with its unit: 112 ms, or $6.40 per million."""
    if unit == "ms":
        return milliseconds(value)
    if unit == "usd_per_million":
        return f"{usd(value)} per million"
    if unit == "share":
        return percent(value)
    if unit == "rps":
        return rate(value)
    return f"{value:.4g}{SPACE}{unit}".rstrip()


def change_words(share: float) -> str:
    """A change with its sign: +12 %."""
    text = percent(abs(share))
    if not any(digit in text for digit in "123456789"):
        return text
    return f"{MINUS if share < 0 else '+'}{text}"


def change_range(interval: tuple[float, float]) -> str:
    """The ends of a change with their signs: +7.6 to +16 %."""
    low, high = interval
    if low >= 0:
        return f"+{percent_range(low, high)}".replace("to ", "to +")
    first, last = change_words(low), change_words(high)
    return f"{first.removesuffix(f'{SPACE}%')} to {last}"


def change_with_interval(
    share: float, interval: tuple[float, float] | None, unit: str = "ms"
) -> str:
    """A change and, in brackets, the 95 % interval of it.

    Of what is a share itself, the difference, in points.
    """
    text = (
        change_words(share)
        if interval is None
        else (f"{change_words(share)} ({change_range(interval)})")
    )
    return text.replace("%", "points") if unit == "share" else text


def finding(trend: Trend, alarm: AlarmRecord | None, tonight: str) -> str:
    """The sentences that read the chart."""
    if not trend.points:
        return "No night has measured this figure."
    return " ".join([*_sentences(trend, alarm, tonight), _nights_words(trend)])


def short_finding(trend: Trend, alarm: AlarmRecord | None, tonight: str) -> str:
    """What is said under a chart among many: of tonight, and of a change."""
    return " ".join(_sentences(trend, alarm, tonight)) if trend.points else ""


def _sentences(trend: Trend, alarm: AlarmRecord | None, tonight: str) -> Iterator[str]:
    last = max(trend.points, key=lambda point: point.sequence)
    when = "Tonight" if last.night == tonight else f"On {last.night}"
    value = value_words(last.value, trend.unit)
    if alarm is not None:
        yield f"{when} {value}, {_alarm_words(alarm)}."
    else:
        yield f"{when} {value}{_beside_level(trend, last)}."
    changes = [mark for mark in trend.marks if mark.kind == "change"]
    if changes and alarm is None:
        mark = max(changes, key=lambda one: one.sequence)
        yield f"It changed on {mark.night}: {mark.text.rstrip('.')}."


def _alarm_words(alarm: AlarmRecord) -> str:
    before = (
        ""
        if alarm.baseline_value is None
        else f" against {value_words(alarm.baseline_value, alarm.unit)} before {alarm.since_night}"
    )
    change = change_with_interval(alarm.change_share, alarm.change_interval, alarm.unit)
    by = f", {alarm.confirmed_by}" if alarm.confirmed_by else ""
    return f"{change}{before}; {alarm.state}{by}"


def _beside_level(trend: Trend, last: TrendPoint) -> str:
    held = [
        level
        for level in trend.levels
        if level.from_sequence <= last.sequence <= level.to_sequence and level.center > 0
    ]
    if not held:
        return ""
    center = held[-1].center
    share = last.value / center - 1
    typical = f"the typical {value_words(center, trend.unit)}"
    if not any(digit in change_words(share) for digit in "123456789"):
        return f", as {typical}"
    return f", {percent(abs(share))} {'above' if share > 0 else 'below'} {typical}"


def _nights_words(trend: Trend) -> str:
    count = len(trend.points)
    nights = "1 night" if count == 1 else f"{count} nights"
    first = min(trend.points, key=lambda point: point.sequence).night
    parts = [f"{nights} since {first}"]
    if trend.missing:
        parts.append(f"{len(trend.missing)} missing")
    for status in ("invalid", "unlike"):
        found = sum(point.status == status for point in trend.points)
        if found:
            parts.append(f"{found} {_STATUSES[status]}")
    return "; ".join(parts) + "."


def status_words(point: TrendPoint) -> str:
    """What a night is, where it does not just count."""
    return _STATUSES.get(point.status, "")


def commit_words(commits: Sequence[str | None]) -> str:
    """The range of commits: 4be1f00..9c1d2e3; what is not known is a question mark."""
    if not any(commits):
        return ""
    return "..".join((commit or "?")[:7] for commit in commits)
