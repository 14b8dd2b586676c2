"""What active faults do to requests, invocations and calls, in the words of those they hit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from random import Random

from sandbox.api_errors import ApiError
from sandbox.faults.fault_set import FaultSet
from sandbox.faults.kinds import (
    LambdaThrottleFault,
    LatencyFault,
    RequestFault,
    ResetFault,
    SlowBodyFault,
    StallFault,
    StatusFault,
    WafFault,
)
from sandbox.gateway.disturbance import Disturbance
from sandbox.gateway.outcome import Failed
from sandbox.gateway.snapshot import StageKey
from sandbox.http import Misbehaviour
from sandbox.lambda_api.context import Interference

# A slow body comes in pieces so far apart.
_PIECE_S = 0.05


class FaultEffects:
    """Asks the faults on behalf of the services; `clock` is the one that they were added by."""

    def __init__(
        self,
        faults: FaultSet,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> None:
        self._faults = faults
        self._clock = clock
        self._rng = rng or Random()
        # Gives the names of APIs by their ids, for faults that name one.
        self.names_of_apis: Callable[[], Mapping[str, str]] = dict

    def disturbance(self, stage: StageKey, route_key: str, now_s: float) -> Disturbance | None:
        """What a request meets (`gateway.disturbance.Disturbances`)."""
        if not self._faults.hit_requests:
            return None
        name = self.names_of_apis().get(stage[0])
        hits = self._faults.pick(stage, route_key, now_s, self._rng, name)
        return disturbance_of([hit.spec for hit in hits if isinstance(hit.spec, RequestFault)])

    def interference(self, function_name: str) -> Interference | None:
        """What an invocation meets."""
        hit = self._faults.pick_function(function_name, self._clock(), self._rng)
        if hit is None:
            return None
        return hit.spec.reason if isinstance(hit.spec, LambdaThrottleFault) else "error"

    def refusal(self, service: str, operation: str) -> ApiError | None:
        """Why a call of an AWS API is throttled; an Invoke is not one of the control plane."""
        if (service, operation) == ("lambda", "Invoke"):
            return None
        hit = self._faults.pick_control(service, operation, self._clock(), self._rng)
        if hit is None:
            return None
        if service in ("monitoring", "logs"):
            return ApiError("ThrottlingException", "Rate exceeded")
        if service == "xray":
            return ApiError("ThrottledException", "Rate exceeded", status=429)
        fields = {"Reason": "CallerRateLimitExceeded"} if service == "lambda" else {}
        message = "Rate exceeded" if service == "lambda" else "Too Many Requests"
        return ApiError("TooManyRequestsException", message, status=429, fields=fields)

    def metrics_delay_s(self) -> float:
        """How much later metrics are published."""
        return self._faults.metrics_delay_s(self._clock())

    def logs_delay_s(self) -> float:
        """How much later log events can be read."""
        return self._faults.logs_delay_s(self._clock())


def disturbance_of(specs: list[RequestFault]) -> Disturbance | None:
    """Faults put together: delays add up, of the rest the first of each kind counts."""
    if not specs:
        return None
    latency_s = integration_latency_s = 0.0
    blocked: Failed | None = None
    failed: Failed | None = None
    misbehaviour: Misbehaviour | None = None
    for spec in specs:
        match spec:
            case LatencyFault(where="gateway"):
                latency_s += spec.ms / 1000
            case LatencyFault():
                integration_latency_s += spec.ms / 1000
            case WafFault():
                blocked = blocked or Failed("WAF_FILTERED")
            case StatusFault():
                failed = failed or Failed("FAULT", spec.status, spec.message)
            case _:
                misbehaviour = misbehaviour or _misbehaviour(spec)
    return Disturbance(latency_s, integration_latency_s, blocked, failed, misbehaviour)


def _misbehaviour(spec: ResetFault | StallFault | SlowBodyFault) -> Misbehaviour:
    match spec:
        case ResetFault():
            return Misbehaviour(after_bytes=spec.after_bytes, reset=True)
        case StallFault():
            return Misbehaviour(
                after_bytes=spec.after_bytes,
                stall_s=spec.ms / 1000,
                ends=spec.then == "end",
            )
    piece_bytes = max(1, round(spec.bytes_per_s * _PIECE_S))
    return Misbehaviour(stall_s=piece_bytes / spec.bytes_per_s, piece_bytes=piece_bytes)
