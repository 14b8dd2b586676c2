"""Durations and downstream limits: that they say something, and of steps that there are."""

from __future__ import annotations

from collections.abc import Iterator

from core.draft import Fault
from core.located_yaml import Path
from loadgen.profile.draft import Draft
from loadgen.profile.load_checks import Names
from loadgen.profile.model import Downstream


def downstream_faults(draft: Draft, steps: Names) -> Iterator[Fault]:
    """All that is wrong with `durations` and `downstream`; `steps` are the names of steps."""
    if draft.get("locustfile") is None:
        for name in draft.mapping("durations"):
            yield from _step_fault(draft, ("durations", name), name, f"(got '{name}')", steps)
    seen = set[str]()
    for path in draft.items("downstream"):
        if draft.mapping(*path) and not draft.given(*path) & {"rate", "concurrency"}:
            yield Fault(path, "needs rate or concurrency")
        if draft.get(*path, "burst") is not None and draft.get(*path, "rate") is None:
            yield Fault((*path, "burst"), "goes with rate")
        yield from _size_faults(draft, path)
        given = draft.text(*path, "name")
        if given is not None and given in seen:
            got = draft.got(*path, "name")
            yield Fault((*path, "name"), f"another one has the same name {got}")
        seen |= {given} if given is not None else set()
        for each in draft.items(*path, "steps"):
            step = draft.text(*each)
            if step is not None:
                yield from _step_fault(draft, each, step, draft.got(*each), steps)


def _size_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    """Limits that no single request fits into."""
    limit = draft.part(Downstream, *path)
    if limit is None:
        return
    for key, most in (("burst", limit.burst), ("concurrency", limit.concurrency)):
        if most is not None and most < limit.per_request:
            got = draft.got(*path, key)
            yield Fault((*path, key), f"must be at least per_request, {limit.per_request:g} {got}")


def _step_fault(draft: Draft, path: Path, name: str, got: str, steps: Names) -> Iterator[Fault]:
    if draft.get("locustfile") is not None:
        return  # its requests are named when they are sent
    if found := steps.fault("step", name, got):
        yield Fault(path, found)
