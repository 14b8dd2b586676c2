"""Environments of modelled functions: cold and warm like real ones, but without a process."""

from __future__ import annotations

import asyncio
import json
import math
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from core.errors import InputError
from sandbox.execution import faults
from sandbox.execution.contract import EarlyInit, InvokeRequest, InvokeResult, VersionSpec
from sandbox.execution.faults import Fault
from sandbox.execution.invocation_log import InvocationLog
from sandbox.execution.model import (
    MODEL_VARIABLE,
    FailureKind,
    Model,
    Noise,
    parse_model,
    true_duration_ms,
)
from sandbox.execution.platform_log import PlatformLog, new_log_stream, report_of

# A duration of a million times the median is a timeout at any setting; a tail so heavy that it asks
# for more would leave the range of numbers.
_LARGEST_EXPONENT = math.log(1e6)


class RandomStreams:
    """One stream of random numbers for each seed, function, version and memory size.

    The n-th call of a version at a size therefore takes the same time in each run of the
    sandbox, whatever else runs.
    """

    def __init__(self) -> None:
        self._streams: dict[str, random.Random] = {}

    def of(self, model: Model, spec: VersionSpec) -> random.Random:
        """The stream of a version at its size."""
        name = f"{model.seed}/{spec.function_name}/{spec.version}/{spec.memory_mb}"
        return self._streams.setdefault(name, random.Random(name))


