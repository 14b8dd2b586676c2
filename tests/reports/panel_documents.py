"""Load documents in which panels have data: costs, concurrency, cold starts, budgets, rates."""

from __future__ import annotations

from functools import cache
from typing import Any

from reports import histogram
from reports.load_cost_parts import LoadCostPart
from reports.load_document import CalledFunction, ConfiguredLimit, LoadDocument, LoadSpent
from reports.load_histograms import RunHistograms
from reports.load_telemetry import (
    FunctionTelemetry,
    LoadTelemetry,
    MetricCoverage,
    MetricSpread,
)
from reports.load_waterfall import ColdBin, InitBin
from tests.reports import load_documents, waterfall_documents
from tests.reports.load_documents import Phase, Step, simulate, threshold

# Two functions: of each request 0.5 calls of 20 ms, and 0.5 of 100 ms.
STEPS = (Step("browse", "GET", "/products", 0.5, 20), Step("order", "POST", "/orders", 0.5, 100))


def cost_part(part: Any, amount: float | None, unit: Any, unit_usd: float | None, **more: Any):
    return LoadCostPart(
        part=part, amount=amount, unit=unit, unit_usd=unit_usd, **({"detail": "counted"} | more)
    )


def costs(requests: int) -> list[LoadCostPart]:
    """A million requests cost $3.50 at the API, $0.20 of requests and $1.67 of 0.1 GB-s each."""
    return [
        cost_part("api_requests", requests, "requests", 3.5e-6),
        cost_part("lambda_requests", requests / 2, "requests", 2e-7, function="list"),
        cost_part("lambda_requests", requests / 2, "requests", 2e-7, function="order"),
        cost_part("lambda_duration", requests * 0.02, "GB-s", 1.67e-5, function="list"),
        cost_part("lambda_duration", requests * 0.08, "GB-s", 1.67e-5, function="order"),
        cost_part("lambda_init", None, "GB-s", 1.67e-5, function="list", detail="no REPORT line"),
        cost_part("lambda_init", None, "GB-s", 1.67e-5, function="order", detail="no REPORT line"),
        cost_part("data_transfer", None, "GB", None, detail="no price"),
    ]


def spread(mean: float, p95: float) -> MetricSpread:
    return MetricSpread(p50=mean, p90=p95, p95=p95, p99=p95, mean=mean, max=p95, n=1000)


def function(name: str, mean_ms: float, p95_ms: float) -> FunctionTelemetry:
    return FunctionTelemetry(
        function=name, steps=[], state="covered", answered=1000, duration_ms=spread(mean_ms, p95_ms)
    )


def telemetry() -> LoadTelemetry:
    return LoadTelemetry(
        started_unix_s=0, ended_unix_s=60, read_utc="", waited_s=0,
        coverage=MetricCoverage(state="covered", answered=6000, unanswered=0, counted=6000),
        functions=[function("list", 20, 40), function("order", 100, 200)],
    )  # fmt: skip


@cache
def _simulated(rate: float) -> LoadDocument:
    phases = (Phase("hold", 60, lambda _: rate, f"{rate:g} requests/s"),)
    return load_documents.document(simulate(phases, STEPS, seed=3), name="steady")


def steady(rate: float = 100, **changes: Any) -> LoadDocument:
    """A minute at one rate, nothing refused, both functions known, the account's limit too."""
    run = _simulated(rate)
    n = run.requests.completed
    fields: dict[str, Any] = {
        "functions": [
            CalledFunction(name=name, memory_mb=1024, arch="arm64", timeout_s=3, steps=[step])
            for step, name in enumerate(("list", "order"))
        ],
        "limits": [
            ConfiguredLimit(
                layer="lambda_concurrency", name="account", concurrency=100, steps=[0, 1]
            ),
            ConfiguredLimit(
                layer="lambda_concurrency", name="function order", concurrency=20, steps=[1]
            ),
        ],
        "telemetry": telemetry(),
        "spent": LoadSpent(
            usd=0.04, estimated_usd=None, detail=[], parts=costs(n), prices_date="2026-08-12"
        ),
        "thresholds": [
            threshold("rate(failed) < 1%", 0.0, 0.01, unit="share"),
            threshold("p95(ok_response) < 300ms", 110, 300),
        ],
    }
    return run.model_copy(update=fields | changes)


def climbing(**changes: Any) -> LoadDocument:
    """Five phases of one mix, each at a higher rate and slower than the one before."""
    rates = (20, 40, 60, 80, 100)
    p95s = (20.0, 21.0, 23.0, 60.0, 300.0)
    phases = tuple(Phase(f"at {rate}", 10, _constant(rate), f"{rate}/s") for rate in rates)
    run = load_documents.document(simulate(phases, STEPS, seed=5), name="climbing")
    return run.model_copy(
        update={
            "phases": [
                phase.model_copy(
                    update={
                        "rates": phase.rates.model_copy(update={"admitted_rps": float(rate)}),
                        "response_ms": phase.response_ms.model_copy(update={"p95": p95}),
                        "by_step": [50 * rate, 50 * rate],
                    }
                )
                for phase, rate, p95 in zip(run.phases, rates, p95s, strict=True)
                if phase.response_ms is not None
            ],
            "seconds": [],
        }
        | changes
    )


def _constant(rate: float):
    return lambda _: rate


def with_histograms(document: LoadDocument, values_ms: list[float]) -> LoadDocument:
    text = histogram.encoded(histogram.of_ms(values_ms))
    found = RunHistograms(response=text, service=text, ok_response=text, blocks=[])
    return document.model_copy(update={"histograms": found})


def cold() -> LoadDocument:
    """Cold starts in three stretches; of the slowest 108, 100 were cold."""
    bins = [
        ColdBin(from_s=0, to_s=60, requests=100, cold=50),
        ColdBin(from_s=60, to_s=120, requests=400, cold=4),
        ColdBin(from_s=120, to_s=180, requests=0, cold=0),
    ]
    init_bins = [
        InitBin(from_ms=365, to_ms=422, count=120),
        InitBin(from_ms=422, to_ms=487, count=38),
        InitBin(from_ms=487, to_ms=562, count=2),
    ]
    more = {"bins": bins, "slowest": 108, "slowest_cold": 100, "init_bins": init_bins}
    run = waterfall_documents.from_logs()
    return run.model_copy(
        update={"cold_starts": waterfall_documents.cold_starts().model_copy(update=more)}
    )


def whole() -> LoadDocument:
    """All panels at once."""
    waterfall = waterfall_documents.from_logs()
    return steady().model_copy(
        update={"waterfall": waterfall.waterfall, "cold_starts": cold().cold_starts}
    )
