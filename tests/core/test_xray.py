"""Traces of X-Ray, as its documents have them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from core.aws.xray import TracedCall, traced_call, traced_calls

GATEWAY = {
    "origin": "AWS::ApiGateway::Stage",
    "start_time": 100.0,
    "end_time": 100.25,
    "aws": {"api_gateway": {"request_id": "r-1"}},
    "subsegments": [
        {"name": "Lambda", "namespace": "aws", "start_time": 100.01, "end_time": 100.24}
    ],
}
SERVICE = {"origin": "AWS::Lambda", "aws": {"request_id": "c-1"}}
FUNCTION = {
    "origin": "AWS::Lambda::Function",
    "subsegments": [
        {"name": "Initialization", "start_time": 100.02, "end_time": 100.12},
        {"name": "Invocation", "start_time": 100.13, "end_time": 100.2},
        {"name": "Overhead", "start_time": 100.2, "end_time": 100.21},
    ],
}


def trace(*documents: object, number: int = 1) -> dict[str, Any]:
    return {"Id": f"t-{number}", "Segments": [{"Document": json.dumps(d)} for d in documents]}


def rounded(call: TracedCall) -> dict[str, Any]:
    names = ("latency_ms", "integration_ms", "init_ms", "restore_ms", "duration_ms")
    values = {name: getattr(call, name) for name in names}
    return {name: round(value) for name, value in values.items() if value is not None}


AUTHORIZED = {**GATEWAY, "subsegments": GATEWAY["subsegments"] * 2}
RESTORED = {"origin": "AWS::Lambda::Function", "subsegments": [
    {"name": "Restore", "start_time": 1.0, "end_time": 1.3}]}  # fmt: skip


@pytest.mark.parametrize(
    ("documents", "times"),
    [
        pytest.param(
            (GATEWAY, SERVICE, FUNCTION),
            {"latency_ms": 250, "integration_ms": 230, "init_ms": 100, "duration_ms": 70},
            id="all of it",
        ),
        pytest.param((GATEWAY,), {"latency_ms": 250, "integration_ms": 230}, id="no function"),
        pytest.param((AUTHORIZED,), {"latency_ms": 250}, id="two calls: which is which is unknown"),
        pytest.param((RESTORED,), {"restore_ms": 300}, id="a restore"),
        pytest.param(({"origin": "AWS::Lambda::Function", "subsegments": 3}, 7), {}, id="nonsense"),
        pytest.param(
            ({**GATEWAY, "end_time": None, "subsegments": []},), {}, id="a segment in progress"
        ),
    ],
)
def test_a_trace_tells_its_parts(documents: Sequence[object], times: dict[str, int]) -> None:
    assert rounded(traced_call(trace(*documents))) == times


def test_a_trace_names_its_request_and_its_call() -> None:
    call = traced_call(trace(GATEWAY, SERVICE, FUNCTION))

    assert (call.request_id, call.function_request_id) == ("r-1", "c-1")


def test_documents_that_are_no_json_tell_nothing() -> None:
    assert traced_call({"Id": "t", "Segments": [{"Document": "{"}, {}]}) == TracedCall("t")


class XRay:
    """Two pages of 13 traces, one of which is partial."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.batches: list[Sequence[str]] = []

    def get_trace_summaries(self, **asked: Any) -> Mapping[str, Any]:
        self.asked.append(dict(asked))
        if "NextToken" not in asked:
            return {"TraceSummaries": [{"Id": f"t-{n}"} for n in range(7)], "NextToken": "more"}
        rest = [{"Id": f"t-{n}", "IsPartial": n == 8} for n in range(7, 13)]
        return {"TraceSummaries": rest}

    def batch_get_traces(self, *, TraceIds: Sequence[str]) -> Mapping[str, Any]:
        self.batches.append(TraceIds)
        return {"Traces": [trace(GATEWAY) | {"Id": name} for name in TraceIds]}


@pytest.mark.parametrize(
    ("most", "batches"),
    [pytest.param(100, [5, 5, 2], id="all"), pytest.param(6, [5, 1], id="bounded")],
)
def test_traces_are_read_five_at_once_and_not_too_many(most: int, batches: list[int]) -> None:
    client = XRay()

    found = traced_calls(client, "shop", "prod", start_s=100.0, end_s=160.0, most=most)

    assert [len(batch) for batch in client.batches] == batches
    assert "t-8" not in [call.trace_id for call in found]
    assert (
        'name: "shop/prod", type: "AWS::ApiGateway::Stage"' in client.asked[0]["FilterExpression"]
    )
