"""Traces of X-Ray: what those few requests took that were sampled, part by part.

API Gateway and Lambda write a segment each; functions one more, whose subsegments are the phases of
a call ("AWS Lambda and AWS X-Ray", 2026). Where traces go to CloudWatch Transaction Search, X-Ray
has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from core.aws.session import aws_call

# BatchGetTraces takes five at once (API reference, 2026).
_BATCH = 5
_SUMMARY_PAGES = 20
# Of one call of GetTraceSummaries (API reference, 2026); a run of a day is cut there.
_LONGEST_S = 24 * 3600 - 60
_GATEWAY = "AWS::ApiGateway::Stage"
_SERVICE = "AWS::Lambda"
_FUNCTION = "AWS::Lambda::Function"


class TracesClient(Protocol):
    """What of boto3's client for `xray` is used."""

    def get_trace_summaries(self, **asked: Any) -> Mapping[str, Any]:
        """boto3's GetTraceSummaries."""
        ...

    def batch_get_traces(self, *, TraceIds: Sequence[str]) -> Mapping[str, Any]:
        """boto3's BatchGetTraces."""
        ...


@dataclass(frozen=True, slots=True)
class TracedCall:
    """One sampled request; lengths in ms, None is what the trace does not say.

    `request_id` is API Gateway's, `function_request_id` Lambda's.
    """

    trace_id: str
    request_id: str | None = None
    function_request_id: str | None = None
    latency_ms: float | None = None
    integration_ms: float | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    duration_ms: float | None = None


def traced_calls(
    client: TracesClient, api: str, stage: str, *, start_s: float, end_s: float, most: int
) -> list[TracedCall]:
    """At most `most` sampled requests to a stage (its API by name), oldest first; Unix times.

    Raises:
        AwsError: X-Ray does not answer, or may not be asked.
    """
    ids = list(_trace_ids(client, api, stage, start_s, end_s, most))
    found = []
    for at in range(0, len(ids), _BATCH):
        with aws_call("read traces"):
            answer = client.batch_get_traces(TraceIds=ids[at : at + _BATCH])
        found += [traced_call(trace) for trace in answer.get("Traces", [])]
    return found


def _trace_ids(
    client: TracesClient, api: str, stage: str, start_s: float, end_s: float, most: int
) -> Iterator[str]:
    asked: dict[str, Any] = {
        "StartTime": datetime.fromtimestamp(start_s, UTC),
        "EndTime": datetime.fromtimestamp(min(end_s, start_s + _LONGEST_S), UTC),
        "FilterExpression": f'service(id(name: "{api}/{stage}", type: "{_GATEWAY}"))',
    }
    left = most
    for _ in range(_SUMMARY_PAGES):
        with aws_call("list traces"):
            answer = client.get_trace_summaries(**asked)
        for summary in answer.get("TraceSummaries", []):
            # Of a partial one segments are still to come.
            if left > 0 and not summary.get("IsPartial"):
                left -= 1
                yield summary["Id"]
        token = answer.get("NextToken")
        if left <= 0 or not token:
            return
        asked["NextToken"] = token


def traced_call(trace: Mapping[str, Any]) -> TracedCall:
    """A trace as BatchGetTraces gives it, in parts."""
    found = TracedCall(str(trace.get("Id", "")))
    for segment in trace.get("Segments", []):
        document = _document(segment.get("Document"))
        origin = document.get("origin")
        if origin == _GATEWAY:
            found = _with_gateway(found, document)
        elif origin == _SERVICE:
            found = replace(found, function_request_id=_aws_text(document, "request_id"))
        elif origin == _FUNCTION:
            found = _with_function(found, document)
    return found


def _document(text: object) -> Mapping[str, Any]:
    try:
        document = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {}


def _with_gateway(found: TracedCall, segment: Mapping[str, Any]) -> TracedCall:
    calls = [part for part in _parts(segment) if part.get("namespace") == "aws"]
    aws = segment.get("aws")
    gateway = aws.get("api_gateway") if isinstance(aws, dict) else None
    request_id = gateway.get("request_id") if isinstance(gateway, dict) else None
    return replace(
        found,
        request_id=request_id if isinstance(request_id, str) else None,
        latency_ms=_length_ms(segment),
        # With an authorizer there are two: which of them is the integration, nothing says.
        integration_ms=_length_ms(calls[0]) if len(calls) == 1 else None,
    )


def _with_function(found: TracedCall, segment: Mapping[str, Any]) -> TracedCall:
    by_phase: dict[str, float | None] = {}
    for part in _parts(segment):
        by_phase.setdefault(str(part.get("name", ""))[:4].lower(), _length_ms(part))
    return replace(
        found,
        function_request_id=found.function_request_id or _aws_text(segment, "request_id"),
        init_ms=by_phase.get("init"),  # Initialization, or Init
        restore_ms=by_phase.get("rest"),
        duration_ms=by_phase.get("invo"),
    )


def _parts(segment: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    parts = segment.get("subsegments")
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _aws_text(segment: Mapping[str, Any], name: str) -> str | None:
    aws = segment.get("aws")
    value = aws.get(name) if isinstance(aws, dict) else None
    return value if isinstance(value, str) else None


def _length_ms(part: Mapping[str, Any]) -> float | None:
    start, end = part.get("start_time"), part.get("end_time")
    if not isinstance(start, int | float) or not isinstance(end, int | float) or end < start:
        return None
    return (end - start) * 1000.0
