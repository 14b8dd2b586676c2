"""Concurrency and request rate: which invocation may run now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from sandbox.api_errors import ApiError
from sandbox.lambda_api.records import Function
from sandbox.token_bucket import TokenBucket

# The Reasons of a 429 in Lambda's API model (botocore 1.44, ThrottleReason).
ThrottleReason = Literal[
    "ConcurrentInvocationLimitExceeded",
    "FunctionInvocationRateLimitExceeded",
    "ReservedFunctionConcurrentInvocationLimitExceeded",
    "ReservedFunctionInvocationRateLimitExceeded",
    "CallerRateLimitExceeded",
    "ConcurrentSnapshotCreateLimitExceeded",
]
# Synchronous requests a second for each unit of concurrency (Lambda quotas, 2026).
REQUESTS_PER_CONCURRENCY = 10


@dataclass(slots=True)  # not frozen: that costs a microsecond for each call
class Slot:
    """The place of one running invocation."""

    function_name: str
    reserved: bool


class ConcurrencyGate:
    """Counts what runs on demand, and refuses what is too much.

    A function with reserved concurrency has a pool of its own; all others share what no function
    reserved. Of each pool ten times its size may start in a second when called synchronously.
    Each function may start `scale_up_per_10_s` new environments in 10 s; None does not limit it.
    """

    def __init__(self, account_concurrency: int, scale_up_per_10_s: int | None = None) -> None:
        self._account_concurrency = account_concurrency
        self._scale_up_per_10_s = scale_up_per_10_s
        self._environments: dict[str, TokenBucket] = {}
        self._running: Counter[str] = Counter()
        self._running_unreserved = 0
        self._buckets: dict[str, tuple[int, TokenBucket]] = {}

    def enter(
        self,
        function: Function,
        reserved_by_all: int,
        now_s: float,
        *,
        synchronous: bool,
        needs_environment: bool = False,
    ) -> Slot:
        """Takes a place, to be given back with `leave`.

        `needs_environment` says that no idle environment is there to run in.

        Raises:
            ApiError: the pool of the function is full, its request rate is used up, or it grows
                too fast.
        """
        reserved = function.reserved_concurrency
        if reserved is not None:
            # What is provisioned of a reserve is there for calls that find it ready.
            left = reserved - function.provisioned_concurrency
            prefix, pool, limit = "Reserved", function.name, left
            running = self._running[function.name]
        else:
            prefix, pool, limit = "", "", self._account_concurrency - reserved_by_all
            running = self._running_unreserved
        if running >= limit:
            name = "ReservedFunctionConcurrent" if prefix else "Concurrent"
            raise throttled(f"{name}InvocationLimitExceeded")
        if synchronous and not self._bucket(pool, limit, now_s).take(now_s):
            raise throttled(f"{prefix}FunctionInvocationRateLimitExceeded")
        if needs_environment and not self._may_grow(function.name, now_s):
            # AWS says that such invocations are throttled, and not with which reason: of the six
            # that there are, this is the one that speaks of a function's own rate.
            raise throttled("FunctionInvocationRateLimitExceeded")
        self._running[function.name] += 1
        self._running_unreserved += reserved is None
        return Slot(function.name, reserved=reserved is not None)

    def leave(self, slot: Slot) -> None:
        """Gives a place back."""
        self._running[slot.function_name] -= 1
        if not self._running[slot.function_name]:
            del self._running[slot.function_name]
        self._running_unreserved -= not slot.reserved

    def _may_grow(self, name: str, now_s: float) -> bool:
        """Whether the function may have one environment more; refilled all the time."""
        limit = self._scale_up_per_10_s
        if limit is None:
            return True
        bucket = self._environments.get(name)
        if bucket is None:
            bucket = self._environments[name] = TokenBucket(limit / 10, limit, now_s)
        return bucket.take(now_s)

    def _bucket(self, pool: str, limit: int, now_s: float) -> TokenBucket:
        known = self._buckets.get(pool)
        if known is None or known[0] != limit:
            rate_per_s = REQUESTS_PER_CONCURRENCY * limit
            known = (limit, TokenBucket(rate_per_s, rate_per_s, now_s))
            self._buckets[pool] = known
        return known[1]


def throttled(reason: str) -> ApiError:
    """A throttle as AWS answers it."""
    return ApiError(
        "TooManyRequestsException", "Rate Exceeded.", status=429, fields={"Reason": reason}
    )
