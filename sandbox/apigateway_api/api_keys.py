"""API keys."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping

from sandbox.apigateway_api.context import (
    Operation,
    Output,
    Parameters,
    RestApiContext,
    chosen,
    shown,
)
from sandbox.apigateway_api.paging import page
from sandbox.apigateway_api.patching import Member, Rules, as_bool, patched, read_patches
from sandbox.apigateway_api.refusing import (
    bad_request,
    conflict,
    limit_exceeded,
    refuse_unserved,
)
from sandbox.apigateway_api.state import LONG_ID, Document, new_id
from sandbox.apigateway_api.tags import check_tags

# API Gateway quotas, 2026: "API keys per account, per Region", "API key value: 20-128 characters".
MAX_KEYS = 10_000
MIN_VALUE_LENGTH, MAX_VALUE_LENGTH = 20, 128
_NEW_VALUE_LENGTH = 40  # of the values that AWS makes (observed)

_VALUE_LETTERS = string.ascii_letters + string.digits
_KEPT = ("name", "description", "customerId", "tags")
_RULES: Rules = {
    "/name": Member(),
    "/description": Member(),
    "/enabled": Member(as_bool),
    "/customerId": Member(),
}


class ApiKeyOperations:
    """The operations on API keys."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context
        self._state = context.state

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "CreateApiKey": self.create,
            "GetApiKey": self.get,
            "GetApiKeys": self.list,
            "UpdateApiKey": self.update,
            "DeleteApiKey": self.delete,
        }

    def create(self, parameters: Parameters) -> Output:
        """Creates a key, with a value of its own where none is given."""
        refuse_unserved(parameters, ("stageKeys",))
        check_tags(parameters.get("tags", {}))
        if len(self._state.api_keys) >= MAX_KEYS:
            raise limit_exceeded(f"There are {MAX_KEYS} API keys already")
        now_s = self._context.now_s()
        key = {
            "id": new_id(LONG_ID, self._state.api_keys),
            "value": self._value(parameters.get("value")),
            "enabled": parameters.get("enabled", False),
            "createdDate": now_s,
            "lastUpdatedDate": now_s,
            "stageKeys": [],
            **chosen(parameters, _KEPT),
        }
        self._state.api_keys[key["id"]] = key
        return shown(key)

    def get(self, parameters: Parameters) -> Output:
        """One key."""
        key = self._state.api_key(parameters["apiKey"])
        return shown(key) if parameters.get("includeValue") else _without_value(key)

    def list(self, parameters: Parameters) -> Output:
        """One page of the keys: of one customer, or those whose name begins as asked."""
        show = shown if parameters.get("includeValues") else _without_value
        start, customer = parameters.get("nameQuery", ""), parameters.get("customerId")
        keys = {
            key_id: show(key)
            for key_id, key in self._state.api_keys.items()
            if key.get("name", "").startswith(start) and customer in (None, key.get("customerId"))
        }
        return page(keys, parameters)

    def update(self, parameters: Parameters) -> Output:
        """Changes a key; its value stays."""
        key = patched(self._state.api_key(parameters["apiKey"]), read_patches(parameters), _RULES)
        key["lastUpdatedDate"] = self._context.now_s()
        self._state.api_keys[key["id"]] = key
        return _without_value(key)

    def delete(self, parameters: Parameters) -> None:
        """Deletes a key, and takes it out of its usage plans."""
        key_id = self._state.api_key(parameters["apiKey"])["id"]
        for plan_id in self._state.plans_of_key(key_id):
            self._state.plan_keys[plan_id].remove(key_id)
        del self._state.api_keys[key_id]

    def _value(self, given: str | None) -> str:
        if not given:
            return "".join(secrets.choice(_VALUE_LETTERS) for _ in range(_NEW_VALUE_LENGTH))
        if len(given) < MIN_VALUE_LENGTH:
            raise bad_request(f"API Key value should be at least {MIN_VALUE_LENGTH} characters")
        if len(given) > MAX_VALUE_LENGTH:
            raise bad_request(f"API Key value should be at most {MAX_VALUE_LENGTH} characters")
        if any(key["value"] == given for key in self._state.api_keys.values()):
            raise conflict("API Key already exists")
        return given


def _without_value(key: Document) -> Output:
    return {name: member for name, member in shown(key).items() if name != "value"}
