"""What injectors tell of modelled clients in their frames: operations, and their attempts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Fate(IntEnum):
    """What became of an operation, as its caller sees it."""

    OK = 0
    FAILED = 1  # with an answer that no client sends again, or that its checks refuse
    ATTEMPTS = 2  # given up: all attempts were used
    QUOTA = 3  # given up: the retry quota had no tokens
    RUN_ENDED = 4  # given up: the run ended while it waited


@dataclass(frozen=True, slots=True)
class OperationCell:
    """Operations of one second (of their first intended start), phase and step.

    Some that have begun, or some that have ended with one fate. `latency` is a histogram from the
    first intended start to the end, waiting included.
    """

    second: int
    phase: int
    step: int
    begun: int = 0
    fate: int = 0
    ended: int = 0
    latency: str = ""


@dataclass(frozen=True, slots=True)
class AttemptCell:
    """Requests of one second (of their own intended start), phase, step and attempt (from 1).

    Some that were sent, or some that have an outcome. `held` were kept back by their client's own
    rate limiter, for `held_us` in all, before they were due.
    """

    second: int
    phase: int
    step: int
    attempt: int
    sent: int = 0
    held: int = 0
    held_us: int = 0
    completed: int = 0
    ok: int = 0
    response: str = ""
