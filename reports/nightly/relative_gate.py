"""The relative gate of a figure in words: what CI servers list, and what people read at 7 a.m."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, expm1

from reports.figures import SPACE, milliseconds, percent, percent_range, significant, usd
from reports.history.record import EventRecord
from reports.nightly.alarm_course import Course
from reports.nightly.asked import differences
from reports.nightly.document import GateStatus, NightGate
from reports.nightly.figures_of_nights import Figure, Step, StepNights
from reports.nightly.plan import NightlyPlan
from reports.regression.bill import unlike_bills
from reports.regression.relative import Judgement

_STATUS: dict[str, GateStatus] = {
    "fine": "passed",
    "suspect": "suspect",
    "confirmed": "failed",
    "cleared": "passed",
    "recovered": "passed",
}
_WORDS = {
    "suspect": "suspected: {by}",
    "confirmed": "confirmed: {by}",
    "cleared": "suspected and cleared: {by}",
    "recovered": "{by}",
}


def relative_gate(
    figure: Figure,
    judged: Judgement,
    course: Course,
    nights: StepNights,
    *,
    of: int,
    min_nights: int,
    mute: EventRecord | None,
) -> NightGate:
    """The gate of a figure that was judged as one `of` several."""
    known = judged.change is not None
    status = _STATUS[course.fate] if known else "inconclusive"
    if mute is not None and status in ("suspect", "failed"):
        status = "muted"
    gate = NightGate(
        step=figure.series.step,
        scope=figure.series.scope,
        metric=figure.series.metric,
        kind="relative",
        text=gate_text(figure.series.metric, figure.floor_share),
        status=status,
        message=_few_nights(figure, judged, nights, min_nights),
        unit=figure.point.unit,
        value=figure.point.value,
        nights=judged.nights,
        nights_needed=min_nights,
        n=figure.point.n,
    )
    if judged.change is None or judged.interval is None or judged.limit is None:
        return gate
    back = figure.point.value / exp(figure.tonight.y)
    interval = (expm1(judged.interval[0]), expm1(judged.interval[1]))
    return gate.model_copy(
        update={
            "message": _message(figure, judged, course, of, mute),
            "baseline": exp(figure.tonight.y - judged.change) * back,
            "limit": exp(judged.limit) * back,
            "change_share": expm1(judged.change),
            "change_interval": interval,
            "p_value": judged.p_adjusted,
            "smallest_step_share": expm1(judged.smallest_step or 0.0),
        }
    )


def gate_text(metric: str, floor_share: float) -> str:
    """What the gate asks: the same every night, so that CI servers keep its history."""
    return f"{metric} has not risen by {floor_share * 100:g}{SPACE}% or more"


def absent_gates(step: Step, nights: StepNights, plan: NightlyPlan) -> Iterator[NightGate]:
    """Figures that earlier nights had, and tonight has not: nobody knows whether they are worse."""
    metrics = plan.metrics_of(step)
    here = {(point.scope, point.metric) for point in nights.tonight.points}
    recent = nights.alike[-plan.gates.window :]
    counts: dict[tuple[str, str], int] = {}
    for run in recent:
        for point in run.points:
            if point.metric in metrics and (point.scope, point.metric) not in here:
                counts[point.scope, point.metric] = counts.get((point.scope, point.metric), 0) + 1
    for (scope, metric), count in counts.items():
        # What was measured on few of the nights is rare by itself.
        if count * 2 > len(recent):
            yield NightGate(
                step=step.name,
                scope=scope,
                metric=metric,
                kind="relative",
                text=gate_text(metric, plan.floor_of(step, metric)),
                status="inconclusive",
                message=f"not measured tonight; it was on {count:,} of {len(recent):,} nights",
                nights=count,
            )


def _message(
    figure: Figure, judged: Judgement, course: Course, of: int, mute: EventRecord | None
) -> str:
    change, unit = judged.change or 0.0, figure.point.unit
    low, high = (expm1(bound) for bound in judged.interval or (0.0, 0.0))
    baseline = figure.point.value / exp(change)
    limit = baseline * exp((judged.limit or 0.0) - (judged.center or 0.0))
    against = (
        f"{value_words(figure.point.value, unit)} beside {value_words(baseline, unit)} of "
        f"{judged.nights:,} nights: {_signed(expm1(change))} (95 % interval "
        f"{percent_range(low, high)})"
    )
    parts = [
        against,
        f"alarms from {value_words(limit, unit)}",
        f"p {_probability(judged.p_adjusted)}, adjusted for {of:,} figures",
        f"n = {figure.point.n:,}",
    ]
    said = [", ".join(parts)]
    if judged.beside:
        said.append(f"it rose more than the other figures of {figure.series.scope}")
    if judged.two_nights and course.fate == "cleared":
        said.append("last night was as high")
    if course.fate in _WORDS:
        said.append(_WORDS[course.fate].format(by=course.by))
    if judged.answer == "better":
        said.append("an improvement, which can be accepted as the new level")
    if mute is not None:
        said.append(f"muted until {mute.until_utc or 'it is unmuted'}: {mute.reason}")
    return "; ".join(said)


def _few_nights(figure: Figure, judged: Judgement, nights: StepNights, min_nights: int) -> str:
    missing = max(min_nights - judged.nights, 1)
    text = (
        f"{judged.nights:,} of {min_nights:,} nights to compare with; "
        f"{missing:,} more {'is' if missing == 1 else 'are'} needed"
    )
    if figure.series.metric == "cost" and (unlike := unlike_bills(nights.alike, nights.tonight)):
        text += (
            f"; the bill of {unlike:,} other {'night' if unlike == 1 else 'nights'} is known "
            "in another way than tonight's: with options: {logs: true} each is known from logs"
        )
    before = nights.before
    if before is None:
        return text
    changed = "; ".join(differences(before.asked, nights.tonight.asked)) or "another target"
    return f"{text}: what is asked changed since {before.night}: {changed}"


def value_words(value: float, unit: str) -> str:
    """A figure with its unit: 134 ms, $4.10 a million."""
    if unit == "usd_per_million":
        return f"{usd(value)} a million"
    return milliseconds(value) if unit == "ms" else f"{significant(value)} {unit}".strip()


def _signed(share: float) -> str:
    return f"{'+' if share >= 0 else ''}{percent(share)}"


def _probability(p: float | None) -> str:
    if p is None:
        return "unknown"
    return "below 0.0001" if p < 0.0001 else f"= {p:.2g}"
