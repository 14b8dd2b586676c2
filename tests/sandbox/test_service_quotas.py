"""Service Quotas as boto3 sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rpc_rig import REGION, client_of, serve

from sandbox.lambda_api.names import Home
from sandbox.service_quotas import (
    CONCURRENT_EXECUTIONS,
    QUOTAS,
    THROTTLE_BURST,
    THROTTLE_RATE,
    ServiceQuotasService,
    quota_of_usage,
)
from sandbox.telemetry.metrics import Metric

Refused = Callable[..., tuple[str, int, str]]
APPLIED = {CONCURRENT_EXECUTIONS: 50.0, THROTTLE_RATE: 100.0}


@pytest.fixture(scope="module")
def quotas() -> Iterator[Any]:
    service = ServiceQuotasService(Home("000000000000", REGION), lambda: APPLIED)
    with serve({"servicequotas": service}) as port, client_of(port, "service-quotas") as client:
        yield client


@pytest.mark.parametrize(
    ("service", "code", "applied", "default", "adjustable"),
    [
        pytest.param("lambda", CONCURRENT_EXECUTIONS, 50.0, 1000.0, True, id="concurrency"),
        pytest.param("apigateway", THROTTLE_RATE, 100.0, 10_000.0, True, id="rate"),
        pytest.param("apigateway", THROTTLE_BURST, 5000.0, 5000.0, False, id="burst-as-default"),
        pytest.param("apigateway", "L-E5AE38E3", 29_000.0, 29_000.0, True, id="timeout"),
    ],
)
def test_a_quota_has_what_applies_and_a_default(
    quotas: Any,
    service: str,
    code: str,
    applied: float,
    default: float,
    adjustable: bool,  # noqa: FBT001
) -> None:
    names = {"ServiceCode": service, "QuotaCode": code}
    quota = quotas.get_service_quota(**names)["Quota"]
    assert (quota["Value"], quota["Adjustable"]) == (applied, adjustable)
    assert quota["QuotaArn"] == f"arn:aws:servicequotas:us-east-1:000000000000:{service}/{code}"
    standard = quotas.get_aws_default_service_quota(**names)["Quota"]
    assert standard["Value"] == default
    assert standard["QuotaArn"] == f"arn:aws:servicequotas:us-east-1::{service}/{code}"


def test_concurrency_tells_its_usage_metric(quotas: Any) -> None:
    quota = quotas.get_service_quota(ServiceCode="lambda", QuotaCode=CONCURRENT_EXECUTIONS)
    assert quota["Quota"]["UsageMetric"] == {
        "MetricNamespace": "AWS/Lambda",
        "MetricName": "ConcurrentExecutions",
        "MetricDimensions": {},
        "MetricStatisticRecommendation": "Maximum",
    }


@pytest.mark.parametrize("size", [1, 4, 100])
def test_lists_come_in_pages(quotas: Any, size: int) -> None:
    for operation, value in (
        ("list_service_quotas", 100.0),
        ("list_aws_default_service_quotas", 10_000.0),
    ):
        pages = list(
            quotas.get_paginator(operation).paginate(
                ServiceCode="apigateway", PaginationConfig={"PageSize": size}
            )
        )
        found = {quota["QuotaCode"]: quota for page in pages for quota in page["Quotas"]}
        assert all(len(page["Quotas"]) <= size for page in pages)
        assert list(found) == [one.code for one in QUOTAS if one.service == "apigateway"]
        assert found[THROTTLE_RATE]["Value"] == value


def test_a_list_of_one(quotas: Any) -> None:
    listed = quotas.list_service_quotas(ServiceCode="apigateway", QuotaCode=THROTTLE_RATE)
    assert [quota["QuotaCode"] for quota in listed["Quotas"]] == [THROTTLE_RATE]


def test_the_services(quotas: Any) -> None:
    pages = quotas.get_paginator("list_services").paginate(PaginationConfig={"PageSize": 1})
    services = [one["ServiceCode"] for page in pages for one in page["Services"]]
    assert services == ["apigateway", "lambda"]


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        pytest.param(
            "get_service_quota",
            {"ServiceCode": "s3", "QuotaCode": "L-1"},
            "NoSuchResourceException",
            id="service",
        ),
        pytest.param(
            "get_service_quota",
            {"ServiceCode": "lambda", "QuotaCode": THROTTLE_RATE},
            "NoSuchResourceException",
            id="quota-of-another-service",
        ),
        pytest.param(
            "get_aws_default_service_quota",
            {"ServiceCode": "lambda", "QuotaCode": "L-00000000"},
            "NoSuchResourceException",
            id="default",
        ),
        pytest.param(
            "list_service_quotas", {"ServiceCode": "s3"}, "NoSuchResourceException", id="list"
        ),
        pytest.param(
            "list_service_quotas",
            {"ServiceCode": "lambda", "NextToken": "AAAA"},
            "InvalidPaginationTokenException",
            id="token",
        ),
        pytest.param(
            "list_service_quotas",
            {"ServiceCode": "lambda", "QuotaAppliedAtLevel": "RESOURCE"},
            "IllegalArgumentException",
            id="level",
        ),
        pytest.param(
            "get_service_quota",
            {"ServiceCode": "lambda", "QuotaCode": CONCURRENT_EXECUTIONS, "ContextId": "*"},
            "IllegalArgumentException",
            id="context",
        ),
        pytest.param(
            "get_service_quota",
            {"ServiceCode": "lambda", "QuotaCode": "not a code"},
            "ValidationException",
            id="malformed",
        ),
        pytest.param(
            "request_service_quota_increase",
            {"ServiceCode": "lambda", "QuotaCode": CONCURRENT_EXECUTIONS, "DesiredValue": 5.0},
            "UnknownOperationException",
            id="not-served",
        ),
    ],
)
def test_what_is_refused(
    quotas: Any, refused: Refused, operation: str, arguments: dict[str, Any], code: str
) -> None:
    assert refused(getattr(quotas, operation), **arguments)[0] == code


def test_a_token_is_for_its_own_list(quotas: Any, refused: Refused) -> None:
    first = quotas.list_service_quotas(ServiceCode="apigateway", MaxResults=2)
    code, status, _ = refused(
        quotas.list_service_quotas, ServiceCode="lambda", NextToken=first["NextToken"]
    )
    assert (code, status) == ("InvalidPaginationTokenException", 400)


def test_the_quota_that_a_metric_uses() -> None:
    quota_of = quota_of_usage(lambda: APPLIED)
    assert quota_of(Metric("AWS/Lambda", "ConcurrentExecutions")) == 50.0
    by_function = Metric("AWS/Lambda", "ConcurrentExecutions", (("FunctionName", "f"),))
    assert quota_of(by_function) is None


def test_codes_are_unique() -> None:
    assert len({quota.code for quota in QUOTAS}) == len(QUOTAS)
