"""Records what is asked of AWS, and judges it by a policy as IAM would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tuner.iam.command import IamOptions, needs_of
from tuner.iam.policy import policy_of

ACCOUNT = "000000000000"
REGION = "us-east-1"
# Actions that are not called like the operation (Service Authorization Reference).
ACTIONS = {"Invoke": "InvokeFunction"}
# Allowed to everybody.
FREE = {"sts:GetCallerIdentity"}
_NO_RESOURCE = {"GetAccountSettings", "GetMetricStatistics", "DescribeAlarms"}
_NO_RESOURCE |= {"GetQueryResults", "StopQuery"}


@dataclass(frozen=True)
class Asked:
    """One call, as IAM sees it."""

    action: str
    resource: str


@dataclass
class Recorder:
    """All calls of a time; the first call of an operation in `refusals` is answered so."""

    calls: list[Asked] = field(default_factory=list)
    refusals: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def actions(self) -> set[str]:
        return {call.action for call in self.calls}


@contextmanager
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Records every call of every client of boto3."""
    recorder, original = Recorder(), BaseClient._make_api_call

    def call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        action = f"{service}:{ACTIONS.get(operation, operation)}"
        if action not in FREE:
            recorder.calls.append(Asked(action, _resource(service, operation, parameters)))
        refusal = recorder.refusals.pop(operation, None)
        if refusal is not None:
            raise ClientError(refusal, operation)
        return original(client, operation, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield recorder


def _resource(service: str, operation: str, parameters: Mapping[str, Any]) -> str:
    if operation in _NO_RESOURCE:
        return "*"
    if service == "s3":
        return f"arn:aws:s3:::{parameters['Bucket']}/{parameters['Key']}"
    if service == "logs":
        groups = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"
        name = parameters.get("logGroupName")
        # Listing groups is judged by this (message of AccessDenied, 2026).
        return f"{groups}:{name}:log-stream:" if name else f"{groups}::log-stream:"
    name = parameters["FunctionName"]
    arn = name if name.startswith("arn:") else _function(name)
    qualifier = parameters.get("Qualifier")
    return arn if qualifier is None else f"{arn}:{qualifier}"


def _function(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def policy(function: str, **given: Any) -> Mapping[str, Any]:
    """The policy that `tune iam` prints for the sandbox's account."""
    options = IamOptions(function, region=REGION, account=ACCOUNT, **given)
    return policy_of(needs_of(options))


def actions(document: Mapping[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


def refused(calls: Iterable[Asked], document: Mapping[str, Any]) -> list[Asked]:
    """The calls that the policy does not allow."""
    return [call for call in dict.fromkeys(calls) if not _is_allowed(call, document)]


def _is_allowed(call: Asked, document: Mapping[str, Any]) -> bool:
    return any(
        call.action in statement["Action"]
        and any(_matches(call.resource, resource) for resource in statement["Resource"])
        for statement in document["Statement"]
    )


def _matches(resource: str, pattern: str) -> bool:
    """As IAM matches: wildcards, and escapes of what would be one."""
    escaped = pattern.replace("[", "[[]")
    for char in "*?$":
        escaped = escaped.replace(f"${{{char}}}", f"[{char}]")
    return fnmatchcase(resource, escaped)
