"""What has to fit together in a profile, beyond what each of its fields may be.

Everything is looked at, so that one reading tells all that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from core.draft import Fault, file_fault
from core.errors import InputError
from core.layers import SECTION
from core.located_yaml import Path
from loadgen.condition import parse
from loadgen.flow.feeds import read_rows
from loadgen.guards import check_hosts
from loadgen.profile.downstream_checks import downstream_faults
from loadgen.profile.draft import Draft
from loadgen.profile.flow_checks import header_regex_faults, scenario_faults
from loadgen.profile.limits_checks import limits_faults
from loadgen.profile.load_checks import Names, load_faults, names_at, source_faults
from loadgen.profile.model import Guards, Phase, Step, Threshold
from loadgen.profile.retry_checks import retry_faults
from loadgen.profile.target_checks import auth_faults, http_faults, target_faults
from loadgen.profile.text_checks import name_fault, parsed_or_fault, regex_fault
from loadgen.steps import method_and_path

# Requests with these outcomes are not ok, so there is a cause to name.
_WITH_CAUSE = ("throttled", "client_error", "server_error", "timeout", "connection_error")


def faults_of(draft: Draft) -> Iterator[Fault]:
    """All that is wrong between the fields of a profile, part by part."""
    columns, feed_faults = _feeds(draft)
    yield from target_faults(draft)
    yield from auth_faults(draft)
    yield from http_faults(draft)
    yield from retry_faults(draft)
    yield from feed_faults
    yield from load_faults(draft)
    yield from source_faults(draft)
    yield from scenario_faults(draft, columns)
    steps = _step_names(draft)
    yield from _outcome_faults(draft, steps)
    yield from downstream_faults(draft, steps)
    yield from limits_faults(draft)
    yield from _threshold_faults(draft, steps)
    yield from _host_faults(draft)
    yield from _environment_faults(draft)


def _feeds(draft: Draft) -> tuple[Mapping[str, frozenset[str] | None], list[Fault]]:
    """The columns of each feed, where its file can be read, and what is wrong with feeds."""
    columns: dict[str, frozenset[str] | None] = {}
    faults: list[Fault] = []
    for name in draft.mapping("data"):
        path: Path = ("data", name)
        columns[name] = None
        if found := name_fault(name):
            faults.append(Fault(path, found))
        if draft.get(*path, "order") == "unique" and draft.get(*path, "on_end") == "recycle":
            message = "with order: unique each row comes once, so the feed stops"
            faults.append(Fault((*path, "on_end"), message))
        if draft.get(*path, "order") == "random" and draft.get(*path, "on_end") == "stop":
            faults.append(Fault((*path, "on_end"), "with order: random a feed has no end"))
        found = file_fault(draft, *path, "file")
        if found is None:
            columns[name], found = _columns(draft, *path, "file")
        if found:
            faults.append(Fault((*path, "file"), found))
    return columns, faults


def _columns(draft: Draft, *path: str | int) -> tuple[frozenset[str] | None, str | None]:
    text = draft.text(*path)
    if text is None:
        return None, None
    try:
        rows = read_rows(draft.base_dir / text)
    except InputError as error:
        hidden = draft.is_hidden(*path)
        return None, f"is no feed {draft.got(*path)}" if hidden else str(error)
    if rows.columns is not None:
        return frozenset(rows.columns), None
    return frozenset(key for row in rows.rows if isinstance(row, dict) for key in row), None


def _step_names(draft: Draft) -> Names:
    """The names of all steps that send requests."""
    names, shown = set[str](), set[str]()
    for scenario in draft.items("scenarios"):
        for path in draft.items(*scenario, "flow"):
            step = draft.part(Step, *path)
            request = None if step is None else method_and_path(step)
            if step is None or request is None:
                continue
            names.add(step.name or " ".join(request))
            if not draft.is_hidden(*path, "name" if step.name else request[0].lower()):
                shown.add(step.name or " ".join(request))
    return Names(frozenset(names), frozenset(shown))


def _outcome_faults(draft: Draft, steps: Names) -> Iterator[Fault]:
    for path in draft.items("outcomes"):
        when = (*path, "when")
        if isinstance(draft.get(*when), dict) and not draft.given(*when):
            yield Fault(when, "must have at least one of status, headers, body or step")
        yield from header_regex_faults(draft, *when, "headers")
        if found := regex_fault(draft, *when, "body"):
            yield Fault((*when, "body"), found)
        yield from _unknown_name(draft, (*when, "step"), "step", steps)
        outcome = draft.text(*path, "outcome")
        if draft.get(*path, "cause") is not None and outcome in ("ok", "check_failed"):
            message = f"goes with {', '.join(_WITH_CAUSE)}, and not with {outcome}"
            yield Fault((*path, "cause"), message)


def _threshold_faults(draft: Draft, steps: Names) -> Iterator[Fault]:
    phases = names_at(draft, "load", "phases")
    for path in draft.items("thresholds"):
        that = path if draft.text(*path) is not None else (*path, "that")
        if found := parsed_or_fault(draft, that, parse, "condition"):
            yield Fault(that, found)
        if not draft.mapping(*path):
            continue
        yield from _unknown_name(draft, (*path, "step"), "step", steps)
        yield from _step_faults(draft, path, that)
        yield from _unknown_name(draft, (*path, "phase"), "phase", phases)
        yield from _phase_faults(draft, (*path, "phase"))
        yield from _window_faults(draft, path)


def _step_faults(draft: Draft, path: Path, that: Path) -> Iterator[Fault]:
    """That what is measured belongs to steps, if one is named."""
    if draft.get(*path, "step") is None:
        return
    if draft.get("locustfile") is not None:
        message = "what a locustfile sends is not known before: leave it out"
        yield Fault((*path, "step"), message)
    with suppress(InputError):
        subject = parse(draft.text(*that) or "").subject
        if subject in ("offered", "dropped"):
            message = f"'{subject}' counts arrivals, which belong to no step: leave it out"
            yield Fault((*path, "step"), message)


def _phase_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    name = draft.text(*path)
    for phase in draft.items("load", "phases"):
        if draft.text(*phase, "name") == name and draft.get(*phase, "pause") is not None:
            yield Fault(path, f"nothing is sent in this phase: it is a pause {draft.got(*path)}")
        if draft.text(*phase, "name") == name and draft.get(*phase, "search") is not None:
            yield Fault(path, f"this phase searches: it has an slo of its own {draft.got(*path)}")


def _window_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    threshold = draft.part(Threshold, *path)
    if threshold is None:
        return
    window_s = threshold.window_s
    if window_s is not None and (window_s < 1 or window_s != int(window_s)):
        got = draft.got(*path, "window")
        yield Fault((*path, "window"), f"must be whole seconds, at least 1s {got}")
    end_s = _schedule_s(draft, threshold.phase)
    if end_s is not None and threshold.after_s >= end_s:
        what = "phase, which takes" if threshold.phase else "phases, which take"
        message = f"must be before the end of the {what} {end_s:g} s"
        yield Fault((*path, "after"), f"{message} {draft.got(*path, 'after')}")
    if threshold.for_windows > 1 and "window" not in draft.given(*path):
        yield Fault((*path, "for"), "counts windows: it needs window as well")


def _schedule_s(draft: Draft, name: str | None) -> float | None:
    """How long the phases of a name (None: all) take together; None where one does not say."""
    phases = [
        draft.part(Phase, *path)
        for path in draft.items("load", "phases")
        if name in (None, draft.text(*path, "name"))
    ]
    lengths = [
        None if phase is None else phase.duration_s or phase.pause_s or phase.within_s
        for phase in phases
    ]
    known = [length for length in lengths if length is not None]
    return sum(known) if known and len(known) == len(lengths) else None


def _unknown_name(draft: Draft, path: Path, kind: str, known: Names) -> Iterator[Fault]:
    if kind == "step" and draft.get("locustfile") is not None:
        return  # its requests are named when they are sent
    name = draft.text(*path)
    found = None if name is None else known.fault(kind, name, draft.got(*path))
    if found:
        yield Fault(path, found)


def _host_faults(draft: Draft) -> Iterator[Fault]:
    for path in draft.items("guards", "hosts"):
        host = draft.text(*path)
        try:
            if host is not None:
                check_hosts("http://localhost", Guards(hosts=(host,)))
        except InputError:
            forms = "api.example.com, *.example.com or an IP address, without scheme and port"
            yield Fault(path, f"must be a host: {forms} {draft.got(*path)}")


def _environment_faults(draft: Draft) -> Iterator[Fault]:
    for name in draft.mapping(SECTION):
        if SECTION in draft.mapping(SECTION, name):
            yield Fault((SECTION, name, SECTION), "an environment has no environments of its own")
