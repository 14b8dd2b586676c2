"""All HTTP APIs with their parts, as documents that JSON can hold.

A document has the members of botocore's shapes by their names in the model, and its times are
ISO 8601 texts. A document is never changed: a change puts a new one in its place. Deployments and
the living API therefore share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Document = dict[str, Any]
Documents = dict[str, Document]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a deployment freezes. `settings` are those of the API itself (CORS, its endpoint)."""

    settings: Document
    routes: Documents
    integrations: Documents
    authorizers: Documents


@dataclass(slots=True)
class HttpApi:
    """One API. Each dictionary is by id, `stages` by name."""

    document: Document
    integrations: Documents = field(default_factory=dict)
    routes: Documents = field(default_factory=dict)
    authorizers: Documents = field(default_factory=dict)
    stages: Documents = field(default_factory=dict)
    deployments: Documents = field(default_factory=dict)
    configurations: dict[str, Configuration] = field(default_factory=dict)  # by deployment id

    @property
    def id(self) -> str:
        """What names the API."""
        return str(self.document["ApiId"])

    def freeze(self) -> Configuration:
        """What a deployment made now would serve."""
        frozen = ("CorsConfiguration", "DisableExecuteApiEndpoint")
        return Configuration(
            settings={name: self.document[name] for name in frozen if name in self.document},
            routes=dict(self.routes),
            integrations=dict(self.integrations),
            authorizers=dict(self.authorizers),
        )


class HttpState:
    """The HTTP APIs of an account, by id."""

    def __init__(self) -> None:
        self.apis: dict[str, HttpApi] = {}

    def dump(self) -> Document:
        """Everything, as a value that JSON can hold and `load` takes."""
        return {"apis": [asdict(api) for api in self.apis.values()]}

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> HttpState:
        """The state that `dump` gave.

        Raises:
            KeyError: `value` is not from `dump`.
            TypeError: `value` is not from `dump`.
        """
        state = cls()
        for stored in value["apis"]:
            configurations = {
                deployment_id: Configuration(**frozen)
                for deployment_id, frozen in stored["configurations"].items()
            }
            api = HttpApi(**{**stored, "configurations": configurations})
            state.apis[api.id] = api
        return state
