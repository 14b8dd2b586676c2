"""What records and traces tell together of a run: where time goes, cold starts, versions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.records import Records
from loadgen.steps import StepInfo
from loadgen.telemetry.traces import Traces, empty_traces
from loadgen.versions import version_report
from loadgen.waterfall.build import Choice, waterfall_of
from loadgen.waterfall.cold import cold_starts_of
from loadgen.waterfall.from_metrics import MetricMedians
from loadgen.waterfall.split import ROUNDING_MS
from reports.load_telemetry import LoadTelemetry, MetricSpread
from reports.load_versions import VersionReport
from reports.load_waterfall import ColdStarts, Waterfall

# Medians of metrics are compared where both are of as good as the same requests, and what lies
# between them is as long for most of these: within a twentieth of the latency.
_SAME_REQUESTS_SHARE, _NEAR_SHARE = 0.99, 0.05


@dataclass(frozen=True, slots=True)
class ByRequest:
    """Parts of the document; None where nothing tells of them."""

    waterfall: Waterfall | None = None
    cold_starts: ColdStarts | None = None
    versions: VersionReport | None = None


def by_request(
    records: Records,
    traces: Traces | None,
    kinds: NDArray[np.uint16],
    steps: Sequence[StepInfo],
    measured: Collection[int],
    telemetry: LoadTelemetry | None,
) -> ByRequest:
    """All parts of the phases `measured`; `traces` and `kinds` have a row for each record.

    `traces` is None where no log was asked for; then metrics of the window tell what they can.
    """
    known = empty_traces(len(records)) if traces is None else traces
    choice = Choice(measured, steps)
    return ByRequest(
        waterfall_of(records, known, choice, _medians(telemetry, len(steps))),
        cold_starts_of(records, known, choice, _cold_lines(telemetry)),
        version_report(records, kinds, known, steps, measured),
    )


def _cold_lines(telemetry: LoadTelemetry | None) -> int | None:
    """Cold starts in the logs of all functions, whoever met them; None where no log was read."""
    # Two aliases of a function have one log.
    functions = telemetry.functions if telemetry else []
    cold = {one.function: one.reports.cold for one in functions if one.reports is not None}
    return sum(cold.values()) if cold else None


def _medians(telemetry: LoadTelemetry | None, steps: int) -> MetricMedians | None:
    """Medians of CloudWatch, where it has the run and nothing else."""
    gateway = telemetry.gateway if telemetry else None
    if telemetry is None or gateway is None or gateway.latency_ms is None:
        return None
    integration = _integration_p50_ms(gateway.latency_ms, gateway.integration_ms)
    if integration is None:
        return MetricMedians(gateway.latency_ms.p50)
    # Of one of several functions, or of some steps, it is not the median of what is behind the API.
    behind = [one.duration_ms for one in telemetry.functions if len(one.steps) == steps]
    only = behind[0] if behind else None
    return MetricMedians(gateway.latency_ms.p50, integration, only.p50 if only else None)


def _integration_p50_ms(latency: MetricSpread, integration: MetricSpread | None) -> float | None:
    """The median IntegrationLatency, where it may be taken from the median Latency.

    Not where answers of a mock or a cache, or an authorizer at some steps, make the two medians
    those of different requests: then their difference is not the one of the means either.
    """
    if integration is None or integration.n < _SAME_REQUESTS_SHARE * latency.n:
        return None
    of_medians = latency.p50 - integration.p50
    of_means = latency.mean - integration.mean
    near = max(ROUNDING_MS, _NEAR_SHARE * latency.p50)
    return integration.p50 if abs(of_medians - of_means) <= near else None
