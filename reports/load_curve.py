"""Response time against the admitted rate, of a run that sent the same mix at several rates.

Each measured phase is a point. Where phases climb, single seconds are points too: that is the p95
of a second, not of all of them. A knee is named only where the points show one.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from statistics import median
from typing import TypeAlias

from reports import svg
from reports.blocks import Column
from reports.figure import Data, DataRow, Figure
from reports.figures import ABSENT, column, listed, milliseconds, rate, rate_number
from reports.frame import Canvas
from reports.load_document import LoadDocument, PhaseSlice
from reports.load_latency import response_of, stands_apart
from reports.rate_chart import RateChart, RateMark, RateSeries, draw_rate_chart

FULL = Canvas(1116, 360, "c-full")
MIDDLE = Canvas(700, 340, "c-middle", hidden=True)
SMALL = Canvas(344, 330, "c-small", hidden=True)

_TITLE = "Latency by rate"
# Phases whose steps have shares that differ by more than that in all do not ask the same.
_SAME_MIX = 0.1
# Rates nearer to each other than that are one rate.
_APART = 1.1
_MOST_SECONDS = 160
# Of more points than that, the rates of most are compared, not the extremes.
_FEW = 20
# A knee: beyond it p95 at least doubles, and rate / p95 is largest neither first nor last.
_LEVELS, _FEWEST_LEVELS, _RISES = 8, 4, 2.0


@dataclass(frozen=True, slots=True)
class Level:
    """A rate of admitted requests, its p95 in ms, and what it is of."""

    name: str
    rate_rps: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Phases and seconds of one mix, and the rate of the knee, if there is one.

    `mix_known` is false in documents of older versions, which do not tell what a phase asked.
    """

    phases: list[Level]
    seconds: list[Level]
    knee_rps: float | None
    mix_known: bool
    left_out: list[str]


# The rate of a second, its p95 in ms, and which second it is: there may be a hundred thousand.
_Second: TypeAlias = tuple[float, float, int]
_rate_of, _p95_of = itemgetter(0), itemgetter(1)


def curve_of(document: LoadDocument) -> Curve | None:
    """The curve of a run; None where its measured phases have one rate, or each its own mix."""
    if document.search is not None:
        return None
    measured, alike = _phases(document)
    phases = _levels_of(document, alike)
    seconds = _seconds(document, alike)
    if not _several_rates(phases) and not _several_rates(seconds):
        return None
    seconds.sort(key=_rate_of)
    return Curve(
        phases=[Level(name, *point) for *point, name in phases],
        seconds=[Level(f"second {at}", *point) for *point, at in _fewer(seconds)],
        knee_rps=_knee(_grouped(seconds) if len(seconds) > len(phases) else phases),
        mix_known=all(one.by_step for one in alike),
        left_out=[one.name for one in measured if one not in alike],
    )


def has_curve(document: LoadDocument) -> bool:
    """Whether a run has a curve, which is quicker to say than which."""
    if document.search is not None:
        return False
    _, alike = _phases(document)
    phases = _levels_of(document, alike)
    return _several_rates(phases) or _several_rates(_seconds(document, alike))


def _phases(document: LoadDocument) -> tuple[list[PhaseSlice], list[PhaseSlice]]:
    """The measured phases, and those of them that ask for the same."""
    measured = [one for one in document.phases if one.measured and one.requests.completed]
    return measured, _largest_mix(measured)


def _levels_of(
    document: LoadDocument, phases: Sequence[PhaseSlice]
) -> list[tuple[float, float, str]]:
    apart = stands_apart(document)
    return [
        (one.rates.admitted_rps, found.p95, one.name)
        for one in phases
        if (found := response_of(one, apart=apart)) is not None
    ]


def _largest_mix(phases: Sequence[PhaseSlice]) -> list[PhaseSlice]:
    """The most phases that ask for the same steps in the same shares; all, where nobody knows."""
    groups = [[one for one in phases if _differ(first, one) <= _SAME_MIX] for first in phases]
    return max(groups, key=lambda group: sum(one.requests.completed for one in group), default=[])


def _differ(one: PhaseSlice, other: PhaseSlice) -> float:
    """By how much the shares of steps differ, from 0 to 1."""
    if len(one.by_step) != len(other.by_step) or not sum(one.by_step) * sum(other.by_step):
        return 0.0
    shares = [[count / sum(part.by_step) for count in part.by_step] for part in (one, other)]
    first, second = shares
    return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / 2


def _seconds(document: LoadDocument, phases: Sequence[PhaseSlice]) -> list[_Second]:
    # The p95 of a second is of all that completed: refusals among them would make it quick.
    if stands_apart(document):
        return []
    names = {phase.name for phase in phases}
    # A part of a second, where a phase begins or ends, has fewer requests than its rate.
    whole: set[int] = set()
    for phase in phases:
        whole.update(range(math.ceil(phase.from_s), math.floor(phase.to_s)))
    return [
        (float(one.admitted), p95_ms, one.second)
        for one in document.seconds
        if one.admitted and (p95_ms := one.response_p95_ms) is not None
        if one.second in whole and one.phase in names
    ]


