"""What blocks of time of two load runs say of latencies, shares and rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil, log, sqrt

import numpy as np

from reports.block_difference import FEWEST_BLOCKS, Estimate, Floats, paired, unpaired
from reports.histogram import Histogram, decoded, merged, quantile_ms
from reports.load_histograms import LatencyBlock

# Blocks stand for one another where they begin within this part of a block's length.
_OFF_SHARE = 0.1
# A block's quantile needs this many slower requests, or it is little more than its maximum.
_FEWEST_BEYOND = 2
# Neighbouring blocks that are put together where each alone has too few requests.
_MOST_TOGETHER = 4
# Fewer events than this, over both runs, are told apart as independent ones at best.
_FEW_EVENTS = 20

Estimator = Callable[[Floats, Floats, float | None], Estimate | None]


@dataclass(frozen=True, slots=True)
class BlockPair:
    """The blocks of both runs; `same_schedule`: both were asked for the same at the same time."""

    before: Sequence[LatencyBlock]
    after: Sequence[LatencyBlock]
    same_schedule: bool

    @property
    def aligned(self) -> bool:
        """Whether block n of one run stands for the same part of the schedule as that of other."""
        if not self.same_schedule or len(self.before) != len(self.after):
            return False
        return all(
            abs(one.from_s - other.from_s) <= _OFF_SHARE * (one.to_s - one.from_s)
            and abs(one.to_s - other.to_s) <= _OFF_SHARE * (one.to_s - one.from_s)
            for one, other in zip(self.before, self.after, strict=True)
        )

    @property
    def estimator(self) -> Estimator:
        """Block by block where they stand for one another, else by Welch."""
        return paired if self.aligned else unpaired


def needed_ok(q: float) -> int:
    """How many ok requests a block needs before its quantile `q` is used."""
    return ceil(round(_FEWEST_BEYOND / (1 - q), 6))


def latency_difference(pair: BlockPair, q: float) -> Estimate | None:
    """ln(after / before) of the quantile `q` of ok response times; None: too few requests."""
    shortest = min(len(pair.before), len(pair.after))
    for together in range(1, _MOST_TOGETHER + 1):
        if shortest // together < FEWEST_BLOCKS:
            return None
        found = _at_grain(pair, q, together)
        if found is not None:
            return found
    return None


def _at_grain(pair: BlockPair, q: float, together: int) -> Estimate | None:
    before = _log_quantiles(pair.before, q, together)
    after = _log_quantiles(pair.after, q, together)
    if not pair.aligned:
        if any(np.isnan(values).mean() > 0.25 for values in (before, after)):
            return None
        return unpaired(before[~np.isnan(before)], after[~np.isnan(after)])
    usable = ~np.isnan(before) & ~np.isnan(after)
    # A pause of the schedule is no reason to give up; a run that is thin everywhere is.
    return paired(before[usable], after[usable]) if usable.mean() >= 0.75 else None


def _log_quantiles(blocks: Sequence[LatencyBlock], q: float, together: int) -> Floats:
    """ln(quantile) of each `together` neighbours; NaN where they have too few ok requests."""
    groups = [blocks[at : at + together] for at in range(0, len(blocks), together)]
    if len(groups) > 1 and len(groups[-1]) < together:
        groups[-2:] = [[*groups[-2], *groups[-1]]]
    found = []
    for group in groups:
        known = [_decoded(block.ok_response) for block in group if block.ok_response is not None]
        enough = sum(histogram.n for histogram in known) >= needed_ok(q)
        value_ms = quantile_ms(merged(known), q) if enough else 0.0
        found.append(log(value_ms) if value_ms > 0 else np.nan)
    return np.asarray(found)


@cache
def _decoded(text: str) -> Histogram:
    return decoded(text)


def share_difference(pair: BlockPair, count: Callable[[LatencyBlock], int]) -> Estimate | None:
    """How much larger the share of completed requests is that `count` counts."""
    before, after = _share_parts(pair.before, count), _share_parts(pair.after, count)
    if before is None or after is None:
        return None
    found = pair.estimator(before.deviations, after.deviations, after.share - before.share)
    if found is None or before.events + after.events >= _FEW_EVENTS:
        return found
    least = sqrt(before.variance + after.variance)
    return replace(found, error=max(found.error, least))


@dataclass(frozen=True, slots=True)
class _Share:
    share: float
    events: int
    variance: float
    deviations: Floats


def _share_parts(
    blocks: Sequence[LatencyBlock], count: Callable[[LatencyBlock], int]
) -> _Share | None:
    """The share over all blocks, and what each adds to its error (linearised as a ratio)."""
    completed = np.asarray([block.completed for block in blocks], dtype=np.float64)
    events = np.asarray([count(block) for block in blocks], dtype=np.float64)
    total = float(completed.sum())
    if not total:
        return None
    share = float(events.sum()) / total
    # Half an event more: no event among few requests is no proof that there is none.
    cautious = (float(events.sum()) + 0.5) / (total + 1)
    deviations = (events - share * completed) * len(blocks) / total
    return _Share(share, int(events.sum()), cautious * (1 - cautious) / total, deviations)


def rate_difference(pair: BlockPair) -> Estimate | None:
    """ln(after / before) of the rate of admitted requests: completed and not throttled."""
    before, after = _rate_parts(pair.before), _rate_parts(pair.after)
    if before is None or after is None:
        return None
    return pair.estimator(before[1], after[1], log(after[0] / before[0]))


def _rate_parts(blocks: Sequence[LatencyBlock]) -> tuple[float, Floats] | None:
    """The rate over all blocks, and what each adds to its relative error."""
    admitted = np.asarray([b.completed - b.throttled for b in blocks], dtype=np.float64)
    lengths_s = np.asarray([b.to_s - b.from_s for b in blocks], dtype=np.float64)
    total, length_s = float(admitted.sum()), float(lengths_s.sum())
    if not total or not length_s:
        return None
    rate = total / length_s
    return rate, (admitted - rate * lengths_s) * len(blocks) / total
