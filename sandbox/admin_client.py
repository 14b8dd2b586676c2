"""Asks a running sandbox about itself, over the paths of `sandbox/admin.py`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from core.errors import InputError, ToolError
from sandbox.admin import ADMIN_PATH

# It is on this machine and answers from memory.
_TIMEOUT_S = 10.0

# What the sandbox says of a wrong setting, and of a fault that does not exist.
_REFUSALS = frozenset({"ValidationException", "NotFoundException"})


class AdminClient:
    """A sandbox by its endpoint.

    All methods raise InputError where the sandbox refuses what it is given, and ToolError where no
    sandbox answers. An endpoint that is no URL is an InputError as well.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")
        if not _names_a_server(endpoint_url):
            raise InputError(
                f"--endpoint: must be an http URL with a host (got {endpoint_url})",
                hint="such as http://127.0.0.1:4599",
            )

    def add_fault(self, settings: Mapping[str, object], owner: str | None = None) -> dict[str, Any]:
        """Makes a fault active, of an owner or of nobody; gives it with its id."""
        _check_finite(f"fault {settings.get('kind')}", settings)
        owned = {} if owner is None else {"owner": owner}
        return self._ask("POST", "faults", {**settings, **owned})

    def faults(self) -> list[dict[str, Any]]:
        """The active faults."""
        found = self._ask("GET", "faults")["faults"]
        return list(found)

    def clear_faults(self, fault_id: str | None) -> int:
        """Ends one fault, or all; says how many there were."""
        path = "faults" if fault_id is None else f"faults/{quote(fault_id, safe='')}"
        return int(self._ask("DELETE", path)["removed"])

    def enforcement(self) -> dict[str, Any]:
        """How throttles are kept."""
        return self._ask("GET", "enforcement")

    def enforce(self, text: str) -> dict[str, Any]:
        """Keeps throttles in another way."""
        return self._ask("PUT", "enforcement", text)

    def network(self) -> dict[str, Any]:
        """The delays between clients and APIs."""
        return self._ask("GET", "network")

    def delay(self, settings: Mapping[str, object]) -> dict[str, Any]:
        """Delays requests and answers, by the settings of `gateway.network.Delays`."""
        _check_finite("network", settings)
        return self._ask("PUT", "network", dict(settings))

    def end_delays(self) -> dict[str, Any]:
        """Delays nothing any more."""
        return self._ask("DELETE", "network")

    def limits(self) -> dict[str, Any]:
        """Every limit with what it admitted and refused."""
        return self._ask("GET", "limits")

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        url = f"{self._endpoint_url}{ADMIN_PATH}{path}"
        try:
            # No proxy of the environment stands between a machine and itself.
            with httpx.Client(trust_env=False, timeout=_TIMEOUT_S) as client:
                answer = client.request(method, url, json=body)
        except httpx.HTTPError as error:
            raise self._no_sandbox(str(error) or type(error).__name__) from error
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._no_sandbox(f"it answers {answer.status_code} without a document")
        if answer.is_success:
            return document
        message = str(document.get("message", f"status {answer.status_code}"))
        if answer.headers.get("x-amzn-ErrorType") in _REFUSALS:
            raise InputError(message)
        raise self._no_sandbox(message)

    def _no_sandbox(self, reason: str) -> ToolError:
        return ToolError(
            f"no sandbox answers at {self._endpoint_url}: {reason}",
            hint="start one with sandbox up, or give its --endpoint",
        )


def _check_finite(what: str, settings: Mapping[str, object]) -> None:
    """JSON has no other numbers: they cannot even be sent."""
    for name, value in settings.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{what}: {name}: must be a finite number (got {value})")


def _names_a_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
