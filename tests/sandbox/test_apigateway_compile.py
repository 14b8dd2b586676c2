"""What the data plane is given: from calls of boto3 to snapshots."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apigateway_rig import HOME, LOG_GROUP, ROLE, ServedApis, invocation, only, ops
from hypothesis import given
from hypothesis import strategies as st
from rpc_rig import REGION

from sandbox.api_errors import ApiError
from sandbox.apigateway_api.compile import compile_keys, compile_plans, compile_stages
from sandbox.apigateway_api.patching import Patch, as_number, as_whole
from sandbox.apigateway_api.state import RestState
from sandbox.apigateway_api.templates import check_templates
from sandbox.gateway.snapshot import (
    AccessLog,
    ApiKey,
    CachePolicy,
    GatewayResponse,
    HttpIntegration,
    IamAuthorization,
    JwtAuthorizer,
    LambdaAuthorizer,
    LambdaIntegration,
    Limit,
    MethodSettings,
    MockIntegration,
    MockResponse,
    Quota,
    Route,
    Stage,
    Template,
    UsagePlan,
)
from sandbox.lambda_api.names import FunctionReference


@pytest.fixture(scope="module")
def server() -> Iterator[ServedApis]:
    with ServedApis() as served:
        yield served


@pytest.fixture
def served(server: ServedApis) -> ServedApis:
    """A server that knows nothing yet."""
    server.forget()
    server.client.update_account(patchOperations=ops(("replace", "/cloudwatchRoleArn", ROLE)))
    return server


def compiled(served: ServedApis) -> Stage:
    return only(compile_stages(served.state, HOME))


def deploy(served: ServedApis, api: str, **settings: Any) -> Stage:
    served.client.create_deployment(restApiId=api, stageName="prod", **settings)
    return compiled(served)


def routes(stage: Stage) -> dict[str, Route]:
    return {route.key: route for route in stage.routes}


def test_a_function_behind_a_method(served: ServedApis) -> None:
    api = served.deployed("orders", "{id}", timeoutInMillis=1500)

    stage = compiled(served)

    (route,) = stage.routes
    assert (stage.kind, stage.key, stage.api_name) == ("REST", (api, "prod"), "shop")
    assert (route.key, route.method, route.path) == ("GET /orders/{id}", "GET", "/orders/{id}")
    assert route.integration == LambdaIntegration(FunctionReference("orders"), "1.0", 1500)
    assert route.resource_id in served.state.apis[api].resources
    assert route.authorization is None
    assert stage.default == MethodSettings()
    assert stage.overrides == {}
    assert stage.deployment_id in served.state.apis[api].deployments


def test_an_api_that_changes_serves_what_was_deployed(served: ServedApis) -> None:
    api = served.deployed("orders")
    resource = served.add_path(api, "carts")
    served.add_function(api, resource)
    served.client.put_gateway_response(restApiId=api, responseType="THROTTLED", statusCode="503")

    before = compiled(served)
    after = deploy(served, api)

    assert list(routes(before)) == ["GET /orders"]
    assert before.gateway_responses == {}
    assert list(routes(after)) == ["GET /orders", "GET /carts"]
    assert after.gateway_responses == {
        "THROTTLED": GatewayResponse(
            503, {}, {"application/json": Template('{"message":$context.error.messageString}')}
        )
    }


def test_stage_variables_choose_the_function(served: ServedApis) -> None:
    api = served.new_api()
    arn = f"arn:aws:lambda:{REGION}:{HOME.account_id}:function:${{stageVariables.fn}}"
    served.add_function(api, served.root(api), uri=invocation(arn))

    without = deploy(served, api)
    served.patch_stage(api, ("replace", "/variables/fn", "orders:live"))
    with_variable = compiled(served)

    assert without.routes[0].integration is None
    integration = with_variable.routes[0].integration
    assert isinstance(integration, LambdaIntegration)
    assert integration.function == FunctionReference("orders", "live")
    assert with_variable.variables == {"fn": "orders:live"}


def test_a_function_is_invoked_by_post_alone(served: ServedApis) -> None:
    api = served.new_api()
    served.add_function(api, served.root(api), integrationHttpMethod="GET")

    assert deploy(served, api).routes[0].integration is None


def test_a_url_behind_a_method(served: ServedApis) -> None:
    api = served.new_api()
    declared = {"method.request.path.id": True}
    named = served.add_method(api, served.add_path(api, "{id}"), "ANY", requestParameters=declared)
    served.client.put_integration(
        **named,
        type="HTTP_PROXY",
        integrationHttpMethod="ANY",
        uri="http://127.0.0.1:9/items/{key}",
        requestParameters={"integration.request.path.key": "method.request.path.id"},
    )

    (route,) = deploy(served, api).routes

    assert route.key == "ANY /{id}"
    assert route.integration == HttpIntegration(
        "http://127.0.0.1:9/items/{key}", "ANY", 29_000, {"key": "id"}
    )


def test_a_mock_behind_a_method(served: ServedApis) -> None:
    api = served.new_api()
    named = served.add_method(api, served.root(api))
    served.client.put_integration(
        **named,
        type="MOCK",
        passthroughBehavior="NEVER",
        requestTemplates={"application/json": '{"statusCode": 200}'},
    )
    header = "method.response.header.x-a"
    served.client.put_method_response(**named, statusCode="200", responseParameters={header: False})
    served.client.put_integration_response(
        **named,
        statusCode="200",
        selectionPattern="",
        responseParameters={header: "'one'"},
        responseTemplates={"text/plain": "$context.requestId"},
    )

    (route,) = deploy(served, api).routes

    assert route.integration == MockIntegration(
        {"application/json": Template('{"statusCode": 200}')},
        "NEVER",
        (MockResponse(200, None, {"x-a": "one"}, {"text/plain": Template("$context.requestId")}),),
    )


def test_authorizations_of_methods(served: ServedApis) -> None:
    api = served.new_api()
    common = {"restApiId": api, "identitySource": "method.request.header.Auth"}
    token = served.client.create_authorizer(
        **common,
        name="token",
        type="TOKEN",
        authorizerUri=invocation(),
        identityValidationExpression="Bearer .+",
        authorizerResultTtlInSeconds=0,
    )["id"]
    pool = served.client.create_authorizer(
        **common,
        name="pool",
        type="COGNITO_USER_POOLS",
        providerARNs=[f"arn:aws:cognito-idp:eu-west-1:{HOME.account_id}:userpool/eu-west-1_a"],
    )["id"]
    arguments = {
        "GET": {"authorizationType": "AWS_IAM", "apiKeyRequired": True},
        "PUT": {"authorizationType": "CUSTOM", "authorizerId": token},
        "POST": {
            "authorizationType": "COGNITO_USER_POOLS",
            "authorizerId": pool,
            "authorizationScopes": ["shop/read"],
        },
    }
    for method, settings in arguments.items():
        named = served.add_method(api, served.root(api), method, **settings)
        served.client.put_integration(**named, type="MOCK")

    found = routes(deploy(served, api))

    assert found["GET /"].authorization == IamAuthorization()
    assert found["GET /"].api_key_required is True
    assert found["PUT /"].authorization == LambdaAuthorizer(
        token,
        "token",
        "TOKEN",
        FunctionReference("orders"),
        ("method.request.header.Auth",),
        0,
        "Bearer .+",
    )
    assert found["POST /"].authorization == JwtAuthorizer(
        pool,
        "pool",
        ("method.request.header.Auth",),
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a",
        (),
    )
    assert found["POST /"].scopes == ("shop/read",)


def test_a_method_whose_authorizer_cannot_be_told_is_not_open(served: ServedApis) -> None:
    api = served.new_api()
    arn = f"arn:aws:lambda:{REGION}:{HOME.account_id}:function:${{stageVariables.fn}}"
    authorizer = served.client.create_authorizer(
        restApiId=api,
        name="request",
        type="REQUEST",
        authorizerUri=invocation(arn),
        identitySource="method.request.header.a, context.identity.sourceIp",
    )["id"]
    named = served.add_method(
        api, served.root(api), authorizationType="CUSTOM", authorizerId=authorizer
    )
    served.client.put_integration(**named, type="MOCK")

    closed = deploy(served, api).routes[0]
    served.patch_stage(api, ("replace", "/variables/fn", "guard"))
    guarded = compiled(served).routes[0]

    assert (closed.authorization, closed.integration) == (None, None)
    assert isinstance(guarded.authorization, LambdaAuthorizer)
    assert guarded.authorization.identity_sources == (
        "method.request.header.a",
        "context.identity.sourceIp",
    )
    assert guarded.integration is not None


@pytest.mark.parametrize(
    ("patches", "default", "overrides"),
    [
        pytest.param((), MethodSettings(), {}, id="nothing set"),
        pytest.param(
            (("/*/*/throttling/rateLimit", "5"), ("/*/*/throttling/burstLimit", "2")),
            MethodSettings(Limit(5, 2)),
            {},
            id="all methods",
        ),
        pytest.param(
            (("/*/*/throttling/rateLimit", "5"),),
            MethodSettings(Limit(5, 5000)),
            {},
            id="half a throttle",
        ),
        pytest.param(
            (("/*/*/throttling/rateLimit", "0"), ("/*/*/throttling/burstLimit", "0")),
            MethodSettings(Limit(0, 0)),
            {},
            id="nothing passes",
        ),
        pytest.param(
            (
                ("/*/*/metrics/enabled", "true"),
                ("/~1orders~1{id}/GET/throttling/burstLimit", "3"),
                ("/~1orders~1{id}/GET/logging/loglevel", "INFO"),
            ),
            MethodSettings(detailed_metrics=True),
            {"GET /orders/{id}": MethodSettings(Limit(10_000, 3), logging_level="INFO")},
            id="one method",
        ),
        pytest.param(
            (("/orders/{id}/*/metrics/enabled", "true"),),
            MethodSettings(),
            {
                "GET /orders/{id}": MethodSettings(detailed_metrics=True),
                "POST /orders/{id}": MethodSettings(detailed_metrics=True),
            },
            id="all of a resource",
        ),
        pytest.param(
            (
                ("/orders/{id}/GET/throttling/burstLimit", "3"),
                ("/~1orders~1{id}/GET/throttling/burstLimit", "4"),
                ("/orders/{id}/GET/throttling/burstLimit", "5"),
            ),
            MethodSettings(),
            {"GET /orders/{id}": MethodSettings(Limit(10_000, 5))},
            id="by two names, of which the last one patched has effect",
        ),
        pytest.param(
            (("/*/*/caching/enabled", "true"), ("/*/*/throttling/burstLimit", "3")),
            MethodSettings(Limit(10_000, 3)),
            {},
            id="caching without a cache",
        ),
        pytest.param(
            (
                ("/cacheClusterEnabled", "true"),
                ("/*/*/caching/enabled", "true"),
                ("/*/*/caching/ttlInSeconds", "9"),
                ("/*/*/throttling/burstLimit", "3"),
            ),
            MethodSettings(Limit(10_000, 3)),
            {
                "GET /orders/{id}": MethodSettings(
                    cache=CachePolicy(9, (QUERY := "method.request.querystring.q",))
                )
            },
            id="GET is cached, in the bucket of the stage",
        ),
        pytest.param(
            (
                ("/cacheClusterEnabled", "true"),
                ("/*/*/caching/enabled", "true"),
                ("/orders/{id}/GET/caching/enabled", "false"),
                ("/orders/{id}/POST/caching/enabled", "true"),
            ),
            MethodSettings(),
            {
                "GET /orders/{id}": MethodSettings(),
                "POST /orders/{id}": MethodSettings(cache=CachePolicy(300)),
            },
            id="a method's own caching",
        ),
    ],
)
def test_settings_of_methods(
    served: ServedApis,
    patches: tuple[tuple[str, str], ...],
    default: MethodSettings,
    overrides: dict[str, MethodSettings],
) -> None:
    api = served.new_api()
    resource = served.add_path(api, "orders", "{id}")
    named = served.add_method(api, resource, requestParameters={QUERY: False})
    served.client.put_integration(**named, type="MOCK", cacheKeyParameters=[QUERY])
    served.add_function(api, resource, "POST")
    deploy(served, api)

    served.patch_stage(api, *(("replace", path, value) for path, value in patches))

    stage = compiled(served)
    assert stage.default == default
    assert stage.overrides == overrides


def test_what_is_said_of_the_whole_api_and_stage(served: ServedApis) -> None:
    anyone = {"Principal": "*", "Action": "execute-api:Invoke"}
    policy = {
        "Statement": [
            {**anyone, "Effect": "Deny", "Resource": "execute-api:/prod/GET/*"},
            {**anyone, "Effect": "Allow", "Resource": ["execute-api:/*", "arn:x"]},
        ]
    }
    api = served.new_api(
        policy=json.dumps(policy),
        apiKeySource="AUTHORIZER",
        disableExecuteApiEndpoint=True,
        binaryMediaTypes=["image/png"],
    )
    served.add_function(api, served.root(api))
    deploy(served, api, tracingEnabled=True)
    served.patch_stage(
        api,
        ("replace", "/accessLogSettings/destinationArn", LOG_GROUP),
        ("replace", "/accessLogSettings/format", "$context.requestId"),
    )
    served.client.put_gateway_response(
        restApiId=api,
        responseType="DEFAULT_4XX",
        responseParameters={
            "gatewayresponse.header.a": "'b'",
            "gatewayresponse.header.c": "context.requestId",
        },
    )

    stage = deploy(served, api)

    arn = f"arn:aws:execute-api:{REGION}:{HOME.account_id}:{api}"
    assert stage.resource_policy is not None
    denied, allowed = stage.resource_policy["Statement"]
    assert denied["Resource"] == f"{arn}/prod/GET/*"
    assert allowed["Resource"] == [f"{arn}/*", "arn:x"]
    assert stage.api_key_source == "AUTHORIZER"
    assert stage.endpoint_disabled is True
    assert stage.binary_media_types == ("image/png",)
    assert stage.tracing is True
    assert stage.access_log == AccessLog("/apis/orders", "$context.requestId")
    response = stage.gateway_responses["DEFAULT_4XX"]
    assert response.status is None
    assert response.headers == {"a": Template("b"), "c": Template("$context.requestId")}


def test_plans_and_keys(served: ServedApis) -> None:
    api = served.deployed("orders")
    key = served.client.create_api_key(name="one", value="v" * 20, enabled=True)["id"]
    plan = served.client.create_usage_plan(
        name="gold",
        throttle={"rateLimit": 2.0, "burstLimit": 4},
        quota={"limit": 10, "period": "MONTH", "offset": 3},
        apiStages=[
            {
                "apiId": api,
                "stage": "prod",
                "throttle": {
                    "/orders/GET": {"rateLimit": 1.0, "burstLimit": 1},
                    "//GET": {"burstLimit": 3},
                },
            }
        ],
    )["id"]
    bare = served.client.create_usage_plan(name="bare")["id"]
    for plan_id in (plan, bare):
        served.client.create_usage_plan_key(usagePlanId=plan_id, keyId=key, keyType="API_KEY")

    limits = {"/orders/GET": Limit(1, 1), "//GET": Limit(10_000, 3)}
    assert compile_plans(served.state) == {
        plan: UsagePlan(plan, "gold", Limit(2, 4), Quota(10, "MONTH", 3), {(api, "prod"): limits}),
        bare: UsagePlan(bare, "bare", None, None, {}),
    }
    assert compile_keys(served.state) == {
        "v" * 20: ApiKey(key, "one", "v" * 20, enabled=True, plan_ids=(plan, bare))
    }


def test_a_state_survives_as_json(served: ServedApis) -> None:
    served.deployed("orders", "{id}")
    key = served.client.create_api_key(name="one")["id"]
    plan = served.client.create_usage_plan(name="gold")["id"]
    served.client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")

    loaded = RestState.load(json.loads(json.dumps(served.state.dump())))

    assert loaded == served.state
    assert compile_stages(loaded, HOME) == compile_stages(served.state, HOME)


@pytest.mark.parametrize("value", [None, [], {"apis": {"a": {}}}, {"usage_plans": []}])
def test_a_state_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="RestState"):
        RestState.load(value)


def test_changes_are_announced_and_nothing_else(
    served: ServedApis, refused: Callable[..., tuple[str, int, str]]
) -> None:
    before = served.changes

    served.client.get_rest_apis()
    refused(served.client.create_rest_api, name="")
    quiet = served.changes
    served.new_api()

    assert quiet == before
    assert served.changes == before + 1


def test_the_aws_cli_reads_the_answers(served: ServedApis, tmp_path: Path) -> None:
    api = served.deployed("orders")
    command = Path(sys.executable).with_name("aws")
    environment = {
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_MAX_ATTEMPTS": "1",
        "PATH": str(command.parent),
    }
    patch = "op=replace,path=/~1orders/GET/throttling/rateLimit,value=7"

    arguments = ["--rest-api-id", api, "--stage-name", "prod", "--patch-operations", patch]
    place = ["--region", REGION, "--endpoint-url", f"http://127.0.0.1:{served.port}"]

    done = subprocess.run(
        [command, "apigateway", "update-stage", *arguments, *place, "--output", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert json.loads(done.stdout)["methodSettings"]["~1orders/GET"]["throttlingRateLimit"] == 7
    assert compiled(served).overrides["GET /orders"].limit == Limit(7, 5000)


# Parsers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain, $5 and #1, # set and a$",
        '{"id": "$context.requestId", "n": $context.error.messageString}',
        "$stageVariables.a ${stageVariables.b}",
        "$input.body $input.params('id') $input.params( \"id\" )",
        "$input.json('$.a') $input.path('$')",
    ],
)
def test_templates_without_directives_pass(text: str) -> None:
    check_templates({"application/json": text})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("#set($a = 1)", "#set"),
        ("a #{if}(true)", "#{if"),
        ("#foreach($x in $y)$x#end", "#foreach"),
        ("## a comment", "##"),
        ("#* one *#", "#*"),
        ("$util.parseJson('x')", "$util.parseJson('x')"),
        ("$input.params()", "$input.params()"),
        ("$input.bodyless", "$input.bodyless"),
        ("$!context.requestId", "$!context.requestId"),
        ("${context.requestId}", "${context.requestId}"),
        ("$context.", "$context."),
        ("$method", "$method"),
    ],
)
def test_templates_with_more_are_refused(text: str, named: str) -> None:
    with pytest.raises(ApiError, match="is not served") as caught:
        check_templates({"application/json": text})

    assert f": {named} is not served" in caught.value.message


def outcome(call: Callable[..., object], *arguments: object) -> object:
    """What a call gives, or the code that it is refused with."""
    try:
        return call(*arguments)
    except ApiError as error:
        return error.code


@given(st.text(alphabet="$#{}.()'! sdetifcontexinpua", max_size=40))
def test_any_template_passes_or_is_refused_clearly(text: str) -> None:
    assert outcome(check_templates, {"a": text}) in (None, "BadRequestException")


@given(st.one_of(st.integers(-(10**14), 10**14).map(str), st.floats(width=32).map(str), st.text()))
def test_numbers_are_read_or_refused(text: str) -> None:
    for parse in (as_whole, as_number):
        read = outcome(parse, text, "/a")
        if read != "BadRequestException":
            assert read == pytest.approx(float(text))


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1_0", " 1", "١", "0x1", "1e999"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert outcome(as_number, text, "/a") == outcome(as_whole, text, "/a") == "BadRequestException"


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4))
def test_segments_of_paths_come_back(segments: list[str]) -> None:
    escaped = [segment.replace("~", "~0").replace("/", "~1") for segment in segments]

    assert Patch("add", "/" + "/".join(escaped), None).keys == tuple(segments)
