"""STS and Service Quotas: who somebody is, and what the account may do."""

from __future__ import annotations

from tests.contract.account import Account, refused
from tests.contract.step import step

_CONCURRENCY = {"ServiceCode": "lambda", "QuotaCode": "L-B99A9384"}


@step(moto="an ARN of STS, where users are IAM's")
def somebody_is_somebody(aws: Account) -> None:
    identity = aws.client("sts").get_caller_identity()
    assert len(identity["Account"]) == 12
    assert identity["Account"].isdigit()
    assert identity["Arn"].startswith(f"arn:aws:iam::{identity['Account']}:")
    assert identity["UserId"]


@step()
def a_role_is_assumed(aws: Account) -> None:
    answer = aws.client("sts").assume_role(RoleArn=aws.role, RoleSessionName="visit")
    user = answer["AssumedRoleUser"]
    assert user["Arn"] == f"arn:aws:sts::{aws.id}:assumed-role/contract/visit"
    assert user["AssumedRoleId"].endswith(":visit")
    keys = answer["Credentials"]
    assert keys["AccessKeyId"].startswith("ASIA")
    client = aws.new_client(
        "sts", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    )
    try:
        assert client.get_caller_identity()["Arn"] == user["Arn"]
    finally:
        client.close()


@step(moto="no quotas of Lambda", ministack="no Service Quotas")
def a_quota_has_a_value(aws: Account) -> None:
    quota = aws.client("service-quotas").get_service_quota(**_CONCURRENCY)["Quota"]
    assert (quota["QuotaName"], quota["Adjustable"]) == ("Concurrent executions", True)
    limit = aws.client("lambda").get_account_settings()["AccountLimit"]
    assert quota["Value"] == limit["ConcurrentExecutions"]
    assert quota["UsageMetric"]["MetricName"] == "ConcurrentExecutions"


@step(moto="500, not implemented", ministack="no Service Quotas")
def a_quota_has_a_default(aws: Account) -> None:
    get_default = aws.client("service-quotas").get_aws_default_service_quota
    assert get_default(**_CONCURRENCY)["Quota"]["Value"] == 1_000.0
    for code, value in (("L-8A5B8E43", 10_000.0), ("L-CDF5615A", 5_000.0)):
        quota = get_default(ServiceCode="apigateway", QuotaCode=code)["Quota"]
        assert quota["Value"] == value, code


@step(ministack="no Service Quotas")
def an_unknown_quota_is_not_there(aws: Account) -> None:
    get_quota = aws.client("service-quotas").get_service_quota
    # Service Quotas speaks JSON 1.1, where each error of the caller's is a 400.
    missing = ("NoSuchResourceException", 400)
    assert refused(get_quota, ServiceCode="lambda", QuotaCode="L-00000000") == missing


@step(moto="500, not implemented", ministack="no Service Quotas")
def quotas_are_listed_in_pages(aws: Account) -> None:
    quotas = aws.client("service-quotas")
    first = quotas.list_service_quotas(ServiceCode="apigateway", MaxResults=2)
    assert len(first["Quotas"]) == 2
    pages = quotas.get_paginator("list_service_quotas").paginate(
        ServiceCode="apigateway", PaginationConfig={"PageSize": 2}
    )
    codes = [quota["QuotaCode"] for page in pages for quota in page["Quotas"]]
    assert len(codes) == len(set(codes))
    assert {"L-8A5B8E43", "L-CDF5615A"} <= set(codes)
