"""Throttles, quotas, caches and faults as clients of a running API meet them."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from gateway_rig import RestRig, send

from sandbox.admin_client import AdminClient


@pytest.fixture
def rest(sandbox: Any, client: Any, connect: Callable[..., Any]) -> RestRig:
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client)
    rig.create(f"limits-{uuid.uuid4().hex[:8]}")
    rig.mock("/a")
    rig.mock("/b")
    rig.mock("/keyed", apiKeyRequired=True)
    return rig


def new_key(rig: RestRig, **plan: Any) -> tuple[str, str, str]:
    """A key in a plan of its own: plan id, key id and value."""
    api = rig.client
    made = api.create_usage_plan(
        name="p", apiStages=[{"apiId": rig.api_id, "stage": rig.stage}], **plan
    )
    value = uuid.uuid4().hex
    key = api.create_api_key(name="k", value=value, enabled=True)
    api.create_usage_plan_key(usagePlanId=made["id"], keyId=key["id"], keyType="API_KEY")
    return made["id"], key["id"], value


def burst(rig: RestRig, path: str, count: int, **headers: str) -> Counter[int]:
    return Counter(rig.get(path, headers=headers).status for _ in range(count))


def test_a_bucket_admits_its_burst_and_then_its_rate(rest: RestRig) -> None:
    rest.deploy(("/*/*/throttling/rateLimit", "0.01"), ("/*/*/throttling/burstLimit", "7"))
    assert burst(rest, "/a", 20) == {200: 7, 429: 13}


def test_a_method_of_its_own_does_not_share_the_bucket_of_the_stage(rest: RestRig) -> None:
    rest.deploy(
        ("/*/*/throttling/rateLimit", "0.01"),
        ("/*/*/throttling/burstLimit", "3"),
        ("/~1b/GET/throttling/rateLimit", "0.01"),
        ("/~1b/GET/throttling/burstLimit", "5"),
    )
    assert burst(rest, "/b", 10) == {200: 5, 429: 5}
    assert burst(rest, "/a", 10) == {200: 3, 429: 7}


def test_buckets_survive_a_redeploy(rest: RestRig) -> None:
    rest.deploy(("/*/*/throttling/rateLimit", "0.01"), ("/*/*/throttling/burstLimit", "4"))
    assert burst(rest, "/a", 4) == {200: 4}
    rest.deploy()
    assert burst(rest, "/a", 2) == {429: 2}


def test_a_quota_of_n_admits_exactly_n(rest: RestRig) -> None:
    rest.deploy()
    plan_id, key_id, value = new_key(rest, quota={"limit": 25, "period": "DAY"})
    outcomes: list[Counter[int]] = []
    threads = [
        threading.Thread(
            target=lambda: outcomes.append(burst(rest, "/keyed", 20, **{"x-api-key": value}))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcomes, Counter()) == {200: 25, 429: 55}
    rest.deploy()
    assert burst(rest, "/keyed", 2, **{"x-api-key": value}) == {429: 2}
    today = datetime.now(UTC).date().isoformat()
    usage = rest.client.get_usage(usagePlanId=plan_id, startDate=today, endDate=today)
    assert usage["items"] == {key_id: [[25, 0]]}


def test_update_usage_gives_more(rest: RestRig) -> None:
    rest.deploy()
    plan_id, key_id, value = new_key(rest, quota={"limit": 1, "period": "MONTH"})
    assert burst(rest, "/keyed", 2, **{"x-api-key": value}) == {200: 1, 429: 1}
    rest.client.update_usage(
        usagePlanId=plan_id,
        keyId=key_id,
        patchOperations=[{"op": "replace", "path": "/remaining", "value": "3"}],
    )
    assert burst(rest, "/keyed", 5, **{"x-api-key": value}) == {200: 3, 429: 2}


def test_a_deleted_plan_leaves_no_counters(rest: RestRig) -> None:
    rest.deploy()
    plan_id, _, value = new_key(rest, quota={"limit": 5, "period": "DAY"})
    assert burst(rest, "/keyed", 2, **{"x-api-key": value}) == {200: 2}
    counters = lambda: [  # noqa: E731
        it["used"]
        for it in AdminClient(rest.endpoint_url).limits()["quotas"]
        if it["plan_id"] == plan_id
    ]
    assert counters() == [2]
    rest.client.delete_stage(restApiId=rest.api_id, stageName=rest.stage)
    rest.client.delete_usage_plan(usagePlanId=plan_id)
    assert counters() == []


def test_a_plan_throttles_each_key_alone(rest: RestRig) -> None:
    rest.deploy()
    plan_id, _, first = new_key(rest, throttle={"rateLimit": 0.01, "burstLimit": 2})
    other = rest.client.create_api_key(name="other", value=uuid.uuid4().hex, enabled=True)
    rest.client.create_usage_plan_key(usagePlanId=plan_id, keyId=other["id"], keyType="API_KEY")
    assert burst(rest, "/keyed", 5, **{"x-api-key": first}) == {200: 2, 429: 3}
    assert burst(rest, "/keyed", 5, **{"x-api-key": other["value"]}) == {200: 2, 429: 3}


def test_a_plan_throttles_a_method(rest: RestRig) -> None:
    rest.deploy()
    plan_id, _, value = new_key(rest, throttle={"rateLimit": 100, "burstLimit": 100})
    rest.client.update_usage_plan(
        usagePlanId=plan_id,
        patchOperations=[
            {
                "op": "replace",
                "path": f"/apiStages/{rest.api_id}:{rest.stage}/throttle/~1keyed~1GET/rateLimit",
                "value": "0.01",
            },
            {
                "op": "replace",
                "path": f"/apiStages/{rest.api_id}:{rest.stage}/throttle/~1keyed~1GET/burstLimit",
                "value": "1",
            },
        ],
    )
    assert burst(rest, "/keyed", 3, **{"x-api-key": value}) == {200: 1, 429: 2}


def test_a_disabled_key_is_forbidden(rest: RestRig) -> None:
    rest.deploy()
    _, key_id, value = new_key(rest)
    assert burst(rest, "/keyed", 1, **{"x-api-key": value}) == {200: 1}
    rest.client.update_api_key(
        apiKey=key_id, patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}]
    )
    assert burst(rest, "/keyed", 1, **{"x-api-key": value}) == {403: 1}


def test_the_truth_about_limits_can_be_asked(rest: RestRig) -> None:
    rest.deploy(("/*/*/throttling/rateLimit", "0.01"), ("/*/*/throttling/burstLimit", "2"))
    burst(rest, "/a", 6)
    document = send(rest.endpoint_url, "/_sandbox/limits").json
    (stage,) = (
        entry
        for entry in document["throttles"]
        if entry["level"] == "stage" and entry["api_id"] == rest.api_id
    )
    assert (stage["admitted"], stage["refused"]) == (2, 4)


def test_the_account_limits_all_apis(
    start_sandbox: Callable[..., Any], connect: Callable[..., Any]
) -> None:
    from sandbox.api_gateway import GatewayOptions
    from sandbox.gateway.snapshot import Limit

    sandbox = start_sandbox(gateway_options=GatewayOptions(account_limit=Limit(0.01, 4)))
    rigs = []
    for name in ("one", "two"):
        rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), None).create(name)
        rig.mock("/a")
        rigs.append(rig.deploy())
    assert burst(rigs[0], "/a", 3) == {200: 3}
    assert burst(rigs[1], "/a", 3) == {200: 1, 429: 2}
    settings = connect(sandbox, "apigateway").get_account()["throttleSettings"]
    assert settings == {"rateLimit": 0.01, "burstLimit": 4}
    quotas = connect(sandbox, "service-quotas")
    quota = quotas.get_service_quota(ServiceCode="apigateway", QuotaCode="L-CDF5615A")["Quota"]
    assert quota["Value"] == 4


def test_a_cache_answers_in_the_place_of_the_integration(
    rest: RestRig, client: Any, create_in: Any, connect: Callable[..., Any], sandbox: Any
) -> None:
    document = {
        "duration_ms": {"128": 1},
        "init_ms": 0,
        "response": {"statusCode": 200, "body": "x"},
    }
    name = f"cached-{rest.api_id}"
    create_in(client, name, Environment={"Variables": {"SANDBOX_MODEL": json.dumps(document)}})
    rest.function(
        "/cached",
        name,
        requestParameters={"method.request.querystring.q": False},
        integration={"cacheKeyParameters": ["method.request.querystring.q"]},
    )
    rest.deploy(
        ("/cacheClusterEnabled", "true"),
        ("/cacheClusterSize", "0.5"),
        ("/~1cached/GET/caching/enabled", "true"),
        ("/~1cached/GET/caching/ttlInSeconds", "60"),
    )
    for path in ("/cached?q=1", "/cached?q=1", "/cached?q=1&other=2", "/cached?q=2"):
        assert rest.get(path).text == "x"
    rest.get("/cached?q=1", headers={"Cache-Control": "max-age=0"})
    assert invocations(connect(sandbox, "cloudwatch"), name) == 3
    rest.client.flush_stage_cache(restApiId=rest.api_id, stageName=rest.stage)
    rest.get("/cached?q=1")
    assert invocations(connect(sandbox, "cloudwatch"), name) == 4


def invocations(monitoring: Any, function: str) -> float:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    points = monitoring.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=now.replace(hour=0, minute=0),
        EndTime=now.replace(hour=23, minute=59),
        Period=86_400,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


@pytest.fixture
def fault(rest: RestRig) -> Iterator[Callable[..., None]]:
    """Adds faults to the API of the test; all are gone after it."""
    made: list[str] = []

    def add(kind: str, **settings: Any) -> None:
        body = json.dumps({"kind": kind, "api": rest.api_id, **settings}).encode()
        answer = send(rest.endpoint_url, "/_sandbox/faults", "POST", body=body)
        assert answer.status == 201, answer.text
        made.append(answer.json["id"])

    yield add
    for fault_id in made:
        send(rest.endpoint_url, f"/_sandbox/faults/{fault_id}", "DELETE")


def test_a_firewall_blocks(rest: RestRig, fault: Callable[..., None]) -> None:
    rest.deploy()
    fault("waf")
    answer = rest.get("/a")
    assert (answer.status, answer.text) == (403, '{"message":"Forbidden"}')
    assert answer.headers["x-amzn-errortype"] == "ForbiddenException"


def test_a_status_fault_answers_in_the_place_of_the_integration(
    rest: RestRig, fault: Callable[..., None]
) -> None:
    rest.deploy()
    fault("status", status=503, count=2)
    assert [rest.get("/a").status for _ in range(4)] == [503, 503, 200, 200]


def test_a_status_fault_does_not_hide_limits(rest: RestRig, fault: Callable[..., None]) -> None:
    rest.deploy(("/*/*/throttling/rateLimit", "0.01"), ("/*/*/throttling/burstLimit", "2"))
    fault("status", status=503)
    assert burst(rest, "/a", 5) == {503: 2, 429: 3}


def test_latency_faults_count_where_they_are_put(
    rest: RestRig, fault: Callable[..., None], connect: Callable[..., Any], sandbox: Any
) -> None:
    rest.deploy()
    fault("latency", ms=80, where="gateway", route="GET /a")
    fault("latency", ms=80, where="integration", route="GET /b")
    for path in ("/a", "/b"):
        began_s = time.perf_counter()
        assert rest.get(path).status == 200
        assert time.perf_counter() - began_s >= 0.08
    monitoring = connect(sandbox, "cloudwatch")
    name = rest.client.get_rest_api(restApiId=rest.api_id)["name"]
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    extremes = {}
    for metric in ("Latency", "IntegrationLatency"):
        (point,) = monitoring.get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=metric,
            Dimensions=[{"Name": "ApiName", "Value": name}],
            StartTime=now.replace(hour=0, minute=0),
            EndTime=now.replace(hour=23, minute=59),
            Period=86_400,
            Statistics=["Minimum", "Maximum"],
        )["Datapoints"]
        extremes[metric] = (point["Minimum"], point["Maximum"])
    assert extremes["Latency"][0] >= 80
    assert extremes["IntegrationLatency"][0] == 0
    assert extremes["IntegrationLatency"][1] >= 80


def test_a_reset_is_seen_as_one(rest: RestRig, fault: Callable[..., None]) -> None:
    rest.deploy()
    fault("reset", after_bytes=30, count=1)
    with pytest.raises(ConnectionResetError):
        rest.get("/a")
    assert rest.get("/a").status == 200


def test_a_stall_stops_in_the_middle(rest: RestRig, fault: Callable[..., None]) -> None:
    rest.deploy()
    fault("stall", ms=120, after_bytes=20)
    began_s = time.perf_counter()
    assert rest.get("/a").text == '{"ok":true}'
    assert time.perf_counter() - began_s >= 0.12


def test_the_control_plane_is_throttled_on_request(
    rest: RestRig, refused: Callable[..., Any]
) -> None:
    body = b'{"kind": "throttle-control-plane", "service": "apigateway", "operation": "GetAccount"}'
    made = send(rest.endpoint_url, "/_sandbox/faults", "POST", body=body).json
    try:
        code, status, _ = refused(rest.client.get_account)
        assert (code, status) == ("TooManyRequestsException", 429)
        assert rest.client.get_rest_api(restApiId=rest.api_id)["id"] == rest.api_id
    finally:
        send(rest.endpoint_url, f"/_sandbox/faults/{made['id']}", "DELETE")
    assert rest.client.get_account()


def test_a_kept_state_has_apis_keys_and_what_they_used(
    start_sandbox: Callable[..., Any], connect: Callable[..., Any], tmp_path: Any
) -> None:
    from contextlib import ExitStack

    from conftest import start

    with ExitStack() as stack:
        sandbox = start(stack, state_dir=tmp_path / "state")
        rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), None).create("kept")
        rig.mock("/keyed", apiKeyRequired=True)
        rig.deploy()
        _, _, value = new_key(rig, quota={"limit": 3, "period": "DAY"})
        assert burst(rig, "/keyed", 2, **{"x-api-key": value}) == {200: 2}
    sandbox = start_sandbox(state_dir=tmp_path / "state")
    again = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), None, rig.api_id)
    assert burst(again, "/keyed", 2, **{"x-api-key": value}) == {200: 1, 429: 1}
