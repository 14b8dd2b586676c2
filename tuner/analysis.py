"""From samples to an answer: estimates by size, the curve, the recommendation; pure.

Everything that `tune analyze` can do again without invoking is here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.aws.limits import vcpu_share
from core.aws.prices import LambdaPrice
from core.text import one_line
from reports.document import Model, Objective, Percentiles, Recommendation, SizeResult
from tuner.bands import build_model
from tuner.estimate import (
    MIN_SAMPLES_FOR_INTERVAL,
    REPLICATES,
    Floats,
    interval,
    interval_quantiles,
    typical,
    typical_replicates,
)
from tuner.objective import Goal
from tuner.recommend import SizeEvidence, recommend
from tuner.sample import Sample, warm_by_size
from tuner.sampler import given_up

_REASON_CHARS = 100
_REQUEST_ID = re.compile(r"^RequestId: [0-9a-f-]{36} (Error: )?")
_PLAIN_REASONS = {
    "Sandbox.Timedout": "timeout",
    "Runtime.OutOfMemory": "out of memory",
    "NoReport": "no REPORT in the log tail",
    "NoAnswer": "no answer in time",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What the samples are asked."""

    objective: Objective
    weight: float | None
    current_mb: int
    price: LambdaPrice
    storage_mb: int
    seed: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the samples say."""

    sizes: tuple[SizeResult, ...]
    model: Model | None
    recommendation: Recommendation | None


def analyse(
    samples: Sequence[Sample], sizes_mb: Sequence[int], refused: dict[int, str], question: Question
) -> Answer:
    """The answer to `question` from `samples`.

    `sizes_mb` are all sizes that were planned, `refused` those that AWS did not allow, with why.
    """
    rng = np.random.default_rng(question.seed)
    evidence = [
        _evidence(size, warm, question, rng) for size, warm in warm_by_size(samples).items()
    ]
    by_size = {item.memory_mb: item for item in evidence}
    # A sample at a size that was not planned can only come from an edited file; it still shows.
    planned_mb = sorted({*sizes_mb, *by_size})
    sizes = tuple(
        _size_result(
            size,
            [sample for sample in samples if sample.memory_mb == size],
            by_size.get(size),
            refused.get(size),
        )
        for size in planned_mb
    )
    fit_mb = {size.memory_mb for size in sizes if size.failure is None}
    return Answer(
        sizes=sizes,
        model=build_model(evidence, question.price, question.storage_mb, rng),
        recommendation=recommend(
            [item for item in evidence if item.memory_mb in fit_mb],
            planned_mb,
            Goal(question.objective, question.weight),
            question.current_mb,
            joint=False,
        ),
    )


def _evidence(
    size: int, warm: Sequence[Sample], question: Question, rng: np.random.Generator
) -> SizeEvidence:
    """Typical duration, billed time and cost of one size, with joint bootstrap replicates."""
    columns = np.array([[s.duration_ms, s.billed_ms] for s in warm], dtype=np.float64)
    replicates = typical_replicates(columns, rng, REPLICATES)
    # A call that is answered in no time is still billed for 1 ms; its logarithm must exist.
    duration, billed = np.maximum(replicates[:, 0], 0.01), np.maximum(replicates[:, 1], 1.0)
    return SizeEvidence(
        memory_mb=size,
        n=len(warm),
        duration_ms=max(typical(columns[:, 0]), 0.01),
        billed_ms=max(typical(columns[:, 1]), 1.0),
        cost_usd=_cost_usd(size, np.array([max(typical(columns[:, 1]), 1.0)]), question)[0],
        duration_replicates=duration,
        billed_replicates=billed,
        cost_replicates=_cost_usd(size, billed, question),
        tails=interval_quantiles(len(warm)) if len(warm) >= MIN_SAMPLES_FOR_INTERVAL else None,
    )


def _cost_usd(size: int, billed_ms: Floats, question: Question) -> Floats:
    """The cost of one invocation; linear in billed time, so two prices give all of them."""
    price, storage = question.price, question.storage_mb
    fixed = price.invocation_usd(size, 0, storage_mb=storage)
    per_ms = price.invocation_usd(size, 1, storage_mb=storage) - fixed
    return np.asarray(fixed + per_ms * billed_ms, dtype=np.float64)


def _size_result(
    size: int, samples: Sequence[Sample], evidence: SizeEvidence | None, refused: str | None
) -> SizeResult:
    warm = [s for s in samples if s.counts_as_warm]
    cold = [s for s in samples if s.counts_as_cold]
    used = [s.max_memory_used_mb for s in samples if s.max_memory_used_mb is not None]
    durations = np.array([s.duration_ms for s in warm], dtype=np.float64)
    cold_ms = [(s.init_ms or 0) + (s.restore_ms or 0) + (s.duration_ms or 0) for s in cold]
    start_ms = [(s.init_ms or 0) + (s.restore_ms or 0) for s in cold]
    return SizeResult(
        memory_mb=size,
        vcpu_share=vcpu_share(size),
        n=len(warm),
        n_cold=len(cold),
        n_failed=sum(s.outcome != "measured" for s in samples),
        duration_ms=Percentiles(
            p50=float(np.quantile(durations, 0.5)),
            p95=float(np.quantile(durations, 0.95, method="higher")),
        )
        if warm
        else None,
        duration_typical_ms=evidence.duration_ms if evidence else None,
        duration_interval_ms=interval(evidence.duration_replicates, evidence.n)
        if evidence
        else None,
        cold_p50_ms=float(np.median(cold_ms)) if cold else None,
        init_p50_ms=float(np.median(start_ms)) if cold else None,
        billed_typical_ms=evidence.billed_ms if evidence else None,
        cost_usd_per_million=evidence.cost_usd * 1e6 if evidence else None,
        cost_interval=interval(evidence.cost_replicates * 1e6, evidence.n) if evidence else None,
        max_memory_used_mb=max(used, default=None),
        failure=refused or _failure(samples, warm),
    )


def _failure(samples: Sequence[Sample], warm: Sequence[Sample]) -> str | None:
    """Why a size cannot be used; None when it can, or was not measured.

    Running out of memory or time even once is a property of the size, and a cheap size that does
    so now and then is no bargain. Other errors are the function's own, as long as they are few.
    """
    failures = Counter(_reason(sample) for sample in samples if sample.outcome != "measured")
    too_small = Counter(_reason(sample) for sample in samples if sample.ran_out)
    if not failures or (warm and not too_small and not given_up(samples)):
        return None
    reason, _ = (too_small or failures).most_common(1)[0]
    return f"{reason} ({failures.total()} of {len(samples)} calls)"


def _reason(sample: Sample) -> str:
    """Why a call failed: in plain words where AWS has a name for it, else as the function says.

    Without the id that Lambda puts first, so that the same failure is the same reason.
    """
    plain = _PLAIN_REASONS.get(sample.error_type or "")
    if plain is not None:
        return plain
    message = one_line(_REQUEST_ID.sub("", sample.error_message or ""))
    shortened = message if len(message) <= _REASON_CHARS else message[: _REASON_CHARS - 1] + "…"
    return f"{sample.error_type}: {shortened}"
