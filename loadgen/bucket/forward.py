"""What buckets admit of a demand, for many rates and bursts at once.

A fluid bucket: an arrival may take a part of a token. It differs from one of whole tokens by half a
token, since that one refuses while it holds less than one; `admitted` therefore takes that half off
the burst. A step of such a bucket clips its level to a range, and such steps compose to steps of
the same form. So the demand is cut into blocks, all blocks are composed at once, the levels at
their beginnings follow from block to block, and then all blocks are walked at once: sqrt(n) numpy
operations instead of n.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from loadgen.bucket.observation import Floats, Ints

# A bucket of whole tokens ends with half a token on average, a fluid one with none.
_HALF_TOKEN = 0.5
# Of the square root of the ticks: a step of all blocks takes several operations, a block few.
_STEPS = 0.5


@dataclass(frozen=True, slots=True)
class Split:
    """Equal buckets that share a limit, and how many ways to split the demand are averaged."""

    shards: int = 1
    draws: int = 1

    @property
    def buckets(self) -> int:
        """All buckets that are simulated."""
        return self.shards * self.draws


@dataclass(frozen=True, slots=True)
class Demand:
    """Arrivals by bucket, in ticks: `gap_s` since the tick before and `count` of each.

    `span_s` is the time that a tick stands for, at the mean rate of its bin: in it others compete.
    All are (steps, rows): a row is one block of one bucket, the blocks of a bucket follow each
    other. `bins` has the bin of each tick, in rows like them.
    """

    gap_s: Floats
    count: Floats
    span_s: Floats
    bins: Ints  # (rows * steps), by row; one more than the last bin for filling
    split: Split
    n_bins: int


def demand(at_s: Floats, bins: Ints, n_bins: int, tick_s: float, of: Ints, split: Split) -> Demand:
    """Ticks of at most `tick_s` from arrivals; `of` has the bucket of each.

    Arrivals of different bins or buckets are in different ticks.
    """
    buckets = split.buckets
    order = np.lexsort((at_s, of))
    at, place, owner = at_s[order], bins[order], of[order]
    number = np.floor(at / tick_s).astype(np.int64)
    new = np.ones(len(at), np.bool_)
    new[1:] = (np.diff(number) != 0) | (np.diff(place) != 0) | (np.diff(owner) != 0)
    first = np.flatnonzero(new)
    count = np.diff(np.append(first, len(at))).astype(np.float64)
    when = np.add.reduceat(at, first) / count if len(first) else at
    span = count * _spacing(at, place, n_bins)[place[first]] * buckets
    owner, place = owner[first], place[first]
    sizes = np.bincount(owner, minlength=buckets)
    longest = max(1, int(sizes.max(initial=1)))
    steps = min(longest, ceil(_STEPS * sqrt(longest)))
    blocks = ceil(longest / steps)
    shape = (buckets, blocks * steps)
    gap, counts, spans = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    where = np.full(shape, n_bins, np.int64)
    begin = np.concatenate([[0], np.cumsum(sizes)])
    for bucket in range(buckets):
        part = slice(begin[bucket], begin[bucket + 1])
        size = sizes[bucket]
        if size:
            gap[bucket, 1:size] = np.diff(when[part])
            counts[bucket, :size] = count[part]
            spans[bucket, :size] = span[part]
            where[bucket, :size] = place[part]
    rows = buckets * blocks
    return Demand(
        np.ascontiguousarray(gap.reshape(rows, steps).T),
        np.ascontiguousarray(counts.reshape(rows, steps).T),
        np.ascontiguousarray(spans.reshape(rows, steps).T),
        where.reshape(-1),
        split,
        n_bins,
    )


def _spacing(at_s: Floats, bins: Ints, n_bins: int) -> Floats:
    """Mean time from arrival to arrival by bin, of all buckets together."""
    n = np.bincount(bins, minlength=n_bins)
    first, last = np.full(n_bins, np.inf), np.full(n_bins, -np.inf)
    np.minimum.at(first, bins, at_s)
    np.maximum.at(last, bins, at_s)
    return np.where(n > 1, (last - first) / np.maximum(n - 1, 1), 0.0)


def admitted(
    wanted: Demand, rate_rps: Floats, burst: Floats, other_share: Floats | None = None
) -> NDArray[np.float64]:
    """Admitted requests by bin, (bins, parameters), all buckets together.

    `rate_rps` and `burst` are of all buckets together; all are full at first. `other_share` is what
    others ask for, steadily, as a share of the rate.
    """
    rate = rate_rps / wanted.split.shards
    cap = np.maximum(burst / wanted.split.shards, 1.0) - _HALF_TOKEN
    flow = _Flow(wanted, rate, cap, np.zeros_like(rate) if other_share is None else other_share)
    level = flow.levels()
    return flow.walk(level) / wanted.split.draws


class _Flow:
    def __init__(self, wanted: Demand, rate: Floats, cap: Floats, other: Floats) -> None:
        self._wanted, self._rate, self._cap, self._other = wanted, rate, cap, other
        self._others = bool(np.any(other > 0))

    def _step(self, j: int) -> tuple[Floats, Floats]:
        """Refill before, and demand at, the j-th tick of every row."""
        gap = self._wanted.gap_s[j][:, None]
        count = self._wanted.count[j][:, None]
        refill = gap * self._rate
        if not self._others:
            return refill, count
        # Others ask all the time; beyond the span of a tick they only slow the refill down.
        near = self._wanted.span_s[j][:, None] * self._rate
        return refill - self._other * (refill - near), count + self._other * near

    def levels(self) -> Floats:
        """Levels at the beginning of every row."""
        steps, rows = self._wanted.gap_s.shape
        shape = (rows, len(self._rate))
        cap = self._cap
        low, high, moved = np.zeros(shape), np.broadcast_to(cap, shape).copy(), np.zeros(shape)
        for j in range(steps):
            refill, count = self._step(j)
            for edge in (low, high):
                edge += refill
                np.minimum(edge, cap, out=edge)
                edge -= count
                np.maximum(edge, 0.0, out=edge)
            moved += refill
            moved -= count
        buckets = self._wanted.split.buckets
        blocks = rows // buckets
        by_bucket = (buckets, blocks, len(cap))
        low, high = low.reshape(by_bucket), high.reshape(by_bucket)
        moved = moved.reshape(by_bucket)
        level = np.empty(by_bucket)
        now: Floats = np.broadcast_to(cap, (buckets, len(cap)))
        for block in range(blocks):
            level[:, block] = now
            now = np.minimum(np.maximum(now + moved[:, block], low[:, block]), high[:, block])
        return level.reshape(shape)

    def walk(self, level: Floats) -> Floats:
        """Admitted by bin, from the levels at the beginnings."""
        steps, rows = self._wanted.gap_s.shape
        taken = np.empty((rows, steps, len(self._rate)))
        now = level
        for j in range(steps):
            refill, count = self._step(j)
            now = np.minimum(now + refill, self._cap)
            if self._others:
                own = self._wanted.count[j][:, None]
                taken[:, j] = own * np.minimum(1.0, now / np.maximum(count, 1e-12))
            else:
                np.minimum(now, count, out=taken[:, j])
            now = np.maximum(now - count, 0.0)
        return self._by_bin(taken.reshape(rows * steps, -1))

    def _by_bin(self, taken: Floats) -> Floats:
        bins = self._wanted.bins
        total = np.zeros((self._wanted.n_bins + 1, taken.shape[1]))
        first = np.flatnonzero(np.diff(bins, prepend=-1))
        np.add.at(total, bins[first], np.add.reduceat(taken, first, axis=0))
        return total[:-1]
