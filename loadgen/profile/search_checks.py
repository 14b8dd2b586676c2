"""What a phase that searches needs: bounds, an SLO that can be tested, and its place."""

from __future__ import annotations

from collections.abc import Iterator

from core.draft import Fault
from core.located_yaml import Path
from loadgen.profile.draft import Draft
from loadgen.profile.model import Load, Phase
from loadgen.profile.text_checks import parsed_or_fault
from loadgen.search.criterion import criterion_of

SEARCH_KEYS = frozenset({"bounds", "slo", "step", "confidence", "cool_down", "resolution"})
_SHORTEST_STEP_S = 1.0
_CONFIDENCE = (0.5, 0.999)
_RESOLUTION = (0.005, 0.5)


def search_faults(draft: Draft) -> Iterator[Fault]:
    """All that is wrong with phases that search."""
    phases = list(draft.items("load", "phases"))
    for path in phases:
        if draft.get(*path, "search") is None:
            continue
        if path != phases[-1]:
            yield Fault((*path, "search"), "must be the last phase: how long it takes is not known")
        yield from _missing(draft, path)
        yield from _value_faults(draft, path)
        for item in draft.items(*path, "slo"):
            if found := parsed_or_fault(draft, item, criterion_of, "condition of an SLO"):
                yield Fault(item, found)
        yield from _arrival_faults(draft, path)


def _missing(draft: Draft, path: Path) -> Iterator[Fault]:
    given = draft.given(*path)
    if "bounds" not in given:
        yield Fault((*path, "bounds"), "is missing: search needs it, such as [20, 400]")
    if "slo" not in given or draft.get(*path, "slo") == []:
        message = 'is missing: search needs it, such as ["p95(ok_response) < 300ms"]'
        yield Fault((*path, "slo"), message)


def _value_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    phase = draft.part(Phase, *path)
    if phase is None:
        return
    if phase.bounds is not None and not 0 < phase.bounds[0] < phase.bounds[1]:
        message = f"must be two rates above 0, the lower one first {draft.got(*path, 'bounds')}"
        yield Fault((*path, "bounds"), message)
    if phase.step_s < _SHORTEST_STEP_S:
        yield Fault((*path, "step"), f"must be at least 1s {draft.got(*path, 'step')}")
    for key, value, (least, most) in (
        ("confidence", phase.confidence, _CONFIDENCE),
        ("resolution", phase.resolution, _RESOLUTION),
    ):
        if not least <= value <= most:
            message = f"must be from {least:.4g} to {most:.4g} {draft.got(*path, key)}"
            yield Fault((*path, key), message)
    if draft.get(*path, "measure") is False:
        yield Fault((*path, "measure"), "does not go with search, whose figures are its answer")


def _arrival_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    load = draft.part(Load, "load")
    if load is not None and not isinstance(load.arrivals, str):
        message = "arrivals in groups cannot be searched: load.arrivals must be poisson or uniform"
        yield Fault((*path, "search"), message)
