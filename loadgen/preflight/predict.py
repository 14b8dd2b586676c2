"""Puts a prediction together: what is read, the simulation, quotas, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from loadgen.preflight.authorizers import AuthorizerUse, authorizer_uses, unread_steps
from loadgen.preflight.chain import chain_of
from loadgen.preflight.costs import Counts, predicted_cost
from loadgen.preflight.durations import StepDuration, step_durations
from loadgen.preflight.path_reading import Path, read_path
from loadgen.preflight.phases import predicted_phases
from loadgen.preflight.planned import Planned, ending_steps, planned_requests
from loadgen.preflight.simulated import Simulated
from loadgen.preflight.simulation import simulate
from loadgen.preparation import Prepared
from loadgen.profile.model import Profile
from loadgen.quota.projection import period_end
from loadgen.quota.report import quota_uses
from loadgen.quota.use import used_quotas
from loadgen.retry.policy import attempts_by_step
from reports.load_prediction import KnownDuration, LoadPrediction, PhasePrediction


@dataclass(frozen=True, slots=True)
class Predicted:
    """A prediction, and what it was made from."""

    document: LoadPrediction
    path: Path
    durations: tuple[StepDuration | None, ...]
    authorizers: Sequence[AuthorizerUse] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prediction is to be made of; `given` are seconds by the name of a step."""

    now: datetime
    given: Mapping[str, float] = field(default_factory=dict)


def is_predictable(prepared: Prepared) -> bool:
    """Whether there is anything to say: a limit on a path, or one that the profile names."""
    profile = prepared.profile
    known = any(path.hit is not None or path.turned_away for path in prepared.limits.steps)
    return profile.locustfile is None and (known or bool(profile.downstream))


def predict(prepared: Prepared, asked: Asked) -> Predicted:
    """What the load of a prepared run will meet. Reads metrics and provisioned concurrency."""
    profile, limits, steps = prepared.profile, prepared.limits, prepared.steps
    path = read_path(
        limits,
        prepared.resolved.api,
        prepared.session if profile.aws.discover else None,
        with_metrics=profile.aws.metrics,
        timed={step.index for step in steps if step.name in {*asked.given, *profile.durations}},
        now=asked.now,
    )
    durations = step_durations(steps, asked.given, profile.durations, limits, path.history)
    timeouts_s = {function.step: function.timeout_s for function in prepared.functions}
    ending = ending_steps(profile.scenarios)
    chain = chain_of(limits, len(steps), path.warm, ending, timeouts_s)
    planned = planned_requests(profile, prepared.phases, prepared.seed, durations, timeouts_s)
    simulated = Simulated(planned, chain, simulate(planned, chain))
    authorizers = authorizer_uses(limits, path, planned, chain)
    is_whole = planned.until_s == np.inf and all(
        phase.kind in ("rate", "burst", "pause") for phase in prepared.phases
    )
    unsure = _unsure(prepared, simulated, path, authorizers)
    counts = _counts(simulated, profile) if is_whole else None
    stage = prepared.resolved.api.settings if prepared.resolved.api is not None else None
    log = stage.access_log if stage is not None else None
    phases = predicted_phases(profile, prepared.phases, steps, limits, simulated, unsure)
    again = _sent_again(phases, planned)
    document = LoadPrediction(
        phases=phases,
        quotas=quota_uses(profile, limits, simulated if is_whole else None, asked.now, again),
        cost=predicted_cost(
            prepared.tariff, counts, durations, log.format if log else None, _besides(path)
        ),
        durations=_known(prepared, durations),
        notes=[*path.notes, *_notes(prepared, asked.now)],
    )
    return Predicted(document, path, durations, authorizers)


def _sent_again(phases: Sequence[PhasePrediction], planned: Planned) -> set[int]:
    """The steps of phases in which clients send more than the plan has."""
    open_phases = [number for number, phase in enumerate(phases) if phase.if_nobody_retries]
    return set(np.unique(planned.step[np.isin(planned.phase, open_phases)]).tolist())


def _unsure(
    prepared: Prepared, simulated: Simulated, path: Path, authorizers: Sequence[AuthorizerUse]
) -> Mapping[int, Sequence[str]]:
    """What of authorizers is not known, by phase."""
    found: dict[int, list[str]] = {}
    for use in authorizers:
        for phase in use.may_refuse:
            found.setdefault(phase, []).append(f"concurrency of authorizer {use.name}")
    planned = simulated.planned
    rows = np.isin(planned.step, unread_steps(prepared.limits, path))
    for phase in np.unique(planned.phase[rows]).tolist():
        found.setdefault(phase, []).append("an authorizer that could not be read")
    return found


def utc_now() -> datetime:
    """The present moment, for `Asked`."""
    return datetime.now(UTC)


def _counts(simulated: Simulated, profile: Profile) -> Counts:
    step, attempts = simulated.planned.step, attempts_by_step(profile)

    def by_step(rows: NDArray[np.bool_]) -> Sequence[int]:
        return [int(n) for n in np.bincount(step[rows], minlength=len(attempts))]

    planned = by_step(np.ones(len(step), np.bool_))
    most = [count * times for count, times in zip(planned, attempts, strict=True)]
    return Counts(most, by_step(simulated.let_through), by_step(simulated.ran))


def _besides(path: Path) -> list[str]:
    """What costs something too, and is in no part of the cost."""
    found = []
    if any(authorizer.kind == "lambda" for authorizer in path.authorizers.values()):
        found.append("calls of authorizers")
    if any(provisioned is not None for provisioned in path.provisioned.values()):
        found.append("provisioned concurrency, whose hours cost and whose calls cost less")
    return found


def _known(prepared: Prepared, durations: Sequence[StepDuration | None]) -> list[KnownDuration]:
    return [
        KnownDuration(
            step=step.name,
            mean_ms=known.mean_ms,
            p50_ms=known.p50_ms,
            p99_ms=known.p99_ms,
            source=known.source,
        )
        for step, known in zip(prepared.steps, durations, strict=True)
        if known is not None
    ]


def _notes(prepared: Prepared, now: datetime) -> list[str]:
    """What the prediction does not take into account."""
    found = []
    profile = prepared.profile
    if profile.retry is not None or any(scenario.retry for scenario in profile.scenarios):
        found.append(
            "what clients send again (retry) is in the highest cost, and else not in the prediction"
        )
    found += [
        f"data.{name} may end before the plan does: its rows are not counted here"
        for name, feed in profile.data.items()
        if feed.order == "unique" or feed.on_end == "stop"
    ]
    end = now + timedelta(seconds=prepared.expected.duration_s)
    found += [
        f"the period of the quota of {used.quota.name} ends within the run: its new one is not in "
        "the prediction"
        for used in used_quotas(prepared.limits)
        if period_end(used.quota.period, now.astimezone(UTC).date()) < end.astimezone(UTC).date()
    ]
    stage = prepared.resolved.api.settings if prepared.resolved.api is not None else None
    if stage is not None and stage.cached:
        found.append("the stage has a cache: what it answers does not reach the functions")
    if stage is not None and stage.web_acl:
        found.append("a web ACL stands before the stage: its rules are not read")
    return found
