"""Canaries: two deployments of one stage, and two versions behind one alias, told apart."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from gateway_rig import RestRig
from test_gateway_plane import MOCK, request, serving, stage

from sandbox.gateway.snapshot import Limit, MethodSettings, MockResponse, Route, Template

FORMAT = json.dumps(
    {
        "id": "$context.requestId",
        "canary": "$context.isCanaryRequest",
        "deployment": "$context.deploymentId",
    }
)


def mock(text: str) -> Any:
    response = MockResponse(200, None, {}, {"application/json": Template(text)})
    return replace(MOCK, responses=(response,))


def with_canary(share: float, **settings: Any) -> Any:
    return stage(
        mock("base"),
        canary=stage(mock("canary"), is_canary=True, **settings),
        canary_share=share,
        **settings,
    )


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_a_share_of_the_requests_goes_to_the_canary(share: float) -> None:
    plane = serving(with_canary(share), rng=Random(1))
    bodies = Counter(plane.serve(request()).body for _ in range(2000))  # type: ignore[union-attr]
    assert bodies[b"canary"] == pytest.approx(2000 * share, abs=80 * (0 < share < 1))
    assert bodies.total() == 2000


def test_the_canary_shares_the_throttle_of_its_stage() -> None:
    default = MethodSettings(limit=Limit(0.0, 10.0))
    plane = serving(with_canary(0.5, default=default), rng=Random(1))
    answers = Counter(plane.serve(request()).body for _ in range(50))  # type: ignore[union-attr]
    assert answers[b"base"] + answers[b"canary"] == 10
    assert answers[b"canary"] > 0


def test_a_route_that_only_the_canary_has_is_there_for_its_share() -> None:
    routes = (Route("GET /new", "GET", "/new", "r9", mock("canary")),)
    base = stage(mock("base"), canary_share=0.5)
    base = replace(base, routes=base.routes[:1])
    plane = serving(replace(base, canary=replace(base, routes=routes, is_canary=True)))
    statuses = Counter(plane.serve(request("/new")).status for _ in range(100))  # type: ignore[union-attr]
    assert set(statuses) == {200, 403}


@pytest.fixture
def rest(sandbox: Any, client: Any, connect: Callable[..., Any]) -> RestRig:
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client)
    rig.create("canaries")
    rig.mock("/a", body="base $stageVariables.color")
    rig.client.update_account(
        patchOperations=[
            {
                "op": "replace",
                "path": "/cloudwatchRoleArn",
                "value": "arn:aws:iam::000000000000:role/logs",
            }
        ]
    )
    group = f"arn:aws:logs:us-east-1:000000000000:log-group:{rig.api_id}"
    return rig.deploy(
        ("/variables/color", "blue"),
        ("/accessLogSettings/destinationArn", group),
        ("/accessLogSettings/format", FORMAT),
    )


def add_canary(rest: RestRig, **settings: Any) -> str:
    """Deploys another answer as the canary of the stage; gives the id of the deployment."""
    where = {"restApiId": rest.api_id, "resourceId": rest.resources["/a"], "httpMethod": "GET"}
    rest.client.put_integration_response(
        **where,
        statusCode="200",
        responseTemplates={"application/json": "canary $stageVariables.color"},
    )
    made = rest.client.create_deployment(
        restApiId=rest.api_id,
        stageName=rest.stage,
        canarySettings={
            "percentTraffic": 100.0,
            "stageVariableOverrides": {"color": "green"},
            **settings,
        },
    )
    return str(made["id"])


def lines(logs: Any, group: str) -> list[Any]:
    events = logs.filter_log_events(logGroupName=group)["events"]
    return [json.loads(event["message"]) for event in events]


def test_a_deployment_becomes_the_canary_and_is_promoted(
    rest: RestRig, sandbox: Any, connect: Callable[..., Any]
) -> None:
    logs = connect(sandbox, "logs")
    named = {"restApiId": rest.api_id, "stageName": rest.stage}
    before = rest.client.get_stage(**named)
    assert rest.get("/a").text == "base blue"
    # Before there is a canary, no request is one or none.
    assert [line["canary"] for line in lines(logs, rest.api_id)] == ["-"]

    deployment = add_canary(rest)

    shown = rest.client.get_stage(**named)
    assert shown["deploymentId"] == before["deploymentId"]
    assert shown["canarySettings"] == {
        "percentTraffic": 100.0,
        "deploymentId": deployment,
        "stageVariableOverrides": {"color": "green"},
        "useStageCache": False,
    }
    assert rest.get("/a").text == "canary green"
    rest.patch_stage(("/canarySettings/percentTraffic", "0"))
    assert rest.get("/a").text == "base blue"
    assert lines(logs, f"{rest.api_id}/Canary")[0]["canary"] == "true"
    assert lines(logs, f"{rest.api_id}/Canary")[0]["deployment"] == deployment
    assert [line["canary"] for line in lines(logs, rest.api_id)] == ["-", "false"]
    with pytest.raises(rest.client.exceptions.BadRequestException, match="Active stages"):
        rest.client.delete_deployment(restApiId=rest.api_id, deploymentId=deployment)

    rest.client.update_stage(
        **named,
        patchOperations=[
            {
                "op": "copy",
                "from": "/canarySettings/stageVariableOverrides",
                "path": "/variables",
            },
            {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
            {"op": "remove", "path": "/canarySettings"},
        ],
    )

    promoted = rest.client.get_stage(**named)
    assert "canarySettings" not in promoted
    assert promoted["deploymentId"] == deployment
    assert rest.get("/a").text == "canary green"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"percentTraffic": 101.0}, "Invalid percentTraffic 101 in canarySettings"),
        ({"stageVariableOverrides": {"a": "{"}}, "Invalid stage variable a={"),
    ],
)
def test_a_canary_that_cannot_be_is_refused(
    rest: RestRig, settings: dict[str, Any], message: str
) -> None:
    count = len(rest.client.get_deployments(restApiId=rest.api_id)["items"])
    with pytest.raises(rest.client.exceptions.BadRequestException, match=message):
        add_canary(rest, **settings)
    assert len(rest.client.get_deployments(restApiId=rest.api_id)["items"]) == count
    assert rest.get("/a").text == "base blue"


def test_a_canary_needs_a_stage_that_is_there(rest: RestRig) -> None:
    with pytest.raises(rest.client.exceptions.BadRequestException, match="names a stage"):
        rest.client.create_deployment(
            restApiId=rest.api_id, stageName="new", canarySettings={"percentTraffic": 5.0}
        )


def test_a_copy_of_something_else_is_refused(rest: RestRig) -> None:
    named = {"restApiId": rest.api_id, "stageName": rest.stage}
    copy = {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/description"}
    with pytest.raises(rest.client.exceptions.BadRequestException, match="has no canary"):
        rest.client.update_stage(**named, patchOperations=[copy])
    add_canary(rest)
    with pytest.raises(rest.client.exceptions.BadRequestException, match="Invalid copy from"):
        rest.client.update_stage(**named, patchOperations=[copy])


def test_the_versions_behind_a_weighted_alias_are_told_apart(
    sandbox: Any, client: Any, new_function: Any, connect: Callable[..., Any]
) -> None:
    name = new_function(Publish=True)
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    client.update_function_configuration(FunctionName=name, Description="second")
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    client.publish_version(FunctionName=name)
    client.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    executed = Counter(
        client.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"] for _ in range(40)
    )
    logs, monitoring = connect(sandbox, "logs"), connect(sandbox, "cloudwatch")
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="REPORT")
    streams = Counter(
        event["logStreamName"].partition("[")[2].partition("]")[0] for event in events["events"]
    )
    assert streams == executed
    assert set(executed) == {"1", "2"}
    now_s = time.time()
    for version, count in executed.items():
        dimensions = {"FunctionName": name, "Resource": f"{name}:live", "ExecutedVersion": version}
        points = monitoring.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now_s - 600,
            EndTime=now_s + 60,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        assert sum(point["Sum"] for point in points) == count
