"""API Gateway, REST APIs: what an API is made of."""

from __future__ import annotations

from tests.contract.account import Account, http_status, refused
from tests.contract.apis import RestApi, invocation_uri
from tests.contract.functions import arn_of, new_function
from tests.contract.step import step


@step(moto="200 for CreateRestApi, where AWS has 201")
def an_api_has_a_root(aws: Account) -> None:
    apis = aws.client("apigateway")
    created = apis.create_rest_api(
        name="shop", description="orders", endpointConfiguration={"types": ["REGIONAL"]}
    )
    aws.later(apis.delete_rest_api, restApiId=created["id"])
    assert http_status(created) == 201
    assert (created["name"], created["description"]) == ("shop", "orders")
    assert created["apiKeySource"] == "HEADER"
    assert created["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert created["disableExecuteApiEndpoint"] is False
    resources = apis.get_resources(restApiId=created["id"])["items"]
    assert [(each["id"], each["path"]) for each in resources] == [(created["rootResourceId"], "/")]
    assert http_status(apis.delete_rest_api(restApiId=created["id"])) == 202
    gone = refused(apis.get_rest_api, restApiId=created["id"])
    assert gone == ("NotFoundException", 404)


@step(moto="ignores paths that it does not know", ministack="ignores paths that it does not know")
def an_api_is_patched(aws: Account) -> None:
    api = RestApi(aws)
    operations = [
        {"op": "replace", "path": "/description", "value": "orders"},
        {"op": "replace", "path": "/apiKeySource", "value": "AUTHORIZER"},
    ]
    shown = api.client.update_rest_api(restApiId=api.id, patchOperations=operations)
    assert (shown["description"], shown["apiKeySource"]) == ("orders", "AUTHORIZER")
    wrong = [{"op": "replace", "path": "/nothing", "value": "1"}]
    refusal = refused(api.client.update_rest_api, restApiId=api.id, patchOperations=wrong)
    assert refusal == ("BadRequestException", 400)


@step(
    moto="makes a second resource of a path",
    ministack="keeps the resources below one that is deleted",
)
def a_resource_has_a_path(aws: Account) -> None:
    api = RestApi(aws)
    orders = {"restApiId": api.id, "parentId": api.resource("/"), "pathPart": "orders"}
    created = api.client.create_resource(**orders)
    assert (http_status(created), created["path"]) == (201, "/orders")
    below = api.client.create_resource(restApiId=api.id, parentId=created["id"], pathPart="{id}")
    assert below["path"] == "/orders/{id}"
    assert refused(api.client.create_resource, **orders) == ("ConflictException", 409)
    lost = {"restApiId": api.id, "parentId": "nowhere", "pathPart": "x"}
    assert refused(api.client.create_resource, **lost) == ("NotFoundException", 404)
    assert (
        http_status(api.client.delete_resource(restApiId=api.id, resourceId=created["id"])) == 202
    )
    paths = [each["path"] for each in api.client.get_resources(restApiId=api.id)["items"]]
    assert paths == ["/"]


@step(moto="accepts an open brace", ministack="accepts any text")
def a_path_part_has_to_be_one(aws: Account) -> None:
    api = RestApi(aws)
    root = api.resource("/")
    for part in ("a/b", "{id", "with space"):
        wrong = refused(api.client.create_resource, restApiId=api.id, parentId=root, pathPart=part)
        assert wrong == ("BadRequestException", 400), part


@step(moto="puts it again", ministack="puts it again")
def a_method_is_put_once(aws: Account) -> None:
    api = RestApi(aws)
    named = api.method("/orders", "POST", apiKeyRequired=True)
    shown = api.client.get_method(**named)
    assert (shown["httpMethod"], shown["authorizationType"]) == ("POST", "NONE")
    assert shown["apiKeyRequired"] is True
    again = refused(api.client.put_method, **named, authorizationType="NONE")
    assert again == ("ConflictException", 409)
    assert http_status(api.client.delete_method(**named)) == 204
    assert refused(api.client.get_method, **named) == ("NotFoundException", 404)


@step(moto="no timeoutInMillis by default")
def an_integration_waits_29_seconds_unless_told_otherwise(aws: Account) -> None:
    api = RestApi(aws)
    function = new_function(aws)
    named = api.method("/orders")
    proxy = {
        "type": "AWS_PROXY",
        "integrationHttpMethod": "POST",
        "uri": invocation_uri(arn_of(aws, function)),
    }
    created = api.client.put_integration(**named, **proxy)
    assert (http_status(created), created["timeoutInMillis"]) == (201, 29_000)
    assert (created["type"], created["httpMethod"]) == ("AWS_PROXY", "POST")
    assert created["passthroughBehavior"] == "WHEN_NO_MATCH"
    api.client.put_integration(**named, **proxy, timeoutInMillis=5_000)
    assert api.client.get_integration(**named)["timeoutInMillis"] == 5_000


@step(moto="accepts any timeout", ministack="accepts any timeout")
def an_integration_waits_no_longer_than_29_seconds(aws: Account) -> None:
    api = RestApi(aws)
    named = api.method("/orders")
    for timeout_ms in (49, 29_001):
        wrong = refused(
            api.client.put_integration, **named, type="MOCK", timeoutInMillis=timeout_ms
        )
        assert wrong == ("BadRequestException", 400), timeout_ms


@step()
def an_integration_needs_its_method(aws: Account) -> None:
    api = RestApi(aws)
    named = {"restApiId": api.id, "resourceId": api.resource("/orders"), "httpMethod": "GET"}
    missing = refused(api.client.put_integration, **named, type="MOCK")
    assert missing == ("NotFoundException", 404)


@step(moto="shows them unasked", ministack="shows them unasked")
def resources_show_their_methods_when_asked(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    plain = api.client.get_resources(restApiId=api.id)["items"]
    full = api.client.get_resources(restApiId=api.id, embed=["methods"])["items"]

    def get_of(resources: list[dict[str, dict[str, object]]]) -> dict[str, object] | object:
        (orders,) = (each for each in resources if each["path"] == "/orders")
        return orders["resourceMethods"]["GET"]

    assert get_of(plain) == {}
    embedded = get_of(full)
    assert isinstance(embedded, dict)
    assert embedded["methodIntegration"]["type"] == "MOCK"
    assert embedded["methodIntegration"]["integrationResponses"]["200"]["statusCode"] == "200"


@step(ministack="deploys it")
def nothing_is_deployed_without_a_method(aws: Account) -> None:
    api = RestApi(aws)
    deploy = api.client.create_deployment
    assert refused(deploy, restApiId=api.id, stageName="prod") == ("BadRequestException", 400)


@step(moto="NotFoundException with a 400", ministack="deploys it")
def nothing_is_deployed_without_an_integration(aws: Account) -> None:
    api = RestApi(aws)
    api.method("/orders")
    deploy = api.client.create_deployment
    assert refused(deploy, restApiId=api.id, stageName="prod") == ("BadRequestException", 400)


@step()
def the_account_has_a_throttle(aws: Account) -> None:
    throttle = aws.client("apigateway").get_account()["throttleSettings"]
    assert throttle == {"rateLimit": 10_000.0, "burstLimit": 5_000}


@step(moto="404 for a default")
def a_gateway_response_is_a_default_until_it_is_put(aws: Account) -> None:
    api = RestApi(aws)
    named = {"restApiId": api.id, "responseType": "THROTTLED"}
    default = api.client.get_gateway_response(**named)
    assert (default["statusCode"], default["defaultResponse"]) == ("429", True)
    template = {"application/json": '{"message":$context.error.messageString}'}
    assert default["responseTemplates"] == template
    put = api.client.put_gateway_response(**named, statusCode="503")
    assert http_status(put) == 201
    own = api.client.get_gateway_response(**named)
    assert (own["statusCode"], own["defaultResponse"]) == ("503", False)
    assert http_status(api.client.delete_gateway_response(**named)) == 202
    assert api.client.get_gateway_response(**named)["defaultResponse"] is True


@step(moto="lists no defaults")
def there_are_as_many_gateway_responses_as_types(aws: Account) -> None:
    api = RestApi(aws)
    shown = api.client.get_gateway_responses(restApiId=api.id)["items"]
    types = {each["responseType"] for each in shown}
    assert {"THROTTLED", "QUOTA_EXCEEDED", "INTEGRATION_TIMEOUT", "DEFAULT_4XX"} <= types
    missing = {each["responseType"] for each in shown if "statusCode" not in each}
    assert missing == {"DEFAULT_4XX", "DEFAULT_5XX"}


@step(moto="ignores the limit")
def apis_are_listed_in_pages(aws: Account) -> None:
    made = {RestApi(aws).id for _ in range(3)}
    apis = aws.client("apigateway")
    first = apis.get_rest_apis(limit=1)
    assert len(first["items"]) == 1
    assert first["position"]
    pages = apis.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 1})
    assert made <= {api["id"] for page in pages for api in page["items"]}
