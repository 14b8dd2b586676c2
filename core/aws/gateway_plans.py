"""Usage plans, the account's throttle and Lambda's concurrency: limits that lie outside an API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from core.aws.gateway import Throttle, throttle_of
from core.aws.session import aws_call

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigateway.type_defs import UsagePlanTypeDef
    from mypy_boto3_lambda import LambdaClient

_PAGE_SIZE = 500
# 10,000 keys are the most that an account has by default ("Amazon API Gateway quotas").
_MAX_KEY_PAGES = 20


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its value."""

    id: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests that a key may make in a period (DAY, WEEK or MONTH)."""

    limit: int
    period: str
    offset: int


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """A usage plan. `methods` has the throttles of single methods by (API id, stage) and route."""

    id: str
    name: str
    throttle: Throttle | None
    quota: Quota | None
    methods: Mapping[tuple[str, str], Mapping[str, Throttle]]


def find_api_keys(client: APIGatewayClient, values: frozenset[str]) -> dict[str, ApiKey]:
    """The keys that have these values, by value. Values are compared here and kept nowhere."""
    found: dict[str, ApiKey] = {}
    for value, key in _api_keys(client):
        if value in values:
            found[value] = key
        if len(found) == len(values):
            break
    return found


def list_api_keys(client: APIGatewayClient) -> dict[str, ApiKey]:
    """All keys by value, in the order of their names."""
    return dict(sorted(_api_keys(client), key=lambda found: found[1].name))


def _api_keys(client: APIGatewayClient) -> Iterator[tuple[str, ApiKey]]:
    with aws_call("list API keys"):
        pages = client.get_paginator("get_api_keys").paginate(
            includeValues=True, PaginationConfig={"PageSize": _PAGE_SIZE}
        )
        for page in islice(pages, _MAX_KEY_PAGES):
            for item in page["items"]:
                key = ApiKey(item["id"], item.get("name", ""), item.get("enabled", True))
                yield item.get("value", ""), key


def usage_plan_of(
    client: APIGatewayClient, key_id: str, api_id: str, stage: str
) -> UsagePlan | None:
    """The usage plan of a key for a stage; AWS allows one at most."""
    with aws_call(f"read the usage plans of API key {key_id}"):
        pages = client.get_paginator("get_usage_plans").paginate(
            keyId=key_id, PaginationConfig={"PageSize": _PAGE_SIZE}
        )
        for page in pages:
            for item in page["items"]:
                plan = _usage_plan(item)
                if (api_id, stage) in plan.methods:
                    return plan
    return None


def _usage_plan(item: UsagePlanTypeDef) -> UsagePlan:
    throttle, quota = item.get("throttle", {}), item.get("quota")
    methods: dict[tuple[str, str], Mapping[str, Throttle]] = {}
    for entry in item.get("apiStages", []):
        own = {}
        for target, limit in entry.get("throttle", {}).items():
            bucket = throttle_of(limit.get("rateLimit"), limit.get("burstLimit"))
            if bucket is not None:
                path, _, method = target.rpartition("/")
                own[f"{method} {path or '/'}"] = bucket
        methods[entry.get("apiId", ""), entry.get("stage", "")] = own
    return UsagePlan(
        item["id"],
        item.get("name", item["id"]),
        throttle_of(throttle.get("rateLimit"), throttle.get("burstLimit")),
        Quota(quota["limit"], quota.get("period", "DAY"), quota.get("offset", 0))
        if quota and "limit" in quota
        else None,
        methods,
    )


@dataclass(frozen=True, slots=True)
class UsedDay:
    """What a key used on a day (UTC), and what its quota had left after it (None: unknown)."""

    day: date
    used: int
    left: int | None


def daily_usage(
    client: APIGatewayClient, plan: UsagePlan, key_id: str, start: date, today: date
) -> list[UsedDay]:
    """What a key used on each day, as far as AWS has counted it, which takes it a while.

    AWS gives one pair for each day from `start` on; where it gives fewer, they are the last days.
    """
    with aws_call(f"read the usage of plan {plan.name}"):
        answer = client.get_usage(
            usagePlanId=plan.id,
            keyId=key_id,
            startDate=start.isoformat(),
            endDate=today.isoformat(),
        )
    pairs = answer.get("items", {}).get(key_id, [])
    first = today - timedelta(days=len(pairs) - 1)
    return [
        UsedDay(first + timedelta(days=number), pair[0], pair[1] if len(pair) > 1 else None)
        for number, pair in enumerate(pairs)
        if pair
    ]


def used_in_period(quota: Quota, days: Sequence[UsedDay]) -> int | None:
    """Requests that a key has used in the present period; None where AWS does not say."""
    if not days or days[-1].left is None:
        return None
    return max(0, quota.limit - days[-1].left)


def period_start(period: str, today: date) -> date:
    """The first day of the period (DAY, WEEK or MONTH) that `today` is in, by UTC."""
    if period == "MONTH":
        return today.replace(day=1)
    if period == "WEEK":
        # Weeks of usage plans begin on Sunday ("Create and use usage plans", developer guide).
        return today - timedelta(days=(today.weekday() + 1) % 7)
    return today


def account_throttle(client: APIGatewayClient) -> Throttle | None:
    """The throttle of the account in the region, which REST, HTTP and WebSocket APIs share."""
    with aws_call("read the account's throttle"):
        settings = client.get_account().get("throttleSettings", {})
    return throttle_of(settings.get("rateLimit"), settings.get("burstLimit"))


def reserved_concurrency(client: LambdaClient, function: str) -> int | None:
    """The reserved concurrency of a function; None where it shares the account's."""
    with aws_call(f"read the reserved concurrency of {function}"):
        answer = client.get_function_concurrency(FunctionName=function)
    return answer.get("ReservedConcurrentExecutions")


def unreserved_concurrency(client: LambdaClient) -> int:
    """The concurrent executions that functions without a reserve share."""
    with aws_call("read the account's concurrency"):
        answer = client.get_account_settings()
    return answer["AccountLimit"]["UnreservedConcurrentExecutions"]
