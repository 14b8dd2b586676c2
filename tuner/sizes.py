"""Which memory sizes a run may have: those given, the ladder, or the grid within limits; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.aws.limits import MEMORY_MAX_MB, MEMORY_MIN_MB
from core.errors import InputError
from reports.figures import megabytes
from tuner.grid import USUAL_STEP_RATIO, candidate_sizes

# The sizes that people choose from: doublings up to one vCPU, then where a second core arrives
# (3,008 is also what new accounts are capped at), a third and the largest.
SIZE_LADDER_MB = (128, 256, 512, 1024, 1769, 3008, 5308, 10240)
DEFAULT_MAX_MEMORY_MB = 3008
# What Lambda's sizes were multiples of until 2020, and what tools still go through.
_STEP_OF_ALL_MB = 64

# Sizes that a user lists, or all from the smallest to the largest.
SizesAsked = tuple[int, ...] | Literal["all"]


def parse_sizes(text: str) -> SizesAsked:
    """The sizes in a comma-separated list, ascending, each once; or "all".

    Raises:
        InputError: naming the value that is no memory size.
    """
    if text.strip().lower() == "all":
        return "all"
    parts = [part.strip() for part in text.split(",")]
    return tuple(sorted({_parse_size(part, "--sizes") for part in parts}))


def _parse_size(text: str, option: str) -> int:
    try:
        size = int(text)
    except ValueError:
        size = -1
    if not (text.isascii() and text.isdigit()):
        raise InputError(
            f"{option}: expected whole MB between {MEMORY_MIN_MB} and {MEMORY_MAX_MB}, "
            f"separated by commas, or all (got {text!r})"
        )
    return check_size(size, option)


def check_size(size_mb: int, option: str) -> int:
    """`size_mb`, when Lambda offers it.

    Raises:
        InputError: when it is outside of what Lambda offers.
    """
    if not MEMORY_MIN_MB <= size_mb <= MEMORY_MAX_MB:
        raise InputError(
            f"{option}: expected whole MB between {MEMORY_MIN_MB} and {MEMORY_MAX_MB} "
            f"(got {size_mb})"
        )
    return size_mb


def choose_sizes(
    *,
    sizes: Sequence[int] | Literal["all"] | None,
    min_memory_mb: int | None,
    max_memory_mb: int | None,
    current_mb: int,
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The sizes to measure, and what a user should know about the choice.

    Given sizes are taken as they are. Otherwise the ladder within the limits and the limits
    themselves, or for "all" every 64 MB from the smallest on; and the current size, without which
    no saving could be stated.

    Raises:
        InputError: when sizes and limits contradict each other.
    """
    if sizes is not None and sizes != "all":
        if min_memory_mb is not None or max_memory_mb is not None:
            raise InputError("--sizes: leave out --min-memory and --max-memory, or --sizes")
        return tuple(sorted(set(sizes))), ()
    low, high = size_limits(min_memory_mb, max_memory_mb)
    if sizes == "all":
        chosen = set(range(low, high + 1, _STEP_OF_ALL_MB))
    else:
        chosen = {size for size in SIZE_LADDER_MB if low <= size <= high} | {low, high}
    if current_mb in chosen:
        return tuple(sorted(chosen)), ()
    note = f"the current size, {current_mb} MB, is measured too, so that a saving can be stated"
    return tuple(sorted(chosen | {current_mb})), (note,)


def choose_candidates(
    *,
    min_memory_mb: int | None,
    max_memory_mb: int | None,
    current_mb: int,
    least_step_ratio: float = USUAL_STEP_RATIO,
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The sizes that an adaptive plan chooses among, and what a user should know of them.

    A function that has more than the default largest size is tuned up to what it has. Limits that
    the user gave hold: nothing beyond them is measured.

    Raises:
        InputError: when the limits contradict each other.
    """
    low, high = size_limits(min_memory_mb, max_memory_mb)
    if max_memory_mb is None:
        high = max(high, current_mb)
    candidates = candidate_sizes(low, high, current_mb, least_step_ratio)
    if current_mb in candidates:
        return candidates, ()
    note = (
        f"the current size, {megabytes(current_mb)}, is outside of the limits and is not measured: "
        "no saving can be stated"
    )
    return candidates, (note,)


def size_limits(min_memory_mb: int | None, max_memory_mb: int | None) -> tuple[int, int]:
    """The smallest and the largest size of a run, by the options or else the defaults.

    Raises:
        InputError: when they contradict each other, or Lambda does not offer one of them.
    """
    low = MEMORY_MIN_MB if min_memory_mb is None else check_size(min_memory_mb, "--min-memory")
    if max_memory_mb is None:
        high = max(DEFAULT_MAX_MEMORY_MB, low)
    else:
        high = check_size(max_memory_mb, "--max-memory")
    if low > high:
        raise InputError(f"--min-memory: expected at most --max-memory {high} (got {low})")
    return low, high
