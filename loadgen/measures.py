"""What a condition measures, read from the books of a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from loadgen.condition import Condition
from loadgen.histogram import Histogram
from loadgen.outcome import GATEWAY_THROTTLES, Cause, Evidence, Kind, Outcome
from loadgen.retry.timely import timely_totals
from loadgen.tally import Tally
from loadgen.totals import Totals

_UNNAMED = frozenset({Cause.NONE, Cause.UNKNOWN})
# These say what an error is, not only what it looks like.
_SURE = frozenset({Evidence.RULE, Evidence.ACCESS_LOG, Evidence.METRICS})


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured value in the unit of its condition; None, with a reason, where there is none.

    `most` is above `value` where requests without a named cause may be of the wanted one.
    """

    value: float | None
    most: float | None
    reason: str = ""


def read(
    condition: Condition,
    tally: Tally,
    phases: Collection[int],
    steps: Sequence[int] | None,
    seconds: range | None,
) -> Reading:
    """The value of `condition` over some phases, steps (None: all) and seconds (None: all)."""
    chosen: Sequence[int | None] = [None] if steps is None else steps
    totals = [tally.totals(phases, step, seconds) for step in chosen]
    if condition.unit == "ms":
        return _latency(condition, totals)
    if condition.measure == "rps" and seconds is None:
        totals = [
            timely_totals(tally, phases, step) or one
            for step, one in zip(chosen, totals, strict=True)
        ]
    least, most = _counted(condition, totals)
    if condition.measure == "rps":
        return _rate(least, most, length_s(tally, phases, seconds), "no time was measured")
    if condition.measure == "rate":
        whole = sum(
            one.offered if condition.subject == "dropped" else one.completed for one in totals
        )
        nothing = "no arrival was due" if condition.subject == "dropped" else "no request completed"
        return _rate(least, most, whole, nothing)
    if not any(one.completed or one.offered or one.sent for one in totals):
        return Reading(None, None, "nothing was sent")
    return _between(least, most)


def _latency(condition: Condition, totals: Sequence[Totals]) -> Reading:
    histogram = Histogram.merged(_latencies_of(condition.subject, one) for one in totals)
    if not histogram.n:
        return Reading(None, None, _NOTHING.get(condition.subject, "no request completed"))
    if condition.percent is not None:
        value_us: float = histogram.percentile(condition.percent)
    else:
        value_us = histogram.max_us if condition.measure == "max" else histogram.mean_us
    return Reading(value_us / 1000, value_us / 1000)


_NOTHING = {
    "ok_response": "no request was ok",
    "connect": "no connection was made",
    "first_byte": "no answer began",
}


def _latencies_of(subject: str, totals: Totals) -> Histogram:
    match subject:
        case "service":
            return totals.service
        case "ok_response":
            return totals.ok_response
        case "first_byte":
            return totals.first_byte
        case "connect":
            return totals.connect
        case _:
            return totals.response


def _counted(condition: Condition, totals: Sequence[Totals]) -> tuple[int, int]:
    """How many requests are what the condition is about: surely, and at most."""
    counts = [_count(condition, one) for one in totals]
    return sum(least for least, _ in counts), sum(most for _, most in counts)


def _count(condition: Condition, totals: Totals) -> tuple[int, int]:
    match condition.subject:
        case "offered":
            return totals.offered_requests, totals.offered_requests
        case "dropped":
            return totals.dropped, totals.dropped
        case "completed":
            return totals.completed, totals.completed
        case "admitted":
            return totals.admitted, totals.admitted
    every = [(Kind.of(code), count) for code, count in totals.counts.items()]
    kinds = [(kind, count) for kind, count in every if _is_of(kind.outcome, condition.subject)]
    if condition.cause is None:
        whole = sum(count for _, count in kinds)
        return whole, whole
    wanted = Cause[condition.cause.upper()]
    sure, doubtful = _causes(wanted)
    least = sum(count for kind, count in kinds if kind.cause in sure)
    most = least + sum(count for kind, count in kinds if kind.cause in doubtful)
    if wanted is Cause.LAMBDA_CONCURRENCY and condition.subject == "throttled":
        most += sum(count for kind, count in every if _may_be_lambda(kind))
    return least, most


def _may_be_lambda(kind: Kind) -> bool:
    """Whether a server error may be a throttle of Lambda.

    Behind a REST API that is a 500 and behind an HTTP API a 503, with the API's own words or not.
    """
    unexplained = kind.cause in _UNNAMED and kind.evidence not in _SURE
    return kind.outcome is Outcome.SERVER_ERROR and unexplained


def _is_of(outcome: Outcome, subject: str) -> bool:
    if subject == "failed":
        return outcome not in (Outcome.OK, Outcome.THROTTLED)
    return outcome.name.lower() == subject


def _causes(wanted: Cause) -> tuple[frozenset[Cause], frozenset[Cause]]:
    """The causes that are the wanted one, and those that may be."""
    if wanted is Cause.THROTTLE:
        return GATEWAY_THROTTLES, _UNNAMED
    if wanted is Cause.UNKNOWN:
        return frozenset({Cause.NONE, Cause.UNKNOWN}), frozenset()
    if wanted in GATEWAY_THROTTLES:
        return frozenset({wanted}), _UNNAMED | {Cause.THROTTLE}
    return frozenset({wanted}), _UNNAMED


def length_s(tally: Tally, phases: Collection[int], seconds: range | None = None) -> float:
    """The time that counts, in seconds; a burst at once has no length and is taken as one."""
    length = tally.length_s(phases, seconds)
    bursts = any(tally.phases[index].kind == "burst" for index in phases)
    return max(length, 1.0) if bursts else length


def _rate(least: int, most: int, whole: float, nothing: str) -> Reading:
    if not whole:
        return Reading(None, None, nothing)
    return _between(least / whole, most / whole)


def _between(least: float, most: float) -> Reading:
    reason = "" if least == most else "requests without a named cause may be of this one"
    return Reading(least, most, reason)
