"""Cold calls: the share that a user gives, and where more of them are worth measuring; pure.

A cold call has an Init Duration or, with SnapStart, a Restore Duration. Its billed time contains
what AWS bills of that, for every kind of package since August 2025: it is taken as printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from core.errors import InputError
from tuner.sample import Sample

ColdShare = float | Literal["auto"]

_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)\s*(%?)")
# Fresh environments that may fail to give a cold sample, beyond those that are wanted.
SPARE_STARTS = 2


def parse_cold_share(text: str) -> ColdShare:
    """The share of cold calls, 0 to 1, in "0.02" or "2%"; "auto" where it is to be measured.

    Raises:
        InputError: naming the option, the value and what was expected.
    """
    if text.strip().lower() == "auto":
        return "auto"
    match = _NUMBER.fullmatch(text.strip())
    share = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= share <= 1:
        raise InputError(
            f"--cold-share: expected auto, a share from 0 to 1 or a percentage, as in 0.02 or 2% "
            f"(got {text!r})"
        )
    return share


def wait_ms(sample: Sample) -> float:
    """How long the function kept a caller waiting: INIT or restore, and Duration."""
    return start_ms(sample) + (sample.duration_ms or 0.0)


def start_ms(sample: Sample) -> float:
    """What the start of the environment took: INIT, or restore with SnapStart; 0 when warm."""
    return (sample.init_ms or 0.0) + (sample.restore_ms or 0.0)


def cold_by_size(samples: Sequence[Sample]) -> dict[int, list[Sample]]:
    """The cold measurements of each size that has any, ascending by size."""
    cold = [sample for sample in samples if sample.counts_as_cold]
    sizes = sorted({sample.memory_mb for sample in cold})
    return {size: [sample for sample in cold if sample.memory_mb == size] for size in sizes}


def cold_sizes(
    recommended_mb: int, tied_mb: Iterable[int], current_mb: int, measured_mb: Iterable[int]
) -> tuple[int, ...]:
    """Where further cold samples tell something: at sizes that may be chosen, and at today's.

    The recommended one, those that cannot be told apart from it, and the current one, as far as
    they were measured; ascending.
    """
    return tuple(sorted({recommended_mb, *tied_mb, current_mb} & set(measured_mb)))


def cold_rounds(samples: Sequence[Sample], sizes_mb: Sequence[int], wanted: int) -> tuple[int, ...]:
    """The sizes that a fresh environment is to be started at next, each once; none when done.

    Each fresh environment is a version of its own, whose first call is cold. A size is done when
    it has `wanted` cold samples, or when so many versions and two more did not give them: their
    calls fail, or are not cold.
    """
    cold = cold_by_size(samples)
    return tuple(
        size
        for size in dict.fromkeys(sizes_mb)
        if len(cold.get(size, ())) < wanted and _starts(samples, size) < wanted + SPARE_STARTS
    )


def _starts(samples: Sequence[Sample], memory_mb: int) -> int:
    return len({sample.version for sample in samples if sample.memory_mb == memory_mb})
