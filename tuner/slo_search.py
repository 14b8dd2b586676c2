"""Finds the cheapest size that keeps a limit on a percentile; decides, does not invoke.

Three sizes first, as in every adaptive plan: the curve through them says which sizes may keep the
limit. The cheapest of those is sampled until its samples alone, without any curve, show that it
keeps the limit or misses it, or until it has had its share of calls; then the next one.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from reports.document import SloEvidence
from tuner.adaptive import SIZES_AT_START, start_sizes, usable_sizes
from tuner.objective import SloLimit
from tuner.sample import Sample, warm_durations
from tuner.sampler import answers_ceased
from tuner.slo import samples_needed, slo_evidence

if TYPE_CHECKING:
    # Plans ask how many calls it takes before numpy is loaded.
    from tuner.beliefs import Beliefs
    from tuner.estimate import Floats
    from tuner.payload_effects import PayloadEffects
    from tuner.worth import Worth

_WARM_AT_START = 2
# A size is looked at after so many samples while a miss is all that they can show, then at one,
# two and three times the number that can show it to keep the limit. Bounds hold with 95 % for one
# look; with these three, a size exactly at its limit passes in 7 %, with a look after each sample
# it would in 11 %.
_EARLY_LOOKS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
_FULL_LOOKS = 3
# A size is worth its calls when the curve gives it such a chance. In simulations 0.5 saves 4 % of
# the calls for 2 % more cost; to try only sizes with room to spare saves 15 % for 28 %.
_CHANCE_TO_TRY = 0.3
# The curve rules a size out when it misses the limit in 19 of 20 draws though durations scatter
# half as much as they seem to: tails are what a curve knows least of.
_CHANCE_TO_EXIST = 0.05
_HALF_SCATTER = 0.5
# Costs that nobody would tell apart: among such sizes the one that is surest to keep the limit.
_SAME_COST_SHARE = 0.03
_SAME_CHANCE = 0.1
# A measured percentile says how heavy the tails are from so many samples up that one is expected
# to be above it.
_EXPECTED_ABOVE = 1.0
# A duration of zero has no logarithm; REPORT prints hundredths of a millisecond.
_LEAST_MS = 0.01
_MOST_CALLS_IN_NEEDED, _MOST_CALLS_BESIDE = 8, 100

Decision = Literal["met", "infeasible", "not separable"]


def most_calls(limit: SloLimit) -> int:
    """After so many calls the search ends: 572 for p95."""
    return _MOST_CALLS_IN_NEEDED * samples_needed(limit) + _MOST_CALLS_BESIDE


def most_samples(limit: SloLimit) -> int:
    """Warm samples after which a size is left open: 177 for p95."""
    return _FULL_LOOKS * samples_needed(limit)


def next_look(n: int, limit: SloLimit) -> int:
    """With how many warm samples a size that has n of them is looked at next."""
    needed = samples_needed(limit)
    early = [look for look in _EARLY_LOOKS if look < needed]
    full = [needed * times for times in range(1, _FULL_LOOKS + 1)]
    return next((look for look in (*early, *full) if look > n), n + needed)


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What the curve says of the limit at each candidate size (G).

    `chance` is that it is kept, `best_chance` the same if durations scatter half as much as they
    seem to; `percentile_ms` is the middle of what is predicted.
    """

    sizes_mb: tuple[int, ...]
    cost_usd: Floats
    percentile_ms: Floats
    chance: Floats
    best_chance: Floats


def outlook(
    beliefs: Beliefs,
    cost_usd: Floats,
    limit: SloLimit,
    evidence: Mapping[int, SloEvidence],
    effects: PayloadEffects | None = None,
) -> Outlook:
    """The outlook at the sizes of `beliefs`, whose mean costs are `cost_usd` (G).

    A percentile is predicted as typical duration x exp(scale x quantile of Student's t), with
    several payloads by the quantile of their mixture. Where enough samples show what percentiles
    really are, the prediction is corrected by their ratio.
    """
    import numpy as np

    from tuner.reach import reach_of

    predicted = beliefs.duration_ms * np.exp(reach_of(beliefs.noise, limit.share, effects))
    middle = np.median(predicted, axis=0)
    ratios = [
        np.log(max(known.quantile_ms, _LEAST_MS) / middle[column])
        for column, size in enumerate(beliefs.sizes_mb)
        if (known := evidence.get(size)) and known.n * (1 - limit.share) >= _EXPECTED_ABOVE
    ]
    correction = float(np.exp(np.mean(ratios))) if ratios else 1.0
    reach = reach_of(beliefs.noise * _HALF_SCATTER, limit.share, effects)
    least = beliefs.duration_ms * np.exp(reach) * min(correction, 1.0)
    return Outlook(
        sizes_mb=beliefs.sizes_mb,
        cost_usd=cost_usd,
        percentile_ms=middle * correction,
        chance=(predicted * correction < limit.limit_ms).mean(axis=0),
        best_chance=(least < limit.limit_ms).mean(axis=0),
    )


