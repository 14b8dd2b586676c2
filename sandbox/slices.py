"""Long work on the event loop, in slices: others wait for a millisecond, not for the end.

A thread would do worse: whoever computes in Python holds the interpreter for 5 ms each time that
the loop comes back from waiting.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

SLICE_S = 0.001

T = TypeVar("T")
Made = TypeVar("Made")


class Slices:
    """Says when the current slice is over, and begins the next one."""

    def __init__(self) -> None:
        self._end = time.perf_counter() + SLICE_S

    @property
    def is_over(self) -> bool:
        """Whether it is time to let others work."""
        return time.perf_counter() >= self._end

    async def rest(self) -> None:
        """Lets everything else that is ready go first."""
        await asyncio.sleep(0)
        self._end = time.perf_counter() + SLICE_S


async def made_of_each(items: Iterable[T], make: Callable[[T], Made]) -> list[Made]:
    """What `make` makes of each of many things, in slices."""
    slices, made = Slices(), []
    for item in items:
        made.append(make(item))
        if slices.is_over:
            await slices.rest()
    return made
