"""What the operations of the HTTP APIs share."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.apigatewayv2_api.errors import not_found
from sandbox.apigatewayv2_api.state import Document, HttpApi, HttpState
from sandbox.lambda_api.names import Home

_ID_CHARACTERS = string.ascii_lowercase + string.digits
_TIMES = ("CreatedDate", "LastUpdatedDate")


def _now() -> datetime:
    return datetime.now(UTC)


def _ignore_reset(api_id: str, stage_name: str) -> None:
    """Nothing is cached where nobody says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpApiContext:
    """Where the operations work.

    `on_change` is called after each change that succeeded. `reset_authorizers` forgets the
    authorizer answers that the data plane keeps for a stage (API id, stage name).
    """

    home: Home
    state: HttpState
    on_change: Callable[[], None]
    reset_authorizers: Callable[[str, str], None] = _ignore_reset
    now: Callable[[], datetime] = _now

    def api(self, parameters: Mapping[str, Any]) -> HttpApi:
        """The API that a call names.

        Raises:
            ApiError: there is none.
        """
        api_id = parameters["ApiId"]
        api = self.state.apis.get(api_id)
        if api is None:
            raise not_found(f"Invalid API identifier specified {self.home.account_id}:{api_id}")
        return api

    def timestamp(self) -> str:
        """The present time as documents have it: in UTC, to the second."""
        return self.now().astimezone(UTC).isoformat(timespec="seconds")


def new_id(length: int, taken: Collection[str]) -> str:
    """An id as AWS makes them: lower-case letters and digits. Letters begin it."""
    while True:
        name = secrets.choice(string.ascii_lowercase) + "".join(
            secrets.choice(_ID_CHARACTERS) for _ in range(length - 1)
        )
        if name not in taken:
            return name


def find(documents: Mapping[str, Document], name: str, noun: str) -> Document:
    """The document with an id.

    Raises:
        ApiError: there is none.
    """
    document = documents.get(name)
    if document is None:
        raise not_found(f"Invalid {noun} identifier specified {name}")
    return document


def given(parameters: Mapping[str, Any], *labels: str) -> Document:
    """The members of a call without those that only say where it goes."""
    return {name: value for name, value in parameters.items() if name not in labels}


def shown(document: Document) -> Document:
    """A document as an answer has it: with its times as times."""
    times = {name: datetime.fromisoformat(document[name]) for name in _TIMES if name in document}
    return {**document, **times}
