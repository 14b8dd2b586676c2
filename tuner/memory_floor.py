"""How much memory a function needs, by the Max Memory Used of all its calls; pure.

It is no limit of its own: runtimes that collect garbage late use more where there is more, so a
size at which the function was measured without trouble is not ruled out by what it used at larger
ones. A size that was not tried is.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from reports.figures import megabytes
from tuner.sample import Sample

# Kept free above what was used: events differ, and what Lambda itself takes differs by version.
FREE_SHARE = 0.1


def memory_floor_mb(samples: Sequence[Sample]) -> int | None:
    """The largest Max Memory Used of any call with a tenth more; None where none is known."""
    used = [s.max_memory_used_mb for s in samples if s.max_memory_used_mb is not None]
    return math.ceil(max(used) * (1 + FREE_SHARE)) if used else None


def untried_below_floor(
    samples: Sequence[Sample], sizes_mb: Collection[int], current_mb: int
) -> frozenset[int]:
    """Those of `sizes_mb` that are below the floor and at which nothing shows that it is enough.

    Where calls differ in their event, that takes the one that used the most. Today's size is
    never among them: it is in use.
    """
    floor_mb = memory_floor_mb(samples)
    if floor_mb is None:
        return frozenset()
    # An environment shows the most that it ever used, so of equal calls the first is the one.
    hungriest = max(samples, key=lambda s: s.max_memory_used_mb or 0).payload
    tried = {
        s.memory_mb for s in samples if s.outcome == "measured" and s.payload in (None, hungriest)
    }
    below = {size for size in sizes_mb if size < floor_mb}
    return frozenset(below - tried - {current_mb})


def floor_notes(
    samples: Sequence[Sample], recommended_mb: int | None, left_out_mb: Collection[int]
) -> tuple[str, ...]:
    """What a reader should know of the memory in use: sizes left out, and little that is free."""
    used_mb = max((s.max_memory_used_mb or 0 for s in samples), default=0)
    notes = []
    if left_out_mb:
        notes.append(
            f"sizes up to {megabytes(max(left_out_mb))} that were not tried are left out: the "
            f"function used up to {megabytes(used_mb)}, of which a tenth more is kept free"
        )
    if recommended_mb is not None:
        own = [s.max_memory_used_mb or 0 for s in samples if s.memory_mb == recommended_mb]
        notes.append(_headroom(recommended_mb, max(own, default=0), used_mb))
    return tuple(note for note in notes if note)


def _headroom(size_mb: int, own_mb: int, most_mb: int) -> str:
    """Why the recommended size may be too small for other events; empty where it is not close."""
    if own_mb * (1 + FREE_SHARE) > size_mb:
        return (
            f"the function used {megabytes(own_mb)} of {megabytes(size_mb)}: a call that needs "
            "more would run out of memory, so make sure that the payload is a large one"
        )
    if own_mb and most_mb * (1 + FREE_SHARE) > size_mb:
        return (
            f"the function used up to {megabytes(most_mb)} at larger sizes and got by with "
            f"{megabytes(own_mb)} at {megabytes(size_mb)}: make sure that the payload is a large "
            "one"
        )
    return ""
