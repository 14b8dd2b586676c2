"""Documents of adaptive tunings for tests: few calls at few sizes, and the parts that some have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from reports.document import (
    AlwaysOn,
    ArchComparison,
    ArchSize,
    Budget,
    ColdMix,
    ColdSize,
    CurrentSize,
    CurvePoint,
    Model,
    Monthly,
    MonthlySize,
    Recommendation,
    Saving,
    Slo,
    SloEvidence,
    Spent,
    TuneDocument,
)
from tests.reports.documents import (
    HOSTILE,
    cost_of,
    document,
    failed_size,
    function_facts,
    provenance,
    saturating,
    size_result,
)

CANDIDATES = (
    128, 144, 160, 192, 224, 256, 288, 320, 384, 448, 512, 576, 640, 768, 896, 1024, 1152, 1280,
    1408, 1536, 1664, 1769, 1920, 2048, 2304, 2560, 2816, 3008,
)  # fmt: skip
MEASURED = ((256, 3), (512, 6), (1024, 12), (1408, 5), (1769, 2))


def expected_curve(candidates: Sequence[int] = CANDIDATES) -> Model:
    """What an adaptive run believes of every candidate; wide where nothing was invoked."""

    def factor(memory_mb: int) -> float:
        return 1.04 + 0.12 * min(abs(math.log2(memory_mb / near)) for near, _ in MEASURED)

    return Model(
        family="mixture of capped power laws",
        formula="log t(m) = log(a + b / min(m, c)^k) + r(m)",
        parameters={},
        loo_error=None,
        candidates=[],
        duration_family="mixture of capped power laws",
        curve=[
            CurvePoint(
                memory_mb=m,
                duration_ms=saturating(m),
                duration_band_ms=(saturating(m) / factor(m), saturating(m) * factor(m)),
                cost_usd_per_million=cost_of(m, saturating(m)),
                cost_band_usd_per_million=(
                    cost_of(m, saturating(m) / factor(m)),
                    cost_of(m, saturating(m) * factor(m)),
                ),
            )
            for m in candidates
        ],
    )


def taken_size(memory_mb: int = 1024, **changes: Any) -> Recommendation:
    """A size to take, with its figures and how close to the best it is expected to be."""
    cost = cost_of(memory_mb, saturating(memory_mb))
    facts: dict[str, Any] = {
        "memory_mb": memory_mb,
        "tied_mb": [memory_mb],
        "objective": "cost",
        "weight": None,
        "saving": Saving(
            cost_share=0.11,
            cost_interval=(0.06, 0.17),
            duration_share=-0.31,
            duration_interval=(-0.39, -0.24),
        ),
        "reasons": [],
        "cost_usd_per_million": cost,
        "cost_interval": (cost * 0.96, cost * 1.05),
        "duration_ms": saturating(memory_mb),
        "duration_interval_ms": (saturating(memory_mb) * 0.96, saturating(memory_mb) * 1.05),
        "regret_share": 0.012,
        "regret_bound_share": 0.05,
    }
    return Recommendation(**{**facts, **changes})


def adaptive_document(
    recommendation: Recommendation | None, *, current_mb: int = 1536, **changes: Any
) -> TuneDocument:
    """A run of 33 calls at five of 28 sizes; today's size is not among them."""
    facts: dict[str, Any] = {
        "name": "cart-totals",
        "model": expected_curve(),
        "provenance": provenance(samples_per_size=None, plan="adaptive"),
        "spent": Spent(invocations=33, gb_seconds=18.2, usd=0.00031, unmeasured_invocations=0),
        "current": CurrentSize(
            memory_mb=current_mb, cost_usd_per_million=None, duration_p50_ms=None
        ),
    }
    sizes = [size_result(mb, saturating, n=n, noise=0.05) for mb, n in MEASURED]
    return document(
        changes.pop("sizes", sizes), recommendation=recommendation, **{**facts, **changes}
    )


def many_tied() -> TuneDocument:
    """Twenty candidates tie, most of them never invoked."""
    tied = [mb for mb in CANDIDATES if 256 <= mb <= 1664]
    return adaptive_document(taken_size(tied_mb=tied))


