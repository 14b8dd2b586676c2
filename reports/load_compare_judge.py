"""The verdict of each metric, of the whole comparison, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from core.errors import ExitCode
from reports.block_difference import Estimate, holm
from reports.load_compare_document import (
    ComparedPart,
    LoadCompareVerdict,
    Metric,
    MetricChange,
    Unit,
    Way,
)

# Changes below these do not matter: those of the nightly gate. Shares are absolute.
FLOORS: dict[Metric, float] = {
    "p50": 0.05,
    "p95": 0.07,
    "p99": 0.10,
    "cost": 0.03,
    "admitted": 0.03,
    "throttled": 0.01,
    "failed": 0.005,
}
FAMILY_ERROR = 0.05
SHARES: tuple[Metric, ...] = ("throttled", "failed")
_MORE_IS_BETTER: tuple[Metric, ...] = ("admitted",)

EXIT_CODES: dict[LoadCompareVerdict, ExitCode] = {
    "same": ExitCode.PASS,
    "improved": ExitCode.PASS,
    "regressed": ExitCode.FAILED,
    "cannot be told": ExitCode.INCONCLUSIVE,
    "not comparable": ExitCode.INCONCLUSIVE,
    "invalid": ExitCode.INVALID,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric of both runs before it is judged; without an estimate, `why` says why."""

    metric: Metric
    before: float | None
    after: float | None
    estimate: Estimate | None
    why: str = ""
    # Both runs have none of it: there is nothing to test, and no chance of an alarm.
    never: bool = False


def judged(parts: Sequence[Sequence[Measured]]) -> list[list[MetricChange]]:
    """Each part's metrics with their verdicts; Holm's rule goes over all of them together."""
    tested = [
        one.estimate.p_value
        for part in parts
        for one in part
        if one.estimate is not None and not one.never
    ]
    adjusted = iter(holm(tested))
    return [
        [
            _change(one, None if one.estimate is None or one.never else next(adjusted))
            for one in part
        ]
        for part in parts
    ]


def _change(one: Measured, p_holm: float | None) -> MetricChange:
    estimate, floor = one.estimate, FLOORS[one.metric]
    interval = None if estimate is None else _scaled_pair(one.metric, estimate.interval())
    way, why = _verdict(one, p_holm)
    return MetricChange(
        metric=one.metric,
        unit=_unit(one.metric),
        before=one.before,
        after=one.after,
        change=_of_values(one),
        block_change=None if estimate is None else _scaled(one.metric, estimate.value),
        interval=interval,
        floor_share=floor,
        p_value=None if estimate is None or one.never else estimate.p_value,
        p_holm=p_holm,
        blocks=0 if estimate is None else estimate.blocks,
        verdict=way,
        why=why,
    )


def _of_values(one: Measured) -> float | None:
    """The change of the two figures that stand beside it."""
    if one.before is None or one.after is None:
        return None
    if one.metric in SHARES:
        return one.after - one.before
    return one.after / one.before if one.before else None


def _scaled(metric: Metric, value: float) -> float:
    return value if metric in SHARES else exp(value)


def _scaled_pair(metric: Metric, ends: tuple[float, float]) -> tuple[float, float]:
    low, high = (_scaled(metric, end) for end in ends)
    return (max(low, -1.0), min(high, 1.0)) if metric in SHARES else (low, high)


def _verdict(one: Measured, p_holm: float | None) -> tuple[Way, str]:
    estimate = one.estimate
    if estimate is None:
        return "cannot be told", one.why
    floor = FLOORS[one.metric] if one.metric in SHARES else log(1 + FLOORS[one.metric])
    is_told = p_holm is not None and p_holm < FAMILY_ERROR
    if is_told and abs(estimate.value) >= floor:
        rises = estimate.value > 0
        return ("better" if rises == (one.metric in _MORE_IS_BETTER) else "worse"), ""
    low, high = estimate.interval()
    if -floor <= low and high <= floor:
        return "same", ""
    if is_told:
        return "cannot be told", "perhaps by less than matters"
    if low > 0 or high < 0:
        return "cannot be told", "told only if it were the one metric"
    return "cannot be told", "too wide an interval"


def _unit(metric: Metric) -> Unit:
    if metric in SHARES:
        return "share"
    if metric == "admitted":
        return "rps"
    return "usd_per_million" if metric == "cost" else "ms"


def overall(parts: Sequence[ComparedPart]) -> LoadCompareVerdict:
    """Regressed where anything got worse; same where the whole run is, and no step is suspect."""
    changes = [change for part in parts for change in part.changes]
    if any(change.verdict == "worse" for change in changes):
        return "regressed"
    if any(change.verdict == "better" for change in changes):
        return "improved"
    whole = [change for change in parts[0].changes if change.metric != "cost"] if parts else []
    is_same = bool(whole) and all(change.verdict == "same" for change in whole)
    return "same" if is_same and not any(map(is_suspect, changes)) else "cannot be told"


def is_suspect(change: MetricChange) -> bool:
    """Whether a change would be told if it were the only metric: it counts against `same`."""
    if change.verdict != "cannot be told" or change.interval is None or change.block_change is None:
        return False
    told, floor = change.block_change, change.floor_share
    if change.metric in SHARES:
        nothing, size = 0.0, abs(told)
    else:
        nothing, size, floor = 1.0, abs(log(told)), log(1 + floor)
    low, high = change.interval
    return not low <= nothing <= high and size >= floor
