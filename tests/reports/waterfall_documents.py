"""Load documents that say where the time goes: from logs, from metrics, from the client alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.load_document import LoadDocument
from reports.load_waterfall import (
    ColdMinute,
    ColdPercentiles,
    ColdStarts,
    ColdStep,
    PartName,
    StepTimes,
    TimeGroup,
    TimePart,
    Waterfall,
)
from tests.reports import load_documents

MEDIAN: dict[PartName, float] = {
    "queue": 0.12, "dns": 0.0, "tcp": 0.0, "tls": 0.0, "network": 8.4, "gateway": 3.1,
    "authorizer": 4.4, "integration": 5.2, "init": 0.0, "handler": 31.0, "response": 0.3,
}  # fmt: skip
SLOWEST: dict[PartName, float] = {
    "queue": 61.0, "dns": 0.4, "tcp": 2.2, "tls": 6.3, "network": 9.1, "gateway": 3.3,
    "authorizer": 31.2, "integration": 7.9, "init": 412.0, "handler": 68.0, "response": 0.6,
}  # fmt: skip
CLIENT: dict[PartName, float] = {"queue": 0.12, "network_api_function": 52.1, "response": 0.3}
EVERY_BIGGER: dict[PartName, float] = {
    "queue": 5.0, "network": 9.0, "network_api_function": 30.0, "network_api": 20.0,
    "gateway": 3.0, "gateway_function": 40.0, "integration_function": 50.0, "handler": 12.0,
    "request": 15.0, "no_answer": 300.0, "response": 0.6,
}  # fmt: skip


def group(parts: Mapping[PartName, float], n: int, residual_ms: float = 0.0, **more: Any):
    """A group whose response time is the sum of its parts and the residual."""
    total = sum(parts.values()) + residual_ms
    fields: dict[str, Any] = {
        "requests": n,
        "from_ms": round(total * 0.96, 3),
        "to_ms": round(total * 1.07, 3),
        "group_ms": total,
        "split": n,
        "response_ms": total,
        "parts": [
            TimePart(part=name, mean_ms=value, share=value / total) for name, value in parts.items()
        ],
        "residual_ms": residual_ms,
        "unmatched_share": 0.0,
    }
    return TimeGroup(**(fields | more))


def percentiles(p50: float, p95: float, p99: float, n: int) -> ColdPercentiles:
    return ColdPercentiles(p50=p50, p95=p95, p99=p99, n=n)


def cold_starts() -> ColdStarts:
    with_ms, without_ms = percentiles(52.5, 121, 588, 10_780), percentiles(52.4, 104, 151, 10_620)
    return ColdStarts(
        completed=11_310,
        requests=10_780,
        cold=160,
        restored=0,
        ahead=3,
        share=160 / 10_780,
        init_ms=percentiles(402, 460, 501, 160),
        with_ms=with_ms,
        without_ms=without_ms,
        p99_cost_ms=437.0,
        minutes=[
            ColdMinute(minute=0, requests=4_100, cold=158, share=158 / 4_100),
            ColdMinute(minute=1, requests=6_400, cold=2, share=2 / 6_400),
            ColdMinute(minute=2, requests=280, cold=0, share=0.0),
        ],
        steps=[
            ColdStep(
                step="GET /products", scenario="browse", requests=9_700, cold=150,
                share=150 / 9_700, with_ms=with_ms, without_ms=without_ms,
            ),
            ColdStep(
                step="POST /checkout", scenario="order", requests=1_080, cold=1_080, share=1.0,
                with_ms=with_ms, without_ms=None,
            ),
        ],
    )  # fmt: skip


def from_logs() -> LoadDocument:
    """All parts are told; a function ran on, and some log lines never came."""
    median = group(MEDIAN, 1_131, residual_ms=-0.021)
    slowest = group(SLOWEST, 113, split=109, unmatched_share=4 / 113, ran_on=2, group_ms=655.0)
    steps = [
        StepTimes(step=name, scenario=scenario, requests=n, median=median, slowest=slowest)
        for name, scenario, n in (
            ("GET /products", "browse", 10_200),
            ("POST /checkout", "order", 1_110),
        )
    ]
    waterfall = Waterfall(
        source="logs", of="ok", requests=11_310, median=median, slowest=slowest, steps=steps
    )
    changes = {"waterfall": waterfall, "cold_starts": cold_starts(), "name": "orders-with-logs"}
    return load_documents.five_causes().model_copy(update=changes)


def from_metrics() -> LoadDocument:
    """The median is split by CloudWatch's medians, the slowest not at all."""
    parts: dict[PartName, float] = {
        "queue": 0.12, "network": 8.1, "gateway": 8.0, "integration_function": 36.0,
        "response": 0.3,
    }  # fmt: skip
    median = group(parts, 1_131, unmatched_share=None)
    marked = [
        part.model_copy(update={"from_metrics": part.part not in ("queue", "response")})
        for part in median.parts
    ]
    waterfall = Waterfall(
        source="metrics",
        of="completed",
        requests=11_310,
        median=median.model_copy(update={"parts": marked}),
        slowest=group({**CLIENT, "network_api_function": 480.0}, 113),
        steps=[],
        notes=["parts of the median request are differences of medians"],
    )
    changes = {"waterfall": waterfall, "name": "orders-with-metrics"}
    return load_documents.failed().model_copy(update=changes)


def from_the_client() -> LoadDocument:
    """Nothing but the client tells; a part of the slowest took nearly all."""
    slowest = group({**CLIENT, "no_answer": 30_000.0}, 12)
    waterfall = Waterfall(
        source="client",
        of="completed",
        requests=1_200,
        median=group(CLIENT, 120),
        slowest=slowest,
        steps=[],
    )
    changes = {"waterfall": waterfall, "name": "orders-without-logs"}
    return load_documents.failed().model_copy(update=changes)


def with_every_part() -> LoadDocument:
    """All bigger parts at once, as only a mixture of targets could have them."""
    both = group(EVERY_BIGGER, 10)
    waterfall = Waterfall(
        source="logs", of="completed", requests=1_000, median=both, slowest=both, steps=[]
    )
    changes = {
        "waterfall": waterfall,
        "cold_starts": cold_starts().model_copy(
            update={"cold": 0, "elsewhere": 8, "init_ms": None}
        ),
        "name": "orders-of-all-kinds",
    }
    return load_documents.failed().model_copy(update=changes)


def all_documents() -> list[LoadDocument]:
    """One of each kind."""
    return [from_logs(), from_metrics(), from_the_client(), with_every_part()]
