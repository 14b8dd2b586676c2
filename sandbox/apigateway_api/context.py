"""What all operations share: where they are, what they know, and what they ask others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

from sandbox.apigateway_api.state import Document, RestApi, RestState
from sandbox.gateway.snapshot import Limit
from sandbox.lambda_api.names import Home
from sandbox.rest_json.service import Operation, Output, Parameters

__all__ = ["Operation", "Output", "Parameters"]

# "Maximum integration timeout in milliseconds" (quota L-E5AE38E3), raisable since 2024-06.
DEFAULT_MAX_TIMEOUT_MS = 29_000
# "Throttle quota per account, per Region" (quotas L-8A5B8E43 and L-CDF5615A; 2026).
DEFAULT_ACCOUNT_LIMIT = Limit(10_000.0, 5_000.0)


class UsageLedger(Protocol):
    """The counters of usage-plan quotas, which the data plane keeps."""

    def used_by_day(
        self, plan_id: str, key_id: str, start: date, end: date
    ) -> list[tuple[int, int]]:
        """Used and remaining requests, one pair for each day from `start` to `end`."""

    def set_remaining(self, plan_id: str, key_id: str, remaining: int) -> None:
        """Sets how many requests are left in the current period."""

    def forget_plan(self, plan_id: str) -> None:
        """Drops what was used under a plan that is deleted."""


def _wall_s() -> int:
    return int(time.time())


def _ignore_reset(api_id: str, stage: str) -> None:
    """For where no data plane keeps anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestApiContext:
    """The state of the control plane, and its surroundings.

    `on_change` is called after each call that changed something. `reset_cache` and
    `reset_authorizers` forget what the data plane keeps for a stage (API id, stage name).
    `account_limit` is the account's throttle, which GetAccount shows; `max_timeout_ms` the quota
    for integration timeouts; `now_s` the time in whole seconds since the epoch.
    """

    home: Home
    state: RestState
    ledger: UsageLedger
    on_change: Callable[[], None]
    reset_cache: Callable[[str, str], None] = _ignore_reset
    reset_authorizers: Callable[[str, str], None] = _ignore_reset
    account_limit: Limit = DEFAULT_ACCOUNT_LIMIT
    max_timeout_ms: int = DEFAULT_MAX_TIMEOUT_MS
    now_s: Callable[[], int] = _wall_s

    def api(self, parameters: Parameters) -> RestApi:
        """The API that a call names."""
        return self.state.api(self.home, parameters["restApiId"])


_TIMES = ("createdDate", "lastUpdatedDate")


def shown(document: Document) -> Output:
    """A document as an answer has it: with times for numbers of seconds."""
    times = {
        name: datetime.fromtimestamp(document[name], UTC) for name in _TIMES if name in document
    }
    return {**document, **times}


def chosen(parameters: Parameters, names: tuple[str, ...]) -> Document:
    """Those of the parameters that a call gives, to be kept as they are."""
    return {name: parameters[name] for name in names if parameters.get(name) is not None}
