"""What CI servers make of a night: tests whose names stay, and outcomes that they understand."""

from __future__ import annotations

import re
from typing import get_args
from xml.etree import ElementTree

import pytest

from reports.junit import junit_text
from reports.nightly.document import GateStatus, NightlyDocument
from reports.nightly.nightly_junit import nightly_suites
from tests.reports.junit_form import assert_junit_form
from tests.reports.nightly_documents import State, hostile_night, night_document


def parsed(document: NightlyDocument) -> ElementTree.Element:
    return ElementTree.fromstring(junit_text(nightly_suites(document)))  # noqa: S314 - our own


def outcomes(document: NightlyDocument) -> dict[str, str]:
    """What came of each test, by its class and name."""
    found = {}
    for case in parsed(document).iter("testcase"):
        outcome = next((child.tag for child in case), "passed")
        found[f"{case.attrib['classname']}: {case.attrib['name']}"] = outcome
    return found


def with_status(status: GateStatus, message: str = "figures") -> NightlyDocument:
    night = night_document("pass", series=1)
    gate = night.gates[-1].model_copy(update={"status": status, "message": message})
    return night.model_copy(update={"gates": [gate]})


@pytest.mark.parametrize("state", get_args(State))
def test_each_state_has_the_form_of_the_schemas(state: State) -> None:
    assert_junit_form(parsed(night_document(state)))


def test_markup_in_names_stays_text() -> None:
    root = parsed(hostile_night())

    assert_junit_form(root)
    assert any("<script>" in case.attrib["name"] for case in root.iter("testcase"))


def test_a_suite_is_the_plan_and_the_step_and_a_class_has_the_scope() -> None:
    root = parsed(night_document("failed"))

    assert [suite.attrib["name"] for suite in root] == [
        "nightly shop",
        "nightly shop / orders",
        "nightly shop / browse",
        "nightly shop / thumbnail",
    ]
    [broken] = [case for case in root.iter("testcase") if case.find("failure") is not None]
    assert broken.attrib["classname"] == "nightly shop / orders.GET /search"
    assert broken.attrib["name"] == "p95 within 7 % of 28 nights"


def test_names_are_the_same_whatever_a_night_measures() -> None:
    names = set(outcomes(night_document("pass")))

    assert set(outcomes(night_document("failed"))) == names
    assert set(outcomes(night_document("suspect"))) == names


@pytest.mark.parametrize(
    ("status", "outcome", "message"),
    [
        ("passed", "passed", None),
        ("failed", "failure", "figures"),
        ("invalid", "error", "figures"),
        ("suspect", "skipped", "suspect: figures"),
        ("muted", "skipped", "muted: figures"),
        ("inconclusive", "skipped", "figures"),
    ],
)
def test_what_a_gate_becomes(status: GateStatus, outcome: str, message: str | None) -> None:
    case = list(parsed(with_status(status)).iter("testcase"))[-3]
    found = {child.tag: child.attrib["message"] for child in case}

    assert case.attrib["name"] == "p95 within 7 % of 28 nights"
    assert found == ({} if message is None else {outcome: message})


def test_a_step_without_a_result_is_an_error_and_one_that_never_began_is_skipped() -> None:
    night = night_document("interrupted")
    steps = [
        night.steps[0].model_copy(update={"verdict": "timed out", "errors": ["took 30 min"]}),
        *night.steps[1:],
    ]
    found = outcomes(night.model_copy(update={"steps": steps}))

    assert found["nightly shop / orders.the step: the step has a result"] == "error"
    assert found["nightly shop / browse.the step: the step has a result"] == "skipped"


@pytest.mark.parametrize("state", ["failed", "invalid", "interrupted", "empty"])
def test_a_night_that_is_not_well_has_a_test_that_is_not_well(state: State) -> None:
    assert {"failure", "error"} & set(outcomes(night_document(state)).values())


def test_history_that_could_not_be_read_is_told_and_fails_nothing() -> None:
    found = outcomes(night_document("failed"))

    assert found["nightly shop.the night: all of the history can be read"] == "skipped"


def test_gates_of_one_name_are_told_apart() -> None:
    night = night_document("pass", series=2)
    pair = [gate.model_copy(update={"text": "within 7 %"}) for gate in night.gates[-2:]]
    names = [
        case.attrib["name"]
        for case in parsed(night.model_copy(update={"gates": pair})).iter("testcase")
    ]

    assert "within 7 %" in names
    assert "within 7 % (p50)" in names


def test_gates_of_a_step_that_is_not_listed_are_not_lost() -> None:
    night = with_status("failed")
    gates = [gate.model_copy(update={"step": "elsewhere"}) for gate in night.gates]

    assert "failure" in outcomes(night.model_copy(update={"gates": gates})).values()


def test_each_suite_took_as_long_as_its_step() -> None:
    night = night_document("failed")
    found = [float(suite.attrib["time"]) for suite in parsed(night)]

    assert found[0] == 22 * 60 + 37
    took = [sum(run.seconds for run in step.runs) for step in night.steps]
    assert found[1:] == pytest.approx(took)


def test_times_that_are_none_spoil_nothing() -> None:
    night = night_document("pass")
    runs = [night.steps[0].runs[0].model_copy(update={"started_utc": "yesterday"})]
    steps = [night.steps[0].model_copy(update={"runs": runs})]

    assert_junit_form(parsed(night.model_copy(update={"steps": steps})))


def test_provenance_stands_in_properties() -> None:
    root = parsed(night_document("failed"))
    found = {p.attrib["name"]: p.attrib["value"] for p in root[1].iter("property")}

    assert found["exit_code"] == "3"
    assert found["night"] == "2026-11-27"
    assert found["git_commit"].startswith("4be1f00d")
    assert re.fullmatch(r"20261127T\w+-load-orders", found["run.night"])
