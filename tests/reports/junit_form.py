"""The form that the schemas of Ant and of Jenkins both ask of a JUnit file."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element


def assert_junit_form(root: Element) -> None:
    """Counts, order, attributes and outcomes of all suites in a file."""
    assert root.tag == "testsuites"
    for number, suite in enumerate(root):
        cases = suite.findall("testcase")
        counts = {
            "tests": len(cases),
            "failures": len(suite.findall("testcase/failure")),
            "errors": len(suite.findall("testcase/error")),
            "skipped": len(suite.findall("testcase/skipped")),
        }
        assert {name: int(suite.attrib[name]) for name in counts} == counts
        assert suite.attrib["id"] == str(number)
        assert float(suite.attrib["time"]) >= 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        assert all(suite.attrib[name] for name in ("name", "package", "hostname"))
        order = [child.tag for child in suite]
        assert order == ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
        assert all(set(p.attrib) == {"name", "value"} for p in suite.findall("properties/property"))
        assert all({"name", "classname", "time"} <= set(case.attrib) for case in cases)
        for case in cases:
            assert len(case) <= 1
            assert {child.tag for child in case} <= {"failure", "error", "skipped"}
        for broken in [*suite.iter("failure"), *suite.iter("error")]:
            assert broken.attrib["type"]
            assert broken.attrib["message"]
