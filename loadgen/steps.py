"""The requests of a profile, numbered: frames, records and tables name steps by these numbers."""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.profile.model import Profile, Step

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


@dataclass(frozen=True, slots=True)
class StepInfo:
    """A step that sends a request; `path` is as written, with its templates.

    `stage` is that of its scenario, None where it is the target's.
    """

    index: int
    scenario: str
    name: str
    method: str
    path: str
    stage: str | None = None


def method_and_path(step: Step) -> tuple[str, str] | None:
    """The method and the path of a step that sends a request; None of a pause to think."""
    for method in METHODS:
        path = getattr(step, method)
        if path is not None:
            return method.upper(), path
    return None


def step_infos(profile: Profile) -> tuple[StepInfo, ...]:
    """All steps that send requests, scenario after scenario, in the order of the file."""
    found: list[StepInfo] = []
    for scenario in profile.scenarios:
        for step in scenario.flow:
            request = method_and_path(step)
            if request is not None:
                method, path = request
                name = step.name or f"{method} {path}"
                found.append(
                    StepInfo(len(found), scenario.name, name, method, path, scenario.stage)
                )
    return tuple(found)
