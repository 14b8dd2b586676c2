"""Puts a prediction together: what is read, the simulation, quotas, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from loadgen.preflight.chain import chain_of
from loadgen.preflight.costs import Counts, predicted_cost
from loadgen.preflight.durations import StepDuration, step_durations
from loadgen.preflight.path_reading import Path, read_path
from loadgen.preflight.phases import Simulated, predicted_phases
from loadgen.preflight.planned import ending_steps, planned_requests
from loadgen.preflight.simulation import simulate
from loadgen.preparation import Prepared
from loadgen.quota.report import quota_uses
from reports.load_prediction import KnownDuration, LoadPrediction


@dataclass(frozen=True, slots=True)
class Predicted:
    """A prediction, and what it was made from."""

    document: LoadPrediction
    path: Path
    durations: tuple[StepDuration | None, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prediction is to be made of; `given` are seconds by the name of a step."""

    now: datetime
    given: Mapping[str, float] = field(default_factory=dict)
    with_authorizers: bool = False


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
        with_authorizers=asked.with_authorizers,
        now=asked.now,
    )
    durations = step_durations(steps, asked.given, profile.durations, limits, path.history)
    chain = chain_of(
        limits,
        len(steps),
        path.warm,
        ending_steps(profile.scenarios),
        {function.step: function.timeout_s for function in prepared.functions},
    )
    planned = planned_requests(profile, prepared.phases, prepared.seed, durations)
    simulated = Simulated(planned, chain, simulate(planned, chain))
    is_whole = planned.until_s == np.inf and all(
        phase.kind in ("rate", "burst", "pause") for phase in prepared.phases
    )
    counts = _counts(simulated, len(steps)) if is_whole else None
    stage = prepared.resolved.api.settings if prepared.resolved.api is not None else None
    log = stage.access_log if stage is not None else None
    document = LoadPrediction(
        phases=predicted_phases(profile, prepared.phases, steps, limits, simulated),
        quotas=quota_uses(profile, limits, simulated if is_whole else None, asked.now),
        cost=predicted_cost(prepared.tariff, counts, durations, log.format if log else None),
        durations=_known(prepared, durations),
        notes=[*path.notes, *_notes(prepared)],
    )
    return Predicted(document, path, durations)


def utc_now() -> datetime:
    """The present moment, for `Asked`."""
    return datetime.now(UTC)


def _counts(simulated: Simulated, n_steps: int) -> Counts:
    step = simulated.planned.step

    def by_step(rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Sequence[int]:
        return [int(n) for n in np.bincount(step[rows], minlength=n_steps)]

    return Counts(by_step(simulated.sent), by_step(simulated.let_through), by_step(simulated.ran))


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


def _notes(prepared: Prepared) -> list[str]:
    """What the prediction does not take into account."""
    found = []
    profile = prepared.profile
    if profile.retry is not None or any(scenario.retry for scenario in profile.scenarios):
        found.append("what clients send again (retry) is not in the prediction")
    stage = prepared.resolved.api.settings if prepared.resolved.api is not None else None
    if stage is not None and stage.cached:
        found.append("the stage has a cache: what it answers does not reach the functions")
    if stage is not None and stage.web_acl:
        found.append("a web ACL stands before the stage: its rules are not read")
    return found
