"""Ways in which a limit may be kept with buckets, to simulate what an API admits.

Every model is a `Limit`: `admit(at_s, connection, service_s)` tells which requests come through.
`at_s` are arrival times at the API in ascending order; `connection` and `service_s` belong to them
(models that need neither ignore them). A model has a state that goes on from call to call, so that
a probe can be simulated phase by phase; a bucket is full at first. Requests that arrive a little
before the end of the call before (network jitter) are taken as arriving at that end.

    limit = TokenBucket(rate_rps=100, burst=50)
    admitted = limit.admit(np.arange(0, 10, 0.005))

`other_models` has limits without buckets. Rates are tokens or requests a second, times are seconds,
bursts are tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from loadgen.bucket.observation import Bools, Floats, Ints


class Limit(Protocol):
    """Something that admits requests or refuses them."""

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests are admitted."""
        ...


@dataclass(slots=True)
class TokenBucket:
    """One token bucket, full at first, refilled steadily: what API Gateway documents."""

    rate_rps: float
    burst: float
    _level: float = field(default=-1.0, init=False)
    _at_s: float = field(default=0.0, init=False)

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests find a whole token."""
        level = self.burst if self._level < 0 else self._level
        last, rate, burst = self._at_s, self.rate_rps, self.burst
        admitted = [False] * len(at_s)
        for i, at in enumerate(at_s.tolist()):
            if at > last:
                level = min(burst, level + rate * (at - last))
                last = at
            if level >= 1.0:
                level -= 1.0
                admitted[i] = True
        self._level, self._at_s = level, last
        return np.array(admitted, np.bool_)


class RandomShards:
    """K buckets of rate/K and burst/K (at least one token); each request meets one at random."""

    def __init__(
        self, rate_rps: float, burst: float, shards: int, rng: np.random.Generator
    ) -> None:
        self._buckets = _shards(rate_rps, burst, shards)
        self._rng = rng

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests find a token in the bucket that they meet."""
        return _by_bucket(
            self._buckets, self._rng.integers(len(self._buckets), size=len(at_s)), at_s
        )


class HashedShards:
    """K buckets of rate/K and burst/K; a connection always meets the same one."""

    def __init__(
        self, rate_rps: float, burst: float, shards: int, rng: np.random.Generator
    ) -> None:
        self._buckets = _shards(rate_rps, burst, shards)
        self._of: dict[int, int] = {}
        self._rng = rng

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests find a token in their bucket; without connections: all in one."""
        if connection is None:
            connection = np.zeros(len(at_s), np.int64)
        for one in np.unique(connection).tolist():
            if one not in self._of:
                self._of[one] = int(self._rng.integers(len(self._buckets)))
        shard = np.array([self._of[one] for one in connection.tolist()], np.int64)
        return _by_bucket(self._buckets, shard, at_s)


class OtherTraffic:
    """A bucket that others use too: requests at Poisson times, from the first arrival on.

    `swing` and `period_s` let their rate rise and fall as a sine: rate * (1 + swing sin).
    """

    def __init__(
        self,
        rate_rps: float,
        burst: float,
        other_rps: float,
        rng: np.random.Generator,
        swing: float = 0.0,
        period_s: float = 7.0,
    ) -> None:
        self._bucket = TokenBucket(rate_rps, burst)
        self._other_rps, self._swing, self._period_s = other_rps, swing, period_s
        self._rng = rng
        self._until_s: float | None = None

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which of our requests find a token."""
        if not len(at_s):
            return np.zeros(0, np.bool_)
        begin = float(at_s[0]) if self._until_s is None else self._until_s
        end = max(begin, float(at_s[-1]))
        self._until_s = end
        others = self._others(begin, end)
        every = np.concatenate([at_s, others])
        order = np.argsort(every, kind="stable")
        admitted = np.empty(len(every), np.bool_)
        admitted[order] = self._bucket.admit(every[order])
        return admitted[: len(at_s)]

    def _others(self, begin_s: float, end_s: float) -> Floats:
        peak = self._other_rps * (1 + self._swing)
        at = self._rng.uniform(begin_s, end_s, self._rng.poisson(peak * (end_s - begin_s)))
        wave = 1 + self._swing * np.sin(2 * np.pi * at / self._period_s)
        return np.asarray(at[self._rng.random(len(at)) * (1 + self._swing) < wave])