def stopped_by_budget() -> TuneDocument:
    """--max-invocations ended it; the size is known well enough."""
    return adaptive_document(
        taken_size(regret_share=0.061, regret_bound_share=0.14, tied_mb=[1024, 1152, 1280, 1408]),
        name="ended-early",
        budget=Budget(max_invocations=20, max_usd=0.05, ended_by="max_invocations"),
    )


def too_little_budget() -> TuneDocument:
    """The budget ended it before the best size so far was invoked."""
    return adaptive_document(
        taken_size(1152, regret_share=0.21, regret_bound_share=0.6),
        name="hardly-begun",
        verdict="inconclusive",
        exit_code=4,
        budget=Budget(max_seconds=90.0, ended_by="max_seconds"),
        sizes=[size_result(512, saturating, n=2, noise=0.2), failed_size(128, "timeout after 3 s")],
    )


def keeps_its_size() -> TuneDocument:
    """Thorough, and today's size is the best one."""
    return adaptive_document(
        taken_size(1024, regret_share=0.0003, regret_bound_share=0.004, saving=None),
        current_mb=1024,
        name="well-chosen",
        provenance=provenance(samples_per_size=None, plan="thorough"),
    )


def knee() -> TuneDocument:
    """The smallest size beyond which speed is not worth its price."""
    return adaptive_document(
        taken_size(1408, objective="knee", knee_share=0.1), current_mb=256, name="knee-finder"
    )


def with_slo(
    found: Literal["met", "infeasible", "not separable"], name: str, **changes: Any
) -> TuneDocument:
    """A limit on p95; the sizes hold it where they are fast enough."""
    evidence = {
        512: SloEvidence(n=9, quantile_ms=771, lower_ms=760, upper_ms=None, verdict="missed"),
        1024: SloEvidence(n=24, quantile_ms=431, lower_ms=398, upper_ms=None, verdict="open"),
        1408: SloEvidence(n=61, quantile_ms=299.7, lower_ms=290, upper_ms=299.9, verdict="met"),
        1769: SloEvidence(n=62, quantile_ms=255, lower_ms=251, upper_ms=281, verdict="met"),
    }
    limit_ms = {"met": 300.0, "infeasible": 200.0, "not separable": 400.0}[found]
    renamed: dict[str, dict[str, str]] = {
        "met": {},
        "infeasible": {"open": "missed", "met": "missed"},
        "not separable": {"met": "open"},
    }
    sizes = [
        size_result(mb, saturating, n=slo.n).model_copy(
            update={
                "slo": slo.model_copy(
                    update={"verdict": renamed[found].get(slo.verdict, slo.verdict)}
                )
            }
        )
        for mb, slo in evidence.items()
    ]
    return adaptive_document(
        changes.pop("recommendation", None),
        name=name,
        sizes=sizes,
        slo=Slo(percentile=95, limit_ms=limit_ms, samples_needed=59, verdict=found),
        **changes,
    )


def slo_met() -> TuneDocument:
    """The cheapest size that is shown to keep p95 < 300 ms."""
    return with_slo("met", "slo-met", recommendation=taken_size(1408, objective="slo"))


def slo_infeasible() -> TuneDocument:
    """No size is fast enough."""
    return with_slo("infeasible", "slo-infeasible", verdict="fail", exit_code=3)


def slo_open() -> TuneDocument:
    """The samples do not show whether a size is fast enough."""
    return with_slo("not separable", "slo-open", verdict="inconclusive", exit_code=4)


def cold_mix(source: str = "given by --cold-share") -> ColdMix:
    """Two calls of a hundred are cold."""
    return ColdMix(
        cold_share=0.02,
        source=source,
        sizes=[
            ColdSize(
                memory_mb=mb,
                n_cold=2,
                init_ms=180 + 12 * 1769 / mb,
                cold_ms=saturating(mb) + 240,
                cold_billed_ms=saturating(mb) + 230,
                mean_ms=saturating(mb) + 5,
                cost_usd_per_million=cost_of(mb, saturating(mb) + 5),
                cost_interval=(cost_of(mb, saturating(mb)), cost_of(mb, saturating(mb) + 20)),
            )
            for mb, _ in MEASURED
        ],
    )


