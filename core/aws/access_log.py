"""Access logs of API Gateway: what their lines say, whatever format a stage has chosen.

A format is text with `$context` variables ("Customize HTTP API access logs" and "$context variables
for ... access logging", developer guide 2026): mostly one JSON object, else fields between other
text. It is read once into an `AccessLogReader`, which reads lines and writes the narrow filter
patterns that keep FilterLogEvents from sending every line of a run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Field = Literal[
    "request_id",
    "status",
    "error_type",
    "integration_status",
    "latency",
    "integration_latency",
    "authorizer_latency",
    "function_request_id",
    "canary",
]

# Which variables say what; the first one that a format has is used.
_VARIABLES: Mapping[Field, tuple[str, ...]] = {
    "request_id": ("requestId", "extendedRequestId"),
    "status": ("status",),
    "error_type": ("error.responseType",),
    # Of a Lambda proxy: what Lambda answered, not the function. 429 is a throttle of Lambda.
    "integration_status": ("integration.integrationStatus", "integrationStatus"),
    # Whole milliseconds.
    "latency": ("responseLatency",),
    "integration_latency": ("integration.latency", "integrationLatency"),
    "authorizer_latency": ("authorizer.latency", "authorizer.integrationLatency"),
    # Of a Lambda proxy: the request id of the call, as the REPORT line of the function has it.
    "function_request_id": ("integration.requestId", "awsEndpointRequestId"),
    # true or false; of a stage without a canary, nothing.
    "canary": ("isCanaryRequest",),
}
_VARIABLE = re.compile(r"\$context\.([A-Za-z_-]+(?:\.[A-Za-z0-9_-]+)*)")
_BARE = "\x01"  # marks variables that stand in JSON without quotes
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_]+")
_NOTHING = "-"

_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessLine:
    """What a line says of a request; None is what it does not say."""

    request_id: str
    status: int | None
    error_type: str | None  # THROTTLED, QUOTA_EXCEEDED, WAF_FILTERED, INTEGRATION_TIMEOUT, ...
    integration_status: int | None
    latency_ms: int | None = None  # of the gateway, what lies behind it included
    integration_ms: int | None = None
    authorizer_ms: int | None = None
    function_request_id: str | None = None
    canary: bool | None = None  # whether the stage's canary answered


@dataclass(frozen=True, slots=True)
class AccessLogReader:
    """Reads the lines of one format. `fields` are those that it has."""

    fields: frozenset[Field]
    values: Callable[[str], Mapping[Field, str]]
    status_selector: tuple[str, bool] | None  # of JSON: selector, and whether it is text

    def read(self, line: str) -> AccessLine | None:
        """The line in parts; None where it is of another format."""
        values = self.values(line)
        request_id = values.get("request_id", _NOTHING)
        if request_id == _NOTHING:
            return None
        return AccessLine(
            request_id,
            _number(values.get("status")),
            _text(values.get("error_type")),
            _number(values.get("integration_status")),
            _number(values.get("latency")),
            _number(values.get("integration_latency")),
            _number(values.get("authorizer_latency")),
            _text(values.get("function_request_id")),
            {"true": True, "false": False}.get(values.get("canary", _NOTHING)),
        )

    def pattern(self, statuses: Iterable[int]) -> str:
        """The filter pattern for lines with one of `statuses`; it may let others through."""
        wanted = sorted(set(statuses))
        if self.status_selector is None:
            return " ".join(f"?{status}" for status in wanted) if "status" in self.fields else ""
        selector, is_text = self.status_selector
        tests = [
            f'({selector} = "{one}")' if is_text else f"({selector} = {one})" for one in wanted
        ]
        return "{ " + " || ".join(tests) + " }"


def access_log_reader(log_format: str, *, rest: bool = False) -> AccessLogReader | None:
    """The reader for a format; None where lines do not say whose they are.

    The extended id of a REST API is another than the request id that its clients see.
    """
    if rest and "requestId" not in {match[1] for match in _VARIABLE.finditer(log_format)}:
        return None
    reader = _json_reader(log_format) or _text_reader(log_format)
    return reader if "request_id" in reader.fields else None


def canary_group(group: str) -> str:
    """The log group of a stage's canary; it is made when the canary has its first request.

    "Set up an API Gateway canary release deployment", developer guide, read 2026-09.
    """
    return f"{group}/Canary"


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _text(text: str | None) -> str | None:
    return None if text in (None, _NOTHING, "") else text


def _chosen(present: frozenset[str]) -> dict[Field, str]:
    """The variable that says each field, among those that a format has."""
    chosen: dict[Field, str] = {}
    for name, variables in _VARIABLES.items():
        for variable in variables:
            if variable in present:
                chosen.setdefault(name, variable)
    return chosen


# -- JSON -----------------------------------------------------------------------------------------


def _json_reader(log_format: str) -> AccessLogReader | None:
    try:
        shape: object = json.loads(_quoted(log_format))
    except ValueError:
        return None
    if not isinstance(shape, dict):
        return None
    leaves = dict(_leaves(shape, ()))
    by_variable = {
        text.removeprefix("$context.").removeprefix(_BARE): path for text, path in leaves.items()
    }
    chosen = _chosen(frozenset(by_variable))
    paths = {name: by_variable[variable] for name, variable in chosen.items()}
    as_text = _text_reader(log_format)

    def values(line: str) -> Mapping[Field, str]:
        try:
            document: object = json.loads(line)
        except ValueError:
            # A variable without quotes and without a value makes a line that is no JSON.
            return as_text.values(line)
        found = {name: _at(document, path) for name, path in paths.items()}
        return {name: value for name, value in found.items() if value is not None}

    selector = None
    if "status" in paths and all(_PLAIN_NAME.fullmatch(part) for part in paths["status"]):
        selector = "$." + ".".join(paths["status"]), f"{_BARE}status" not in leaves
    return AccessLogReader(frozenset(paths), values, selector)


def _quoted(log_format: str) -> str:
    """The format with variables outside of texts made into texts, so that it is JSON."""
    pieces, inside, at = [], False, 0
    while at < len(log_format):
        letter = log_format[at]
        variable = None if inside else _VARIABLE.match(log_format, at)
        if variable is not None:
            pieces.append(json.dumps(_BARE + variable[1]))
            at = variable.end()
            continue
        if inside and letter == "\\":
            pieces.append(log_format[at : at + 2])
            at += 2
            continue
        if letter == '"':
            inside = not inside
        pieces.append(letter)
        at += 1
    return "".join(pieces)


def _leaves(value: object, path: _Path) -> Iterable[tuple[str, _Path]]:
    if isinstance(value, str):
        yield value, path
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, (*path, name))


def _at(document: object, path: _Path) -> str | None:
    value = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return str(value) if isinstance(value, str | int) else None


# -- other text -----------------------------------------------------------------------------------


def _text_reader(log_format: str) -> AccessLogReader:
    """Fields by what stands between them, as in common log format, CSV and XML."""
    written = log_format.rstrip()
    found = list(_VARIABLE.finditer(written))
    chosen = _chosen(frozenset(match[1] for match in found))
    waiting = {variable: name for name, variable in chosen.items()}
    names = [waiting.pop(match[1], None) for match in found]
    # What stands before the first variable, between two, and behind the last one.
    starts = [0, *(match.end() for match in found)]
    ends = [*(match.start() for match in found), len(written)]
    between = [written[start:end] for start, end in zip(starts, ends, strict=True)]

    def values(line: str) -> Mapping[Field, str]:
        return _split(line.rstrip(), between, names)

    return AccessLogReader(frozenset(chosen), values, None)


def _split(line: str, between: Sequence[str], names: Sequence[Field | None]) -> dict[Field, str]:
    """The named values of a line; each goes as far as the text that follows it."""
    values: dict[Field, str] = {}
    if not line.startswith(between[0]):
        return {}
    at = len(between[0])
    for name, following in zip(names, between[1:], strict=True):
        end = line.find(following, at) if following else len(line)
        if end < 0:
            return {}
        if name is not None:
            values[name] = line[at:end]
        at = end + len(following)
    return values
