"""What the samples of one size say, as a row of the table; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from core.aws.limits import vcpu_share
from core.text import one_line
from reports.document import Percentiles, SizeResult
from tuner.cold import start_ms, wait_ms
from tuner.interval import interval_of
from tuner.recommend import SizeEvidence
from tuner.sample import Sample
from tuner.sampler import given_up

_REASON_CHARS = 100
_REQUEST_ID = re.compile(r"^RequestId: [0-9a-f-]{36} (Error: )?")
_PLAIN_REASONS = {
    "Sandbox.Timedout": "timeout",
    "Runtime.OutOfMemory": "out of memory",
    "NoReport": "no REPORT in the log tail",
    "NoAnswer": "no answer in time",
}


def size_row(
    size: int,
    samples: Sequence[Sample],
    evidence: SizeEvidence | None,
    refused: str | None,
    measured: Sequence[Sample] | None = None,
) -> SizeResult:
    """The row of one size; `samples` are its own, `refused` says why AWS did not allow it.

    `measured` are they as they were measured, where they are counted as something else.
    """
    warm = [s for s in samples if s.counts_as_warm]
    cold = [s for s in (samples if measured is None else measured) if s.counts_as_cold]
    cold_billed = [s.billed_ms for s in cold if s.billed_ms is not None]
    used = [s.max_memory_used_mb for s in samples if s.max_memory_used_mb is not None]
    durations = np.array([s.duration_ms for s in warm], dtype=np.float64)
    return SizeResult(
        memory_mb=size,
        vcpu_share=vcpu_share(size),
        n=len(warm),
        n_cold=len(cold),
        n_failed=sum(s.outcome != "measured" for s in samples),
        duration_ms=Percentiles(
            p50=float(np.quantile(durations, 0.5)),
            p95=float(np.quantile(durations, 0.95, method="inverted_cdf")),
        )
        if warm
        else None,
        duration_typical_ms=evidence.duration_ms if evidence else None,
        duration_interval_ms=interval_of(evidence.duration_replicates, evidence.tails)
        if evidence
        else None,
        cold_p50_ms=float(np.median([wait_ms(s) for s in cold])) if cold else None,
        init_p50_ms=float(np.median([start_ms(s) for s in cold])) if cold else None,
        billed_typical_ms=evidence.billed_ms if evidence else None,
        cost_usd_per_million=evidence.cost_usd * 1e6 if evidence else None,
        cost_interval=interval_of(evidence.cost_replicates * 1e6, evidence.tails)
        if evidence
        else None,
        max_memory_used_mb=max(used, default=None),
        failure=refused or _failure(samples, warm),
        cold_billed_typical_ms=float(np.median(cold_billed)) if cold_billed else None,
        slo=evidence.slo if evidence else None,
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