def _several_rates(levels: Sequence[tuple[float, float, object]]) -> bool:
    rates = sorted([rate_rps for rate_rps, _, _ in levels if rate_rps > 0])
    if len(levels) > _FEW:
        # The rate of single seconds scatters by chance: what counts is most of them.
        rates = rates[len(rates) // 10 : -len(rates) // 10 or None]
        return bool(rates) and rates[-1] > 2 * rates[0]
    return bool(rates) and rates[-1] > _APART * rates[0]


def _fewer(seconds: list[_Second]) -> list[_Second]:
    """At most `_MOST_SECONDS`: of neighbours in rate, the quickest and the slowest.

    Seconds ascend by rate.
    """
    if len(seconds) <= _MOST_SECONDS:
        return seconds
    size = -(-len(seconds) // (_MOST_SECONDS // 2))
    kept = []
    for start in range(0, len(seconds), size):
        group = seconds[start : start + size]
        kept += [min(group, key=_p95_of), max(group, key=_p95_of)] if len(group) > 1 else group
    return kept


def _grouped(seconds: Sequence[_Second]) -> list[tuple[float, float, str]]:
    """Seconds of about the same rate as one: the median of their rates and of their p95."""
    rates = [rate_rps for rate_rps, _, _ in seconds]
    width = rates[-1] / _LEVELS
    cuts = [bisect_left(rates, number * width) for number in range(_LEVELS)]
    found = []
    for number, (first, end) in enumerate(pairwise([*cuts, len(rates)])):
        if end - first >= 3:
            p95_ms = median([p95_ms for _, p95_ms, _ in seconds[first:end]])
            found.append((median(rates[first:end]), p95_ms, str(number)))
    return found


def _knee(levels: Sequence[tuple[float, float, str]]) -> float | None:
    """Where rate / p95 is largest, if p95 doubles beyond it; None where the points show none."""
    ordered = sorted(levels)
    if len(ordered) < _FEWEST_LEVELS:
        return None
    power = [rate_rps / p95_ms for rate_rps, p95_ms, _ in ordered]
    best = power.index(max(power))
    best_rps, best_ms, _ = ordered[best]
    rises = max(map(_p95_of, ordered[best:])) >= _RISES * best_ms
    return best_rps if 0 < best < len(ordered) - 1 and rises else None


def curve_figure(document: LoadDocument, anchor: str) -> Figure | None:
    """Phases, and seconds where they tell more, as points over the admitted rate."""
    curve = curve_of(document)
    if curve is None:
        return None
    of_ok = "ok requests" if stands_apart(document) else "completed requests"
    knee = curve.knee_rps
    chart = RateChart(
        title=_TITLE,
        finding=curve_finding(curve),
        x_label="admitted requests/s",
        y_label=f"response p95 of {of_ok}, ms",
        series=_series(curve),
        marks=(
            [RateMark(knee, f"knee {rate(knee)}", "c-current", svg.CURRENT, dash="7 4")]
            if knee
            else ()
        ),
    )
    drawings = [
        draw_rate_chart(chart, canvas, f"{anchor}-load-latency-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]
    return Figure(_TITLE, _help(curve), drawings, _data(curve), "load-latency")


def _series(curve: Curve) -> list[RateSeries]:
    """Seconds under the phases, if there are any."""
    looks: tuple[tuple[str, list[Level], str, str, svg.Marker, int], ...] = (
        ("a second", curve.seconds, "c-second", svg.MUTED, "cross", 2),
        ("a phase", curve.phases, "c-data", svg.DATA, "diamond", 1),
    )
    return [
        RateSeries(
            name,
            # Of many points only the table and the script tell which they are.
            [(one.rate_rps, one.p95_ms, _hover(one) if number == 1 else "") for one in levels],
            css,
            colour,
            shape,
            number,
        )
        for name, levels, css, colour, shape, number in looks
        if levels
    ]


def _hover(level: Level) -> str:
    return f"{level.name}: {rate(level.rate_rps)} admitted, p95 {milliseconds(level.p95_ms)}"


def curve_finding(curve: Curve) -> str:
    """From which to which rate p95 went, and where it bends."""
    levels = sorted(curve.phases if len(curve.phases) > 1 else curve.seconds, key=_by_rate)
    first, last = levels[0], levels[-1]
    words = (
        f"p95 is {milliseconds(first.p95_ms)} at {rate(first.rate_rps)} ({first.name}) and "
        f"{milliseconds(last.p95_ms)} at {rate(last.rate_rps)} ({last.name})."
    )
    if curve.knee_rps is None:
        return f"{words} The points show no knee: response time does not bend up to there."
    return (
        f"{words} The knee is at {rate(curve.knee_rps)}, where rate divided by p95 is greatest: "
        "beyond it requests wait."
    )


def _by_rate(level: Level) -> float:
    return level.rate_rps


def _help(curve: Curve) -> str:
    words = curve_finding(curve)
    if curve.seconds:
        words += " A cross is the p95 of one second, which a phase that climbs has at each rate."
    if curve.left_out:
        words += f" Left out, for they ask for other steps: {listed(curve.left_out)}."
    if not curve.mix_known:
        words += " This document does not tell whether phases ask for the same steps."
    return words


def _data(curve: Curve) -> Data:
    columns = [
        Column("admitted", "requests/s"),
        Column("a phase", "ms"),
        *([Column("a second", "ms")] if curve.seconds else []),
        Column("which", is_text=True),
    ]
    points = [(one, 1) for one in curve.phases] + [(one, 2) for one in curve.seconds]
    points.sort(key=lambda point: (point[0].rate_rps, point[1], point[0].name))
    cells = column([one.p95_ms for one, _ in points])
    rows = [
        DataRow(
            one.rate_rps,
            [
                rate_number(one.rate_rps),
                (cell or ABSENT) if number == 1 else "",
                *([(cell or ABSENT) if number == 2 else ""] if curve.seconds else []),
                one.name,
            ],
        )
        for (one, number), cell in zip(points, cells, strict=True)
    ]
    return Data(columns, rows)
