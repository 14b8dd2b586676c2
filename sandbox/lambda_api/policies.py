"""Resource policies of functions: as JSON, and what they allow."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.lambda_api.records import Policy, Statement

INVOKE_ACTION = "lambda:InvokeFunction"

_ACCOUNT = re.compile(r"\d{12}")
_ARN_PARTS = 6


def statement_document(statement: Statement, function_arn: str) -> dict[str, Any]:
    """A statement as AddPermission and GetPolicy show it."""
    document: dict[str, Any] = {
        "Sid": statement.id,
        "Effect": "Allow",
        "Principal": _principal(statement.principal),
        "Action": statement.action,
        "Resource": function_arn,
    }
    conditions = _conditions(statement)
    return {**document, "Condition": conditions} if conditions else document


def policy_text(policy: Policy, function_arn: str) -> str:
    """A whole policy as JSON."""
    statements = [statement_document(it, function_arn) for it in policy.statements]
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return json.dumps(document, separators=(",", ":"))


def allows_service(policy: Policy | None, service: str, source_arn: str) -> bool:
    """Whether `service` may invoke on behalf of `source_arn`, in the account of that ARN."""
    statements = policy.statements if policy is not None else ()
    return any(_allows(statement, service, source_arn) for statement in statements)


def arn_like(pattern: str, arn: str) -> bool:
    """IAM's ArnLike: each of the six parts by itself, with `*` and `?`."""
    parts = arn.split(":", _ARN_PARTS - 1)
    patterns = _part_patterns(pattern)
    return len(parts) == len(patterns) == _ARN_PARTS and all(
        wanted.fullmatch(part) for wanted, part in zip(patterns, parts, strict=True)
    )


def check_principal(principal: str) -> None:
    """Refuses what is neither a service, an account, an ARN nor everybody."""
    if not (
        principal == "*"
        or principal.startswith("arn:")
        or _ACCOUNT.fullmatch(principal)
        or principal.endswith((".amazonaws.com", ".amazon.com", ".amazonaws.com.cn"))
    ):
        raise ApiError(
            "InvalidParameterValueException",
            "The provided principal was invalid. Please check the principal and try again.",
        )


def _allows(statement: Statement, service: str, source_arn: str) -> bool:
    account = source_arn.split(":")[4] if source_arn.count(":") >= _ARN_PARTS - 1 else ""
    return (
        statement.principal in (service, "*")
        and _covers_invoke(statement.action)
        and (statement.source_arn is None or arn_like(statement.source_arn, source_arn))
        and statement.source_account in (None, account)
        # No service sends what these conditions ask for.
        and statement.function_url_auth_type is None
        and not statement.invoked_via_function_url
        and statement.event_source_token is None
        and statement.principal_org_id is None
    )


def _covers_invoke(action: str) -> bool:
    return action in ("*", "lambda:*") or action.lower() == INVOKE_ACTION.lower()


def _principal(principal: str) -> str | dict[str, str]:
    if principal == "*":
        return principal
    if _ACCOUNT.fullmatch(principal):
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    return {"AWS" if principal.startswith("arn:") else "Service": principal}


def _conditions(statement: Statement) -> dict[str, dict[str, str]]:
    equal = {
        "AWS:SourceAccount": statement.source_account,
        "lambda:FunctionUrlAuthType": statement.function_url_auth_type,
        "lambda:EventSourceToken": statement.event_source_token,
        "aws:PrincipalOrgID": statement.principal_org_id,
    }
    conditions = {"StringEquals": {key: value for key, value in equal.items() if value}}
    if statement.invoked_via_function_url is not None:
        via_url = "true" if statement.invoked_via_function_url else "false"
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": via_url}
    if statement.source_arn:
        conditions["ArnLike"] = {"AWS:SourceArn": statement.source_arn}
    return {operator: pairs for operator, pairs in conditions.items() if pairs}


@lru_cache(maxsize=1024)
def _part_patterns(pattern: str) -> tuple[re.Pattern[str], ...]:
    return tuple(_glob(part) for part in pattern.split(":", _ARN_PARTS - 1))


def _glob(part: str) -> re.Pattern[str]:
    escaped = re.escape(part).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.DOTALL)
