"""Provisioned concurrency: environments of a version that wait for calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_NONE = "ProvisionedConcurrencyConfigNotFoundException"


@dataclass(frozen=True, slots=True)
class Provisioned:
    """Environments that were asked for, and those that are ready."""

    requested: int
    available: int
    status: str  # IN_PROGRESS, READY or FAILED


def read_provisioned(client: LambdaClient, function: str, qualifier: str) -> Provisioned | None:
    """The provisioned concurrency of an alias or a version; None where there is none.

    Raises:
        AwsError: it cannot be read.
    """
    try:
        with aws_call(f"read the provisioned concurrency of {function}:{qualifier}"):
            answer = client.get_provisioned_concurrency_config(
                FunctionName=function, Qualifier=qualifier
            )
    except AwsError as error:
        if error.code == _NONE:
            return None
        raise
    return Provisioned(
        answer["RequestedProvisionedConcurrentExecutions"],
        answer.get("AvailableProvisionedConcurrentExecutions", 0),
        answer["Status"],
    )
