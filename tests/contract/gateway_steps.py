"""API Gateway, REST APIs: what the clients of a deployed API see.

Rates are low and bursts are small, so that few requests tell a limit; how many more than the burst
may pass is computed from the time that the requests really took.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import count

import httpx

from tests.contract.account import Account
from tests.contract.apis import RestApi
from tests.contract.functions import RAISES, SLEEPS, answers, new_function
from tests.contract.step import step

_NO_API = "serves no deployed APIs"
_NO_TYPE = "no x-amzn-ErrorType"

FORBIDDEN = (403, "ForbiddenException", {"message": "Forbidden"})
BAD_GATEWAY = (502, "InternalServerErrorException", {"message": "Internal server error"})


def seen(answer: httpx.Response) -> tuple[int, str | None, object]:
    """What tells errors apart: status, error type and body."""
    return answer.status_code, answer.headers.get("x-amzn-ErrorType"), answer.json()


@step(moto=_NO_API)
def a_mock_answers(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders", '{"orders":[]}')
    api.deploy()
    answer = api.get("/orders")
    assert (answer.status_code, answer.json()) == (200, {"orders": []})
    assert answer.headers["content-type"] == "application/json"


@step(moto=_NO_API, ministack="no x-amz-apigw-id")
def answers_have_ids(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    first, second = api.get("/orders"), api.get("/orders")
    assert first.headers["x-amzn-RequestId"] != second.headers["x-amzn-RequestId"]
    assert first.headers["x-amz-apigw-id"]


@step(moto=_NO_API)
def a_function_answers(aws: Account) -> None:
    api = RestApi(aws)
    api.proxy("/orders", new_function(aws, answers(201, "made", **{"X-Order": "7"})))
    api.deploy()
    answer = api.get("/orders")
    assert (answer.status_code, answer.text, answer.headers["x-order"]) == (201, "made", "7")


@step(moto=_NO_API, ministack="the first value of a repeated parameter, where AWS has the last")
def a_function_is_told_of_the_request(aws: Account) -> None:
    source = (
        "import json\n"
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'body': json.dumps(event)}\n"
    )
    api = RestApi(aws)
    api.proxy("/orders", new_function(aws, source))
    api.deploy()
    event = json.loads(api.get("/orders?id=1&id=2", {"X-Shop": "north"}).text)
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/orders", "/orders", "GET")
    assert event["queryStringParameters"] == {"id": "2"}
    assert event["multiValueQueryStringParameters"] == {"id": ["1", "2"]}
    assert event["headers"]["X-Shop"] == "north"
    context = event["requestContext"]
    assert (context["apiId"], context["stage"], context["accountId"]) == (api.id, "prod", aws.id)
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert (event["body"], event["isBase64Encoded"]) == (None, False)


@step(moto=_NO_API, ministack="changes need no deployment")
def what_is_not_deployed_is_not_there(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    api.mock("/carts")
    assert api.get("/carts").status_code == 403
    api.deploy()
    assert api.get("/carts").status_code == 200


@step(moto=_NO_API)
def an_unknown_path_lacks_a_token(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    lacking = {"message": "Missing Authentication Token"}
    assert seen(api.get("/none")) == (403, "MissingAuthenticationTokenException", lacking)
    posted = aws.fetch(aws.api_url(api.id, "prod", "/orders"), "POST")
    assert seen(posted) == (403, "MissingAuthenticationTokenException", lacking)


@step(moto=_NO_API)
def an_unknown_stage_is_forbidden(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    assert seen(api.get("/orders", stage="none")) == FORBIDDEN


@step(moto=_NO_API, ministack=_NO_TYPE)
def a_key_is_needed_where_it_is_required(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders", apiKeyRequired=True)
    api.deploy()
    assert seen(api.get("/orders")) == FORBIDDEN
    assert seen(api.get("/orders", {"x-api-key": "0" * 20})) == FORBIDDEN


@step(moto=_NO_API)
def a_method_is_throttled(aws: Account) -> None:
    api = RestApi(aws)
    for path in ("/orders", "/carts"):
        api.mock(path)
    api.deploy()
    api.patch_stage(
        {
            "/~1orders/GET/throttling/rateLimit": "2",
            "/~1orders/GET/throttling/burstLimit": "3",
        }
    )
    throttled = (429, "TooManyRequestsException", {"message": "Too Many Requests"})
    assert throttled == seen(_first_refused(lambda: api.get("/orders"), rate_rps=2, burst=3))
    assert api.get("/carts").status_code == 200


@step(moto=_NO_API)
def a_throttled_method_recovers(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    api.patch_stage({"/*/*/throttling/rateLimit": "4", "/*/*/throttling/burstLimit": "1"})
    _first_refused(lambda: api.get("/orders"), rate_rps=4, burst=1)
    time.sleep(0.3)
    assert api.get("/orders").status_code == 200


@step(moto=_NO_API)
def there_is_no_hint_when_to_retry(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    api.patch_stage({"/*/*/throttling/rateLimit": "1", "/*/*/throttling/burstLimit": "1"})
    answer = _first_refused(lambda: api.get("/orders"), rate_rps=1, burst=1)
    assert "retry-after" not in answer.headers


@step(moto=_NO_API, ministack="tells the client what was raised")
def what_a_function_raises_is_502(aws: Account) -> None:
    api = RestApi(aws)
    api.proxy("/orders", new_function(aws, RAISES))
    api.deploy()
    assert seen(api.get("/orders")) == BAD_GATEWAY


@step(moto=_NO_API, ministack="passes it on")
def an_answer_of_another_form_is_502(aws: Account) -> None:
    api = RestApi(aws)
    api.proxy("/orders", new_function(aws, "def handler(event, context):\n    return 'seven'\n"))
    api.deploy()
    assert seen(api.get("/orders")) == BAD_GATEWAY


@step(moto=_NO_API, ministack="429, as Lambda itself has it")
def a_throttled_function_is_500(aws: Account) -> None:
    api = RestApi(aws)
    function = new_function(aws, answers())
    aws.client("lambda").put_function_concurrency(
        FunctionName=function, ReservedConcurrentExecutions=0
    )
    api.proxy("/orders", function)
    api.deploy()
    # As for all that Lambda refuses: a client of the API cannot tell that it was a throttle.
    assert seen(api.get("/orders")) == (500, *BAD_GATEWAY[1:])


@step(moto=_NO_API, ministack="asks for no permission")
def a_function_has_to_allow_the_api(aws: Account) -> None:
    api = RestApi(aws)
    function = new_function(aws, answers())
    api.proxy("/orders", function)
    api.deploy()
    assert api.get("/orders").status_code == 200
    aws.client("lambda").remove_permission(FunctionName=function, StatementId=f"api-{api.id}")
    assert seen(api.get("/orders")) == (500, *BAD_GATEWAY[1:])


@step(moto=_NO_API, ministack="waits for the function")
def an_integration_that_takes_too_long_is_504(aws: Account) -> None:
    api = RestApi(aws)
    api.proxy("/orders", new_function(aws, SLEEPS, Timeout=5), timeoutInMillis=200)
    api.deploy()
    late = {"message": "Endpoint request timed out"}
    assert seen(api.get("/orders")) == (504, "InternalServerErrorException", late)


@step(moto=_NO_API)
def a_gateway_response_replaces_the_answer(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.client.put_gateway_response(
        restApiId=api.id,
        responseType="MISSING_AUTHENTICATION_TOKEN",
        statusCode="404",
        responseParameters={"gatewayresponse.header.X-Shop": "'closed'"},
        responseTemplates={"application/json": '{"why":$context.error.messageString}'},
    )
    api.deploy()
    answer = api.get("/none")
    assert (answer.status_code, answer.headers.get("x-shop")) == (404, "closed")
    assert answer.json() == {"why": "Missing Authentication Token"}


def _first_refused(
    get: Callable[[], httpx.Response], *, rate_rps: float, burst: int
) -> httpx.Response:
    """Asks until it is refused, which is after the burst and what came in meanwhile."""
    begin = time.monotonic()
    for passed in count():
        answer = get()
        if answer.status_code != 200:
            assert passed >= burst, f"{passed} passed, with a burst of {burst}"
            return answer
        most = burst + rate_rps * (time.monotonic() - begin)
        # One more, because the clocks of both sides are read at different times.
        assert passed <= most + 1, f"{passed + 1} passed, at most {most:.1f} may"
        assert passed < 200, "the machine is too slow to exceed the rate"
    raise AssertionError("unreachable")
