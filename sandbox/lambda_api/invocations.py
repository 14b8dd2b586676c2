"""Invoke: synchronous, as an event, and dry."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.execution.contract import InvokeRequest, InvokeResult, VersionSpec
from sandbox.execution.model import MODEL_VARIABLE
from sandbox.lambda_api.context import (
    Interference,
    InvocationTracer,
    LambdaContext,
    Operation,
    Output,
    Parameters,
    Target,
    pending_error,
)
from sandbox.lambda_api.names import LATEST, FunctionReference
from sandbox.lambda_api.permissions import InvokePermissions
from sandbox.lambda_api.provisioning import Allocation, Provisioning
from sandbox.lambda_api.records import Version
from sandbox.lambda_api.specs import Specs, made_ahead
from sandbox.lambda_api.telemetry import ProvisionedUse, Running, log_events
from sandbox.lambda_api.tenancy import check_tenant, for_tenant
from sandbox.lambda_api.throttling import ConcurrencyGate, Slot, ThrottleReason, throttled
from sandbox.rest_json.strict_json import parse_json

# Lambda quotas, 2026: 6 MB synchronous, 1 MB asynchronous; the limit of answers is a little higher.
MAX_SYNC_BYTES = 6_291_456
MAX_EVENT_BYTES = 1_048_576
MAX_ANSWER_BYTES = 6_291_556
MAX_CLIENT_CONTEXT_BYTES = 3583
LOG_TAIL_BYTES = 4096

# Throttled events are tried again with a growing pause, for six hours at most (developer guide).
_EVENT_THROTTLE_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_EVENT_MAX_AGE_S = 6 * 3600.0

# Who invokes when a source ARN is given: of the sandbox's services, only API Gateway does.
_CALLING_SERVICE = "apigateway.amazonaws.com"

# What runs in the place of a function when an error is to be injected.
_ERROR_MODEL = '{"duration_ms": {"128": 1}, "init_ms": 0, "failure": "error"}'

_RUNTIMES = ("python", "nodejs", "provided")

logger = logging.getLogger(__name__)


class InvocationOperations:
    """Invoke, with what it needs: the gate, the alias lottery and the event tasks."""

    def __init__(self, context: LambdaContext, rng: random.Random | None = None) -> None:
        self._context = context
        self._home = context.home
        self._rng = rng or random.Random()
        self._permissions = InvokePermissions(context)
        self._specs = Specs(context)
        self.provisioning = Provisioning(context, self._specs)
        options = context.options
        self._gate = ConcurrencyGate(options.account_concurrency, options.scale_up_per_10_s)
        self._events: set[asyncio.Task[None]] = set()

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {"Invoke": self.invoke}

    async def close(self) -> None:
        """Drops the events that still wait."""
        await self.provisioning.close()
        for task in tuple(self._events):
            task.cancel()
        await asyncio.gather(*self._events, return_exceptions=True)

    async def invoke(self, parameters: Parameters) -> Output:
        """Runs a function, or promises to."""
        kind = parameters.get("InvocationType", "RequestResponse")
        payload: bytes = parameters.get("Payload") or b""
        _check_size(payload, MAX_EVENT_BYTES if kind == "Event" else MAX_SYNC_BYTES)
        reference = self._home.resolve(parameters["FunctionName"], parameters.get("Qualifier"))
        target = self._context.target(reference)
        _check_invocable(target)
        _check_unserved(parameters)
        tenant_id = parameters.get("TenantId")
        check_tenant(target.version.settings, tenant_id)
        _check_json(payload)
        context_text = parameters.get("ClientContext")
        _check_client_context(context_text)
        if kind == "DryRun":
            return {"StatusCode": 204}
        request = InvokeRequest(
            request_id=parameters.get("RequestId") or str(uuid.uuid4()),
            payload=payload or b"{}",
            client_context=context_text,
            invoked_arn=self._home.function_arn(reference.name, reference.qualifier),
            tenant_id=tenant_id,
        )
        if kind == "Event":
            self._start_event(reference, request)
            return {"StatusCode": 202}
        version = self._pick(target)
        result = await self._run(target, version, request, synchronous=True)
        return _output(result, version, with_log=parameters.get("LogType") == "Tail")

    async def call(
        self,
        reference: FunctionReference,
        payload: bytes,
        request_id: str,
        *,
        source_arn: str | None = None,
        trace_id: str | None = None,
    ) -> InvokeResult:
        """Runs a function for another service of the sandbox, as a synchronous Invoke does.

        With `source_arn` it is API Gateway that calls, and the resource policy has to allow it.
        `payload` is passed on as it is. A call that is cancelled costs its environment; to give up
        waiting as AWS's services do, let it run on.

        Raises:
            ApiError: it was not run; the status is set.
        """
        if len(payload) > MAX_SYNC_BYTES:
            raise _too_large(MAX_SYNC_BYTES)
        target = self._context.target(reference)
        if source_arn is not None:
            self._permissions.check(target, _CALLING_SERVICE, source_arn)
        _check_invocable(target)
        check_tenant(target.version.settings, None)
        arn = self._home.function_arn(reference.name, reference.qualifier)
        request = InvokeRequest(request_id, payload or b"{}", None, arn, trace_id)
        return await self._run(target, self._pick(target), request, synchronous=True)

    async def _run(
        self, target: Target, version: Version, request: InvokeRequest, *, synchronous: bool
    ) -> InvokeResult:
        """Runs an invocation that is let in, and records what came of it."""
        spec = for_tenant(self._specs.of(target.function, version), request.tenant_id)
        interfere = self._context.interfere
        interference = None if interfere is None else interfere(spec.function_name)
        if interference == "error":
            spec, interference = _failing(spec), None
        ready = self.provisioning.of(spec.function_name, spec.version)
        if ready is not None and self._is_ready(ready, spec, interference):
            return await self._run_ready(target, ready, request)
        try:
            slot = self._enter(target, spec, synchronous=synchronous, refusal=interference)
        except ApiError:
            if spec.is_traced and self._context.tracer is not None:
                now_s = asyncio.get_running_loop().time()
                self._context.tracer.refuse_invocation(spec, request, now_s)
            raise
        running = self._begin(
            target, spec, None if ready is None else ProvisionedUse(has_spilled=True)
        )
        try:
            return await self._run_in(spec, request, running)
        finally:
            self._gate.leave(slot)

    def _is_ready(
        self, ready: Allocation, spec: VersionSpec, interference: Interference | None
    ) -> bool:
        """Whether a call runs in an environment that was made ahead."""
        if interference is not None or made_ahead(spec).config_id != ready.spec.config_id:
            return False
        return self.provisioning.has_room(ready, asyncio.get_running_loop().time())

    async def _run_ready(
        self, target: Target, ready: Allocation, request: InvokeRequest
    ) -> InvokeResult:
        ready.running += 1
        running = self._begin(
            target,
            ready.spec,
            ProvisionedUse(has_spilled=False, running=ready.running, allocated=ready.available),
        )
        try:
            return await self._run_in(ready.spec, request, running)
        finally:
            ready.running -= 1

    async def _run_in(
        self, spec: VersionSpec, request: InvokeRequest, running: Running | None
    ) -> InvokeResult:
        result = None
        try:
            if spec.is_traced and self._context.tracer is not None:
                result = await self._traced(spec, request, self._context.tracer)
            else:
                result = _limited(await self._context.executor.invoke(spec, request))
        finally:
            if running is not None and self._context.metrics is not None:
                self._context.metrics.end(running, result)
        if self._context.log_sink is not None:
            self._context.log_sink.append(spec.log_group, result.log_stream, log_events(result))
        return result

    async def _traced(
        self, spec: VersionSpec, request: InvokeRequest, tracer: InvocationTracer
    ) -> InvokeResult:
        began_s = time.time()
        tracing = tracer.begin_invocation(spec, request, asyncio.get_running_loop().time(), began_s)
        result = _limited(await self._context.executor.invoke(spec, request))
        if tracing is not None:
            tracer.end_invocation(tracing, spec, request, result, (began_s, time.time()))
        return result

    def _enter(
        self,
        target: Target,
        spec: VersionSpec,
        *,
        synchronous: bool,
        refusal: ThrottleReason | None,
    ) -> Slot:
        try:
            if refusal is not None:
                raise throttled(refusal)
            return self._gate.enter(
                target.function,
                self._context.store.reserved_concurrency,
                asyncio.get_running_loop().time(),
                synchronous=synchronous,
                needs_environment=not self._context.executor.has_idle(spec),
            )
        except ApiError:
            if self._context.metrics is not None:
                self._context.metrics.throttle(target.function.name, target.qualifier, time.time())
            raise

    def _begin(
        self, target: Target, spec: VersionSpec, use: ProvisionedUse | None
    ) -> Running | None:
        metrics = self._context.metrics
        if metrics is None:
            return None
        is_weighted = target.alias is not None and bool(target.alias.weights)
        return metrics.begin(
            spec.function_name,
            target.qualifier,
            spec.version if is_weighted else None,
            time.time(),
            reserved_by_all=self._context.store.reserved_concurrency,
            is_reserved=target.function.reserved_concurrency is not None
            or (use is not None and not use.has_spilled),
            provisioned=use,
        )

    def _pick(self, target: Target) -> Version:
        """The version that serves this invocation: by the alias's weights where it has some."""
        function, version = target.function, target.version
        if target.alias is not None:
            drawn = self._rng.random()
            for number, weight in target.alias.weights.items():
                if drawn < weight:
                    return function.versions[number]
        # During an update $LATEST still runs as it was.
        return function.running if version.number == LATEST else version

    def _start_event(self, reference: FunctionReference, request: InvokeRequest) -> None:
        task = asyncio.get_running_loop().create_task(self._run_event(reference, request))
        self._events.add(task)
        task.add_done_callback(self._events.discard)

    async def _run_event(self, reference: FunctionReference, request: InvokeRequest) -> None:
        """Runs an event, again after an error, until it is done or given up.

        Each attempt runs what `reference` leads to by then, after an update the new configuration.
        """
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + _EVENT_MAX_AGE_S
        pauses_s = list(self._context.options.event_retry_delays_s)
        throttles = 0
        while loop.time() < give_up_s:
            try:
                target = self._context.target(reference)
            except ApiError:
                return  # the function, the version or the alias is deleted
            version = self._pick(target)
            try:
                result = await self._run(target, version, request, synchronous=False)
            except ApiError:
                last = len(_EVENT_THROTTLE_PAUSES_S) - 1
                await asyncio.sleep(_EVENT_THROTTLE_PAUSES_S[min(throttles, last)])
                throttles += 1
                continue
            except Exception:
                logger.exception("could not run an event of %s", reference.name)
                return
            if result.function_error is None or not pauses_s:
                return
            await asyncio.sleep(pauses_s.pop(0))


