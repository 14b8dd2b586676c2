"""What each phase of a plan meets, from the simulation: refusals by layer, calls at once, use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from loadgen.limits import Limits
from loadgen.outcome import Cause
from loadgen.preflight.calls import calls_at_once, function_calls
from loadgen.preflight.downstream import downstream_uses
from loadgen.preflight.planned import Planned
from loadgen.preflight.resending import resent
from loadgen.preflight.simulated import Simulated
from loadgen.profile.model import Profile
from loadgen.schedule import PhasePlan
from loadgen.steps import StepInfo
from reports.load_prediction import DownstreamUse, PhasePrediction, RefusedBy

RefusalReason = Literal["rate", "quota", "concurrency", "request_rate", "growth"]

USERS_DECIDE = "with users, what is sent follows from the answers"
SENT_AGAIN = "what clients send again"
SENT_LATER = "what clients of a phase before send again"
TOO_MANY = "the plan has more requests than are simulated"
DURATIONS_OF = "concurrency of"
NOT_READ = "limits that could not be read"


def predicted_phases(
    profile: Profile,
    phases: Sequence[PhasePlan],
    steps: Sequence[StepInfo],
    limits: Limits,
    simulated: Simulated,
    unsure: Mapping[int, Sequence[str]],
) -> list[PhasePrediction]:
    """Every phase as it is expected to go; `unsure` has more that is not known, by phase."""
    calls = function_calls(simulated)
    uses = downstream_uses(profile, steps, simulated.planned, simulated.ran)
    resending = resent(profile, phases, steps, simulated)
    found = []
    for phase in phases:
        why = _why_unknown(phase, simulated.planned)
        if why is not None:
            found.append(_unknown_phase(phase, why))
            continue
        rows = np.flatnonzero(simulated.planned.phase == phase.index)
        sent = rows[simulated.sent[rows]]
        refused = list(_refused(simulated, sent))
        retried = phase.index in resending.within
        unknown = [*_unknown_layers(limits, simulated, sent), *unsure.get(phase.index, ())]
        again = SENT_AGAIN if retried else ""
        if retried:
            unknown.append(SENT_AGAIN)
        elif phase.index in resending.later:
            unknown.append(SENT_LATER)
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
                throttled_share=None if retried else _share(refused, sent, unknown),
                if_nobody_retries=retried,
                binds=_binds(refused, unknown),
                binds_name=refused[0].name if refused else "",
                refused_by=refused,
                unknown=unknown,
                concurrency=list(calls_at_once(phase, profile, simulated, rows, calls, again)),
                downstream=[_unless(again, use.in_phase(phase, rows)) for use in uses],
            )
        )
    return found


def _unless(why_unknown: str, use: DownstreamUse) -> DownstreamUse:
    """The use of a downstream limit, without figures where nobody knows them."""
    if not why_unknown:
        return use
    figures = dict.fromkeys(("needed_rps", "needed_at_once", "short_share"))
    return use.model_copy(update={**figures, "unknown": why_unknown})


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
            found.append(f"concurrency of function {path.function}: its limit could not be read")
        elif pool in simulated.met.unknown:
            found.append(f"{DURATIONS_OF} {simulated.chain.pools[pool].name}")
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
