"""How keys that were used at the same time fared beside each other."""

from __future__ import annotations

from collections.abc import Iterable

from loadgen.auth.keys import PROFILE_KEY, auth_keys, key_of_step
from loadgen.measures import length_s
from loadgen.outcome import Outcome
from loadgen.profile.model import Auth, Profile
from loadgen.retry.timely import timely_totals
from loadgen.steps import step_infos
from loadgen.tally import Tally
from reports.load_fairness import Fairness, KeyFigures


def fairness_of(profile: Profile, tally: Tally) -> Fairness | None:
    """Keys beside each other; None where no measured phase used several.

    Where a key has its own phase, another one's load does not meet it there: such phases are left
    out. The same credentials at two places are one key.
    """
    steps = _steps_by_key(profile)
    if len(steps) < 2:
        return None
    shared = {
        phase: {key for key in steps if _completed(tally, phase, steps[key])}
        for phase in sorted(tally.measured)
    }
    phases = [phase for phase, used in shared.items() if len(used) > 1]
    if not phases:
        return None
    used = [key for key in steps if any(key in shared[phase] for phase in phases)]
    auths = auth_keys(profile)
    seconds = length_s(tally, phases)
    keys = [
        _figures(_name(profile, key), auths[key], tally, phases, steps[key], seconds)
        for key in used
    ]
    return Fairness(
        phases=[tally.phases[phase].name for phase in phases],
        keys=keys,
        jain_index=jain_index([key.admitted_share for key in keys]),
    )


def jain_index(shares: Iterable[float]) -> float | None:
    """(sum x)^2 / (n sum x^2), from 1/n to 1; None where all are 0.

    Source: Jain, Chiu, Hawe, "A quantitative measure of fairness and discrimination for resource
    allocation in shared computer systems", DEC TR-301, 1984.
    """
    values = list(shares)
    squares = sum(value**2 for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else None


def _steps_by_key(profile: Profile) -> dict[str, list[int]]:
    """The numbers of the steps of each auth, by the first key that has it."""
    auths = auth_keys(profile)
    found: dict[str, list[int]] = {}
    for step, key in enumerate(key_of_step(profile)):
        same = next((other for other in found if auths[other] == auths[key]), key)
        found.setdefault(same, []).append(step)
    return found


def _completed(tally: Tally, phase: int, steps: Iterable[int]) -> int:
    return sum(tally.totals((phase,), step).completed for step in steps)


def _figures(
    name: str, auth: Auth, tally: Tally, phases: list[int], steps: list[int], seconds: float
) -> KeyFigures:
    totals = [tally.totals(phases, step) for step in steps]
    timely = [timely_totals(tally, phases, step) or tally.totals(phases, step) for step in steps]
    offered = sum(one.completed for one in totals)
    throttled = sum(one.outcomes[Outcome.THROTTLED] for one in totals)
    admitted = offered - throttled
    return KeyFigures(
        name=name,
        auth=auth.type,
        offered=offered,
        admitted=admitted,
        throttled=throttled,
        admitted_share=admitted / offered if offered else 0.0,
        offered_rps=sum(one.completed for one in timely) / seconds if seconds else 0.0,
        admitted_rps=sum(one.admitted for one in timely) / seconds if seconds else 0.0,
    )


def _name(profile: Profile, key: str) -> str:
    kind, _, name = key.partition(":")
    if kind == "step":
        return f"step {step_infos(profile)[int(name)].name}"
    return PROFILE_KEY if key == PROFILE_KEY else f"scenario {name}"
