"""What keeps one throttle: a single bucket, or several that know little of each other.

A request is first looked at by all its limiters (`ready`) and then taken from all of them
(`spend`), so that none is charged for a request that another refuses. `node` is the machine that
the request came to; limiters that are no more than one ignore it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol

from sandbox.gateway.limits.enforcement import Enforcement
from sandbox.gateway.snapshot import Limit
from sandbox.token_bucket import TokenBucket


class Limiter(Protocol):
    """Keeps one throttle."""

    def ready(self, now_s: float, node: int) -> bool:
        """Whether a request may pass at `node`."""

    def spend(self) -> None:
        """Takes the request that `ready` was asked about."""

    def resize(self, limit: Limit, now_s: float | None) -> None:
        """Changes the limit from now on; None: from the last look on."""

    def tokens(self, now_s: float) -> float:
        """How many requests could pass at once, over all nodes; less than 0 for a debt."""

    def keep(self, share: float, now_s: float) -> None:
        """Leaves only this share (0 to 1) of the tokens."""


class ExactLimiter:
    """One bucket for everybody."""

    __slots__ = ("_bucket", "ready", "spend")

    def __init__(self, limit: Limit) -> None:
        self._bucket = TokenBucket(limit.rate_rps, limit.burst)
        self.ready: Callable[[float, int], bool] = self._bucket.ready
        self.spend: Callable[[], None] = self._bucket.spend

    def resize(self, limit: Limit, now_s: float | None) -> None:
        _resize(self._bucket, limit, now_s)

    def tokens(self, now_s: float) -> float:
        return self._bucket.tokens(now_s)

    def keep(self, share: float, now_s: float) -> None:
        _keep(self._bucket, share, now_s)


class ShardedLimiter:
    """Independent buckets, each with its part of the limit."""

    __slots__ = ("_buckets", "_chosen")

    def __init__(self, limit: Limit, shards: int) -> None:
        part = _part(limit, shards)
        self._buckets = [TokenBucket(part.rate_rps, part.burst) for _ in range(shards)]
        self._chosen = self._buckets[0]

    def ready(self, now_s: float, node: int) -> bool:
        self._chosen = self._buckets[node]
        return self._chosen.ready(now_s)

    def spend(self) -> None:
        self._chosen.spend()

    def resize(self, limit: Limit, now_s: float | None) -> None:
        part = _part(limit, len(self._buckets))
        for bucket in self._buckets:
            _resize(bucket, part, now_s)

    def tokens(self, now_s: float) -> float:
        return sum(bucket.tokens(now_s) for bucket in self._buckets)

    def keep(self, share: float, now_s: float) -> None:
        for bucket in self._buckets:
            _keep(bucket, share, now_s)


class DelayedLimiter:
    """One bucket of which each node has a copy, renewed every `sync_s` at all nodes at once.

    A copy is refilled as the bucket is, and counts the requests of its own node. The longest
    overshoot is that of one interval: the other nodes' copies times what a copy admits in it.
    """

    __slots__ = ("_bucket", "_chosen", "_copies", "_limit", "_next_sync_s", "_shards", "_sync_s")

    def __init__(self, limit: Limit, shards: int, sync_s: float) -> None:
        self._limit = limit
        self._shards = shards
        self._sync_s = sync_s
        self._bucket = TokenBucket(limit.rate_rps, limit.burst)
        self._next_sync_s = 0.0
        self._copies: list[TokenBucket] = []
        self._synchronise(0.0)
        self._chosen = self._copies[0]

    def ready(self, now_s: float, node: int) -> bool:
        if now_s >= self._next_sync_s:
            self._synchronise(now_s)
        # Keeps the bucket's own refill right: its cap applies all the time, not only when synced.
        self._bucket.ready(now_s)
        self._chosen = self._copies[node]
        return self._chosen.ready(now_s)

    def spend(self) -> None:
        self._bucket.spend()
        self._chosen.spend()

    def resize(self, limit: Limit, now_s: float | None) -> None:
        self._limit = limit
        for bucket in (self._bucket, *self._copies):
            _resize(bucket, limit, now_s)

    def tokens(self, now_s: float) -> float:
        return self._bucket.tokens(now_s)

    def keep(self, share: float, now_s: float) -> None:
        _keep(self._bucket, share, now_s)
        self._synchronise(now_s)

    def _synchronise(self, now_s: float) -> None:
        debt = self._limit.burst - self._bucket.tokens(now_s)
        rate_rps, burst = self._limit.rate_rps, self._limit.burst
        self._copies = [TokenBucket(rate_rps, burst, now_s) for _ in range(self._shards)]
        for copy in self._copies:
            copy.spend(debt)
        # On a fixed grid, so that when requests come does not move it.
        self._next_sync_s = (now_s // self._sync_s + 1) * self._sync_s


# After a rest, at most so many requests of others are played one by one; those before them only
# count as a flow.
_PLAYED_REQUESTS = 500


class SharedWithOthers:
    """A limiter that other traffic of the account uses too.

    The others' requests are played when one of ours comes: at their own times, at nodes chosen at
    random, and refused like ours where there is no token.
    """

    __slots__ = ("_inner", "_limit", "_next_s", "_rate_rps", "_rng", "_shards", "_steady", "spend")

    def __init__(self, inner: Limiter, limit: Limit, enforcement: Enforcement) -> None:
        self._inner = inner
        self._limit = limit
        self.spend: Callable[[], None] = inner.spend
        self._rate_rps = enforcement.background_rps
        self._steady = enforcement.background == "steady"
        self._shards = enforcement.shards
        self._rng = Random(enforcement.seed)
        self._next_s: float | None = None

    def ready(self, now_s: float, node: int) -> bool:
        self._play(now_s)
        return self._inner.ready(now_s, node)

    def resize(self, limit: Limit, now_s: float | None) -> None:
        self._limit = limit
        self._inner.resize(limit, now_s)

    def tokens(self, now_s: float) -> float:
        self._play(now_s)
        return self._inner.tokens(now_s)

    def keep(self, share: float, now_s: float) -> None:
        self._inner.keep(share, now_s)

    def _play(self, now_s: float) -> None:
        at_s = now_s + self._gap_s() if self._next_s is None else self._next_s
        latest_s = now_s - _PLAYED_REQUESTS / self._rate_rps
        if at_s < latest_s:
            self._flow(at_s, latest_s)
            at_s = latest_s
        while at_s <= now_s:
            if self._inner.ready(at_s, int(self._rng.random() * self._shards)):
                self._inner.spend()
            at_s += self._gap_s()
        self._next_s = at_s

    def _flow(self, from_s: float, until_s: float) -> None:
        """Lets a time pass in which tokens come and are taken evenly."""
        net_rps = self._limit.rate_rps - self._rate_rps
        left = max(0.0, self._inner.tokens(from_s) + net_rps * (until_s - from_s))
        refilled = self._inner.tokens(until_s)
        if left < refilled:
            self._inner.keep(left / refilled, until_s)

    def _gap_s(self) -> float:
        if self._steady:
            return 1.0 / self._rate_rps
        return self._rng.expovariate(self._rate_rps)


def new_limiter(limit: Limit, enforcement: Enforcement, *, of_account: bool) -> Limiter:
    """A full limiter that is kept as `enforcement` says."""
    limiter: Limiter
    if enforcement.shards == 1:
        limiter = ExactLimiter(limit)
    elif enforcement.sync_ms is None:
        limiter = ShardedLimiter(limit, enforcement.shards)
    else:
        limiter = DelayedLimiter(limit, enforcement.shards, enforcement.sync_ms / 1000)
    if of_account and enforcement.background_rps > 0:
        return SharedWithOthers(limiter, limit, enforcement)
    return limiter


class NodeChoice:
    """Which machine a request comes to; one for all limits of a request."""

    __slots__ = ("_hashed", "_rng", "_salt", "_shards", "is_needed")

    def __init__(self, enforcement: Enforcement) -> None:
        self.follow(enforcement)

    def follow(self, enforcement: Enforcement) -> None:
        """Chooses as `enforcement` says from now on."""
        self._shards = enforcement.shards
        self.is_needed = enforcement.shards > 1
        self._hashed = enforcement.spread == "hashed"
        self._rng = Random(enforcement.seed)
        self._salt = self._rng.getrandbits(64)

    def choose(self, client: int | None) -> int:
        """The node for a request of `client`; without a client, "hashed" knows only one."""
        if not self.is_needed:
            return 0
        if self._hashed:
            return _mixed((client or 0) ^ self._salt) % self._shards
        return int(self._rng.random() * self._shards)


_64_BITS = (1 << 64) - 1


def _mixed(number: int) -> int:
    """A number of 64 bits that looks random: the finaliser of MurmurHash3 (Appleby, 2011)."""
    number &= _64_BITS
    number = ((number ^ (number >> 33)) * 0xFF51AFD7ED558CCD) & _64_BITS
    number = ((number ^ (number >> 33)) * 0xC4CEB9FE1A85EC53) & _64_BITS
    return number ^ (number >> 33)


def _part(limit: Limit, shards: int) -> Limit:
    # A shard that never holds a whole token would refuse everything.
    least = min(1.0, limit.burst)
    return Limit(limit.rate_rps / shards, max(least, limit.burst / shards))


def _resize(bucket: TokenBucket, limit: Limit, now_s: float | None) -> None:
    if now_s is None:
        bucket.resize_since_seen(limit.rate_rps, limit.burst)
    else:
        bucket.resize(limit.rate_rps, limit.burst, now_s)


def _keep(bucket: TokenBucket, share: float, now_s: float) -> None:
    bucket.spend(max(0.0, bucket.tokens(now_s)) * (1 - share))
