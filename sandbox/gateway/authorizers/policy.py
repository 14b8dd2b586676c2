"""IAM policy documents as API Gateway uses them: of authorizers and of REST APIs.

Served are statements with Effect, Action, Resource, Principal and the conditions named in
`OPERATORS`. What else a policy may have (NotAction, other conditions) makes it invalid here: a
statement that is understood by half would let in whom AWS keeps out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Literal

INVOKE = "execute-api:Invoke"
OPERATORS = (
    "IpAddress",
    "NotIpAddress",
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
)

_SESSION = re.compile(r"arn:aws:sts::\d{12}:assumed-role/(?P<role>[^/]+)/.+")

Verdict = Literal["allow", "deny", "implicit deny"]


class PolicyError(ValueError):
    """When a document is no policy, or has what is not served; the text says what."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator with one key; `values` are the texts of the policy."""

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, context: Mapping[str, str]) -> bool:
        """Whether a request with these condition keys meets it.

        A key that a request does not have meets what is negated, and nothing else (IAM User Guide,
        "Condition operators").
        """
        value = context.get(self.key.lower())
        negated = "Not" in self.operator
        if value is None:
            return negated
        return self._matches(value) != negated

    def _matches(self, value: str) -> bool:
        if "IpAddress" in self.operator:
            address = ip_address(value)
            return any(address in _network(text) for text in self.values)
        if "Like" in self.operator:
            return any(wildcard(text).fullmatch(value) for text in self.values)
        return value in self.values


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...] | None  # None where the policy needs none
    conditions: tuple[Condition, ...]

    def applies(
        self, resource: str, principal: str | None, account_id: str, context: Mapping[str, str]
    ) -> bool:
        """Whether it speaks of an invocation of `resource` by `principal`."""
        return (
            any(wildcard(action.lower()).fullmatch(INVOKE.lower()) for action in self.actions)
            and any(wildcard(pattern).fullmatch(resource) for pattern in self.resources)
            and self._is_of(principal, account_id)
            and all(condition.holds(context) for condition in self.conditions)
        )

    def _is_of(self, principal: str | None, account_id: str) -> bool:
        if self.principals is None or "*" in self.principals:
            return True
        if principal is None:
            return False
        # An account stands for everybody in it, a role for all its sessions.
        names = {principal, account_id, f"arn:aws:iam::{account_id}:root"}
        session = _SESSION.fullmatch(principal)
        if session is not None:
            names.add(f"arn:aws:iam::{account_id}:role/{session['role']}")
        return any(name in names for name in self.principals)


@dataclass(frozen=True, slots=True)
class Policy:
    """All statements of a document."""

    statements: tuple[Statement, ...]

    def evaluate(
        self,
        resource: str,
        *,
        principal: str | None = None,
        account_id: str = "",
        context: Mapping[str, str] | None = None,
    ) -> Verdict:
        """What it says of an invocation of `resource`: a denial outweighs all else.

        `context` has the condition keys in lower case, such as "aws:sourceip".
        """
        verdict: Verdict = "implicit deny"
        for statement in self.statements:
            if statement.applies(resource, principal, account_id, context or {}):
                if not statement.allows:
                    return "deny"
                verdict = "allow"
        return verdict


def parse_policy(document: object, *, with_principals: bool, short_prefix: str = "") -> Policy:
    """The policy of a document.

    `with_principals` is for resource policies, whose statements name principals and may shorten
    resources to "execute-api:/stage/METHOD/path"; `short_prefix` is what that stands for:
    "arn:aws:execute-api:REGION:ACCOUNT:API".

    Raises:
        PolicyError: it is none, or has what is not served.
    """
    if not isinstance(document, Mapping):
        raise PolicyError("a policy is a JSON object")
    statements = document.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise PolicyError("a policy has a list of statements: Statement")
    return Policy(tuple(_statement(one, with_principals, short_prefix) for one in statements))


_MEMBERS = frozenset({"Sid", "Effect", "Action", "Resource", "Principal", "Condition"})


def _statement(document: Any, with_principals: bool, short_prefix: str) -> Statement:  # noqa: FBT001 - private
    if not isinstance(document, Mapping):
        raise PolicyError("a statement is a JSON object")
    unknown = sorted(set(document) - _MEMBERS)
    if unknown:
        raise PolicyError(f"the sandbox does not serve {', '.join(unknown)} of a policy statement")
    if document.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError("Effect has to be Allow or Deny")
    resources = tuple(
        f"{short_prefix}{name.removeprefix('execute-api:')}"
        if name.startswith("execute-api:/")
        else name
        for name in _texts(document.get("Resource"), "Resource")
    )
    return Statement(
        allows=document["Effect"] == "Allow",
        actions=_texts(document.get("Action"), "Action"),
        resources=resources,
        principals=_principals(document.get("Principal")) if with_principals else None,
        conditions=_conditions(document.get("Condition", {})),
    )


def _principals(value: Any) -> tuple[str, ...]:
    if value == "*":
        return ("*",)
    if not isinstance(value, Mapping) or set(value) != {"AWS"}:
        raise PolicyError('Principal has to be "*" or {"AWS": ...}')
    return _texts(value["AWS"], "Principal")


def _conditions(value: Any) -> tuple[Condition, ...]:
    if not isinstance(value, Mapping):
        raise PolicyError("Condition is a JSON object")
    found: list[Condition] = []
    for operator, keys in value.items():
        if operator not in OPERATORS or not isinstance(keys, Mapping):
            raise PolicyError(
                f"the sandbox does not serve the condition {operator} ({', '.join(OPERATORS)})"
            )
        for key, texts in keys.items():
            condition = Condition(operator, key, _texts(texts, key))
            if "IpAddress" in operator:
                for text in condition.values:
                    _network(text)
            found.append(condition)
    return tuple(found)


def _texts(value: Any, name: str) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise PolicyError(f"{name} has to be a text or a list of texts")
    return tuple(texts)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise PolicyError(f"{text} is no address or range of addresses") from error


@lru_cache(maxsize=10_000)
def wildcard(pattern: str) -> re.Pattern[str]:
    """A pattern of a policy: `*` for any characters, `?` for one."""
    # Neighbouring stars are one: a row of them would make the search for a match endless.
    parts = re.split(r"(\*+|\?)", pattern)
    signs = {"*": ".*", "?": "."}
    return re.compile("".join(signs.get(part[:1], re.escape(part)) for part in parts), re.DOTALL)
