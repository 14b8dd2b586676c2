"""Traces requests to stages and invocations of functions, as API Gateway and Lambda do.

A stage with tracing decides for whoever calls it without a decision, and passes it on. A function
with TracingConfig Active sends what it was decided, and decides where nobody has. One that passes
through sends nothing.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from random import Random

from sandbox.execution.contract import InvokeRequest, InvokeResult, VersionSpec
from sandbox.gateway.exchange import Exchange
from sandbox.http import Response
from sandbox.xray.function_segments import function_segments, refused_segment
from sandbox.xray.gateway_segments import gateway_segment
from sandbox.xray.sampling import Sampler, TraceHeader, Tracing, header_text
from sandbox.xray.store import TraceStore

HEADER = b"X-Amzn-Trace-Id"


class Tracer:
    """Records the segments of what is sampled."""

    def __init__(self, store: TraceStore, rng: Random | None = None) -> None:
        self._store = store
        self._sampler = Sampler(rng or Random())

    # API Gateway

    def begin_request(self, exchange: Exchange) -> None:
        """Decides on a request to a stage with tracing, and has the header say it."""
        given = TraceHeader.parse(exchange.request.text_header(HEADER.lower()))
        stage = exchange.stage
        root, is_sampled = self._decide(
            given, f"{stage.api_id}/{stage.name}", exchange.arrived_s, exchange.arrived_wall_s
        )
        made = Tracing(root, given.parent, new_id(), new_id())
        exchange.trace_id_made = header_text(root, made.child_id, sampled=is_sampled)
        if is_sampled:
            exchange.tracing = made
            self._store.open(root)

    def end_request(self, exchange: Exchange, response: Response) -> Response:
        """Sends the segment of a request that has been answered; gives the answer a header."""
        if exchange.tracing is not None:
            self._store.put(gateway_segment(exchange, exchange.tracing))
            self._store.close(exchange.tracing.root)
        text = exchange.trace_id.encode("latin-1", "replace")
        others = tuple(it for it in response.headers if it[0].lower() != HEADER.lower())
        return replace(response, headers=(*others, (HEADER, text)))

    # Lambda

    def begin_invocation(
        self, spec: VersionSpec, request: InvokeRequest, now_s: float, wall_s: float
    ) -> Tracing | None:
        """Decides on an invocation of a function that traces, and has the header say it."""
        given = TraceHeader.parse(request.trace_id)
        root, is_sampled = self._decide(given, spec.function_name, now_s, wall_s)
        made = Tracing(root, given.parent, new_id(), new_id())
        request.trace_id = header_text(root, made.child_id, sampled=is_sampled)
        if not is_sampled:
            return None
        self._store.open(root)
        return made

    def end_invocation(
        self,
        tracing: Tracing,
        spec: VersionSpec,
        request: InvokeRequest,
        result: InvokeResult,
        span_s: tuple[float, float],
    ) -> None:
        """Sends the segments of an invocation; `span_s` is from when to when, since the epoch."""
        for segment in function_segments(tracing, spec, request, result, span_s):
            self._store.put(segment)
        self._store.close(tracing.root)

    def refuse_invocation(self, spec: VersionSpec, request: InvokeRequest, now_s: float) -> None:
        """Sends the segment of an invocation that is throttled, where it is sampled."""
        wall_s = time.time()
        tracing = self.begin_invocation(spec, request, now_s, wall_s)
        if tracing is not None:
            self._store.put(refused_segment(tracing, spec, request, wall_s))
            self._store.close(tracing.root)

    def _decide(
        self, given: TraceHeader, service: str, now_s: float, wall_s: float
    ) -> tuple[str, bool]:
        """The root of the trace, and whether it is recorded."""
        root = given.root or f"1-{int(wall_s):08x}-{random.getrandbits(96):024x}"
        sampled = given.sampled
        if sampled is None:
            sampled = self._sampler.draw(service, now_s)
        return root, sampled


def new_id() -> str:
    """A new segment id."""
    return f"{random.getrandbits(64):016x}"
