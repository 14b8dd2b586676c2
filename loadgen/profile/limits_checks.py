"""The section `limits`: that the scenarios it names are there, and differ as they have to."""

from __future__ import annotations

from collections.abc import Iterator

from core.draft import Fault
from core.located_yaml import Path, Step
from loadgen.profile.draft import Draft
from loadgen.profile.load_checks import Names, names_at
from loadgen.profile.model import LimitsProbe
from loadgen.steps import METHODS

_OTHERS = ("method", "key", "stage")


def limits_faults(draft: Draft) -> Iterator[Fault]:
    """All that is wrong with `limits`, and with the stages of scenarios."""
    yield from _stage_faults(draft)
    section = draft.part(LimitsProbe, "limits")
    if section is not None and section.max_duration_s == 0:
        yield Fault(
            ("limits", "max_duration"), f"must be more than 0 {draft.got('limits', 'max_duration')}"
        )
    if draft.get("locustfile") is not None:
        for name in sorted(draft.given("limits") & {"scenario", "canary", *_OTHERS}):
            message = "what a locustfile sends is not known before: limits need scenarios"
            yield Fault(("limits", name), message)
        return
    known = names_at(draft, "scenarios")
    base = _scenario(draft, draft.text("limits", "scenario")) or _first(draft)
    for name in ("scenario", *_OTHERS, "canary"):
        yield from _named_faults(draft, ("limits", name), known, base)


def _named_faults(draft: Draft, path: Path, known: Names, base: Path | None) -> Iterator[Fault]:
    name = draft.text(*path)
    if name is None:
        return
    if found := known.fault("scenario", name, draft.got(*path)):
        yield Fault(path, found)
        return
    other = _scenario(draft, name)
    if other is None:
        return
    requests = _requests(draft, other)
    if requests != 1:
        message = f"its flow must send exactly one request, and sends {requests} {draft.got(*path)}"
        yield Fault(path, message)
    if path[-1] != "scenario" and base is not None:
        yield from _difference_faults(draft, path, base, other)


def _difference_faults(draft: Draft, path: Path, base: Path, other: Path) -> Iterator[Fault]:
    """That another scenario differs from the base in what it is named for."""
    of = f"scenario '{draft.text(*base, 'name')}', whose limit is looked for {draft.got(*path)}"
    if base == other:
        yield Fault(path, f"must be another one than {of}")
        return
    same_stage = draft.text(*base, "stage") == draft.text(*other, "stage")
    if path[-1] in ("stage", "canary") and same_stage:
        yield Fault(path, f"must have another stage than {of}")
    if path[-1] in ("method", "key") and not same_stage:
        yield Fault(path, f"must have the same stage as {of}")
    same_request = _request(draft, base) == _request(draft, other)
    if path[-1] == "method" and same_request:
        yield Fault(path, f"must have another method or path than {of}")
    if path[-1] in ("key", "stage") and not same_request:
        yield Fault(path, f"must send the same method and path as {of}")


def _stage_faults(draft: Draft) -> Iterator[Fault]:
    """That a scenario with a stage of its own has an API to find it in."""
    for path in draft.items("scenarios"):
        if draft.get(*path, "stage") is not None and draft.get("target", "function_url"):
            yield Fault((*path, "stage"), "a function URL has no stages")


def _first(draft: Draft) -> Path | None:
    """The first scenario that sends one request."""
    return next((one for one in draft.items("scenarios") if _requests(draft, one) == 1), None)


def _scenario(draft: Draft, name: str | None) -> Path | None:
    if name is None:
        return None
    return next((one for one in draft.items("scenarios") if draft.text(*one, "name") == name), None)


def _requests(draft: Draft, scenario: Path) -> int:
    return sum(bool(draft.given(*step) & set(METHODS)) for step in draft.items(*scenario, "flow"))


def _request(draft: Draft, scenario: Path) -> tuple[Step, object] | None:
    """The method and the path of the only request of a scenario."""
    for step in draft.items(*scenario, "flow"):
        for method in METHODS:
            if draft.get(*step, method) is not None:
                return method, draft.get(*step, method)
    return None
