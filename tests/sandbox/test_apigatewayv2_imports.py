"""APIs from OpenAPI documents."""

from __future__ import annotations

import json

import pytest
from apigatewayv2_rig import FUNCTION, ServedApis, invocation
from hypothesis import given
from hypothesis import strategies as st

from sandbox.api_errors import ApiError
from sandbox.apigatewayv2_api.openapi import parse_openapi

YAML = f"""
openapi: 3.0.1
info:
  title: orders
  version: 1.0
  description: from a file
x-amazon-apigateway-cors:
  allowOrigins: ["https://a.example"]
  maxAge: 60
security:
  - tokens: [read]
components:
  securitySchemes:
    tokens:
      type: oauth2
      x-amazon-apigateway-authorizer:
        type: jwt
        identitySource: $request.header.Authorization
        jwtConfiguration:
          issuer: https://issuer.example
          audience: [orders]
    code:
      type: apiKey
      x-amazon-apigateway-authorizer:
        type: request
        identitySource: "$request.header.a, $request.querystring.b"
        authorizerUri: {invocation(FUNCTION)}
        authorizerPayloadFormatVersion: "2.0"
        authorizerResultTtlInSeconds: 30
        enableSimpleResponses: true
    signed:
      type: apiKey
      x-amazon-apigateway-authtype: awsSigv4
  x-amazon-apigateway-integrations:
    shared:
      type: http_proxy
      httpMethod: ANY
      uri: https://example.com/a
paths:
  /orders:
    parameters: []
    get:
      operationId: list
      responses: {{default: {{description: any}}}}
      x-amazon-apigateway-integration:
        type: AWS_PROXY
        httpMethod: POST
        uri: {invocation(FUNCTION)}
        payloadFormatVersion: "2.0"
        timeoutInMillis: 1000
    post:
      security: [code: []]
      x-amazon-apigateway-integration:
        $ref: '#/components/x-amazon-apigateway-integrations/shared'
    put:
      security: [signed: []]
    delete:
      security: []
  /$default:
    x-amazon-apigateway-any-method:
      security: []
"""


@pytest.fixture(scope="module")
def served():
    with ServedApis() as served:
        yield served


@pytest.fixture(scope="module")
def apis(served, connect):
    return connect(served, "apigatewayv2")


def by_key(apis, api_id):
    return {route["RouteKey"]: route for route in apis.get_routes(ApiId=api_id)["Items"]}


def test_an_api_from_a_document(apis):
    api = apis.import_api(Body=YAML)
    assert (api["Name"], api["Version"], api["Description"]) == ("orders", "1.0", "from a file")
    assert api["CorsConfiguration"] == {"AllowOrigins": ["https://a.example"], "MaxAge": 60}
    routes = by_key(apis, api["ApiId"])
    assert {key: route["AuthorizationType"] for key, route in routes.items()} == {
        "GET /orders": "JWT",
        "POST /orders": "CUSTOM",
        "PUT /orders": "AWS_IAM",
        "DELETE /orders": "NONE",
        "$default": "NONE",
    }
    assert routes["GET /orders"]["AuthorizationScopes"] == ["read"]
    assert routes["GET /orders"]["OperationName"] == "list"
    targets = {
        f"integrations/{item['IntegrationId']}": item
        for item in apis.get_integrations(ApiId=api["ApiId"])["Items"]
    }
    function = targets[routes["GET /orders"]["Target"]]
    assert (function["PayloadFormatVersion"], function["TimeoutInMillis"]) == ("2.0", 1000)
    assert targets[routes["POST /orders"]["Target"]]["IntegrationUri"] == "https://example.com/a"
    assert "Target" not in routes["$default"]
    authorizers = {item["Name"]: item for item in apis.get_authorizers(ApiId=api["ApiId"])["Items"]}
    assert authorizers.keys() == {"tokens", "code"}
    assert authorizers["code"]["IdentitySource"] == [
        "$request.header.a",
        "$request.querystring.b",
    ]


def test_another_document_takes_the_place_of_an_api(served, apis):
    api_id = apis.create_api(Name="quick", ProtocolType="HTTP", Target=FUNCTION)["ApiId"]
    before = apis.get_stage(ApiId=api_id, StageName="$default")["DeploymentId"]
    api = apis.reimport_api(ApiId=api_id, Body=YAML)
    assert (api["ApiId"], api["Name"]) == (api_id, "orders")
    assert by_key(apis, api_id).keys() >= {"GET /orders", "$default"}
    assert apis.get_stage(ApiId=api_id, StageName="$default")["DeploymentId"] != before


def document(**changes):
    return json.dumps({"openapi": "3.0.1", "info": {"title": "x", "version": "1"}, **changes})


def operation(**members):
    return document(paths={"/a": {"get": members}})


def integration(**members):
    return operation(**{"x-amazon-apigateway-integration": members})


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "a: [",
        "7: 8",
        document(openapi="3.1.0"),
        document(openapi=None),
        document(info={}),
        document(paths=[]),
        document(paths={"a": {"get": {}}}),
        document(paths={"/a": {"get": []}}),
        document(**{"x-amazon-apigateway-policy": {}}),
        document(**{"x-amazon-apigateway-cors": {"maxAge": "x"}}),
        document(**{"x-amazon-apigateway-cors": {"other": 1}}),
        operation(security=[{"none": []}]),
        operation(security=[{"a": []}, {"b": []}]),
        integration(type="aws_proxy"),
        integration(type="mock"),
        integration(type="aws_proxy", uri=FUNCTION, timeoutInMillis="1"),
        integration(type="aws_proxy", uri=FUNCTION, cacheKeyParameters=[]),
        integration(**{"$ref": "#/components/x-amazon-apigateway-integrations/none"}),
    ],
    ids=range(21),
)
def test_what_cannot_be_imported(served, apis, refused, body):
    before = served.state.dump()
    code, status, _ = refused(apis.import_api, Body=body)
    assert (code, status) == ("BadRequestException", 400)
    assert served.state.dump() == before


def test_other_base_paths_are_refused(apis, refused):
    code, _, message = refused(apis.import_api, Body=YAML, Basepath="prepend")
    assert (code, "Basepath" in message) == ("BadRequestException", True)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["info", "paths", "components", "security", "x-amazon-apigateway-cors"]),
        _VALUES,
    )
)
def test_any_document_is_an_api_or_a_bad_request(members):
    body = json.dumps({"openapi": "3.0.1", **members})
    try:
        imported = parse_openapi(body)
    except ApiError as error:
        refusal = error
    else:
        refusal = None
        assert imported.members["Name"] == str(members["info"]["title"])
    assert refusal is None or refusal.code == "BadRequestException"
