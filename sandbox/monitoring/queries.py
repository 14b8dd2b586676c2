"""The queries of a GetMetricData call, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.monitoring.expressions import Expression, ExpressionError, parse_expression
from sandbox.monitoring.refusals import invalid
from sandbox.monitoring.windows import is_period, metric_of
from sandbox.telemetry.metrics import Metric
from sandbox.telemetry.statistic import Statistic, statistic

# GetMetricData, 2026.
MAX_QUERIES = 500

_ID_PATTERN = r"^[a-z][a-zA-Z0-9_]*$"
_ID = re.compile(_ID_PATTERN)


@dataclass(frozen=True, slots=True)
class StatQuery:
    """A statistic of a metric, for each period."""

    metric: Metric
    period_s: int
    measure: Statistic
    unit: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """One query: a statistic or an expression. `period_s` is an expression's own."""

    id: str
    stat: StatQuery | None
    expression: Expression | None
    period_s: int | None
    label: str | None
    returned: bool


def parse_queries(given: Sequence[Mapping[str, Any]], account_id: str) -> list[Query]:
    """The queries of a call.

    Raises:
        ApiError: ValidationError, where CloudWatch would refuse one, or the sandbox cannot serve
            it.
    """
    if not given:
        raise invalid("The parameter MetricDataQueries is required.")
    if len(given) > MAX_QUERIES:
        raise invalid(
            f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
        )
    queries = [
        _query(fields, f"MetricDataQueries.member.{number}", account_id)
        for number, fields in enumerate(given, start=1)
    ]
    if len({query.id for query in queries}) < len(queries):
        raise invalid("The values for parameter Id in MetricDataQueries are not unique.")
    return queries


def _query(fields: Mapping[str, Any], where: str, account_id: str) -> Query:
    name = fields["Id"]
    if _ID.fullmatch(name) is None:
        raise invalid(
            f"The value {name} for parameter {where}.Id is not matching the expected pattern "
            f"{_ID_PATTERN}."
        )
    stat, text = fields.get("MetricStat"), fields.get("Expression")
    if (stat is None) == (text is None):
        both = (
            "are mutually exclusive and you have specified both"
            if stat is not None
            else "are both missing: one of them is required"
        )
        raise invalid(f"The parameters {where}.MetricStat and {where}.Expression {both}.")
    if fields.get("AccountId") not in (None, account_id):
        raise invalid(
            f"The value {fields['AccountId']} for parameter {where}.AccountId is not supported: "
            "the sandbox has no linked accounts."
        )
    return Query(
        name,
        None if stat is None else _stat(stat, f"{where}.MetricStat"),
        None if text is None else _expression(text, name),
        None if "Period" not in fields else _expression_period(fields, where),
        _label(fields, where),
        fields.get("ReturnData", True),
    )


def _stat(fields: Mapping[str, Any], where: str) -> StatQuery:
    metric = metric_of(fields["Metric"])
    if metric is None:
        raise invalid(
            f"The parameters {where}.Metric.Namespace and {where}.Metric.MetricName are required."
        )
    measure = statistic(fields["Stat"])
    if measure is None:
        raise invalid(f"The value {fields['Stat']} for parameter {where}.Stat is not supported.")
    return StatQuery(metric, _checked_period(fields["Period"], where), measure, fields.get("Unit"))


def _checked_period(period_s: int, where: str) -> int:
    if not is_period(period_s):
        raise invalid(
            f"The value {period_s} for parameter {where}.Period must be 1, 5, 10, 20, 30 or a "
            "multiple of 60."
        )
    return period_s


def _expression_period(fields: Mapping[str, Any], where: str) -> int:
    if "MetricStat" in fields:
        raise invalid(f"The parameter {where}.Period is only for expressions.")
    return _checked_period(fields["Period"], where)


def _expression(text: str, name: str) -> Expression:
    try:
        return parse_expression(text)
    except ExpressionError as error:
        raise invalid(f"Error in expression '{name}': {error}") from error


def _label(fields: Mapping[str, Any], where: str) -> str | None:
    label: str | None = fields.get("Label")
    if label is not None and "${" in label:
        raise invalid(f"The sandbox does not serve the dynamic label in {where}.Label: {label}")
    return label
