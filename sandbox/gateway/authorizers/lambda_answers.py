"""What a Lambda authorizer answers: an IAM policy or, of HTTP APIs, a simple yes or no.

Source: "Output from an API Gateway Lambda authorizer" (REST) and "Controlling access to HTTP APIs
with Lambda authorizers", developer guide, 2026.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.gateway.authorizers.policy import Policy, PolicyError, Verdict, parse_policy
from sandbox.gateway.snapshot import LambdaAuthorizer
from sandbox.rest_json.strict_json import parse_json


class MalformedDecision(ValueError):
    """When an authorizer's answer is none: the gateway answers 500. The text says why."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An authorizer's answer. It may be asked for other methods than the one it was made for.

    `policy` is None where the answer was simple, and `is_allowed` says it all.
    """

    policy: Policy | None
    is_allowed: bool
    principal_id: str | None
    context: Mapping[str, Any]
    usage_identifier_key: str | None = None

    def verdict(self, method_arn: str) -> Verdict:
        """What it says of an invocation of `method_arn`."""
        if self.policy is not None:
            return self.policy.evaluate(method_arn)
        return "allow" if self.is_allowed else "implicit deny"


def parse_decision(payload: bytes, authorizer: LambdaAuthorizer) -> Decision:
    """The decision in what the function returned.

    Raises:
        MalformedDecision: there is none.
    """
    try:
        document = parse_json(payload)
    except ValueError as error:
        raise MalformedDecision(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise MalformedDecision("not an object")
    if authorizer.simple_responses:
        return _simple(document)
    return _with_policy(document, authorizer)


def _simple(document: dict[str, Any]) -> Decision:
    is_allowed = document.get("isAuthorized")
    if not isinstance(is_allowed, bool):
        raise MalformedDecision("isAuthorized has to be true or false")
    context = _context(document, texts=False)
    return Decision(None, is_allowed=is_allowed, principal_id=None, context=context)


def _with_policy(document: dict[str, Any], authorizer: LambdaAuthorizer) -> Decision:
    principal = document.get("principalId")
    if isinstance(principal, int | float) and not isinstance(principal, bool):
        principal = str(principal)
    if not isinstance(principal, str) or not principal:
        raise MalformedDecision("principalId is missing")
    try:
        policy = parse_policy(document.get("policyDocument"), with_principals=False)
    except PolicyError as error:
        raise MalformedDecision(f"policyDocument: {error}") from error
    usage_key = document.get("usageIdentifierKey")
    if usage_key is not None and not isinstance(usage_key, str):
        raise MalformedDecision("usageIdentifierKey has to be a text")
    context = _context(document, texts=authorizer.payload_format == "1.0")
    return Decision(
        policy,
        is_allowed=True,
        principal_id=principal,
        context=context,
        usage_identifier_key=usage_key,
    )


def _context(document: dict[str, Any], *, texts: bool) -> Mapping[str, Any]:
    """What an authorizer tells the integration.

    Format 1.0 knows texts, numbers and booleans, and hands all of them on as texts.
    """
    context = document.get("context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise MalformedDecision("context has to be an object")
    if not texts:
        return context
    for name, value in context.items():
        if not isinstance(value, str | int | float | None):
            raise MalformedDecision(f"context.{name} has to be a text, a number or a boolean")
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in context.items()
        if value is not None
    }
