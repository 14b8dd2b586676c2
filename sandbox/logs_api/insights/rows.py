"""Rows: log events with the fields that Logs Insights discovers in them, and computed values.

Fields are discovered when they are asked for: those that begin with @, the ones of Lambda's START,
END and REPORT lines, and the members of JSON ("a.b.0.c"). In the log groups of Lambda functions,
JSON counts wherever it begins in the line, and only the first such part
(CloudWatch Logs user guide, "Supported logs and discovered fields", read 2026-09).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.logs_api.insights.values import Measured, Timestamp, Value
from sandbox.telemetry.log_merge import LogEvent

_LAMBDA_GROUP = "/aws/lambda/"
_DECODER = json.JSONDecoder()
_NOT_READ: Any = object()

_START_OR_END = re.compile(r"(START|END) RequestId: ([0-9a-f-]{36})")
_REPORT = "REPORT RequestId: "
# A line that a handler logged, in the form of Python's or Node's runtime.
_APPLICATION_ID = re.compile(
    r"(?:^|\t)([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\t"
)
# Decimal, not binary: 128 MB are 1.28E8 bytes.
_MB = 1_000_000.0
_REPORT_NUMBERS: Mapping[str, tuple[str, float]] = {
    "Duration": ("@duration", 1.0),
    "Billed Duration": ("@billedDuration", 1.0),
    "Init Duration": ("@initDuration", 1.0),
    "Memory Size": ("@memorySize", _MB),
    "Max Memory Used": ("@maxMemoryUsed", _MB),
}
_REPORT_TEXTS = {"XRAY TraceId": "@xrayTraceId", "SegmentId": "@xraySegmentId"}
_AMOUNT = re.compile(r"\d+(?:\.\d+)?")


class Row:
    """One row of a query: an event, or what `stats` made of many."""

    __slots__ = ("_account_id", "_document", "_event", "_platform", "values")

    def __init__(
        self, event: LogEvent | None, account_id: str = "", values: dict[str, Value] | None = None
    ) -> None:
        self._event = event
        self._account_id = account_id
        self._document: Any = _NOT_READ
        self._platform: Mapping[str, Value] | None = None
        self.values: dict[str, Value] = {} if values is None else values

    def get(self, name: str) -> Value:
        """The value of a field; None where the row has none."""
        if name in self.values:
            return self.values[name]
        if self._event is None:
            return None
        if name.startswith("@@"):  # members of JSON that themselves begin with @
            return self._member(name[1:])
        return self._discover(self._event, name) if name.startswith("@") else self._member(name)

    def _discover(self, event: LogEvent, name: str) -> Value:
        match name:
            case "@message":
                return event.message
            case "@timestamp":
                return Timestamp(event.timestamp_ms)
            case "@logStream":
                return event.stream
            case "@log":
                return f"{self._account_id}:{event.group}"
            case "@ingestionTime":
                return Timestamp(event.ingestion_ms)
            case "@ptr":
                return pointer(event)
        if self._platform is None:
            self._platform = platform_fields(event.message)
        return self._platform.get(name)

    def _member(self, name: str) -> Value:
        if self._document is _NOT_READ:
            self._document = None if self._event is None else document_of(self._event)
        return None if self._document is None else _plain(_find(self._document, name))


def pointer(event: LogEvent) -> str:
    """What names an event in all groups, as `@ptr` does."""
    text = f"{event.timestamp_ms}:{event.sequence}:{event.group}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def platform_fields(message: str) -> Mapping[str, Value]:
    """The fields of a line that Lambda, or a Lambda runtime, wrote as text."""
    if message.startswith(_REPORT):
        return _report_fields(message)
    found = _START_OR_END.match(message)
    if found is not None:
        return {"@type": found[1], "@requestId": found[2]}
    application = _APPLICATION_ID.search(message)
    return {} if application is None else {"@requestId": application[1]}


def _report_fields(message: str) -> Mapping[str, Value]:
    fields: dict[str, Value] = {"@type": "REPORT"}
    for part in re.split(r"[\t\n]+", message):
        label, _, text = part.partition(": ")
        if label == "REPORT RequestId":
            fields["@requestId"] = text.strip()
        elif label in _REPORT_TEXTS:
            fields[_REPORT_TEXTS[label]] = text.strip()
        elif label in _REPORT_NUMBERS and (amount := _AMOUNT.match(text)):
            name, unit = _REPORT_NUMBERS[label]
            fields[name] = Measured(float(amount[0]) * unit)
    return fields


def document_of(event: LogEvent) -> Any:
    """The JSON object or list that an event's message has; None where it has none."""
    text = event.message.strip()
    if not event.group.startswith(_LAMBDA_GROUP):
        return _decode(text) if text[:1] in ("{", "[") else None
    start = text.find("{")
    return None if start < 0 else _decode(text[start:], whole=False)


def _decode(text: str, *, whole: bool = True) -> Any:
    try:
        return json.loads(text) if whole else _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _find(document: Any, path: str) -> Any:
    """The member that a dotted path leads to; names may have dots themselves."""
    if isinstance(document, list):
        head, _, rest = path.partition(".")
        if not head.isdecimal() or len(head) > 9 or int(head) >= len(document):
            return None
        found = document[int(head)]
        return _find(found, rest) if rest else found
    if not isinstance(document, dict):
        return None
    if path in document:
        return document[path]
    end = path.find(".")
    while end >= 0:
        if path[:end] in document:
            found = _find(document[path[:end]], path[end + 1 :])
            if found is not None:
                return found
        end = path.find(".", end + 1)
    return None


def _plain(found: Any) -> Value:
    if isinstance(found, float):
        return Measured(found)
    if found is None or isinstance(found, str | int):
        return found
    # Objects and lists have their members as fields; an empty one has none, and is shown itself.
    return None if found else json.dumps(found)
