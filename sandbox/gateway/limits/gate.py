"""All limits that one kind of request has to pass, resolved once and asked for each request."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.gateway.limits.levels import LimitKey
from sandbox.gateway.limits.limiters import Limiter, NodeChoice
from sandbox.gateway.limits.quota import QuotaCounter
from sandbox.gateway.limits.refusal import Refusal
from sandbox.gateway.snapshot import Limit, Quota


class ThrottleGuard:
    """One throttle with the truth about it: how many it let through, and how many not.

    A request that another limit refused counts as neither.
    """

    __slots__ = ("admitted", "key", "limit", "limiter", "refused")

    def __init__(self, key: LimitKey, limit: Limit, limiter: Limiter) -> None:
        self.key = key
        self.limit = limit
        self.limiter = limiter
        self.admitted = 0
        self.refused = 0


class QuotaGuard:
    """The quota of one key under one plan, with the truth about it."""

    __slots__ = ("admitted", "counter", "key", "quota", "refused")

    def __init__(self, key: LimitKey, counter: QuotaCounter) -> None:
        self.key = key
        self.quota: Quota | None = None
        self.counter = counter
        self.admitted = 0
        self.refused = 0

    def change(self, quota: Quota | None) -> None:
        """Goes on with another quota; what was used stays used."""
        self.quota = quota
        self.counter.change(quota)


ThrottleCheck = tuple[ThrottleGuard, Refusal]
QuotaCheck = tuple[QuotaGuard, Refusal | None]


class Gate:
    """Admits a request when all its limits do; a refused one costs none of them anything.

    It goes on to be right when limits change, but not when other limits are made or removed: ask
    the ledger for it with each new snapshot.
    """

    __slots__ = ("_nodes", "_of_plan", "_of_stage", "_quota")

    def __init__(
        self,
        of_plan: Sequence[ThrottleCheck],
        quota: QuotaCheck | None,
        of_stage: Sequence[ThrottleCheck],
        nodes: NodeChoice,
    ) -> None:
        self._of_plan = tuple(of_plan)
        self._quota = quota
        self._of_stage = tuple(of_stage)
        self._nodes = nodes

    def admit(self, now_s: float, wall_s: float, client: int | None = None) -> Refusal | None:
        """Takes one request from all limits, or says which one refuses it.

        `now_s` is a monotonic time from 0 on, `wall_s` seconds since the epoch. `client` tells
        connections apart, for the enforcement "hashed".
        """
        node = self._nodes.choose(client) if self._nodes.is_needed else 0
        if self._quota is not None:
            refusal = _first_refusing(self._of_plan, now_s, node)
            if refusal is None:
                refusal = _over_quota(self._quota, wall_s)
            if refusal is not None:
                return refusal
        # These are asked by every request, so without a further call.
        for guard, refusal in self._of_stage:
            if not guard.limiter.ready(now_s, node):
                guard.refused += 1
                return refusal
        if self._quota is not None:
            self._take_from_plan(self._quota[0])
        for guard, _ in self._of_stage:
            guard.limiter.spend()
            guard.admitted += 1
        return None

    def _take_from_plan(self, quota: QuotaGuard) -> None:
        quota.counter.spend()
        quota.admitted += 1
        for throttle, _ in self._of_plan:
            throttle.limiter.spend()
            throttle.admitted += 1


def _first_refusing(checks: tuple[ThrottleCheck, ...], now_s: float, node: int) -> Refusal | None:
    for guard, refusal in checks:
        if not guard.limiter.ready(now_s, node):
            guard.refused += 1
            return refusal
    return None


def _over_quota(check: QuotaCheck, wall_s: float) -> Refusal | None:
    guard, refusal = check
    if guard.counter.ready(wall_s):
        return None
    guard.refused += 1
    return refusal
