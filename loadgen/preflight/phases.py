"""What each phase of a plan meets, from the simulation: refusals by layer, calls at once, use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from loadgen.limits import Limits
from loadgen.outcome import Cause
from loadgen.preflight.chain import Chain
from loadgen.preflight.concurrency import busiest_mean, mean_at_once, poisson_p99
from loadgen.preflight.downstream import downstream_uses
from loadgen.preflight.levels import in_flight
from loadgen.preflight.planned import Planned
from loadgen.preflight.simulation import ADMITTED, NOT_SENT, Met
from loadgen.profile.model import Profile
from loadgen.schedule import PhasePlan
from loadgen.steps import StepInfo
from reports.load_prediction import FunctionConcurrency, PhasePrediction, RefusedBy

RefusalReason = Literal["rate", "quota", "concurrency", "request_rate", "growth"]

USERS_DECIDE = "with users, what is sent follows from the answers"
TOO_MANY = "the plan has more requests than are simulated"
NOT_READ = "limits that could not be read"


@dataclass(frozen=True, slots=True)
class Simulated:
    """A plan with what becomes of it."""

    planned: Planned
    chain: Chain
    met: Met

    @property
    def ran(self) -> NDArray[np.bool_]:
        """Which requests are let through by all layers."""
        return np.asarray(self.met.fate == ADMITTED)

    @property
    def let_through(self) -> NDArray[np.bool_]:
        """Which requests API Gateway lets through: those that run, and those Lambda refuses."""
        return np.asarray(self.ran | (self.met.fate > len(self.chain.gates)))

    @property
    def sent(self) -> NDArray[np.bool_]:
        """Which requests are sent at all."""
        return np.asarray(self.met.fate != NOT_SENT)

    @property
    def sent_steps(self) -> NDArray[np.uint16]:
        """The steps of the requests that are sent."""
        return self.planned.step[self.sent]

    @property
    def through_steps(self) -> NDArray[np.uint16]:
        """The steps of the requests that API Gateway lets through."""
        return self.planned.step[self.let_through]

    def first_refusal_s(self, cause: Cause, name: str) -> float | None:
        """When a layer refuses for the first time, in seconds of the run."""
        numbers = [
            number + 1
            for number, layer in enumerate(self.met.layers)
            if layer.cause is cause and layer.name == name
        ]
        rows = np.flatnonzero(np.isin(self.met.fate, numbers))
        return float(self.planned.at_s[rows[0]]) if len(rows) else None


def predicted_phases(
    profile: Profile,
    phases: Sequence[PhasePlan],
    steps: Sequence[StepInfo],
    limits: Limits,
    simulated: Simulated,
) -> list[PhasePrediction]:
    """Every phase as it is expected to go."""
    at_once = _at_once(simulated)
    uses = downstream_uses(profile, steps, simulated.planned, simulated.ran)
    found = []
    for phase in phases:
        why = _why_unknown(phase, simulated.planned)
        if why is not None:
            found.append(_unknown_phase(phase, why))
            continue
        rows = np.flatnonzero(simulated.planned.phase == phase.index)
        sent = rows[simulated.sent[rows]]
        refused = list(_refused(simulated, sent))
        unknown = _unknown_layers(limits, simulated, sent)
        length_s = phase.to_s - phase.from_s
        found.append(
            PhasePrediction(
                name=phase.name,
                from_s=phase.from_s,
                to_s=phase.to_s,
                measured=phase.measured,
                planned=phase.words,
                requests=len(sent),
                rate_rps=len(sent) / length_s if length_s >= 1.0 else None,
                throttled_share=_share(refused, sent, unknown),
                binds=_binds(refused, unknown),
                binds_name=refused[0].name if refused else "",
                refused_by=refused,
                unknown=unknown,
                concurrency=list(_concurrency(limits, phase, profile, simulated, rows, at_once)),
                downstream=[use.in_phase(phase, rows) for use in uses],
            )
        )
    return found


def _why_unknown(phase: PhasePlan, planned: Planned) -> str | None:
    if phase.kind not in ("rate", "burst", "pause"):
        return USERS_DECIDE if phase.kind == "users" else "its rates follow from the answers"
    return TOO_MANY if phase.to_s > planned.until_s else None


def _unknown_phase(phase: PhasePlan, why: str) -> PhasePrediction:
    return PhasePrediction(
        name=phase.name,
        from_s=phase.from_s,
        to_s=phase.to_s,
        measured=phase.measured,
        planned=phase.words,
        requests=None,
        rate_rps=None,
        throttled_share=None,
        binds=None,
        unknown=[why],
    )


def _refused(simulated: Simulated, sent: NDArray[np.int64]) -> Iterator[RefusedBy]:
    """The layers that refuse, the one that refuses most first."""
    counts = np.bincount(
        simulated.met.fate[sent].astype(np.int64), minlength=len(simulated.met.layers) + 1
    )
    for number in np.argsort(-counts[1:], kind="stable").tolist():
        if not counts[number + 1]:
            return
        layer = simulated.met.layers[number]
        reason: RefusalReason = "quota" if layer.cause is Cause.QUOTA else layer.reason
        yield RefusedBy(
            layer=layer.cause.name.lower(),
            name=layer.name,
            reason=reason,
            share=float(counts[number + 1]) / len(sent),
        )


def _unknown_layers(limits: Limits, simulated: Simulated, sent: NDArray[np.int64]) -> list[str]:
    """The layers on the paths of a phase of which nobody knows whether they bind."""
    used = set(np.unique(simulated.planned.step[sent]).tolist())
    found: list[str] = []
    for path in limits.steps:
        if path.step not in used or path.turned_away is not None:
            continue
        if not path.complete:
            found.append(NOT_READ)
        if path.quota is not None and path.quota.left is None:
            found.append(f"quota of {path.quota.name}: its use could not be read")
        if path.function is None:
            continue
        pool = simulated.chain.steps[path.step].pool
        if pool is None:
            found.append(f"concurrency of {path.function}: its limit could not be read")
        elif pool in simulated.met.unknown:
            found.append(f"concurrency of {simulated.chain.pools[pool].name}")
    known = {path.step for path in limits.steps}
    if used - known:
        found.append(NOT_READ)
    return list(dict.fromkeys(found))


def _share(
    refused: Sequence[RefusedBy], sent: NDArray[np.int64], unknown: Sequence[str]
) -> float | None:
    """The share that known layers refuse; None where they refuse nothing and others may."""
    if not len(sent) or (unknown and not refused):
        return None
    return sum(each.share for each in refused)


def _binds(refused: Sequence[RefusedBy], unknown: Sequence[str]) -> str | None:
    if refused:
        return refused[0].layer
    return None if unknown else "none"


# -- calls at once --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Function:
    """The calls of a function in the whole plan: rows in order, and how many run at each."""

    rows: NDArray[np.int64]
    at_once: NDArray[np.int64] | None  # None: durations are not known


def _at_once(simulated: Simulated) -> dict[str, _Function]:
    found: dict[str, _Function] = {}
    planned, ran = simulated.planned, simulated.ran
    for name in sorted({step.function for step in simulated.chain.steps if step.function}):
        steps = [n for n, step in enumerate(simulated.chain.steps) if step.function == name]
        rows = np.flatnonzero(np.isin(planned.step, steps) & ran)
        runs_s = planned.runs_s[rows]
        known = len(rows) > 0 and not np.isnan(runs_s).any()
        found[name] = _Function(rows, in_flight(planned.at_s[rows], runs_s) if known else None)
    return found


def _concurrency(
    limits: Limits,
    phase: PhasePlan,
    profile: Profile,
    simulated: Simulated,
    rows: NDArray[np.int64],
    functions: dict[str, _Function],
) -> Iterator[FunctionConcurrency]:
    planned, chain = simulated.planned, simulated.chain
    for name, function in functions.items():
        mine = np.isin(function.rows, rows)
        if not mine.any():
            continue
        pool = next((step.pool for step in chain.steps if step.function == name), None)
        limit = None if pool is None else chain.pools[pool].limit
        limit_name = "" if pool is None else chain.pools[pool].name
        unknown = function.at_once is None or pool in simulated.met.unknown
        if function.at_once is None or (pool is not None and unknown):
            yield FunctionConcurrency(
                function=name,
                mean=None,
                p99=None,
                most=None,
                limit=limit,
                limit_name=limit_name,
                unknown="its duration is not known"
                if function.at_once is None
                else "durations of functions that share its limit are not known",
            )
            continue
        taken = function.rows[mine]
        at_s, runs_s = planned.at_s[taken], planned.runs_s[taken]
        steady = isinstance(profile.load.phases[phase.index].rate, int | float)
        mean = mean_at_once(runs_s, phase.to_s - phase.from_s)
        peak = mean if steady else busiest_mean(at_s, runs_s, phase.from_s, phase.to_s)
        p99 = None if peak is None else float(poisson_p99(peak))
        yield FunctionConcurrency(
            function=name,
            mean=mean,
            p99=p99 if p99 is None or limit is None else min(p99, float(limit)),
            most=int(function.at_once[mine].max()),
            limit=limit,
            limit_name=limit_name,
        )
