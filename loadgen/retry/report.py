"""From the books of modelled clients to their part of the result document."""

from __future__ import annotations

from collections.abc import Collection

from loadgen.histogram import Histogram
from loadgen.measures import length_s
from loadgen.profile.model import Profile
from loadgen.retry.books import AttemptSums
from loadgen.retry.cells import Fate
from loadgen.retry.policy import fleets_of, models_clients
from loadgen.retry.timely import window_of
from loadgen.tally import Tally
from reports.load_retries import (
    Attempt,
    GaveUp,
    ModelledClients,
    Operations,
    RetryReport,
    RetrySecond,
    RetryTimes,
)

_PERCENTS = (50.0, 95.0, 99.0)


def retry_report(profile: Profile, tally: Tally) -> RetryReport | None:
    """What modelled clients did; None where the profile has none, or none sent anything."""
    if not models_clients(profile) or not tally.retries:
        return None
    measured, measured_s = tally.measured, length_s(tally, tally.measured)
    return RetryReport(
        clients=_clients(profile),
        whole=_operations("all", tally, measured, measured_s),
        steps=[
            _operations(step.name, tally, measured, measured_s, step.index) for step in tally.steps
        ],
        phases=[
            _operations(plan.name, tally, (plan.index,), length_s(tally, (plan.index,)))
            for plan in tally.phases
            if tally.retries.operations((plan.index,)).begun
        ],
        attempts=_attempts(tally, measured),
        seconds=_seconds(tally),
    )


def _operations(
    name: str, tally: Tally, phases: Collection[int], length: float, step: int | None = None
) -> Operations:
    sums = tally.retries.operations(phases, step)
    timely = [tally.retries.within(window_of(tally, phase), phase, step) for phase in phases]
    requests = sum(one.requests for one in timely)
    return Operations(
        name=name,
        operations=sums.begun,
        ok=sums.of(Fate.OK),
        failed=sums.of(Fate.FAILED),
        gave_up=GaveUp(
            attempts=sums.of(Fate.ATTEMPTS),
            quota=sums.of(Fate.QUOTA),
            run_ended=sums.of(Fate.RUN_ENDED),
        ),
        cut=sums.cut,
        requests=sums.requests,
        amplification=sums.requests / sums.begun if sums.begun else None,
        offered_rps=_per_second(sums.begun, length),
        late=sums.requests - requests,
        wire_rps=_per_second(requests, length),
        goodput_rps=_per_second(sum(one.answered for one in timely), length),
        latency_ms=_times(Histogram.merged((sums.ok_latency, sums.other_latency))),
        ok_latency_ms=_times(sums.ok_latency),
    )


def _attempts(tally: Tally, phases: Collection[int]) -> list[Attempt]:
    return [_attempt(number, sums) for number, sums in tally.retries.attempts(phases).items()]


def _attempt(number: int, sums: AttemptSums) -> Attempt:
    return Attempt(
        attempt=number,
        sent=sums.sent,
        completed=sums.completed,
        ok=sums.ok,
        held=sums.held,
        held_mean_ms=sums.held_us / sums.held / 1000 if sums.held else None,
        response_ms=_times(sums.response),
    )


def _seconds(tally: Tally) -> list[RetrySecond]:
    found = []
    for second, sums in tally.retries.seconds().items():
        plan = tally.phase_of(second)
        found.append(
            RetrySecond(
                second=second,
                phase=plan.name if plan else "",
                operations=sums.begun,
                ok=sums.answered,
                first=sums.first,
                retries=sums.retries,
            )
        )
    return found


def _clients(profile: Profile) -> list[ModelledClients]:
    injectors = profile.load.processes
    found: dict[str, ModelledClients] = {}
    for injector in range(injectors):
        for scenario, fleet in fleets_of(profile, injector, injectors).items():
            before = found[scenario].clients if scenario in found else 0
            found[scenario] = ModelledClients(
                scenario=scenario,
                mode=fleet.policy.mode,
                clients=before + fleet.clients,
                max_attempts=fleet.policy.max_attempts,
                quota=None if fleet.policy.mode == "none" else fleet.policy.quota,
            )
    return list(found.values())


def _times(histogram: Histogram) -> RetryTimes | None:
    if not histogram.n:
        return None
    p50, p95, p99 = (value / 1000 for value in histogram.percentiles(_PERCENTS))
    return RetryTimes(p50=p50, p95=p95, p99=p99, max=histogram.max_us / 1000, n=histogram.n)


def _per_second(count: int, length: float) -> float:
    return count / length if length else 0.0
