"""Stages and deployments as boto3 sees them, and what the data plane makes of them."""

from __future__ import annotations

import json

import pytest
from apigatewayv2_rig import FUNCTION, REGION, ServedApis, invocation

from sandbox.apigatewayv2_api import routes, stages
from sandbox.apigatewayv2_api.compile import compile_stages
from sandbox.apigatewayv2_api.state import HttpState
from sandbox.gateway.snapshot import (
    AccessLog,
    HttpIntegration,
    IamAuthorization,
    JwtAuthorizer,
    LambdaAuthorizer,
    LambdaIntegration,
    Limit,
    MethodSettings,
)
from sandbox.lambda_api.names import FunctionReference

LOG_GROUP = f"arn:aws:logs:{REGION}:000000000000:log-group:/api/orders"
ACCESS_LOG = {"DestinationArn": LOG_GROUP, "Format": "$context.requestId $context.status"}


@pytest.fixture(scope="module")
def served():
    with ServedApis() as served:
        yield served


@pytest.fixture(scope="module")
def apis(served, connect):
    return connect(served, "apigatewayv2")


@pytest.fixture
def api_id(apis):
    """An API with one route."""
    api_id = apis.create_api(Name="orders", ProtocolType="HTTP")["ApiId"]
    apis.create_route(ApiId=api_id, RouteKey="GET /orders", Target=target(apis, api_id))
    return api_id


@pytest.fixture
def stage(apis, api_id):
    """The names of a stage that deploys when it is told to."""
    apis.create_stage(ApiId=api_id, StageName="live")
    return {"ApiId": api_id, "StageName": "live"}


