"""Whose response times a reader sees: those of all completed requests, or of the ok ones alone.

Refusals take a millisecond and timeouts a minute: many of them say nothing of the API's latency.
"""

from __future__ import annotations

from reports.figures import milliseconds
from reports.load_document import LoadDocument, LoadPercentiles, Slice

# Below this share of requests that are not ok they hardly move a percentile.
MANY_NOT_OK_SHARE = 0.01


def stands_apart(document: LoadDocument) -> bool:
    """Whether ok responses must be told apart, because more than 1 % of requests were not ok."""
    completed = document.requests.completed
    return completed - document.outcomes.ok > MANY_NOT_OK_SHARE * completed


def response_of(part: Slice | LoadDocument, *, apart: bool) -> LoadPercentiles | None:
    """Response times in ms: of ok requests where they stand apart, else of all completed ones."""
    return part.ok_response_ms if apart else part.response_ms


def percentiles_in_words(found: LoadPercentiles) -> str:
    """The percentiles that most readers ask for: 3 ms at p50, 13 ms at p95 and 21 ms at p99."""
    low, high, highest = (milliseconds(value) for value in (found.p50, found.p95, found.p99))
    return f"{low} at p50, {high} at p95 and {highest} at p99"


def latency_finding(document: LoadDocument) -> str:
    """What the measured phases say of response and service time, in words."""
    response, service = document.response_ms, document.service_ms
    if response is None:
        return "No measured request was completed."
    text = (
        "Response time of all completed requests in the measured phases: "
        f"{percentiles_in_words(response)}."
    )
    if stands_apart(document):
        ok = document.ok_response_ms
        text += f" Of ok ones: {percentiles_in_words(ok)}." if ok else " No request was ok."
    return text if service is None else f"{text} Service time: p95 {milliseconds(service.p95)}."
