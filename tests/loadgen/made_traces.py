"""Records and traces of requests whose every part is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loadgen.outcome import OK, Kind
from loadgen.records import RECORD, Records
from loadgen.steps import StepInfo
from loadgen.telemetry.traces import Traces, empty_traces
from loadgen.waterfall.build import Choice

STEPS = (
    StepInfo(0, "browse", "GET /items", "GET", "/items"),
    StepInfo(1, "buy", "POST /orders", "POST", "/orders"),
)
CHOICE = Choice(measured=(0,), steps=STEPS)


@dataclass(frozen=True)
class Truth:
    """A request by its parts, in ms; `logged` and `reported` say what tells of it."""

    queue: float = 1.0
    dns: float = 0.0
    tcp: float = 0.0
    tls: float = 0.0
    network: float = 10.0
    gateway: float = 4.0
    authorizer: float | None = None
    integration: float = 6.0
    init: float | None = None
    handler: float = 20.0
    response: float = 2.0
    restored: bool = False
    logged: bool = True
    reported: bool = True
    at_s: float = 0.0
    kind: Kind = OK
    status: int = 200
    phase: int = 0
    step: int = 0

    @property
    def integration_ms(self) -> float:
        """IntegrationLatency."""
        return self.integration + (self.init or 0.0) + self.handler

    @property
    def latency_ms(self) -> float:
        """The gateway's Latency."""
        return self.gateway + (self.authorizer or 0.0) + self.integration_ms

    @property
    def first_byte_ms(self) -> float:
        """From the actual start."""
        return self.dns + self.tcp + self.tls + self.network + self.latency_ms

    @property
    def response_ms(self) -> float:
        """From the intended start."""
        return self.queue + self.first_byte_ms + self.response


def made(truths: Sequence[Truth], *, whole_ms: bool = False) -> tuple[Records, Traces]:
    """What client, log and REPORT lines say of `truths`; logs in whole ms as AWS has them."""
    records, traces = np.zeros(len(truths), RECORD), empty_traces(len(truths))
    for record, trace, truth in zip(records, traces, truths, strict=True):
        _record(record, truth)
        if truth.logged:
            for name in ("latency_ms", "integration_ms"):
                value = getattr(truth, name)
                trace[name] = np.floor(value + 0.5) if whole_ms else value
            if truth.authorizer is not None:
                trace["authorizer_ms"] = round(truth.authorizer) if whole_ms else truth.authorizer
            trace["has_log"] = True
        if truth.reported:
            trace["duration_ms"], trace["has_report"] = truth.handler, True
            if truth.init is not None:
                trace["restore_ms" if truth.restored else "init_ms"] = truth.init
    return records, traces


def _record(record: np.void, truth: Truth) -> None:
    record["intended_us"] = round(truth.at_s * 1e6)
    record["start_us"] = record["intended_us"] + round(truth.queue * 1000)
    record["dns_us"] = round(truth.dns * 1000)
    record["connect_us"] = round((truth.dns + truth.tcp) * 1000)
    record["tls_us"] = round(truth.tls * 1000)
    record["first_byte_us"] = round(truth.first_byte_ms * 1000)
    record["service_us"] = round((truth.first_byte_ms + truth.response) * 1000)
    record["status"], record["kind"] = truth.status, truth.kind.code
    record["phase"], record["step"] = truth.phase, truth.step


def many(n: int, truth: Truth | None = None) -> list[Truth]:
    """The same request over and over, a second apart."""
    return [replace(truth or Truth(), at_s=float(index)) for index in range(n)]