def target(apis, api_id, **changes):
    members = {"IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION, **changes}
    made = apis.create_integration(ApiId=api_id, **members)
    return f"integrations/{made['IntegrationId']}"


def plain(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def compiled(served, api_id, name="live"):
    (stage,) = [stage for stage in compile_stages(served.state) if stage.key == (api_id, name)]
    return stage


# Stages


def test_a_new_stage_has_its_defaults(apis, api_id):
    created = apis.create_stage(ApiId=api_id, StageName="live")
    assert plain(created) == {
        "StageName": "live",
        "AutoDeploy": False,
        "CreatedDate": created["CreatedDate"],
        "LastUpdatedDate": created["LastUpdatedDate"],
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "RouteSettings": {},
        "StageVariables": {},
        "Tags": {},
    }
    assert apis.get_stages(ApiId=api_id)["Items"] == [plain(created)]


@pytest.mark.parametrize("name", ["$default", "a", "A_b-1", "x" * 128])
def test_stages_have_names(apis, api_id, name, refused):
    names = {"ApiId": api_id, "StageName": name}
    apis.create_stage(**names)
    assert refused(apis.create_stage, **names)[:2] == ("ConflictException", 409)
    assert apis.get_stage(**names)["StageName"] == name
    apis.delete_stage(**names)
    assert refused(apis.get_stage, **names)[:2] == ("NotFoundException", 404)


@pytest.mark.parametrize(
    "members",
    [
        {"StageName": "a.b"},
        {"StageName": "$other"},
        {"StageName": "x" * 129},
        {"ClientCertificateId": "x"},
        {"DefaultRouteSettings": {"LoggingLevel": "INFO"}},
        {"DefaultRouteSettings": {"DataTraceEnabled": True}},
        {"DefaultRouteSettings": {"ThrottlingRateLimit": -1.0}},
        {"RouteSettings": {"GET /orders": {"ThrottlingBurstLimit": -1}}},
        {"StageVariables": {"a-b": "x"}},
        {"StageVariables": {"a": "x y"}},
        {"AccessLogSettings": {**ACCESS_LOG, "Format": "$context.status"}},
        {"AccessLogSettings": {**ACCESS_LOG, "Format": "$context.requestId\n$context.status"}},
        {"AccessLogSettings": {**ACCESS_LOG, "Format": "$context.requestId" + "x" * 3072}},
        {"AccessLogSettings": {"Format": "$context.requestId"}},
        {"AccessLogSettings": {**ACCESS_LOG, "DestinationArn": "arn:aws:s3:::bucket"}},
        {
            "AccessLogSettings": {
                **ACCESS_LOG,
                "DestinationArn": f"arn:aws:firehose:{REGION}:000000000000:deliverystream/x",
            }
        },
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_stage_is_a_bad_request(apis, api_id, refused, members):
    code, status, _ = refused(
        apis.create_stage, **{"ApiId": api_id, "StageName": "live", **members}
    )
    assert (code, status) == ("BadRequestException", 400)
    assert apis.get_stages(ApiId=api_id)["Items"] == []


def test_settings_of_a_route_that_is_not_there_are_not_found(apis, stage, refused):
    settings = {"GET /other": {"ThrottlingRateLimit": 1.0}}
    expected = (
        "NotFoundException",
        404,
        "Unable to find Route by key GET /other within the provided RouteSettings",
    )
    assert refused(apis.update_stage, **stage, RouteSettings=settings) == expected
    create = {**stage, "StageName": "other"}
    assert refused(apis.create_stage, **create, RouteSettings=settings) == expected


def test_an_update_merges_settings_and_variables(apis, api_id, stage):
    apis.create_route(ApiId=api_id, RouteKey="POST /orders")
    apis.update_stage(
        **stage,
        DefaultRouteSettings={"ThrottlingRateLimit": 10.0, "ThrottlingBurstLimit": 20},
        RouteSettings={"GET /orders": {"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 2}},
        StageVariables={"a": "1", "b": "2"},
    )
    changed = apis.update_stage(
        **stage,
        DefaultRouteSettings={"DetailedMetricsEnabled": True},
        RouteSettings={
            "GET /orders": {"ThrottlingBurstLimit": 3},
            "POST /orders": {"ThrottlingRateLimit": 4.5},
        },
        StageVariables={"a": "", "c": "3"},
    )
    assert changed["DefaultRouteSettings"] == {
        "DetailedMetricsEnabled": True,
        "ThrottlingRateLimit": 10.0,
        "ThrottlingBurstLimit": 20,
    }
    assert changed["RouteSettings"] == {
        "GET /orders": {"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 3},
        "POST /orders": {"ThrottlingRateLimit": 4.5},
    }
    assert changed["StageVariables"] == {"b": "2", "c": "3"}
    assert changed["LastUpdatedDate"] > changed["CreatedDate"]


def test_route_settings_are_deleted_one_by_one(apis, stage, refused):
    apis.update_stage(**stage, RouteSettings={"GET /orders": {"ThrottlingRateLimit": 1.0}})
    apis.delete_route_settings(**stage, RouteKey="GET /orders")
    assert apis.get_stage(**stage)["RouteSettings"] == {}
    code, status, _ = refused(apis.delete_route_settings, **stage, RouteKey="GET /orders")
    assert (code, status) == ("NotFoundException", 404)


def test_the_access_log_is_deleted(apis, stage):
    apis.update_stage(**stage, AccessLogSettings=ACCESS_LOG)
    assert apis.get_stage(**stage)["AccessLogSettings"] == ACCESS_LOG
    apis.delete_access_log_settings(**stage)
    assert "AccessLogSettings" not in apis.get_stage(**stage)


def test_a_reset_of_cached_authorizers_goes_to_the_data_plane(served, apis, stage, refused):
    apis.reset_authorizers_cache(**stage)
    assert served.resets[-1] == (stage["ApiId"], "live")
    missing = {**stage, "StageName": "none"}
    assert refused(apis.reset_authorizers_cache, **missing)[0] == "NotFoundException"


# Deployments


def test_a_deployment_freezes_what_a_stage_serves(served, apis, api_id, stage):
    deployment = apis.create_deployment(**stage, Description="first")
    assert (deployment["DeploymentStatus"], deployment["AutoDeployed"]) == ("DEPLOYED", False)
    assert apis.get_stage(**stage)["DeploymentId"] == deployment["DeploymentId"]
    apis.create_route(ApiId=api_id, RouteKey="POST /orders")
    apis.update_api(ApiId=api_id, DisableExecuteApiEndpoint=True)
    assert [route.key for route in compiled(served, api_id).routes] == ["GET /orders"]
    assert not compiled(served, api_id).endpoint_disabled
    second = apis.create_deployment(ApiId=api_id)["DeploymentId"]
    assert [route.key for route in compiled(served, api_id).routes] == ["GET /orders"]
    apis.update_stage(**stage, DeploymentId=second)
    assert [route.key for route in compiled(served, api_id).routes] == [
        "GET /orders",
        "POST /orders",
    ]
    assert compiled(served, api_id).endpoint_disabled
    listed = apis.get_deployments(ApiId=api_id)["Items"]
    assert [item["DeploymentId"] for item in listed] == [second, deployment["DeploymentId"]]


def test_a_deployment_in_use_is_not_deleted(apis, stage, refused):
    first = apis.create_deployment(**stage)["DeploymentId"]
    names = {"ApiId": stage["ApiId"], "DeploymentId": first}
    assert refused(apis.delete_deployment, **names)[:2] == ("ConflictException", 409)
    apis.create_deployment(**stage)
    changed = apis.update_deployment(**names, Description="old")
    assert changed["Description"] == "old"
    apis.delete_deployment(**names)
    assert refused(apis.get_deployment, **names)[:2] == ("NotFoundException", 404)


def test_an_api_without_routes_is_not_deployed(apis, refused):
    api_id = apis.create_api(Name="empty", ProtocolType="HTTP")["ApiId"]
    message = "Unable to deploy API because no routes exist in this API"
    assert refused(apis.create_deployment, ApiId=api_id) == ("BadRequestException", 400, message)
    stage = apis.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    assert message in stage["LastDeploymentStatusMessage"]
    assert "DeploymentId" not in stage


def test_a_stage_that_deploys_itself_follows_each_change(served, apis, api_id, refused):
    names = {"ApiId": api_id, "StageName": "$default"}
    first = apis.create_stage(**names, AutoDeploy=True)
    assert first["DeploymentId"] in first["LastDeploymentStatusMessage"]

    def routes():
        return {route.key: route for route in compiled(served, api_id, "$default").routes}

    apis.create_route(ApiId=api_id, RouteKey="POST /orders")
    assert set(routes()) == {"GET /orders", "POST /orders"}
    (integration,) = apis.get_integrations(ApiId=api_id)["Items"]
    apis.update_integration(
        ApiId=api_id, IntegrationId=integration["IntegrationId"], TimeoutInMillis=77
    )
    assert routes()["GET /orders"].integration.timeout_ms == 77
    apis.delete_route(ApiId=api_id, RouteId=routes()["POST /orders"].resource_id)
    assert set(routes()) == {"GET /orders"}
    assert refused(apis.create_deployment, **names)[0] == "BadRequestException"
    code, _, _ = refused(apis.update_stage, **names, DeploymentId=first["DeploymentId"])
    assert code == "BadRequestException"


def test_automatic_deployments_that_nobody_serves_do_not_pile_up(served, apis, api_id):
    apis.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    manual = apis.create_deployment(ApiId=api_id)["DeploymentId"]
    for number in range(30):
        apis.create_route(ApiId=api_id, RouteKey=f"GET /{number}")
    listed = apis.get_deployments(ApiId=api_id)["Items"]
    assert len(listed) == 12
    assert manual in [item["DeploymentId"] for item in listed]
    current = apis.get_stage(ApiId=api_id, StageName="$default")["DeploymentId"]
    assert listed[0]["DeploymentId"] == current
    assert len(served.state.apis[api_id].configurations) == 12


def test_turning_automatic_deployment_on_deploys_at_once(served, apis, api_id, stage):
    assert compiled(served, api_id).routes == ()
    changed = apis.update_stage(**stage, AutoDeploy=True)
    assert "DeploymentId" in changed
    assert len(compiled(served, api_id).routes) == 1


# What the data plane gets


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({}, None),
        ({"ThrottlingRateLimit": 10.5, "ThrottlingBurstLimit": 20}, Limit(10.5, 20.0)),
        ({"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}, Limit(0.0, 0.0)),
        ({"ThrottlingRateLimit": 10.0}, Limit(10.0, 5000.0)),
        ({"ThrottlingBurstLimit": 3}, Limit(10_000.0, 3.0)),
    ],
    ids=["none", "both", "zero", "rate only", "burst only"],
)
def test_throttles(served, apis, api_id, stage, settings, limit):
    apis.update_stage(
        **stage, DefaultRouteSettings=settings, RouteSettings={"GET /orders": settings}
    )
    assert compiled(served, api_id).default == MethodSettings(limit)
    assert compiled(served, api_id).overrides == {"GET /orders": MethodSettings(limit)}


def test_the_settings_of_a_route_leave_open_what_the_default_says_of_metrics(
    served, apis, api_id, stage
):
    apis.update_stage(
        **stage,
        DefaultRouteSettings={"DetailedMetricsEnabled": True, "ThrottlingRateLimit": 5.0},
        RouteSettings={"GET /orders": {"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 1}},
    )
    one = compiled(served, api_id)
    assert one.detailed_metrics
    assert one.overrides["GET /orders"] == MethodSettings(Limit(1.0, 1.0), detailed_metrics=True)


def test_what_a_stage_says_itself_holds_without_a_deployment(served, apis, api_id, stage):
    apis.create_deployment(**stage)
    apis.update_stage(**stage, AccessLogSettings=ACCESS_LOG, StageVariables={"a": "1"})
    one = compiled(served, api_id)
    assert one.access_log == AccessLog("/api/orders", ACCESS_LOG["Format"])
    assert one.variables == {"a": "1"}
    assert (one.kind, one.api_name) == ("HTTP", "orders")
    assert one.deployment_id == apis.get_stage(**stage)["DeploymentId"]


def test_cors_is_deployed(served, apis, api_id, stage):
    cors = {"AllowOrigins": ["https://a.example"]}
    apis.update_api(ApiId=api_id, CorsConfiguration=cors)
    assert compiled(served, api_id).cors is None
    apis.create_deployment(**stage)
    assert compiled(served, api_id).cors == cors


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            {"IntegrationUri": FUNCTION},
            LambdaIntegration(FunctionReference("orders"), "1.0", 30_000),
        ),
        (
            {
                "IntegrationUri": invocation(f"{FUNCTION}:live"),
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": 50,
            },
            LambdaIntegration(FunctionReference("orders", "live"), "2.0", 50),
        ),
        (
            {"IntegrationUri": invocation(f"{FUNCTION}:${{stageVariables.alias}}")},
            LambdaIntegration(FunctionReference("orders", "blue"), "1.0", 30_000),
        ),
        (
            {
                "IntegrationType": "HTTP_PROXY",
                "IntegrationUri": "http://127.0.0.1:1/{proxy}",
                "IntegrationMethod": "ANY",
            },
            HttpIntegration("http://127.0.0.1:1/{proxy}", "ANY", 30_000),
        ),
    ],
    ids=["function", "alias", "variable", "url"],
)
def test_integrations(served, apis, api_id, stage, members, expected):
    apis.create_route(ApiId=api_id, RouteKey="$default", Target=target(apis, api_id, **members))
    apis.update_stage(**stage, StageVariables={"alias": "blue"})
    apis.create_deployment(**stage)
    route = compiled(served, api_id).routes[-1]
    assert (route.key, route.method, route.path) == ("$default", "ANY", "$default")
    assert route.integration == expected


def test_a_missing_variable_leaves_no_function_to_call(served, apis, api_id, stage):
    uri = f"{FUNCTION}:${{stageVariables.alias}}"
    apis.create_route(
        ApiId=api_id, RouteKey="GET /", Target=target(apis, api_id, IntegrationUri=uri)
    )
    apis.create_deployment(**stage)
    integration = compiled(served, api_id).routes[-1].integration
    assert integration.function == FunctionReference(f"{FUNCTION}:")


def test_authorization(served, apis, api_id, stage):
    jwt = apis.create_authorizer(
        ApiId=api_id,
        Name="tokens",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": "https://issuer.example", "Audience": ["a", "b"]},
    )["AuthorizerId"]
    custom = apis.create_authorizer(
        ApiId=api_id,
        Name="code",
        AuthorizerType="REQUEST",
        IdentitySource=["$request.header.X", "$context.identity.sourceIp"],
        AuthorizerUri=invocation(f"{FUNCTION}:live"),
        AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True,
    )["AuthorizerId"]
    for path, members in {
        "/open": {},
        "/iam": {"AuthorizationType": "AWS_IAM"},
        "/jwt": {
            "AuthorizationType": "JWT",
            "AuthorizerId": jwt,
            "AuthorizationScopes": ["read", "write"],
        },
        "/custom": {"AuthorizationType": "CUSTOM", "AuthorizerId": custom},
    }.items():
        apis.create_route(ApiId=api_id, RouteKey=f"GET {path}", **members)
    apis.create_deployment(**stage)
    routes = {route.path: route for route in compiled(served, api_id).routes}
    assert routes["/open"].integration is None
    assert routes["/open"].authorization is None
    assert routes["/iam"].authorization == IamAuthorization()
    assert routes["/jwt"].scopes == ("read", "write")
    assert routes["/jwt"].authorization == JwtAuthorizer(
        id=jwt,
        name="tokens",
        identity_sources=("$request.header.Authorization",),
        issuer="https://issuer.example",
        audiences=("a", "b"),
    )
    assert routes["/custom"].authorization == LambdaAuthorizer(
        id=custom,
        name="code",
        kind="REQUEST",
        function=FunctionReference("orders", "live"),
        identity_sources=("$request.header.X", "$context.identity.sourceIp"),
        result_ttl_s=0,
        payload_format="2.0",
        simple_responses=True,
    )


def test_the_state_is_json_and_comes_back_whole(served, apis, api_id, stage):
    apis.create_deployment(**stage)
    apis.create_api(Name="quick", ProtocolType="HTTP", Target=FUNCTION)
    stored = json.loads(json.dumps(served.state.dump()))
    loaded = HttpState.load(stored)
    assert loaded.dump() == stored
    assert compile_stages(loaded) == compile_stages(served.state)


def test_an_api_has_a_number_of_stages_and_routes(apis, api_id, monkeypatch):
    monkeypatch.setattr(stages, "MAX_STAGES", 1)
    monkeypatch.setattr(routes, "MAX_ROUTES", 2)
    apis.create_stage(ApiId=api_id, StageName="one")
    apis.create_route(ApiId=api_id, RouteKey="GET /two")
    with pytest.raises(apis.exceptions.TooManyRequestsException, match="number of stages"):
        apis.create_stage(ApiId=api_id, StageName="two")
    with pytest.raises(apis.exceptions.TooManyRequestsException, match="number of routes"):
        apis.create_route(ApiId=api_id, RouteKey="GET /three")