def _output(result: InvokeResult, version: Version, *, with_log: bool) -> Output:
    output: dict[str, Any] = {
        "StatusCode": 200,
        "ExecutedVersion": version.number,
        "FunctionError": result.function_error,
        "Payload": result.payload,
    }
    if with_log:
        output["LogResult"] = base64.b64encode(result.log[-LOG_TAIL_BYTES:]).decode()
    return output


def _limited(result: InvokeResult) -> InvokeResult:
    """`result`, or an error in its place where it is larger than Lambda passes on."""
    if result.function_error is not None or len(result.payload) <= MAX_ANSWER_BYTES:
        return result
    body = {
        "errorMessage": "Response payload size exceeded maximum allowed payload size "
        f"({MAX_ANSWER_BYTES} bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    return replace(result, function_error="Unhandled", payload=json.dumps(body).encode())


def _failing(spec: VersionSpec) -> VersionSpec:
    """`spec` as a function that only fails, in environments of its own."""
    return replace(
        spec,
        config_id=f"{spec.config_id}/error",
        environment={**spec.environment, MODEL_VARIABLE: _ERROR_MODEL},
    )


def _check_invocable(target: Target) -> None:
    if target.function.pending:
        raise pending_error()
    if target.version.number in target.function.preparing:
        raise ApiError(
            "SnapStartNotReadyException",
            "Lambda is initializing your function. It will be ready to invoke once your function "
            "state becomes ACTIVE.",
            status=409,
        )
    settings = target.version.settings
    runtime = settings.runtime
    # A modelled function has no process, so its runtime is but a word.
    if MODEL_VARIABLE not in settings.environment and not runtime.startswith(_RUNTIMES):
        raise ApiError(
            "InvalidRuntimeException",
            f"the sandbox runs python*, nodejs* and provided* (function "
            f"{target.function.name} has the runtime {runtime})",
            status=502,
        )


def _check_unserved(parameters: Parameters) -> None:
    name = "DurableExecutionName"
    if name in parameters:
        raise ApiError("InvalidParameterValueException", f"{name}: the sandbox does not have this")


def _check_size(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> ApiError:
    return ApiError(
        "RequestTooLargeException",
        f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
        status=413,
    )


def _check_json(payload: bytes) -> None:
    if not payload:
        return
    try:
        parse_json(payload)
    except ValueError as error:
        raise ApiError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {error}",
        ) from error


def _check_client_context(text: str | None) -> None:
    if text is None:
        return
    try:
        if len(text) > MAX_CLIENT_CONTEXT_BYTES:
            raise ValueError(f"longer than {MAX_CLIENT_CONTEXT_BYTES} bytes")
        if not isinstance(parse_json(base64.b64decode(text, validate=True)), dict):
            raise ValueError("not an object")
    except ValueError as error:
        raise ApiError(
            "InvalidRequestContentException",
            f"Client context must be a valid Base64-encoded JSON object. ({error})",
        ) from error
