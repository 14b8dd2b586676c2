"""Resource policies of REST APIs: who may call from where.

Source: "How API Gateway resource policies affect authorization workflow", developer guide, 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.gateway.authorizers.policy import Policy, Verdict, parse_policy
from sandbox.lambda_api.names import Home


def parse_resource_policy(document: Mapping[str, Any], home: Home, api_id: str) -> Policy:
    """The policy of an API.

    Raises:
        PolicyError: it is none, or has what is not served.
    """
    prefix = f"arn:aws:execute-api:{home.region}:{home.account_id}:{api_id}"
    return parse_policy(document, with_principals=True, short_prefix=prefix)


def evaluate_resource_policy(
    policy: Policy, home: Home, method_arn: str, source_ip: str, principal_arn: str | None = None
) -> Verdict:
    """What a policy says of a request; `principal_arn` is None where nobody signed it."""
    context = {"aws:sourceip": source_ip, "aws:securetransport": "false"}
    if principal_arn is not None:
        context["aws:principalarn"] = principal_arn
        context["aws:principalaccount"] = home.account_id
    return policy.evaluate(
        method_arn, principal=principal_arn, account_id=home.account_id, context=context
    )
