"""API Gateway as a whole: two control planes, one data plane, and the file that they survive in."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx

from core.errors import InputError
from sandbox.api_errors import ApiError, Guard
from sandbox.apigateway_api.compile import compile_keys, compile_plans
from sandbox.apigateway_api.compile import compile_stages as compile_rest_stages
from sandbox.apigateway_api.context import (
    DEFAULT_ACCOUNT_LIMIT,
    DEFAULT_MAX_TIMEOUT_MS,
    RestApiContext,
)
from sandbox.apigateway_api.service import RestApiService
from sandbox.apigateway_api.state import RestState
from sandbox.apigatewayv2_api.compile import compile_stages as compile_http_stages
from sandbox.apigatewayv2_api.context import HttpApiContext
from sandbox.apigatewayv2_api.service import HttpApiService
from sandbox.apigatewayv2_api.state import HttpState
from sandbox.front import CredentialScope
from sandbox.gateway.authorizers.access import AccessControl
from sandbox.gateway.authorizers.jwt import KeyCache, http_fetch
from sandbox.gateway.authorizers.lambda_authorizer import LambdaAuthorizers
from sandbox.gateway.authorizers.lambda_calls import AuthorizerCalls
from sandbox.gateway.authorizers.sigv4 import SecretLookup
from sandbox.gateway.disturbance import Disturbances
from sandbox.gateway.lambda_proxy import Invoker
from sandbox.gateway.limits import Enforcement, LimitLedger
from sandbox.gateway.meter import GatewayMeters
from sandbox.gateway.plane import GatewayPlane
from sandbox.gateway.snapshot import Limit, Snapshot
from sandbox.gateway.tracing import RequestTracer
from sandbox.http import Answer, Request
from sandbox.lambda_api.names import Home
from sandbox.state_file import read_state_file, unreadable
from sandbox.telemetry.contract import LogSink

_SCHEMA_VERSION = 1
_V2_PREFIX = "/v2/"

# What messages call the state file.
_WHAT = "the sandbox's APIs"
# What comes of documents that are not as this sandbox writes them.
_FOREIGN = (LookupError, ValueError, TypeError, AttributeError, ApiError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """How the sandbox's API Gateway differs from one account to another.

    `account_limit` is the throttle of the account, by default that of most regions (API Gateway
    quotas, 2026); `max_timeout_ms` the longest integration timeout of a REST API.
    """

    account_limit: Limit = DEFAULT_ACCOUNT_LIMIT
    max_timeout_ms: int = DEFAULT_MAX_TIMEOUT_MS
    enforcement: Enforcement = field(default_factory=Enforcement)


class ApiGateway:
    """Answers signed calls of both API versions, and serves the APIs that they make."""

    def __init__(
        self,
        home: Home,
        options: GatewayOptions,
        state_file: Path | None,
        *,
        invoker: Invoker,
        secret_of: SecretLookup,
        logs: LogSink,
        disturbances: Disturbances,
        tracer: RequestTracer | None = None,
    ) -> None:
        self._home = home
        self._options = options
        self._file = state_file
        self.ledger = LimitLedger(options.enforcement)
        self.meters = GatewayMeters()
        self._saved_requests = 0
        self._rest, self._http = RestState(), HttpState()
        if state_file is not None and state_file.exists():
            self._load(state_file)
        self._authorizers = functions = LambdaAuthorizers(AuthorizerCalls(invoker))
        self._key_client = httpx.AsyncClient(trust_env=False)
        keys = KeyCache(http_fetch(self._key_client))
        self.plane = GatewayPlane(
            home,
            self.ledger,
            self.meters,
            invoker,
            AccessControl(secret_of, keys, functions),
            logs=logs,
            disturbances=disturbances,
            tracer=tracer,
        )

        def reset_authorizers(api_id: str, stage: str) -> None:
            functions.reset((api_id, stage))

        self._rest_service = RestApiService(
            RestApiContext(
                home=home,
                state=self._rest,
                ledger=_Usage(self.ledger),
                on_change=self._changed,
                reset_cache=lambda api_id, stage: self.plane.flush_cache((api_id, stage)),
                reset_authorizers=reset_authorizers,
                account_limit=options.account_limit,
                max_timeout_ms=options.max_timeout_ms,
            )
        )
        self._http_service = HttpApiService(
            HttpApiContext(
                home=home,
                state=self._http,
                on_change=self._changed,
                reset_authorizers=reset_authorizers,
            )
        )
        self._serve_first()

    def handle(self, request: Request, scope: CredentialScope) -> Answer:
        """The answer to a signed call; both versions are signed for "apigateway"."""
        is_v2 = request.path.startswith(_V2_PREFIX)
        service = self._http_service if is_v2 else self._rest_service
        return service.handle(request, scope)

    def guard_with(self, guard: Guard) -> None:
        """Has each call of the control planes pass `guard` first."""
        self._rest_service.guard = self._http_service.guard = guard

    def api_names(self) -> dict[str, str]:
        """The names of all APIs by their ids."""
        names = {api_id: str(api.document["name"]) for api_id, api in self._rest.apis.items()}
        names.update({api_id: str(api.document["Name"]) for api_id, api in self._http.apis.items()})
        return names

    async def close(self) -> None:
        """Drops what runs, and saves what was used of the quotas."""
        await self.plane.close()
        await self._authorizers.close()
        await self._key_client.aclose()
        self._save()

    def save_usage(self) -> None:
        """Saves what was used of the quotas, where that has changed: a sandbox may be killed."""
        if self._file is None or self.ledger.quota_requests == self._saved_requests:
            return
        try:
            self._save()
        except OSError as error:  # a full disk must not end what else is done at these times
            logger.warning("could not save what was used of the quotas: %s", error)

    def _changed(self) -> None:
        self._save()
        self._serve()

    def _serve_first(self) -> None:
        """Serves what the state file has: whether it is whole shows only now.

        Raises:
            InputError: it is not.
        """
        try:
            self.api_names()
            self._serve()
        except _FOREIGN as error:
            if self._file is None:
                raise
            raise unreadable(self._file, _WHAT, error) from error

    def _serve(self) -> None:
        """Puts what the control planes know to work."""
        limit = self._options.account_limit
        stages = (
            *compile_rest_stages(self._rest, self._home, limit),
            *compile_http_stages(self._http, limit),
        )
        self.plane.adopt(
            Snapshot(
                stages={stage.key: stage for stage in stages},
                keys=compile_keys(self._rest),
                plans=compile_plans(self._rest, limit),
                account_limit=limit,
            )
        )

    # The state file

    def _save(self) -> None:
        if self._file is None:
            return
        document = {
            "schema_version": _SCHEMA_VERSION,
            "rest": self._rest.dump(),
            "http": self._http.dump(),
            "usage": self.ledger.dump(),
        }
        requests = self.ledger.quota_requests
        scratch = self._file.with_suffix(".new")
        scratch.write_text(json.dumps(document), encoding="utf-8")
        scratch.replace(self._file)
        self._saved_requests = requests

    def _load(self, file: Path) -> None:
        document = read_state_file(file, _WHAT, _SCHEMA_VERSION)
        where = ""
        try:
            rest, http, usage = document["rest"], document["http"], document["usage"]
            where = "rest"
            self._rest = RestState.load(rest)
            where = "http"
            self._http = HttpState.load(http)
            where = "usage"
            self.ledger.load(usage)
        except (*_FOREIGN, InputError) as error:
            raise unreadable(file, _WHAT, error, where) from error


class _Usage:
    """The ledger's quota counters as the control plane asks for them."""

    def __init__(self, ledger: LimitLedger, wall_clock: Callable[[], float] = time.time) -> None:
        self._ledger = ledger
        self._wall_clock = wall_clock

    def used_by_day(
        self, plan_id: str, key_id: str, start: date, end: date
    ) -> list[tuple[int, int]]:
        """Used and remaining; a plan without a quota has nothing remaining to show."""
        days = self._ledger.used_by_day(plan_id, key_id, start, end)
        return [(used, remaining or 0) for used, remaining in days]

    def set_remaining(self, plan_id: str, key_id: str, remaining: int) -> None:
        """Leaves so many requests in the present period."""
        self._ledger.set_remaining(plan_id, key_id, remaining, self._wall_clock())

    def forget_plan(self, plan_id: str) -> None:
        """Drops what was used under a plan that is deleted."""
        self._ledger.forget_plan(plan_id)
