"""Tuning documents for tests: made from a cost law and noise with a seed, as real runs look."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from reports.document import (
    CurrentSize,
    CurvePoint,
    FamilyScore,
    FunctionFacts,
    Model,
    Percentiles,
    PriceFacts,
    Provenance,
    Recommendation,
    Saving,
    SizeResult,
    Spent,
    TuneDocument,
)

GB_SECOND_USD = 0.0000166667
REQUEST_USD = 0.0000002
SIZES = (128, 256, 512, 1024, 1536, 1769, 2048, 3008)

Law = Callable[[float], float]


def saturating(memory_mb: float) -> float:
    """One thread of CPU work beside some waiting: falls until one vCPU, then stays."""
    return 38 + 212 * 1769 / min(memory_mb, 1769)


def flat(_: float) -> float:
    """All waiting: memory changes nothing."""
    return 214.0


def cost_of(memory_mb: float, billed_ms: float) -> float:
    """US dollars for a million invocations."""
    return (memory_mb / 1024 * billed_ms / 1000 * GB_SECOND_USD + REQUEST_USD) * 1e6


def size_result(memory_mb: int, law: Law, n: int = 20, noise: float = 0.03) -> SizeResult:
    """A size that worked; `noise` is the half width of its interval, in parts of the value."""
    rng = random.Random(memory_mb)
    typical = law(memory_mb) * (1 + noise * rng.uniform(-0.6, 0.6))
    cost = cost_of(memory_mb, typical)
    many = n > 1
    return SizeResult(
        memory_mb=memory_mb,
        vcpu_share=memory_mb / 1769,
        n=n,
        n_cold=2,
        n_failed=0,
        duration_ms=Percentiles(p50=typical * 0.99, p95=typical * (1 + 3 * noise)),
        duration_typical_ms=typical,
        duration_interval_ms=(typical * (1 - noise), typical * (1 + noise)) if many else None,
        cold_p50_ms=typical + 180 + 60 * 1769 / memory_mb,
        init_p50_ms=180 + 12 * 1769 / memory_mb,
        billed_typical_ms=typical + 0.5,
        cost_usd_per_million=cost,
        cost_interval=(cost * (1 - noise), cost * (1 + noise)) if many else None,
        max_memory_used_mb=74,
        failure=None,
    )


def failed_size(memory_mb: int, reason: str, n_failed: int = 3) -> SizeResult:
    """A size without one usable sample."""
    return SizeResult(
        memory_mb=memory_mb,
        vcpu_share=memory_mb / 1769,
        n=0,
        n_cold=0,
        n_failed=n_failed,
        duration_ms=None,
        duration_typical_ms=None,
        duration_interval_ms=None,
        cold_p50_ms=None,
        init_p50_ms=None,
        billed_typical_ms=None,
        cost_usd_per_million=None,
        cost_interval=None,
        max_memory_used_mb=memory_mb,
        failure=reason,
    )


def model_of(law: Law, low_mb: float, high_mb: float) -> Model:
    """The law itself as a fitted curve."""
    grid = [low_mb * (high_mb / low_mb) ** (step / 48) for step in range(49)]
    return Model(
        family="saturating",
        formula="t(m) = a + b * 1769 / min(m, 1769)",
        parameters={"a": 38.21, "b": 211.7},
        loo_error=0.021,
        candidates=[
            FamilyScore(family="power law", loo_error=0.138),
            FamilyScore(family="saturating", loo_error=0.021),
            FamilyScore(family="constant", loo_error=0.71),
            FamilyScore(family="stepped", loo_error=None),
        ],
        duration_family="saturating",
        curve=[
            CurvePoint(
                memory_mb=m,
                duration_ms=law(m),
                duration_band_ms=(law(m) * 0.96, law(m) * 1.04),
                cost_usd_per_million=cost_of(m, law(m)),
                cost_band_usd_per_million=(cost_of(m, law(m) * 0.96), cost_of(m, law(m) * 1.04)),
            )
            for m in grid
        ],
    )


def function_facts(name: str = "checkout-api") -> FunctionFacts:
    """A function in an account that AWS keeps for examples."""
    return FunctionFacts(
        name=name,
        arn=f"arn:aws:lambda:eu-west-1:123456789012:function:{name}",
        runtime="python3.13",
        arch="x86_64",
        code_sha256="q1MKE+RZFJgrefm34/uplM/R8/si9xzqGvvwK0YMbR0=",
        timeout_s=30,
        ephemeral_storage_mb=512,
        region="eu-west-1",
        account="123456789012",
    )


def provenance(**changes: Any) -> Provenance:
    """A finished run of four minutes."""
    facts: dict[str, Any] = {
        "tool_version": "0.1.0",
        "command": ["tune", "checkout-api", "--payload", "order with space.json"],
        "started_utc": "2025-11-20T09:14:02+00:00",
        "finished_utc": "2025-11-20T09:18:31+00:00",
        "seed": 42,
        "run_id": "20251120T091402Z-7f3a",
        "payload_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "payload_bytes": 1482,
        "samples_per_size": 20,
        "parallel": 1,
        "endpoint": None,
    }
    return Provenance(**{**facts, **changes})


def document(
    sizes: Sequence[SizeResult],
    *,
    current_mb: int = 512,
    recommendation: Recommendation | None = None,
    name: str = "checkout-api",
    **changes: Any,
) -> TuneDocument:
    """A document that passes, unless `changes` say otherwise."""
    current = next((size for size in sizes if size.memory_mb == current_mb), None)
    parts: dict[str, Any] = {
        "verdict": "pass",
        "exit_code": 0,
        "errors": [],
        "notes": [],
        "function": function_facts(name),
        "current": CurrentSize(
            memory_mb=current_mb,
            cost_usd_per_million=current.cost_usd_per_million if current else None,
            duration_p50_ms=current.duration_ms.p50 if current and current.duration_ms else None,
        ),
        "recommendation": recommendation,
        "sizes": list(sizes),
        "model": None,
        "spent": Spent(invocations=184, gb_seconds=61.3, usd=0.00106, unmeasured_invocations=0),
        "prices": PriceFacts(
            table_date="2025-11-01",
            source="AWS Price List",
            gb_second_usd=GB_SECOND_USD,
            request_usd=REQUEST_USD,
            storage_gb_second_usd=0.0000000309,
        ),
        "provenance": provenance(),
    }
    return TuneDocument(**{**parts, **changes})


def cpu_bound() -> TuneDocument:
    """Saturates at one vCPU: bigger is faster at nearly the same cost until 1,769 MB."""
    taken = Recommendation(
        memory_mb=1769,
        tied_mb=[1536],
        objective="balanced",
        weight=0.5,
        saving=Saving(
            cost_share=-0.073,
            cost_interval=(-0.101, -0.046),
            duration_share=0.682,
            duration_interval=(0.671, 0.693),
        ),
        reasons=["Above 1,769 MB one thread gains nothing, and each millisecond costs more"],
    )
    return document(
        [size_result(mb, saturating) for mb in SIZES],
        recommendation=taken,
        model=model_of(saturating, 128, 3008),
    )


def waiting() -> TuneDocument:
    """Flat: the smallest size does the same work for less."""
    taken = Recommendation(
        memory_mb=128,
        tied_mb=[],
        objective="cost",
        weight=None,
        saving=Saving(
            cost_share=0.612,
            cost_interval=(0.598, 0.627),
            duration_share=-0.004,
            duration_interval=(-0.031, 0.022),
        ),
        reasons=["duration does not depend on memory"],
    )
    return document(
        [size_result(mb, flat) for mb in (128, 256, 512, 1024, 2048)],
        recommendation=taken,
        model=model_of(flat, 128, 2048),
        name="webhook-forwarder",
        notes=["The function used at most 74 MB of 128 MB: little room for growth."],
    )


def with_failures() -> TuneDocument:
    """Small sizes run out of memory or time; the current size is among them."""
    worked = [size_result(mb, saturating, noise=0.05) for mb in (1024, 1769, 3008)]
    failed = [failed_size(256, "out of memory"), failed_size(512, "timeout after 30 s", 5)]
    taken = Recommendation(
        memory_mb=1024, tied_mb=[1024, 1769], objective="cost", weight=None, saving=None, reasons=[]
    )
    return document(
        [*failed, *worked],
        recommendation=taken,
        model=model_of(saturating, 1024, 3008),
        name="thumbnail-maker",
        notes=["The current size, 512 MB, failed in this run: production may fail as well."],
    )


def inconclusive() -> TuneDocument:
    """Noise drowns the differences."""
    taken = Recommendation(
        memory_mb=512,
        tied_mb=[256, 1024],
        objective="cost",
        weight=None,
        saving=Saving(
            cost_share=0.06,
            cost_interval=(-0.31, 0.38),
            duration_share=-0.2,
            duration_interval=(-0.6, 0.21),
        ),
        reasons=[],
    )
    return document(
        [size_result(mb, saturating, n=4, noise=0.35) for mb in (256, 512, 1024)],
        current_mb=1024,
        recommendation=taken,
        name="report-nightly",
        verdict="inconclusive",
        exit_code=4,
        errors=["intervals are wider than the differences: take at least 60 samples per size"],
    )


def interrupted() -> TuneDocument:
    """Stopped in the middle: some sizes have nothing yet."""
    nothing = failed_size(2048, "x", 0).model_copy(
        update={"failure": None, "max_memory_used_mb": None}
    )
    return document(
        [size_result(256, saturating, n=3), size_result(512, saturating, n=1), nothing],
        name="search-index",
        verdict="interrupted",
        exit_code=130,
        errors=["stopped by SIGINT after 6 of 60 invocations"],
        spent=Spent(invocations=6, gb_seconds=0.9, usd=0.0000162, unmeasured_invocations=2),
    )


def local() -> TuneDocument:
    """Measured in the sandbox on this machine; the current size is the recommended one."""
    taken = Recommendation(
        memory_mb=512, tied_mb=[], objective="cost", weight=None, saving=None, reasons=[]
    )
    return document(
        [size_result(mb, saturating) for mb in (256, 512, 1024)],
        recommendation=taken,
        provenance=provenance(endpoint="http://127.0.0.1:4566"),
        name="local-demo",
    )


def invalid() -> TuneDocument:
    """Somebody deployed in the middle of the run."""
    return document(
        [size_result(mb, saturating) for mb in (256, 512)],
        name="orders-stream",
        verdict="invalid",
        exit_code=5,
        errors=["the function's code changed during the run"],
    )


def bare() -> TuneDocument:
    """Nothing but one failed size: every optional value is absent."""
    facts = function_facts("bare").model_copy(update={"runtime": None, "account": None})
    return document([failed_size(128, "out of memory")], current_mb=128, function=facts)


def empty() -> TuneDocument:
    """No size at all: interrupted before the first sample."""
    return document([], verdict="interrupted", exit_code=143, errors=["stopped by SIGTERM"])


HOSTILE = '</script></style></title><b onmouseover="x()">&{{ 7*7 }}</b>'


def hostile() -> TuneDocument:
    """Markup in every text that comes from outside."""
    sizes = [size_result(mb, saturating) for mb in (256, 512)]
    return document(
        [*sizes, failed_size(1024, HOSTILE)],
        name=HOSTILE,
        verdict="inconclusive",
        exit_code=4,
        errors=[HOSTILE],
        notes=[HOSTILE],
        model=model_of(saturating, 256, 512).model_copy(
            update={"family": HOSTILE, "formula": HOSTILE, "parameters": {HOSTILE: 1.0}}
        ),
        provenance=provenance(command=["tune", HOSTILE], run_id=HOSTILE, endpoint=HOSTILE),
    )


def all_documents() -> list[TuneDocument]:
    """One of each kind that a page may have to show."""
    return [
        cpu_bound(),
        waiting(),
        with_failures(),
        inconclusive(),
        interrupted(),
        invalid(),
        local(),
        bare(),
        empty(),
    ]
