"""Concurrency and request rate: which invocation may run now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sandbox.api_errors import ApiError
from sandbox.lambda_api.records import Function
from sandbox.token_bucket import TokenBucket

# Synchronous requests a second for each unit of concurrency (Lambda quotas, 2026).
REQUESTS_PER_CONCURRENCY = 10


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one running invocation."""

    function_name: str
    reserved: bool


class ConcurrencyGate:
    """Counts what runs, and refuses what is too much.

    A function with reserved concurrency has a pool of its own; all others share what no function
    reserved. Of each pool ten times its size may start in a second when called synchronously.
    """

    def __init__(self, account_concurrency: int) -> None:
        self._account_concurrency = account_concurrency
        self._running: Counter[str] = Counter()
        self._running_unreserved = 0
        self._buckets: dict[str, tuple[int, TokenBucket]] = {}

    def enter(
        self, function: Function, reserved_by_all: int, now_s: float, *, synchronous: bool
    ) -> Slot:
        """Takes a place, to be given back with `leave`.

        Raises:
            ApiError: the pool of the function is full, or its request rate is used up.
        """
        reserved = function.reserved_concurrency
        if reserved is not None:
            prefix, pool, limit = "Reserved", function.name, reserved
            running = self._running[function.name]
        else:
            prefix, pool, limit = "", "", self._account_concurrency - reserved_by_all
            running = self._running_unreserved
        if running >= limit:
            name = "ReservedFunctionConcurrent" if prefix else "Concurrent"
            raise throttled(f"{name}InvocationLimitExceeded")
        if synchronous and not self._bucket(pool, limit, now_s).take(now_s):
            raise throttled(f"{prefix}FunctionInvocationRateLimitExceeded")
        self._running[function.name] += 1
        self._running_unreserved += reserved is None
        return Slot(function.name, reserved=reserved is not None)

    def leave(self, slot: Slot) -> None:
        """Gives a place back."""
        self._running[slot.function_name] -= 1
        if not self._running[slot.function_name]:
            del self._running[slot.function_name]
        self._running_unreserved -= not slot.reserved

    def _bucket(self, pool: str, limit: int, now_s: float) -> TokenBucket:
        known = self._buckets.get(pool)
        if known is None or known[0] != limit:
            rate_per_s = REQUESTS_PER_CONCURRENCY * limit
            known = (limit, TokenBucket(rate_per_s, rate_per_s, now_s))
            self._buckets[pool] = known
        return known[1]


def throttled(reason: str) -> ApiError:
    """A throttle as AWS answers it."""
    return ApiError("TooManyRequestsException", "Rate Exceeded.", fields={"Reason": reason})
