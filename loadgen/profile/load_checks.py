"""The schedule of a profile: which keys its phases need, and what names they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.draft import Fault, file_fault
from core.located_model import did_you_mean
from core.located_yaml import Path, Value
from loadgen.profile.draft import Draft
from loadgen.profile.model import Load, Phase, RangeBetween, RangeExponential, Steps
from loadgen.profile.search_checks import SEARCH_KEYS, search_faults
from loadgen.profile.target_checks import exactly_one
from reports.figures import listed

_SENDING = {"open": ("rate", "burst", "search"), "closed": ("users",)}
# What each of these needs besides, and may have.
_COMPANIONS: Mapping[str, frozenset[str]] = {
    "rate": frozenset({"duration"}),
    "users": frozenset({"duration"}),
    "burst": frozenset({"duration", "within"}),
    "pause": frozenset(),
    "search": SEARCH_KEYS,
}
_NEEDS_DURATION = frozenset({"rate", "users"})
_OF_OPEN = ("arrivals", "unit")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a profile defines, and which of them may be shown in suggestions."""

    all: frozenset[str]
    shown: frozenset[str]

    def fault(self, kind: str, name: str, got: str) -> str | None:
        """What is wrong with a name that is used, or None if it is known."""
        if name in self.all:
            return None
        return f"there is no {kind} of this name {_joined(got, did_you_mean(name, self.shown))}"


def names_at(draft: Draft, *path: str | int) -> Names:
    """The `name` of each item of a list."""
    found = [(item, draft.text(*item, "name")) for item in draft.items(*path)]
    return Names(
        frozenset(name for _, name in found if name),
        frozenset(name for item, name in found if name and not draft.is_hidden(*item, "name")),
    )


def load_faults(draft: Draft) -> Iterator[Fault]:
    """All that is wrong with the model and its phases."""
    load = draft.mapping("load")
    model = "closed" if load.get("model") == "closed" else "open"
    if model == "open" and load.get("think") is not None:
        message = "only users of the closed model think between iterations: write it as a step"
        yield Fault(("load", "think"), message)
    for key in _OF_OPEN:
        if model == "closed" and load.get(key) is not None:
            yield Fault(("load", key), "only the open model has this")
    part = draft.part(Load, "load")
    if part is not None:
        yield from think_faults(part.think, ("load", "think"))
    yield from repeated_names(draft, "load", "phases")
    scenarios = names_at(draft, "scenarios")
    for path in draft.items("load", "phases"):
        if draft.mapping(*path):
            yield from _phase_faults(draft, path, model)
            yield from _phase_scenario_faults(draft, path, scenarios)
    yield from _measured_faults(draft)
    yield from search_faults(draft)


def source_faults(draft: Draft) -> Iterator[Fault]:
    """That there are scenarios or a locustfile, and what a locustfile needs."""
    has_scenarios = draft.get("scenarios") not in (None, [])
    if draft.get("locustfile") is None:
        if not has_scenarios:
            yield Fault(("scenarios",), "is missing: a profile has scenarios, or a locustfile")
        return
    if has_scenarios:
        yield Fault(("locustfile",), "takes the place of scenarios: a profile has one of the two")
    if draft.get("load", "model") != "closed":
        message = "users of a locustfile need load.model: closed"
        yield Fault(("locustfile",), message)
    path = ("locustfile", "file")
    found = file_fault(draft, *path)
    if found is None and not (draft.text(*path) or ".py").endswith(".py"):
        found = f"must be a Python file {draft.got(*path)}"
    if found:
        yield Fault(path, found)


def repeated_names(draft: Draft, *path: str | int) -> Iterator[Fault]:
    """Of items of a list whose name an earlier one has."""
    first: dict[str, Path] = {}
    for item in draft.items(*path):
        name = draft.text(*item, "name")
        if name is not None and first.setdefault(name, item) != item:
            line = draft.document.place((*first[name], "name")).line
            got = draft.got(*item, "name")
            yield Fault((*item, "name"), f"is in use already, in line {line} {got}")


def think_faults(
    think: float | RangeBetween | RangeExponential | None, path: Path
) -> Iterator[Fault]:
    """Of a time to think."""
    if isinstance(think, RangeBetween) and think.between[0] > think.between[1]:
        yield Fault((*path, "between"), "must have the shorter duration first")
    if isinstance(think, RangeExponential) and think.exponential == 0:
        yield Fault((*path, "exponential"), "must be more than 0")


def _joined(got: str, hint: str) -> str:
    """`(got 'x')` and ` (did you mean y?)` as one parenthesis."""
    return f"{got[:-1]}; {hint.strip(' ()')})" if hint else got


def _phase_faults(draft: Draft, path: Path, model: str) -> Iterator[Fault]:
    given = draft.given(*path)
    sending = _SENDING[model]
    choices = (*sending, "pause")
    found = [key for key in choices if key in given]
    every = ("rate", "burst", "users", "search")
    other = [key for key in every if key in given and key not in sending]
    for key in other:
        needed = "closed" if key == "users" else "open"
        message = f"needs load.model: {needed}; a phase here has {listed(choices, last='or')}"
        yield Fault((*path, key), message)
    if not other:
        yield from exactly_one(draft, Phase, path, choices)
    if len(found) + len(other) == 1:
        yield from _companion_faults(given, path, (found or other)[0])
    yield from _value_faults(draft, path)


def _companion_faults(given: frozenset[str], path: Path, kind: str) -> Iterator[Fault]:
    if kind in _NEEDS_DURATION and "duration" not in given:
        yield Fault((*path, "duration"), f"is missing: {kind} needs it")
    for key in sorted(given & ({"duration", "within"} | SEARCH_KEYS) - _COMPANIONS[kind]):
        hint = ": write pause: 30s alone" if kind == "pause" else ""
        yield Fault((*path, key), f"does not go with {kind}{hint}")
    if kind == "pause" and "scenarios" in given:
        yield Fault((*path, "scenarios"), "does not go with pause")


def _value_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    phase = draft.part(Phase, *path)
    if phase is None:
        return
    if phase.duration_s == 0:
        yield Fault((*path, "duration"), "must be more than 0")
    if phase.pause_s == 0:
        yield Fault((*path, "pause"), "must be more than 0")
    if phase.within_s and phase.duration_s and phase.within_s > phase.duration_s:
        yield Fault((*path, "within"), "must not be more than the duration of the phase")
    for key, value in (("rate", phase.rate), ("users", phase.users)):
        ends = (value.from_, value.to) if isinstance(value, Steps) else value
        if ends in (0, (0, 0)):
            yield Fault((*path, key), "must be more than 0: for nothing at all write pause: 30s")


def _phase_scenario_faults(draft: Draft, path: Path, known: Names) -> Iterator[Fault]:
    names: Value = draft.get(*path, "scenarios")
    if names == []:
        yield Fault((*path, "scenarios"), "must have at least one; without it, all take part")
    seen: set[str] = set()
    for item in draft.items(*path, "scenarios"):
        name = draft.text(*item)
        if name is None:
            continue
        found = known.fault("scenario", name, draft.got(*item))
        if found is None and name in seen:
            found = f"is in the list already {draft.got(*item)}"
        seen.add(name)
        if found:
            yield Fault(item, found)


def _measured_faults(draft: Draft) -> Iterator[Fault]:
    phases = list(draft.items("load", "phases"))
    sending = [path for path in phases if draft.get(*path, "pause") is None]
    if phases and not any(draft.get(*path, "measure") is not False for path in sending):
        yield Fault(("load", "phases"), "must have at least one phase that sends and is measured")
