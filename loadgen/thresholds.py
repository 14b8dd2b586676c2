"""Thresholds over the books of a run: after it, and every second while it goes on.

A threshold is judged over the whole of its scope, or in windows of whole seconds that slide by
one. A threshold over nothing measured is neither held nor failed. Seconds are those in which
requests were due, so a second is complete only when its slowest request has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, inf

from core.errors import InputError
from loadgen.condition import Condition, parse
from loadgen.measures import Reading, read
from loadgen.profile.model import Threshold
from loadgen.schedule import PhasePlan
from loadgen.steps import StepInfo
from loadgen.tally import Tally
from loadgen.threshold_words import NOT_YET
from reports.load_document import ThresholdResult

__all__ = ["Abort", "Condition", "Rule", "check", "evaluate", "parse", "rules_of", "so_far"]

# While a run goes on, a second is looked at when it is this old: most of its requests have ended
# and their frames are here. Windows are looked at again later, for those that took longer.
LAG_S = 2
_AGES_S = (0, 5, 10, 20, 40)
# More windows than this would take seconds to judge; then they slide by more than a second.
_WINDOWS_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A threshold with its scope resolved; times count from the beginning of the run.

    `in_a_row` windows, each beginning where the one before ended, must all fail.
    """

    condition: Condition
    scope: str
    phases: frozenset[int]
    steps: tuple[int, ...] | None  # None: all
    from_s: float
    to_s: float
    late: bool  # whether `after` leaves something out
    window_s: int | None
    in_a_row: int
    abort: bool


