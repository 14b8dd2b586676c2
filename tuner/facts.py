"""What is known about a run besides its samples; collected while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.aws.always_on import ServerPrices, bundled_server_prices
from core.aws.prices import LambdaPrice, PriceTable
from core.errors import ExitCode
from reports.document import Budget
from tuner.budget import LimitName, Limits
from tuner.call_rules import CallRules
from tuner.hook_kinds.asked import NO_HOOKS_ASKED, HooksAsked, recorded_hook
from tuner.objective import Goal
from tuner.payload_mix import PayloadMix
from tuner.plan import FixedPlan, Plan
from tuner.sample import Sample
from tuner.target import Target
from tuner.usage import Usage


@dataclass(slots=True)
class RunFacts:
    """One run: what it works on, what it was told, and how it ended.

    `error_code` and `stop_code` are set when an error or a signal kept the plan from being done,
    `ended_by` when a limit of the user did. `left_behind` says what of the run's changes could not
    be undone: samples are good all the same. `counted_usd` is what counts against a limit on the
    bill: with lost calls, which may be billed. `trial` is the call before anything was changed.
    `tenant_id` is whom all calls are for, where the function isolates tenants.
    """

    run_id: str
    target: Target
    plan: Plan
    payloads: PayloadMix
    price: LambdaPrice
    price_table: PriceTable
    region: str
    account: str | None
    endpoint: str | None
    command: Sequence[str]
    started: datetime
    server_prices: ServerPrices = field(default_factory=bundled_server_prices)
    goal: Goal = field(default_factory=lambda: Goal("cost"))
    limits: Limits = field(default_factory=Limits)
    usage: Usage = field(default_factory=Usage)
    refused_sizes: Mapping[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    stop_code: ExitCode | None = None
    error_code: ExitCode | None = None
    left_behind: str | None = None
    ended_by: LimitName | None = None
    counted_usd: float = 0.0
    trial: Sample | None = None
    calls: CallRules = field(default_factory=CallRules)
    tenant_id: str | None = None
    hooks: HooksAsked = NO_HOOKS_ASKED

    @property
    def budget(self) -> Budget | None:
        """The limits of the user for the record; None where there were none."""
        limits = self.limits
        if limits == Limits():
            return None
        return Budget(
            max_invocations=limits.max_invocations,
            max_usd=limits.max_usd,
            max_seconds=limits.max_seconds,
            ended_by=self.ended_by,
        )

    def cost_usd(self, memory_mb: int, billed_ms: float) -> float:
        """What a call at a size costs by its billed time, in USD."""
        return self.price.invocation_usd(memory_mb, billed_ms, storage_mb=self.target.storage_mb)

    @property
    def trial_usd(self) -> float:
        """What the trial cost, as far as it is known, in USD."""
        if self.trial is None or self.trial.billed_ms is None:
            return 0.0
        return self.cost_usd(self.trial.memory_mb, self.trial.billed_ms)

    @property
    def has_fewer_invocations(self) -> bool:
        """Whether the user allows an adaptive plan fewer invocations than it would make at most."""
        return not isinstance(self.plan, FixedPlan) and (
            self.plan.most_calls < self.plan.effort.most_calls
        )

    def table_mb(self, samples: Sequence[Sample]) -> tuple[int, ...]:
        """The sizes that the answer has to tell of: planned, invoked or refused ones.

        Of the candidates of an adaptive plan most were never meant to be invoked.
        """
        told = {sample.memory_mb for sample in samples} | set(self.refused_sizes)
        return tuple(sorted(told.union(self._planned_mb)))

    @property
    def candidates_mb(self) -> tuple[int, ...] | None:
        """The sizes that an adaptive plan chooses among; None for a fixed plan."""
        return None if isinstance(self.plan, FixedPlan) else self.plan.sizes_mb

    @property
    def _planned_mb(self) -> tuple[int, ...]:
        return self.plan.sizes_mb if isinstance(self.plan, FixedPlan) else ()


def recorded_command(words: Sequence[str]) -> list[str]:
    """`words` of a command line for the record, without what may hold secrets.

    That is the payload, and the arguments of the command of a hook.
    Bytes that are no UTF-8, such as those of an odd file name, become U+FFFD.
    """
    shown: list[str] = []
    option = ""
    for word in words:
        if option:
            shown.append(_HIDDEN[option](word))
            option = ""
            continue
        name, equals, value = word.partition("=")
        if name in _HIDDEN and equals:
            shown.append(f"{name}={_HIDDEN[name](value)}")
        else:
            shown.append(word)
            option = word if word in _HIDDEN else ""
    return [word.encode(errors="surrogateescape").decode(errors="replace") for word in shown]


# How the value of an option is recorded, where not as it is.
_HIDDEN: Mapping[str, Callable[[str], str]] = {
    "--payload-json": lambda _: "<payload>",
    "--pre": recorded_hook,
    "--post": recorded_hook,
    "--check": recorded_hook,
}
