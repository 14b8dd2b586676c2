"""Reads what the checks judge; what AWS does not say is an error in its place. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from core.aws.session import AwsSession, aws_call
from core.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """A function as GetFunction shows it, or a version, whether or not it can be tuned.

    The ARN is that of the function. Without its environment variables and the link to its code,
    which are secrets.
    """

    name: str
    arn: str
    memory_mb: int
    timeout_s: int
    runtime: str | None
    arch: str
    package: str
    code_sha256: str
    code_bytes: int
    state: str
    update_status: str
    update_reason: str
    vpc_id: str | None
    subnets: int
    layers: int
    snap_start: bool
    storage_mb: int
    log_format: str
    log_group: str
    reserved_concurrency: int | None


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What the account has left in the region; code storage in bytes."""

    concurrency: int
    unreserved: int
    storage_bytes: int
    stored_bytes: int


def asked(call: Callable[[], T]) -> T | AwsError:
    """What `call` gives, or why AWS does not."""
    try:
        return call()
    except AwsError as error:
        return error


def read_function(client: LambdaClient, function: str) -> Shown:
    """The function as it is shown.

    Raises:
        AwsError: when AWS does not show it.
    """
    with aws_call(f"read function {function}"):
        answer: Any = client.get_function(FunctionName=function)
    try:
        return shown(answer)
    except KeyError as error:
        raise AwsError(f"could not read function {function}: its answer has no {error}") from error


def shown(answer: Mapping[str, Any]) -> Shown:
    """What of an answer of GetFunction is judged."""
    settings = answer["Configuration"]
    vpc, logging = settings.get("VpcConfig") or {}, settings.get("LoggingConfig") or {}
    name = settings["FunctionName"]
    return Shown(
        name=name,
        arn=":".join(settings["FunctionArn"].split(":")[:7]),
        memory_mb=settings["MemorySize"],
        timeout_s=settings["Timeout"],
        runtime=settings.get("Runtime"),
        arch=(settings.get("Architectures") or ["x86_64"])[0],
        package=settings.get("PackageType", "Zip"),
        code_sha256=settings["CodeSha256"],
        code_bytes=settings.get("CodeSize", 0),
        state=settings.get("State", "Active"),
        update_status=settings.get("LastUpdateStatus", "Successful"),
        update_reason=settings.get("LastUpdateStatusReason", "AWS gives no reason"),
        vpc_id=vpc.get("VpcId") or None,
        subnets=len(vpc.get("SubnetIds") or ()),
        layers=len(settings.get("Layers") or ()),
        snap_start=(settings.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions",
        storage_mb=(settings.get("EphemeralStorage") or {}).get("Size", 512),
        log_format=logging.get("LogFormat", "Text"),
        log_group=logging.get("LogGroup", f"/aws/lambda/{name}"),
        reserved_concurrency=(answer.get("Concurrency") or {}).get("ReservedConcurrentExecutions"),
    )


def read_limits(client: LambdaClient) -> AccountLimits:
    """The limits of the account in the region.

    Raises:
        AwsError: when AWS does not say.
    """
    with aws_call("read the limits of the account"):
        answer = client.get_account_settings()
    limit, usage = answer.get("AccountLimit", {}), answer.get("AccountUsage", {})
    concurrency = limit.get("ConcurrentExecutions", 0)
    return AccountLimits(
        concurrency=concurrency,
        unreserved=limit.get("UnreservedConcurrentExecutions", concurrency),
        storage_bytes=limit.get("TotalCodeSize", 0),
        stored_bytes=usage.get("TotalCodeSize", 0),
    )


def read_aliases(client: LambdaClient, function: str) -> tuple[str, ...]:
    """The names of the function's aliases.

    Raises:
        AwsError: when AWS does not list them.
    """
    with aws_call("list the aliases"):
        pages = client.get_paginator("list_aliases").paginate(FunctionName=function)
        return tuple(alias["Name"] for page in pages for alias in page.get("Aliases", []))


def read_log_group(session: AwsSession, name: str) -> int | None:
    """How many bytes the log group holds; None where there is no such group.

    Raises:
        AwsError: when AWS does not say.
    """
    with aws_call(f"look at log group {name}"):
        answer = session.logs().describe_log_groups(logGroupNamePrefix=name)
    groups = answer.get("logGroups", [])
    return next((g.get("storedBytes", 0) for g in groups if g.get("logGroupName") == name), None)
