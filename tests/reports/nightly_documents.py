"""Nights as documents, one for each state: what pages, JUnit, Markdown and messages are made from.

Deterministic: the same arguments give the same document. Of the figures, the first, p95 of the
first endpoint, is the one that a state is about; the others go up and down as nights do.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from reports.figures import milliseconds, percent, percent_range
from reports.history.record import AlarmRecord, AlarmState, SeriesId
from reports.nightly.document import (
    GateStatus,
    NightGate,
    NightlyDocument,
    NightProvenance,
    NightRun,
    NightStep,
    NightVerdict,
    SavingFound,
    Trend,
    TrendLevel,
    TrendMark,
    TrendPoint,
)

State = Literal[
    "pass", "failed", "suspect", "inconclusive", "invalid", "interrupted", "empty", "first night"
]

TONIGHT = date(2026, 11, 27)
NIGHT_ID = "20261127T020004Z-3f9a1c"
# A step is slower from this night on, and by this factor, in the states that say so.
SLOWER_NIGHTS = {"failed": 3, "suspect": 1}
FACTOR = 1.118
_ENDPOINTS = ("GET /search", "POST /orders", "GET /orders/{id}", "GET /health")
_MEDIANS_MS = {"p50": 41.0, "p95": 112.0, "p99": 236.0}
_MISSING = (61, 17, 16, 15)  # nights before tonight in which nothing was measured
_VERDICTS: dict[str, tuple[NightVerdict, int]] = {
    "pass": ("pass", 0),
    "failed": ("failed", 3),
    "suspect": ("pass", 0),
    "inconclusive": ("inconclusive", 4),
    "invalid": ("invalid", 5),
    "interrupted": ("interrupted", 130),
    "empty": ("error", 1),
    "first night": ("inconclusive", 4),
}


def night_document(
    state: State = "pass",
    *,
    series: int | None = None,
    nights: int = 90,
    name: str = "shop",
    steps: Sequence[str] = ("orders", "browse"),
    seed: int = 9,
) -> NightlyDocument:
    """A night in `state` with a history of `nights`; `series` figures, else some fifteen."""
    if state == "empty":
        return _document(state, name, [], [], [])
    nights = 1 if state == "first night" else nights
    ids = _figures(steps, series)
    trends = [_trend(one, place, state, nights, seed) for place, one in enumerate(ids)]
    alarms = _alarms(state, trends)
    return _document(state, name, [*steps, "thumbnail"], trends, alarms)


def hostile_night() -> NightlyDocument:
    """Names and messages that are markup wherever they stand."""
    markup = "<script>alert(1)</script>|`x`\n<b onload=alert(2)>"
    base = night_document("failed", series=3, nights=20, name=markup, steps=(markup,))
    gates = [gate.model_copy(update={"message": markup, "text": markup}) for gate in base.gates]
    runs = [base.steps[0].runs[0].model_copy(update={"folder": "javascript:alert(3)//" + markup})]
    first = base.steps[0].model_copy(
        update={"runs": runs, "headline": markup, "errors": [markup], "verdict": markup}
    )
    trends = [
        trend.model_copy(
            update={
                "series": SeriesId(step=markup, scope=markup, metric=markup),
                "marks": [
                    TrendMark(night="2026-11-20", sequence=83, kind="version", text=markup),
                    TrendMark(night=markup, sequence=84, kind="change", text=markup),
                ],
                "missing": [markup, "2026-11-19"],
            }
        )
        for trend in base.trends
    ]
    return base.model_copy(
        update={
            "headline": markup,
            "notes": [markup],
            "history_problems": [markup],
            "errors": [markup],
            "gates": gates,
            "steps": [first, *base.steps[1:]],
            "trends": trends,
            "provenance": base.provenance.model_copy(
                update={"plan_text": markup, "plan_file": markup, "branch": markup}
            ),
        }
    )


def _figures(steps: Sequence[str], count: int | None) -> list[SeriesId]:
    """Figures of loads, then those of a tuning: as many as asked."""
    loads = [
        SeriesId(step=step, scope=scope, metric=metric)
        for step in steps
        for scope in _ENDPOINTS
        for metric in ("p95", "p50", "p99")
    ]
    tuned = [
        SeriesId(step="thumbnail", scope="512 MB", metric="duration"),
        SeriesId(step="thumbnail", scope="512 MB", metric="cost"),
        SeriesId(step="thumbnail", scope="all sizes", metric="curve"),
    ]
    if count is None:
        return [*loads[:9], *loads[12:15], *tuned]
    more = [
        SeriesId(step=steps[0], scope=f"GET /items/{number}", metric=metric)
        for number in range(max(0, count))
        for metric in ("p95", "p50", "p99")
    ]
    return [*loads, *tuned, *more][:count]


def _is_money(one: SeriesId) -> bool:
    return one.metric in ("cost", "curve")


def _trend(one: SeriesId, place: int, state: State, nights: int, seed: int) -> Trend:
    rng = random.Random(f"{seed} {place}")
    usual = 6.4 if _is_money(one) else _MEDIANS_MS.get(one.metric, 318.0) * (1 + 0.13 * place)
    error = {"p50": 0.006, "p95": 0.014, "p99": 0.028}.get(one.metric, 0.005)
    slower = SLOWER_NIGHTS.get(state, 0) if place == 0 else 0
    # The fourth figure became slower long ago, and somebody accepted that.
    accepted = place == 3 and nights > 50
    points = []
    for ago in range(nights - 1, -1, -1):
        if ago in _MISSING and ago < nights - 1:
            continue
        true = usual * (FACTOR if ago < slower or (accepted and ago < 40) else 1.0)
        y = math.log(true) + rng.gauss(0, 0.016) + rng.gauss(0, error)
        points.append(_point(ago, nights, y, error, state, slower))
    return Trend(
        series=one,
        unit="usd_per_million" if _is_money(one) else "ms",
        points=points,
        levels=_levels(points, usual, nights, slower, accepted=accepted),
        marks=_marks(nights, slower, accepted=accepted),
        missing=sorted(
            (TONIGHT - timedelta(days=ago)).isoformat() for ago in _MISSING if ago < nights - 1
        ),
    )


def _point(ago: int, nights: int, y: float, error: float, state: State, slower: int) -> TrendPoint:
    status: Literal["counted", "suspect", "confirmed", "invalid", "unlike"] = "counted"
    if ago < slower:
        status = "suspect" if state == "suspect" or ago == slower - 1 else "confirmed"
    elif ago == 30 or (ago == 0 and state == "invalid"):
        status = "invalid"
    elif ago == 75:
        status = "unlike"
    bad = 1.4 if ago == 30 else 1.0
    return TrendPoint(
        night=(TONIGHT - timedelta(days=ago)).isoformat(),
        night_id=NIGHT_ID if ago == 0 else f"night-{nights - ago}",
        sequence=nights - ago,
        at_utc=f"{TONIGHT - timedelta(days=ago)}T02:00:04Z",
        value=math.exp(y) * bad,
        low=math.exp(y - 1.96 * error) * bad,
        high=math.exp(y + 1.96 * error) * bad,
        n=11_900 + 7 * ago,
        status=status,
        git_commit=f"{(nights - ago) * 2654435761 % 2**32:08x}" + "0" * 32,
    )


def _levels(
    points: Sequence[TrendPoint], usual: float, nights: int, slower: int, *, accepted: bool
) -> list[TrendLevel]:
    if nights < 10:
        return []
    ends = [(1, nights - slower, usual)]
    if accepted:
        ends = [(1, nights - 40, usual), (nights - 39, nights, usual * FACTOR)]
    if slower > 1:
        ends.append((nights - slower + 1, nights, usual * FACTOR))
    return [
        TrendLevel(
            from_sequence=first, to_sequence=last, center=center, low=center * 0.95,
            high=center * 1.05,
        )
        for first, last, center in ends
    ]  # fmt: skip


def _marks(nights: int, slower: int, *, accepted: bool) -> list[TrendMark]:
    def mark(
        ago: int, kind: Literal["change", "accepted", "prices", "version"], text: str
    ) -> TrendMark:
        night = (TONIGHT - timedelta(days=ago)).isoformat()
        return TrendMark(night=night, sequence=nights - ago, kind=kind, text=text)

    found = []
    if nights > 70:
        found.append(mark(66, "prices", "prices of 2026-09-01"))
        found.append(mark(52, "version", "version 41 of shop-search"))
    if accepted:
        found.append(mark(39, "change", "+11.8 %"))
        found.append(mark(37, "accepted", "accepted: search has facets now (mk)"))
    if slower > 1:
        found.append(mark(slower - 1, "change", "+11.8 %"))
    return found


def _alarms(state: State, trends: Sequence[Trend]) -> list[AlarmRecord]:
    slower = SLOWER_NIGHTS.get(state, 0)
    if not slower:
        return []
    kept: AlarmState = "confirmed" if state == "failed" else "suspect"
    return [_alarm(trends[0], slower, kept, "2 reruns" if state == "failed" else "")]


def _alarm(trend: Trend, nights: int, state: AlarmState, confirmed_by: str) -> AlarmRecord:
    first, last = trend.points[-nights], trend.points[-1]
    before = trend.points[-nights - 1]
    level = trend.levels[0].center
    return AlarmRecord(
        alarm_id=f"{trend.series.step}-{trend.series.metric}-{first.sequence:06d}",
        series=trend.series,
        state=state,
        since_night=first.night,
        since_night_id=first.night_id,
        since_sequence=first.sequence,
        change_share=last.value / level - 1,
        change_interval=(last.value / level - 1 - 0.042, last.value / level - 1 + 0.043),
        p_value=0.00031,
        floor_share=0.07,
        baseline_value=level,
        value=last.value,
        unit=trend.unit,
        confirmed_by=confirmed_by,
        commits=(before.git_commit, first.git_commit),
    )


def _cleared(trends: Sequence[Trend]) -> list[AlarmRecord]:
    """A suspect of a week ago that reruns cleared."""
    if len(trends) < 6 or len(trends[5].points) < 40:
        return []
    alarm = _alarm(trends[5], 7, "cleared", "2 reruns did not agree")
    return [alarm.model_copy(update={"change_share": 0.131, "change_interval": (0.08, 0.184)})]


def _gates(
    state: State, trends: Sequence[Trend], alarms: Sequence[AlarmRecord], steps: Sequence[str]
) -> list[NightGate]:
    found = [_validity(step, state, first=step == steps[0]) for step in steps]
    if state == "interrupted":
        return found[:1]
    invalid = state == "invalid"
    if len(trends) > 1:
        found.append(_budget(trends[1], "invalid" if invalid else "passed"))
    alarmed = {str(alarm.series): alarm for alarm in alarms}
    return found + [_relative(trend, alarmed.get(str(trend.series)), state) for trend in trends]


def _validity(step: str, state: State, *, first: bool) -> NightGate:
    bad = state == "invalid" and first
    return NightGate(
        step=step,
        scope="the run",
        metric="validity",
        kind="validity",
        text="the measurement is valid",
        status="invalid" if bad else "passed",
        message="requests began 212 ms late (p99), more than the 100 ms allowed" if bad else "",
    )


def _budget(trend: Trend, status: GateStatus) -> NightGate:
    one, last = trend.series, trend.points[-1]
    limit = last.value * 1.4
    return NightGate(
        step=one.step,
        scope=one.scope,
        metric=one.metric,
        kind="budget",
        text=f"{one.metric} < {limit:.0f} ms",
        status=status,
        message=f"measured {last.value:.1f} ms, limit {limit:.0f} ms, n = {last.n:,}",
        unit="ms",
        value=last.value,
        limit=limit,
        n=last.n,
    )


def _relative(trend: Trend, alarm: AlarmRecord | None, state: State) -> NightGate:
    one, last = trend.series, trend.points[-1]
    floor = {"p50": 0.05, "p95": 0.07, "p99": 0.10, "duration": 0.05}.get(one.metric, 0.03)
    few = state in ("inconclusive", "first night")
    status: GateStatus = "passed"
    if alarm is not None:
        status = "failed" if alarm.state == "confirmed" else "suspect"
    elif few:
        status = "inconclusive"
    elif state == "invalid":
        status = "invalid"
    center = trend.levels[-1].center if trend.levels else None
    if alarm is not None:
        center = alarm.baseline_value
    change = None if center is None else last.value / center - 1
    nights = max(0, min(28, len(trend.points) - 1)) if not few else min(6, len(trend.points) - 1)
    return NightGate(
        step=one.step,
        scope=one.scope,
        metric=one.metric,
        kind="curve" if one.metric == "curve" else "relative",
        text=f"{one.metric} within {floor:.0%} of 28 nights".replace("%", " %"),
        status=status,
        message=_message(last, center, change, nights, few=few),
        unit=trend.unit,
        value=last.value,
        baseline=None if few else center,
        limit=None if few or center is None else center * (1 + floor),
        change_share=None if few else change,
        change_interval=None if few or change is None else (change - 0.042, change + 0.043),
        p_value=None if few else 0.00031 if alarm is not None else 0.62,
        nights=nights,
        nights_needed=10,
        n=last.n,
        smallest_step_share=None if few else floor * 1.2,
    )


def _message(
    last: TrendPoint, center: float | None, change: float | None, nights: int, *, few: bool
) -> str:
    if few or center is None or change is None:
        return f"{nights} nights of the same key, 10 are needed"
    return f"{last.value:.4g}, {change:+.1%} of {center:.4g} in {nights} nights, n = {last.n:,}"


def _steps(state: State, steps: Sequence[str]) -> list[NightStep]:
    found = []
    for number, name in enumerate(steps):
        kind: Literal["load", "tune"] = "tune" if name == "thumbnail" else "load"
        begun = state != "interrupted" or number == 0
        verdict, code = ("pass", 0) if begun else ("not begun", 130)
        if state == "invalid" and number == 0:
            verdict, code = "invalid", 5
        runs = [_run(name, kind, number, verdict, code)] if begun else []
        if state == "failed" and number == 0:
            runs += [
                _run(name, kind, 10 + again, "pass", 0).model_copy(update={"purpose": "rerun"})
                for again in range(2)
            ]
        told = "512 MB is the cheapest size." if kind == "tune" else "All of 40/s were admitted."
        found.append(
            NightStep(
                name=name,
                kind=kind,
                verdict=verdict,
                exit_code=code,
                errors=[],
                headline=told if begun else "",
                runs=runs,
            )
        )
    return found


def _run(name: str, kind: str, number: int, verdict: str, code: int) -> NightRun:
    run_id = f"20261127T02{number:02d}04Z-{kind}-{name}"
    return NightRun(
        purpose="night",
        run_id=run_id,
        folder=f"steps/{run_id}",
        verdict=verdict,
        exit_code=code,
        started_utc=f"2026-11-27T02:{number:02d}:04Z",
        seconds=312.4 + number,
        spent_usd=0.0213 if kind == "load" else 0.0071,
    )


_HEADLINES: dict[str, str] = {
    "pass": "No figure is worse than in the 28 nights before.",
    "suspect": "p95 of GET /search in orders may have become slower; the next night decides.",
    "inconclusive": "No figure could be judged: 6 nights are known, and 10 are needed.",
    "invalid": "The measurement of orders is invalid: requests began 212 ms late.",
    "interrupted": "The night was interrupted while browse ran; 1 of 3 steps has a result.",
    "empty": "No step has a result.",
    "first night": "This is the first night: nothing is known to compare it with.",
}


def _headline(state: State, alarms: Sequence[AlarmRecord]) -> str:
    if state != "failed":
        return _HEADLINES[state]
    alarm = alarms[0]
    one = alarm.series
    low, high = alarm.change_interval or (0.0, 0.0)
    return (
        f"{one.step}, {one.scope}: {one.metric} rose by {percent(alarm.change_share)} "
        f"({percent_range(low, high)}) to {milliseconds(alarm.value)} since {alarm.since_night}."
    )


def _document(
    state: State,
    name: str,
    steps: Sequence[str],
    trends: Sequence[Trend],
    alarms: Sequence[AlarmRecord],
) -> NightlyDocument:
    verdict, code = _VERDICTS[state]
    told = _steps(state, steps)
    tuned = state in ("pass", "failed") and "thumbnail" in steps
    return NightlyDocument(
        name=name,
        night=TONIGHT.isoformat(),
        night_id=NIGHT_ID,
        sequence=trends[0].points[-1].sequence if trends else 1,
        verdict=verdict,
        exit_code=code,
        errors=["the history could not be read"] if state == "empty" else [],
        notes=["the clock is 3 h behind that of the last night"] if state == "failed" else [],
        headline=_headline(state, alarms),
        steps=told,
        gates=_gates(state, trends, alarms, steps),
        alarms=list(alarms),
        cleared=_cleared(trends) if state in ("pass", "failed") else [],
        trends=list(trends) if state != "interrupted" else [],
        savings=[
            SavingFound(
                step="thumbnail", function="shop-thumbnail", from_mb=1024, to_mb=512,
                saving_share=0.31, saving_interval=(0.24, 0.37),
            )
        ] if tuned else [],
        history_problems=(
            ["runs/shop/2026/10/20261003T020004Z-a.ndjson.gz: ends too early; left out"]
            if state == "failed" else []
        ),
        spent_usd=sum(run.spent_usd or 0 for step in told for run in step.runs),
        provenance=NightProvenance(
            tool_version="0.1.0",
            command=["reports", "nightly", "profiles/nightly.yaml"],
            started_utc="2026-11-27T02:00:04Z",
            finished_utc="2026-11-27T02:22:41Z",
            plan_file="profiles/nightly.yaml",
            plan_sha256="9d5e" * 16,
            plan_text="version: 1\nname: shop\nsteps:\n  - load: orders.yaml\n",
            environment=None,
            history="nightly-history",
            branch="main",
            git_commit="4be1f00d" + "0" * 32,
        ),
    )  # fmt: skip
