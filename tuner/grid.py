"""The sizes that an adaptive tuning chooses among; pure."""

from __future__ import annotations

# Sizes that people type, and those where a vCPU is complete: 1,769 MB and multiples of it.
STANDARD_SIZES_MB = (
    128, 192, 256, 384, 512, 768, 1024, 1536, 1769, 2048, 3008, 4096, 5308, 7077, 10240,
)  # fmt: skip
# Neighbours differ by 12 % in memory: on a valley as steep as they come (cost falling and rising
# with the memory itself) the best grid size is at most 6 % of memory from the best of all.
_STEP = 1.12
# A grid size so close to a standard one would be a choice without a difference.
_SAME = 1.05


def candidate_sizes(low_mb: int, high_mb: int, current_mb: int | None = None) -> tuple[int, ...]:
    """Sizes in steps of 12 % between two limits, ascending, with both and the standard ones.

    `current_mb`, where it is within the limits, is among them.
    """
    named = {low_mb, high_mb, *(size for size in STANDARD_SIZES_MB if low_mb < size < high_mb)}
    if current_mb is not None and low_mb <= current_mb <= high_mb:
        named.add(current_mb)
    between = set()
    size = low_mb * _STEP
    while size < high_mb:
        if all(max(size / other, other / size) > _SAME for other in named):
            between.add(round(size))
        size *= _STEP
    return tuple(sorted(named | between))
