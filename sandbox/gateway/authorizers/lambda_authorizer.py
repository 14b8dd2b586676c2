"""Lambda authorizers: asks a function who may call, and remembers what it said."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.gateway.authorizers.identity import identity_values
from sandbox.gateway.authorizers.lambda_answers import (
    Decision,
    MalformedDecision,
    parse_decision,
)
from sandbox.gateway.authorizers.lambda_events import authorizer_event
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.snapshot import LambdaAuthorizer, StageKey

# API Gateway gives an authorizer this long (developer guide, quotas, 2026).
TIMEOUT_S = 10.0
# Answers that are kept; those unused for longest go first.
_MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class FunctionAnswer:
    """What came of a call: the payload, and the kind of error where the function failed."""

    payload: bytes
    function_error: str | None = None


# Calls a function with an event; raises `CallRefused` where Lambda does not run it.
CallFunction = Callable[[Exchange, LambdaAuthorizer, bytes], Awaitable[FunctionAnswer]]


class CallRefused(Exception):
    """When Lambda refuses the invocation; the text says why."""


class Unauthorized(Exception):
    """When the client is answered 401: no identity, or the function said "Unauthorized"."""


class AuthorizerFailed(Exception):
    """When the authorizer itself fails, and the client is answered 500.

    `response_type` is AUTHORIZER_FAILURE where the function failed, and
    AUTHORIZER_CONFIGURATION_ERROR where its answer is no decision.
    """

    def __init__(self, message: str, response_type: str) -> None:
        super().__init__(message)
        self.response_type = response_type


_Key = tuple[StageKey, str, tuple[str, ...]]


class LambdaAuthorizers:
    """Decides by asking functions; `clock` gives monotonic seconds."""

    def __init__(
        self,
        call: CallFunction,
        *,
        clock: Callable[[], float] = time.monotonic,
        capacity: int = _MOST_KEPT,
    ) -> None:
        self._call = call
        self._clock = clock
        self._capacity = capacity
        self._kept: OrderedDict[_Key, tuple[float, Decision]] = OrderedDict()
        self._running: set[asyncio.Future[FunctionAnswer]] = set()

    async def decide(self, exchange: Exchange, authorizer: LambdaAuthorizer) -> Decision:
        """The decision on a request, kept or new; it still has to be asked for the method.

        Raises:
            Unauthorized: an identity source is missing or does not match, or the function said so.
            AuthorizerFailed: the function failed, or its answer is no decision.
        """
        identity = _identity(exchange, authorizer)
        if not authorizer.result_ttl_s or not identity:
            return await self._ask(exchange, authorizer, identity)
        key = (exchange.stage.key, authorizer.id, identity)
        decision = self._find(key)
        if decision is None:
            decision = await self._ask(exchange, authorizer, identity)
            self._keep(key, decision, authorizer.result_ttl_s)
        return decision

    def reset(self, stage: StageKey) -> None:
        """Forgets what was said for a stage."""
        for key in [key for key in self._kept if key[0] == stage]:
            del self._kept[key]

    async def close(self) -> None:
        """Drops the calls that run on."""
        for call in tuple(self._running):
            call.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _forget(self, call: asyncio.Future[FunctionAnswer]) -> None:
        """Looks at how a call ended, so that nobody complains of an error unseen."""
        self._running.discard(call)
        if not call.cancelled():
            call.exception()

    def _find(self, key: _Key) -> Decision | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if self._clock() >= kept[0]:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def _keep(self, key: _Key, decision: Decision, ttl_s: int) -> None:
        self._kept[key] = self._clock() + ttl_s, decision
        self._kept.move_to_end(key)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    async def _ask(
        self, exchange: Exchange, authorizer: LambdaAuthorizer, identity: tuple[str, ...]
    ) -> Decision:
        event = authorizer_event(exchange, authorizer, identity)
        call = asyncio.ensure_future(self._call(exchange, authorizer, event))
        self._running.add(call)
        call.add_done_callback(self._forget)
        # A call that is too late runs on, as on AWS.
        done, _ = await asyncio.wait((call,), timeout=TIMEOUT_S)
        if not done:
            raise AuthorizerFailed("the authorizer timed out", "AUTHORIZER_FAILURE")
        try:
            answer = call.result()
        except CallRefused as error:
            raise AuthorizerFailed(str(error), "AUTHORIZER_FAILURE") from error
        if answer.function_error is not None:
            raise _function_failed(answer.payload)
        try:
            return parse_decision(answer.payload, authorizer)
        except MalformedDecision as error:
            raise AuthorizerFailed(str(error), "AUTHORIZER_CONFIGURATION_ERROR") from error


def _identity(exchange: Exchange, authorizer: LambdaAuthorizer) -> tuple[str, ...]:
    identity = identity_values(authorizer.identity_sources, exchange)
    if identity is None or (authorizer.kind == "TOKEN" and not identity):
        raise Unauthorized("an identity source is missing")
    pattern = authorizer.identity_validation if authorizer.kind == "TOKEN" else None
    if pattern and re.fullmatch(pattern, identity[0]) is None:
        raise Unauthorized("the token does not match the identity validation expression")
    return identity


def _function_failed(payload: bytes) -> Exception:
    """A function refuses a client by failing with the word "Unauthorized"."""
    try:
        message = json.loads(payload).get("errorMessage")
    except (ValueError, AttributeError):
        message = None
    if message == "Unauthorized":
        return Unauthorized("Unauthorized")
    return AuthorizerFailed("the authorizer's function failed", "AUTHORIZER_FAILURE")
