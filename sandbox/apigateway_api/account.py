"""The account's settings."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.apigateway_api.context import Operation, Output, Parameters, RestApiContext
from sandbox.apigateway_api.patching import Member, NamedInValue, Rules, patched, read_patches
from sandbox.apigateway_api.refusing import bad_request

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)


def _as_role(text: str, path: str) -> str:
    if text and _ROLE.fullmatch(text) is None:
        raise bad_request("The role ARN is not well formed")
    return text


_RULES: Rules = {
    "/cloudwatchRoleArn": Member(_as_role, ("add", "replace", "remove")),
    "/features": NamedInValue(("add",)),
}


class AccountOperations:
    """The operations on the account."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context
        self._state = context.state

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {"GetAccount": self.get, "UpdateAccount": self.update}

    def get(self, parameters: Parameters) -> Output:
        """The account's settings: its throttle, and the role that writes logs."""
        limit = self._context.account_limit
        role = self._state.account.get("cloudwatchRoleArn")
        return {
            "throttleSettings": {"rateLimit": limit.rate_rps, "burstLimit": int(limit.burst)},
            "features": ["UsagePlans"],
            "apiKeyVersion": "4",
            **({"cloudwatchRoleArn": role} if role else {}),
        }

    def update(self, parameters: Parameters) -> Output:
        """Changes the account's settings."""
        self._state.account = patched(self._state.account, read_patches(parameters), _RULES)
        return self.get(parameters)
