"""Conditions of an SLO as shares: at most so many requests may be bad.

`p95(response) < 300ms` holds when fewer than 5 % of requests take 300 ms or more, so percentiles
and shares are tested in the same way, and without an assumption about how latencies are spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from loadgen.condition import Condition, parse
from loadgen.outcome import Outcome
from loadgen.records import Records, response_us

Bools = NDArray[np.bool_]

# What no SLO that is silent about it may mean: refusals are quick, and so are many errors.
_ASSUMED = {
    "rate(failed) < 1%": frozenset({"failed", "ok"}),
    "rate(throttled) < 1%": frozenset({"throttled", "ok", "admitted"}),
}
_FORMS = "percentiles and shares, such as p95(ok_response) < 300ms or rate(throttled) < 1%"


@dataclass(frozen=True, slots=True)
class Criterion:
    """A condition, and the share of bad requests below which it holds."""

    condition: Condition
    limit_share: float
    assumed: bool = False  # not in the profile

    @property
    def is_latency(self) -> bool:
        """Whether it is about a percentile of times."""
        return self.condition.measure == "percentile"

    def counted(self, records: Records) -> Bools:
        """Which requests it is about."""
        if not self.is_latency:
            return np.ones(len(records), np.bool_)
        match self.condition.subject:
            case "ok_response":
                return np.asarray(_outcomes(records) == Outcome.OK, np.bool_)
            case "first_byte":
                return np.asarray(records["first_byte_us"] > 0, np.bool_)
            case _:
                return np.ones(len(records), np.bool_)

    def bad(self, records: Records) -> Bools:
        """Which requests speak against it."""
        condition = self.condition
        if self.is_latency:
            times_ms = _times_us(condition.subject, records) / 1000
            strict = condition.operator == "<"
            slow = times_ms >= condition.limit if strict else times_ms > condition.limit
            return np.asarray(slow, np.bool_)
        is_subject = _is_of(condition.subject, _outcomes(records))
        return is_subject if condition.operator in ("<", "<=") else ~is_subject


def criterion_of(text: str) -> Criterion:
    """The criterion that a condition states.

    Raises:
        InputError: it is no condition, or none that can be tested at a rate.
    """
    condition = parse(text)
    if condition.measure not in ("percentile", "rate"):
        raise InputError(f"'{text.strip()}': a search tests {_FORMS}")
    if condition.cause is not None:
        raise InputError(
            f"'{text.strip()}': causes are found after a run: leave ':{condition.cause}' out"
        )
    if condition.subject in ("dropped", "connect"):
        raise InputError(f"'{text.strip()}': '{condition.subject}' is not tested: {_FORMS}")
    return Criterion(condition, _limit_share(text, condition))


def criteria_of(slo: Sequence[str]) -> tuple[Criterion, ...]:
    """The criteria of an SLO, and those that it is silent about but cannot do without.

    Raises:
        InputError: one of them cannot be tested.
    """
    given = [criterion_of(text) for text in slo]
    subjects = {one.condition.subject for one in given if not one.is_latency}
    missing = [text for text, covering in _ASSUMED.items() if not subjects & covering]
    return (*given, *(replace(criterion_of(text), assumed=True) for text in missing))


def _limit_share(text: str, condition: Condition) -> float:
    downward = condition.operator in ("<", "<=")
    if condition.percent is not None:
        if not downward:
            raise InputError(f"'{text.strip()}': a latency needs an upper limit, with < or <=")
        return round(1 - condition.percent / 100, 9)
    share = condition.limit if downward else 1 - condition.limit
    if condition.operator == "==" or not 0 < share < 1:
        raise InputError(
            f"'{text.strip()}': no number of requests can show a share of none or of all: write "
            f"rate({condition.subject}) {'<' if downward else '>'} {'0.1%' if downward else '99%'}"
        )
    return round(share, 9)


def _outcomes(records: Records) -> NDArray[np.int64]:
    return np.asarray(records["kind"] >> 12, np.int64)


def _times_us(subject: str, records: Records) -> NDArray[np.int64]:
    match subject:
        case "service":
            return np.asarray(records["service_us"], np.int64)
        case "first_byte":
            return np.asarray(records["first_byte_us"], np.int64)
        case _:
            return response_us(records)


def _is_of(subject: str, outcomes: NDArray[np.int64]) -> Bools:
    match subject:
        case "failed":
            found = (outcomes != Outcome.OK) & (outcomes != Outcome.THROTTLED)
        case "admitted":
            found = outcomes != Outcome.THROTTLED
        case _:
            found = outcomes == Outcome[subject.upper()]
    return np.asarray(found, np.bool_)
