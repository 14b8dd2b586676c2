"""What a run is going to do and what that may cost, decided before anything is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.aws.limits import INIT_MAX_S
from core.aws.prices import LambdaPrice
from reports.document import PlanKind
from tuner.adaptive import WARM_TO_VERIFY, start_sizes
from tuner.budget import Limits
from tuner.cold import SPARE_STARTS
from tuner.effort import Effort
from tuner.objective import SloLimit
from tuner.sample import Sample
from tuner.sampler import given_up
from tuner.slo import samples_needed

DEFAULT_SAMPLES = 10
# Fewest that give an interval: each is a version that is published, and one more cold start.
DEFAULT_COLD_ONLY_SAMPLES = 5
MAX_SAMPLES = 1000
# One call beyond the warm samples: the first of a fresh version is a cold start.
COLD_CALLS_PER_SIZE = 1
# What an adaptive plan takes at a new size: the cold call, and warm ones to go by.
CALLS_TO_KNOW = COLD_CALLS_PER_SIZE + WARM_TO_VERIFY
# How many calls the adaptive plans take on average (benchmarks/tuner_regret.py).
USUAL_CALLS: dict[PlanKind, int] = {"adaptive": 29, "thorough": 120}
# Cold, failed and lost calls are made up for, up to this share of the samples, at least three.
_REPEAT_SHARE, _REPEATS_LEAST = 0.5, 3
# The most that a run may cost without a question: nearly every function stays below at the
# default sizes, those with Lambda's longest timeout do not.
ASK_ABOVE_USD = 1.0


@dataclass(frozen=True, slots=True)
class CostRange:
    """What the planned invocations cost in USD at least and at most.

    `is_limited` where the most is the user's limit on the bill.
    """

    least_usd: float
    most_usd: float
    is_limited: bool = False

    def within(self, max_usd: float | None) -> CostRange:
        """The range with a limit on the bill."""
        if max_usd is None or max_usd >= self.most_usd:
            return self
        return CostRange(min(self.least_usd, max_usd), max_usd, is_limited=True)


@dataclass(frozen=True, slots=True)
class ColdPlan:
    """Further cold samples after the main measurement: `wanted` at each of at most `most_sizes`.

    Each comes from a fresh version; a size has had one of them from its first call.
    """

    wanted: int = 1
    most_sizes: int = 0

    @property
    def most_calls(self) -> int:
        """The most calls for them, whatever comes back."""
        return self.most_sizes * (self.wanted - 1 + SPARE_STARTS) if self.wanted > 1 else 0


@dataclass(frozen=True, slots=True)
class FixedPlan:
    """Every size gets the same number of samples: warm ones; cold ones; a single call to test it.

    `trial_mb` is the size of one call before the plan; None where there is none. The first
    `discard_first` warm calls of a size do not count.
    """

    sizes_mb: tuple[int, ...]
    samples_per_size: int
    parallel: int
    seed: int
    notes: tuple[str, ...] = ()
    cold: ColdPlan = ColdPlan()
    max_usd: float | None = None
    trial_mb: int | None = None
    kind: PlanKind = "fixed"
    discard_first: int = 0

    @property
    def calls_per_size(self) -> int:
        """Planned calls at each size, if every call but the first is a warm measurement."""
        if self.kind != "fixed":
            return self.samples_per_size
        return COLD_CALLS_PER_SIZE + self.discard_first + self.samples_per_size

    @property
    def attempts_per_size(self) -> int:
        """The most calls at each size, whatever comes back: this bounds the bill."""
        if self.kind == "test":
            return self.calls_per_size
        repeats = max(_REPEATS_LEAST, round(self.samples_per_size * _REPEAT_SHARE))
        return self.calls_per_size + repeats

    @property
    def invocations(self) -> int:
        """Planned invocations at all sizes."""
        return len(self.sizes_mb) * self.calls_per_size

    @property
    def versions_per_size(self) -> int:
        """The most versions of each size: one for all its calls, or one for each."""
        return self.attempts_per_size if self.kind == "cold" else 1

    def cost_range(self, price: LambdaPrice, *, timeout_s: int, storage_mb: int) -> CostRange:
        """From every planned call at 1 ms to every call that may be made at the timeout.

        Each version starts once, which takes as long as Lambda lets it.
        """

        def total(calls: int, billed_ms: float) -> float:
            return calls * sum(
                price.invocation_usd(size, billed_ms, storage_mb=storage_mb)
                for size in self.sizes_mb
            )

        timeout_ms, start_ms = timeout_s * 1000, INIT_MAX_S * 1000
        dearest = price.invocation_usd(
            max(self.sizes_mb), timeout_ms + start_ms, storage_mb=storage_mb
        )
        most = total(self.attempts_per_size, timeout_ms) + total(self.versions_per_size, start_ms)
        trial = _trial_cost(self.trial_mb, price, timeout_s, storage_mb)
        return CostRange(
            least_usd=total(self.calls_per_size, 1) + trial.least_usd,
            most_usd=most + self.cold.most_calls * dearest + trial.most_usd,
        ).within(self.max_usd)

    def expected_after(self, refused: int) -> int:
        """After how many calls the cost of the run is known about: two at each offered size."""
        return 2 * (len(self.sizes_mb) - refused)

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
        billed_usd = _billed_usd(samples, price, storage_mb)
        if not billed_usd or given_up(samples):
            return sum(billed_usd)
        return billed_usd[0] + billed_usd[-1] * (self.calls_per_size - 1)


@dataclass(frozen=True, slots=True)
class AdaptivePlan:
    """Calls go where they tell most, until enough is known or `effort.most_calls` are made.

    `sizes_mb` are the candidates, of which few are invoked. `limits` may end it earlier. With
    `slo` it is a search for the cheapest size that keeps this limit. `trial_mb` is the size of one
    call before the plan, which counts in `limits`; None where there is none.
    """

    sizes_mb: tuple[int, ...]
    effort: Effort
    current_mb: int
    kind: PlanKind
    parallel: int
    seed: int
    limits: Limits = field(default_factory=Limits)
    slo: SloLimit | None = None
    notes: tuple[str, ...] = ()
    cold: ColdPlan = ColdPlan()
    trial_mb: int | None = None
    discard_first: int = 0
    versions_per_size = 1

    @property
    def samples_per_size(self) -> None:
        """As many as it takes: no number that is known before."""

    @property
    def start_mb(self) -> tuple[int, ...]:
        """The sizes that are invoked first."""
        return start_sizes(self.sizes_mb, (), self.current_mb)

    @property
    def start_calls(self) -> int:
        """The calls at these sizes, if each is what it is meant to be."""
        return min(len(self.start_mb) * (CALLS_TO_KNOW + self.discard_first), self.most_calls)

    @property
    def most_calls(self) -> int:
        """The most calls of the plan, the trial and further cold samples aside."""
        allowed = self.limits.max_invocations
        if allowed is None:
            return self.effort.most_calls
        return min(self.effort.most_calls, allowed - (self.trial_mb is not None))

    @property
    def bounded_effort(self) -> Effort:
        """The effort, with what a limit on invocations leaves of it."""
        return replace(self.effort, most_calls=self.most_calls)

    @property
    def usual_calls(self) -> int:
        """About how many calls it takes; with a limit, if the first size tried keeps it."""
        if self.slo is not None:
            return min(self.start_calls + samples_needed(self.slo), self.most_calls)
        if len(self.sizes_mb) == 1:
            return self.start_calls
        return min(USUAL_CALLS[self.kind], self.most_calls)

    @property
    def invocations(self) -> int:
        """The most invocations, which progress is counted against."""
        return self.most_calls

    def cost_range(self, price: LambdaPrice, *, timeout_s: int, storage_mb: int) -> CostRange:
        """From the first calls at 1 ms to every call at the largest size and the timeout.

        Each version starts once, which takes as long as Lambda lets it. Where there is a limit on
        the bill, it is the most.
        """
        least = (
            self.start_calls
            / len(self.start_mb)
            * sum(price.invocation_usd(size, 1, storage_mb=storage_mb) for size in self.start_mb)
        )
        largest_mb = max(self.sizes_mb)
        dearest = price.invocation_usd(largest_mb, timeout_s * 1000, storage_mb=storage_mb)
        start = price.invocation_usd(largest_mb, INIT_MAX_S * 1000, storage_mb=storage_mb)
        starts = min(len(self.sizes_mb), self.most_calls) + self.cold.most_calls
        most = (self.most_calls + self.cold.most_calls) * dearest + starts * start
        trial = _trial_cost(self.trial_mb, price, timeout_s, storage_mb)
        return CostRange(least + trial.least_usd, most + trial.most_usd).within(self.limits.max_usd)

    def expected_after(self, refused: int) -> int:
        """After how many calls the cost of the run is known about: when each start size is."""
        del refused
        return self.start_calls

    def expected_usd(
        self, first_calls: Sequence[Sample], price: LambdaPrice, *, storage_mb: int
    ) -> float:
        """What the run will cost if it takes as many calls as usual.

        Those to come will cost what the last ones at each size did, on average.
        """
        spent_usd = sum(_billed_usd(first_calls, price, storage_mb))
        last = {sample.memory_mb: sample for sample in first_calls if sample.billed_ms is not None}
        last_usd = _billed_usd(list(last.values()), price, storage_mb)
        to_come = max(0, self.usual_calls - len(first_calls))
        return spent_usd + to_come * (sum(last_usd) / len(last_usd) if last_usd else 0.0)


Plan = FixedPlan | AdaptivePlan


def _trial_cost(
    memory_mb: int | None, price: LambdaPrice, timeout_s: int, storage_mb: int
) -> CostRange:
    """What the call before the plan costs: from 1 ms to a start and a timeout."""
    if memory_mb is None:
        return CostRange(0.0, 0.0)
    longest_ms = (timeout_s + INIT_MAX_S) * 1000
    return CostRange(
        price.invocation_usd(memory_mb, 1, storage_mb=storage_mb),
        price.invocation_usd(memory_mb, longest_ms, storage_mb=storage_mb),
    )


def _billed_usd(samples: Sequence[Sample], price: LambdaPrice, storage_mb: int) -> list[float]:
    return [
        price.invocation_usd(s.memory_mb, s.billed_ms, storage_mb=storage_mb)
        for s in samples
        if s.billed_ms is not None
    ]


def doubts(plan: Plan, *, fewest_samples: int) -> tuple[str, ...]:
    """Why a plan can only be inconclusive, to be said before it is paid for."""
    found = []
    if plan.kind == "test":
        return ()
    if len(plan.sizes_mb) < 2:
        found.append("with one size there is nothing to choose from")
    if isinstance(plan, FixedPlan):
        if plan.samples_per_size < fewest_samples:
            found.append(
                f"--samples {plan.samples_per_size} cannot tell sizes apart, at least "
                f"{fewest_samples} can"
            )
    elif plan.most_calls < 2 * CALLS_TO_KNOW:
        found.append(
            f"--max-invocations leaves {plan.most_calls} calls to measure with, and comparing two "
            f"sizes takes {2 * CALLS_TO_KNOW}"
        )
    return tuple(f"this run can only be inconclusive: {doubt}" for doubt in found)
