"""Deployments, stages, gateway responses, the account and tags, through boto3."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apigateway_rig import LOG_GROUP, ROLE, ServedApis, ops
from hypothesis import given
from hypothesis import strategies as st

from sandbox.apigateway_api import stages
from sandbox.apigateway_api.context import DEFAULT_ACCOUNT_LIMIT
from sandbox.apigateway_api.gateway_responses import DEFAULT_STATUSES
from sandbox.apigateway_api.method_settings import method_of, method_setting_rule

BAD = "BadRequestException"
Refused = Callable[..., tuple[str, int, str]]
Patches = tuple[tuple[str, str, str | None], ...]


@pytest.fixture(scope="module")
def served() -> Iterator[ServedApis]:
    with ServedApis() as served:
        served.client.update_account(patchOperations=ops(("replace", "/cloudwatchRoleArn", ROLE)))
        yield served


@pytest.fixture
def api(served: ServedApis) -> str:
    """An API with GET /orders/{id}, deployed to "prod"."""
    return served.deployed("orders", "{id}")


# Deployments


def test_an_api_without_methods_is_not_deployed(served: ServedApis, refused: Refused) -> None:
    api = served.new_api()

    empty = refused(served.client.create_deployment, restApiId=api, stageName="prod")
    served.add_method(api, served.root(api))
    half = refused(served.client.create_deployment, restApiId=api, stageName="prod")

    assert empty == (BAD, 400, "The REST API doesn't contain any methods")
    assert half == (BAD, 400, "No integration defined for method")
    assert served.client.get_stages(restApiId=api)["item"] == []
    assert served.client.get_deployments(restApiId=api)["items"] == []


def test_a_deployment_keeps_what_was_deployed(served: ServedApis, api: str) -> None:
    (old,) = served.client.get_deployments(restApiId=api)["items"]
    served.add_function(api, served.add_path(api, "carts"), "POST")

    new = served.client.create_deployment(restApiId=api, description="second")

    summary = lambda it: served.client.get_deployment(  # noqa: E731
        restApiId=api, deploymentId=it["id"], embed=["apisummary"]
    )["apiSummary"]
    assert list(summary(old)) == ["/orders/{id}"]
    assert summary(new) == {
        "/orders/{id}": {"GET": {"authorizationType": "NONE", "apiKeyRequired": False}},
        "/carts": {"POST": {"authorizationType": "NONE", "apiKeyRequired": False}},
    }
    stage = served.client.get_stage(restApiId=api, stageName="prod")
    assert stage["deploymentId"] == old["id"]


def test_a_second_deployment_to_a_stage_keeps_its_settings(served: ServedApis, api: str) -> None:
    served.patch_stage(api, ("replace", "/*/*/throttling/rateLimit", "5"))

    second = served.client.create_deployment(
        restApiId=api, stageName="prod", variables={"a": "b"}, stageDescription="d"
    )

    stage = served.client.get_stage(restApiId=api, stageName="prod")
    assert stage["deploymentId"] == second["id"]
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 5
    assert stage["variables"] == {"a": "b"}
    assert stage["description"] == "d"


def test_a_deployment_in_use_stays(served: ServedApis, api: str, refused: Refused) -> None:
    first = served.client.get_stage(restApiId=api, stageName="prod")["deploymentId"]

    in_use = refused(served.client.delete_deployment, restApiId=api, deploymentId=first)
    served.client.create_deployment(restApiId=api, stageName="prod")
    served.client.delete_deployment(restApiId=api, deploymentId=first)

    message = "Active stages pointing to this deployment must be moved or deleted"
    assert in_use == (BAD, 400, message)
    assert refused(served.client.get_deployment, restApiId=api, deploymentId=first) == (
        "NotFoundException",
        404,
        "Invalid Deployment identifier specified",
    )


# Stages


def test_an_api_has_a_number_of_stages(
    served: ServedApis, api: str, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "MAX_STAGES", 1)
    (deployment,) = served.client.get_deployments(restApiId=api)["items"]
    served.client.create_deployment(restApiId=api, stageName="prod")  # which is there

    alone = refused(
        served.client.create_stage, restApiId=api, stageName="two", deploymentId=deployment["id"]
    )
    deployed = refused(served.client.create_deployment, restApiId=api, stageName="two")

    full = "Maximum number of stages for this API has been reached"
    assert alone == deployed == ("LimitExceededException", 429, full)


def test_a_stage_begins_plain(served: ServedApis, api: str) -> None:
    deployment = served.client.get_stage(restApiId=api, stageName="prod")["deploymentId"]

    stage = served.client.create_stage(
        restApiId=api, stageName="test-1", deploymentId=deployment, tags={"a": "b"}
    )

    assert stage["methodSettings"] == {}
    assert stage["cacheClusterEnabled"] is False
    assert stage["cacheClusterStatus"] == "NOT_AVAILABLE"
    assert stage["tracingEnabled"] is False
    assert stage["createdDate"].timestamp() == 1_790_000_000
    names = [it["stageName"] for it in served.client.get_stages(restApiId=api)["item"]]
    assert names == ["prod", "test-1"]


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        pytest.param(
            {"stageName": "prod"}, ("ConflictException", 409, "Stage already exists"), id="twice"
        ),
        pytest.param(
            {"deploymentId": "x"}, (BAD, 400, "Deployment id does not exist"), id="no deployment"
        ),
        pytest.param({"stageName": "a b"}, (BAD, 400, "Stage name only allows"), id="name"),
        pytest.param({"stageName": "a" * 129}, (BAD, 400, "Stage name only allows"), id="long"),
        pytest.param(
            {"canarySettings": {"percentTraffic": 101}},
            (BAD, 400, "Invalid percentTraffic 101 in canarySettings"),
            id="canary",
        ),
        pytest.param({"variables": {"a-b": "c"}}, (BAD, 400, "Invalid stage var"), id="variable"),
        pytest.param({"variables": {"a": "{"}}, (BAD, 400, "Invalid stage var"), id="value"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(
    served: ServedApis,
    api: str,
    refused: Refused,
    settings: dict[str, Any],
    answer: tuple[str, int, str],
) -> None:
    deployment = served.client.get_stage(restApiId=api, stageName="prod")["deploymentId"]
    arguments = {"stageName": "new", "deploymentId": deployment, **settings}

    code, status, text = refused(served.client.create_stage, restApiId=api, **arguments)

    assert (code, status) == answer[:2]
    assert answer[2] in text


# What the first setting of a method brings with it: AWS CLI examples of update-stage, 2022.
DEFAULTS = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10_000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}


@pytest.mark.parametrize(
    ("path", "value", "key", "name", "set_to"),
    [
        ("/*/*/throttling/rateLimit", "12.5", "*/*", "throttlingRateLimit", 12.5),
        ("/*/*/throttling/burstLimit", "7", "*/*", "throttlingBurstLimit", 7),
        ("/*/*/throttling/burstLimit", "-1", "*/*", "throttlingBurstLimit", -1),
        (
            "/~1orders~1{id}/GET/metrics/enabled",
            "true",
            "~1orders~1{id}/GET",
            "metricsEnabled",
            True,
        ),
        ("/orders/{id}/GET/metrics/enabled", "true", "orders/{id}/GET", "metricsEnabled", True),
        ("/~1/GET/logging/loglevel", "ERROR", "~1/GET", "loggingLevel", "ERROR"),
        ("//GET/metrics/enabled", "true", "/GET", "metricsEnabled", True),
        ("/orders/*/logging/dataTrace", "true", "orders/*", "dataTraceEnabled", True),
        ("/*/*/caching/enabled", "TRUE", "*/*", "cachingEnabled", True),
        ("/*/*/caching/ttlInSeconds", "3600", "*/*", "cacheTtlInSeconds", 3600),
        ("/*/*/caching/dataEncrypted", "true", "*/*", "cacheDataEncrypted", True),
        (
            "/*/*/caching/requireAuthorizationForCacheControl",
            "false",
            "*/*",
            "requireAuthorizationForCacheControl",
            False,
        ),
        (
            "/*/*/caching/unauthorizedCacheControlHeaderStrategy",
            "FAIL_WITH_403",
            "*/*",
            "unauthorizedCacheControlHeaderStrategy",
            "FAIL_WITH_403",
        ),
    ],
)
def test_methods_have_settings(
    served: ServedApis, api: str, path: str, value: str, key: str, name: str, set_to: object
) -> None:
    stage = served.patch_stage(api, ("replace", path, value))

    assert stage["methodSettings"] == {key: {**DEFAULTS, name: set_to}}


def test_settings_of_methods_are_removed(served: ServedApis, api: str) -> None:
    served.patch_stage(
        api,
        ("replace", "/*/*/throttling/rateLimit", "5"),
        ("replace", "/*/*/throttling/burstLimit", "5"),
        ("replace", "/orders/GET/metrics/enabled", "true"),
    )

    stage = served.patch_stage(
        api,
        ("remove", "/*/*/throttling/rateLimit", None),
        ("remove", "/orders/GET", None),
    )

    assert stage["methodSettings"] == {"*/*": {**DEFAULTS, "throttlingBurstLimit": 5}}


@pytest.mark.parametrize(
    ("path", "other"),
    [
        pytest.param("/~1orders~1{id}/GET", "/orders/{id}/GET", id="as Terraform writes"),
        pytest.param("/orders/{id}/GET", "/~1orders~1{id}/GET", id="as AWS writes"),
        pytest.param("/~1/GET", "//GET", id="root"),
    ],
)
def test_settings_are_removed_by_either_name(
    served: ServedApis, api: str, refused: Refused, path: str, other: str
) -> None:
    served.patch_stage(
        api,
        ("replace", f"{path}/metrics/enabled", "true"),
        ("replace", f"{path}/logging/loglevel", "INFO"),
    )

    fewer = served.patch_stage(api, ("remove", f"{other}/logging/loglevel", None))
    none = served.patch_stage(api, ("remove", other, None))

    assert fewer["methodSettings"] == {path[1:]: {**DEFAULTS, "metricsEnabled": True}}
    assert none["methodSettings"] == {}
    again = {"restApiId": api, "stageName": "prod", "patchOperations": ops(("remove", other, None))}
    assert refused(served.client.update_stage, **again)[1] == 400


def test_a_stage_is_changed_by_patches(served: ServedApis, api: str) -> None:
    stage = served.patch_stage(
        api,
        ("replace", "/description", "d"),
        ("replace", "/variables/GET", "first"),
        ("replace", "/variables/host", "a.example:80/x"),
        ("remove", "/variables/GET", None),
        ("replace", "/cacheClusterEnabled", "true"),
        ("replace", "/cacheClusterSize", "1.6"),
        ("replace", "/tracingEnabled", "true"),
        ("replace", "/accessLogSettings/destinationArn", f"{LOG_GROUP}:*"),
        ("replace", "/accessLogSettings/format", "$context.requestId $context.status"),
    )

    assert stage["description"] == "d"
    assert stage["variables"] == {"host": "a.example:80/x"}
    assert stage["cacheClusterStatus"] == "AVAILABLE"
    assert stage["cacheClusterSize"] == "1.6"
    assert stage["tracingEnabled"] is True
    assert stage["accessLogSettings"] == {
        "destinationArn": LOG_GROUP,
        "format": "$context.requestId $context.status",
    }
    assert "accessLogSettings" not in served.patch_stage(
        api, ("remove", "/accessLogSettings", None)
    )


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        pytest.param(
            ("replace", "/*/*/throttling/rate", "1"),
            "Invalid method setting path: /*/*/throttling/rate. Must be one of: [/deploymentId",
            id="no such setting",
        ),
        pytest.param(("replace", "/*/GET/metrics/enabled", "true"), "setting path", id="any path"),
        pytest.param(("replace", "/nothing", "1"), "Invalid patch path '/nothing'", id="no path"),
        pytest.param(("remove", "/*/*", None), "Invalid method setting path: /*/*", id="not set"),
        pytest.param(("replace", "/*/*/throttling/rateLimit", "x"), "a number", id="no number"),
        pytest.param(("replace", "/*/*/throttling/rateLimit", "nan"), "a number", id="nan"),
        pytest.param(("replace", "/*/*/throttling/rateLimit", "-2"), "negative", id="negative"),
        pytest.param(("replace", "/*/*/throttling/burstLimit", "1.5"), "whole", id="no whole one"),
        pytest.param(
            ("replace", "/*/*/throttling/burstLimit", "2147483648"), "2147483647", id="33 bits"
        ),
        pytest.param(("replace", "/*/*/caching/ttlInSeconds", "3601"), "3600", id="long TTL"),
        pytest.param(("replace", "/*/*/logging/loglevel", "DEBUG"), "[OFF, ERROR, INFO]", id="log"),
        pytest.param(("replace", "/deploymentId", "x"), "Deployment id does not", id="deployment"),
        pytest.param(("replace", "/cacheClusterSize", "2"), "Must be one of: [0.5", id="size"),
        pytest.param(("replace", "/variables/a", "ä"), "Invalid stage variable", id="variable"),
        pytest.param(
            ("replace", "/accessLogSettings/destinationArn", "arn:aws:firehose:us-east-1:0:x"),
            "Invalid ARN",
            id="firehose",
        ),
        pytest.param(
            ("replace", "/accessLogSettings/format", "$context.status"), "requestId", id="no id"
        ),
        pytest.param(
            ("replace", "/accessLogSettings/format", "$context.requestId\nx"), "line", id="lines"
        ),
        pytest.param(
            ("replace", "/accessLogSettings/format", "$context.requestId" + "x" * 3072),
            "3072 bytes",
            id="long format",
        ),
        pytest.param(
            ("replace", "/canarySettings/percentTraffic", "-5"), "percentTraffic -5", id="canary"
        ),
        pytest.param(
            ("replace", "/canarySettings/deploymentId", "x"), "Deployment id", id="canary of none"
        ),
        pytest.param(
            ("replace", "/canarySettings/stageVariableOverrides/a", "{"),
            "Invalid stage var",
            id="canary variable",
        ),
        pytest.param(("replace", "/canarySettings/color", "red"), "patch path", id="no setting"),
    ],
)
def test_a_stage_patch_that_cannot_be_changes_nothing(
    served: ServedApis,
    api: str,
    refused: Refused,
    patch: tuple[str, str, str | None],
    message: str,
) -> None:
    before = served.client.get_stage(restApiId=api, stageName="prod")
    patches = ops(("replace", "/description", "lost"), patch)

    code, status, text = refused(
        served.client.update_stage, restApiId=api, stageName="prod", patchOperations=patches
    )

    after = served.client.get_stage(restApiId=api, stageName="prod")
    for shown in (before, after):
        del shown["ResponseMetadata"]
    assert (code, status) == (BAD, 400)
    assert message in text
    assert after == before


@pytest.mark.parametrize(
    "patches",
    [
        pytest.param((("replace", "/*/*/logging/loglevel", "INFO"),), id="execution log"),
        pytest.param(
            (
                ("replace", "/accessLogSettings/destinationArn", LOG_GROUP),
                ("replace", "/accessLogSettings/format", "$context.requestId"),
            ),
            id="access log",
        ),
    ],
)
def test_logs_need_a_role(refused: Refused, patches: Patches) -> None:
    with ServedApis() as served:
        api = served.deployed("orders")
        arguments = {"restApiId": api, "stageName": "prod", "patchOperations": ops(*patches)}

        answer = refused(served.client.update_stage, **arguments)
        served.client.update_account(patchOperations=ops(("replace", "/cloudwatchRoleArn", ROLE)))
        served.client.update_stage(**arguments)

    message = "CloudWatch Logs role ARN must be set in account settings to enable logging"
    assert answer == (BAD, 400, message)


def test_a_stage_is_deleted(served: ServedApis, api: str, refused: Refused) -> None:
    served.client.delete_stage(restApiId=api, stageName="prod")

    answer = refused(served.client.get_stage, restApiId=api, stageName="prod")

    assert answer == ("NotFoundException", 404, "Invalid Stage identifier specified")


def test_caches_are_flushed(served: ServedApis, api: str, refused: Refused) -> None:
    served.client.flush_stage_cache(restApiId=api, stageName="prod")
    served.client.flush_stage_authorizers_cache(restApiId=api, stageName="prod")

    assert served.resets[-2:] == [("cache", api, "prod"), ("authorizers", api, "prod")]
    assert refused(served.client.flush_stage_cache, restApiId=api, stageName="x")[1] == 404


_SEGMENTS = st.lists(
    st.text("abcXYZ0._-:{}", min_size=1, max_size=5).filter(lambda part: part != "*"), max_size=4
)


@given(
    segments=_SEGMENTS, method=st.sampled_from(["GET", "POST", "ANY", "*"]), escaped=st.booleans()
)
def test_the_setting_of_each_method_is_found_again(
    segments: list[str],
    method: str,
    escaped: bool,  # noqa: FBT001 - Hypothesis gives it by name
) -> None:
    path = "/" + "/".join(segments)
    given_path = path.replace("/", "~1") if escaped else path[1:]

    rule = method_setting_rule(
        f"/{given_path}/{method}/throttling/rateLimit", DEFAULT_ACCOUNT_LIMIT
    )

    assert rule is not None
    assert rule.key == f"{given_path}/{method}"
    assert method_of(rule.key) == (path, method)
    assert rule.setting == "throttling/rateLimit"


# Gateway responses


def test_all_types_have_default_responses(served: ServedApis, api: str) -> None:
    items = served.client.get_gateway_responses(restApiId=api, limit=500)["items"]

    assert {it["responseType"]: it.get("statusCode") for it in items} == DEFAULT_STATUSES
    assert len(items) == 21
    assert all(it["defaultResponse"] for it in items)
    assert {it["responseTemplates"]["application/json"] for it in items} == {
        '{"message":$context.error.messageString}'
    }


def test_a_gateway_response_is_customised_and_taken_back(
    served: ServedApis, api: str, refused: Refused
) -> None:
    named = {"restApiId": api, "responseType": "THROTTLED"}
    put = served.client.put_gateway_response(
        **named,
        statusCode="503",
        responseParameters={"gatewayresponse.header.Retry-After": "'1'"},
    )
    served.client.update_gateway_response(
        **named,
        patchOperations=ops(("replace", "/responseTemplates/application~1json", '{"slow": 1}')),
    )
    changed = served.client.get_gateway_response(**named)
    served.client.delete_gateway_response(**named)

    assert put["defaultResponse"] is False
    assert put["statusCode"] == "503"
    assert changed["responseTemplates"] == {"application/json": '{"slow": 1}'}
    assert changed["statusCode"] == "503"
    assert served.client.get_gateway_response(**named)["defaultResponse"] is True
    assert refused(served.client.delete_gateway_response, **named) == (
        "NotFoundException",
        404,
        "Gateway response type not defined on api",
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param(
            {"responseTemplates": {"application/json": "#set($a = 1)"}}, "#set", id="directive"
        ),
        pytest.param({"responseTemplates": {"a/b": "$util.urlEncode('x')"}}, "$util", id="util"),
        pytest.param({"responseParameters": {"header.a": "'1'"}}, "header.a", id="no header"),
        pytest.param(
            {"responseParameters": {"gatewayresponse.header.a": "method.request.header.a"}},
            "mapping of method.request.header.a",
            id="of the request",
        ),
        pytest.param(
            {"responseParameters": {"gatewayresponse.header.a": "'1'\r\nb: '2'"}},
            "mapping of",
            id="two headers",
        ),
        pytest.param({"statusCode": "99"}, "Member must satisfy regular expression", id="status"),
    ],
)
def test_a_gateway_response_that_cannot_be_is_refused(
    served: ServedApis, api: str, refused: Refused, settings: dict[str, Any], message: str
) -> None:
    named = {"restApiId": api, "responseType": "DEFAULT_4XX"}

    code, status, text = refused(served.client.put_gateway_response, **named, **settings)

    assert (code, status) == (BAD, 400)
    assert message in text
    assert served.client.get_gateway_response(**named)["defaultResponse"] is True


# The account and tags


def test_the_account_shows_its_throttle_and_role(served: ServedApis) -> None:
    account = served.client.get_account()

    assert account["throttleSettings"] == {"rateLimit": 10_000.0, "burstLimit": 5_000}
    assert account["cloudwatchRoleArn"] == ROLE


def test_a_role_that_is_none_is_refused(served: ServedApis, refused: Refused) -> None:
    answer = refused(
        served.client.update_account, patchOperations=ops(("replace", "/cloudwatchRoleArn", "x"))
    )

    assert answer == (BAD, 400, "The role ARN is not well formed")


@pytest.mark.parametrize("thing", ["api", "stage", "plan", "key"])
def test_things_have_tags(served: ServedApis, api: str, thing: str) -> None:
    client = served.client
    name = f"tagged-{next(_NUMBERS)}"
    path = {
        "api": lambda: f"restapis/{api}",
        "stage": lambda: f"restapis/{api}/stages/prod",
        "plan": lambda: f"usageplans/{client.create_usage_plan(name=name)['id']}",
        "key": lambda: f"apikeys/{client.create_api_key(name=name)['id']}",
    }[thing]()
    arn = f"arn:aws:apigateway:us-east-1::/{path}"

    client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    client.untag_resource(resourceArn=arn, tagKeys=["a", "c"])

    assert client.get_tags(resourceArn=arn)["tags"] == {"b": "2"}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        pytest.param({"aws:a": "1"}, "Invalid tag key aws:a", id="key of AWS"),
        pytest.param({"k" * 129: "1"}, "1 to 128 characters", id="long key"),
        pytest.param({"a": "v" * 257}, "more than 256 characters", id="long value"),
        pytest.param({str(i): "" for i in range(51)}, "at most 50 tags", id="many"),
    ],
)
def test_tags_that_cannot_be_are_refused(
    served: ServedApis, api: str, refused: Refused, tags: dict[str, str], message: str
) -> None:
    client = served.client
    deployment = client.get_stage(restApiId=api, stageName="prod")["deploymentId"]
    stage = {"restApiId": api, "stageName": "tagged", "deploymentId": deployment}
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"

    answers = [
        refused(client.create_rest_api, name="shop", tags=tags),
        refused(client.create_stage, **stage, tags=tags),
        refused(client.create_usage_plan, name="gold", tags=tags),
        refused(client.create_api_key, name="one", tags=tags),
        refused(client.tag_resource, resourceArn=arn, tags=tags),
    ]

    assert {(code, status) for code, status, _ in answers} == {(BAD, 400)}
    assert all(message in text for _, _, text in answers)
    assert client.get_tags(resourceArn=arn)["tags"] == {}


_NUMBERS = itertools.count()


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:apigateway:us-east-1::/restapis/none", "NotFoundException"),
        ("arn:aws:apigateway:us-east-1::/vpclinks/none", "NotFoundException"),
        ("arn:aws:apigateway:eu-west-1::/restapis/none", BAD),
        ("none", BAD),
    ],
)
def test_tags_of_nothing_are_refused(
    served: ServedApis, refused: Refused, arn: str, code: str
) -> None:
    assert refused(served.client.get_tags, resourceArn=arn)[0] == code
