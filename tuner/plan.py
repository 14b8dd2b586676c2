"""What a run is going to do and what that may cost, decided before anything is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.aws.limits import MEMORY_MAX_MB, MEMORY_MIN_MB
from core.aws.prices import (
    SNAP_START_CACHE_LEAST_S,
    SNAP_START_CACHE_USD_PER_GB_S,
    SNAP_START_PRICES,
    SNAP_START_RESTORE_USD_PER_GB,
    LambdaPrice,
)
from core.errors import InputError
from reports.figures import usd
from tuner.sample import Sample
from tuner.sampler import given_up

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

    def expected_usd(
        self, first_rounds: Sequence[Sample], price: LambdaPrice, *, storage_mb: int
    ) -> float:
        """What the whole plan will cost, by at least two calls at each size.

        The first call at a size starts an environment, which is billed as well; all calls after it
        will cost about what the last one did. Sizes without a billed call are not in the sum.
        """
        return sum(
            self._expected_usd_of(
                [sample for sample in first_rounds if sample.memory_mb == size], price, storage_mb
            )
            for size in self.sizes_mb
        )

    def _expected_usd_of(
        self, samples: Sequence[Sample], price: LambdaPrice, storage_mb: int
    ) -> float:
        billed_usd = [
            price.invocation_usd(s.memory_mb, s.billed_ms, storage_mb=storage_mb)
            for s in samples
            if s.billed_ms is not None
        ]
        if not billed_usd or given_up(samples):
            return sum(billed_usd)
        return billed_usd[0] + billed_usd[-1] * self.samples_per_size


def doubts(
    sizes_mb: Sequence[int], samples_per_size: int, *, fewest_samples: int
) -> tuple[str, ...]:
    """Why a plan can only be inconclusive, to be said before it is paid for."""
    found = []
    if len(sizes_mb) < 2:
        found.append(
            "this run can only be inconclusive: with one size there is nothing to choose from"
        )
    if samples_per_size < fewest_samples:
        found.append(
            f"this run can only be inconclusive: --samples {samples_per_size} cannot tell sizes "
            f"apart, at least {fewest_samples} can"
        )
    return tuple(found)


def snap_start_note(sizes_mb: Sequence[int], runtime: str | None) -> str | None:
    """What AWS takes for SnapStart besides the invocations; None for Java, where it is free.

    A version's snapshot is cached, for which three hours are billed at least, and restored at
    each start of an environment, of which there is at least one for each size.
    """
    if runtime is not None and runtime.startswith("java"):
        return None
    size_gb = sum(sizes_mb) / 1024
    cache_usd = size_gb * SNAP_START_CACHE_LEAST_S * SNAP_START_CACHE_USD_PER_GB_S
    restore_usd = size_gb * SNAP_START_RESTORE_USD_PER_GB
    return (
        "SnapStart is billed besides what is said here: caching one snapshot for each size costs "
        f"about {usd(cache_usd)} (3 hours at least), restoring each once {usd(restore_usd)}, by "
        f"{SNAP_START_PRICES}" + ("" if runtime else "; it is free for Java")
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
