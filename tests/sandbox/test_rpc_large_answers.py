"""Large answers: the same as in one piece, and nobody waits for the whole of one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from rpc_rig import REGION

from sandbox.front import CredentialScope
from sandbox.http import Request
from sandbox.rest_json.answers import to_json
from sandbox.rest_json.validation import Validator
from sandbox.rpc.cbor_writer import cbor_pieces
from sandbox.rpc.json_writer import json_pieces
from sandbox.rpc.service import RpcService

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def model_of(service: str, operation: str) -> OperationModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service).operation_model(
        operation
    )


def query_results(rows: int) -> dict[str, Any]:
    return {
        "results": [
            [{"field": "@message", "value": f"é{n}"}, {"field": "@ptr", "value": None}]
            for n in range(rows)
        ],
        "statistics": {"recordsMatched": 5.0, "bytesScanned": None},
        "status": "Complete",
        "nextToken": None,
    }


def metric_data(results: int, points: int) -> dict[str, Any]:
    return {
        "MetricDataResults": [
            {
                "Id": f"m{n}",
                "Label": None,
                "Timestamps": [NOON + timedelta(minutes=i) for i in range(points)],
                "Values": [i - 0.5 for i in range(points)],
            }
            for n in range(results)
        ],
        "Messages": [],
    }


def events(count: int) -> dict[str, Any]:
    return {
        "events": [
            {"timestamp": n, "message": "m" * n, "eventId": str(n) if n % 3 else None}
            for n in range(count)
        ],
        "searchedLogStreams": [],
    }


OUTPUTS = [
    pytest.param("logs", "GetQueryResults", query_results(rows), id=f"{rows} rows")
    for rows in (0, 1, 2, 249, 250, 251, 3000)
]
OUTPUTS += [
    pytest.param("cloudwatch", "GetMetricData", metric_data(*size), id=f"{size[0]} x {size[1]}")
    for size in ((0, 0), (1, 0), (1, 1), (1, 499), (1, 70_000), (3, 300), (500, 7))
]
OUTPUTS += [
    pytest.param("logs", "FilterLogEvents", events(1200), id="events"),
    pytest.param("logs", "ListTagsForResource", {"tags": {"a": "b"}}, id="a map"),
    pytest.param("logs", "ListTagsForResource", {"tags": None}, id="nothing"),
]


@pytest.mark.parametrize(("service", "operation", "output"), OUTPUTS)
def test_json_in_pieces_is_what_it_is_in_one(
    service: str, operation: str, output: dict[str, Any]
) -> None:
    shape = model_of(service, operation).output_shape
    assert shape is not None
    pieces = list(json_pieces(shape, output))
    assert b"".join(pieces) == json.dumps(to_json(shape, output)).encode()


@pytest.mark.parametrize(("service", "operation", "output"), OUTPUTS)
def test_cbor_says_the_same_as_json(service: str, operation: str, output: dict[str, Any]) -> None:
    shape = model_of(service, operation).output_shape
    assert shape is not None
    read = cbor2.loads(b"".join(cbor_pieces(shape, output)))

    def plain(value: Any) -> Any:
        return value.timestamp()

    assert json.loads(json.dumps(read, default=plain)) == json.loads(
        json.dumps(to_json(shape, output))
    )


@pytest.mark.parametrize("number", [0, 23, 24, 255, 256, 65_535, 65_536, 1 << 32, -1, -25, -70_000])
def test_cbor_has_integers_and_lengths_of_every_size(number: int) -> None:
    shape = model_of("logs", "FilterLogEvents").output_shape
    assert shape is not None
    length = number if 0 <= number <= 65_536 else 3
    output = {"events": [{"timestamp": number, "message": "m" * length}]}
    assert cbor2.loads(b"".join(cbor_pieces(shape, output))) == output


def request(protocol: str) -> Request:
    """A GetMetricData call whose answer does not depend on what it asks for."""
    path = b"/service/GraniteServiceVersion20100801/operation/GetMetricData"
    match protocol:
        case "json":
            headers = [(b"x-amz-target", b"GraniteServiceVersion20100801.GetMetricData")]
            query = {"StartTime": 0, "EndTime": 1, "MetricDataQueries": []}
            return Request("POST", b"/", headers, json.dumps(query).encode())
        case "query":
            headers = [(b"content-type", b"application/x-www-form-urlencoded")]
            times = b"StartTime=1970-01-01T00:00:00Z&EndTime=1970-01-01T00:00:01Z"
            body = b"Action=GetMetricData&MetricDataQueries=&" + times
            return Request("POST", b"/", headers, body)
    query = {"StartTime": NOON, "EndTime": NOON, "MetricDataQueries": []}
    return Request("POST", path, [(b"smithy-protocol", b"rpc-v2-cbor")], cbor2.dumps(query))


@pytest.mark.parametrize(
    ("protocol", "points"), [("smithy-rpc-v2-cbor", 10_000), ("json", 10_000), ("query", 2_500)]
)
def test_others_are_served_while_a_large_answer_is_written(protocol: str, points: int) -> None:
    output = metric_data(4, points)

    def operation(parameters: Mapping[str, Any]) -> dict[str, Any]:
        return output

    service = RpcService(
        "cloudwatch",
        "CloudWatch",
        REGION,
        {"GetMetricData": operation},
        Validator({}, frozenset()),
    )
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def both() -> Any:
        neighbour = asyncio.create_task(other())
        scope = CredentialScope("any", REGION, "monitoring")
        answer = service.handle(request(protocol), scope)
        response = await answer if asyncio.iscoroutine(answer) else answer
        neighbour.cancel()
        return response

    response = asyncio.run(both())
    assert response.status == 200
    assert turns > 5
    shape = model_of("cloudwatch", "GetMetricData").output_shape
    assert shape is not None
    parsed = create_parser(protocol).parse(
        {"body": response.body, "headers": {}, "status_code": 200}, shape
    )
    assert parsed["MetricDataResults"][3]["Values"] == output["MetricDataResults"][3]["Values"]
