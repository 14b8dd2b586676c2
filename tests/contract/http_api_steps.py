"""API Gateway, HTTP APIs: what they are made of, and what their clients see."""

from __future__ import annotations

import json

from tests.contract.account import Account, http_status, refused
from tests.contract.apis import STAGE, HttpApi
from tests.contract.functions import RAISES, answers, arn_of, new_function
from tests.contract.step import step

_NO_API = "serves no deployed APIs"


@step(moto="200 for CreateApi, where AWS has 201")
def an_api_has_an_endpoint(aws: Account) -> None:
    apis = aws.client("apigatewayv2")
    created = apis.create_api(Name="shop", ProtocolType="HTTP", Description="orders")
    named = {"ApiId": created["ApiId"]}
    aws.later(apis.delete_api, **named)
    assert http_status(created) == 201
    assert (created["Name"], created["ProtocolType"]) == ("shop", "HTTP")
    assert created["ApiEndpoint"]
    assert created["RouteSelectionExpression"] == "$request.method $request.path"
    assert apis.update_api(**named, Description="carts")["Description"] == "carts"
    assert http_status(apis.delete_api(**named)) == 204
    assert refused(apis.get_api, **named) == ("NotFoundException", 404)


@step(moto="200 for CreateIntegration, where AWS has 201")
def an_integration_waits_30_seconds(aws: Account) -> None:
    api = HttpApi(aws)
    function = new_function(aws)
    created = api.client.create_integration(
        ApiId=api.id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=arn_of(aws, function),
        PayloadFormatVersion="2.0",
    )
    assert http_status(created) == 201
    assert created["TimeoutInMillis"] == 30_000
    assert (created["PayloadFormatVersion"], created["ConnectionType"]) == ("2.0", "INTERNET")


@step(moto="accepts any timeout", ministack="accepts any timeout")
def an_integration_waits_no_longer(aws: Account) -> None:
    api = HttpApi(aws)
    wrong = refused(
        api.client.create_integration,
        ApiId=api.id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=arn_of(aws, new_function(aws)),
        PayloadFormatVersion="2.0",
        TimeoutInMillis=30_001,
    )
    assert wrong == ("BadRequestException", 400)


@step(moto="makes a second route of a key", ministack="makes a second route of a key")
def a_route_is_made_once(aws: Account) -> None:
    api = HttpApi(aws)
    integration = api.integration(new_function(aws))
    route = api.route("GET /orders/{id}", integration)
    shown = api.client.get_route(ApiId=api.id, RouteId=route)
    assert (shown["RouteKey"], shown["AuthorizationType"]) == ("GET /orders/{id}", "NONE")
    again = refused(api.client.create_route, ApiId=api.id, RouteKey="GET /orders/{id}")
    assert again == ("ConflictException", 409)
    missing = refused(api.client.get_route, ApiId=api.id, RouteId="nowhere")
    assert missing == ("NotFoundException", 404)


@step(moto="accepts any key", ministack="accepts any key")
def a_route_key_is_a_method_and_a_path(aws: Account) -> None:
    api = HttpApi(aws)
    for key in ("orders", "FETCH /orders", "GET orders"):
        wrong = refused(api.client.create_route, ApiId=api.id, RouteKey=key)
        assert wrong == ("BadRequestException", 400), key


@step(moto="deletes it", ministack="deletes it")
def an_integration_with_a_route_stays(aws: Account) -> None:
    api = HttpApi(aws)
    integration = api.integration(new_function(aws))
    api.route("GET /orders", integration)
    held = refused(api.client.delete_integration, ApiId=api.id, IntegrationId=integration)
    assert held == ("ConflictException", 409)


