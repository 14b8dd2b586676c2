"""What a budget of a plan says: `GET /search: p95 < 300ms`, `errors < 1%`, `regret < 10%`.

A budget has a scope (a step of the profile; none for the whole run), a metric, an operator and a
limit with its unit. It is parsed once; its text form parses to the same budget again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast, get_args

Operator = Literal["<", "<=", ">", ">="]
Unit = Literal["ms", "share", "rps", "usd_per_million"]
StepKind = Literal["load", "tune"]

FORMS = "such as p95 < 300ms, GET /search: p99 <= 1s, errors < 1% or usd_per_million < 5"
_UNITS: dict[str, Unit] = {
    "errors": "share",
    "throttled": "share",
    "rate": "rps",
    "usd_per_million": "usd_per_million",
    "regret": "share",
    "duration": "ms",
}
_OF_KIND: dict[StepKind, tuple[str, ...]] = {
    "load": ("p50", "p95", "p99", "p99.9", "errors", "throttled", "rate", "usd_per_million"),
    "tune": ("duration", "usd_per_million", "regret"),
}
_WITH_SCOPE = ("errors", "throttled", "rate")
# Words of other tools, of thresholds and of daily speech.
_ALSO_CALLED = {
    "error": "errors", "failed": "errors", "failures": "errors", "error_rate": "errors",
    "throttles": "throttled", "429": "throttled", "rps": "rate", "admitted": "rate",
    "throughput": "rate", "cost": "usd_per_million", "usd": "usd_per_million", "median": "p50",
    "latency": "p95", "time": "duration", "response": "p95",
}  # fmt: skip
_SHAPE = re.compile(
    r"\s*(?:(?P<scope>\S.*?)\s*:\s+)?(?P<metric>[A-Za-z0-9_.]+)\s*"
    r"(?P<operator>[<>=!~]+)\s*(?P<limit>.*\S)\s*",
    re.DOTALL,
)
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,4})?)")
_LIMIT = re.compile(r"(\$?)\s*([0-9]{1,15}(?:\.[0-9]{1,12})?)\s*([A-Za-z%$/]*)")
_MS = {"us": Decimal("0.001"), "ms": Decimal(1), "s": Decimal(1000)}


@dataclass(frozen=True, slots=True)
class Budget:
    """A metric, an operator and a limit in `unit`; `scope` is None for the whole run.

    `text` is the budget as it was written, in one form. `percent` is that of a percentile.
    """

    text: str
    metric: str
    operator: Operator
    limit: float
    scope: str | None = None
    percent: float | None = None

    @property
    def unit(self) -> Unit:
        """The unit of `limit` and of measured values."""
        return _UNITS.get(self.metric, "ms")

    def holds(self, value: float) -> bool:
        """Whether `value`, in `unit`, keeps the budget."""
        match self.operator:
            case "<":
                return value < self.limit
            case "<=":
                return value <= self.limit
            case ">":
                return value > self.limit
            case ">=":
                return value >= self.limit


def parse_budget(text: str) -> Budget:
    """The budget that `text` states.

    Raises:
        ValueError: what is wrong, what was expected, and what may have been meant.
    """
    found = _SHAPE.fullmatch(text) if "\n" not in text else None
    if found is None:
        raise _wrong(text, f"must be METRIC < LIMIT, with a step before it if need be, {FORMS}")
    metric, percent = _metric(text, found["metric"])
    operator = _operator(text, metric, found["operator"])
    limit, shown = _limit(text, metric, found["limit"])
    if limit == 0 and operator != "<=":
        always = "never" if operator == "<" else "always or never"
        raise _wrong(text, f"{always} holds: expected a limit above 0 (got '{found['limit']}')")
    # The run is the scope of a budget without one.
    scope = None if found["scope"] == "the run" else found["scope"]
    if scope is not None and percent is None and metric not in _WITH_SCOPE:
        raise _wrong(text, f"{metric} is of a whole run: it has no step before it")
    whole = f"{metric} {operator} {shown}"
    return Budget(
        text=whole if scope is None else f"{scope}: {whole}",
        metric=metric,
        operator=operator,
        limit=limit,
        scope=scope,
        percent=percent,
    )


def budget_fault(
    budget: Budget, kind: StepKind, scopes: Collection[str] | None = None
) -> str | None:
    """Why a step of `kind` cannot have this budget, in words; None where it can.

    `scopes` are the names of the steps of its profile; None where they are not known yet.
    """
    known = _OF_KIND[kind]
    if budget.metric not in known and (kind == "tune" or budget.percent is None):
        what = "a tuning" if kind == "tune" else "a load run"
        return f"{what} has no {budget.metric}: expected {_listed(known)}"
    if budget.scope is None or scopes is None or budget.scope in scopes:
        return None
    near = difflib.get_close_matches(budget.scope, list(scopes), n=1, cutoff=0.6)
    if near:
        return f"the profile has no step '{budget.scope}': did you mean {near[0]}?"
    return f"the profile has no step '{budget.scope}': it has {_listed(list(scopes) or ['none'])}"


def _metric(text: str, name: str) -> tuple[str, float | None]:
    lowered = name.lower()
    found = _PERCENTILE.fullmatch(lowered)
    if found is not None and float(found[1]) > 0:
        return f"p{_plain(Decimal(found[1]))}", float(found[1])
    if lowered in _UNITS:
        return lowered, None
    known = [*_OF_KIND["load"], "duration", "regret"]
    near = difflib.get_close_matches(lowered, known, n=1, cutoff=0.6)
    meant = _ALSO_CALLED.get(lowered) or (near[0] if near else None)
    hint = f"; did you mean {meant}?" if meant else ""
    raise _wrong(text, f"'{name}' is no metric: expected {_listed(known)}{hint}")


def _operator(text: str, metric: str, operator: str) -> Operator:
    """The operator; one that would keep the bad side of a metric is a slip."""
    if operator not in get_args(Operator):
        raise _wrong(text, f"'{operator}' is no operator: expected <, <=, > or >=")
    more_is_better = metric == "rate"
    if (operator[0] == ">") != more_is_better:
        why = "more is better" if more_is_better else "less is better"
        expected = "> or >=" if more_is_better else "< or <="
        raise _wrong(text, f"of {metric} {why}: expected {expected} (got '{operator}')")
    return cast("Operator", operator)


def _limit(text: str, metric: str, limit: str) -> tuple[float, str]:
    """The limit in the unit of the metric, and in the form in which it is shown."""
    found = _LIMIT.fullmatch(limit)
    if found is None:
        raise _wrong(text, f"the limit must be a number with its unit (got '{limit}')")
    number, unit = Decimal(found[2]), found[3]
    match _UNITS.get(metric, "ms"):
        case "ms":
            if unit not in _MS or found[1]:
                raise _wrong(text, f"the limit of {metric} must be in us, ms or s (got '{limit}')")
            value, shown = number * _MS[unit], f"{_plain(number)}{unit}"
        case "share":
            value = number / 100 if unit == "%" else number
            if not unit and number >= 1:
                message = f"the limit must be a share such as 1% or 0.01 (got '{limit}')"
                raise _wrong(text, f"{message}; did you mean {_plain(number)}%?")
            # Of costs a size can be several times too dear; of requests at most all can fail.
            if unit not in ("", "%") or found[1] or (metric != "regret" and value > 1):
                raise _wrong(text, f"the limit must be a share such as 1% or 0.01 (got '{limit}')")
            shown = f"{_plain(value * 100)}%"
        case "rps":
            if unit not in ("/s", "rps", "") or found[1]:
                raise _wrong(text, f"the limit must be requests a second: 50/s (got '{limit}')")
            value, shown = number, f"{_plain(number)}/s"
        case "usd_per_million":
            if unit not in ("", "USD", "usd", "$"):
                raise _wrong(
                    text, f"the limit must be in USD for a million, a plain number (got '{limit}')"
                )
            value, shown = number, _plain(number)
    return float(value), shown


def _plain(number: Decimal) -> str:
    """All digits, no exponent: 300, 0.25."""
    digits = format(number, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _listed(names: Collection[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _wrong(text: str, message: str) -> ValueError:
    return ValueError(f"'{text.strip()}': {message}")
