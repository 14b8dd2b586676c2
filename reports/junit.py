"""Gates of runs as JUnit XML, which CI servers show beside tests.

The form is what the schemas of Ant and of Jenkins both allow: a suite for each run, with its
provenance as properties; a gate that could not be judged is skipped, and one of an invalid
measurement is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree  # writes only

from reports.gate import Gate, GateSuite

# What XML 1.0 cannot hold, however it is escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {"failed": "failure", "inconclusive": "skipped", "invalid": "error"}
_PACKAGES = {
    "tune": "tune",
    "load": "loadgen.run",
    "limits": "loadgen.limits",
    "load-compare": "reports.compare",
    "nightly": "reports.nightly",
}


def junit_text(suites: Sequence[GateSuite]) -> str:
    """The suites as one XML document."""
    root = ElementTree.Element("testsuites")
    for number, suite in enumerate(suites):
        root.append(_suite(number, suite))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(number: int, suite: GateSuite) -> ElementTree.Element:
    counts = {
        tag: sum(1 for gate in suite.gates if _TAGS.get(gate.status) == tag)
        for tag in ("failure", "error", "skipped")
    }
    element = ElementTree.Element(
        "testsuite",
        {
            "id": str(number),
            "name": _text(suite.name),
            "package": _PACKAGES[suite.kind],
            "hostname": "localhost",
            "timestamp": _timestamp(suite.started_utc),
            "tests": str(len(suite.gates)),
            "failures": str(counts["failure"]),
            "errors": str(counts["error"]),
            "skipped": str(counts["skipped"]),
            "time": f"{_length_s(suite):.3f}",
        },
    )
    properties = ElementTree.SubElement(element, "properties")
    for name, value in suite.properties:
        ElementTree.SubElement(properties, "property", {"name": name, "value": _text(value)})
    element.extend(_case(gate, suite.name) for gate in suite.gates)
    ElementTree.SubElement(element, "system-out").text = _text(_told(suite.gates))
    ElementTree.SubElement(element, "system-err")
    return element


def _told(gates: Sequence[Gate]) -> str:
    """All gates with their figures: those that passed have them nowhere else."""
    lines = [f"{gate.status}: {gate.text} ({gate.scope}): {gate.message}" for gate in gates]
    return "\n".join(line.removesuffix(": ") for line in lines)


def _case(gate: Gate, suite: str) -> ElementTree.Element:
    # Servers that show a case without its suite would not say which run it is of.
    where = f"{suite}.{gate.scope}"
    attributes = {"name": _text(gate.text), "classname": _text(where), "time": "0"}
    element = ElementTree.Element("testcase", attributes)
    tag = _TAGS.get(gate.status)
    if tag is not None:
        said = _text(gate.message)
        outcome = ElementTree.SubElement(element, tag, {"message": said})
        if tag != "skipped":
            outcome.set("type", gate.status)
            outcome.text = said
    return element


def _text(content: str) -> str:
    """`content` without what XML cannot hold, and with plain spaces."""
    return _FORBIDDEN.sub("", content.replace("\N{NO-BREAK SPACE}", " "))


def _timestamp(started_utc: str) -> str:
    """A time without its zone, as the schemas have it; it is in UTC."""
    found = _moment(started_utc)
    return found.strftime("%Y-%m-%dT%H:%M:%S") if found else "1970-01-01T00:00:00"


def _length_s(suite: GateSuite) -> float:
    started, finished = _moment(suite.started_utc), _moment(suite.finished_utc)
    if started is None or finished is None:
        return 0.0
    return max(0.0, (finished - started).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
