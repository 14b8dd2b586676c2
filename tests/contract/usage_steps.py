"""API Gateway, REST APIs: usage plans, keys, quotas, and what was used of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contract.account import Account, http_status, refused
from tests.contract.apis import STAGE, RestApi
from tests.contract.gateway_steps import FORBIDDEN, seen
from tests.contract.step import step

_NO_API = "serves no deployed APIs"
_NO_TYPE = "no x-amzn-ErrorType"


@dataclass(frozen=True, slots=True)
class Customer:
    """A key of a plan for one deployed API, which asks for a key."""

    api: RestApi
    plan: str
    key: str
    value: str

    def get(self) -> Any:
        return self.api.get("/orders", {"x-api-key": self.value})


def _customer(aws: Account, **limits: Any) -> Customer:
    api = RestApi(aws)
    api.mock("/orders", apiKeyRequired=True)
    api.deploy()
    plan = _plan(aws, apiStages=[{"apiId": api.id, "stage": STAGE}], **limits)
    # A plan that has a stage holds its API, so that the plan has to lose it first.
    aws.later(
        api.client.update_usage_plan,
        usagePlanId=plan["id"],
        patchOperations=[{"op": "remove", "path": "/apiStages", "value": f"{api.id}:{STAGE}"}],
    )
    value = aws.name("customer-key")
    key = _key(aws, value)
    api.client.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    return Customer(api, plan["id"], key["id"], value)


def _plan(aws: Account, **settings: Any) -> dict[str, Any]:
    apis = aws.client("apigateway")
    created = apis.create_usage_plan(name=aws.name("plan"), **settings)
    aws.later(apis.delete_usage_plan, usagePlanId=created["id"])
    return dict(created)


def _key(aws: Account, value: str) -> dict[str, Any]:
    apis = aws.client("apigateway")
    created = apis.create_api_key(name=aws.name("key"), value=value, enabled=True)
    aws.later(apis.delete_api_key, apiKey=created["id"])
    return dict(created)


@step()
def a_plan_has_limits(aws: Account) -> None:
    created = _plan(
        aws,
        throttle={"rateLimit": 10.5, "burstLimit": 5},
        quota={"limit": 200, "period": "DAY"},
    )
    assert http_status(created) == 201
    apis = aws.client("apigateway")
    shown = apis.get_usage_plan(usagePlanId=created["id"])
    assert shown["throttle"] == {"rateLimit": 10.5, "burstLimit": 5}
    quota = shown["quota"]
    assert (quota["limit"], quota["period"], quota.get("offset", 0)) == (200, "DAY", 0)
    operations = [
        {"op": "replace", "path": "/throttle/rateLimit", "value": "20"},
        {"op": "replace", "path": "/quota/limit", "value": "300"},
    ]
    changed = apis.update_usage_plan(usagePlanId=created["id"], patchOperations=operations)
    assert (changed["throttle"]["rateLimit"], changed["quota"]["limit"]) == (20.0, 300)
    assert http_status(apis.delete_usage_plan(usagePlanId=created["id"])) == 202
    gone = refused(apis.get_usage_plan, usagePlanId=created["id"])
    assert gone == ("NotFoundException", 404)


@step(ministack="shows it unasked")
def a_key_shows_its_value_when_asked(aws: Account) -> None:
    value = aws.name("customer-key")
    created = _key(aws, value)
    assert (http_status(created), created["value"], created["enabled"]) == (201, value, True)
    get_key = aws.client("apigateway").get_api_key
    assert "value" not in get_key(apiKey=created["id"])
    assert get_key(apiKey=created["id"], includeValue=True)["value"] == value


@step(ministack="makes a second key of a value")
def a_key_has_20_characters_and_is_unique(aws: Account) -> None:
    create_key = aws.client("apigateway").create_api_key
    short = refused(create_key, name="short", value="0" * 19, enabled=True)
    assert short == ("BadRequestException", 400)
    value = aws.name("customer-key")
    _key(aws, value)
    taken = refused(create_key, name="again", value=value, enabled=True)
    assert taken == ("ConflictException", 409)


@step(moto="accepts it again", ministack="accepts it again")
def a_key_is_of_a_plan_once(aws: Account) -> None:
    customer = _customer(aws)
    apis = customer.api.client
    listed = apis.get_usage_plan_keys(usagePlanId=customer.plan)["items"]
    assert [key["id"] for key in listed] == [customer.key]
    again = {"usagePlanId": customer.plan, "keyId": customer.key, "keyType": "API_KEY"}
    assert refused(apis.create_usage_plan_key, **again) == ("ConflictException", 409)
    missing = {**again, "keyId": "nowhere"}
    assert refused(apis.create_usage_plan_key, **missing) == ("NotFoundException", 404)
    named = {"usagePlanId": customer.plan, "keyId": customer.key}
    assert http_status(apis.delete_usage_plan_key(**named)) == 202


@step(moto=_NO_API, ministack=_NO_TYPE)
def a_key_opens_the_apis_of_its_plan(aws: Account) -> None:
    customer = _customer(aws)
    assert customer.get().status_code == 200
    other = RestApi(aws)
    other.mock("/orders", apiKeyRequired=True)
    other.deploy()
    assert seen(other.get("/orders", {"x-api-key": customer.value})) == FORBIDDEN


@step(moto=_NO_API, ministack="opens as before")
def a_disabled_key_opens_nothing(aws: Account) -> None:
    customer = _customer(aws)
    disable = [{"op": "replace", "path": "/enabled", "value": "false"}]
    customer.api.client.update_api_key(apiKey=customer.key, patchOperations=disable)
    assert seen(customer.get()) == FORBIDDEN


@step(moto=_NO_API)
def a_plan_throttles_its_keys(aws: Account) -> None:
    customer = _customer(aws, throttle={"rateLimit": 1, "burstLimit": 2})
    answers = [customer.get() for _ in range(12)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    refused_ones = [answer for answer in answers if answer.status_code != 200]
    assert refused_ones
    throttled = (429, "TooManyRequestsException", {"message": "Too Many Requests"})
    assert {str(seen(answer)) for answer in refused_ones} == {str(throttled)}


@step(moto=_NO_API, ministack=_NO_TYPE)
def a_quota_is_used_up(aws: Account) -> None:
    customer = _customer(aws, quota={"limit": 3, "period": "DAY"})
    answers = [customer.get() for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert seen(answers[-1]) == (429, "LimitExceededException", {"message": "Limit Exceeded"})


@step(moto="404 for GetUsage", ministack="GetUsage is empty")
def usage_is_by_key_and_day(aws: Account) -> None:
    customer = _customer(aws, quota={"limit": 5, "period": "MONTH"})
    for _ in range(2):
        customer.get()
    today = datetime.now(UTC).date()
    days = {"startDate": str(today - timedelta(days=1)), "endDate": str(today)}
    usage = customer.api.client.get_usage(usagePlanId=customer.plan, **days)
    assert usage["usagePlanId"] == customer.plan
    assert (usage["startDate"], usage["endDate"]) == (days["startDate"], days["endDate"])
    pairs = usage["items"][customer.key]
    assert len(pairs) == 2
    assert pairs[-1] == [2, 3]


@step(moto=_NO_API, ministack="no UpdateUsage")
def what_remains_is_extended(aws: Account) -> None:
    customer = _customer(aws, quota={"limit": 1, "period": "DAY"})
    assert [customer.get().status_code for _ in range(2)] == [200, 429]
    customer.api.client.update_usage(
        usagePlanId=customer.plan,
        keyId=customer.key,
        patchOperations=[{"op": "replace", "path": "/remaining", "value": "1"}],
    )
    assert [customer.get().status_code for _ in range(2)] == [200, 429]
