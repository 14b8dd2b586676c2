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
from sandbox.gateway.outcome import Answered, Failed, Outcome
from sandbox.gateway.proxy_answers import MalformedAnswer, ProxyAnswer, read_answer
from sandbox.gateway.proxy_events import is_binary, proxy_event
from sandbox.gateway.snapshot import LambdaIntegration
from sandbox.http import new_request_id
from sandbox.lambda_api.names import FunctionReference

# Lambda takes this much in one synchronous call (Lambda quotas, 2026).
MAX_EVENT_BYTES = 6_291_456


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
    """Calls functions for the gateway; a call that is too late runs on, as on AWS."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker
        self._running: set[asyncio.Future[InvokeResult]] = set()

    async def answer(self, exchange: Exchange, integration: LambdaIntegration) -> Outcome:
        """The function's answer, or what went wrong."""
        event = proxy_event(exchange, integration.payload_format)
        if len(event) > MAX_EVENT_BYTES:
            exchange.integration_error = "the event is larger than Lambda takes"
            return Failed("REQUEST_TOO_LARGE")
        try:
            result = await self._call(exchange, integration, event)
        except TimeoutError:
            exchange.integration_error = "Execution failed due to a timeout error"
            return Failed("INTEGRATION_TIMEOUT")
        except ApiError as error:
            return _refused(exchange, error)
        exchange.integration_status = 200
        exchange.overhead_in_integration_ms = result.overhead_ms
        if result.function_error is not None:
            exchange.integration_error = _function_error(exchange, result)
            return Failed("BAD_GATEWAY")
        try:
            return _answered(exchange, read_answer(result.payload, integration.payload_format))
        except MalformedAnswer as error:
            exchange.integration_error = (
                "Execution failed due to configuration error: "
                f"Malformed Lambda proxy response: {error}"
            )
            return Failed("BAD_GATEWAY")

    async def _call(
        self, exchange: Exchange, integration: LambdaIntegration, event: bytes
    ) -> InvokeResult:
        exchange.integration_request_id = request_id = new_request_id()
        call = asyncio.ensure_future(
            self._invoker.call(
                integration.function,
                event,
                request_id,
                source_arn=exchange.method_arn,
                trace_id=exchange.trace_id,
            )
        )
        self._running.add(call)
        call.add_done_callback(self._running.discard)
        began_s = time.monotonic()
        done, _ = await asyncio.wait((call,), timeout=integration.timeout_ms / 1000)
        exchange.integration_ms = (time.monotonic() - began_s) * 1000
        if not done:
            call.add_done_callback(_forget)
            raise TimeoutError
        return call.result()

    async def close(self) -> None:
        """Drops the calls that run on."""
        for call in tuple(self._running):
            call.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def _forget(call: asyncio.Future[InvokeResult]) -> None:
    """Looks at how a late call ended, so that nobody complains of an error unseen."""
    if not call.cancelled():
        call.exception()


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
