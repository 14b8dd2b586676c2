"""What each payload of a mix took and cost, and whether one would choose another size; pure.

The answer takes each payload to change durations by one factor at all sizes. Here each is looked
at alone: where the best of its own measured sizes differs clearly from that of the mix, a note
says it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from reports.document import PayloadResult
from reports.figures import listed, megabytes, percent
from tuner.estimate import typical
from tuner.objective import scores
from tuner.payload_effects import PayloadEffects, payload_effects
from tuner.recommend import SizeEvidence
from tuner.sample import Sample, warm_by_size
from tuner.worth import Worth

# A size is compared with others by calls of one payload from so many of them on: a best size is
# named after two, and said to differ after three.
_FEWEST_TO_NAME, _FEWEST_TO_DIFFER = 2, 3
# What nobody would act on is no difference, however sure.
_LEAST_DIFFERENCE_SHARE = 0.05
# A wrong alarm in one of twenty runs, over all payloads and sizes that are compared.
_ALARMS_SHARE = 0.05
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class PayloadView:
    """The rows of the table, and what a reader has to know of them."""

    rows: tuple[PayloadResult, ...] = ()
    notes: tuple[str, ...] = ()


def payload_view(
    samples: Sequence[Sample],
    evidence: Sequence[SizeEvidence],
    taken_mb: int | None,
    worth: Worth,
) -> PayloadView:
    """Each payload of the mix, in the order of the file; nothing where calls do not differ.

    `evidence` are the sizes that may be chosen, `taken_mb` the recommended one.
    """
    if not worth.payload_weights:
        return PayloadView()
    effects = payload_effects(samples, worth.payload_weights)
    taken = next((item for item in evidence if item.memory_mb == taken_mb), None)
    usable = [item.memory_mb for item in evidence]
    looks = [
        _look(name, [s for s in samples if s.payload == name], usable, worth)
        for name in worth.payload_weights
    ]
    factors = {} if effects is None else effects.factors
    rows = [
        _row(look, weight, factors.get(look.name), taken, worth)
        for look, weight in zip(looks, worth.payload_weights.values(), strict=True)
    ]
    notes = () if effects is None else (*_uncalled(effects), *_differing(looks, taken_mb, effects))
    return PayloadView(tuple(rows), notes)


@dataclass(frozen=True, slots=True)
class _Look:
    """One payload by its own warm calls: durations by size, and the score of each size."""

    name: str
    durations_ms: Mapping[int, Sequence[float]]
    scores: Mapping[int, float]

    @property
    def best_mb(self) -> int | None:
        """The best of its sizes by the objective; None where fewer than two can be compared."""
        named = {
            size: score
            for size, score in self.scores.items()
            if len(self.durations_ms[size]) >= _FEWEST_TO_NAME
        }
        return min(named, key=lambda size: named[size]) if len(named) > 1 else None

    def worse_by(self, memory_mb: int, other_mb: int) -> float:
        """By how much a size is worse than another one, as a logarithm."""
        return math.log(self.scores[memory_mb] / self.scores[other_mb])


def _look(name: str, samples: Sequence[Sample], sizes_mb: Sequence[int], worth: Worth) -> _Look:
    durations = {
        size: [s.duration_ms for s in warm if s.duration_ms is not None]
        for size, warm in warm_by_size(samples).items()
    }
    own = {}
    for size in sizes_mb:
        if size in durations:
            duration = np.array([typical(durations[size])])
            cost = worth.cost_usd([size], worth.billed_ms(duration))
            own[size] = float(scores(worth.goal, cost, np.maximum(duration, 0.01))[0])
    return _Look(name, durations, own)


def _row(
    look: _Look, weight: float, factor: float | None, taken: SizeEvidence | None, worth: Worth
) -> PayloadResult:
    at_taken = look.durations_ms.get(taken.memory_mb, ()) if taken else ()
    cost_usd = None
    if taken is not None and factor is not None:
        billed = np.array([taken.billed_ms * factor])
        cost_usd = float(worth.cost_usd([taken.memory_mb], billed)[0]) * 1e6
    return PayloadResult(
        name=look.name,
        weight=weight,
        n=sum(len(found) for found in look.durations_ms.values()),
        factor=factor,
        duration_p50_ms=float(np.median(at_taken)) if len(at_taken) else None,
        cost_usd_per_million=cost_usd,
        best_mb=look.best_mb,
    )


def _uncalled(effects: PayloadEffects) -> tuple[str, ...]:
    if not effects.uncalled:
        return ()
    count = len(effects.uncalled)
    which = "payload" if count == 1 else "payloads"
    note = (
        f"{count} {which} with {percent(effects.uncalled_share)} of the weight "
        f"({_named(effects.uncalled)}) had no call: the answer takes them to be like the others; "
        "more calls reach them"
    )
    return (note,)


def _differing(
    looks: Sequence[_Look], taken_mb: int | None, effects: PayloadEffects
) -> tuple[str, ...]:
    """A note on the payloads that would clearly be better off at another size."""
    if taken_mb is None:
        return ()
    compared = max(1, sum(len(look.scores) - 1 for look in looks))
    sure = NormalDist().inv_cdf(1 - _ALARMS_SHARE / (2 * compared))
    found = []
    for look in looks:
        best_mb = look.best_mb
        if best_mb is None or best_mb == taken_mb or taken_mb not in look.scores:
            continue
        calls = [len(look.durations_ms[size]) for size in (taken_mb, best_mb)]
        error = math.sqrt(effects.noise_variance * sum(1 / n for n in calls))
        worse = look.worse_by(taken_mb, best_mb)
        if min(calls) >= _FEWEST_TO_DIFFER and worse > max(
            math.log1p(_LEAST_DIFFERENCE_SHARE), sure * error
        ):
            found.append((worse, look.name, best_mb))
    if not found:
        return ()
    worst = sorted(found, reverse=True)[:_MOST_NAMES]
    which = listed(
        [
            f"{name!r} ({megabytes(best_mb)}, where it is {percent(-math.expm1(-worse))} better)"
            for worse, name, best_mb in worst
        ]
    )
    more = f" and {len(found) - len(worst)} more" if len(found) > len(worst) else ""
    note = (
        f"by its own calls another size than {megabytes(taken_mb)} is best for payload "
        f"{which}{more}: payloads depend on memory in different ways, so the costs of the mix are "
        "less sure than their intervals"
    )
    return (note,)


def _named(names: Sequence[str]) -> str:
    shown = [repr(name) for name in names[:_MOST_NAMES]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
