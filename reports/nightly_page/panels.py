"""The trends of a night as panels: those that are worse or changed, then the others by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.figure import Figure
from reports.history.record import AlarmRecord
from reports.nightly.document import NightlyDocument, Trend
from reports.trends.trend_figure import Beside, large_trend, small_trend

# From this many figures on, those without a change are folded away: nobody reads them all.
_FOLDED_FROM = 24
# Beyond these, what changed is drawn small too: a page in which everything is large shows nothing.
_MOST_LARGE = 8
_STATES = {"confirmed": 0, "suspect": 1, "muted": 2, "accepted": 3}
_CHANGED, _QUIET = 4, 5


@dataclass(frozen=True, slots=True)
class PanelGroup:
    """Panels under one title; `folded` ones wait until somebody opens them."""

    title: str
    figures: Sequence[Figure]
    folded: bool = False
    large: bool = False


def panel_groups(document: NightlyDocument, anchor: str) -> list[PanelGroup]:
    """All trends, the worst first."""
    alarms = {str(alarm.series): alarm for alarm in document.alarms}
    ranked = sorted(
        enumerate(document.trends, start=1), key=lambda one: _rank(one[1], alarms, document)
    )
    moved = [one for one in ranked if _rank(one[1], alarms, document)[0] < _QUIET]
    quiet = [one for one in ranked if _rank(one[1], alarms, document)[0] == _QUIET]
    limits = {
        (gate.step, gate.scope, gate.metric): gate.limit
        for gate in document.gates
        if gate.kind in ("relative", "curve")
    }

    def beside(trend: Trend) -> Beside:
        one = trend.series
        limit = limits.get((one.step, one.scope, one.metric))
        return Beside(document.night, alarms.get(str(one)), limit)

    def small(trend: Trend, number: int, *, with_step: bool) -> Figure:
        return small_trend(trend, beside(trend), f"{anchor}-trend-{number}", with_step=with_step)

    groups = [
        PanelGroup(
            "Worse, suspected or changed",
            [
                large_trend(trend, beside(trend), f"{anchor}-trend-{number}")
                for number, trend in moved[:_MOST_LARGE]
            ],
            large=True,
        ),
        PanelGroup(
            "Further changes",
            [small(trend, number, with_step=True) for number, trend in moved[_MOST_LARGE:]],
        ),
    ]
    unjudged = _unjudged_steps(document)
    folded = len(document.trends) >= _FOLDED_FROM
    for step in dict.fromkeys(trend.series.step for trend in document.trends):
        of_step = [
            small(trend, number, with_step=False)
            for number, trend in quiet
            if trend.series.step == step
        ]
        told = _figures(len(of_step), is_judged=step not in unjudged)
        groups.append(PanelGroup(f"{step}: {told}", of_step, folded))
    return [group for group in groups if group.figures]


def _figures(count: int, *, is_judged: bool) -> str:
    noun = f"{count} {'figure' if count == 1 else 'figures'}"
    return f"{noun} without a change" if is_judged else f"{noun}, not judged yet"


def _unjudged_steps(document: NightlyDocument) -> set[str]:
    """Steps of which no figure could be compared with earlier nights."""
    gates = [gate for gate in document.gates if gate.kind in ("relative", "curve")]
    judged = {gate.step for gate in gates if gate.status != "inconclusive"}
    return {gate.step for gate in gates} - judged


def _rank(
    trend: Trend, alarms: dict[str, AlarmRecord], document: NightlyDocument
) -> tuple[int, float]:
    """What comes first: by state, then the largest change, or the latest."""
    alarm = alarms.get(str(trend.series))
    if alarm is not None and alarm.state in _STATES:
        return _STATES[alarm.state], -alarm.change_share
    changes = [mark.sequence for mark in trend.marks if mark.kind in ("change", "accepted")]
    cleared = [one.since_sequence for one in document.cleared if one.series == trend.series]
    if changes or cleared:
        return _CHANGED, float(-max([*changes, *cleared]))
    return _QUIET, 0.0
