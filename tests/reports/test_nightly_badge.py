"""A badge says in few words how the last night was."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from reports.nightly.badge import badge_text
from reports.nightly.document import NightGate, NightlyDocument
from tests.reports.nightly_documents import State, hostile_night, night_document


def badge(document: NightlyDocument) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(badge_text(document))
    return found


def with_gates(document: NightlyDocument, **changed: Any) -> NightlyDocument:
    gates = [gate.model_copy(update=changed) for gate in document.gates]
    return document.model_copy(update={"gates": gates})


def budget() -> NightGate:
    return NightGate(
        step="orders", scope="the run", metric="p99", kind="budget", text="p99 < 1 s",
        status="failed", message="",
    )  # fmt: skip


FAILED = night_document("failed", series=1)
NEW = night_document("first night", series=1)
PASS = night_document("pass", series=1)


@pytest.mark.parametrize(
    ("document", "message", "color"),
    [
        pytest.param(FAILED, "1 regression", "red", id="regression"),
        pytest.param(
            FAILED.model_copy(update={"gates": [*FAILED.gates, budget(), budget()]}),
            "1 regression, 2 budgets over",
            "red",
            id="budgets as well",
        ),
        pytest.param(
            FAILED.model_copy(update={"gates": [budget()]}), "1 budget over", "red", id="budget"
        ),
        pytest.param(
            FAILED.model_copy(update={"gates": []}), "failed", "red", id="nothing says why"
        ),
        pytest.param(night_document("suspect"), "1 suspect", "yellow", id="suspect"),
        pytest.param(night_document("invalid"), "invalid", "orange", id="invalid"),
        pytest.param(night_document("interrupted"), "interrupted", "lightgrey", id="interrupted"),
        pytest.param(night_document("empty"), "error", "red", id="error"),
        pytest.param(
            with_gates(NEW, nights_needed=0), "no baseline yet", "lightgrey", id="needs not told"
        ),
        pytest.param(NEW, "no baseline yet 0/10", "lightgrey", id="first night"),
        pytest.param(
            with_gates(NEW, nights=4, nights_needed=10),
            "no baseline yet 4/10",
            "lightgrey",
            id="some nights",
        ),
        pytest.param(
            with_gates(NEW, nights=12, nights_needed=10),
            "inconclusive",
            "yellow",
            id="enough nights and still nothing",
        ),
        pytest.param(
            with_gates(PASS, value=112.04, change_share=0.031),
            "p95 112 ms +3 %",
            "brightgreen",
            id="pass",
        ),
        pytest.param(
            with_gates(PASS, value=112.04, change_share=-0.02),
            "p95 112 ms \N{MINUS SIGN}2 %",
            "brightgreen",
            id="faster",
        ),
        pytest.param(
            with_gates(PASS, value=112.04, change_share=0.001),
            "p95 112 ms \N{PLUS-MINUS SIGN}0 %",
            "brightgreen",
            id="the same",
        ),
        pytest.param(
            with_gates(PASS, metric="cost", unit="usd_per_million", value=6.4, change_share=0.01),
            "cost 6.40 $/million +1 %",
            "brightgreen",
            id="cost",
        ),
        pytest.param(PASS.model_copy(update={"gates": []}), "pass", "brightgreen", id="no figure"),
    ],
)
def test_what_a_badge_says(document: NightlyDocument, message: str, color: str) -> None:
    found = badge(document)

    assert (found["message"], found["color"]) == (message, color)


def test_of_several_figures_the_one_that_rose_most_is_shown() -> None:
    night = night_document("pass")
    highest = max(
        (gate for gate in night.gates if gate.metric == "p95"),
        key=lambda gate: gate.change_share or 0,
    )

    assert badge(night)["message"].startswith(f"p95 {highest.value:.0f} ms")


@pytest.mark.parametrize("state", get_args(State))
def test_the_form_is_that_of_an_endpoint_badge(state: State) -> None:
    found = badge(night_document(state))

    assert set(found) == {"schemaVersion", "label", "message", "color"}
    assert found["schemaVersion"] == 1
    assert found["label"] == "shop"
    assert all(found.values())


def test_a_badge_stays_short_whatever_names_are() -> None:
    found = badge(hostile_night().model_copy(update={"name": "n" * 500}))

    assert len(found["label"]) <= 60
