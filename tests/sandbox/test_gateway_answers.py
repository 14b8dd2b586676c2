"""What a client sees of each event, row by row of what is known of AWS: status, headers, body."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from gateway_rig import REGION, Answer, HttpRig, RestRig, send

PROXY_OK = {"statusCode": 200, "body": "hello", "headers": {"X-Own": "1"}}


def model(response: Any = PROXY_OK, **more: Any) -> dict[str, dict[str, str]]:
    document = {"duration_ms": {"128": 1}, "init_ms": 0, "response": response, **more}
    return {"Variables": {"SANDBOX_MODEL": json.dumps(document)}}


@pytest.fixture(scope="module")
def functions(sandbox: Any, client: Any, create_in: Any) -> dict[str, str]:
    """Functions by what they do."""
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    made = {
        "ok": model(),
        "fails": model(failure="error"),
        "malformed": model({"statusCode": "none"}),
        "slow": model(duration_ms={"128": 2000}, hold=True),
        "throttled": model(),
        "forbidden": model(),
        "denies": model(
            {
                "principalId": "u",
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{**allow, "Effect": "Deny"}],
                },
            }
        ),
    }
    for name, environment in made.items():
        create_in(client, f"answers-{name}", Environment=environment)
    client.put_function_concurrency(
        FunctionName="answers-throttled", ReservedConcurrentExecutions=0
    )
    return {name: f"answers-{name}" for name in made}


@pytest.fixture(scope="module")
def rest(
    sandbox: Any, client: Any, connect: Callable[..., Any], functions: dict[str, str]
) -> RestRig:
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client).create("answers")
    rig.mock("/mock")
    rig.mock("/limited")
    rig.mock("/keyed", apiKeyRequired=True)
    rig.mock("/signed", authorizationType="AWS_IAM")
    rig.mock("/upload", "POST")
    rig.mock("/strict", "POST", integration={"passthroughBehavior": "NEVER"})
    for name in ("ok", "fails", "malformed", "throttled"):
        rig.function(f"/{name}", functions[name])
    rig.function("/forbidden", functions["forbidden"], allow=False)
    rig.function("/slow", functions["slow"], integration={"timeoutInMillis": 60})
    where = rig.method("/unreachable")
    # Port 9 of the loopback interface (discard): nothing listens there.
    rig.client.put_integration(
        **where, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://127.0.0.1:9/"
    )
    authorizer = rig.client.create_authorizer(
        restApiId=rig.api_id,
        name="denies",
        type="TOKEN",
        authorizerUri=(
            f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
            f"arn:aws:lambda:{REGION}:000000000000:function:{functions['denies']}/invocations"
        ),
        identitySource="method.request.header.Authorization",
    )
    rig.allow(functions["denies"])
    rig.mock("/guarded", authorizationType="CUSTOM", authorizerId=authorizer["id"])
    rig.deploy(
        ("/~1limited/GET/throttling/rateLimit", "1"),
        ("/~1limited/GET/throttling/burstLimit", "1"),
    )
    return rig


@pytest.fixture(scope="module")
def keys(rest: RestRig) -> dict[str, str]:
    """API keys: one with a quota that is used up, one that no plan has."""
    api = rest.client
    plan = api.create_usage_plan(
        name="answers",
        apiStages=[{"apiId": rest.api_id, "stage": rest.stage}],
        quota={"limit": 1, "period": "DAY"},
    )
    made = {}
    for name in ("used-up", "planless"):
        key = api.create_api_key(name=name, value=f"answers-{name}-0123456789", enabled=True)
        made[name] = key["value"]
        if name == "used-up":
            api.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    assert rest.get("/keyed", headers={"x-api-key": made["used-up"]}).status == 200
    return made


@pytest.fixture(scope="module")
def http_api(
    sandbox: Any, client: Any, connect: Callable[..., Any], functions: dict[str, str]
) -> HttpRig:
    rig = HttpRig(sandbox.endpoint_url, connect(sandbox, "apigatewayv2"), client).create("answers")
    for name in ("ok", "fails", "throttled"):
        rig.function(f"GET /{name}", functions[name])
    rig.function("GET /limited", functions["ok"])
    rig.function("GET /forbidden", functions["forbidden"], allow=False)
    rig.function("GET /slow", functions["slow"], integration={"TimeoutInMillis": 60})
    authorizer = rig.client.create_authorizer(
        ApiId=rig.api_id,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Audience": ["a"], "Issuer": "https://127.0.0.1:9/"},
    )
    rig.function(
        "GET /guarded",
        functions["ok"],
        AuthorizationType="JWT",
        AuthorizerId=authorizer["AuthorizerId"],
    )
    rig.deploy(
        RouteSettings={"GET /limited": {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}}
    )
    return rig


def signed(rig: RestRig, path: str, secret: str, token: str | None = None) -> dict[str, str]:
    """The headers of a request signed for the API."""
    url = rig.endpoint_url + rig.base + path
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials("sandbox", secret, token), "execute-api", REGION).add_auth(request)
    return dict(request.headers)


INTERNAL = '{"message": "Internal server error"}'
SERVER = "InternalServerErrorException"


@pytest.mark.parametrize(
    ("path", "method", "headers", "status", "body", "error_type"),
    [
        pytest.param("/mock", "GET", {}, 200, '{"ok":true}', None, id="mock"),
        pytest.param("/ok", "GET", {}, 200, "hello", None, id="lambda"),
        pytest.param(
            "/keyed",
            "GET",
            {"x-api-key": "answers-used-up-0123456789"},
            429,
            '{"message":"Limit Exceeded"}',
            "LimitExceededException",
            id="quota used up",
        ),
        pytest.param(
            "/keyed", "GET", {}, 403, '{"message":"Forbidden"}', "ForbiddenException", id="no key"
        ),
        pytest.param(
            "/keyed",
            "GET",
            {"x-api-key": "nobodys"},
            403,
            '{"message":"Forbidden"}',
            "ForbiddenException",
            id="unknown key",
        ),
        pytest.param(
            "/keyed",
            "GET",
            {"x-api-key": "answers-planless-0123456789"},
            403,
            '{"message":"Forbidden"}',
            "ForbiddenException",
            id="key without a plan",
        ),
        pytest.param(
            "/nothing",
            "GET",
            {},
            403,
            '{"message":"Missing Authentication Token"}',
            "MissingAuthenticationTokenException",
            id="unknown path",
        ),
        pytest.param(
            "/mock",
            "DELETE",
            {},
            403,
            '{"message":"Missing Authentication Token"}',
            "MissingAuthenticationTokenException",
            id="unknown method",
        ),
        pytest.param(
            "/signed",
            "GET",
            {},
            403,
            '{"message":"Missing Authentication Token"}',
            "MissingAuthenticationTokenException",
            id="not signed",
        ),
        pytest.param(
            "/guarded",
            "GET",
            {},
            401,
            '{"message":"Unauthorized"}',
            "UnauthorizedException",
            id="no token",
        ),
        pytest.param(
            "/guarded",
            "GET",
            {"Authorization": "any"},
            403,
            '{"Message":"User is not authorized to access this resource with an explicit deny"}',
            "AccessDeniedException",
            id="authorizer denies",
        ),
        pytest.param("/fails", "GET", {}, 502, INTERNAL, SERVER, id="function error"),
        pytest.param("/malformed", "GET", {}, 502, INTERNAL, SERVER, id="malformed answer"),
        pytest.param("/throttled", "GET", {}, 500, INTERNAL, SERVER, id="Lambda throttles"),
        pytest.param("/forbidden", "GET", {}, 500, INTERNAL, SERVER, id="no invoke permission"),
        pytest.param(
            "/slow",
            "GET",
            {},
            504,
            '{"message": "Endpoint request timed out"}',
            SERVER,
            id="integration timeout",
        ),
        pytest.param("/unreachable", "GET", {}, 504, INTERNAL, SERVER, id="connect failure"),
        pytest.param(
            "/strict",
            "POST",
            {"Content-Type": "text/csv"},
            415,
            '{"message":"Unsupported Media Type"}',
            "UnsupportedMediaTypeException",
            id="media type",
        ),
        pytest.param(
            "/mock?" + "x" * 10_300,
            "GET",
            {},
            414,
            '{"message":"URI Too Long"}',
            "RequestUriTooLongException",
            id="long URL",
        ),
        pytest.param(
            "/mock",
            "GET",
            {"X-Big": "x" * 10_300},
            431,
            '{"message":"Request header fields too large"}',
            "RequestHeaderSectionTooLargeException",
            id="large headers",
        ),
    ],
)
def test_rest_api(
    rest: RestRig,
    keys: dict[str, str],
    path: str,
    method: str,
    headers: dict[str, str],
    status: int,
    body: str,
    error_type: str | None,
) -> None:
    answer = rest.get(path, method, headers=headers)
    assert (answer.status, answer.text) == (status, body)
    assert answer.headers.get("x-amzn-errortype") == error_type
    assert_rest_ids(answer)


def assert_rest_ids(answer: Answer) -> None:
    assert len(answer.headers["x-amzn-requestid"]) == 36
    assert answer.headers["x-amz-apigw-id"].endswith("=")
    assert "apigw-requestid" not in answer.headers
    assert "retry-after" not in answer.headers


def test_rest_api_throttled(rest: RestRig) -> None:
    answers = [rest.get("/limited") for _ in range(4)]
    refused = [answer for answer in answers if answer.status != 200]
    assert refused
    for answer in refused:
        assert (answer.status, answer.text) == (429, '{"message":"Too Many Requests"}')
        assert answer.headers["x-amzn-errortype"] == "TooManyRequestsException"
        assert_rest_ids(answer)


def test_rest_api_body_too_large(rest: RestRig) -> None:
    answer = rest.get("/upload", "POST", body=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status, answer.text) == (413, '{"message":"Request Too Long"}')


def test_rest_api_signatures(rest: RestRig, sandbox: Any, connect: Callable[..., Any]) -> None:
    good = rest.get("/signed", headers=signed(rest, "/signed", "sandbox"))
    bad = rest.get("/signed", headers=signed(rest, "/signed", "other"))
    assert good.status == 200
    assert bad.status == 403
    assert bad.headers["x-amzn-errortype"] == "InvalidSignatureException"
    assert bad.json["message"].startswith("The request signature we calculated does not match")


def test_an_api_or_stage_that_is_not_there_is_forbidden(rest: RestRig) -> None:
    for path in ("/_aws/execute-api/abcdefghij/prod/x", f"/_aws/execute-api/{rest.api_id}/no/mock"):
        answer = send(rest.endpoint_url, path)
        assert (answer.status, answer.text) == (403, '{"message":"Forbidden"}')
        assert answer.headers["x-amzn-errortype"] == "ForbiddenException"


@pytest.mark.parametrize(
    ("path", "headers", "status", "body"),
    [
        pytest.param("/ok", {}, 200, "hello", id="lambda"),
        pytest.param("/nothing", {}, 404, '{"message":"Not Found"}', id="unknown route"),
        pytest.param("/guarded", {}, 401, '{"message":"Unauthorized"}', id="no token"),
        pytest.param(
            "/guarded",
            {"Authorization": "Bearer a.b.c"},
            401,
            '{"message":"Unauthorized"}',
            id="bad token",
        ),
        pytest.param("/slow", {}, 503, '{"message":"Service Unavailable"}', id="timeout"),
        pytest.param("/throttled", {}, 503, '{"message":"Service Unavailable"}', id="throttled"),
        pytest.param("/fails", {}, 500, '{"message":"Internal Server Error"}', id="error"),
        pytest.param("/forbidden", {}, 500, '{"message":"Internal Server Error"}', id="permission"),
    ],
)
def test_http_api(
    http_api: HttpRig, path: str, headers: dict[str, str], status: int, body: str
) -> None:
    answer = http_api.get(path, headers=headers)
    assert (answer.status, answer.text) == (status, body)
    assert_http_ids(answer)


def assert_http_ids(answer: Answer) -> None:
    assert answer.headers["apigw-requestid"].endswith("=")
    assert "x-amzn-requestid" not in answer.headers
    assert "x-amz-apigw-id" not in answer.headers
    assert "x-amzn-errortype" not in answer.headers


def test_http_api_throttled(http_api: HttpRig) -> None:
    answers = [http_api.get("/limited") for _ in range(4)]
    refused = [answer for answer in answers if answer.status != 200]
    assert refused
    for answer in refused:
        assert (answer.status, answer.text) == (429, '{"message":"Too Many Requests"}')
        assert_http_ids(answer)


@pytest.fixture
def custom(
    sandbox: Any, client: Any, connect: Callable[..., Any], functions: dict[str, str]
) -> Iterator[RestRig]:
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client).create("custom")
    rig.mock("/keyed", apiKeyRequired=True)
    rig.function("/fails", functions["fails"])
    yield rig
    rig.client.delete_rest_api(restApiId=rig.api_id)


def test_gateway_responses_can_be_customised(custom: RestRig) -> None:
    custom.client.put_gateway_response(
        restApiId=custom.api_id,
        responseType="INVALID_API_KEY",
        statusCode="418",
        responseParameters={"gatewayresponse.header.X-Why": "'no key'"},
        responseTemplates={
            "application/json": '{"type":"$context.error.responseType",'
            '"m":$context.error.messageString,"id":"$context.requestId"}'
        },
    )
    custom.client.put_gateway_response(
        restApiId=custom.api_id,
        responseType="DEFAULT_5XX",
        responseTemplates={"text/plain": "sorry: $context.error.message"},
    )
    custom.deploy()
    refused = custom.get("/keyed")
    assert (refused.status, refused.headers["x-why"]) == (418, "no key")
    request_id = refused.headers["x-amzn-requestid"]
    assert refused.json == {"type": "INVALID_API_KEY", "m": "Forbidden", "id": request_id}
    failed = custom.get("/fails")
    assert (failed.status, failed.text) == (502, "sorry: Internal server error")
    assert failed.headers["content-type"] == "text/plain"


def test_gateway_responses_wait_for_the_next_deployment(custom: RestRig) -> None:
    custom.deploy()
    custom.client.put_gateway_response(
        restApiId=custom.api_id, responseType="INVALID_API_KEY", statusCode="418"
    )
    assert custom.get("/keyed").status == 403
    custom.deploy()
    assert custom.get("/keyed").status == 418


def test_an_api_is_reached_by_its_host_name(rest: RestRig) -> None:
    host = f"{rest.api_id}.execute-api.{REGION}.amazonaws.com"
    answer = send(rest.endpoint_url, "/prod/mock", headers={"Host": host})
    assert (answer.status, answer.text) == (200, '{"ok":true}')