@dataclass(frozen=True, slots=True)
class Abort:
    """The threshold that ended a run: its place in the profile, and what it saw."""

    index: int
    at_s: float
    value: float
    that: str
    scope: str


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one window, or the whole scope, says: `ok` is None where nothing can be said."""

    reading: Reading
    ok: bool | None
    seconds: range | None


# -- which ----------------------------------------------------------------------------------------


def rules_of(
    thresholds: Sequence[str | Threshold], phases: Sequence[PhasePlan], steps: Sequence[StepInfo]
) -> tuple[Rule, ...]:
    """The thresholds of a profile, ready to be judged.

    Raises:
        InputError: one cannot be judged; the message begins with its place in the profile.
    """
    return tuple(_rule(index, each, phases, steps) for index, each in enumerate(thresholds))


def _rule(
    index: int, given: str | Threshold, phases: Sequence[PhasePlan], steps: Sequence[StepInfo]
) -> Rule:
    threshold = Threshold(that=given) if isinstance(given, str) else given
    try:
        return _resolved(threshold, phases, steps)
    except InputError as error:
        raise InputError(f"thresholds[{index}]: {error}") from error


def _resolved(threshold: Threshold, phases: Sequence[PhasePlan], steps: Sequence[StepInfo]) -> Rule:
    condition = parse(threshold.that)
    chosen = [plan for plan in phases if threshold.phase in (None, plan.name)]
    if threshold.phase is None:
        chosen = [plan for plan in chosen if plan.measured]
    elif not chosen:
        raise InputError(f"phase: there is no phase '{threshold.phase}'")
    numbers = tuple(step.index for step in steps if step.name == threshold.step)
    if threshold.step is not None and not numbers:
        raise InputError(f"step: there is no step '{threshold.step}'")
    if threshold.step is not None and condition.subject in ("offered", "dropped"):
        raise InputError(
            f"step: '{condition.subject}' counts arrivals, which belong to no step; leave it out"
        )
    window_s = threshold.window_s
    if window_s is not None and (window_s < 1 or window_s != int(window_s)):
        raise InputError(f"window: must be whole seconds, at least 1s (got {window_s:g}s)")
    if window_s is None and threshold.for_windows > 1:
        raise InputError("for: counts windows; give window as well, such as 10s")
    from_s = min((plan.from_s for plan in chosen), default=0.0)
    return Rule(
        condition=condition,
        scope=_scope_words(threshold),
        phases=frozenset(plan.index for plan in chosen),
        steps=None if threshold.step is None else numbers,
        # Of a phase, `after` counts from its beginning; else from that of the run.
        from_s=max(from_s, threshold.after_s + (from_s if threshold.phase else 0.0)),
        to_s=max((plan.to_s for plan in chosen), default=0.0),
        late=threshold.after_s > 0,
        window_s=None if window_s is None else int(window_s),
        in_a_row=threshold.for_windows,
        abort=threshold.abort,
    )


def _scope_words(threshold: Threshold) -> str:
    names = [
        f"{kind} {name}"
        for kind, name in (("step", threshold.step), ("phase", threshold.phase))
        if name is not None
    ]
    words = " in ".join(names) or "the run"
    if threshold.after_s:
        words += f" after {threshold.after_s:g} s"
    if threshold.window_s is None:
        return words
    if threshold.for_windows == 1:
        return f"{words}, each {threshold.window_s:g} s"
    return f"{words}, {threshold.for_windows} times {threshold.window_s:g} s in a row"


# -- after the run --------------------------------------------------------------------------------


def evaluate(
    rules: Sequence[Rule], tally: Tally, abort: Abort | None = None
) -> list[ThresholdResult]:
    """What became of each threshold; of windows the worst is given."""
    return [
        _result(rule, _final(rule, tally), abort if abort and abort.index == index else None)
        for index, rule in enumerate(rules)
    ]


def _final(rule: Rule, tally: Tally) -> _Judged:
    until_s = inf if tally.until_us is None else tally.until_us / 1e6
    if rule.window_s is None:
        return _judged(rule, tally, _from(rule, tally) if rule.late else None)
    end_s = min(until_s, max(rule.to_s, rule.from_s))
    return _worst(rule, tally, _chains(rule, end_s))


def _from(rule: Rule, tally: Tally) -> range:
    """All seconds from the beginning of the scope on, as far as anything is known."""
    first = ceil(rule.from_s) if rule.late else floor(rule.from_s)
    return range(first, max(tally.seconds.stop, first))


def _chains(rule: Rule, end_s: float) -> list[tuple[range, ...]]:
    """All runs of `in_a_row` windows that touch each other, sliding by a second."""
    window_s = rule.window_s or 1
    first, last = ceil(rule.from_s), floor(end_s)
    length_s = window_s * rule.in_a_row
    if last - first < length_s:
        # What is shorter than a window is one; of several in a row there are none.
        return [(range(first, ceil(end_s)),)] if rule.in_a_row == 1 and end_s > first else []
    count = last - first - length_s + 1
    stride = max(1, count // _WINDOWS_MOST)
    return [_chain(begin, rule) for begin in range(first, first + count, stride)]


def _chain(begin: int, rule: Rule) -> tuple[range, ...]:
    window_s = rule.window_s or 1
    starts = range(begin, begin + window_s * rule.in_a_row, window_s)
    return tuple(range(start, start + window_s) for start in starts)


def _worst(rule: Rule, tally: Tally, chains: Iterable[tuple[range, ...]]) -> _Judged:
    """The worst chain, as its mildest window says it."""
    known: dict[int, _Judged] = {}
    judged = [_mildest(rule, tally, chain, known) for chain in chains]
    usable = [one for one in judged if one.reading.value is not None]
    if not usable:
        reason = judged[0].reading.reason if judged else _too_short(rule)
        return _Judged(Reading(None, None, reason), None, None)
    worst = max(usable, key=lambda one: _badness(rule, one))
    # Where all windows say the same, none is the worst.
    if len({one.reading.value for one in usable}) == 1:
        return replace(worst, seconds=None)
    return worst


def _too_short(rule: Rule) -> str:
    return f"shorter than {rule.in_a_row} x {rule.window_s} s" if rule.window_s else ""


def _mildest(
    rule: Rule, tally: Tally, chain: tuple[range, ...], known: dict[int, _Judged]
) -> _Judged:
    for seconds in chain:
        if seconds.start not in known:
            known[seconds.start] = _judged(rule, tally, seconds)
    windows = [known[seconds.start] for seconds in chain]
    empty = [one for one in windows if one.reading.value is None]
    # A window without requests does not fail, and so breaks a row.
    return empty[0] if empty else min(windows, key=lambda one: _badness(rule, one))


def _badness(rule: Rule, judged: _Judged) -> tuple[int, float]:
    order = {True: 0, None: 1, False: 2}[judged.ok]
    return order, rule.condition.badness(judged.reading.value or 0.0)


def _judged(rule: Rule, tally: Tally, seconds: range | None) -> _Judged:
    reading = read(rule.condition, tally, rule.phases, rule.steps, seconds)
    if reading.value is None or reading.most is None:
        return _Judged(reading, None, seconds)
    least, most = rule.condition.holds(reading.value), rule.condition.holds(reading.most)
    return _Judged(reading, least if least == most else None, seconds)


def _result(
    rule: Rule, judged: _Judged, abort: Abort | None, which: str = "worst"
) -> ThresholdResult:
    detail = judged.reading.reason
    if rule.window_s is not None and judged.seconds is not None and not detail:
        seconds = judged.seconds
        detail = f"{which} window: second {seconds.start} to {seconds.stop}"
    result = ThresholdResult(
        that=str(rule.condition),
        scope=rule.scope,
        value=judged.reading.value,
        limit=rule.condition.limit,
        unit=rule.condition.unit,
        ok=judged.ok,
        detail=detail,
    )
    if abort is None:
        return result
    update = {
        "ok": False,
        "aborted": True,
        "value": abort.value,
        "detail": f"ended the run at second {abort.at_s:.0f}",
    }
    return result.model_copy(update=update)


# -- while it goes on -----------------------------------------------------------------------------


def check(rules: Sequence[Rule], tally: Tally, now_s: float) -> Abort | None:
    """The first threshold with `abort` that does not hold, as far as `now_s` is known.

    Seconds younger than 2 s are left for later. A lower bound on a count can only be judged at
    the end.
    """
    for index, rule in enumerate(rules):
        if not rule.abort or _grows(rule.condition):
            continue
        for judged in _recent(rule, tally, _known_s(tally, now_s)):
            value = judged.reading.value
            if judged.ok is False and value is not None and not _may_recover(rule, value):
                return Abort(index, now_s, value, str(rule.condition), rule.scope)
    return None


def so_far(rules: Sequence[Rule], tally: Tally, now_s: float) -> list[ThresholdResult]:
    """Every threshold as it stands: over what is known, or in the last window that is known."""
    known_s = _known_s(tally, now_s)
    return [_result(rule, _now(rule, tally, known_s), None, "last") for rule in rules]


def _now(rule: Rule, tally: Tally, known_s: int) -> _Judged:
    empty = _Judged(Reading(None, None, NOT_YET), None, None)
    judged = next(_recent(rule, tally, known_s), empty)
    value = judged.reading.value
    if judged.ok is not False or value is None or rule.window_s or known_s >= ceil(rule.to_s):
        return judged
    if _grows(rule.condition) or _may_recover(rule, value):
        return replace(judged, ok=None, reading=replace(judged.reading, reason=NOT_YET))
    return judged


def _known_s(tally: Tally, now_s: float) -> int:
    return floor(min(now_s, tally.at_us / 1e6 + 1) - LAG_S)


def _grows(condition: Condition) -> bool:
    return condition.measure == "count" and condition.operator in (">", ">=")


def _may_recover(rule: Rule, value: float) -> bool:
    """Whether a count that is to equal its limit can still reach it."""
    condition = rule.condition
    return condition.measure == "count" and condition.operator == "==" and value < condition.limit


def _recent(rule: Rule, tally: Tally, known_s: int) -> Iterator[_Judged]:
    first = ceil(rule.from_s)
    if rule.window_s is None:
        known = range(_from(rule, tally).start, min(known_s, ceil(rule.to_s)))
        if known:
            yield _judged(rule, tally, known)
        return
    length_s = rule.window_s * rule.in_a_row
    for age_s in _AGES_S:
        begin = known_s - age_s - length_s
        if first <= begin and begin + length_s <= ceil(rule.to_s):
            yield _mildest(rule, tally, _chain(begin, rule), {})
