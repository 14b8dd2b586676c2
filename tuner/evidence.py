"""From samples to what is known of each size: by its own samples, or by all of them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reports.document import SloEvidence
from tuner.believed import Believed
from tuner.cold_mix import Calls, widened
from tuner.estimate import (
    MIN_SAMPLES_FOR_INTERVAL,
    REPLICATES,
    Floats,
    interval_quantiles,
    typical,
    typical_replicates,
)
from tuner.objective import SloLimit
from tuner.payload_effects import payload_effects
from tuner.recommend import SizeEvidence
from tuner.sample import Sample, warm_by_size
from tuner.slo import slo_evidence
from tuner.worth import Worth

# Draws are as wide as what they stand for: their 90 % interval is between these quantiles.
DRAWN_TAILS = (0.05, 0.95)
_LEAST_MS, _LEAST_BILLED_MS = 0.01, 1.0


def resampled(
    samples: Sequence[Sample],
    worth: Worth,
    rng: np.random.Generator,
    trim_share: float | None = None,
) -> list[SizeEvidence]:
    """Each size by its own warm samples: trimmed means and their bootstrap replicates.

    With several payloads they are means over those, whose effects all sizes show together; only
    percentiles are of the calls as they were.
    """
    effects = payload_effects(samples, worth.payload_weights)
    if effects is None:
        return [
            _resampled(size, warm, worth, rng, trim_share)
            for size, warm in warm_by_size(samples).items()
        ]
    level, measured = effects.level_draws(rng, REPLICATES), warm_by_size(samples)
    found = [
        _resampled(size, warm, worth, rng, trim_share, level)
        for size, warm in warm_by_size(effects.adjusted(samples)).items()
    ]
    return [
        replace(
            item,
            n=len(measured[item.memory_mb]),
            slo=_slo(measured[item.memory_mb], worth.goal.slo),
        )
        for item in found
    ]


def _resampled(
    size: int,
    warm: Sequence[Sample],
    worth: Worth,
    rng: np.random.Generator,
    trim_share: float | None,
    level: Floats | float = 1.0,
) -> SizeEvidence:
    columns = np.array([[s.duration_ms, s.billed_ms] for s in warm], dtype=np.float64)
    replicates = typical_replicates(columns, rng, REPLICATES, trim_share)
    # A call that is answered in no time is still billed for 1 ms; its logarithm must exist.
    duration = np.maximum(replicates[:, 0] * level, _LEAST_MS)
    billed = np.maximum(replicates[:, 1] * level, _LEAST_BILLED_MS)
    billed_ms = max(typical(columns[:, 1], trim_share), _LEAST_BILLED_MS)
    return SizeEvidence(
        memory_mb=size,
        n=len(warm),
        duration_ms=max(typical(columns[:, 0], trim_share), _LEAST_MS),
        billed_ms=billed_ms,
        cost_usd=float(worth.cost_usd([size], np.array([billed_ms]))[0]),
        duration_replicates=duration,
        billed_replicates=billed,
        cost_replicates=worth.cost_usd([size], billed[:, None])[:, 0],
        tails=interval_quantiles(len(warm)) if len(warm) >= MIN_SAMPLES_FOR_INTERVAL else None,
        slo=_slo(warm, worth.goal.slo),
    )


def drawn(
    samples: Sequence[Sample], known: Believed, calls: Calls, worth: Worth
) -> list[SizeEvidence]:
    """Each candidate size by the draws of `calls`, warm or mixed; rows are whole curves."""
    warm = warm_by_size(samples)
    billed = worth.billed_ms(known.beliefs.duration_ms)
    return [
        SizeEvidence(
            memory_mb=size,
            n=len(warm.get(size, ())),
            duration_ms=_middle(calls.latency_ms[:, column]),
            billed_ms=_middle(billed[:, column]),
            cost_usd=_middle(calls.cost_usd[:, column]),
            duration_replicates=calls.latency_ms[:, column],
            billed_replicates=billed[:, column],
            cost_replicates=calls.cost_usd[:, column],
            tails=DRAWN_TAILS,
            slo=_slo(warm.get(size, ()), worth.goal.slo),
        )
        for column, size in enumerate(known.beliefs.sizes_mb)
    ]


def calls_of(evidence: Sequence[SizeEvidence]) -> Calls | None:
    """Resampled sizes as draws that are as wide as what they stand for.

    None where a size has too few samples to say how wide that is.
    """
    columns: list[tuple[Floats, Floats]] = []
    for item in evidence:
        if item.tails is None:
            return None
        low = item.tails[0]
        columns.append((widened(item.cost_replicates, low), widened(item.duration_replicates, low)))
    if not columns:
        return None
    costs, durations = zip(*columns, strict=True)
    return Calls(
        tuple(item.memory_mb for item in evidence),
        np.stack(costs, axis=1),
        np.stack(durations, axis=1),
    )


def with_calls(evidence: Sequence[SizeEvidence], calls: Calls) -> list[SizeEvidence]:
    """The same sizes, with cost and latency as `calls` has them."""
    return [
        SizeEvidence(
            memory_mb=item.memory_mb,
            n=item.n,
            duration_ms=_middle(calls.latency_ms[:, column]),
            billed_ms=item.billed_ms,
            cost_usd=_middle(calls.cost_usd[:, column]),
            duration_replicates=calls.latency_ms[:, column],
            billed_replicates=item.billed_replicates,
            cost_replicates=calls.cost_usd[:, column],
            tails=DRAWN_TAILS,
            slo=item.slo,
        )
        for column, item in enumerate(evidence)
    ]


def _middle(draws: Floats) -> float:
    return float(np.median(draws))


def _slo(warm: Sequence[Sample], limit: SloLimit | None) -> SloEvidence | None:
    if limit is None or not warm:
        return None
    return slo_evidence([s.duration_ms for s in warm if s.duration_ms is not None], limit)
