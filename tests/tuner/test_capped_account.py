"""Accounts that may not have more than 3,008 MB, in the words in which AWS says it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse

from core.aws.session import LocalAccess
from tests.tuner.lease_rig import begin, state_of

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# As users of new accounts were shown it in 2026, and as Lambda's troubleshooting page has it.
CAPPED = [
    pytest.param(
        "InvalidParameterValueException",
        "'MemorySize' value failed to satisfy constraint: Member must have value less than or "
        "equal to 3008",
        id="by the account",
    ),
    pytest.param(
        "ValidationException",
        "1 validation error detected: Value '5308' at 'memorySize' failed to satisfy constraint: "
        "Member must have value less than or equal to 3008",
        id="by the request",
    ),
]


@pytest.mark.parametrize(("code", "message"), CAPPED)
def test_sizes_above_the_cap_are_left_out_and_the_others_measured(
    client: LambdaClient, owned: str, local_access: LocalAccess, code: str, message: str
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
    asked: list[int] = []

    def cap(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        size = json.loads(params["body"]).get("MemorySize", 0)
        asked.append(size)
        if size <= 3008:
            return None
        error = {"Code": code, "Message": message}
        return AWSResponse("", 400, {}, None), {"Error": error, "ResponseMetadata": {}}

    client.meta.events.register("before-call.lambda.UpdateFunctionConfiguration", cap)
    lease.publish([1769, 3008, 5308, 10_240])
    lease.release()

    assert sorted(lease.versions) == [1769, 3008]
    assert sorted(lease.refused_sizes) == [5308, 10_240]
    assert all("less than or equal to 3008" in why for why in lease.refused_sizes.values())
    assert 10_240 not in asked
    assert state_of(client, owned) == before
