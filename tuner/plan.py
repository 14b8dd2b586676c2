"""What a run is going to do and what that may cost, decided before anything is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.aws.limits import MEMORY_MAX_MB, MEMORY_MIN_MB
from core.aws.prices import LambdaPrice
from core.errors import InputError

# The sizes that people choose from: doublings up to one vCPU, then where a second core arrives
# (3,008 is also what new accounts are capped at), a third and the largest.
SIZE_LADDER_MB = (128, 256, 512, 1024, 1769, 3008, 5308, 10240)
DEFAULT_MAX_MEMORY_MB = 3008
DEFAULT_SAMPLES = 10
MAX_SAMPLES = 1000
# One call beyond the warm samples: the first of a fresh version is a cold start.
COLD_CALLS_PER_SIZE = 1
# Cold, failed and lost calls are made up for, up to this share of the samples, at least three.
_REPEAT_SHARE, _REPEATS_LEAST = 0.5, 3
# The most that a run may cost without a question: nearly every function stays below at the
# default sizes, those with Lambda's longest timeout do not.
ASK_ABOVE_USD = 1.0


@dataclass(frozen=True, slots=True)
class CostRange:
    """What the planned invocations cost in USD at least and at most."""

    least_usd: float
    most_usd: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A fixed plan: every size gets the same number of warm samples."""

    sizes_mb: tuple[int, ...]
    samples_per_size: int
    parallel: int
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def calls_per_size(self) -> int:
        """Planned calls at each size, if every call but the first is a warm measurement."""
        return self.samples_per_size + COLD_CALLS_PER_SIZE

    @property
    def attempts_per_size(self) -> int:
        """The most calls at each size, whatever comes back: this bounds the bill."""
        repeats = max(_REPEATS_LEAST, round(self.samples_per_size * _REPEAT_SHARE))
        return self.calls_per_size + repeats

    @property
    def invocations(self) -> int:
        """Planned invocations at all sizes."""
        return len(self.sizes_mb) * self.calls_per_size

    def cost_range(self, price: LambdaPrice, *, timeout_s: int, storage_mb: int) -> CostRange:
        """From every planned call at 1 ms to every call that may be made at the timeout."""

        def total(calls: int, billed_ms: float) -> float:
            return calls * sum(
                price.invocation_usd(size, billed_ms, storage_mb=storage_mb)
                for size in self.sizes_mb
            )

        return CostRange(
            least_usd=total(self.calls_per_size, 1),
            most_usd=total(self.attempts_per_size, timeout_s * 1000),
        )


def parse_sizes(text: str) -> tuple[int, ...]:
    """The sizes in a comma-separated list, ascending, each once.

    Raises:
        InputError: naming the value that is no memory size.
    """
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
            f"separated by commas (got {text!r})"
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
    sizes: Sequence[int] | None,
    min_memory_mb: int | None,
    max_memory_mb: int | None,
    current_mb: int,
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The sizes to measure, and what a user should know about the choice.

    Given sizes are taken as they are. Otherwise the ladder within the limits, the limits
    themselves, and the current size, without which no saving could be stated.

    Raises:
        InputError: when sizes and limits contradict each other.
    """
    if sizes is not None:
        if min_memory_mb is not None or max_memory_mb is not None:
            raise InputError("--sizes: leave out --min-memory and --max-memory, or --sizes")
        return tuple(sorted(set(sizes))), ()
    low = MEMORY_MIN_MB if min_memory_mb is None else check_size(min_memory_mb, "--min-memory")
    if max_memory_mb is None:
        high = max(DEFAULT_MAX_MEMORY_MB, low)
    else:
        high = check_size(max_memory_mb, "--max-memory")
    if low > high:
        raise InputError(f"--min-memory: expected at most --max-memory {high} (got {low})")
    chosen = {size for size in SIZE_LADDER_MB if low <= size <= high} | {low, high}
    if current_mb in chosen:
        return tuple(sorted(chosen)), ()
    note = f"the current size, {current_mb} MB, is measured too, so that a saving can be stated"
    return tuple(sorted(chosen | {current_mb})), (note,)
