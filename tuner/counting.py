"""How the samples of a run are to be counted, as far as they do not say it themselves; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports.document import PlanKind, TuneDocument
from reports.figures import listed, percent
from tuner.facts import RunFacts
from tuner.sample import Sample


@dataclass(frozen=True, slots=True)
class Counting:
    """What a run was told of its calls.

    `payload_weights` say how often each event comes, by name; empty where calls do not differ.
    `discard_share` is left out at each end of a size's samples, None for the usual trim. A "cold"
    plan has cold starts only, a "test" one is no measurement.
    """

    plan: PlanKind = "fixed"
    payload_weights: Mapping[str, float] = field(default_factory=dict)
    discard_share: float | None = None


def counting_of(facts: RunFacts) -> Counting:
    """The counting of a run that has just ended."""
    return Counting(facts.plan.kind, facts.payloads.weights, facts.calls.discard_share)


def recorded_counting(document: TuneDocument) -> Counting:
    """The counting of a run that is on disk."""
    weights = {payload.name: payload.weight for payload in document.payloads}
    rules = document.calls
    return Counting(
        document.provenance.plan, weights, None if rules is None else rules.discard_share
    )


def counting_notes(samples: Sequence[Sample], counting: Counting) -> tuple[str, ...]:
    """What a reader has to know of calls that count unlike others."""
    found = (
        _cold_only(counting),
        _allowed(samples),
        _discarded(samples),
        _trimmed(counting.discard_share),
    )
    return tuple(note for note in found if note)


def _cold_only(counting: Counting) -> str | None:
    if counting.plan != "cold":
        return None
    return (
        "only cold starts were measured: durations are INIT (or restore) and Duration of a cold "
        "call, costs those of all that is billed of it"
    )


def _allowed(samples: Sequence[Sample]) -> str | None:
    allowed = Counter(s.error_type for s in samples if s.outcome == "measured" and s.error_type)
    if not allowed:
        return None
    kinds = listed(sorted(kind for kind in allowed if kind))
    return (
        f"{allowed.total()} of {len(samples)} calls failed with {kinds}, which is allowed: they "
        "count like others"
    )


def _discarded(samples: Sequence[Sample]) -> str | None:
    discarded = sum(sample.discarded for sample in samples)
    if not discarded:
        return None
    return f"the first warm calls of each size, {discarded} in all, do not count"


def _trimmed(share: float | None) -> str | None:
    if share is None:
        return None
    return (
        f"typical durations and costs are without the {percent(share)} of each size's warm calls "
        "at either end"
    )
