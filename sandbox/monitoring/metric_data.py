"""GetMetricData: many metrics in one call, expressions over them, in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.monitoring.evaluation import Evaluator, QuotaOf
from sandbox.monitoring.queries import Query, parse_queries
from sandbox.monitoring.refusals import invalid
from sandbox.monitoring.time_series import Points, TimeSeries
from sandbox.monitoring.tokens import make_token, read_token
from sandbox.monitoring.windows import shown_time, start_of
from sandbox.slices import Slices, made_of_each
from sandbox.telemetry.metrics import MetricStore

# GetMetricData, 2026.
MAX_POINTS = 100_800


@dataclass(frozen=True, slots=True)
class _Result:
    """A result as it is paged: points in the order of the answer."""

    id: str
    label: str
    points: Sequence[tuple[int, float]]


class MetricData:
    """Answers GetMetricData from a store."""

    def __init__(self, account_id: str, store: MetricStore, quota_of: QuotaOf) -> None:
        self._account_id = account_id
        self._store = store
        self._quota_of = quota_of

    async def get_metric_data(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A page of the results of all queries that return data."""
        if parameters["StartTime"] >= parameters["EndTime"]:
            raise invalid("The parameter StartTime must be less than the parameter EndTime.")
        most = parameters.get("MaxDatapoints", MAX_POINTS)
        if not 1 <= most <= MAX_POINTS:
            raise invalid(f"The parameter MaxDatapoints must be between 1 and {MAX_POINTS}.")
        queries = parse_queries(parameters["MetricDataQueries"], self._account_id)
        place = _place(parameters)
        results = await self._results(queries, parameters)
        return await _page(results, place, most, parameters)

    async def _results(
        self, queries: Sequence[Query], parameters: Mapping[str, Any]
    ) -> list[_Result]:
        slices = Slices()
        fetched = {
            query.id: await self._fetch(query, parameters, slices)
            for query in queries
            if query.stat is not None
        }
        end_s = min(parameters["EndTime"].timestamp(), self._store.now())
        evaluator = Evaluator(parameters["StartTime"], end_s, fetched, self._quota_of)
        found = evaluator.evaluate(queries)
        backwards = parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending"

        def result(wanted: tuple[Query, TimeSeries]) -> _Result:
            query, series = wanted
            label = query.label if query.label is not None else series.label
            return _Result(query.id, label, sorted(series.points.items(), reverse=backwards))

        return await made_of_each(
            ((query, series) for query in queries if query.returned for series in found[query.id]),
            result,
        )

    async def _fetch(
        self, query: Query, parameters: Mapping[str, Any], slices: Slices
    ) -> TimeSeries:
        stat = query.stat
        if stat is None:
            raise ValueError(f"{query.id} is no metric")
        start_s = start_of(parameters["StartTime"], stat.period_s)
        end_s = parameters["EndTime"].timestamp()
        points: Points = {}
        for begin_s, values in self._store.periods(
            stat.metric, start_s, end_s, stat.period_s, stat.unit
        ):
            value = stat.measure(values)
            if value is not None:
                points[begin_s] = value
            if slices.is_over:
                await slices.rest()
        return TimeSeries(stat.metric.name, stat.period_s, points, stat.metric)


def _place(parameters: Mapping[str, Any]) -> tuple[int, int | None]:
    """Where the page begins: the number of a result, and the last time of it that was given."""
    try:
        place = read_token(parameters)
        if place is None:
            return 0, None
        number, time_s = place
        return max(0, int(number)), None if time_s is None else int(time_s)
    except (ValueError, TypeError) as error:
        raise ApiError("InvalidNextToken", f"The NextToken is not valid: {error}") from error


async def _page(
    results: Sequence[_Result],
    place: tuple[int, int | None],
    most: int,
    parameters: Mapping[str, Any],
) -> dict[str, Any]:
    shown: list[dict[str, Any]] = []
    first, last_s = place
    for number, result in enumerate(results[first:], start=first):
        points = _rest(result.points, last_s, parameters)
        if points and not most:
            return _cut(shown, [number, None], parameters)
        taken = points[:most]
        most -= len(taken)
        complete = len(taken) == len(points)
        shown.append(await _shown(result, taken, "Complete" if complete else "PartialData"))
        if not complete:
            return _cut(shown, [number, taken[-1][0]], parameters)
        last_s = None
    return {"MetricDataResults": shown, "Messages": []}


def _rest(
    points: Sequence[tuple[int, float]], last_s: int | None, parameters: Mapping[str, Any]
) -> Sequence[tuple[int, float]]:
    """What comes after the time that the last page ended with."""
    if last_s is None:
        return points
    if parameters.get("ScanBy") == "TimestampAscending":
        return [point for point in points if point[0] > last_s]
    return [point for point in points if point[0] < last_s]


def _cut(
    shown: list[dict[str, Any]], place: list[Any], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    token = make_token(parameters, place)
    return {"MetricDataResults": shown, "Messages": [], "NextToken": token}


async def _shown(
    result: _Result, points: Sequence[tuple[int, float]], status: str
) -> dict[str, Any]:
    return {
        "Id": result.id,
        "Label": result.label,
        "Timestamps": await made_of_each((time_s for time_s, _ in points), shown_time),
        "Values": [value for _, value in points],
        "StatusCode": status,
    }
