"""The data plane: takes a request to an API through all that API Gateway does with it.

In this order: address, size, route, WAF, authorization and resource policy, API key, limits,
cache, integration, answer, metrics and logs. A route that needs neither authorization nor an
integration that waits is answered at once, without a task of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from random import Random

from sandbox.gateway.addresses import (
    PATH_PREFIX,
    UnknownStage,
    destination,
    is_addressed_by_host,
)
from sandbox.gateway.authorization import Authorizers
from sandbox.gateway.cache import StageCache
from sandbox.gateway.disturbance import Disturbance, Disturbances, Undisturbed, delayed
from sandbox.gateway.endpoint import Destination, Endpoint, LiveStage
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.header_rules import response_headers
from sandbox.gateway.http_proxy import HttpProxy
from sandbox.gateway.lambda_proxy import Invoker, LambdaProxy
from sandbox.gateway.limits import LimitLedger
from sandbox.gateway.meter import GatewayMeters, Meter
from sandbox.gateway.mock import MalformedMock, UnsupportedMediaType
from sandbox.gateway.outcome import Answered, Failed, Outcome
from sandbox.gateway.response_types import REST_UNTYPED
from sandbox.gateway.responses import HTTP_API_ID, JSON_TYPE
from sandbox.gateway.snapshot import (
    ApiKey,
    HttpIntegration,
    LambdaIntegration,
    Snapshot,
    StageKey,
)
from sandbox.gateway.tracing import RequestTracer
from sandbox.http import Answer, Handler, Header, Request, Response
from sandbox.lambda_api.names import Home
from sandbox.telemetry.contract import LogSink

# API Gateway quotas, 2026: payload 10 MB; URL of a regional API and all headers 10,240 bytes each.
MAX_BODY_BYTES = 10_485_760
MAX_URL_BYTES = 10_240
MAX_HEADER_BYTES = 10_240

# Addresses whose destination is remembered; a load test uses thousands. Clients invent what they
# like, so they are few enough, and short enough, for some 30 MB.
_MAX_KNOWN = 20_000
_MAX_KNOWN_BYTES = 512

_NOT_THERE_REST = Response(
    403,
    REST_UNTYPED["FORBIDDEN"].body().encode(),
    (JSON_TYPE, (b"x-amzn-ErrorType", b"ForbiddenException")),
)
_NOT_THERE_HTTP = Response(404, b'{"message":"Not Found"}', (JSON_TYPE,), id_header=HTTP_API_ID)

# What load tests meet by the million.
_THROTTLED = Failed("THROTTLED")
_QUOTA_EXCEEDED = Failed("QUOTA_EXCEEDED")
_INVALID_API_KEY = Failed("INVALID_API_KEY")

_Address = tuple[str, bytes, bytes | None]


class GatewayPlane:
    """Serves all deployed stages; a `front.Application`.

    `clock` gives monotonic seconds and `wall_clock` seconds since the epoch; `rng` draws the
    requests that go to canaries.
    """

    def __init__(
        self,
        home: Home,
        ledger: LimitLedger,
        meters: GatewayMeters,
        invoker: Invoker,
        authorizers: Authorizers,
        *,
        logs: LogSink | None = None,
        disturbances: Disturbances | None = None,
        tracer: RequestTracer | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        rng: Random | None = None,
    ) -> None:
        self._home = home
        self._ledger = ledger
        self._meters = meters
        self._authorizers = authorizers
        self._logs = logs
        self._disturbances = disturbances or Undisturbed()
        self._tracer = tracer
        self._clock = clock
        self._wall_clock = wall_clock
        self._rng = rng or Random()
        self._lambda = LambdaProxy(invoker)
        self._http = HttpProxy()
        self._stages: dict[StageKey, LiveStage] = {}
        self._known: OrderedDict[_Address, Destination] = OrderedDict()
        # What takes requests; with a network before it (`gateway.network`), that.
        self.entrance: Handler = self.serve

    def adopt(self, snapshot: Snapshot) -> None:
        """Serves from `snapshot` from now on; buckets, counters and caches stay."""
        self._ledger.adopt(snapshot, self._clock())
        self._known.clear()
        caches = {key: live.cache for key, live in self._stages.items()}
        self._stages = {
            key: LiveStage(
                stage,
                snapshot,
                self._ledger,
                self._meters,
                self._logs,
                caches.get(key) or StageCache(),
            )
            for key, stage in snapshot.stages.items()
        }

    def flush_cache(self, stage: StageKey) -> None:
        """Empties the cache of a stage."""
        if stage in self._stages:
            self._stages[stage].cache.flush()

    async def close(self) -> None:
        """Closes the connections to other servers."""
        await self._http.close()

    # From the request to its endpoint

    def match(self, request: Request) -> Handler | None:
        """Takes what is addressed to an API."""
        if request.target.startswith(PATH_PREFIX):
            return self.entrance
        return self.entrance if is_addressed_by_host(request) else None

    def serve(self, request: Request) -> Answer:
        """The answer to a request: at once where nothing has to be waited for."""
        path = request.target
        if b"?" in path:
            path = path.partition(b"?")[0]
        address = (request.method, path, request.host)
        found = self._known.get(address)
        if found is None:
            try:
                found = destination(request, self._stages)
            except UnknownStage as error:
                return _NOT_THERE_HTTP if error.is_http else _NOT_THERE_REST
            self._remember(address, found)
        if found.canary is not None and self._rng.random() < found.stage.stage.canary_share:
            found = found.canary
        exchange = Exchange(
            request, found.stage.stage, self._home, found.path, self._clock(), self._wall_clock()
        )
        if exchange.stage.tracing and self._tracer is not None:
            self._tracer.begin_request(exchange)
        if found.stage.stage.kind == "HTTP":
            request.id = exchange.extended_id
        return self._serve(exchange, found)

    def _remember(self, address: _Address, found: Destination) -> None:
        """Keeps the destination of an address; the oldest go where there are too many."""
        _, path, host = address
        if len(path) + len(host or b"") > _MAX_KNOWN_BYTES:
            return
        if len(self._known) >= _MAX_KNOWN:
            self._known.popitem(last=False)
        self._known[address] = found

    def _serve(self, exchange: Exchange, found: Destination) -> Answer:
        live, endpoint = found.stage, found.endpoint
        failed = _unservable(exchange.request, live)
        if failed is not None:
            return self._failed(exchange, live, live.unrouted, failed)
        if endpoint is None:
            return self._without_route(exchange, live)
        exchange.route = endpoint.route
        exchange.path_parameters = found.path_parameters
        headers = live.cors.preflight(exchange.request) if live.cors else None
        if headers is not None:
            preflight = Response(204, b"", headers, id_header=HTTP_API_ID)
            return self._finished(exchange, live, endpoint.meter, preflight)
        disturbance = self._disturbances.disturbance(
            live.stage.key, endpoint.route.key, exchange.arrived_s
        )
        if disturbance is not None or not endpoint.is_immediate:
            return self._serve_later(exchange, endpoint, disturbance)
        failed = self._admitted(exchange, endpoint, exchange.arrived_s)
        if failed is not None:
            return self._failed(exchange, live, endpoint.meter, failed)
        return self._finished(exchange, live, endpoint.meter, self._mocked(exchange, endpoint))

    def _without_route(self, exchange: Exchange, live: LiveStage) -> Response:
        if live.stage.kind == "REST":
            failed = Failed("MISSING_AUTHENTICATION_TOKEN")
            return self._failed(exchange, live, live.unrouted, failed)
        headers = live.cors.preflight(exchange.request) if live.cors else None
        if headers is None:
            return self._failed(exchange, live, live.unrouted, Failed("RESOURCE_NOT_FOUND"))
        preflight = Response(204, b"", headers, id_header=HTTP_API_ID)
        return self._finished(exchange, live, live.unrouted, preflight)

    async def _serve_later(
        self, exchange: Exchange, endpoint: Endpoint, disturbance: Disturbance | None
    ) -> Response:
        live = endpoint.stage

        def expire(failed: Failed) -> None:
            late = self._failed(exchange, live, endpoint.meter, failed)
            if disturbance is not None:
                late.then = disturbance.misbehaviour
            exchange.request.answer_early(late)

        exchange.expire = expire
        outcome = await self._outcome(exchange, endpoint, disturbance)
        if exchange.has_expired:
            return _NOT_THERE_REST  # nobody waits for it any more
        if isinstance(outcome, Failed):
            response = self._failed(exchange, live, endpoint.meter, outcome)
        else:
            response = self._finished(
                exchange, live, endpoint.meter, self._answer(exchange, live, outcome)
            )
        if disturbance is not None:
            response.then = disturbance.misbehaviour
        return response

    async def _outcome(
        self, exchange: Exchange, endpoint: Endpoint, disturbance: Disturbance | None
    ) -> Outcome:
        if disturbance is not None:
            await asyncio.sleep(disturbance.latency_s)
            exchange.waited_ms += (self._clock() - exchange.arrived_s) * 1000
            if disturbance.blocked is not None:
                return disturbance.blocked
        failed = None
        if not endpoint.is_open:
            failed = await self._authorizers.check(exchange, endpoint.route)
        failed = failed or self._admitted(exchange, endpoint, self._clock())
        if failed is not None:
            return failed
        policy = endpoint.settings.cache if exchange.request.method == "GET" else None
        if policy is None:
            return await self._integrated(exchange, endpoint, disturbance)
        cache = endpoint.stage.cache
        cached = cache.find(exchange, policy, self._clock())
        exchange.cache_hit = cached is not None
        if cached is not None:
            return cached
        outcome = await self._integrated(exchange, endpoint, disturbance)
        if isinstance(outcome, Answered) and outcome.status < 400 and not exchange.has_expired:
            cache.keep(exchange, policy, outcome, self._clock())
        return outcome

    # Steps

    def _admitted(self, exchange: Exchange, endpoint: Endpoint, now_s: float) -> Failed | None:
        """Checks the API key, and takes the request from all limits.

        `now_s` is the present: others may have come to the limits since this request arrived.
        """
        gate = endpoint.gate
        if endpoint.route.api_key_required:
            key = self._key(exchange, endpoint)
            of_key = endpoint.gate_of(key) if key is not None and key.enabled else None
            if of_key is None:
                return _INVALID_API_KEY
            exchange.api_key, gate = key, of_key
        refusal = gate.admit(now_s, exchange.arrived_wall_s, exchange.request.client)
        if refusal is None:
            return None
        exchange.refusal = refusal
        return _QUOTA_EXCEEDED if refusal.quota_exceeded else _THROTTLED

    def _key(self, exchange: Exchange, endpoint: Endpoint) -> ApiKey | None:
        if endpoint.stage.stage.api_key_source == "AUTHORIZER":
            value = exchange.usage_identifier_key
        else:
            value = exchange.request.text_header(b"x-api-key")
        return None if value is None else endpoint.stage.snapshot.keys.get(value)

    async def _integrated(
        self, exchange: Exchange, endpoint: Endpoint, disturbance: Disturbance | None
    ) -> Outcome:
        integration = endpoint.route.integration
        if disturbance is not None and disturbance.failed is not None:
            return disturbance.failed
        delay_s = disturbance.integration_latency_s if disturbance else 0.0
        exchange.integration_began_s = began_s = self._clock()
        if delay_s:
            too_late = await delayed(exchange, integration, delay_s)
            if too_late is not None:
                return too_late
        match integration:
            case LambdaIntegration():
                outcome = await self._lambda.answer(exchange, integration, delay_s)
            case HttpIntegration():
                outcome = await self._http.answer(exchange, integration, delay_s)
            case None:
                return Failed("API_CONFIGURATION_ERROR")
            case _:
                outcome = self._mock_outcome(exchange, endpoint)
        if delay_s and not exchange.has_expired:
            exchange.integration_ms = (self._clock() - began_s) * 1000
        return outcome

    def _mock_outcome(self, exchange: Exchange, endpoint: Endpoint) -> Outcome:
        exchange.integration_ms = 0.0
        if endpoint.mock is None:
            return Failed("API_CONFIGURATION_ERROR")
        try:
            return endpoint.mock.answer(exchange)
        except UnsupportedMediaType:
            return Failed("UNSUPPORTED_MEDIA_TYPE")
        except MalformedMock as error:
            exchange.integration_error = (
                f"Execution failed due to configuration error: Unable to transform request: {error}"
            )
            return Failed("API_CONFIGURATION_ERROR")

    # Answers

    def _mocked(self, exchange: Exchange, endpoint: Endpoint) -> Response:
        outcome = self._mock_outcome(exchange, endpoint)
        if isinstance(outcome, Failed):
            return endpoint.stage.responses.answer(exchange, outcome)
        extended = (b"x-amz-apigw-id", exchange.extended_id.encode())
        if outcome.block:
            return Response(outcome.status, outcome.body, (extended,), outcome.block)
        return Response(outcome.status, outcome.body, (*outcome.headers, extended))

    def _answer(self, exchange: Exchange, live: LiveStage, answered: Answered) -> Response:
        """The response that carries an integration's answer."""
        headers: list[Header] = response_headers(answered.headers)
        if live.stage.kind == "HTTP":
            applied = tuple(headers)
            if live.cors is not None:
                applied = live.cors.applied(exchange.request, applied)
            return Response(answered.status, answered.body, applied, id_header=HTTP_API_ID)
        headers.append((b"x-amz-apigw-id", exchange.extended_id.encode()))
        if exchange.trace_id_made is not None:
            headers.append((b"X-Amzn-Trace-Id", exchange.trace_id_made.encode("latin-1")))
        return Response(answered.status, answered.body, tuple(headers))

    def _failed(
        self, exchange: Exchange, live: LiveStage, meter: Meter, failed: Failed
    ) -> Response:
        response = live.responses.answer(exchange, failed)
        if live.cors is not None:
            response.headers = live.cors.applied(exchange.request, response.headers)
        return self._finished(exchange, live, meter, response)

    def _finished(
        self, exchange: Exchange, live: LiveStage, meter: Meter, response: Response
    ) -> Response:
        """Counts and logs a request whose answer is ready; gives the answer on."""
        exchange.status = response.status
        exchange.response_bytes = len(response.body)
        exchange.latency_ms = latency_ms = (self._clock() - exchange.arrived_s) * 1000
        integration_ms = exchange.integration_ms
        overhead_ms = (
            latency_ms
            - (integration_ms or 0.0)
            - exchange.waited_ms
            + exchange.overhead_in_integration_ms
        )
        minute = meter.record(
            exchange.arrived_wall_s,
            response.status,
            latency_ms,
            integration_ms,
            overhead_ms,
            exchange.response_bytes + len(exchange.request.body),
        )
        if exchange.cache_hit is not None:
            minute.cache_hits += exchange.cache_hit
            minute.cache_misses += not exchange.cache_hit
        if live.access_log is not None or live.execution_log is not None:
            _log(exchange, live)
        if exchange.stage.tracing and self._tracer is not None:
            return self._tracer.end_request(exchange, response)
        return response


def _log(exchange: Exchange, live: LiveStage) -> None:
    at_ms = int(exchange.arrived_wall_s * 1000)
    if live.access_log is not None:
        live.access_log.write(exchange, at_ms)
    if live.execution_log is not None and exchange.route is not None:
        settings = live.stage.overrides.get(exchange.route.key, live.stage.default)
        if settings.logging_level != "OFF":
            everything = settings.logging_level == "INFO"
            live.execution_log.write(exchange, at_ms, everything=everything)


def _unservable(request: Request, live: LiveStage) -> Failed | None:
    """What is refused of a request whatever its route is."""
    if live.stage.endpoint_disabled:
        return Failed("FORBIDDEN")
    if len(request.target) > MAX_URL_BYTES:
        return Failed("URI_TOO_LONG")
    bound = request.head_bound
    if (bound is None or bound > MAX_HEADER_BYTES) and request.header_bytes > MAX_HEADER_BYTES:
        return Failed("HEADERS_TOO_LARGE")
    if len(request.body) > MAX_BODY_BYTES:
        return Failed("REQUEST_TOO_LARGE")
    return None
