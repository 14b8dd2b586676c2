"""What a run was asked to do, as texts that two nights can be compared by, and the key of a night.

Of a load run: the sections of its profile that make its requests, with the chosen environment and
settings laid over them. What only judges or guards a run (thresholds, SLOs, validity, guards,
output) and comments leave the key as it is; so do the seed, which every night may draw anew, and
how many processes send. Of a tuning: the payload and the options that decide what is measured.
Secrets are left out: of auth the kind alone is kept, of what is named like a secret the name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from core.errors import InputError
from core.layers import LayerRules, parsed_setting, with_environment, with_settings
from core.located_yaml import Document, Unreadable, Value, dotted, read_document
from reports.document import TuneDocument
from reports.endpoint import is_loopback
from reports.history.record import Key
from reports.load_document import LoadDocument

_SECTIONS = (
    "auth", "data", "http", "load", "locustfile", "outcomes", "retry", "sandbox", "scenarios",
    "vars",
)  # fmt: skip
# Within these sections, what makes no request.
_DROPPED = {("load", "seed"), ("load", "processes")}
_AUTH_KEPT = ("type", "service", "token")
_SECRET = re.compile(
    r"token|secret|passw|api[_-]?key|authorization|cookie|credential|signature", re.I
)
_HIDDEN = "<hidden>"
_RULES = LayerRules(
    what="profile",
    example="load.phases.0.rate=50",
    typed=frozenset({"auth"}),
    private=frozenset({"auth", "headers", "vars"}),
)
# Of `tune`: what is measured, and how calls are counted. Budgets, prices and places are not.
_TUNE_OPTIONS = (
    "sizes", "samples", "min-memory", "max-memory", "cold-samples", "objective", "weight", "slo",
    "knee", "cold-share", "arch-function", "allow-error", "discard", "discard-first", "sleep",
    "tenant-id", "pre", "post", "parallel",
)  # fmt: skip
_TUNE_FLAGS = ("thorough", "cold-only", "power-tuning", "test-run")
_SHOWN = 5
_ELSEWHERE = ("target", "region", "arch", "memory_mb")


def asked_of(document: LoadDocument | TuneDocument) -> dict[str, str]:
    """What was asked, by names as people write them: `load.phases[0].rate` is `50`."""
    if document.kind == "load":
        return dict(sorted(_load(document)))
    return dict(sorted(_tune(document)))


def key_of(document: LoadDocument | TuneDocument) -> Key:
    """What must be alike before two runs are compared.

    The memory of the functions behind a load is in it, since it is no change of the code. Today's
    size of a tuned function is not: the curve is the same whichever size is configured, and
    figures at today's size are read off it, for earlier nights too. Nor are the sizes that an
    adaptive run chose among, which follow from what the function was seen to use.
    """
    asked = asked_of(document)
    question = {name: text for name, text in asked.items() if name not in _ELSEWHERE}
    text = json.dumps(question, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Key(
        kind=document.kind,
        asked_sha256=hashlib.sha256(text.encode()).hexdigest(),
        target=asked["target"],
        region=asked.get("region"),
        arch=asked.get("arch"),
        memory_mb=[]
        if isinstance(document, TuneDocument)
        else [function.memory_mb for function in document.functions],
    )


def alike(one: Key, other: Key) -> bool:
    """Whether two runs can be compared; what could not be read in one of them differs from nothing.

    A night on which the functions behind an API could not be read is no other question.
    """
    return (
        (one.kind, one.asked_sha256, one.target, one.tool_schema)
        == (other.kind, other.asked_sha256, other.target, other.tool_schema)
        and (one.region == other.region or None in (one.region, other.region))
        and (one.arch == other.arch or None in (one.arch, other.arch))
        and (one.memory_mb == other.memory_mb or not one.memory_mb or not other.memory_mb)
    )


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What differs in words: `load.phases[0].rate: 50 -> 80`; at most five, and how many more."""
    names = [n for n in sorted(before.keys() | after.keys()) if before.get(n) != after.get(n)]
    found = [f"{n}: {before.get(n, 'none')} -> {after.get(n, 'none')}" for n in names[:_SHOWN]]
    more = len(names) - _SHOWN
    return [*found, f"and {more:,} more"] if more > 0 else found


# -- load runs --------------------------------------------------------------------------------


