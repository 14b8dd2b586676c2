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
    """Independent buckets, each with its part of the limit.

    With `uneven` above 0 the parts go in equal steps from 1 - uneven to 1 + uneven times the
    equal part.
    """

    __slots__ = ("_buckets", "_chosen", "_shares")

    def __init__(self, limit: Limit, shards: int, uneven: float = 0.0) -> None:
        steps = [2 * number / (shards - 1) - 1 for number in range(shards)]
        self._shares = [(1 + uneven * step) / shards for step in steps]
        parts = [_part(limit, share) for share in self._shares]
        self._buckets = [TokenBucket(part.rate_rps, part.burst) for part in parts]
        self._chosen = self._buckets[0]

    def ready(self, now_s: float, node: int) -> bool:
        self._chosen = self._buckets[node]
        return self._chosen.ready(now_s)

    def spend(self) -> None:
        self._chosen.spend()

    def resize(self, limit: Limit, now_s: float | None) -> None:
        for bucket, share in zip(self._buckets, self._shares, strict=True):
            _resize(bucket, _part(limit, share), now_s)

    def tokens(self, now_s: float) -> float:
        return sum(bucket.tokens(now_s) for bucket in self._buckets)

    def keep(self, share: float, now_s: float) -> None:
        for bucket in self._buckets:
            _keep(bucket, share, now_s)


class DelayedLimiter:
    """One bucket of which each node has a copy, renewed every `sync_s` at all nodes at once.

    A copy is refilled as the bucket is, and counts the requests of its own node. The longest
    overshoot is that of one interval: the other nodes' copies times what a copy admits in it. It
    is paid back, unless debt is `forgiven` whenever the nodes synchronise.
    """

    __slots__ = (
        "_bucket",
        "_chosen",
        "_copies",
        "_forgiven",
        "_limit",
        "_next_sync_s",
        "_shards",
        "_sync_s",
    )

    def __init__(self, limit: Limit, shards: int, sync_s: float, *, forgiven: bool = False) -> None:
        self._limit = limit
        self._shards = shards
        self._sync_s = sync_s
        self._forgiven = forgiven
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
        tokens = self._bucket.tokens(now_s)
        if self._forgiven and tokens < 0:
            self._bucket.spend(tokens)
            tokens = 0.0
        used = self._limit.burst - tokens
        rate_rps, burst = self._limit.rate_rps, self._limit.burst
        self._copies = [TokenBucket(rate_rps, burst, now_s) for _ in range(self._shards)]
        for copy in self._copies:
            copy.spend(used)
        # On a fixed grid, so that when requests come does not move it.
        self._next_sync_s = (now_s // self._sync_s + 1) * self._sync_s


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


def _part(limit: Limit, share: float) -> Limit:
    # A shard that never holds a whole token would refuse everything.
    least = min(1.0, limit.burst)
    return Limit(limit.rate_rps * share, max(least, limit.burst * share))


def _resize(bucket: TokenBucket, limit: Limit, now_s: float | None) -> None:
    if now_s is None:
        bucket.resize_since_seen(limit.rate_rps, limit.burst)
    else:
        bucket.resize(limit.rate_rps, limit.burst, now_s)


def _keep(bucket: TokenBucket, share: float, now_s: float) -> None:
    bucket.spend(max(0.0, bucket.tokens(now_s)) * (1 - share))
