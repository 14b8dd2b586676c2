"""Which medians of CloudWatch may be taken from each other, so that they split a median request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadgen.by_request import by_request
from reports.load_telemetry import GatewayTelemetry, LoadTelemetry, MetricCoverage, MetricSpread
from reports.load_waterfall import Waterfall
from tests.loadgen.made_traces import CHOICE, Truth, made, many


def spread(p50: float, *, mean: float | None = None, n: int = 50) -> MetricSpread:
    return MetricSpread(
        p50=p50, p90=p50, p95=p50, p99=p50, mean=p50 if mean is None else mean, max=p50, n=n
    )


def waterfall(latency: MetricSpread, integration: MetricSpread | None) -> Waterfall:
    """Of 50 requests that waited 40 ms for their first byte, with these metrics."""
    records, _ = made(many(50, replace(Truth(), logged=False, reported=False)))
    part = LoadTelemetry(
        started_unix_s=0.0,
        ended_unix_s=50.0,
        read_utc="2026-11-27T00:00:00+00:00",
        waited_s=0.0,
        coverage=MetricCoverage(state="covered", answered=50, unanswered=0, counted=50),
        gateway=GatewayTelemetry(
            client_errors=0,
            server_errors=0,
            latency_ms=latency,
            integration_ms=integration,
            minutes=[],
        ),
    )
    found = by_request(
        records, None, records["kind"], CHOICE.steps, list(CHOICE.measured), part
    ).waterfall
    assert found is not None
    return found


def test_medians_of_the_same_requests_are_taken_from_each_other() -> None:
    found = waterfall(spread(30), spread(26))

    parts = {part.part: part.mean_ms for part in found.median.parts if part.from_metrics}
    assert parts == {"network": 10, "gateway": 4, "integration_function": 26}
    assert "metrics have no time of authorizers: it is in the gateway overhead" in found.notes


@pytest.mark.parametrize(
    ("latency", "integration"),
    [
        (spread(30), None),
        (spread(30), spread(26, n=30)),
        (spread(25, mean=36), spread(19, mean=20)),
    ],
    ids=["no integration", "a mock at some steps", "an authorizer at some steps"],
)
def test_medians_of_different_requests_leave_gateway_and_function_one_part(
    latency: MetricSpread, integration: MetricSpread | None
) -> None:
    found = waterfall(latency, integration)

    parts = {part.part: part.mean_ms for part in found.median.parts if part.from_metrics}
    assert parts == {"network": 40 - latency.p50, "gateway_function": latency.p50}
    assert not [note for note in found.notes if "authorizer" in note]