def next_size(seen: Outlook, evidence: Mapping[int, SloEvidence], limit: SloLimit) -> int | None:
    """The size to sample; None when the search is over."""
    columns = range(len(seen.sizes_mb))
    verdicts = [_verdict(evidence, size) for size in seen.sizes_mb]
    met = [column for column in columns if verdicts[column] == "met"]
    undecided = [
        column
        for column in columns
        if verdicts[column] == "open" and not _exhausted(evidence, seen.sizes_mb[column], limit)
    ]
    worth_it = [
        column
        for column in undecided
        if seen.chance[column] >= _CHANCE_TO_TRY
        and all(seen.cost_usd[column] < seen.cost_usd[m] / (1 + _SAME_COST_SHARE) for m in met)
    ]
    if worth_it:
        return seen.sizes_mb[_surest_of_the_cheapest(seen, evidence, worth_it)]
    if met:
        return None
    possible = [column for column in undecided if seen.best_chance[column] >= _CHANCE_TO_EXIST]
    if possible:
        return seen.sizes_mb[min(possible, key=lambda column: float(seen.percentile_ms[column]))]
    fastest = min(columns, key=lambda column: float(seen.percentile_ms[column]))
    return seen.sizes_mb[fastest] if fastest in undecided else None


def _surest_of_the_cheapest(
    seen: Outlook, evidence: Mapping[int, SloEvidence], columns: Sequence[int]
) -> int:
    """Of sizes that cost about the same the one with the lowest percentile.

    One that is being sampled is gone on with while it is about as likely to keep the limit: costs
    move a little with each look, and samples of many sizes show nothing of any.
    """
    cheapest = min(float(seen.cost_usd[column]) for column in columns)
    alike = [c for c in columns if seen.cost_usd[c] <= cheapest * (1 + _SAME_COST_SHARE)]
    surest = max(float(seen.chance[column]) for column in alike)
    counts = {
        column: known.n
        for column in alike
        if seen.chance[column] >= surest - _SAME_CHANCE
        and (known := evidence.get(seen.sizes_mb[column]))
        and known.n > _WARM_AT_START
    }
    if counts:
        return max(counts, key=lambda column: counts[column])
    return min(alike, key=lambda column: float(seen.percentile_ms[column]))


def decide(seen: Outlook | None, evidence: Mapping[int, SloEvidence]) -> Decision:
    """What the samples, and the curve where there is one, say of the limit.

    Infeasible takes samples that show the size with the lowest percentile to miss it, and no other
    size that may keep it. Without a curve all sizes that were sampled must miss it.
    """
    verdicts = {size: known.verdict for size, known in evidence.items()}
    if "met" in verdicts.values():
        return "met"
    if seen is None:
        hopeless = bool(verdicts) and all(verdict == "missed" for verdict in verdicts.values())
        return "infeasible" if hopeless else "not separable"
    fastest = min(range(len(seen.sizes_mb)), key=lambda column: float(seen.percentile_ms[column]))
    possible = [
        size
        for size, chance in zip(seen.sizes_mb, seen.best_chance, strict=True)
        if chance >= _CHANCE_TO_EXIST and verdicts.get(size) != "missed"
    ]
    shown = verdicts.get(seen.sizes_mb[fastest]) == "missed"
    return "infeasible" if shown and not possible else "not separable"


def _verdict(evidence: Mapping[int, SloEvidence], size: int) -> str:
    known = evidence.get(size)
    return "open" if known is None else known.verdict


def _exhausted(evidence: Mapping[int, SloEvidence], size: int, limit: SloLimit) -> bool:
    known = evidence.get(size)
    return known is not None and known.n >= most_samples(limit)


@dataclass(slots=True)
class SloSampler:
    """A sampler for one tuning; what it has decided but not yet seen invoked is its only memory."""

    candidates_mb: tuple[int, ...]
    worth: Worth
    limit: SloLimit
    current_mb: int | None = None
    out_of_calls: bool = False
    _pending: list[int] = field(default_factory=list)

    def next_round(
        self, samples: Sequence[Sample], refused: Collection[int], rng: random.Random
    ) -> tuple[int, ...]:
        """The sizes to invoke next; empty when the limit is decided, or calls are used up."""
        usable = usable_sizes(self.candidates_mb, samples, refused)
        self._pending = [size for size in self._pending if size in usable]
        if not usable or answers_ceased(samples, SIZES_AT_START):
            return ()
        if len(samples) >= most_calls(self.limit):
            self.out_of_calls = True
            return ()
        warm = warm_durations(samples, usable)
        start = [
            size
            for size in start_sizes(usable, samples, self.current_mb)
            if len(warm.get(size, ())) < _WARM_AT_START
        ]
        if start:
            rng.shuffle(start)
            return tuple(start)
        if not self._pending:
            self._pending = self._decide(usable, samples, rng)
        return (self._pending.pop(),) if self._pending else ()

    def state(self, samples: Sequence[Sample]) -> str:
        """Which size is being sampled, and what is known of it."""
        needed = samples_needed(self.limit)
        if not self._pending:
            return f"{self.limit}: takes {needed} samples of a size"
        size = self._pending[-1]
        n = sum(sample.counts_as_warm for sample in samples if sample.memory_mb == size)
        return f"{self.limit}: {size} MB has {n} of at least {needed} samples"

    def _decide(
        self, usable: Sequence[int], samples: Sequence[Sample], rng: random.Random
    ) -> list[int]:
        """The sizes of the next calls, all the same one; empty when the search is over."""
        # Not at the top: numpy takes longer to import than most mistakes take to be found.
        import numpy as np

        from tuner.believed import believed

        known = believed(samples, usable, self.worth, np.random.default_rng(rng.getrandbits(64)))
        warm = warm_durations(samples, usable)
        evidence = {size: slo_evidence(found, self.limit) for size, found in warm.items()}
        cost = known.mix.cost_usd.mean(axis=0)
        seen = outlook(known.beliefs, cost, self.limit, evidence, known.effects)
        size = next_size(seen, evidence, self.limit)
        if size is None:
            return []
        n = len(warm.get(size, ()))
        return [size] * (next_look(n, self.limit) - n + (0 if n else 1))
