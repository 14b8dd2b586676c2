"""What a probe would send and be admitted, by running its plan against the configured limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.limits import Limits
from loadgen.outcome import Cause, Outcome
from loadgen.probe.plan import probe
from loadgen.probe.seen import Seen
from loadgen.probe.setup import Setup
from loadgen.probe.simulated import ConfiguredApi, simulate
from loadgen.steps import StepInfo


@dataclass(frozen=True, slots=True)
class Prediction:
    """A probe in virtual time; `admitted_by_step` is what would be billed."""

    seen: Seen
    length_s: float
    admitted_by_step: tuple[float, ...]
    known: bool  # whether a throttle of the path is known

    @property
    def admitted(self) -> float:
        """All that would be admitted."""
        return sum(self.admitted_by_step)


def predict(
    setup: Setup, limits: Limits, steps: Sequence[StepInfo], step_of: dict[int, int], seed: int
) -> Prediction:
    """Runs the plan against the limits that are known; what is not known refuses nothing."""
    of_step = {one.step: one.buckets for one in limits.steps}
    paths = [of_step.get(step.index, ()) for step in steps]
    simulation = simulate(probe(setup), ConfiguredApi(paths), step_of, seed=seed)
    counts: Counter[int] = Counter()
    for _, sent in simulation.sent:
        throttled = sent.records["kind"] >> 12 == Outcome.THROTTLED
        counts.update(sent.records["step"][~throttled].tolist())
    return Prediction(
        simulation.found,
        simulation.length_s,
        tuple(float(counts[step.index]) for step in steps),
        known=bool(of_step.get(setup.base.step)),
    )


def is_of_account(setup: Setup, limits: Limits) -> bool:
    """Whether the configuration says that the bucket of the account is the first to bind."""
    path = next((one for one in limits.steps if one.step == setup.base.step), None)
    if path is None or not path.complete:
        return False
    account = [one.rate_rps for one in path.buckets if one.layer is Cause.ACCOUNT]
    inner = [one.rate_rps for one in path.buckets if one.layer is not Cause.ACCOUNT]
    return bool(account) and all(rate >= account[0] for rate in inner)
