"""From samples to an answer: what is known of each size, the curve, the recommendation; pure.

Everything that `tune analyze` can do again without invoking is here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.aws.always_on import ServerPrices, bundled_server_prices
from core.aws.prices import LambdaPrice
from reports.document import (
    ColdMix,
    Model,
    Monthly,
    PayloadResult,
    Recommendation,
    SizeResult,
    Slo,
)
from tuner.adaptive import usable_sizes
from tuner.bands import believed_model, build_model
from tuner.believed import Believed, believed
from tuner.bill import SizeCost
from tuner.cold_mix import (
    Calls,
    ColdCalls,
    believe_cold,
    cold_view,
    restore_note,
    restore_usd,
    with_cold,
)
from tuner.cold_only import as_warm
from tuner.counting import Counting, counting_notes
from tuner.evidence import calls_of, drawn, resampled, with_calls
from tuner.memory_floor import floor_notes, untried_below_floor
from tuner.monthly import Month, monthly_view
from tuner.objective import Goal
from tuner.payload_view import payload_view
from tuner.recommend import SizeEvidence, recommend
from tuner.sample import Sample, warm_by_size
from tuner.size_rows import size_row
from tuner.slo import samples_needed
from tuner.slo_search import decide, outlook
from tuner.usage import Usage
from tuner.worth import Worth

# More than while sampling: the intervals that people read come from these.
_DRAWS = 2048


@dataclass(frozen=True, slots=True)
class Question:
    """What the samples are asked.

    `candidates_mb` are those of an adaptive plan, invoked or not; None for a fixed plan, which
    answers for each size by its own samples. `trial_usd` is what the call before the samples cost.
    """

    goal: Goal
    current_mb: int
    price: LambdaPrice
    storage_mb: int
    seed: int
    candidates_mb: tuple[int, ...] | None = None
    usage: Usage = field(default_factory=Usage)
    server_prices: ServerPrices = field(default_factory=bundled_server_prices)
    runtime: str | None = None
    trial_usd: float = 0.0
    counting: Counting = field(default_factory=Counting)

    @property
    def worth(self) -> Worth:
        """Prices and objective, as the sampler has them."""
        return Worth(
            self.goal,
            self.price,
            self.storage_mb,
            self.usage.cold_share,
            self.runtime,
            self.counting.payload_weights,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What the samples say; `notes` are what a reader has to know of it.

    `evidence` is what the choice saw: the usable sizes, with the mix where there is a share of
    cold calls.
    """

    sizes: tuple[SizeResult, ...]
    model: Model | None
    recommendation: Recommendation | None
    slo: Slo | None = None
    cold: ColdMix | None = None
    monthly: Monthly | None = None
    payloads: tuple[PayloadResult, ...] = ()
    notes: tuple[str, ...] = ()
    evidence: tuple[SizeEvidence, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known of the sizes that can be used.

    `warm` is for the table, `judged` for the choice: with a share of cold calls, the mix.
    """

    warm: Sequence[SizeEvidence]
    judged: Sequence[SizeEvidence]
    model: Model | None
    cold: ColdMix | None
    believed: Believed | None


def analyse(
    samples: Sequence[Sample], sizes_mb: Sequence[int], refused: dict[int, str], question: Question
) -> Answer:
    """The answer to `question` from `samples`.

    `sizes_mb` are the sizes to tell of, `refused` those that AWS did not allow, with why.
    """
    rng = np.random.default_rng(question.seed)
    counted, worth = _counted(samples, question)
    if question.candidates_mb is None:
        known = _by_own_samples(counted, question, worth, rng)
    else:
        known = _by_all_samples(samples, question.candidates_mb, refused, question, rng)
    by_size = {item.memory_mb: item for item in known.warm}
    # A sample at a size that was not planned can only come from an edited file; it still shows.
    told_mb = sorted({*sizes_mb, *warm_by_size(counted)})
    sizes = tuple(
        size_row(
            size,
            [sample for sample in counted if sample.memory_mb == size],
            by_size.get(size),
            refused.get(size),
            [sample for sample in samples if sample.memory_mb == size],
        )
        for size in told_mb
    )
    unfit_mb = {size.memory_mb for size in sizes if size.failure is not None}
    judged_mb = [item.memory_mb for item in known.judged if item.memory_mb not in unfit_mb]
    too_small_mb = untried_below_floor(samples, judged_mb, question.current_mb)
    fit_mb = set(judged_mb) - too_small_mb
    fit = [item for item in known.judged if item.memory_mb in fit_mb]
    taken = None
    if question.counting.plan != "test":
        taken = recommend(
            fit,
            question.candidates_mb or told_mb,
            question.goal,
            question.current_mb,
            joint=known.believed is not None,
        )
    has_cold = known.cold is not None or question.counting.plan == "cold"
    note = restore_note(samples, question.runtime) if has_cold else None
    payloads = payload_view(counted, fit, taken.memory_mb if taken else None, worth)
    return Answer(
        sizes=sizes,
        model=known.model,
        recommendation=taken,
        slo=_slo(fit, known.believed, question),
        cold=known.cold,
        monthly=_monthly(samples, fit, taken, sizes, question),
        payloads=payloads.rows,
        notes=(
            *((note,) if note else ()),
            *counting_notes(samples, question.counting),
            *payloads.notes,
            *floor_notes(samples, taken.memory_mb if taken else None, too_small_mb),
        ),
        evidence=tuple(fit),
    )


def _counted(samples: Sequence[Sample], question: Question) -> tuple[Sequence[Sample], Worth]:
    """The samples as the run counts them, and what they are judged by.

    Where all calls are cold, each is looked at as a warm one is elsewhere.
    """
    if question.counting.plan != "cold":
        return samples, question.worth
    per_gb = float(restore_usd(samples, [1024], question.runtime)[0])
    return as_warm(samples), replace(question.worth, restore_usd_per_gb=per_gb)


def _by_own_samples(
    samples: Sequence[Sample], question: Question, worth: Worth, rng: np.random.Generator
) -> _Known:
    warm = resampled(samples, worth, rng, question.counting.discard_share)
    model = build_model(warm, question.price, question.storage_mb, rng)
    calls = calls_of(warm)
    if worth.cold_share is None or calls is None:
        return _Known(warm, warm, model, None, None)
    cold = believe_cold(samples, calls.sizes_mb, worth.cost_usd, rng, runtime=worth.runtime)
    if cold is None:
        return _Known(warm, warm, model, None, None)
    mix = with_cold(calls, cold, worth.cold_share)
    return _Known(warm, with_calls(warm, mix), model, _cold(samples, calls, cold, question), None)


def _by_all_samples(
    samples: Sequence[Sample],
    candidates_mb: Sequence[int],
    refused: Collection[int],
    question: Question,
    rng: np.random.Generator,
) -> _Known:
    worth = question.worth
    usable = usable_sizes(candidates_mb, samples, refused)
    if not any(sample.counts_as_warm and sample.memory_mb in usable for sample in samples):
        return _Known((), (), None, None, None)
    found = believed(samples, usable, worth, rng, draws=_DRAWS, of_the_level=True)
    warm = drawn(samples, found, found.warm, worth)
    judged = warm if found.mix is found.warm else drawn(samples, found, found.mix, worth)
    cold = None
    if worth.cold_share is not None and found.cold is not None:
        invoked = [item.memory_mb for item in warm if item.n]
        cold = _cold(samples, found.warm.of(invoked), found.cold, question)
    model = believed_model(found.samples, warm, question.price, question.storage_mb, rng)
    return _Known(warm, judged, model, cold, found)


def _cold(
    samples: Sequence[Sample], warm: Calls, cold: ColdCalls, question: Question
) -> ColdMix | None:
    usage = question.usage
    if usage.cold_share is None:
        return None
    return cold_view(samples, warm, cold, usage.cold_share, usage.cold_source)


def _slo(
    evidence: Sequence[SizeEvidence], found: Believed | None, question: Question
) -> Slo | None:
    limit = question.goal.slo
    if limit is None:
        return None
    seen = {item.memory_mb: item.slo for item in evidence if item.slo is not None}
    prospects = None
    if found is not None:
        kept = [item.memory_mb for item in evidence]
        beliefs = found.beliefs.without([m for m in found.beliefs.sizes_mb if m not in kept])
        cost = found.warm.of(kept).cost_usd.mean(axis=0)
        prospects = outlook(beliefs, cost, limit, seen, found.effects)
    return Slo(
        percentile=limit.percentile,
        limit_ms=limit.limit_ms,
        samples_needed=samples_needed(limit),
        verdict=decide(prospects, seen),
    )


def _monthly(
    samples: Sequence[Sample],
    evidence: Sequence[SizeEvidence],
    taken: Recommendation | None,
    sizes: Sequence[SizeResult],
    question: Question,
) -> Monthly | None:
    usage = question.usage
    if usage.requests_per_month is None:
        return None
    told = [item for item in evidence if item.n or item.memory_mb == question.current_mb]
    month = Month(
        requests_per_month=usage.requests_per_month,
        source=usage.requests_source,
        current_mb=question.current_mb,
        recommended_mb=taken.memory_mb if taken else None,
        price=question.price,
        storage_mb=question.storage_mb,
        spent_usd=question.trial_usd + _spent_usd(samples, question.price, question.storage_mb),
        server_prices=question.server_prices,
    )
    return monthly_view(month, [SizeCost.of(item) for item in told], sizes)


def _spent_usd(samples: Sequence[Sample], price: LambdaPrice, storage_mb: int) -> float:
    """What the invocations cost, by the billed durations that Lambda printed."""
    return sum(
        price.invocation_usd(s.memory_mb, s.billed_ms, storage_mb=storage_mb)
        for s in samples
        if s.billed_ms is not None
    )
