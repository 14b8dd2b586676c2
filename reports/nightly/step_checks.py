"""What has to fit together in a step of a plan.

Files are looked for, and load profiles are looked into as far as the plan names what is in them:
the rest is for the commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.draft import Draft, Fault, file_fault
from core.errors import InputError
from core.layers import environment_names
from core.located_model import did_you_mean
from core.located_yaml import Path, Unreadable, read_document, read_text
from reports.nightly.budget import budget_fault, parse_budget
from reports.nightly.plan import Kind, default_name, kind_of
from reports.nightly.profile_steps import step_names
from reports.nightly.step_options import OPTIONS_OF, option_fault

# What `tune` is given: letters that names, ARNs and qualifiers have, and no dash in front.
_FUNCTION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_:$.-]*")
# What is secret in the section `auth` of a load profile.
_SECRET_KEYS = frozenset({"value", "password", "client_secret"})
_NOT_OF = {
    "load": ({"duration", "curve"}, "p50, p95, p99 and cost"),
    "tune": ({"p50", "p95", "p99"}, "duration, cost and curve"),
}


def step_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    """Of the step at `path`."""
    kind = kind_of(draft.get(*path))
    if kind is None:
        return
    yield from _named_faults(draft, path, kind)
    yield from _budget_faults(draft, path, kind)
    yield from _metric_faults(draft, path, kind)
    yield from _option_faults(draft, path, kind)
    yield from _tune_faults(draft, path) if kind == "tune" else _load_faults(draft, path)


def _named_faults(draft: Draft, path: Path, kind: Kind) -> Iterator[Fault]:
    if draft.is_hidden(*path, kind) and draft.get(*path, "name") is None:
        message = "is missing: what the step runs comes from the environment, so it needs one"
        yield Fault((*path, "name"), message)


def same_names(draft: Draft) -> Iterator[Fault]:
    """Names that come twice: history and files go by them, on any file system."""
    first: dict[str, str] = {}
    for path in draft.items("steps"):
        step = draft.mapping(*path)
        given = draft.text(*path, "name")
        name = given or default_name(step)
        if name is None:
            continue
        if name.lower() in first:
            other = first[name.lower()]
            message = f"'{name}' is what {other} is called as well: give each a name of its own"
            yield Fault((*path, "name") if given else path, message)
        first.setdefault(name.lower(), f"steps[{path[-1]}]")


def _budget_faults(draft: Draft, path: Path, kind: Kind) -> Iterator[Fault]:
    value = draft.get(*path, "budgets")
    places = [(*path, "budgets")] if isinstance(value, str) else draft.items(*path, "budgets")
    steps = _steps_of_profile(draft, path) if kind == "load" else None
    for place in places:
        text = draft.text(*place)
        if text is None:
            continue
        try:
            found = budget_fault(parse_budget(text), kind, steps)
        except ValueError as error:
            found = str(error)
        if found:
            hidden = draft.is_hidden(*place)
            yield Fault(place, f"is no budget of a {kind} {draft.got(*place)}" if hidden else found)


def _metric_faults(draft: Draft, path: Path, kind: Kind) -> Iterator[Fault]:
    wrong, has = _NOT_OF[kind]
    value = draft.get(*path, "metrics")
    places = [(*path, "metrics")] if isinstance(value, str) else draft.items(*path, "metrics")
    for place in places:
        if draft.text(*place) in wrong:
            yield Fault(place, f"a {kind} has {has} {draft.got(*place)}")


def _option_faults(draft: Draft, path: Path, kind: Kind) -> Iterator[Fault]:
    options = OPTIONS_OF[kind]
    for name, value in draft.mapping(*path, "options").items():
        place = (*path, "options", name)
        if found := option_fault(options, name, value, draft.got(*place)):
            yield Fault(place, found)
        elif options.known[name] == "file" and "://" not in str(value):
            found = file_fault(draft, *place)
            yield from [Fault(place, found)] if found else []


def _load_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    profile = (*path, "load")
    found = file_fault(draft, *profile)
    if found:
        yield Fault(profile, found)
    else:
        yield from _environment_of_profile(draft, path)
    yield from _setting_faults(draft, (*path, "set"))
    baseline = (*path, "baseline")
    yield from _setting_faults(draft, (*baseline, "set"))
    if draft.get(*baseline) is None:
        return
    if draft.get(*baseline, "function") is not None:
        yield Fault((*baseline, "function"), "goes with tune: a load has env or set here")
    elif not draft.given(*baseline) & {"env", "set"}:
        yield Fault(baseline, "must have env or set: where the version before stands")


def _environment_of_profile(draft: Draft, path: Path) -> Iterator[Fault]:
    """Whether the environments that a step names are in its profile."""
    profile = draft.text(*path, "load") or ""
    try:
        known = environment_names(read_document(read_text(draft.base_dir / profile)))
    except InputError as error:
        hidden, got = draft.is_hidden(*path, "load"), draft.got(*path, "load")
        yield Fault((*path, "load"), f"is no profile {got}" if hidden else str(error))
        return
    except Unreadable:
        shown = draft.shown((*path, "load"), profile)
        yield Fault((*path, "load"), f"is not YAML: `loadgen validate` says more (got {shown})")
        return
    for place in ((*path, "env"), (*path, "baseline", "env")):
        name = draft.text(*place)
        if name is not None and name not in known:
            message = "has no environments" if not known else "has no such environment"
            hint = did_you_mean(name, known)
            shown = draft.written.get((*path, "load"), profile)
            yield Fault(place, f"{shown} {message}{hint} {draft.got(*place)}")


def _steps_of_profile(draft: Draft, path: Path) -> frozenset[str] | None:
    """The steps that a budget can be about; None where they are not known before the run."""
    profile = draft.text(*path, "load")
    if not profile or any(key.startswith("scenarios") for key in draft.mapping(*path, "set")):
        return None
    try:
        return step_names(read_document(read_text(draft.base_dir / profile)))
    except (InputError, Unreadable, ValueError):
        # Said of the profile itself.
        return None


def _setting_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    for key in draft.mapping(*path):
        if "=" in key or not all(key.strip().split(".")):
            message = "must be a path such as load.phases.0.rate, and its value"
            yield Fault((*path, key), message)
        elif _is_secret(key) and (*path, key) not in draft.written:
            message = "is a secret, and results keep the text of a plan: write ${env.NAME} instead"
            yield Fault((*path, key), message)


def _is_secret(setting: str) -> bool:
    steps = setting.split(".")
    return "auth" in steps and steps[-1] in _SECRET_KEYS


def _tune_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    yield from _function_fault(draft, (*path, "tune"))
    payload = (*path, "payload")
    if draft.text(*payload) == "-":
        yield Fault(payload, "must be a file: a night has no stdin (got '-')")
    elif "://" not in (draft.text(*payload) or "") and (found := file_fault(draft, *payload)):
        yield Fault(payload, found)
    if found := file_fault(draft, *path, "template"):
        yield Fault((*path, "template"), found)
    if draft.given(*path) & {"template", "resource"} == {"resource"}:
        yield Fault((*path, "resource"), "is a name in a template: it needs template as well")
    baseline = (*path, "baseline")
    if draft.get(*baseline) is None:
        return
    for key in draft.given(*baseline) & {"env", "set"}:
        yield Fault((*baseline, key), "goes with load: a tuning has function here")
    function = (*baseline, "function")
    yield from _function_fault(draft, function)
    if draft.get(*function) is None:
        yield Fault(baseline, "must have function: NAME:ALIAS, where the version before stands")
    elif draft.text(*function) == draft.text(*path, "tune"):
        yield Fault(function, f"is what the step tunes: name another {draft.got(*function)}")


def _function_fault(draft: Draft, path: Path) -> Iterator[Fault]:
    text = draft.text(*path)
    if text is not None and not _FUNCTION.fullmatch(text):
        message = f"must be the name or ARN of a function, or NAME:ALIAS {draft.got(*path)}"
        yield Fault(path, message)
