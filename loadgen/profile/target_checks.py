"""Where a profile sends its requests, with which credentials and how: what has to fit together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from core.draft import Fault, file_fault
from core.errors import InputError
from core.located_model import key_names
from core.located_yaml import Path, Value
from loadgen.guards import host_of
from loadgen.profile.draft import Draft
from loadgen.profile.model import ApiTarget, BearerAuth, Http, Part, Target
from loadgen.profile.text_checks import (
    header_name_fault,
    header_value_fault,
    region_fault,
    sent_header_fault,
)
from reports.figures import listed

_TARGETS = ("url", "api", "function_url")
_TOKENS = ("value", "file", "command")
_API_ID = re.compile(r"[a-z0-9]{1,64}")
_STAGE = re.compile(r"\$default|[A-Za-z0-9_-]{1,128}")
# The API's pattern of FunctionName (botocore's model of Invoke, 2026-09).
_FUNCTION = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?(-[a-z]+)+-\d:)?(\d{12}:)?(function:)?"
    r"[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
_FUNCTION_URL_HOST = re.compile(r"\.lambda-url\.[a-z0-9-]+\.on\.aws(:\d+)?$")


def target_faults(draft: Draft) -> Iterator[Fault]:
    """All that is wrong with the target and the AWS settings."""
    if isinstance(draft.get("target"), dict):
        yield from exactly_one(draft, Target, ("target",), _TARGETS)
    yield from _in_path("target", "url", found=_url_faults(draft))
    if isinstance(draft.get("target", "api"), dict):
        yield from exactly_one(draft, ApiTarget, ("target", "api"), ("id", "name"))
        yield from _api_faults(draft)
    yield from _in_path("target", "function_url", found=_function_faults(draft))
    stack = draft.text("sandbox", "stack") or ""
    if "/" in stack or stack.endswith((".yaml", ".yml")):
        yield from _in_path("sandbox", "stack", found=[file_fault(draft, "sandbox", "stack")])
    for path in (("target", "api", "region"), ("aws", "region")):
        yield from _in_path(*path, found=[region_fault(draft, *path)])


def http_faults(draft: Draft) -> Iterator[Fault]:
    """All that is wrong with how requests travel."""
    yield from header_faults(draft, "http", "headers")
    yield from _in_path("http", "ca_file", found=[file_fault(draft, "http", "ca_file")])
    http = draft.part(Http, "http")
    if http is None:
        return
    for key, value_s in (("connect", http.timeout.connect_s), ("total", http.timeout.total_s)):
        if value_s == 0:
            yield Fault(("http", "timeout", key), "must be more than 0")
    # The default is more than a short total; the total ends connecting as well.
    given = "connect_s" in http.timeout.model_fields_set
    if given and http.timeout.connect_s > http.timeout.total_s:
        path = ("http", "timeout", "connect")
        yield Fault(path, f"must not be more than total, which is {http.timeout.total_s:g} s")


def auth_faults(draft: Draft) -> Iterator[Fault]:
    """All that is wrong with the credentials of the profile, of its scenarios and steps."""
    places: list[Path] = [("auth",)]
    for scenario in draft.items("scenarios"):
        places += [(*scenario, "auth")]
        places += [(*step, "auth") for step in draft.items(*scenario, "flow")]
    for path in places:
        if draft.mapping(*path):
            yield from _credentials_faults(draft, path)


def header_faults(draft: Draft, *path: str | int) -> Iterator[Fault]:
    """Of a mapping of headers that are sent."""
    seen: dict[str, str] = {}
    for name, value in draft.mapping(*path).items():
        inner = (*path, name)
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield Fault(inner, f"is the same header as {first}")
        found = sent_header_fault(name)
        if found is None and isinstance(value, str):
            found = header_value_fault(value)
        if found:
            yield Fault(inner, found)


def exactly_one(
    draft: Draft, model: type[Part], path: Path, names: Sequence[str]
) -> Iterator[Fault]:
    """That a mapping has exactly one of some keys of its model.

    Where it has none, but keys that are not known, these are told, and one of them was meant.
    """
    given = [name for name in names if name in draft.given(*path)]
    unknown = draft.mapping(*path).keys() - key_names(model)
    if len(given) != 1 and (given or not unknown):
        got = " and ".join(given) if given else "none of them"
        yield Fault(path, f"must have exactly one of {listed(names, last='or')} (got {got})")


def _in_path(*path: str | int, found: Iterable[str | None]) -> Iterator[Fault]:
    yield from (Fault(path, message) for message in found if message)


def _url_faults(draft: Draft) -> Iterator[str]:
    url = draft.text("target", "url")
    if url is None:
        return
    got = draft.got("target", "url")
    if "${" in url:
        yield f"templates are not filled in here: use ${{env.NAME}}, --set or environments {got}"
        return
    if not re.match(r"https?://", url):
        yield f"must begin with http:// or https:// {got}"
        return
    try:
        host_of(url)
    except InputError as error:
        if "@" in url:
            yield "must not have a user or password: auth is a section of its own"
        else:
            hidden = draft.is_hidden("target", "url")
            yield f"is no URL {got}" if hidden else _without_name(str(error))
        return
    parts = urlsplit(url)
    if parts.query or url.endswith("?"):
        yield f"must not have a query: write it as the query of steps {got}"
    if parts.fragment or url.endswith("#"):
        yield f"must not have a fragment (#...) {got}"


def _without_name(message: str) -> str:
    """A message of the guards, without what it calls the URL."""
    return re.sub(r"^target URL[^:]*: ", "is no URL that can be used: ", message)


def _api_faults(draft: Draft) -> Iterator[Fault]:
    path: Path = ("target", "api", "id")
    text = draft.text(*path)
    if text is not None and _API_ID.fullmatch(text) is None:
        hint = ": a URL is target.url" if "://" in text or "." in text else ""
        yield Fault(path, f"must be an id such as a1b2c3d4e5{hint} {draft.got(*path)}")
    path = ("target", "api", "stage")
    text = draft.text(*path)
    if text is not None and _STAGE.fullmatch(text) is None:
        yield Fault(path, f"must be the name of a stage, or $default {draft.got(*path)}")


def _function_faults(draft: Draft) -> Iterator[str]:
    text = draft.text("target", "function_url")
    if text is None:
        return
    if "://" in text:
        yield "must be the name or ARN of a function: write its URL as target.url"
    elif _FUNCTION.fullmatch(text) is None:
        got = draft.got("target", "function_url")
        yield f"must be the name or ARN of a function, or NAME:ALIAS {got}"


def _credentials_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    kind = draft.get(*path, "type")
    if kind == "bearer":
        yield from exactly_one(draft, BearerAuth, path, _TOKENS)
        if draft.get(*path, "command") == []:
            yield Fault((*path, "command"), "must have at least the name of a program")
    if kind == "sigv4":
        yield from _signature_faults(draft, path)
    yield from _in_path(*path, "region", found=[region_fault(draft, *path, "region")])
    yield from _text_faults(draft, path)


def _text_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    """Of texts that must not be empty, and of those that become a part of a header."""
    for key, value in draft.mapping(*path).items():
        inner = (*path, key)
        if key == "header" and isinstance(value, str):
            yield from _in_path(*inner, found=[header_name_fault(value)])
        elif isinstance(value, str):
            from_env = inner in draft.written
            yield from _in_path(*inner, found=[_credential_fault(key, value, from_env=from_env)])
        elif key == "refresh" and value == 0:
            yield Fault(inner, "must be more than 0")


def _credential_fault(key: str, value: str, *, from_env: bool) -> str | None:
    if key != "prefix" and not value.strip():
        return "is empty"
    if "${" in value and not from_env:
        return "templates are not filled in here: use ${env.NAME}"
    return header_value_fault(value) if key in ("value", "prefix") else None


def _signature_faults(draft: Draft, path: Path) -> Iterator[Fault]:
    """That function URLs and APIs are each signed for their own service."""
    service: Value = draft.get(*path, "service") or "execute-api"
    of_function = "function_url" in draft.given("target") or bool(
        _FUNCTION_URL_HOST.search(_host(draft.text("target", "url") or ""))
    )
    if of_function and service != "lambda":
        yield Fault((*path, "service"), "must be lambda, because the target is a function URL")
    if service == "lambda" and "api" in draft.given("target"):
        yield Fault((*path, "service"), "must be execute-api, because the target is an API")


def _host(url: str) -> str:
    """The host of a URL, with its port; empty where it has none."""
    found = re.match(r"https?://([^/?#]*)", url)
    return found[1] if found else ""
