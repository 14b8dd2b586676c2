"""What each of several functions may use of limits that they share; pure."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InputError
from tuner.budget import Limits


@dataclass(frozen=True, slots=True)
class Used:
    """What the runs so far have used, for all three limits."""

    invocations: int = 0
    usd: float = 0.0
    seconds: float = 0.0


def check_shared(limits: Limits, functions: int) -> None:
    """Makes sure that each function can have a call.

    Raises:
        InputError: naming the limit.
    """
    most = limits.max_invocations
    if most is not None and most < functions:
        raise InputError(
            f"--max-invocations: expected at least one for each of {functions} functions "
            f"(got {most})"
        )


def part_of(limits: Limits, used: Used, functions_left: int) -> Limits | None:
    """An equal part of what is left, for each that is still to come; None where that is nothing.

    What one leaves unused so goes to all that come after it.
    """
    calls, money, time_s = limits.max_invocations, limits.max_usd, limits.max_seconds
    part = Limits(
        max_invocations=None if calls is None else (calls - used.invocations) // functions_left,
        max_usd=None if money is None else (money - used.usd) / functions_left,
        max_seconds=None if time_s is None else (time_s - used.seconds) / functions_left,
    )
    if any(
        left is not None and left <= 0
        for left in (part.max_invocations, part.max_usd, part.max_seconds)
    ):
        return None
    return part


def most_part(limits: Limits, position: int, functions: int) -> Limits:
    """The most that the function at a position can get: when those before it use nothing.

    Raises:
        InputError: as `check_shared` does.
    """
    check_shared(limits, functions)
    return part_of(limits, Used(), functions - position) or limits
