"""REST APIs, resources, methods and integrations, through boto3."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apigateway_rig import ACCOUNT, FUNCTION, ServedApis, invocation, ops
from rpc_rig import authorization, client_of, send

BAD = "BadRequestException"
Refused = Callable[..., tuple[str, int, str]]


@pytest.fixture(scope="module")
def served() -> Iterator[ServedApis]:
    with ServedApis() as served:
        yield served


@pytest.fixture
def api(served: ServedApis) -> str:
    return served.new_api()


def test_an_api_begins_with_its_root(served: ServedApis) -> None:
    created = served.client.create_rest_api(name="shop", description="d", tags={"team": "a"})
    resources = served.client.get_resources(restApiId=created["id"])["items"]

    assert len(created["id"]) == 10
    assert created["apiKeySource"] == "HEADER"
    assert created["endpointConfiguration"]["types"] == ["EDGE"]
    assert created["createdDate"].timestamp() == 1_790_000_000
    assert created["tags"] == {"team": "a"}
    assert resources == [{"id": created["rootResourceId"], "path": "/"}]


STATEMENT = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "execute-api:Invoke",
    "Resource": "execute-api:/*",
}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        pytest.param(
            {"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}},
            "(the sandbox does not serve the condition DateGreaterThan (IpAddress,",
            id="condition",
        ),
        pytest.param(
            {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/40"}}},
            "(10.0.0.0/40 is no address or range of addresses)",
            id="no address",
        ),
        pytest.param(
            {"NotAction": "execute-api:Invoke"}, "does not serve NotAction", id="not an action"
        ),
        pytest.param({"Principal": {"Service": "x"}}, "Principal has to be", id="principal"),
        pytest.param({"Resource": None}, "Resource has to be", id="no resource"),
    ],
)
def test_a_policy_that_cannot_be_applied_is_not_taken(
    served: ServedApis, api: str, refused: Refused, more: dict[str, Any], reason: str
) -> None:
    policy = json.dumps({"Statement": [{**STATEMENT, **more}]})
    patches = ops(("replace", "/policy", policy))

    made = refused(served.client.create_rest_api, name="shop", policy=policy)
    changed = refused(served.client.update_rest_api, restApiId=api, patchOperations=patches)

    assert made == changed
    assert made[:2] == (BAD, 400)
    assert made[2].startswith("Invalid policy document. Please check the policy syntax and ")
    assert reason in made[2]
    assert "policy" not in served.client.get_rest_api(restApiId=api)


def test_a_policy_is_taken_back(served: ServedApis) -> None:
    api = served.new_api(policy=json.dumps({"Statement": STATEMENT}))

    served.client.update_rest_api(restApiId=api, patchOperations=ops(("replace", "/policy", "")))

    assert not served.client.get_rest_api(restApiId=api).get("policy")


def test_a_policy_is_shown_with_its_quotes_escaped(served: ServedApis) -> None:
    policy = json.dumps({"Statement": [STATEMENT]})
    api = served.new_api(policy=policy)

    shown = served.client.get_rest_api(restApiId=api)["policy"]

    assert json.loads(f'"{shown}"') == policy


def test_an_api_is_changed_by_patches(served: ServedApis, api: str) -> None:
    changed = served.client.update_rest_api(
        restApiId=api,
        patchOperations=ops(
            ("replace", "/name", "store"),
            ("replace", "/apiKeySource", "AUTHORIZER"),
            ("replace", "/disableExecuteApiEndpoint", "true"),
            ("add", "/binaryMediaTypes/image~1png", None),
            ("add", "/binaryMediaTypes/image~1gif", None),
            ("remove", "/binaryMediaTypes/image~1png", None),
            ("replace", "/endpointConfiguration/types/EDGE", "REGIONAL"),
        ),
    )

    assert changed["name"] == "store"
    assert changed["apiKeySource"] == "AUTHORIZER"
    assert changed["disableExecuteApiEndpoint"] is True
    assert changed["binaryMediaTypes"] == ["image/gif"]
    assert changed["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert served.client.get_rest_api(restApiId=api)["name"] == "store"


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        pytest.param(("replace", "/nam", "x"), "Invalid patch path '/nam'", id="no such path"),
        pytest.param(("remove", "/name", None), "for op 'remove'", id="no such op"),
        pytest.param(("copy", "/name", "x"), "Invalid patch operation", id="op not served"),
        pytest.param(("replace", "/name", " "), "Name cannot be null", id="empty name"),
        pytest.param(("replace", "/name", None), "null or empty value in /name", id="no value"),
        pytest.param(("replace", "/policy", "{"), "Invalid policy document", id="no JSON"),
        pytest.param(("replace", "/apiKeySource", "COOKIE"), "Must be one of", id="key source"),
        pytest.param(
            ("replace", "/disableExecuteApiEndpoint", "yes"), "true or false", id="no boolean"
        ),
        pytest.param(
            ("remove", "/binaryMediaTypes/a~1b", None), "there is no a/b", id="no such member"
        ),
        pytest.param(
            ("replace", "/endpointConfiguration/types/EDGE", "PRIVATE"), "private", id="private"
        ),
    ],
)
def test_a_patch_that_cannot_be_changes_nothing(
    served: ServedApis,
    api: str,
    refused: Refused,
    patch: tuple[str, str, str | None],
    message: str,
) -> None:
    before = served.client.get_rest_api(restApiId=api)
    changes = served.changes

    code, status, text = refused(
        served.client.update_rest_api,
        restApiId=api,
        patchOperations=ops(("replace", "/description", "lost"), patch),
    )

    after = served.client.get_rest_api(restApiId=api)
    assert (code, status) == (BAD, 400)
    assert message in text
    assert served.changes == changes
    assert after["name"] == before["name"]
    assert "description" not in after


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"name": ""}, "Name cannot be null or empty", id="no name"),
        pytest.param({"cloneFrom": "a"}, "does not serve cloneFrom", id="a clone"),
        pytest.param({"minimumCompressionSize": 5}, "minimumCompressionSize", id="compression"),
        pytest.param({"policy": "[]"}, "Invalid policy document", id="policy"),
        pytest.param(
            {"endpointConfiguration": {"types": ["PRIVATE"]}}, "private APIs", id="private"
        ),
        pytest.param(
            {"apiKeySource": "COOKIE"},
            "Value 'COOKIE' at 'apiKeySource' failed to satisfy constraint: Member must satisfy "
            "enum value set: [HEADER, AUTHORIZER]",
            id="against the model",
        ),
    ],
)
def test_an_api_that_cannot_be_is_refused(
    served: ServedApis, refused: Refused, settings: dict[str, Any], message: str
) -> None:
    code, status, text = refused(served.client.create_rest_api, **{"name": "shop", **settings})

    assert (code, status) == (BAD, 400)
    assert message in text


def test_missing_parameters_are_a_bad_request(served: ServedApis, refused: Refused) -> None:
    with client_of(served.port, "apigateway", parameter_validation=False) as loose:
        code, status, text = refused(loose.create_rest_api)

    assert (code, status) == (BAD, 400)
    assert "Value null at 'name'" in text


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        pytest.param("get_rest_api", {}, id="get"),
        pytest.param("delete_rest_api", {}, id="delete"),
        pytest.param("get_resources", {}, id="resources"),
        pytest.param("create_deployment", {}, id="deployment"),
        pytest.param("get_stage", {"stageName": "prod"}, id="stage"),
    ],
)
def test_an_unknown_api_is_named_with_its_account(
    served: ServedApis, refused: Refused, call: str, arguments: dict[str, Any]
) -> None:
    answer = refused(getattr(served.client, call), restApiId="abc", **arguments)

    message = f"Invalid API identifier specified {ACCOUNT}:abc"
    assert answer == ("NotFoundException", 404, message)


def test_lists_come_by_pages() -> None:
    with ServedApis() as served:
        made = {served.new_api(name=f"api-{number}") for number in range(7)}

        pages = list(
            served.client.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 3})
        )

        assert [len(page["items"]) for page in pages] == [3, 3, 1]
        assert {item["id"] for page in pages for item in page["items"]} == made


def test_a_page_goes_on_though_its_last_item_is_gone() -> None:
    with ServedApis() as served:
        for number in range(4):
            served.new_api(name=f"api-{number}")
        first = served.client.get_rest_apis(limit=2)
        served.client.delete_rest_api(restApiId=first["items"][-1]["id"])

        second = served.client.get_rest_apis(limit=2, position=first["position"])

        assert len(second["items"]) == 2
        assert "position" not in second


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"limit": 501}, {"position": "%"}])
def test_a_page_that_cannot_be_is_refused(
    served: ServedApis, refused: Refused, arguments: dict[str, Any]
) -> None:
    assert refused(served.client.get_rest_apis, **arguments)[:2] == (BAD, 400)


# Resources


def test_paths_grow_with_resources(served: ServedApis, api: str) -> None:
    resource = served.add_path(api, "orders", "{id}", "{proxy+}")

    shown = served.client.get_resource(restApiId=api, resourceId=resource)

    assert shown["path"] == "/orders/{id}/{proxy+}"
    assert shown["pathPart"] == "{proxy+}"
    assert len(shown["id"]) == 6


@pytest.mark.parametrize("part", ["a/b", "a b", "{id", "id}", "{}", "{+}", "{id+", "", "ü", "a{b}"])
def test_path_parts_are_checked(served: ServedApis, api: str, refused: Refused, part: str) -> None:
    code, status, text = refused(
        served.client.create_resource,
        restApiId=api,
        parentId=served.root(api),
        pathPart=part,
    )

    assert (code, status) == (BAD, 400)
    assert text.startswith("Resource's path part only allow")


@pytest.mark.parametrize(
    ("path", "part", "code"),
    [
        pytest.param(("orders",), "orders", "ConflictException", id="same name"),
        pytest.param(("{id}",), "{name}", BAD, id="two variables"),
        pytest.param(("{id}",), "{proxy+}", BAD, id="variable and greedy one"),
    ],
)
def test_siblings_must_differ(
    served: ServedApis, api: str, refused: Refused, path: tuple[str, ...], part: str, code: str
) -> None:
    served.add_path(api, *path)

    answer = refused(
        served.client.create_resource, restApiId=api, parentId=served.root(api), pathPart=part
    )

    assert answer[0] == code


def test_nothing_is_below_a_greedy_variable(served: ServedApis, api: str, refused: Refused) -> None:
    greedy = served.add_path(api, "{proxy+}")

    answer = refused(served.client.create_resource, restApiId=api, parentId=greedy, pathPart="a")

    assert answer == (
        BAD,
        400,
        "Cannot create a child of a resource with a greedy path variable.",
    )


def test_a_resource_moves_with_all_below_it(served: ServedApis, api: str) -> None:
    leaf = served.add_path(api, "a", "b", "c")
    middle = served.client.get_resource(restApiId=api, resourceId=leaf)["parentId"]

    served.client.update_resource(
        restApiId=api,
        resourceId=middle,
        patchOperations=ops(
            ("replace", "/parentId", served.root(api)), ("replace", "/pathPart", "x")
        ),
    )

    assert served.client.get_resource(restApiId=api, resourceId=leaf)["path"] == "/x/c"


def test_a_resource_does_not_move_below_itself(
    served: ServedApis, api: str, refused: Refused
) -> None:
    leaf = served.add_path(api, "a", "b")
    parent = served.client.get_resource(restApiId=api, resourceId=leaf)["parentId"]

    answer = refused(
        served.client.update_resource,
        restApiId=api,
        resourceId=parent,
        patchOperations=ops(("replace", "/parentId", leaf)),
    )

    assert answer[:2] == (BAD, 400)


def test_a_resource_goes_with_all_below_it(served: ServedApis, api: str, refused: Refused) -> None:
    leaf = served.add_path(api, "a", "b", "c")
    top = served.client.get_resources(restApiId=api)["items"]
    (first,) = [item["id"] for item in top if item["path"] == "/a"]

    served.client.delete_resource(restApiId=api, resourceId=first)

    assert refused(served.client.get_resource, restApiId=api, resourceId=leaf) == (
        "NotFoundException",
        404,
        "Invalid Resource identifier specified",
    )
    assert (
        refused(served.client.delete_resource, restApiId=api, resourceId=served.root(api))[0] == BAD
    )


def test_resources_show_their_methods_when_asked(served: ServedApis, api: str) -> None:
    served.add_function(api, served.add_path(api, "orders"))

    (plain,) = [
        item
        for item in served.client.get_resources(restApiId=api)["items"]
        if item["path"] == "/orders"
    ]
    (whole,) = [
        item
        for item in served.client.get_resources(restApiId=api, embed=["methods"])["items"]
        if item["path"] == "/orders"
    ]

    assert plain["resourceMethods"] == {"GET": {}}
    method = whole["resourceMethods"]["GET"]
    assert method["methodIntegration"]["type"] == "AWS_PROXY"
    assert method["methodIntegration"]["uri"] == invocation()


def test_an_api_has_300_resources_at_most(served: ServedApis, api: str, refused: Refused) -> None:
    rest = served.state.apis[api].resources
    for number in range(299):
        rest[f"r{number}"] = {"id": f"r{number}", "parentId": "other", "pathPart": "p"}

    answer = refused(
        served.client.create_resource, restApiId=api, parentId=served.root(api), pathPart="one"
    )

    assert answer[:2] == ("LimitExceededException", 429)


# Methods


def test_a_method_is_put_once(served: ServedApis, api: str, refused: Refused) -> None:
    named = served.add_method(api, served.root(api), "POST", apiKeyRequired=True)

    assert served.client.get_method(**named)["apiKeyRequired"] is True
    assert refused(served.client.put_method, **named, authorizationType="NONE") == (
        "ConflictException",
        409,
        "Method already exists for this resource",
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"httpMethod": "FETCH"}, "Invalid HttpMethod", id="method"),
        pytest.param({"authorizationType": "BASIC"}, "authorization type", id="authorization"),
        pytest.param({"authorizationType": "CUSTOM"}, "Invalid authorizer ID", id="no authorizer"),
        pytest.param(
            {"authorizationType": "CUSTOM", "authorizerId": "x"}, "Invalid authorizer ID", id="x"
        ),
        pytest.param({"requestValidatorId": "v"}, "does not serve", id="validator"),
        pytest.param(
            {"requestParameters": {"method.request.cookie.a": True}},
            "mapping expression",
            id="where",
        ),
        pytest.param(
            {"requestModels": {"application/json": "Order"}}, "Order (the sandbox", id="model"
        ),
        pytest.param({"authorizationScopes": ["a/b"]}, "COGNITO_USER_POOLS", id="scopes"),
    ],
)
def test_a_method_that_cannot_be_is_refused(
    served: ServedApis, api: str, refused: Refused, settings: dict[str, Any], message: str
) -> None:
    arguments = {"httpMethod": "GET", "authorizationType": "NONE", **settings}

    code, status, text = refused(
        served.client.put_method, restApiId=api, resourceId=served.root(api), **arguments
    )

    assert (code, status) == (BAD, 400)
    assert message in text


def test_a_method_is_changed_and_deleted(served: ServedApis, api: str, refused: Refused) -> None:
    named = served.add_method(api, served.root(api))

    changed = served.client.update_method(
        **named,
        patchOperations=ops(
            ("replace", "/apiKeyRequired", "true"),
            ("replace", "/authorizationType", "AWS_IAM"),
            ("add", "/requestParameters/method.request.querystring.q", "true"),
        ),
    )
    served.client.delete_method(**named)

    assert changed["apiKeyRequired"] is True
    assert changed["authorizationType"] == "AWS_IAM"
    assert changed["requestParameters"] == {"method.request.querystring.q": True}
    assert refused(served.client.get_method, **named) == (
        "NotFoundException",
        404,
        "Invalid Method identifier specified",
    )


# Integrations


def test_an_integration_has_the_defaults_of_aws(served: ServedApis, api: str) -> None:
    named = served.add_function(api, served.root(api))

    shown = served.client.get_integration(**named)

    assert shown["httpMethod"] == "POST"
    assert shown["timeoutInMillis"] == 29_000
    assert shown["passthroughBehavior"] == "WHEN_NO_MATCH"
    assert shown["cacheNamespace"] == named["resourceId"]
    assert shown["cacheKeyParameters"] == []


PROXY = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invocation()}
HTTP = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://127.0.0.1:9/a/{id}"}
OTHER = FUNCTION.replace("us-east-1", "eu-west-1")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(PROXY, id="function"),
        pytest.param({**PROXY, "uri": invocation(f"{FUNCTION}:live")}, id="alias"),
        pytest.param({**PROXY, "uri": invocation("${stageVariables.fn}")}, id="stage variable"),
        pytest.param({**PROXY, "timeoutInMillis": 50}, id="shortest time"),
        pytest.param({**PROXY, "contentHandling": "CONVERT_TO_TEXT"}, id="as the console does"),
        pytest.param(HTTP, id="URL"),
        pytest.param({**HTTP, "uri": "https://${stageVariables.host}/x"}, id="host by variable"),
        pytest.param(
            {
                **HTTP,
                "requestParameters": {"integration.request.path.id": "method.request.path.key"},
            },
            id="renamed path parameter",
        ),
        pytest.param(
            {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}},
            id="mock",
        ),
    ],
)
def test_integrations_are_kept_as_given(
    served: ServedApis, api: str, settings: dict[str, Any]
) -> None:
    declared = {"method.request.path.key": True}
    named = served.add_method(api, served.root(api), requestParameters=declared)

    served.client.put_integration(**named, **settings)

    shown = served.client.get_integration(**named)
    given = {**settings, "httpMethod": settings.get("integrationHttpMethod")}
    given.pop("integrationHttpMethod", None)
    assert {name: shown.get(name) for name in given} == given


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"type": "AWS", "uri": "arn:a"}, "type AWS", id="AWS"),
        pytest.param({"type": "HTTP", "uri": "http://a"}, "type HTTP", id="HTTP"),
        pytest.param({**PROXY, "connectionType": "VPC_LINK"}, "VPC link", id="VPC link"),
        pytest.param({**PROXY, "responseTransferMode": "STREAM"}, "STREAM", id="streaming"),
        pytest.param({**PROXY, "timeoutInMillis": 49}, "between 50 ms and 29000 ms", id="short"),
        pytest.param({**PROXY, "timeoutInMillis": 29_001}, "between 50 ms", id="long"),
        pytest.param({**PROXY, "credentials": "arn:a"}, "credentials", id="role"),
        pytest.param({**PROXY, "contentHandling": "CONVERT_TO_BINARY"}, "content", id="content"),
        pytest.param({**PROXY, "passthroughBehavior": "X"}, "passthroughBehavior", id="through"),
        pytest.param({"type": "AWS_PROXY", "uri": invocation()}, "HttpMethod", id="no method"),
        pytest.param({**PROXY, "uri": "http://a"}, "Invalid ARN", id="no ARN"),
        pytest.param({**PROXY, "uri": FUNCTION}, "only supports Lambda", id="the function's ARN"),
        pytest.param({**PROXY, "uri": invocation("f")}, "Invalid lambda function", id="a name"),
        pytest.param({**PROXY, "uri": invocation(OTHER)}, "Invalid lambda function", id="region"),
        pytest.param({**HTTP, "uri": "ftp://a"}, "Invalid HTTP endpoint", id="no HTTP"),
        pytest.param({**HTTP, "uri": "http://a:b/"}, "Invalid HTTP endpoint", id="port"),
        pytest.param({"type": "HTTP_PROXY", "uri": "http://a"}, "HttpMethod", id="URL, no method"),
        pytest.param(
            {**HTTP, "requestParameters": {"integration.request.header.a": "'x'"}},
            "mapping of 'x'",
            id="header",
        ),
        pytest.param(
            {**HTTP, "requestParameters": {"integration.request.path.no": "method.request.path.a"}},
            "parameter specified: integration.request.path.no",
            id="not in the URL",
        ),
        pytest.param(
            {**HTTP, "requestParameters": {"integration.request.path.id": "method.request.path.a"}},
            "parameter specified: method.request.path.a",
            id="not declared by the method",
        ),
        pytest.param(
            {**PROXY, "cacheKeyParameters": ["method.request.querystring.q"]},
            "Invalid cache key parameter",
            id="undeclared cache key",
        ),
        pytest.param(
            {"type": "MOCK", "requestTemplates": {"application/json": "#if(true)1#end"}},
            "#if is not served",
            id="VTL",
        ),
    ],
)
def test_an_integration_that_cannot_be_is_refused(
    served: ServedApis, api: str, refused: Refused, settings: dict[str, Any], message: str
) -> None:
    named = served.add_method(api, served.root(api))

    code, status, text = refused(served.client.put_integration, **named, **settings)

    assert (code, status) == (BAD, 400)
    assert message in text
    assert "methodIntegration" not in served.client.get_method(**named)


def test_longer_timeouts_need_a_quota(refused: Refused) -> None:
    with ServedApis(max_timeout_ms=60_000) as served:
        api = served.new_api()
        named = served.add_function(api, served.root(api), timeoutInMillis=60_000)

        answer = refused(
            served.client.update_integration,
            **named,
            patchOperations=ops(("replace", "/timeoutInMillis", "60001")),
        )

        assert answer == (BAD, 400, "Timeout should be between 50 ms and 60000 ms")
        assert served.client.get_integration(**named)["timeoutInMillis"] == 60_000


def mock(served: ServedApis, api: str) -> dict[str, str]:
    """A mock with a method response 200 that may set x-a."""
    named = served.add_method(api, served.root(api))
    served.client.put_integration(**named, type="MOCK")
    served.client.put_method_response(
        **named,
        statusCode="200",
        responseParameters={"method.response.header.x-a": False},
        responseModels={"application/json": "Empty"},
    )
    return named


def test_a_mock_has_responses(served: ServedApis, api: str) -> None:
    named = mock(served, api)

    served.client.put_integration_response(
        **named,
        statusCode="200",
        selectionPattern="2\\d\\d",
        responseParameters={"method.response.header.x-a": "'1'"},
        responseTemplates={"application/json": '{"id": "$context.requestId"}'},
    )
    served.client.update_integration_response(
        **named, statusCode="200", patchOperations=ops(("replace", "/selectionPattern", "200"))
    )

    shown = served.client.get_method(**named)["methodIntegration"]["integrationResponses"]["200"]
    assert shown["selectionPattern"] == "200"
    assert shown["responseParameters"] == {"method.response.header.x-a": "'1'"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param(
            {"statusCode": "201"},
            "Output mapping refers to an invalid method response: 201",
            id="no method response",
        ),
        pytest.param(
            {"responseParameters": {"method.response.header.x-b": "'1'"}},
            "Invalid mapping expression parameter specified: method.response.header.x-b",
            id="undeclared header",
        ),
        pytest.param(
            {"responseParameters": {"method.response.header.x-a": "integration.response.header.a"}},
            "it serves literals",
            id="no literal",
        ),
        pytest.param({"selectionPattern": "("}, "Invalid selection pattern", id="pattern"),
        pytest.param(
            {"responseTemplates": {"application/json": "$util.escapeJavaScript('a')"}},
            "$util.escapeJavaScript('a') is not served",
            id="function",
        ),
        pytest.param({"contentHandling": "CONVERT_TO_TEXT"}, "content handling", id="content"),
    ],
)
def test_a_mock_response_that_cannot_be_is_refused(
    served: ServedApis, api: str, refused: Refused, settings: dict[str, Any], message: str
) -> None:
    named = mock(served, api)

    code, status, text = refused(
        served.client.put_integration_response, **named, **{"statusCode": "200", **settings}
    )

    assert (code, status) == (BAD, 400)
    assert message in text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param("get_integration", "Invalid Integration identifier specified", id="one"),
        pytest.param("delete_integration", "Invalid Integration identifier specified", id="delete"),
    ],
)
def test_a_method_without_integration_says_so(
    served: ServedApis, api: str, refused: Refused, call: str, message: str
) -> None:
    named = served.add_method(api, served.root(api))

    assert refused(getattr(served.client, call), **named) == ("NotFoundException", 404, message)


def test_responses_and_integrations_are_deleted(
    served: ServedApis, api: str, refused: Refused
) -> None:
    named = mock(served, api)
    served.client.put_integration_response(**named, statusCode="200")

    served.client.delete_integration_response(**named, statusCode="200")
    gone = refused(served.client.get_integration_response, **named, statusCode="200")
    served.client.delete_method_response(**named, statusCode="200")
    served.client.delete_integration(**named)

    assert gone == ("NotFoundException", 404, "Invalid Response status code specified")
    shown = served.client.get_method(**named)
    assert "methodIntegration" not in shown
    assert not shown.get("methodResponses")


# Authorizers

TOKEN = {
    "name": "token",
    "type": "TOKEN",
    "authorizerUri": invocation(),
    "identitySource": "method.request.header.Authorization",
}
POOL = f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_abc"


def test_an_authorizer_protects_a_method(served: ServedApis, api: str, refused: Refused) -> None:
    authorizer = served.client.create_authorizer(restApiId=api, **TOKEN)
    named = served.add_method(
        api, served.root(api), authorizationType="CUSTOM", authorizerId=authorizer["id"]
    )

    in_use = refused(served.client.delete_authorizer, restApiId=api, authorizerId=authorizer["id"])
    served.client.delete_method(**named)
    served.client.delete_authorizer(restApiId=api, authorizerId=authorizer["id"])

    assert authorizer["authorizerResultTtlInSeconds"] == 300
    assert authorizer["authType"] == "custom"
    assert in_use[:2] == ("ConflictException", 409)
    assert served.client.get_authorizers(restApiId=api)["items"] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"authorizerUri": "arn:a"}, "Invalid Authorizer URI", id="no function"),
        pytest.param({"identitySource": ""}, "one header", id="no source"),
        pytest.param(
            {"identitySource": "method.request.querystring.a"}, "identity source", id="no header"
        ),
        pytest.param({"authorizerResultTtlInSeconds": 3601}, "between 0 and 3600", id="long TTL"),
        pytest.param({"authorizerResultTtlInSeconds": -1}, "between 0 and 3600", id="negative TTL"),
        pytest.param({"identityValidationExpression": "("}, "validation expression", id="pattern"),
        pytest.param({"authorizerCredentials": "arn:a"}, "authorizerCredentials", id="role"),
        pytest.param({"type": "REQUEST", "identitySource": ""}, "when caching", id="cached"),
        pytest.param(
            {"type": "REQUEST", "identitySource": "$request.header.a"}, "identity source", id="v2"
        ),
        pytest.param({"type": "COGNITO_USER_POOLS"}, "ProviderARNs", id="no pool"),
        pytest.param(
            {"type": "COGNITO_USER_POOLS", "providerARNs": ["a"]}, "Invalid Cognito", id="pool"
        ),
        pytest.param(
            {"type": "COGNITO_USER_POOLS", "providerARNs": [POOL, POOL]}, "more than one", id="two"
        ),
        pytest.param({"type": "JWT"}, "type JWT", id="JWT"),
    ],
)
def test_an_authorizer_that_cannot_be_is_refused(
    served: ServedApis, api: str, refused: Refused, settings: dict[str, Any], message: str
) -> None:
    code, status, text = refused(
        served.client.create_authorizer, restApiId=api, **{**TOKEN, **settings}
    )

    assert (code, status) == (BAD, 400)
    assert message in text


def test_authorizers_have_names_of_their_own(
    served: ServedApis, api: str, refused: Refused
) -> None:
    served.client.create_authorizer(restApiId=api, **TOKEN)
    second = served.client.create_authorizer(
        restApiId=api,
        name="request",
        type="REQUEST",
        authorizerUri=invocation(),
        identitySource="method.request.header.Auth, context.identity.sourceIp",
    )

    again = refused(served.client.create_authorizer, restApiId=api, **TOKEN)
    renamed = refused(
        served.client.update_authorizer,
        restApiId=api,
        authorizerId=second["id"],
        patchOperations=ops(("replace", "/name", "token")),
    )

    assert again[:2] == ("ConflictException", 409)
    assert renamed[:2] == ("ConflictException", 409)


# What the service does not have


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        pytest.param("get_domain_names", {}, id="domain names"),
        pytest.param("get_vpc_links", {}, id="VPC links"),
        pytest.param("get_models", {"restApiId": "a"}, id="models"),
        pytest.param("get_request_validators", {"restApiId": "a"}, id="validators"),
    ],
)
def test_what_is_not_served_says_so(
    served: ServedApis, refused: Refused, call: str, arguments: dict[str, Any]
) -> None:
    code, status, text = refused(getattr(served.client, call), **arguments)

    assert (code, status) == ("UnknownOperationException", 501)
    assert "does not serve the API Gateway operation" in text


def test_a_body_that_is_no_json_is_refused(served: ServedApis) -> None:
    status, headers, _ = send(
        served.port, "{", {"Authorization": authorization("apigateway")}, "/restapis"
    )

    assert (status, headers["x-amzn-errortype"]) == (400, "SerializationException")
