"""Whether the recommendation changed, and whether that can be told."""

from __future__ import annotations

import numpy as np

from reports.compare_document import Change, ChoiceChange
from reports.document import TuneDocument
from tuner.analysis import Question, analyse
from tuner.compare.differences import objective_of
from tuner.compare.tunings import Tuning
from tuner.compare.verdicts import COST, DURATION, Words, change_between
from tuner.counting import recorded_counting
from tuner.estimate import Floats
from tuner.objective import Goal, SloLimit
from tuner.recommend import SizeEvidence, common_tails
from tuner.recorded import recorded_candidates, recorded_price, recorded_refusals
from tuner.usage import GIVEN, Usage


def choice_change(before: Tuning, after: Tuning, tolerance_share: float) -> ChoiceChange | None:
    """The two recommendations; None where a run has none."""
    first, second = before.document.recommendation, after.document.recommendation
    if first is None or second is None:
        return None
    asked = objective_of(before.document), objective_of(after.document)
    old_mb, new_mb = first.memory_mb, second.memory_mb
    cost = duration = None
    if old_mb != new_mb:
        cost, duration = _old_choice_now(after, old_mb, new_mb, tolerance_share)
    verdict: str
    if asked[0] != asked[1]:
        verdict = "not compared"
    elif old_mb == new_mb:
        verdict = "same"
    elif cost is None or old_mb in second.tied_mb:
        verdict = "cannot be told"
    elif new_mb in first.tied_mb or not _knew(before.document, new_mb):
        verdict = "surer"
    else:
        verdict = "changed"
    return ChoiceChange.model_validate(
        {
            "before_mb": old_mb,
            "after_mb": new_mb,
            "objective_before": asked[0],
            "objective_after": asked[1],
            "verdict": verdict,
            "old_cost": cost,
            "old_duration": duration,
        }
    )


def _knew(document: TuneDocument, memory_mb: int) -> bool:
    """Whether a run could have told that a size is worse than its choice."""
    candidates = document.provenance.candidates_mb or [s.memory_mb for s in document.sizes if s.n]
    return memory_mb in candidates


def _old_choice_now(
    after: Tuning, old_mb: int, new_mb: int, tolerance_share: float
) -> tuple[Change | None, Change | None]:
    """What the earlier choice costs and takes by the later run, against the later choice."""
    evidence = {item.memory_mb: item for item in _evidence(after)}
    if old_mb not in evidence or new_mb not in evidence:
        return None, None
    old, new = evidence[old_mb], evidence[new_mb]
    return (
        _against(old, new, old.cost_replicates / new.cost_replicates, tolerance_share, COST),
        _against(
            old, new, old.duration_replicates / new.duration_replicates, tolerance_share, DURATION
        ),
    )


def _against(
    old: SizeEvidence, new: SizeEvidence, ratios: Floats, tolerance_share: float, words: Words
) -> Change | None:
    tails = common_tails(old, new)
    if tails is None:
        return None
    low, middle, high = np.log(np.quantile(ratios, (tails[0], 0.5, tails[1])))
    return change_between(float(low), float(middle), float(high), tolerance_share, words)


def _evidence(run: Tuning) -> tuple[SizeEvidence, ...]:
    """What the run's own choice was made from."""
    document = run.document
    answer = analyse(
        run.samples,
        [size.memory_mb for size in document.sizes],
        recorded_refusals(document),
        Question(
            goal=_goal(document),
            current_mb=document.current.memory_mb,
            price=recorded_price(document),
            storage_mb=document.function.ephemeral_storage_mb,
            seed=document.provenance.seed,
            candidates_mb=recorded_candidates(document),
            usage=_usage(document),
            runtime=document.function.runtime,
            counting=recorded_counting(document),
        ),
    )
    return answer.evidence


def _goal(document: TuneDocument) -> Goal:
    taken, slo = document.recommendation, document.slo
    if slo is not None:
        return Goal("slo", slo=SloLimit(slo.percentile, slo.limit_ms))
    if taken is None:
        return Goal("cost")
    return Goal(taken.objective, taken.weight, None, taken.knee_share)


def _usage(document: TuneDocument) -> Usage:
    cold = document.cold
    return Usage(cold.cold_share, cold.source) if cold else Usage(None, GIVEN)
