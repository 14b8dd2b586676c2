"""Access and execution logs: one line for each request, to CloudWatch Logs."""

from __future__ import annotations

import asyncio
import secrets

from sandbox.gateway.context_variables import compiled
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.snapshot import AccessLog, Stage
from sandbox.telemetry.contract import LogSink

# An execution log event is cut at 1,024 bytes ("Set up CloudWatch logging", developer guide).
_MAX_EXECUTION_BYTES = 1024


class AccessLogWriter:
    """Writes the access log of a stage; all lines go to one stream.

    The lines of one turn of the event loop are handed over together at its end: before anybody can
    ask for them, and for a third of what single ones cost.
    """

    def __init__(self, settings: AccessLog, sink: LogSink) -> None:
        self._group = settings.log_group
        self._template = compiled(settings.format)
        self._sink = sink
        self._stream = secrets.token_hex(16)
        self._lines: list[tuple[int, str]] = []

    def write(self, exchange: Exchange, at_ms: int) -> None:
        """Writes the line of a request that has been answered."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._hand_over)
        self._lines.append((at_ms, self._template.render(exchange, missing="-")))

    def _hand_over(self) -> None:
        lines, self._lines = self._lines, []
        self._sink.append(self._group, self._stream, lines)


class ExecutionLogWriter:
    """Writes what API Gateway's execution logs say of refusals and of failed integrations."""

    def __init__(self, stage: Stage, sink: LogSink) -> None:
        self._group = f"API-Gateway-Execution-Logs_{stage.api_id}/{stage.name}"
        if stage.is_canary:
            self._group += "/Canary"
        self._sink = sink
        self._stream = secrets.token_hex(16)

    def write(self, exchange: Exchange, at_ms: int, *, everything: bool) -> None:
        """Writes the lines of a request; without `everything` only what went wrong."""
        lines = []
        if exchange.refusal is not None:
            lines.append(exchange.refusal.log_text)
        if exchange.integration_error is not None:
            lines.append(exchange.integration_error)
        if everything:
            request = exchange.request
            resource = exchange.route.path if exchange.route else "-"
            lines.insert(0, f"HTTP Method: {request.method}, Resource Path: {resource}")
            lines.append(f"Method completed with status: {exchange.status}")
        prefix = f"({exchange.request.id}) "
        events = [(at_ms, _cut(prefix + line)) for line in lines]
        if events:
            self._sink.append(self._group, self._stream, events)


def _cut(line: str) -> str:
    raw = line.encode("utf-8", "replace")
    return raw[:_MAX_EXECUTION_BYTES].decode("utf-8", "ignore")
