"""RPC services in each protocol, as unmodified SDKs and raw requests see them."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import cbor2
import pytest
from botocore import serialize
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st
from rpc_rig import REGION, authorization, client_of, send, serve

from sandbox.api_errors import ApiError
from sandbox.front import CredentialScope
from sandbox.http import Request
from sandbox.rest_json.validation import Validator
from sandbox.rpc.bodies import MAX_BODY_BYTES
from sandbox.rpc.service import RpcService, protocol_of

MODEL = ServiceModel(Loader().load_service_model("cloudwatch", "service-2"), "cloudwatch")
AUTHORIZATION = authorization("monitoring")
PROTOCOLS = ("smithy-rpc-v2-cbor", "json", "query")
NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


class Recorder:
    """Operations that note what they are given, and answer or raise what they are told."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.parameters: Mapping[str, Any] = {}
        self.output: dict[str, Any] | None = None
        self.error: ApiError | None = None

    def __call__(self, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        self.parameters = parameters
        if self.error is not None:
            raise self.error
        return self.output

    async def later(self, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        await asyncio.sleep(0)
        return self(parameters)


RECORDER = Recorder()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    operations = {
        "GetMetricData": RECORDER,
        "GetMetricStatistics": RECORDER.later,
        "PutMetricData": RECORDER,
    }
    quiet = Validator({}, frozenset())
    of_logs = {"PutLogEvents": RECORDER, "CreateLogGroup": RECORDER}
    services = {
        "monitoring": RpcService("cloudwatch", "CloudWatch", REGION, operations, quiet),
        "logs": RpcService("logs", "CloudWatch Logs", REGION, of_logs, quiet),
    }
    with serve(services) as port:
        yield port


@pytest.fixture
def recorder() -> Recorder:
    RECORDER.forget()
    return RECORDER


@pytest.fixture(scope="module")
def cloudwatch(port: int) -> Iterator[Any]:
    with client_of(port, "cloudwatch") as made:
        yield made


@pytest.fixture(scope="module")
def logs(port: int) -> Iterator[Any]:
    with client_of(port, "logs") as made:
        yield made


def call_in(port: int, protocol: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Calls CloudWatch with botocore's own serializer and parser of `protocol`."""
    model = MODEL.operation_model(operation)
    sent = serialize.create_serializer(protocol, include_validation=False).serialize_to_request(
        arguments, model
    )
    body = sent["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    headers = {**sent["headers"], "Authorization": AUTHORIZATION}
    status, got, content = send(port, body, headers, sent["url_path"])
    answer = {"headers": got, "status_code": status, "body": content}
    return dict(create_parser(protocol).parse(answer, model.output_shape))


QUERY_CALL = {
    "MetricDataQueries": [
        {
            "Id": "a",
            "MetricStat": {
                "Metric": {
                    "Namespace": "N/é & <x>",
                    "MetricName": "M",
                    "Dimensions": [{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}],
                },
                "Period": 60,
                "Stat": "p99",
            },
            "ReturnData": False,
        },
        {"Id": "b", "Expression": "a + 1"},
    ],
    "StartTime": NOON,
    "EndTime": NOON + timedelta(hours=1),
    "MaxDatapoints": 7,
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_protocol_gives_the_same_parameters(
    port: int, recorder: Recorder, protocol: str
) -> None:
    recorder.output = {"MetricDataResults": []}
    call_in(port, protocol, "GetMetricData", QUERY_CALL)
    assert recorder.parameters == QUERY_CALL


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_protocol_carries_the_same_output(
    port: int, recorder: Recorder, protocol: str
) -> None:
    result = {
        "Id": "a",
        "Label": "p99 & <é>",
        "Timestamps": [NOON, NOON.replace(microsecond=0)],
        "Values": [0.1, 3.0],
        "StatusCode": "Complete",
    }
    recorder.output = {"MetricDataResults": [result], "NextToken": None}
    got = call_in(port, protocol, "GetMetricData", QUERY_CALL)
    assert got["MetricDataResults"] == [result]
    assert "NextToken" not in got
    assert got["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_protocol_carries_maps_and_awaited_outputs(
    port: int, recorder: Recorder, protocol: str
) -> None:
    point = {"Timestamp": NOON, "Unit": "Count", "ExtendedStatistics": {"p50": 1.5, "p99.9": 2.0}}
    recorder.output = {"Label": "M", "Datapoints": [point]}
    arguments = {
        "Namespace": "N",
        "MetricName": "M",
        "StartTime": NOON,
        "EndTime": NOON + timedelta(hours=1),
        "Period": 60,
        "ExtendedStatistics": ["p50", "p99.9"],
    }
    got = call_in(port, protocol, "GetMetricStatistics", arguments)
    assert recorder.parameters == arguments
    assert got["Datapoints"] == [point]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("raised", "code", "status"),
    [
        pytest.param("InvalidParameterValueException", "InvalidParameterValue", 400, id="shape"),
        pytest.param("InvalidParameterValue", "InvalidParameterValue", 400, id="query-code"),
        pytest.param("ValidationException", "ValidationError", 400, id="validation"),
        pytest.param("InternalServiceFault", "InternalServiceError", 500, id="server-side"),
        pytest.param("Throttling", "Throttling", 400, id="unlisted"),
    ],
)
def test_errors_have_the_code_of_the_query_protocol(
    port: int, recorder: Recorder, protocol: str, raised: str, code: str, status: int
) -> None:
    recorder.error = ApiError(raised, "no & <no>")
    got = call_in(port, protocol, "GetMetricData", QUERY_CALL)
    assert got["Error"]["Code"] == code
    assert got["Error"]["Message"] == "no & <no>"
    assert got["Error"]["Type"] == ("Sender" if status < 500 else "Receiver")
    assert got["ResponseMetadata"]["HTTPStatusCode"] == status


def test_boto3_calls_cloudwatch(cloudwatch: Any, recorder: Recorder) -> None:
    data = [{"MetricName": "M", "Timestamp": NOON, "Values": [1.5, 2.0], "Counts": [3.0, 1.0]}]
    answer = cloudwatch.put_metric_data(Namespace="N", MetricData=data)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert recorder.parameters == {"Namespace": "N", "MetricData": data}


def test_boto3_raises_the_exception_of_the_model(cloudwatch: Any, recorder: Recorder) -> None:
    recorder.error = ApiError("InvalidParameterValueException", "not that")
    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException) as caught:
        cloudwatch.put_metric_data(Namespace="N", MetricData=[])
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_large_bodies_come_compressed(cloudwatch: Any, recorder: Recorder) -> None:
    seen: list[str | None] = []

    def note(request: Any, **_: Any) -> None:
        seen.append(request.headers.get("Content-Encoding"))

    data = [{"MetricName": f"metric-{i:04d}", "Value": 1.0} for i in range(900)]
    cloudwatch.meta.events.register("before-send.cloudwatch.PutMetricData", note)
    try:
        cloudwatch.put_metric_data(Namespace="N", MetricData=data)
    finally:
        cloudwatch.meta.events.unregister("before-send.cloudwatch.PutMetricData", note)
    assert seen == [b"gzip"]
    assert recorder.parameters["MetricData"] == data


def test_boto3_calls_logs(logs: Any, recorder: Recorder) -> None:
    recorder.output = {"nextSequenceToken": "1"}
    events = [{"timestamp": 1_767_000_000_000, "message": "ünïcode"}]
    answer = logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    assert answer["nextSequenceToken"] == "1"
    assert recorder.parameters["logEvents"] == events


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        pytest.param("ResourceNotFoundException", {}, id="no-members"),
        pytest.param("DataAlreadyAcceptedException", {"expectedSequenceToken": "7"}, id="members"),
    ],
)
def test_logs_errors_keep_the_names_of_their_shapes(
    logs: Any, recorder: Recorder, code: str, fields: dict[str, str]
) -> None:
    recorder.error = ApiError(code, "gone", fields=fields)
    with pytest.raises(getattr(logs.exceptions, code)) as caught:
        logs.create_log_group(logGroupName="g")
    response = caught.value.response
    assert response["Error"] == {"Code": code, "Message": "gone"}
    assert fields.items() <= response.items()


def test_what_breaks_the_model_is_refused(logs: Any, recorder: Recorder) -> None:
    with pytest.raises(ClientError) as caught:
        logs.create_log_group(logGroupName="not a name")
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert "at 'logGroupName' failed to satisfy constraint" in str(caught.value)
    assert recorder.parameters == {}


def test_an_operation_that_is_not_served_says_so(logs: Any) -> None:
    with pytest.raises(ClientError) as caught:
        logs.describe_destinations()
    response = caught.value.response
    assert response["Error"]["Code"] == "UnknownOperationException"
    assert "does not serve the CloudWatch Logs operation" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_another_region_is_refused(port: int) -> None:
    with (
        client_of(port, "logs", region="eu-west-1") as elsewhere,
        pytest.raises(ClientError) as caught,
    ):
        elsewhere.create_log_group(logGroupName="g")
    assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"


JSON_TYPE = {"Content-Type": "application/x-amz-json-1.0"}
TARGET = {"X-Amz-Target": "GraniteServiceVersion20100801.GetMetricData"}
CBOR = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
# A thousand queries that are one, with a thousand dimensions that are one.
_DIMENSION = cbor2.CBORTag(28, {"Name": "A", "Value": "1"})
_METRIC = {"Dimensions": [_DIMENSION, *[cbor2.CBORTag(29, 1)] * 1000]}
_QUERY = cbor2.CBORTag(28, {"Id": "a", "MetricStat": {"Metric": _METRIC}})
SHARED = cbor2.dumps({"MetricDataQueries": [_QUERY, *[cbor2.CBORTag(29, 0)] * 1000]})
CBOR_PATH = "/service/GraniteServiceVersion20100801/operation/GetMetricData"


@pytest.mark.parametrize(
    ("headers", "path", "body", "status", "code"),
    [
        pytest.param(JSON_TYPE, "/", b"{}", 400, b"UnknownOperationException", id="no-target"),
        pytest.param(
            {**JSON_TYPE, "X-Amz-Target": "Other.GetMetricData"},
            "/",
            b"{}",
            400,
            b"UnknownOperationException",
            id="other-target",
        ),
        pytest.param(
            {**JSON_TYPE, "X-Amz-Target": "GraniteServiceVersion20100801.Nothing"},
            "/",
            b"{}",
            400,
            b"UnknownOperationException",
            id="unknown-operation",
        ),
        pytest.param(
            {**JSON_TYPE, **TARGET}, "/", b"{", 400, b"SerializationException", id="json-cut"
        ),
        pytest.param(
            {**JSON_TYPE, **TARGET}, "/", b"[]", 400, b"SerializationException", id="json-list"
        ),
        pytest.param(
            {**JSON_TYPE, **TARGET},
            "/",
            b'{"StartTime":"soon"}',
            400,
            b"SerializationException",
            id="json-time",
        ),
        pytest.param(
            {**JSON_TYPE, **TARGET},
            "/",
            b'{"MaxDatapoints":2147483648}',
            400,
            b"SerializationException",
            id="json-integer-of-33-bits",
        ),
        pytest.param(
            {**JSON_TYPE, **TARGET, "Content-Encoding": "gzip"},
            "/",
            b"{}",
            400,
            b"SerializationException",
            id="not-gzip",
        ),
        pytest.param(
            {**JSON_TYPE, **TARGET, "Content-Encoding": "gzip"},
            "/",
            gzip.compress(b"{}")[:-4],
            400,
            b"SerializationException",
            id="gzip-cut",
        ),
        pytest.param(
            {**JSON_TYPE, **TARGET, "Content-Encoding": "gzip"},
            "/",
            gzip.compress(bytes(MAX_BODY_BYTES + 1)),
            413,
            b"RequestEntityTooLargeException",
            id="gzip-too-large",
        ),
        pytest.param(
            {**JSON_TYPE, **TARGET, "Content-Encoding": "br"},
            "/",
            b"{}",
            400,
            b"SerializationException",
            id="other-encoding",
        ),
        pytest.param(CBOR, "/", b"\xa0", 404, b"UnknownOperationException", id="cbor-path"),
        pytest.param(
            CBOR,
            "/service/Other/operation/GetMetricData",
            b"\xa0",
            404,
            b"UnknownOperationException",
            id="cbor-other-service",
        ),
        pytest.param(CBOR, CBOR_PATH, b"\xff", 400, b"SerializationException", id="cbor-broken"),
        pytest.param(CBOR, CBOR_PATH, b"\x80", 400, b"SerializationException", id="cbor-list"),
        pytest.param(
            CBOR, CBOR_PATH, b"\x81" * 5000, 400, b"SerializationException", id="cbor-deep"
        ),
        pytest.param(
            CBOR, CBOR_PATH, SHARED, 400, b"too often", id="cbor-shared-values-without-end"
        ),
        pytest.param(
            CBOR,
            CBOR_PATH,
            cbor2.dumps({"StartTime": 5}),
            400,
            b"SerializationException",
            id="cbor-untagged-time",
        ),
        pytest.param(FORM, "/", b"Version=1", 400, b"MissingAction", id="query-no-action"),
        pytest.param(FORM, "/", b"Action=Nothing", 400, b"InvalidAction", id="query-unknown"),
        pytest.param(
            FORM,
            "/",
            b"Action=GetMetricData&MetricDataQueries.member.x.Id=a",
            400,
            b"SerializationException",
            id="query-unnumbered",
        ),
        pytest.param(
            FORM,
            "/",
            b"Action=GetMetricData&MaxDatapoints=many",
            400,
            b"SerializationException",
            id="query-number",
        ),
        pytest.param(FORM, "/", b"Action=%ff", 400, b"MalformedInput", id="query-not-utf8"),
        pytest.param(
            FORM,
            "/",
            b"Action=GetMetricData",
            400,
            b"<Code>ValidationError</Code>",
            id="query-missing",
        ),
    ],
)
def test_requests_that_no_sdk_sends_are_refused(
    port: int,
    recorder: Recorder,
    headers: dict[str, str],
    path: str,
    body: bytes,
    status: int,
    code: bytes,
) -> None:
    got, _, content = send(port, body, {**headers, "Authorization": AUTHORIZATION}, path)
    assert (got, code in content) == (status, True), content
    assert recorder.parameters == {}


def test_a_query_may_be_a_get(port: int, recorder: Recorder) -> None:
    recorder.output = None
    path = "/?Action=PutMetricData&Namespace=N&MetricData.member.1.MetricName=M"
    status, headers, content = send(port, b"", {"Authorization": AUTHORIZATION}, path, "GET")
    assert (status, headers["content-type"]) == (200, "text/xml")
    assert b"<PutMetricDataResponse xmlns=" in content
    assert recorder.parameters == {"Namespace": "N", "MetricData": [{"MetricName": "M"}]}


def test_the_codes_of_the_query_protocol_are_sent_only_to_those_who_ask(
    port: int, recorder: Recorder
) -> None:
    recorder.error = ApiError("InvalidParameterValueException", "no")
    headers = {**JSON_TYPE, "Authorization": AUTHORIZATION}
    headers["X-Amz-Target"] = "GraniteServiceVersion20100801.PutMetricData"
    _, plain, content = send(port, b'{"Namespace":"N"}', headers)
    assert "x-amzn-query-error" not in plain
    assert json.loads(content)["__type"] == "InvalidParameterValueException"
    headers["x-amzn-query-mode"] = "true"
    _, asked, _ = send(port, b'{"Namespace":"N"}', headers)
    assert asked["x-amzn-query-error"] == "InvalidParameterValue;Sender"


def test_a_service_refuses_a_protocol_that_its_model_does_not_have(port: int) -> None:
    headers = {**FORM, "Authorization": AUTHORIZATION.replace("monitoring", "logs")}
    status, _, content = send(port, b"Action=CreateLogGroup&logGroupName=g", headers)
    assert status == 400
    assert b"does not speak the query protocol" in content


def test_operations_have_to_be_in_the_model() -> None:
    with pytest.raises(ValueError, match="no operations Invented"):
        RpcService("logs", "Logs", REGION, {"Invented": Recorder()}, Validator({}, frozenset()))


HEADERS_OF = {"smithy-rpc-v2-cbor": CBOR, "json": {**JSON_TYPE, **TARGET}, "query": FORM}
RPC = RpcService(
    "cloudwatch",
    "CloudWatch",
    REGION,
    {"GetMetricData": lambda _: {"MetricDataResults": []}},
    Validator({}, frozenset()),
)
SCOPE = CredentialScope("any", REGION, "monitoring")


@given(st.binary(max_size=200), st.sampled_from(PROTOCOLS))
def test_no_body_breaks_the_reader(body: bytes, protocol: str) -> None:
    headers = [
        (name.lower().encode(), value.encode()) for name, value in HEADERS_OF[protocol].items()
    ]
    path = CBOR_PATH if protocol == "smithy-rpc-v2-cbor" else "/"
    request = Request("POST", path.encode(), headers, body)
    assert protocol_of(request) == protocol
    answer = asyncio.run(RPC._answer(request, SCOPE))
    assert answer.status in (200, 400)
