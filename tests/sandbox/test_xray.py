"""Traces: what is sampled, what the segments say, and how they are read."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError
from gateway_rig import RestRig

from core.aws.xray import traced_call, traced_calls
from sandbox.xray.sampling import Sampler, TraceHeader
from sandbox.xray.store import MAX_SEGMENTS, TraceStore

ROOT = "1-68a1d6f1-0123456789abcdef01234567"


# Sampling


def test_the_first_of_each_second_and_five_percent_of_the_rest_are_sampled() -> None:
    sampler = Sampler(Random(5))
    drawn = [sampler.draw("orders/prod", number / 100) for number in range(60_000)]
    assert all(drawn[::100])
    assert sum(drawn) == pytest.approx(600 + 59_400 * 0.05, rel=0.05)
    # Each service has its own second.
    assert sampler.draw("other/prod", 599.99)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, TraceHeader()),
        ("", TraceHeader()),
        (f"Root={ROOT}", TraceHeader(ROOT)),
        (
            f"Root={ROOT};Parent=00112233445566aa;Sampled=1",
            TraceHeader(ROOT, "00112233445566aa", sampled=True),
        ),
        (f"Self=1-a-b; Root={ROOT}; Sampled=0", TraceHeader(ROOT, None, sampled=False)),
        ("Root=mine;Parent=<b>;Sampled=maybe", TraceHeader()),
    ],
)
def test_a_header_is_read_as_far_as_it_is_well_formed(
    text: str | None, expected: TraceHeader
) -> None:
    assert TraceHeader.parse(text) == expected


# The store


def segment(trace: str, start_s: float, name: str = "a") -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex[:16],
        "trace_id": trace,
        "name": name,
        "origin": "o",
        "start_time": start_s,
        "end_time": start_s + 1,
    }


def test_only_the_newest_traces_are_kept() -> None:
    store = TraceStore(limit=3)
    for number in range(5):
        store.put(segment(f"t{number}", number))
    assert [trace.id for trace in store.between(0, 100)] == ["t2", "t3", "t4"]
    assert len(store) == 3


def test_a_trace_does_not_grow_without_end() -> None:
    store = TraceStore()
    for number in range(MAX_SEGMENTS + 5):
        store.put(segment("t", number))
    trace = store.get("t")
    assert trace is not None
    assert (len(trace.segments), trace.limit_exceeded) == (MAX_SEGMENTS, True)


def test_a_trace_is_partial_while_a_part_of_it_runs() -> None:
    store = TraceStore()
    store.open("t")
    assert store.get("t") is None
    store.put(segment("t", 1))
    [trace] = store.between(0, 10)
    assert trace.is_partial
    store.close("t")
    assert not trace.is_partial


# As a client sees it


def traced_model(**more: object) -> dict[str, Any]:
    model = {
        "duration_ms": {"128": 30},
        "init_ms": 60,
        "hold": True,
        "response": {"statusCode": 200, "body": "ok"},
        **more,
    }
    return {
        "Environment": {"Variables": {"SANDBOX_MODEL": json.dumps(model)}},
        "TracingConfig": {"Mode": "Active"},
    }


@pytest.fixture(scope="module")
def rest(sandbox: Any, client: Any, connect: Callable[..., Any], create_in: Any) -> RestRig:
    """A traced stage with a mock, a traced function and others; only new ones start cold."""
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client)
    name = f"traced-{uuid.uuid4().hex[:8]}"
    rig.create(name)
    rig.mock("/mock")
    rig.function("/active", create_in(client, f"{name}-active", **traced_model()))
    rig.function("/off", create_in(client, f"{name}-off", **traced_model()))
    client.put_function_concurrency(FunctionName=f"{name}-off", ReservedConcurrentExecutions=0)
    quiet = traced_model() | {"TracingConfig": {"Mode": "PassThrough"}}
    rig.function("/quiet", create_in(client, f"{name}-quiet", **quiet))
    return rig.deploy(("/tracingEnabled", "true"))


@pytest.fixture
def xray(sandbox: Any, connect: Callable[..., Any]) -> Any:
    return connect(sandbox, "xray")


def asked(rest: RestRig, path: str, sampled: int = 1) -> str:
    """Asks with a decision; gives the id of the trace."""
    root = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    answer = rest.get(path, headers={"X-Amzn-Trace-Id": f"Root={root};Sampled={sampled}"})
    assert answer.headers["x-amzn-trace-id"].startswith(f"Root={root};Parent=")
    assert answer.headers["x-amzn-trace-id"].endswith(f";Sampled={sampled}")
    return root


def documents(xray: Any, root: str) -> list[dict[str, Any]]:
    traces = xray.batch_get_traces(TraceIds=[root])["Traces"]
    return [json.loads(it["Document"]) for trace in traces for it in trace["Segments"]]


def test_a_request_is_traced_from_the_gateway_into_the_function(
    rest: RestRig, xray: Any, client: Any, create_in: Any
) -> None:
    name = f"{uuid.uuid4().hex[:8]}-cold"
    rest.function(f"/{name}", create_in(client, name, **traced_model()))
    rest.deploy()
    root = asked(rest, f"/{name}")

    by_origin = {it["origin"]: it for it in documents(xray, root)}

    gateway = by_origin["AWS::ApiGateway::Stage"]
    service = by_origin["AWS::Lambda"]
    function = by_origin["AWS::Lambda::Function"]
    [call] = gateway["subsegments"]
    assert gateway["http"]["response"]["status"] == 200
    assert (call["name"], call["namespace"]) == ("Lambda", "aws")
    assert service["parent_id"] == call["id"]
    assert function["parent_id"] == service["id"]
    assert service["http"]["response"]["status"] == 200
    phases = {it["name"]: it for it in function["subsegments"]}
    assert list(phases) == ["Initialization", "Invocation", "Overhead"]
    invocation, init = phases["Invocation"], phases["Initialization"]
    assert invocation["end_time"] - invocation["start_time"] == pytest.approx(0.03, abs=1e-4)
    assert init["end_time"] - init["start_time"] == pytest.approx(0.06, abs=1e-4)
    assert init["end_time"] == pytest.approx(function["start_time"], abs=1e-4)
    # Everything lies within what called it.
    assert gateway["start_time"] <= call["start_time"] <= service["start_time"] + 0.002
    assert service["start_time"] <= init["start_time"]
    assert function["end_time"] <= service["end_time"] + 1e-6
    assert call["end_time"] <= gateway["end_time"] + 1e-6
    read = traced_call(xray.batch_get_traces(TraceIds=[root])["Traces"][0])
    assert read.init_ms == pytest.approx(60, abs=0.1)


def test_the_toolkit_reads_the_parts_of_a_traced_request(rest: RestRig, xray: Any) -> None:
    root = asked(rest, "/active")
    name = rest.client.get_rest_api(restApiId=rest.api_id)["name"]
    now_s = time.time()
    found = traced_calls(xray, name, "prod", start_s=now_s - 60, end_s=now_s + 60, most=500)
    [call] = [it for it in found if it.trace_id == root]
    assert call == traced_call(xray.batch_get_traces(TraceIds=[root])["Traces"][0])
    assert call.request_id
    assert call.function_request_id
    assert call.duration_ms == pytest.approx(30, abs=0.1)
    assert call.latency_ms is not None
    assert call.integration_ms is not None
    assert call.latency_ms >= call.integration_ms >= 30


@pytest.mark.parametrize(
    ("path", "origins"),
    [
        ("/mock", ["AWS::ApiGateway::Stage"]),
        ("/quiet", ["AWS::ApiGateway::Stage"]),
        ("/nothing", ["AWS::ApiGateway::Stage"]),
        ("/off", ["AWS::Lambda", "AWS::ApiGateway::Stage"]),
    ],
)
def test_only_what_traces_sends_segments(
    rest: RestRig, xray: Any, path: str, origins: list[str]
) -> None:
    root = asked(rest, path)
    found = documents(xray, root)
    assert [it["origin"] for it in found] == origins
    if path == "/off":
        assert (found[0]["throttle"], found[1]["fault"]) == (True, True)


def test_what_is_not_sampled_leaves_nothing(rest: RestRig, xray: Any) -> None:
    assert documents(xray, asked(rest, "/active", sampled=0)) == []


def test_without_a_decision_the_first_of_a_second_is_sampled(rest: RestRig, xray: Any) -> None:
    answer = rest.get("/mock")
    header = TraceHeader.parse(answer.headers["x-amzn-trace-id"])
    assert header.sampled
    assert header.root
    assert len(documents(xray, header.root)) == 1


def test_a_stage_without_tracing_has_no_header_and_no_trace(rest: RestRig) -> None:
    rest.patch_stage(("/tracingEnabled", "false"))
    assert "x-amzn-trace-id" not in rest.get("/mock").headers
    rest.patch_stage(("/tracingEnabled", "true"))


def test_a_function_decides_where_nobody_has(client: Any, new_function: Any, xray: Any) -> None:
    name = new_function(**traced_model())
    client.invoke(FunctionName=name)
    now_s = time.time()
    [summary] = xray.get_trace_summaries(
        StartTime=now_s - 60, EndTime=now_s + 60, FilterExpression=f'service("{name}")'
    )["TraceSummaries"]
    assert summary["EntryPoint"]["Type"] == "AWS::Lambda"
    assert not summary["IsPartial"]
    assert summary["Duration"] == pytest.approx(0.09, abs=0.08)


def test_summaries_come_in_pages(rest: RestRig, xray: Any) -> None:
    wanted = {asked(rest, "/mock") for _ in range(120)}
    name = rest.client.get_rest_api(restApiId=rest.api_id)["name"]
    now_s = time.time()
    expression = f'service(id(name: "{name}/prod", type: "AWS::ApiGateway::Stage"))'
    pages = xray.get_paginator("get_trace_summaries").paginate(
        StartTime=now_s - 600, EndTime=now_s + 60, FilterExpression=expression
    )
    found = [[it["Id"] for it in page["TraceSummaries"]] for page in pages]
    assert len(found[0]) == 100
    shown = [it for page in found for it in page]
    assert len(shown) == len(set(shown))
    assert wanted <= set(shown)


@pytest.mark.parametrize(
    ("operation", "arguments", "message"),
    [
        ("batch_get_traces", {"TraceIds": ["x"] * 6}, "At most 5 trace ids"),
        ("get_trace_summaries", {"StartTime": 10, "EndTime": 5}, "time range"),
        ("get_trace_summaries", {"StartTime": 0, "EndTime": 90_000}, "at most 24 hours"),
        (
            "get_trace_summaries",
            {"StartTime": 0, "EndTime": 5, "FilterExpression": "duration > 5"},
            "Invalid filter expression duration > 5",
        ),
        (
            "get_trace_summaries",
            {"StartTime": 0, "EndTime": 5, "NextToken": "x"},
            "Invalid NextToken",
        ),
    ],
)
def test_what_x_ray_does_not_answer_is_refused(
    xray: Any, operation: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        getattr(xray, operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"
