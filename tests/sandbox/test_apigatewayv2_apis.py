"""HTTP APIs, their integrations, routes and authorizers, as boto3 sees them."""

from __future__ import annotations

import http.client
import json
import re
from datetime import UTC, datetime

import pytest
from apigatewayv2_rig import ACCOUNT, FUNCTION, REGION, ServedApis, invocation


@pytest.fixture(scope="module")
def served():
    with ServedApis() as served:
        yield served


@pytest.fixture(scope="module")
def apis(served, connect):
    return connect(served, "apigatewayv2")


@pytest.fixture(scope="module")
def loose(served, connect):
    """A client that sends what the SDK would refuse."""
    return connect(served, "apigatewayv2", strict=False)


@pytest.fixture
def api_id(apis):
    return apis.create_api(Name="orders", ProtocolType="HTTP")["ApiId"]


@pytest.fixture
def integration_id(apis, api_id):
    return apis.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION
    )["IntegrationId"]


def plain(answer):
    """An answer without what belongs to HTTP."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


# APIs


def test_a_new_api_is_shown_as_aws_shows_it(apis):
    created = apis.create_api(Name="orders", ProtocolType="HTTP", Tags={"team": "x"})
    api_id = created["ApiId"]
    assert re.fullmatch("[a-z0-9]{10}", api_id)
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert isinstance(created["CreatedDate"], datetime)
    assert created["CreatedDate"].tzinfo is not None
    assert plain(created) == {
        "ApiId": api_id,
        "ApiEndpoint": f"https://{api_id}.execute-api.{REGION}.amazonaws.com",
        "Name": "orders",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "$request.method $request.path",
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "DisableExecuteApiEndpoint": False,
        "IpAddressType": "ipv4",
        "CreatedDate": created["CreatedDate"],
        "Tags": {"team": "x"},
    }
    assert plain(apis.get_api(ApiId=api_id)) == plain(created)


def test_times_go_over_the_wire_as_iso_8601(served, apis, api_id):
    connection = http.client.HTTPConnection(served.endpoint_url.removeprefix("http://"), timeout=10)
    signature = "Credential=any/20260101/us-east-1/apigateway/aws4_request, Signature=0"
    connection.request(
        "GET", f"/v2/apis/{api_id}", headers={"Authorization": f"AWS4-HMAC-SHA256 {signature}"}
    )
    document = json.loads(connection.getresponse().read())
    connection.close()
    assert re.fullmatch(r"2026-10-05T\d\d:\d\d:\d\dZ", document["createdDate"])
    created = datetime.fromisoformat(document["createdDate"])
    assert created == apis.get_api(ApiId=api_id)["CreatedDate"].astimezone(UTC)


def test_an_update_changes_what_it_names(apis, api_id):
    apis.update_api(ApiId=api_id, Description="first", Version="7")
    changed = apis.update_api(ApiId=api_id, Description="second", DisableExecuteApiEndpoint=True)
    assert (changed["Description"], changed["Version"]) == ("second", "7")
    assert changed["DisableExecuteApiEndpoint"] is True
    assert changed["Name"] == "orders"


def test_a_deleted_api_is_gone_with_its_parts(apis, api_id, integration_id, refused):
    apis.delete_api(ApiId=api_id)
    for call in (apis.get_api, apis.get_routes, apis.get_integrations, apis.delete_api):
        assert refused(call, ApiId=api_id) == (
            "NotFoundException",
            404,
            f"Invalid API identifier specified {ACCOUNT}:{api_id}",
        )


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"ProtocolType": "WEBSOCKET"}, "WEBSOCKET APIs"),
        ({"ProtocolType": "SOAP"}, "protocolType"),
        ({"Name": ""}, "name"),
        ({"Name": None}, "name"),
        ({"RouteSelectionExpression": "$request.body.action"}, "RouteSelectionExpression"),
        ({"DisableSchemaValidation": True}, "WebSocket"),
        ({"IpAddressType": "dualstack"}, "IPv4"),
        ({"RouteKey": "GET /"}, "Target"),
        ({"Target": "ftp://example.com"}, "ftp://example.com"),
        ({"Target": FUNCTION, "RouteKey": "GET"}, "route key"),
        ({"Tags": {"aws:x": "1"}}, "aws:x"),
        ({"CorsConfiguration": {"MaxAge": 86401}}, "maxAge"),
        (
            {"CorsConfiguration": {"AllowOrigins": ["*"], "AllowCredentials": True}},
            "allowCredentials",
        ),
        ({"CorsConfiguration": {"AllowOrigins": ["example.com"]}}, "example.com"),
        ({"CorsConfiguration": {"AllowOrigins": ["https://a.com/path"]}}, "https://a.com/path"),
        ({"CorsConfiguration": {"AllowMethods": ["FETCH"]}}, "FETCH"),
        ({"CorsConfiguration": {"AllowHeaders": ["a b"]}}, "a b"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_api_is_a_bad_request(served, loose, refused, changes, part):
    before, count = served.state.dump(), served.changes
    members = {"Name": "orders", "ProtocolType": "HTTP", **changes}
    members = {name: value for name, value in members.items() if value is not None}
    code, status, message = refused(loose.create_api, **members)
    assert (code, status) == ("BadRequestException", 400)
    assert part in message
    assert (served.state.dump(), served.changes) == (before, count)


def test_cors_is_replaced_as_a_whole_and_deleted(apis, api_id):
    first = {"AllowOrigins": ["https://a.example"], "MaxAge": 60}
    second = {"AllowOrigins": ["*"], "AllowMethods": ["GET", "*"], "AllowHeaders": ["x-a"]}
    apis.update_api(ApiId=api_id, CorsConfiguration=first)
    assert apis.update_api(ApiId=api_id, CorsConfiguration=second)["CorsConfiguration"] == second
    apis.delete_cors_configuration(ApiId=api_id)
    assert "CorsConfiguration" not in apis.get_api(ApiId=api_id)


@pytest.mark.parametrize(
    ("target", "key", "integration"),
    [
        (
            FUNCTION,
            None,
            {
                "IntegrationType": "AWS_PROXY",
                "PayloadFormatVersion": "2.0",
                "IntegrationMethod": "POST",
            },
        ),
        (
            "https://example.com/{proxy}",
            "GET /{proxy+}",
            {
                "IntegrationType": "HTTP_PROXY",
                "PayloadFormatVersion": "1.0",
                "IntegrationMethod": "ANY",
            },
        ),
    ],
    ids=["function", "url"],
)
def test_a_quick_create_makes_all_that_serves(apis, target, key, integration):
    more = {} if key is None else {"RouteKey": key}
    api_id = apis.create_api(Name="quick", ProtocolType="HTTP", Target=target, **more)["ApiId"]
    (made,) = apis.get_integrations(ApiId=api_id)["Items"]
    assert made.items() >= integration.items()
    assert (made["IntegrationUri"], made["ApiGatewayManaged"]) == (target, True)
    (route,) = apis.get_routes(ApiId=api_id)["Items"]
    assert route["RouteKey"] == (key or "$default")
    assert route["Target"] == f"integrations/{made['IntegrationId']}"
    (stage,) = apis.get_stages(ApiId=api_id)["Items"]
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert "Successfully deployed" in stage["LastDeploymentStatusMessage"]


def test_what_a_quick_create_made_is_changed_by_update_api_and_not_deleted(apis, refused):
    api_id = apis.create_api(Name="quick", ProtocolType="HTTP", Target=FUNCTION)["ApiId"]
    (integration,) = apis.get_integrations(ApiId=api_id)["Items"]
    (route,) = apis.get_routes(ApiId=api_id)["Items"]
    apis.update_api(ApiId=api_id, Target="https://example.com/", RouteKey="ANY /x")
    (changed,) = apis.get_integrations(ApiId=api_id)["Items"]
    assert changed["IntegrationId"] == integration["IntegrationId"]
    assert (changed["IntegrationType"], changed["IntegrationMethod"]) == ("HTTP_PROXY", "ANY")
    assert apis.get_route(ApiId=api_id, RouteId=route["RouteId"])["RouteKey"] == "ANY /x"
    for call, name, value in (
        (apis.delete_integration, "IntegrationId", integration["IntegrationId"]),
        (apis.delete_route, "RouteId", route["RouteId"]),
        (apis.delete_stage, "StageName", "$default"),
    ):
        code, _, message = refused(call, ApiId=api_id, **{name: value})
        assert (code, "managed" in message) == ("BadRequestException", True)
    code, _, _ = refused(
        apis.update_route, ApiId=api_id, RouteId=route["RouteId"], RouteKey="GET /y"
    )
    assert code == "BadRequestException"


def test_an_api_without_quick_create_has_no_target_to_update(apis, api_id, refused):
    code, _, message = refused(apis.update_api, ApiId=api_id, Target=FUNCTION)
    assert (code, "quick create" in message) == ("BadRequestException", True)


# Lists


def test_lists_come_in_pages(apis, api_id):
    ids = [
        apis.create_integration(ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION)[
            "IntegrationId"
        ]
        for _ in range(27)
    ]
    first = apis.get_integrations(ApiId=api_id)
    assert len(first["Items"]) == 25
    pages = apis.get_paginator("get_integrations").paginate(
        ApiId=api_id, PaginationConfig={"PageSize": 10}
    )
    listed = [[item["IntegrationId"] for item in page["Items"]] for page in pages]
    assert [len(page) for page in listed] == [10, 10, 7]
    assert [one for page in listed for one in page] == ids


@pytest.mark.parametrize(
    "arguments",
    [
        {"MaxResults": "0"},
        {"MaxResults": "501"},
        {"MaxResults": "x"},
        {"NextToken": "?"},
        {"NextToken": "ZnJvbTotMQ=="},
        {"NextToken": "YWxsOjI="},
    ],
    ids=str,
)
def test_a_wrong_page_is_a_bad_request(apis, refused, arguments):
    assert refused(apis.get_apis, **arguments)[:2] == ("BadRequestException", 400)


# Integrations


def test_a_lambda_integration_has_the_defaults_of_the_api(apis, api_id, integration_id):
    shown = plain(apis.get_integration(ApiId=api_id, IntegrationId=integration_id))
    assert shown == {
        "IntegrationId": integration_id,
        "IntegrationType": "AWS_PROXY",
        "IntegrationMethod": "POST",
        "IntegrationUri": FUNCTION,
        "ConnectionType": "INTERNET",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": 30_000,
    }


@pytest.mark.parametrize(
    "uri",
    [
        FUNCTION,
        f"{FUNCTION}:live",
        f"{FUNCTION}:$LATEST",
        invocation(FUNCTION),
        invocation(f"{FUNCTION}:3"),
        f"{FUNCTION[:-6]}${{stageVariables.function}}",
        invocation(f"{FUNCTION}:${{stageVariables.alias}}"),
    ],
    ids=["arn", "alias", "latest", "invocation", "version", "variable name", "variable alias"],
)
def test_functions_may_be_named_in_each_way(apis, api_id, uri):
    made = apis.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=uri, PayloadFormatVersion="2.0"
    )
    assert made["IntegrationUri"] == uri


LAMBDA = {"IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION}
URL = {
    "IntegrationType": "HTTP_PROXY",
    "IntegrationUri": "https://example.com/a",
    "IntegrationMethod": "GET",
}


@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"IntegrationType": "AWS_PROXY"}, "IntegrationUri"),
        ({**LAMBDA, "IntegrationUri": "orders"}, "orders"),
        ({**LAMBDA, "IntegrationUri": FUNCTION.replace("us-east-1", "eu-west-1")}, "eu-west-1"),
        ({**LAMBDA, "IntegrationUri": FUNCTION.replace(ACCOUNT, "1" * 12)}, ACCOUNT),
        ({**LAMBDA, "IntegrationUri": f"{FUNCTION}:a:b"}, "Invalid"),
        ({**LAMBDA, "PayloadFormatVersion": "3.0"}, "3.0"),
        ({**LAMBDA, "IntegrationMethod": "GET"}, "POST"),
        ({**LAMBDA, "TimeoutInMillis": 49}, "50"),
        ({**LAMBDA, "TimeoutInMillis": 30_001}, "30000"),
        ({**LAMBDA, "IntegrationSubtype": "SQS-SendMessage"}, "IntegrationSubtype"),
        ({**LAMBDA, "RequestParameters": {"append:header.a": "b"}}, "RequestParameters"),
        ({**LAMBDA, "ResponseParameters": {"200": {"remove:header.a": ""}}}, "ResponseParameters"),
        ({**LAMBDA, "RequestTemplates": {"application/json": "{}"}}, "WebSocket"),
        ({**LAMBDA, "ConnectionType": "VPC_LINK", "ConnectionId": "x"}, "VPC_LINK"),
        ({**LAMBDA, "TlsConfig": {"ServerNameToVerify": "x"}}, "TlsConfig"),
        ({**URL, "IntegrationUri": "example.com"}, "example.com"),
        ({**URL, "IntegrationMethod": "FETCH"}, "FETCH"),
        ({**URL, "IntegrationMethod": None}, "IntegrationMethod"),
        ({**URL, "PayloadFormatVersion": "2.0"}, "1.0"),
        ({**URL, "IntegrationType": "MOCK"}, "MOCK"),
        ({**URL, "IntegrationType": "HTTP"}, "HTTP"),
    ],
    ids=lambda value: str(value)[-60:],
)
def test_a_wrong_integration_is_a_bad_request(loose, api_id, refused, members, part):
    members = {name: value for name, value in members.items() if value is not None}
    code, status, message = refused(loose.create_integration, ApiId=api_id, **members)
    assert (code, status) == ("BadRequestException", 400)
    assert part in message


def test_an_integration_is_updated_by_members_and_checked_as_a_whole(
    apis, api_id, integration_id, refused
):
    names = {"ApiId": api_id, "IntegrationId": integration_id}
    changed = apis.update_integration(**names, PayloadFormatVersion="2.0", TimeoutInMillis=50)
    assert (changed["PayloadFormatVersion"], changed["TimeoutInMillis"]) == ("2.0", 50)
    assert changed["IntegrationUri"] == FUNCTION
    code, _, _ = refused(apis.update_integration, **names, IntegrationUri="https://example.com")
    assert code == "BadRequestException"
    assert apis.get_integration(**names)["IntegrationUri"] == FUNCTION


def test_an_integration_in_use_is_not_deleted(apis, api_id, integration_id, refused):
    names = {"ApiId": api_id, "IntegrationId": integration_id}
    route = apis.create_route(
        ApiId=api_id, RouteKey="GET /", Target=f"integrations/{integration_id}"
    )
    code, status, message = refused(apis.delete_integration, **names)
    assert (code, status) == ("ConflictException", 409)
    assert route["RouteId"] in message
    apis.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    apis.delete_integration(**names)
    assert refused(apis.get_integration, **names)[:2] == ("NotFoundException", 404)


# Routes


def test_a_route_has_its_defaults(apis, api_id, integration_id):
    target = f"integrations/{integration_id}"
    created = apis.create_route(ApiId=api_id, RouteKey="GET /orders/{id}", Target=target)
    assert plain(created) == {
        "RouteId": created["RouteId"],
        "RouteKey": "GET /orders/{id}",
        "Target": target,
        "ApiKeyRequired": False,
        "AuthorizationType": "NONE",
    }
    assert apis.get_routes(ApiId=api_id)["Items"] == [plain(created)]


@pytest.mark.parametrize(
    ("key", "other", "message"),
    [
        ("GET /a", "GET /a", "Route with key GET /a already exists for this API"),
        ("$default", "$default", "Route with key $default already exists for this API"),
        ("GET /a/{x}", "GET /a/{y}", "takes the same requests as GET /a/{x}"),
    ],
)
def test_two_routes_for_the_same_requests_conflict(apis, api_id, refused, key, other, message):
    first = apis.create_route(ApiId=api_id, RouteKey=key)
    code, status, text = refused(apis.create_route, ApiId=api_id, RouteKey=other)
    assert (code, status) == ("ConflictException", 409)
    assert message in text
    # Its own key is in nobody's way.
    apis.update_route(ApiId=api_id, RouteId=first["RouteId"], RouteKey=key)


def test_routes_that_differ_live_side_by_side(apis, api_id):
    keys = ["GET /a", "POST /a", "ANY /a", "GET /a/", "GET /{x}", "GET /{x+}", "$default", "GET /"]
    for key in keys:
        apis.create_route(ApiId=api_id, RouteKey=key)
    assert [item["RouteKey"] for item in apis.get_routes(ApiId=api_id)["Items"]] == keys


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"RouteKey": "GET"}, "BadRequestException"),
        ({"RouteKey": "/a"}, "BadRequestException"),
        ({"RouteKey": "GET /a", "ApiKeyRequired": True}, "BadRequestException"),
        ({"RouteKey": "GET /a", "RequestModels": {"a": "b"}}, "BadRequestException"),
        ({"RouteKey": "GET /a", "Target": "lambda/x"}, "BadRequestException"),
        ({"RouteKey": "GET /a", "Target": "integrations/none"}, "NotFoundException"),
        ({"RouteKey": "GET /a", "AuthorizationType": "JWT"}, "BadRequestException"),
        (
            {"RouteKey": "GET /a", "AuthorizationType": "CUSTOM", "AuthorizerId": "none"},
            "NotFoundException",
        ),
    ],
    ids=str,
)
def test_a_wrong_route_is_refused(apis, api_id, refused, members, code):
    assert refused(apis.create_route, ApiId=api_id, **members)[0] == code
    assert apis.get_routes(ApiId=api_id)["Items"] == []


# Authorizers

JWT = {
    "AuthorizerType": "JWT",
    "IdentitySource": ["$request.header.Authorization"],
    "JwtConfiguration": {"Issuer": "https://issuer.example/", "Audience": ["orders"]},
}
REQUEST = {
    "AuthorizerType": "REQUEST",
    "IdentitySource": ["$request.header.X-Token", "$request.querystring.who"],
    "AuthorizerUri": invocation(FUNCTION),
    "AuthorizerPayloadFormatVersion": "2.0",
    "EnableSimpleResponses": True,
    "AuthorizerResultTtlInSeconds": 60,
}


@pytest.mark.parametrize("members", [JWT, REQUEST], ids=["JWT", "REQUEST"])
def test_an_authorizer_is_shown_as_it_was_made(apis, api_id, members):
    created = apis.create_authorizer(ApiId=api_id, Name="who", **members)
    assert plain(created) == {
        **members,
        "Name": "who",
        "AuthorizerId": created["AuthorizerId"],
    }
    assert apis.get_authorizers(ApiId=api_id)["Items"] == [plain(created)]
    changed = apis.update_authorizer(
        ApiId=api_id, AuthorizerId=created["AuthorizerId"], Name="other"
    )
    assert plain(changed) == {**plain(created), "Name": "other"}


@pytest.mark.parametrize(
    "members",
    [
        {**JWT, "JwtConfiguration": {"Issuer": "https://issuer.example/"}},
        {**JWT, "JwtConfiguration": {"Issuer": "http://issuer.example/", "Audience": ["a"]}},
        {**JWT, "JwtConfiguration": {"Issuer": "https://[", "Audience": ["a"]}},
        {**JWT, "IdentitySource": []},
        {**JWT, "IdentitySource": ["$context.requestId"]},
        {**JWT, "AuthorizerUri": invocation(FUNCTION)},
        {**REQUEST, "AuthorizerUri": FUNCTION},
        {**REQUEST, "AuthorizerUri": invocation("arn:aws:sqs:us-east-1:0:q")},
        {**REQUEST, "AuthorizerUri": invocation(FUNCTION).replace("gateway:us-", "gateway:eu-")},
        {**REQUEST, "AuthorizerPayloadFormatVersion": "1.0"},
        {**REQUEST, "AuthorizerPayloadFormatVersion": "9"},
        {**REQUEST, "IdentitySource": []},
        {**REQUEST, "IdentitySource": ["method.request.header.X"]},
        {**REQUEST, "AuthorizerResultTtlInSeconds": 3601},
        {**REQUEST, "JwtConfiguration": JWT["JwtConfiguration"]},
        {**REQUEST, "AuthorizerType": "TOKEN"},
    ],
    ids=range(16),
)
def test_a_wrong_authorizer_is_a_bad_request(loose, api_id, refused, members):
    code, status, _ = refused(loose.create_authorizer, ApiId=api_id, Name="who", **members)
    assert (code, status) == ("BadRequestException", 400)


def test_an_issuer_on_this_machine_needs_no_tls(apis, api_id):
    configuration = {"Issuer": "http://127.0.0.1:9000/", "Audience": ["a"]}
    members = {**JWT, "JwtConfiguration": configuration}
    assert apis.create_authorizer(ApiId=api_id, Name="local", **members)["AuthorizerId"]


def test_a_route_takes_the_authorizer_of_its_type(apis, api_id, refused):
    jwt = apis.create_authorizer(ApiId=api_id, Name="jwt", **JWT)["AuthorizerId"]
    request = apis.create_authorizer(ApiId=api_id, Name="request", **REQUEST)["AuthorizerId"]
    names = {"ApiId": api_id, "RouteKey": "GET /a"}
    for kind, authorizer_id in (("JWT", request), ("CUSTOM", jwt)):
        code, _, _ = refused(
            apis.create_route, **names, AuthorizationType=kind, AuthorizerId=authorizer_id
        )
        assert code == "BadRequestException"
    code, _, _ = refused(
        apis.create_route,
        **names,
        AuthorizationType="CUSTOM",
        AuthorizerId=request,
        AuthorizationScopes=["read"],
    )
    assert code == "BadRequestException"
    route = apis.create_route(
        **names, AuthorizationType="JWT", AuthorizerId=jwt, AuthorizationScopes=["read"]
    )
    assert (route["AuthorizerId"], route["AuthorizationScopes"]) == (jwt, ["read"])


def test_an_authorizer_in_use_is_not_deleted(apis, api_id, refused):
    authorizer_id = apis.create_authorizer(ApiId=api_id, Name="jwt", **JWT)["AuthorizerId"]
    names = {"ApiId": api_id, "AuthorizerId": authorizer_id}
    route = apis.create_route(RouteKey="GET /", AuthorizationType="JWT", **names)
    assert refused(apis.delete_authorizer, **names)[:2] == ("ConflictException", 409)
    changed = apis.update_route(ApiId=api_id, RouteId=route["RouteId"], AuthorizationType="AWS_IAM")
    assert "AuthorizerId" not in changed
    apis.delete_authorizer(**names)
    assert refused(apis.get_authorizer, **names)[:2] == ("NotFoundException", 404)


# Tags, and what is not there


def test_tags_of_apis_and_stages(apis, api_id, refused):
    apis.create_stage(ApiId=api_id, StageName="live", Tags={"a": "1"})
    arn = f"arn:aws:apigateway:{REGION}::/apis/{api_id}"
    for name in (arn, f"{arn}/stages/live"):
        apis.tag_resource(ResourceArn=name, Tags={"a": "2", "b": "3"})
        apis.untag_resource(ResourceArn=name, TagKeys=["b", "c"])
        assert apis.get_tags(ResourceArn=name)["Tags"] == {"a": "2"}
    assert apis.get_stage(ApiId=api_id, StageName="live")["Tags"] == {"a": "2"}
    assert refused(apis.get_tags, ResourceArn=f"{arn}x")[0] == "NotFoundException"
    assert refused(apis.get_tags, ResourceArn="arn:aws:s3:::x")[0] == "BadRequestException"
    many = {f"k{number}": "" for number in range(51)}
    code, _, _ = refused(apis.tag_resource, ResourceArn=arn, Tags=many)
    assert code == "BadRequestException"


def test_operations_that_are_not_there_say_so(apis, refused):
    code, status, message = refused(apis.get_domain_names)
    assert (code, status) == ("UnknownOperationException", 501)
    assert "GetDomainNames" in message


def test_each_change_is_told_once_and_no_failure_is(served, apis, api_id, refused):
    before = served.changes
    apis.update_api(ApiId=api_id, Description="x")
    apis.create_route(ApiId=api_id, RouteKey="GET /")
    assert served.changes == before + 2
    apis.get_apis()
    refused(apis.create_route, ApiId=api_id, RouteKey="GET /")
    refused(apis.update_api, ApiId=api_id, RouteSelectionExpression="x")
    assert served.changes == before + 2
