"""Lambda proxy integrations: a request becomes an event, what the function gives an answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from typing import Protocol

from sandbox.api_errors import ApiError
from sandbox.execution.contract import InvokeResult
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.outcome import TIMEOUT_ERROR, Answered, Failed, Outcome
from sandbox.gateway.proxy_answers import MalformedAnswer, ProxyAnswer, read_answer
from sandbox.gateway.proxy_events import is_binary, proxy_event
from sandbox.gateway.snapshot import LambdaIntegration
from sandbox.http import new_request_id
from sandbox.lambda_api.names import FunctionReference

# Lambda takes this much in one synchronous call (Lambda quotas, 2026).
MAX_EVENT_BYTES = 6_291_456

_TIMED_OUT = Failed("INTEGRATION_TIMEOUT")


class Invoker(Protocol):
    """Runs functions of the sandbox's Lambda."""

    def call(
        self,
        reference: FunctionReference,
        payload: bytes,
        request_id: str,
        *,
        source_arn: str | None = None,
        trace_id: str | None = None,
    ) -> Awaitable[InvokeResult]:
        """Runs a function to its end.

        Raises:
            ApiError: Lambda refuses the invocation.
        """


class LambdaProxy:
    """Calls functions for the gateway."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    async def answer(
        self, exchange: Exchange, integration: LambdaIntegration, spent_s: float = 0.0
    ) -> Outcome:
        """The function's answer, or what went wrong; `spent_s` of the timeout are over already.

        A function that takes longer than the integration may runs on, as on AWS: then
        `exchange.expire` is called in time, and what is given here in the end is of no use.
        """
        event = proxy_event(exchange, integration.payload_format)
        if len(event) > MAX_EVENT_BYTES:
            exchange.integration_error = "the event is larger than Lambda takes"
            return Failed("REQUEST_TOO_LARGE")
        exchange.integration_request_id = request_id = new_request_id()
        loop = asyncio.get_running_loop()
        left_s = integration.timeout_ms / 1000 - spent_s
        expiry = loop.call_later(left_s, _expire, exchange, integration)
        began_s = time.monotonic()
        try:
            result = await self._invoker.call(
                integration.function,
                event,
                request_id,
                source_arn=exchange.method_arn,
                trace_id=exchange.trace_id,
            )
        except ApiError as error:
            exchange.integration_ms = (time.monotonic() - began_s) * 1000
            return _refused(exchange, error)
        finally:
            expiry.cancel()
        if exchange.has_expired:
            return _TIMED_OUT
        exchange.integration_ms = (time.monotonic() - began_s) * 1000
        return _outcome(exchange, integration, result)


def _expire(exchange: Exchange, integration: LambdaIntegration) -> None:
    exchange.has_expired = True
    exchange.integration_ms = float(integration.timeout_ms)
    exchange.integration_error = TIMEOUT_ERROR
    exchange.expire(_TIMED_OUT)


def _outcome(exchange: Exchange, integration: LambdaIntegration, result: InvokeResult) -> Outcome:
    exchange.integration_status = 200
    exchange.overhead_in_integration_ms = result.overhead_ms
    if result.function_error is not None:
        exchange.integration_error = _function_error(exchange, result)
        return Failed("BAD_GATEWAY")
    try:
        return _answered(exchange, read_answer(result.payload, integration.payload_format))
    except MalformedAnswer as error:
        exchange.integration_error = (
            f"Execution failed due to configuration error: Malformed Lambda proxy response: {error}"
        )
        return Failed("BAD_GATEWAY")


def _refused(exchange: Exchange, error: ApiError) -> Failed:
    """Lambda did not take the call: it is throttled, not allowed, or there is no function."""
    status = {"TooManyRequestsException": 429, "ResourceNotFoundException": 404}.get(error.code)
    exchange.integration_status = status or error.status
    exchange.integration_error = error.message
    if error.code == "RequestTooLargeException":
        return Failed("REQUEST_TOO_LARGE")
    is_final = exchange.integration_status in (403, 404)
    if exchange.stage.kind == "HTTP" and is_final:
        return Failed("NOT_INVOCABLE")
    return Failed("REFUSED_INVOCATION")


def _function_error(exchange: Exchange, result: InvokeResult) -> str:
    try:
        message = json.loads(result.payload).get("errorMessage")
    except (ValueError, AttributeError):
        message = None
    return (
        "Lambda execution failed with status 200 due to customer function error: "
        f"{message}. Lambda request id: {exchange.integration_request_id}"
    )


def _answered(exchange: Exchange, answer: ProxyAnswer) -> Answered:
    exchange.function_status = answer.status
    body = answer.body
    if answer.is_base64 and _is_decoded(exchange, answer):
        body = answer.decoded()
    return Answered(answer.status, answer.headers, body)


def _is_decoded(exchange: Exchange, answer: ProxyAnswer) -> bool:
    """Whether base64 is undone: a REST API does so only for its binary types that are accepted."""
    if exchange.stage.kind == "HTTP":
        return True
    accepted = (exchange.request.text_header(b"accept") or "").split(",")[0]
    types = [
        value.decode("latin-1")
        for name, value in answer.headers
        if (name.lower() == b"content-type")
    ]
    return any(is_binary(exchange, kind) for kind in (accepted, *types))