class ModelledEnvironment:
    """An environment that answers from the model of its function."""

    def __init__(self, spec: VersionSpec, streams: RandomStreams) -> None:
        self.spec = spec
        self._streams = streams
        self._log = PlatformLog(spec)
        self._log_stream = new_log_stream(spec.version, datetime.now(UTC))
        self._model: Model | None = None
        self._is_started = False
        self._is_usable = True
        self._prepared_init_ms: float | None = None  # not yet reported

    @property
    def usable(self) -> bool:
        """False after a failure that costs the environment."""
        return self._is_usable

    async def stop(self) -> None:
        """Nothing runs, so nothing is to be stopped."""
        self._is_usable = False

    async def prepare(self) -> EarlyInit:
        """Starts before anybody calls; the first call reports that INIT, and does not wait."""
        log = InvocationLog()
        log.add(self._log.init_start(datetime.now(UTC)))
        self._is_started = True
        try:
            model = self._model = _model(self.spec.environment[MODEL_VARIABLE])
        except InputError:
            return EarlyInit(
                is_loaded=False, log=log.text(), log_marks=log.marks(), log_stream=self._log_stream
            )
        self._prepared_init_ms = model.init_ms * _factor(
            model.noise, self._streams.of(model, self.spec)
        )
        if model.hold:
            await _hold(self._prepared_init_ms)
        return EarlyInit(
            is_loaded=True, log=log.text(), log_marks=log.marks(), log_stream=self._log_stream
        )

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Answers one call; waits for its duration only when the model says `hold`."""
        began_s = time.monotonic()
        log = InvocationLog()
        try:
            model = self._model = self._model or _model(self.spec.environment[MODEL_VARIABLE])
        except InputError as error:
            self._is_usable = False
            log.add(self._log.start(request.request_id, datetime.now(UTC)))
            fault = faults.not_started(request.request_id, "Runtime.InvalidModel", str(error))
            return self._result(request, log, fault, 0.0, None, 0.0)
        stream = self._streams.of(model, self.spec)
        init_ms, restore_ms = self._prepared_init_ms, None
        self._prepared_init_ms = None
        prepared_ms = init_ms or 0.0
        if not self._is_started:
            self._is_started = True
            if self.spec.snap_start:
                restore_ms = model.restore_ms * _factor(model.noise, stream)
                log.add(self._log.restored(restore_ms, datetime.now(UTC)))
            else:
                log.add(self._log.init_start(datetime.now(UTC)))
                init_ms = model.init_ms * _factor(model.noise, stream)
        log.add(self._log.start(request.request_id, datetime.now(UTC)))
        duration_ms = true_duration_ms(model, self.spec.memory_mb) * _factor(model.noise, stream)
        outcome = self._outcome(model, request.request_id, duration_ms, stream)
        timeout_ms = self.spec.timeout_s * 1000.0
        if isinstance(outcome, Fault) and outcome.status == "timeout":
            duration_ms = timeout_ms
        if isinstance(outcome, Fault) and outcome.by_platform:
            self._is_usable = False
        start_ms = (init_ms or 0.0) + (restore_ms or 0.0) - prepared_ms
        held_ms = await _hold(duration_ms + start_ms) if model.hold else 0.0
        result = self._result(
            request, log, outcome, duration_ms, init_ms, model.memory_used_mb, restore_ms
        )
        passed_ms = (time.monotonic() - began_s) * 1000
        return replace(result, overhead_ms=max(0.0, passed_ms - held_ms))

    def _outcome(
        self, model: Model, request_id: str, duration_ms: float, stream: random.Random
    ) -> bytes | Fault:
        failure: FailureKind | None = model.failure_at(self.spec.memory_mb)
        # No number is drawn without a share: those that noise draws stay what they were.
        if failure is None and model.error_share and stream.random() < model.error_share:
            failure = "error"
        if failure == "timeout" or duration_ms > self.spec.timeout_s * 1000.0:
            return faults.timed_out(request_id, self.spec.timeout_s)
        if failure == "oom":
            return faults.out_of_memory(request_id)
        if failure == "error":
            body = {
                "errorMessage": "the model of this function says that it fails",
                "errorType": "ModelledError",
                "requestId": request_id,
                "stackTrace": [],
            }
            return faults.raised(json.dumps(body).encode(), "ModelledError")
        return _response(self.spec.environment[MODEL_VARIABLE])

    def _result(
        self,
        request: InvokeRequest,
        log: InvocationLog,
        outcome: bytes | Fault,
        duration_ms: float,
        init_ms: float | None,
        memory_used_mb: float,
        restore_ms: float | None = None,
    ) -> InvokeResult:
        fault = outcome if isinstance(outcome, Fault) else None
        is_full = fault is not None and fault.error_type == faults.OUT_OF_MEMORY
        report = report_of(
            duration_ms=duration_ms,
            init_ms=init_ms,
            max_memory_used_mb=self.spec.memory_mb if is_full else memory_used_mb,
            memory_mb=self.spec.memory_mb,
            fault=fault,
            restore_ms=restore_ms,
            is_init_billed=self.spec.initialization == "on-demand",
        )
        now = datetime.now(UTC)
        by_platform = fault is not None and fault.by_platform
        log.add(self._log.report(request.request_id, report, now, by_platform=by_platform))
        if self._model is not None:
            log.add(_of_extension(self._model.prints_after_report_bytes))
        return InvokeResult(
            payload=outcome.payload if isinstance(outcome, Fault) else outcome,
            function_error=None if fault is None else "Unhandled",
            log=log.text(),
            report=report,
            log_stream=self._log_stream,
            log_marks=log.marks(),
        )


def _of_extension(size_bytes: int) -> bytes:
    """What an extension prints after the REPORT, in lines of a usual length."""
    line = b"[extension] telemetry was sent, with all that this invocation left to send\n"
    return line * -(-size_bytes // len(line))


@lru_cache(maxsize=256)
def _model(text: str) -> Model:
    """The model in `text`, read once for all the environments that have it."""
    return parse_model(text)


@lru_cache(maxsize=256)
def _response(text: str) -> bytes:
    """What a function with the model in `text` answers."""
    return json.dumps(_model(text).response).encode()


async def _hold(time_ms: float) -> float:
    began_s = time.monotonic()
    await asyncio.sleep(time_ms / 1000)
    return (time.monotonic() - began_s) * 1000


def _factor(noise: Noise, stream: random.Random) -> float:
    if noise.log_sigma == 0.0:
        return 1.0
    z = stream.gauss(0.0, 1.0)
    if noise.dof is not None:
        # Student's t: a normal variate over the root of a chi-square one by its degrees.
        z /= math.sqrt(stream.gammavariate(noise.dof / 2, 2.0) / noise.dof)
    exponent = noise.log_sigma * z
    return math.exp(max(-_LARGEST_EXPONENT, min(exponent, _LARGEST_EXPONENT)))
