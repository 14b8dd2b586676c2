"""The sizes that an adaptive tuning chooses among; pure."""

from __future__ import annotations

import math
from itertools import pairwise

# Sizes that people type, and those where a vCPU is complete: 1,769 MB and multiples of it.
STANDARD_SIZES_MB = (
    128, 192, 256, 384, 512, 768, 1024, 1536, 1769, 2048, 3008, 4096, 5308, 7077, 10240,
)  # fmt: skip
# Neighbours differ by about 12 % in memory: on a valley as steep as they come (cost falling and
# rising with the memory itself) the best of the grid is some 6 % of memory from the best of all.
USUAL_STEP_RATIO = 1.12
# A look that goes closer spans a narrow range by so many smaller steps.
_STEPS = 30


def candidate_sizes(
    low_mb: int,
    high_mb: int,
    current_mb: int | None = None,
    least_step_ratio: float = USUAL_STEP_RATIO,
) -> tuple[int, ...]:
    """Sizes from one limit to the other, ascending, the standard ones among them.

    `current_mb`, where it is within the limits, is among them too. What lies between two of these
    is filled in equal ratios, each as near to the step as they allow; none is above 19 %. The step
    is 12 %, or less where thirty smaller ones span the range, but not below `least_step_ratio`.
    """
    step_ratio = min(USUAL_STEP_RATIO, (high_mb / low_mb) ** (1 / _STEPS))
    step_ratio = max(step_ratio, least_step_ratio)
    named = {low_mb, high_mb, *(size for size in STANDARD_SIZES_MB if low_mb < size < high_mb)}
    if current_mb is not None and low_mb <= current_mb <= high_mb:
        named.add(current_mb)
    sizes = set(named)
    for below, above in pairwise(sorted(named)):
        steps = max(1, round(math.log(above / below) / math.log(step_ratio)))
        sizes.update(round(below * (above / below) ** (step / steps)) for step in range(1, steps))
    return tuple(sorted(sizes))
