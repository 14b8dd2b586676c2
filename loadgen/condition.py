"""What a threshold says: `p95(response) < 300ms`, `rate(throttled:stage) < 1%`, `rps(ok) > 50`.

A condition has a measure, what is measured, an operator and a limit. It is parsed once; its text
form parses to the same condition again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast, get_args

from core.errors import InputError
from loadgen.outcome import Cause, Outcome

Measure = Literal["percentile", "max", "mean", "rate", "count", "rps"]
Operator = Literal["<", "<=", ">", ">=", "=="]
Unit = Literal["ms", "share", "rps", "count"]

LATENCIES = ("response", "service", "first_byte", "connect", "ok_response")
OUTCOMES = tuple(outcome.name.lower() for outcome in Outcome)
# `failed` is every completed request that is neither ok nor throttled.
SHARES = (*OUTCOMES, "failed", "admitted", "dropped")
COUNTS = (*SHARES, "offered", "completed")
WITH_CAUSE = ("throttled", "failed", "client_error", "server_error", "timeout", "connection_error")
CAUSES = tuple(cause.name.lower() for cause in Cause if cause is not Cause.NONE)

_SUBJECTS: Mapping[Measure, tuple[str, ...]] = {
    "percentile": LATENCIES,
    "max": LATENCIES,
    "mean": LATENCIES,
    "rate": SHARES,
    "count": COUNTS,
    "rps": COUNTS,
}
_MEASURES = ("p50", "p90", "p95", "p99", "p99.9", "max", "mean", "rate", "count", "rps")
_UNITS: Mapping[Measure, Unit] = {"rate": "share", "count": "count", "rps": "rps"}
_MS = {"us": Decimal("0.001"), "ms": Decimal(1), "s": Decimal(1000)}
_FORMS = (
    "such as p95(response) < 300ms, max(service) <= 2s, rate(throttled) < 1%, "
    "count(throttled:quota) == 0 or rps(ok) > 50"
)
# Words of other tools and of daily speech.
_ALSO_CALLED = {
    "latency": "response", "duration": "response", "response_time": "response",
    "corrected": "response", "http_req_duration": "response", "service_time": "service",
    "ttfb": "first_byte", "firstbyte": "first_byte", "success": "ok", "successes": "ok",
    "error": "failed", "errors": "failed", "failure": "failed", "failures": "failed",
    "http_req_failed": "failed", "429": "throttled", "throttles": "throttled",
    "4xx": "client_error", "5xx": "server_error", "500": "server_error",
    "timeouts": "timeout", "checks": "check_failed", "total": "completed", "requests": "completed",
    "avg": "mean", "average": "mean", "med": "p50", "median": "p50", "share": "rate",
    "throughput": "rps",
}  # fmt: skip

_HEAD = re.compile(r"\s*([A-Za-z0-9_.]+)\s*\(\s*([^()]*?)\s*\)\s*(.*)", re.DOTALL)
_SUBJECT = re.compile(r"([A-Za-z0-9_]+)(?:\s*:\s*([A-Za-z0-9_]+))?")
_TAIL = re.compile(r"([<>=!~]+)\s*(.*)", re.DOTALL)
_LIMIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%/]*)")
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,4})?)")
_OTHER_OPERATORS = {"=": "==", "=<": "<=", "=>": ">=", "===": "=="}


@dataclass(frozen=True, slots=True)
class Condition:
    """A measure, an operator and a limit; `limit` is in `unit`, `percent` is that of a percentile.

    `cause` narrows an outcome: `throttled:throttle` is every throttle of API Gateway, named or
    not; `throttled:stage` is that of the stage alone.
    """

    measure: Measure
    subject: str
    operator: Operator
    limit: float
    percent: float | None = None
    cause: str | None = None

    @property
    def unit(self) -> Unit:
        """The unit of `limit` and of measured values."""
        return _UNITS.get(self.measure, "ms")

    def holds(self, value: float) -> bool:
        """Whether `value`, in `unit`, satisfies the condition."""
        match self.operator:
            case "<":
                return value < self.limit
            case "<=":
                return value <= self.limit
            case ">":
                return value > self.limit
            case ">=":
                return value >= self.limit
            case "==":
                return value == self.limit

    def badness(self, value: float) -> float:
        """Orders values from good to bad; of two values the one with more is nearer to failing."""
        match self.operator:
            case "<" | "<=":
                return value
            case ">" | ">=":
                return -value
            case "==":
                return abs(value - self.limit)

    def __str__(self) -> str:
        measure = f"p{_plain(self.percent)}" if self.percent is not None else self.measure
        cause = f":{self.cause}" if self.cause else ""
        return f"{measure}({self.subject}{cause}) {self.operator} {self._limit_text()}"

    def _limit_text(self) -> str:
        match self.unit:
            case "ms":
                return f"{_plain(self.limit)}ms"
            case "share":
                percent = f"{_plain(_round(self.limit * 100))}%"
                return percent if _share_of(percent) == self.limit else _plain(self.limit)
            case _:
                return _plain(self.limit)


def parse(text: str) -> Condition:
    """The condition that `text` states.

    Raises:
        InputError: what is wrong, what was expected, and what may have been meant.
    """
    head = _HEAD.fullmatch(text)
    if head is None:
        raise _malformed(text)
    percent, measure = _measure(text, head[1], head[2])
    subject, cause = _subject(text, measure, head[1], head[2])
    operator, limit = _operator(text, head[3])
    return Condition(measure, subject, operator, _limit(text, measure, limit), percent, cause)


def _malformed(text: str) -> InputError:
    bare = re.fullmatch(r"\s*([A-Za-z0-9_.]+)\s*([<>=].*)", text, re.DOTALL)
    if bare is None:
        return _wrong(text, f"must be a condition {_FORMS}")
    name = bare[1].lower()
    if _PERCENTILE.fullmatch(name) or name in ("max", "mean"):
        meant = f"{name}(response) {bare[2].strip()}"
    elif (name := _ALSO_CALLED.get(name, name)) in SHARES:
        meant = f"rate({name}) {bare[2].strip()}"
    else:
        return _wrong(text, f"must be a condition {_FORMS}")
    return _wrong(text, "must say what is measured, in parentheses", meant)


def _measure(text: str, name: str, inside: str) -> tuple[float | None, Measure]:
    found = _PERCENTILE.fullmatch(name)
    if found is not None and float(found[1]) > 0:
        return float(found[1]), "percentile"
    if name in ("max", "mean", "rate", "count", "rps"):
        return None, cast("Measure", name)
    if name == "p" and _PERCENTILE.fullmatch(f"p{inside}"):
        raise _wrong(text, "must say what is measured", f"p{inside}(response)")
    if name in ("p100", "p0"):
        raise _wrong(
            text,
            f"{name} is no percentile: expected p above 0 and below 100, or max",
            f"max({inside})" if name == "p100" else None,
        )
    meant = _near(
        name, ("p50", "p90", "p95", "p99", "p99.9", "max", "mean", "rate", "count", "rps")
    )
    raise _wrong(
        text,
        f"'{name}' is no measure: expected {_listed(_MEASURES)}",
        f"{meant}({inside})" if meant else None,
    )


def _subject(text: str, measure: Measure, shown: str, inside: str) -> tuple[str, str | None]:
    found = _SUBJECT.fullmatch(inside)
    known = _SUBJECTS[measure]
    if found is None or found[1] not in known:
        name = found[1] if found else inside
        meant = _near(name, known)
        raise _wrong(
            text,
            f"{shown} is not known of '{name}': expected {_listed(known)}",
            f"{shown}({meant})" if meant else None,
        )
    subject, cause = found[1], found[2]
    if cause is None:
        return subject, None
    if subject not in WITH_CAUSE:
        raise _wrong(text, f"'{subject}' has no causes: expected {_listed(WITH_CAUSE)} before ':'")
    if cause not in CAUSES:
        meant = _near(cause, CAUSES)
        raise _wrong(
            text,
            f"'{cause}' is no cause: expected {_listed(CAUSES)}",
            f"{subject}:{meant}" if meant else None,
        )
    return subject, cause


def _operator(text: str, tail: str) -> tuple[Operator, str]:
    found = _TAIL.fullmatch(tail)
    if found is None:
        raise _wrong(text, "must compare with a limit: expected <, <=, >, >= or ==, and a number")
    if found[1] not in get_args(Operator):
        raise _wrong(
            text,
            f"'{found[1]}' is no operator: expected <, <=, >, >= or ==",
            _OTHER_OPERATORS.get(found[1]),
        )
    return cast("Operator", found[1]), found[2].strip()


def _limit(text: str, measure: Measure, limit: str) -> float:
    found = _LIMIT.fullmatch(limit)
    if found is None:
        raise _wrong(text, f"the limit must be a number with its unit (got '{limit}')")
    number, unit = Decimal(found[1]), found[2]
    match _UNITS.get(measure, "ms"):
        case "ms":
            if unit not in _MS:
                raise _wrong(text, "the limit must be in us, ms or s", f"{number}ms")
            value = float(number * _MS[unit])
        case "share":
            value = _share(text, number, unit)
        case "count":
            if unit or number != int(number):
                raise _wrong(text, f"the limit must be a whole number (got '{limit}')")
            value = float(number)
        case "rps":
            if unit not in ("", "/s", "rps"):
                raise _wrong(
                    text, f"the limit must be requests a second, a plain number (got '{limit}')"
                )
            value = float(number)
    if value == float("inf"):
        raise _wrong(text, f"the limit is too large (got '{limit}')")
    return value


def _share(text: str, number: Decimal, unit: str) -> float:
    if unit not in ("", "%"):
        raise _wrong(text, f"the limit must be a share such as 1% or 0.01 (got '{number}{unit}')")
    value = _share_of(f"{number}{unit}")
    if value > 1:
        meant = f"{number}%" if not unit and number <= 100 else None
        raise _wrong(
            text, f"the limit must be a share of at most 100% (got '{number}{unit}')", meant
        )
    return value


def _share_of(text: str) -> float:
    return float(Decimal(text[:-1]) / 100) if text.endswith("%") else float(Decimal(text))


def _round(value: float) -> float:
    """Without the last digits that a multiplication by 100 leaves: 1.1, not 1.1000000000000001."""
    return float(f"{value:.12g}")


def _plain(value: float) -> str:
    """All digits, no exponent: 300, 0.25."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _near(name: str, known: Collection[str]) -> str | None:
    name = name.lower()
    other = _ALSO_CALLED.get(name)
    if other in known:
        return other
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return found[0] if found else None


def _listed(names: Collection[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


def _wrong(text: str, message: str, meant: str | None = None) -> InputError:
    suggestion = f"; did you mean {meant}?" if meant else ""
    return InputError(f"'{text.strip()}': {message}{suggestion}")
