"""What API Gateway tells of its work: metrics in CloudWatch, access logs, limits, usage."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gateway_rig import HttpRig, RestRig, send

FORMAT = json.dumps(
    {
        "id": "$context.requestId",
        "status": "$context.status",
        "route": "$context.httpMethod $context.resourcePath",
        "type": "$context.error.responseType",
        "latency": "$context.responseLatency",
        "integration": "$context.integrationLatency",
        "lambda": "$context.integration.integrationStatus",
        "function": "$context.integration.status",
        "key": "$context.identity.apiKeyId",
        "missing": "$context.authorizer.principalId",
    }
)


def model(duration_ms: float, **more: Any) -> dict[str, dict[str, str]]:
    document = {
        "duration_ms": {"128": duration_ms},
        "init_ms": 0,
        "hold": True,
        "response": {"statusCode": 200, "body": "ok"},
        **more,
    }
    return {"Variables": {"SANDBOX_MODEL": json.dumps(document)}}


@pytest.fixture(scope="module")
def monitoring(sandbox: Any, connect: Callable[..., Any]) -> Any:
    return connect(sandbox, "cloudwatch")


@pytest.fixture(scope="module")
def logs(sandbox: Any, connect: Callable[..., Any]) -> Any:
    return connect(sandbox, "logs")


def statistic(
    monitoring: Any, namespace: str, name: str, dimensions: dict[str, str], stat: str
) -> float | None:
    """One value over all that has been."""
    now = datetime.now(UTC)
    answer = monitoring.get_metric_data(
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=2),
        MetricDataQueries=[
            {
                "Id": "m",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": name,
                        "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                    },
                    "Period": 7200,
                    "Stat": stat,
                },
            }
        ],
    )
    values = answer["MetricDataResults"][0]["Values"]
    return values[0] if values else None


@pytest.fixture
def rest(sandbox: Any, client: Any, connect: Callable[..., Any], create_in: Any) -> RestRig:
    """An API with a fast function, a slow one and one that fails, named for this test alone."""
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client)
    name = f"telemetry-{uuid.uuid4().hex[:8]}"
    rig.create(name)
    for path, environment in {
        "fast": model(5),
        "slow": model(120),
        "fails": model(5, failure="error"),
        "off": model(5),
    }.items():
        function = create_in(client, f"{name}-{path}", Environment=environment)
        rig.function(f"/{path}", function)
    client.put_function_concurrency(FunctionName=f"{name}-off", ReservedConcurrentExecutions=0)
    rig.mock("/keyed", apiKeyRequired=True)
    rig.client.update_account(
        patchOperations=[
            {
                "op": "replace",
                "path": "/cloudwatchRoleArn",
                "value": "arn:aws:iam::000000000000:role/logs",
            }
        ]
    )
    return rig.deploy(
        ("/*/*/metrics/enabled", "true"),
        (
            "/accessLogSettings/destinationArn",
            f"arn:aws:logs:us-east-1:000000000000:log-group:{name}",
        ),
        ("/accessLogSettings/format", FORMAT),
    )


def api_name(rig: RestRig) -> str:
    return str(rig.client.get_rest_api(restApiId=rig.api_id)["name"])


def lines(logs: Any, group: str) -> list[dict[str, str]]:
    events = logs.filter_log_events(logGroupName=group)["events"]
    return [json.loads(event["message"]) for event in events]


def test_metrics_count_what_clients_got(rest: RestRig, monitoring: Any) -> None:
    for path, times in {"fast": 5, "fails": 2, "off": 1, "nothing": 3}.items():
        for _ in range(times):
            rest.get(f"/{path}")
    name = api_name(rest)
    for dimensions in ({"ApiName": name}, {"ApiName": name, "Stage": "prod"}):
        shown = {
            (metric, stat): statistic(monitoring, "AWS/ApiGateway", metric, dimensions, stat)
            for metric, stat in [
                ("Count", "Sum"),
                ("Count", "SampleCount"),
                ("4XXError", "Sum"),
                ("5XXError", "Sum"),
                ("4XXError", "Average"),
                ("Latency", "SampleCount"),
                ("IntegrationLatency", "SampleCount"),
            ]
        }
        assert shown == {
            ("Count", "Sum"): 11,
            ("Count", "SampleCount"): 11,
            ("4XXError", "Sum"): 3,
            ("5XXError", "Sum"): 3,
            ("4XXError", "Average"): pytest.approx(3 / 11),
            ("Latency", "SampleCount"): 11,
            ("IntegrationLatency", "SampleCount"): 8,
        }
    of_method = {"ApiName": name, "Method": "GET", "Resource": "/fast", "Stage": "prod"}
    assert statistic(monitoring, "AWS/ApiGateway", "Count", of_method, "Sum") == 5


def test_latency_percentiles_match_what_the_server_did(
    rest: RestRig, monitoring: Any, logs: Any
) -> None:
    """80 % of requests take 5 ms and 20 % 120 ms: the percentiles lie where they must."""
    seen_ms = []
    for number in range(50):
        began_s = time.perf_counter()
        assert rest.get("/slow" if number % 5 == 0 else "/fast").status == 200
        seen_ms.append((time.perf_counter() - began_s) * 1000)
    name = api_name(rest)
    logged = lines(logs, name)
    for metric, field in (("Latency", "latency"), ("IntegrationLatency", "integration")):
        truth = sorted(int(line[field]) for line in logged)
        for percentile in (50, 75, 90, 99):
            shown = statistic(
                monitoring, "AWS/ApiGateway", metric, {"ApiName": name}, f"p{percentile}"
            )
            # Nearest rank.
            rank = -(-percentile * len(truth) // 100)
            assert shown == truth[rank - 1]
    p50 = statistic(monitoring, "AWS/ApiGateway", "IntegrationLatency", {"ApiName": name}, "p50")
    p90 = statistic(monitoring, "AWS/ApiGateway", "IntegrationLatency", {"ApiName": name}, "p90")
    assert p50 is not None
    assert p90 is not None
    assert 5 <= p50 < 120 <= p90
    # What the gateway says is never more than what the client saw, but for rounding.
    assert sorted(seen_ms)[-1] + 1 >= max(int(line["latency"]) for line in logged)


def test_overhead_is_told_apart_from_the_integration(rest: RestRig, monitoring: Any) -> None:
    for _ in range(10):
        rest.get("/slow")
    dimensions = {"ApiId": rest.api_id, "Stage": "prod"}
    overhead_ms = statistic(monitoring, "Sandbox", "Overhead", dimensions, "p50")
    assert overhead_ms is not None
    assert 0 < overhead_ms < 60


def test_access_logs_say_who_is_to_blame(rest: RestRig, logs: Any) -> None:
    for path in ("/fast", "/fails", "/off", "/keyed", "/nothing"):
        rest.get(path)
    by_route = {line["route"]: line for line in lines(logs, api_name(rest))}
    assert by_route["GET /fast"]["status"] == "200"
    assert by_route["GET /fast"]["function"] == "200"
    assert by_route["GET /fast"]["missing"] == "-"
    assert by_route["GET /fails"]["status"] == "502"
    assert by_route["GET /fails"]["lambda"] == "200"
    assert by_route["GET /off"]["status"] == "500"
    assert by_route["GET /off"]["lambda"] == "429"
    assert by_route["GET /off"]["type"] == "INTEGRATION_FAILURE"
    assert by_route["GET /keyed"]["type"] == "INVALID_API_KEY"
    assert by_route["GET /keyed"]["integration"] == "-"
    assert by_route["GET -"]["type"] == "MISSING_AUTHENTICATION_TOKEN"


def test_insights_count_causes(rest: RestRig, logs: Any) -> None:
    for path in ("/fast", "/fast", "/keyed"):
        rest.get(path)
    query = "stats count(*) as n by type | sort n desc"
    now = int(time.time())
    started = logs.start_query(
        logGroupName=api_name(rest), startTime=now - 600, endTime=now + 600, queryString=query
    )
    deadline_s = time.monotonic() + 10
    while (found := logs.get_query_results(queryId=started["queryId"]))["status"] != "Complete":
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    rows = [{cell["field"]: cell["value"] for cell in row} for row in found["results"]]
    assert rows == [{"type": "-", "n": "2"}, {"type": "INVALID_API_KEY", "n": "1"}]


def test_execution_logs_name_the_limit(rest: RestRig, logs: Any) -> None:
    rest.patch_stage(
        ("/*/*/logging/loglevel", "ERROR"),
        ("/~1fast/GET/throttling/rateLimit", "0.1"),
        ("/~1fast/GET/throttling/burstLimit", "1"),
        ("/~1fast/GET/logging/loglevel", "ERROR"),
    )
    answers = [rest.get("/fast") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    group = f"API-Gateway-Execution-Logs_{rest.api_id}/prod"
    events = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
    request_id = answers[1].headers["x-amzn-requestid"]
    assert any(
        text.startswith(f"({request_id})") and "Limit: 0.10 Burst: 1" in text for text in events
    )


def test_http_apis_have_metrics_of_their_own(
    sandbox: Any, client: Any, connect: Callable[..., Any], create_in: Any, monitoring: Any
) -> None:
    rig = HttpRig(sandbox.endpoint_url, connect(sandbox, "apigatewayv2"), client).create("metrics")
    function = create_in(client, f"metrics-{rig.api_id}", Environment=model(5))
    rig.function("GET /ok", function)
    rig.deploy(DefaultRouteSettings={"DetailedMetricsEnabled": True})
    for path in ("/ok", "/ok", "/nothing"):
        rig.get(path)
    api = {"ApiId": rig.api_id}
    assert statistic(monitoring, "AWS/ApiGateway", "Count", api, "Sum") == 3
    assert statistic(monitoring, "AWS/ApiGateway", "4xx", api, "Sum") == 1
    assert statistic(monitoring, "AWS/ApiGateway", "5xx", api, "Sum") == 0
    assert statistic(monitoring, "AWS/ApiGateway", "DataProcessed", api, "Sum") == 2 + 2 + 23
    of_route = {**api, "Route": "GET /ok", "Stage": "$default"}
    assert statistic(monitoring, "AWS/ApiGateway", "Count", of_route, "Sum") == 2


def test_lambda_metrics_of_calls_through_the_api(rest: RestRig, monitoring: Any) -> None:
    for path in ("/fast", "/fast", "/fails", "/off"):
        rest.get(path)
    name = api_name(rest)

    def of(function: str, metric: str, stat: str = "Sum") -> float | None:
        dimensions = {"FunctionName": f"{name}-{function}"}
        return statistic(monitoring, "AWS/Lambda", metric, dimensions, stat)

    assert of("fast", "Invocations") == 2
    assert of("fast", "Duration", "p50") == 5
    assert of("fails", "Errors") == 1
    assert of("off", "Throttles") == 1
    assert of("off", "Invocations") in (None, 0)
    assert of("fast", "ConcurrentExecutions", "Maximum") == 1


def test_metrics_are_published_later_on_request(rest: RestRig, monitoring: Any) -> None:
    rest.get("/fast")
    dimensions = {"ApiName": api_name(rest)}
    faults = "/_sandbox/faults"
    body = json.dumps({"kind": "late-metrics", "delay_s": 3600}).encode()
    made = send(rest.endpoint_url, faults, "POST", body=body).json
    try:
        assert statistic(monitoring, "AWS/ApiGateway", "Count", dimensions, "Sum") is None
    finally:
        send(rest.endpoint_url, f"{faults}/{made['id']}", "DELETE")
    assert statistic(monitoring, "AWS/ApiGateway", "Count", dimensions, "Sum") == 1


def test_metrics_survive_a_redeploy(rest: RestRig, monitoring: Any) -> None:
    rest.get("/fast")
    rest.deploy()
    rest.get("/fast")
    dimensions = {"ApiName": api_name(rest)}
    assert statistic(monitoring, "AWS/ApiGateway", "Count", dimensions, "Sum") == 2