class StaleSynchronisation:
    """Nodes that share a bucket and hear of each other every `every_s` only.

    Between two synchronisations a node knows the level of the last one, the refill since and what
    it took itself. What all took together may exceed the bucket: the debt is kept (the level goes
    below nothing), or forgiven (the level is at least nothing after each synchronisation).
    """

    def __init__(
        self,
        rate_rps: float,
        burst: float,
        every_s: float,
        rng: np.random.Generator,
        nodes: int = 4,
        *,
        forgiven: bool = False,
    ) -> None:
        self._rate, self._burst, self._every_s = rate_rps, burst, every_s
        self._nodes, self._forgiven, self._rng = nodes, forgiven, rng
        self._level = burst
        self._taken = [0] * nodes
        self._synced_s: float | None = None

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests find a token in what their node, drawn at random, believes."""
        node_of = self._rng.integers(self._nodes, size=len(at_s)).tolist()
        admitted = [False] * len(at_s)
        for i, (at, node) in enumerate(zip(at_s.tolist(), node_of, strict=True)):
            since = self._since(at)
            believed = min(self._burst, self._level + self._rate * since) - self._taken[node]
            if believed >= 1.0:
                self._taken[node] += 1
                admitted[i] = True
        return np.array(admitted, np.bool_)

    def _since(self, at_s: float) -> float:
        """Seconds since the last synchronisation, after those that are due."""
        if self._synced_s is None:
            self._synced_s = at_s - float(self._rng.uniform(0, self._every_s))
        due = int((at_s - self._synced_s) / self._every_s)
        if due > 0:
            passed = due * self._every_s
            level = min(self._burst, self._level + self._rate * passed) - sum(self._taken)
            self._level = max(0.0, level) if self._forgiven else level
            self._taken = [0] * self._nodes
            self._synced_s += passed
        return max(0.0, at_s - self._synced_s)


class Adaptive:
    """A bucket whose rate is lowered while it refuses much, and raised while it does not.

    Every `every_s` the rate is multiplied by `down` if more than `refused_share` of the requests
    since were refused, else by `up`; it stays between `floor_share` and 1 of the configured rate.
    """

    def __init__(
        self,
        rate_rps: float,
        burst: float,
        every_s: float = 1.0,
        down: float = 0.96,
        up: float = 1.02,
        refused_share: float = 0.1,
        floor_share: float = 0.2,
    ) -> None:
        self._bucket = TokenBucket(rate_rps, burst)
        self._ceiling, self._floor = rate_rps, rate_rps * floor_share
        self._every_s, self._down, self._up = every_s, down, up
        self._refused_share = refused_share
        self._until_s: float | None = None

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests find a token at the rate of their time."""
        if not len(at_s):
            return np.zeros(0, np.bool_)
        if self._until_s is None:
            self._until_s = float(at_s[0]) + self._every_s
        parts: list[Bools] = []
        begin = 0
        while begin < len(at_s):
            end = int(np.searchsorted(at_s, self._until_s))
            part = self._bucket.admit(at_s[begin:end])
            parts.append(part)
            if end < len(at_s):
                refused = 1 - float(part.mean()) if len(part) else 0.0
                step = self._down if refused > self._refused_share else self._up
                rate = self._bucket.rate_rps * step
                self._bucket.rate_rps = min(self._ceiling, max(self._floor, rate))
                self._until_s += self._every_s
            begin = max(begin, end)
        return np.concatenate(parts)


def _shards(rate_rps: float, burst: float, shards: int) -> list[TokenBucket]:
    return [TokenBucket(rate_rps / shards, max(1.0, burst / shards)) for _ in range(shards)]


def _by_bucket(buckets: list[TokenBucket], of: Ints, at_s: Floats) -> Bools:
    admitted = np.zeros(len(at_s), np.bool_)
    for i, bucket in enumerate(buckets):
        mine = of == i
        admitted[mine] = bucket.admit(at_s[mine])
    return admitted