def _load(document: LoadDocument) -> Iterator[tuple[str, str]]:
    run = document.provenance
    yield "target", _target(document)
    if document.target.region:
        yield "region", document.target.region
    if document.functions:
        yield "arch", "+".join(sorted({one.arch for one in document.functions}))
        yield "memory_mb", ", ".join(f"{f.name} {f.memory_mb}" for f in document.functions)
    yield "model", run.model
    if run.environment is not None:
        yield "environment", run.environment
    try:
        profile = read_document(run.profile_text)
    except Unreadable:
        # Of a version of the tool that read more, or less.
        yield "profile_sha256", run.profile_sha256
        return
    laid, left = _laid_over(profile, run.environment, option_values(run.command, "set"))
    yield from left
    if isinstance(laid.value, dict):
        for section in _SECTIONS:
            if section in laid.value:
                yield from _flat((section,), laid.value[section])


def _target(document: LoadDocument) -> str:
    """Where requests went; a sandbox's random port and ids do not make nights unlike."""
    target = document.target
    if target.api_name or target.api_id:
        name = f"API {target.api_name or target.api_id}"
        name += f", stage {target.stage}" if target.stage else ""
        if is_loopback(document.provenance.endpoint or target.url):
            return f"{name}, on this machine"
        return f"{name}, account {target.account}" if target.account else name
    parts = urlsplit(target.url)
    host = parts.hostname or ""
    if is_loopback(target.url):
        return f"{host}{parts.path}, on this machine"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _laid_over(
    profile: Document, environment: str | None, settings: Sequence[str]
) -> tuple[Document, list[tuple[str, str]]]:
    """The profile with environment and settings, and settings that could not be laid over it.

    A setting below auth, headers or vars may be a secret, and its value is not kept.
    """
    left: list[tuple[str, str]] = []
    if environment is not None:
        try:
            profile = with_environment(profile, environment, _RULES)
        except InputError:
            left.append(("environment", f"{environment}, not in the profile"))
    for text in settings:
        path, _, value = text.partition("=")
        try:
            setting = parsed_setting(text, _RULES)
            is_private = not _RULES.private.isdisjoint(setting.path)
            changed, _, faults = with_settings(profile, [setting])
        except InputError:
            is_private, faults, changed = _SECRET.search(path) is not None, ["unreadable"], profile
        if is_private or faults:
            left.append((f"set {path.strip()}", _HIDDEN if is_private else value))
        else:
            profile = changed
    return profile, left


def _flat(path: tuple[str | int, ...], value: Value) -> Iterator[tuple[str, str]]:
    """A value by the names of its parts; lists of plain values stay together."""
    if path in _DROPPED or value is None:
        return
    if path[-1] == "auth" and isinstance(value, dict):
        value = {name: value[name] for name in _AUTH_KEPT if name in value}
    if isinstance(value, dict):
        for name in sorted(value):
            inner = value[name]
            if isinstance(inner, str) and path[-1] != "capture" and _SECRET.search(name):
                inner = _HIDDEN
            yield from _flat((*path, name), inner)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _flat((*path, index), item)
    else:
        yield dotted(path), _text(value)


def _text(value: Value) -> str:
    """A value in one form, however it was written: 50.0 is 50."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(_text(item) for item in value)}]"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return json.dumps(value)


# -- tunings ----------------------------------------------------------------------------------


def _tune(document: TuneDocument) -> Iterator[tuple[str, str]]:
    run, function = document.provenance, document.function
    local = ", on this machine" if run.endpoint and is_loopback(run.endpoint) else ""
    yield "target", f"{_unversioned(function.arn, run.qualifier)}{local}"
    yield "region", function.region
    yield "arch", function.arch
    yield "payload_sha256", run.payload_sha256
    yield "plan", run.plan
    yield "ephemeral_storage_mb", str(function.ephemeral_storage_mb)
    for name in _TUNE_OPTIONS:
        values = option_values(run.command, name)
        if values:
            yield name, ", ".join(values)
    for name in _TUNE_FLAGS:
        if f"--{name}" in run.command:
            yield name, "yes"


def _unversioned(arn: str, qualifier: str | None) -> str:
    """The function's ARN with the alias that was tuned; a version's number changes every deploy."""
    bare = ":".join(arn.split(":")[:7])
    is_alias = qualifier is not None and not qualifier.isdecimal() and qualifier != "$LATEST"
    return f"{bare}:{qualifier}" if is_alias else bare


def option_values(command: Sequence[str], name: str) -> list[str]:
    """What a command line gives to `--name`, in its order."""
    option, found = f"--{name}", []
    for index, word in enumerate(command):
        if word == option and index + 1 < len(command):
            found.append(command[index + 1])
        elif word.startswith(f"{option}="):
            found.append(word.removeprefix(f"{option}="))
    return found