def month(source: str = "given by --requests-per-month", requests: float = 12e6) -> Monthly:
    """The bills of a month; the machines would do the same work for less, or for more."""
    now = cost_of(1536, saturating(1536)) / 1e6 * requests
    sizes = []
    for mb in (256, 512, 1024, 1408, 1536, 1769):
        bill = cost_of(mb, saturating(mb)) / 1e6 * requests
        known = mb != 256
        sizes.append(
            MonthlySize(
                memory_mb=mb,
                usd=bill,
                interval_usd=(bill * 0.96, bill * 1.05) if known else None,
                saving_usd=now - bill,
                saving_interval_usd=(now - bill * 1.05, now - bill * 0.96) if known else None,
            )
        )
    return Monthly(
        requests_per_month=requests,
        source=source,
        sizes=sizes,
        break_even_requests=412.3,
        break_even_days=412.3 / requests * 30.4,
        always_on=[
            AlwaysOn(name="EC2 t4g.small", vcpu=2, memory_gb=2, count=2, usd=24.53,
                     equal_at_requests_per_month=4_123_456.0),
            AlwaysOn(name="EC2 c7g.medium", vcpu=1, memory_gb=2, count=3, usd=79.4,
                     equal_at_requests_per_month=13_812_000.0),
            AlwaysOn(name="Fargate 1 vCPU", vcpu=1, memory_gb=2, count=2, usd=72.08,
                     equal_at_requests_per_month=None),
        ],
        always_on_prices="AWS price list, us-east-1 (2026-09-19)",
        notes=[
            "the free tier is not subtracted: it takes off $7.07 at most at 1,024 MB",
            "machines: at least 2, so that one may stop",
        ],
    )  # fmt: skip


def arch_comparison(*, separable: bool = True, names: str = "cart-totals") -> ArchComparison:
    """arm64 is slower for each vCPU, and cheaper."""
    found = []
    for mb in (512, 1024, 1408, 1769):
        for arch, slower, price in (("x86_64", 1.0, 1.0), ("arm64", 1.12, 0.8)):
            time = saturating(mb) * slower
            cost = cost_of(mb, time) * price
            found.append((arch, mb, time, cost))

    def is_undercut(time: float, cost: float) -> bool:
        return any(t < time and c < cost for _, _, t, c in found)

    return ArchComparison(
        functions={"x86_64": names, "arm64": f"{names}-arm"},
        sizes=[
            ArchSize(
                arch=arch,
                memory_mb=mb,
                n=7,
                duration_ms=time,
                duration_interval_ms=(time * 0.97, time * 1.04),
                cost_usd_per_million=cost,
                cost_interval=(cost * 0.97, cost * 1.04),
                pareto=not is_undercut(time, cost),
            )
            for arch, mb, time, cost in found
        ],
        best_arch="arm64",
        best_mb=512,
        cost_saving_share=0.11,
        cost_saving_interval=(0.07, 0.15) if separable else (-0.04, 0.19),
        duration_saving_share=-0.12,
        duration_saving_interval=(-0.16, -0.07),
        separable=separable,
    )


def whole() -> TuneDocument:
    """Everything that was asked for at once."""
    met = slo_met()
    return met.model_copy(
        update={
            "function": function_facts("everything"),
            "cold": cold_mix(),
            "monthly": month(),
            "arch": arch_comparison(),
            "budget": Budget(max_usd=1.0),
        }
    )


def not_separable_arch() -> TuneDocument:
    """Neither architecture is shown to be the better one."""
    return many_tied().model_copy(
        update={"function": function_facts("both"), "arch": arch_comparison(separable=False)}
    )


def hostile_parts() -> TuneDocument:
    """Markup in every text of the new parts that comes from outside."""
    monthly = month(HOSTILE).model_copy(
        update={
            "notes": [HOSTILE],
            "always_on_prices": HOSTILE,
            "always_on": [month().always_on[0].model_copy(update={"name": HOSTILE})],
        }
    )
    return whole().model_copy(
        update={
            "function": function_facts(HOSTILE),
            "cold": cold_mix(HOSTILE),
            "monthly": monthly,
            "arch": arch_comparison(names=HOSTILE),
        }
    )


def all_adaptive() -> list[TuneDocument]:
    """One of each kind that a page may have to show."""
    return [
        many_tied(),
        stopped_by_budget(),
        too_little_budget(),
        keeps_its_size(),
        knee(),
        slo_met(),
        slo_infeasible(),
        slo_open(),
        whole(),
        not_separable_arch(),
    ]
