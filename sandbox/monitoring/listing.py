"""ListMetrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.monitoring.refusals import invalid_combination, invalid_value
from sandbox.monitoring.tokens import make_token, read_token
from sandbox.monitoring.windows import shown_dimensions
from sandbox.telemetry.metrics import Metric, MetricStore

PAGE_SIZE = 500
# ListMetrics shows metrics with data in the past two weeks; RecentlyActive, in three hours.
LISTED_S = 14 * 24 * 3600
RECENTLY_S = 3 * 3600


class MetricListing:
    """Lists the metrics of a store."""

    def __init__(self, account_id: str, store: MetricStore) -> None:
        self._account_id = account_id
        self._store = store

    def list_metrics(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A page of the metrics that the filters let through."""
        age_s = RECENTLY_S if parameters.get("RecentlyActive") else LISTED_S
        found = [
            metric
            for metric in self._store.metrics(self._store.now() - age_s)
            if _matches(metric, parameters)
        ]
        owner = parameters.get("OwningAccount")
        linked = parameters.get("IncludeLinkedAccounts", False)
        if owner is not None and not linked:
            raise invalid_combination("OwningAccount needs IncludeLinkedAccounts to be true")
        if owner not in (None, self._account_id):
            found = []
        found = _behind(found, parameters)
        page = found[:PAGE_SIZE]
        output: dict[str, Any] = {"Metrics": [_shown(metric) for metric in page]}
        if linked:
            output["OwningAccounts"] = [self._account_id] * len(page)
        if len(found) > PAGE_SIZE:
            output["NextToken"] = make_token(parameters, _place(page[-1]))
        return output


def _matches(metric: Metric, parameters: Mapping[str, Any]) -> bool:
    namespace, name = parameters.get("Namespace"), parameters.get("MetricName")
    if namespace not in (None, metric.namespace) or name not in (None, metric.name):
        return False
    values = dict(metric.dimensions)
    return all(
        wanted["Name"] in values and wanted.get("Value") in (None, values[wanted["Name"]])
        for wanted in parameters.get("Dimensions") or ()
    )


def _behind(metrics: Sequence[Metric], parameters: Mapping[str, Any]) -> list[Metric]:
    """What comes after the last page: metrics that appear in between do not shift it."""
    try:
        place = read_token(parameters)
        return [metric for metric in metrics if place is None or _place(metric) > place]
    except (ValueError, TypeError) as error:  # TypeError: a place of other things than texts
        raise invalid_value("Invalid nextToken") from error


def _place(metric: Metric) -> list[Any]:
    return [metric.namespace, metric.name, [list(pair) for pair in metric.dimensions]]


def _shown(metric: Metric) -> dict[str, Any]:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": shown_dimensions(metric.dimensions),
    }
