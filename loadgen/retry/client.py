"""One modelled client: decides for each answer whether and when the request is sent again.

Times are given, in seconds of any clock; randomness is drawn from the generator that it is given.
"""

from __future__ import annotations

import random
from enum import IntEnum
from typing import Final, NamedTuple

from loadgen.answer import Answer
from loadgen.retry.limiter import RateLimiter
from loadgen.retry.policy import Fault, Policy

_NO_RETRY_REFUND: Final = 1  # tokens, of an operation whose first request is answered with 2xx


class Ending(IntEnum):
    """How an operation ended, as its caller sees it."""

    ANSWERED = 0  # with what a client does not send again; its checks may fail all the same
    ATTEMPTS = 1  # given up: all attempts were used
    QUOTA = 2  # given up: the retry quota had no tokens
    RUN_ENDED = 3  # given up: the run ended while it waited


class Next(NamedTuple):
    """What a client does after an answer; `wait_s` counts where it goes on (`ending` is None)."""

    ending: Ending | None
    wait_s: float = 0.0


class RetryQuota:
    """Tokens for retries, shared by all operations of a client (botocore/retries/quota.py)."""

    __slots__ = ("_most", "tokens")

    def __init__(self, tokens: int) -> None:
        self._most = tokens
        self.tokens = tokens

    def take(self, cost: int) -> bool:
        """Takes `cost` tokens, if there are so many."""
        if cost > self.tokens:
            return False
        self.tokens -= cost
        return True

    def give_back(self, tokens: int) -> None:
        """Gives tokens back; never more than there were at first."""
        self.tokens = min(self._most, self.tokens + tokens)


class Operation:
    """What the caller asked for: one request, or several of the same."""

    __slots__ = ("attempt", "held")

    def __init__(self) -> None:
        self.attempt = 1
        self.held: int | None = None  # tokens that its last retry took


class ModelledClient:
    """A client with its own retry quota and, in the adaptive mode, its own rate limiter."""

    __slots__ = ("_limiter", "_quota", "_rng", "policy")

    def __init__(self, policy: Policy, rng: random.Random, now_s: float) -> None:
        self.policy = policy
        self._rng = rng
        self._quota = None if policy.quota is None else RetryQuota(policy.quota)
        self._limiter = RateLimiter(now_s) if policy.mode == "adaptive" else None

    @property
    def holds_back(self) -> bool:
        """Whether requests have to ask `take` before they go."""
        return self._limiter is not None and self._limiter.is_on

    def take(self, now_s: float) -> float:
        """0 when a request may go now; else how long to wait before it asks again, in s."""
        return 0.0 if self._limiter is None else self._limiter.take(now_s)

    def answered(self, operation: Operation, answer: Answer, now_s: float) -> Next:
        """What becomes of `operation`, whose last request got `answer` at `now_s`."""
        policy = self.policy
        fault = policy.fault(answer)
        if self._limiter is not None:
            self._limiter.answered(now_s, is_throttle=fault is Fault.THROTTLE)
        if fault is Fault.NONE:
            self._refund(operation, answer.status)
            return Next(Ending.ANSWERED)
        if operation.attempt >= policy.max_attempts:
            return Next(Ending.ATTEMPTS)
        cost = policy.cost(fault)
        if self._quota is not None:
            if not self._quota.take(cost):
                return Next(Ending.QUOTA)
            operation.held = cost
        draw, asked_s = self._rng.random(), policy.retry_after_s(answer)
        wait_s = policy.backoff_s(operation.attempt, fault, draw, asked_s)
        operation.attempt += 1
        return Next(None, wait_s)

    def _refund(self, operation: Operation, status: int) -> None:
        if self._quota is not None and 200 <= status < 300:
            held = _NO_RETRY_REFUND if operation.held is None else operation.held
            self._quota.give_back(held)
