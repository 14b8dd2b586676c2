"""Invoke: synchronous, as an event, and dry."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import random
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.execution.contract import InvokeRequest, InvokeResult, VersionSpec
from sandbox.execution.model import MODEL_VARIABLE
from sandbox.lambda_api.context import (
    LambdaContext,
    Operation,
    Output,
    Parameters,
    Target,
    pending_error,
)
from sandbox.lambda_api.names import LATEST, FunctionReference
from sandbox.lambda_api.records import Function, Version
from sandbox.lambda_api.throttling import ConcurrencyGate
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

# Configurations that are remembered; a sandbox of ordinary use has a hundred.
_MAX_SPECS = 1000

_RUNTIMES = ("python", "nodejs", "provided")

logger = logging.getLogger(__name__)


class InvocationOperations:
    """Invoke, with what it needs: the gate, the alias lottery and the event tasks."""

    def __init__(self, context: LambdaContext, rng: random.Random | None = None) -> None:
        self._context = context
        self._home = context.home
        self._rng = rng or random.Random()
        self._gate = ConcurrencyGate(context.options.account_concurrency)
        self._events: set[asyncio.Task[None]] = set()
        self._specs: dict[str, VersionSpec] = {}

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {"Invoke": self.invoke}

    async def close(self) -> None:
        """Drops the events that still wait."""
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
        )
        if kind == "Event":
            self._start_event(reference, request)
            return {"StatusCode": 202}
        version = self._pick(target)
        result = await self._run(target.function, version, request, synchronous=True)
        return _output(result, version, with_log=parameters.get("LogType") == "Tail")

    async def _run(
        self, function: Function, version: Version, request: InvokeRequest, *, synchronous: bool
    ) -> InvokeResult:
        now_s = asyncio.get_running_loop().time()
        reserved = self._context.store.reserved_concurrency
        slot = self._gate.enter(function, reserved, now_s, synchronous=synchronous)
        try:
            return await self._context.executor.invoke(self._spec(function, version), request)
        finally:
            self._gate.leave(slot)

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

    def _spec(self, function: Function, version: Version) -> VersionSpec:
        """What the executor runs; made once for each configuration, for calls are many."""
        spec = self._specs.get(version.config_id)
        if spec is None:
            if len(self._specs) >= _MAX_SPECS:
                self._specs.clear()
            spec = self._specs[version.config_id] = self._new_spec(function, version)
        return spec

    def _new_spec(self, function: Function, version: Version) -> VersionSpec:
        settings = version.settings
        return VersionSpec(
            function_name=function.name,
            function_arn=self._home.function_arn(function.name),
            version=version.number,
            config_id=version.config_id,
            runtime=settings.runtime,
            handler=settings.handler,
            memory_mb=settings.memory_mb,
            timeout_s=settings.timeout_s,
            code_dir=self._context.packages.code_dir(version.code),
            arch=settings.architecture,
            environment=settings.environment,
            ephemeral_storage_mb=settings.ephemeral_storage_mb,
            log_format=settings.log_format,
            log_group=settings.log_group,
            application_log_level=settings.application_log_level,
            system_log_level=settings.system_log_level,
        )

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
                result = await self._run(target.function, version, request, synchronous=False)
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
    payload, function_error = result.payload, result.function_error
    if function_error is None and len(payload) > MAX_ANSWER_BYTES:
        function_error = "Unhandled"
        payload = json.dumps(
            {
                "errorMessage": "Response payload size exceeded maximum allowed payload size "
                f"({MAX_ANSWER_BYTES} bytes).",
                "errorType": "Function.ResponseSizeTooLarge",
            }
        ).encode()
    output: dict[str, Any] = {
        "StatusCode": 200,
        "ExecutedVersion": version.number,
        "FunctionError": function_error,
        "Payload": payload,
    }
    if with_log:
        output["LogResult"] = base64.b64encode(result.log[-LOG_TAIL_BYTES:]).decode()
    return output


def _check_invocable(target: Target) -> None:
    if target.function.pending:
        raise pending_error()
    settings = target.version.settings
    runtime = settings.runtime
    # A modelled function has no process, so its runtime is but a word.
    if MODEL_VARIABLE not in settings.environment and not runtime.startswith(_RUNTIMES):
        raise ApiError(
            "InvalidRuntimeException",
            f"the sandbox runs python*, nodejs* and provided* (function "
            f"{target.function.name} has the runtime {runtime})",
        )


def _check_unserved(parameters: Parameters) -> None:
    for name in ("DurableExecutionName", "TenantId"):
        if name in parameters:
            raise ApiError(
                "InvalidParameterValueException", f"{name}: the sandbox does not have this"
            )


def _check_size(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        raise ApiError(
            "RequestTooLargeException",
            f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
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