@step(moto="500 for UpdateStage")
def a_stage_has_throttles(aws: Account) -> None:
    api = HttpApi(aws)
    api.route("GET /orders", api.integration(new_function(aws)))
    created = api.stage()
    assert (created["StageName"], created["AutoDeploy"]) == (STAGE, True)
    changed = api.client.update_stage(
        ApiId=api.id,
        StageName=STAGE,
        DefaultRouteSettings={"ThrottlingRateLimit": 20.5, "ThrottlingBurstLimit": 10},
        RouteSettings={"GET /orders": {"ThrottlingRateLimit": 2.0, "ThrottlingBurstLimit": 1}},
    )
    assert changed["DefaultRouteSettings"]["ThrottlingRateLimit"] == 20.5
    assert changed["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 10
    own = api.client.get_stage(ApiId=api.id, StageName=STAGE)["RouteSettings"]["GET /orders"]
    assert (own["ThrottlingRateLimit"], own["ThrottlingBurstLimit"]) == (2.0, 1)


@step(moto="404 for CreateDeployment", ministack="no AutoDeployed")
def a_deployment_is_made_by_hand(aws: Account) -> None:
    api = HttpApi(aws)
    api.route("GET /orders", api.integration(new_function(aws, answers())))
    created = api.client.create_deployment(ApiId=api.id)
    assert (http_status(created), created["AutoDeployed"]) == (201, False)
    api.client.create_stage(ApiId=api.id, StageName=STAGE, DeploymentId=created["DeploymentId"])
    assert api.get("/orders").status_code == 200


@step(moto=_NO_API)
def a_function_answers(aws: Account) -> None:
    api = HttpApi(aws)
    function = new_function(aws, answers(201, "made", **{"x-order": "7"}))
    api.route("GET /orders", api.integration(function))
    api.stage()
    answer = api.get("/orders")
    assert (answer.status_code, answer.text, answer.headers["x-order"]) == (201, "made", "7")
    assert answer.headers["apigw-requestid"]


@step(moto=_NO_API)
def a_function_answers_with_any_json(aws: Account) -> None:
    api = HttpApi(aws)
    source = "def handler(event, context):\n    return {'sold': 7}\n"
    api.route("GET /orders", api.integration(new_function(aws, source)))
    api.stage()
    answer = api.get("/orders")
    assert (answer.status_code, answer.json()) == (200, {"sold": 7})
    assert answer.headers["content-type"] == "application/json"


@step(moto=_NO_API)
def a_function_is_told_of_the_request(aws: Account) -> None:
    source = "def handler(event, context):\n    return event\n"
    api = HttpApi(aws)
    api.route("GET /orders/{id}", api.integration(new_function(aws, source)))
    api.stage()
    event = json.loads(api.get("/orders/7?size=s&size=m", headers={"X-Shop": "north"}).text)
    assert (event["version"], event["routeKey"]) == ("2.0", "GET /orders/{id}")
    assert event["rawQueryString"] == "size=s&size=m"
    assert event["queryStringParameters"] == {"size": "s,m"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["headers"]["x-shop"] == "north"
    context = event["requestContext"]
    assert (context["apiId"], context["stage"]) == (api.id, STAGE)
    assert context["http"]["method"] == "GET"
    assert context["http"]["sourceIp"] == "127.0.0.1"


@step(moto=_NO_API)
def an_unknown_route_is_404(aws: Account) -> None:
    api = HttpApi(aws)
    api.route("GET /orders", api.integration(new_function(aws, answers())))
    api.stage()
    answer = api.get("/none")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


@step(moto=_NO_API, ministack="throttles no routes")
def a_route_is_throttled(aws: Account) -> None:
    api = HttpApi(aws)
    integration = api.integration(new_function(aws, answers()))
    for key in ("GET /orders", "GET /carts"):
        api.route(key, integration)
    api.stage(
        RouteSettings={"GET /orders": {"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 2}}
    )
    # The function is started before, so that a slow start does not fill the bucket again.
    assert api.get("/carts").status_code == 200
    seen = [api.get("/orders") for _ in range(10)]
    assert [answer.status_code for answer in seen[:2]] == [200, 200]
    late = [answer for answer in seen if answer.status_code != 200]
    assert {answer.status_code for answer in late} == {429}
    assert late[0].json() == {"message": "Too Many Requests"}
    assert api.get("/carts").status_code == 200


@step(moto=_NO_API, ministack="502 with what was raised")
def what_a_function_raises_is_500(aws: Account) -> None:
    api = HttpApi(aws)
    api.route("GET /orders", api.integration(new_function(aws, RAISES)))
    api.stage()
    answer = api.get("/orders")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
