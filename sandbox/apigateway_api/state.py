"""All that the control plane of REST APIs knows.

Things are kept as documents: dictionaries of JSON values whose members are named as in botocore's
model of "apigateway", for example a Resource with its methods, integrations and responses inside.
Times are whole seconds since the epoch. A document is never changed in place once others can see
it: a change puts a new one in its place.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from sandbox.api_errors import ApiError
from sandbox.apigateway_api.refusing import not_found
from sandbox.lambda_api.names import Home

Document = dict[str, Any]

# As AWS's ids look: of APIs, root resources and API keys, and of all else (observed 2026).
LONG_ID, SHORT_ID = 10, 6
_ID_LETTERS = string.ascii_lowercase + string.digits


def new_id(length: int, taken: Container[str]) -> str:
    """A random id that is not in `taken`."""
    while True:
        identifier = "".join(secrets.choice(_ID_LETTERS) for _ in range(length))
        if identifier not in taken:
            return identifier


@dataclass(slots=True)
class Deployment:
    """A deployment, with what its API looked like: it serves that, whatever changes later."""

    document: Document
    resources: dict[str, Document]
    authorizers: dict[str, Document]
    gateway_responses: dict[str, Document]


@dataclass(slots=True)
class RestApi:
    """One API: resources, authorizers and deployments by id, stages and responses by name."""

    document: Document
    resources: dict[str, Document]
    authorizers: dict[str, Document] = field(default_factory=dict)
    gateway_responses: dict[str, Document] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    stages: dict[str, Document] = field(default_factory=dict)

    def resource(self, identifier: str) -> Document:
        """The resource with this id."""
        return _found(self.resources, identifier, "Resource identifier")

    def method(self, resource_id: str, http_method: str) -> Document:
        """A method of a resource."""
        methods = self.resource(resource_id).get("resourceMethods", {})
        return _found(methods, http_method, "Method identifier")

    def integration(self, resource_id: str, http_method: str) -> Document:
        """The integration of a method."""
        method = self.method(resource_id, http_method)
        return _found(method, "methodIntegration", "Integration identifier")

    def authorizer(self, identifier: str) -> Document:
        """The authorizer with this id."""
        return _found(self.authorizers, identifier, "Authorizer identifier")

    def stage(self, name: str) -> Document:
        """The stage with this name."""
        return _found(self.stages, name, "Stage identifier")

    def deployment(self, identifier: str) -> Deployment:
        """The deployment with this id."""
        if identifier not in self.deployments:
            raise not_found("Deployment identifier")
        return self.deployments[identifier]

    def methods(self) -> Iterator[tuple[Document, Document]]:
        """All methods, each after its resource."""
        for resource in self.resources.values():
            for method in resource.get("resourceMethods", {}).values():
                yield resource, method


@dataclass(slots=True)
class RestState:
    """Everything in one account and region. `plan_keys` has the ids of the keys in each plan."""

    apis: dict[str, RestApi] = field(default_factory=dict)
    usage_plans: dict[str, Document] = field(default_factory=dict)
    api_keys: dict[str, Document] = field(default_factory=dict)
    plan_keys: dict[str, list[str]] = field(default_factory=dict)
    account: Document = field(default_factory=dict)

    def dump(self) -> Document:
        """All of it as a JSON value."""
        dumped: Document = _STATE.dump_python(self, mode="json")
        return dumped

    @classmethod
    def load(cls, value: object) -> RestState:
        """What `dump` gave.

        Raises:
            ValueError: `value` is something else.
        """
        return _STATE.validate_python(value)

    def api(self, home: Home, identifier: str) -> RestApi:
        """The API with this id."""
        if identifier not in self.apis:
            raise ApiError(
                "NotFoundException",
                f"Invalid API identifier specified {home.account_id}:{identifier}",
            )
        return self.apis[identifier]

    def usage_plan(self, identifier: str) -> Document:
        """The usage plan with this id."""
        return _found(self.usage_plans, identifier, "Usage Plan ID")

    def api_key(self, identifier: str) -> Document:
        """The API key with this id."""
        return _found(self.api_keys, identifier, "API Key identifier")

    def plans_of_key(self, key_id: str) -> list[str]:
        """The ids of the usage plans that a key is in."""
        return [plan_id for plan_id, key_ids in self.plan_keys.items() if key_id in key_ids]

    def forget_stages(self, api_id: str, names: Container[str]) -> None:
        """Takes stages that are gone out of all usage plans."""
        for plan_id, plan in self.usage_plans.items():
            kept = [
                entry
                for entry in plan.get("apiStages", [])
                if entry["apiId"] != api_id or entry["stage"] not in names
            ]
            self.usage_plans[plan_id] = {**plan, "apiStages": kept}


_STATE = TypeAdapter(RestState)


def _found(documents: dict[str, Document], key: str, kind: str) -> Document:
    document = documents.get(key)
    if document is None:
        raise not_found(kind)
    return document
