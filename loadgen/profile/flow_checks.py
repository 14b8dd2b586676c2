"""The scenarios of a profile: what makes a step, and what its texts refer to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.draft import Fault, file_fault
from core.located_model import did_you_mean
from core.located_yaml import Path, Value
from loadgen.flow.json_path import JsonPath
from loadgen.flow.judge import parse_capture
from loadgen.flow.template import RESERVED, Template
from loadgen.profile.draft import Draft
from loadgen.profile.load_checks import repeated_names, think_faults
from loadgen.profile.model import RangeBetween, Scenario, Step
from loadgen.profile.target_checks import exactly_one, header_faults
from loadgen.profile.template_places import SENT
from loadgen.profile.text_checks import (
    header_name_fault,
    name_fault,
    parsed_or_fault,
    regex_fault,
)
from loadgen.steps import METHODS

_BODIES = ("json", "body", "body_file", "form")


@dataclass(frozen=True, slots=True)
class Known:
    """What `${...}` can name: variables, the columns of feeds (None: not known), captures.

    `later` are the captures that some step of the same flow makes, though not yet.
    """

    variables: frozenset[str]
    feeds: Mapping[str, frozenset[str] | None]
    captured: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    in_flow: bool = True

    def fault(self, name: str) -> str | None:
        """What is wrong with a name that a template has."""
        first, _, rest = name.partition(".")
        if first == "vars":
            known = self.variables
            what = f"there is no variable {rest}: vars"
            return None if rest in known else f"{what} has no such key{did_you_mean(rest, known)}"
        if first == "data":
            return self._feed_fault(*rest.partition(".")[::2])
        if name in self.captured:
            return None
        return self._capture_fault(name)

    def _feed_fault(self, feed: str, column: str) -> str | None:
        if feed not in self.feeds:
            known = frozenset(self.feeds)
            return f"there is no feed {feed}: data has no such key{did_you_mean(feed, known)}"
        columns = self.feeds[feed]
        if columns is None or column in columns or column.partition(".")[0] in columns:
            return None
        return f"the file of {feed} has no column {column}{did_you_mean(column, columns)}"

    def _capture_fault(self, name: str) -> str:
        if not self.in_flow:
            return f"{name} is not known here: only vars, data and functions are"
        if name in self.later:
            return f"{name} is captured in this step or after it, and needed before"
        known = self.captured | {f"vars.{variable}" for variable in self.variables} | RESERVED
        hint = did_you_mean(name, known - {"vars", "data", "env"})
        return f"no step before this one captures {name}{hint}"


@dataclass(slots=True)
class _Flow:
    """The captures of a flow as far as it has been looked at."""

    captured: set[str] = field(default_factory=set)
    all: frozenset[str] = frozenset()


def scenario_faults(draft: Draft, feeds: Mapping[str, frozenset[str] | None]) -> Iterator[Fault]:
    """All that is wrong with variables, scenarios and their steps; `feeds` have their columns."""
    for name in draft.mapping("vars"):
        if found := name_fault(name):
            yield Fault(("vars", name), found)
    variables = frozenset(draft.mapping("vars"))
    common = Known(variables, feeds, in_flow=False)
    for name in draft.mapping("http", "headers"):
        yield from _template_faults(draft, ("http", "headers", name), common)
    yield from repeated_names(draft, "scenarios")
    for path in draft.items("scenarios"):
        flow = _Flow(all=frozenset(_captures_of(draft, path)))
        steps = list(draft.items(*path, "flow"))
        for step in steps:
            if draft.mapping(*step):
                yield from _step_faults(draft, step, flow, Known(variables, feeds))
        if steps and all(draft.given(*step) <= {"think"} for step in steps):
            yield Fault((*path, "flow"), "must have at least one step that sends a request")
        yield from _weight_faults(draft, path)


def _captures_of(draft: Draft, scenario: Path) -> Iterator[str]:
    for step in draft.items(*scenario, "flow"):
        yield from draft.mapping(*step, "capture")


def _weight_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    scenario = draft.part(Scenario, *path)
    if scenario is not None and scenario.weight > 1_000_000:
        yield Fault((*path, "weight"), f"must be at most 1000000 {draft.got(*path, 'weight')}")


# -- a step ---------------------------------------------------------------------------------------


def _step_faults(draft: Draft, path: Path, flow: _Flow, known: Known) -> Iterator[Fault]:
    given = draft.given(*path)
    methods = [method for method in METHODS if method in given]
    if "think" in given and not methods:
        for key in sorted(given - {"think"}):
            yield Fault((*path, key), "does not go with think, which stands alone in a step")
    elif "think" in given:
        yield Fault((*path, "think"), f"must be a step of its own, after {methods[0]}")
    else:
        yield from exactly_one(draft, Step, path, (*METHODS, "think"))
    yield from _sent_faults(draft, path, methods, given)
    yield from _step_value_faults(draft, path)
    before = _with_captures(known, flow)
    for key in SENT:
        yield from _template_faults(draft, (*path, key), before)
    yield from _capture_faults(draft, path, flow)
    flow.captured.update(draft.mapping(*path, "capture"))
    yield from check_faults(draft, (*path, "checks"))
    after = _with_captures(known, flow)
    for check in draft.mapping(*path, "checks", "json"):
        yield from _text_template_faults(draft, (*path, "checks", "json", check), after)
    yield from _text_template_faults(draft, (*path, "checks", "body", "contains"), after)


def _with_captures(known: Known, flow: _Flow) -> Known:
    captured = frozenset(flow.captured)
    return Known(known.variables, known.feeds, captured, flow.all - captured)


def _sent_faults(
    draft: Draft, path: Path, methods: list[str], given: frozenset[str]
) -> Iterator[Fault]:
    for method in methods:
        if found := _path_fault(draft, *path, method):
            yield Fault((*path, method), found)
    bodies = [key for key in _BODIES if key in given]
    for key in bodies[1:]:
        yield Fault((*path, key), f"a request has one body, and {bodies[0]} is given already")
    if "head" in methods and bodies:
        yield Fault((*path, bodies[0]), "a HEAD request has no body")
    if found := file_fault(draft, *path, "body_file"):
        yield Fault((*path, "body_file"), found)
    yield from header_faults(draft, *path, "headers")
    yield from _finite_faults(draft.get(*path, "json"), (*path, "json"))


def _path_fault(draft: Draft, *path: str | int) -> str | None:
    text = draft.text(*path)
    got = draft.got(*path)
    if text is None or text.startswith("${"):
        return None
    if "://" in text:
        return f"must be a path: the address is target.url {got}"
    if not text.startswith("/"):
        return f"must begin with / {got}"
    if "#" in text:
        return f"must not have a fragment (#...); %23 is a # in a path {got}"
    if any(letter.isspace() or not letter.isprintable() for letter in _outside_templates(text)):
        return f"must not have blanks or control characters; %20 is a blank {got}"
    return None


def _outside_templates(text: str) -> str:
    try:
        parts = Template.parse(text).parts
    except ValueError:
        return ""
    return "".join(part for part in parts if isinstance(part, str))


def _finite_faults(value: Value, path: Path) -> Iterator[Fault]:
    if isinstance(value, float) and not math.isfinite(value):
        yield Fault(path, f"must be a finite number: JSON has no other (got {value})")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _finite_faults(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _finite_faults(inner, (*path, index))


def _step_value_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    step = draft.part(Step, *path)
    if step is None:
        return
    yield from think_faults(step.think, (*path, "think"))
    if step.think == 0 or (isinstance(step.think, RangeBetween) and step.think.between == (0, 0)):
        yield Fault((*path, "think"), "must be more than 0")
    if step.timeout_s == 0:
        yield Fault((*path, "timeout"), "must be more than 0")
    if step.checks is not None and step.checks.latency_s == 0:
        yield Fault((*path, "checks", "latency"), "must be more than 0")


def _capture_faults(draft: Draft, path: Path, flow: _Flow) -> Iterator[Fault]:
    for name in draft.mapping(*path, "capture"):
        inner = (*path, "capture", name)
        if name in RESERVED:
            yield Fault(inner, f"bad name: ${{{name}}} means something else")
        elif found := name_fault(name) or parsed_or_fault(draft, inner, parse_capture, "capture"):
            yield Fault(inner, found)


# -- checks, and templates ------------------------------------------------------------------------


def check_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    """All that is wrong with the checks of a step."""
    if draft.get(*path) == {}:
        yield Fault(path, "is empty: there are status, headers, json, body and latency")
    yield from header_regex_faults(draft, *path, "headers")
    for expression in draft.mapping(*path, "json"):
        try:
            JsonPath(expression)
        except ValueError as error:
            yield Fault((*path, "json", expression), str(error))
    body = (*path, "body")
    if draft.mapping(*path) and isinstance(draft.get(*body), dict) and not draft.given(*body):
        yield Fault(body, "must have contains or matches")
    if found := regex_fault(draft, *body, "matches"):
        yield Fault((*body, "matches"), found)


def header_regex_faults(draft: Draft, *path: str | int) -> Iterator[Fault]:
    """Of a mapping of headers to expressions that are searched in their values."""
    for name in draft.mapping(*path):
        inner = (*path, name)
        if found := header_name_fault(name) or regex_fault(draft, *inner):
            yield Fault(inner, found)


def _template_faults(draft: Draft, path: Path, known: Known) -> Iterator[Fault]:
    """Of all templates in the value at a path."""
    value = draft.get(*path)
    if isinstance(value, str):
        yield from _text_template_faults(draft, path, known)
    elif isinstance(value, dict):
        for key in value:
            yield from _template_faults(draft, (*path, key), known)
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _template_faults(draft, (*path, index), known)


def _text_template_faults(draft: Draft, path: Path, known: Known) -> Iterator[Fault]:
    if found := parsed_or_fault(draft, path, Template.parse, "template"):
        yield Fault(path, found)
        return
    text = draft.text(*path)
    for name in sorted(Template.parse(text).names) if text else ():
        if found := known.fault(name):
            yield Fault(path, found)
