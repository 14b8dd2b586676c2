"""The dry run of a night: each step says what it would do, and the sum of it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import loadgen.guards
import tuner.plan
from reports.nightly.options import NightOptions
from reports.nightly.plan_reader import PlanFile
from reports.nightly.plan_trial import (
    ASK_ABOVE_REQUESTS,
    ASK_ABOVE_USD,
    Answered,
    StepTrial,
    ask_step,
)
from reports.nightly.plan_view import ask_steps, plan_document, plan_lines
from tests.reports.test_nightly_plan import GOOD, read

LOAD = {"kind": "load-plan", "plan": {
    "requests": 1200.0, "duration_s": 60.0, "cost_usd": {"least": 0.01, "most": 0.02},
}}  # fmt: skip
TUNE = {
    "kind": "tune-plan",
    "notes": ["it is a note"],
    "plan": {"invocations": 30, "cost_usd": {"least": 0.001, "most": 0.003}},
    "other": {"plan": {"invocations": 20, "cost_usd": {"least": 0.001, "most": 0.002}}},
}


def trials_of(
    file: PlanFile, load: Answered, tune: Answered, *only: str
) -> tuple[NightOptions, list[StepTrial]]:
    """What the steps of a plan say, and the options that they were asked with."""
    options = NightOptions(plan=file.path, only=only, dry_run=True)

    def run(command: Sequence[str]) -> Answered:
        assert "--dry-run" in command
        assert "--yes" not in command
        return load if "loadgen" in command else tune

    return options, ask_steps(file, options, run, lambda _: None)


def answered(document: dict[str, Any]) -> Answered:
    return Answered(0, json.dumps(document))


def shown(file: PlanFile, options: NightOptions, trials: Sequence[StepTrial]) -> list[str]:
    """The lines of the plan, with plain blanks."""
    lines = plan_lines(file, options, trials)
    return [line.strip().replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def test_costs_and_calls_are_the_sums_of_the_steps(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD)
    options, trials = trials_of(file, answered(LOAD), answered(TUNE))
    document = plan_document(file, options, trials, exit_code=0)

    assert [trial.calls for trial in trials] == [1200, 50]
    assert document["cost_usd"] == pytest.approx({"least": 0.012, "most": 0.025})
    assert document["verdict"] == "pass"
    assert [step["exit_code"] for step in document["steps"]] == [0, 0]


def test_the_plan_is_shown_with_what_confirming_could_cost(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD, settings=("gates.confirm.by=rerun", "steps.0.baseline="))
    options, trials = trials_of(file, answered(LOAD), answered(TUNE))
    lines = shown(file, options, trials)

    assert lines[0] == f"{file.path}: shop"
    assert (
        "1. load orders: 1,200 requests, 1 min long, ended after 10 min at the latest; "
        "cost from $0.0100 to $0.0200"
    ) in lines
    assert "note: it is a note" in lines
    assert (
        "what looks worse is measured again: 2 further runs or 8 pairs of runs of a step with "
        "a baseline, within 30 min"
    ) in lines
    # The load 2 + 2 times and the tuning 2 + 16 times: 4 x 0.02 + 18 x 0.005.
    assert (
        "with each step once more where it is invalid, and all that confirms: at most $0.17"
    ) in lines
    assert "cost of a month of 30 nights with nothing to repeat: at most $0.75" in lines
    assert "no further step or rerun begins above $1.50" in lines


@pytest.mark.parametrize(
    ("limit", "said", "most"),
    [
        ("16m", "", "$0.45"),  # the load 2 + 16 times, the tuning 2 + 16 times
        ("10m", "5 of 8 pairs of load orders fit into 10 min, at 1 min a run", "$0.33"),
        (
            "7m",
            (
                "3 of 8 pairs of load orders fit into 7 min, at 1 min a run, and fewer than 4 "
                "tell nothing: 2 further runs instead"
            ),
            "$0.17",
        ),
        (
            "1m",
            (
                "no pair of load orders fits into 1 min, at 1 min a run, and fewer than 4 "
                "tell nothing: 2 further runs instead"
            ),
            "$0.17",
        ),
    ],
)
def test_the_plan_says_how_many_pairs_fit(tmp_path: Path, limit: str, said: str, most: str) -> None:
    settings = ("gates.confirm.by=rerun", f"gates.confirm.time_limit={limit}")
    file = read(tmp_path, GOOD, settings=settings)
    options, trials = trials_of(file, answered(LOAD), answered(TUNE))
    lines = shown(file, options, trials)

    assert [line for line in lines if "pairs of load" in line or "no pair" in line] == (
        [said] if said else []
    )
    assert any(line.startswith("with each step once more") and most in line for line in lines)


def test_max_usd_is_what_a_night_costs_at_most(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD, settings=("gates.confirm.by=rerun", "max_usd=0.1"))
    options, trials = trials_of(file, answered(LOAD), answered(TUNE))

    assert (
        "with each step once more where it is invalid, and all that confirms: at most $0.12, "
        "which is max_usd and the run that passes it"
    ) in shown(file, options, trials)


def test_a_step_that_could_not_run_says_why(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD)
    wrong = Answered(2, json.dumps({"errors": ["there is no such function"], "exit_code": 2}))
    options, trials = trials_of(file, answered(LOAD), wrong)
    lines = shown(file, options, trials)

    assert trials[1].errors == ("there is no such function",)
    assert "2. tune thumb-live: could not run, see below" in lines
    assert "cost of a night: not known: that of tune thumb-live is not" in lines
    assert plan_document(file, options, trials, exit_code=2)["errors"] == [
        "tune thumb-live: there is no such function"
    ]


@pytest.mark.parametrize(
    ("given", "code", "error"),
    [
        (Answered(0, ""), 1, "its dry run gave no answer"),
        (Answered(0, "[]"), 1, "its dry run gave no answer"),
        (Answered(-9, "", "its dry run timed out"), 1, "its dry run timed out"),
        (Answered(6, '{"errors": ["no"]}'), 6, "no"),
    ],
    ids=["silent", "no document", "killed", "refused"],
)
def test_an_answer_that_is_none_is_an_error(
    tmp_path: Path, given: Answered, code: int, error: str
) -> None:
    (step, _) = read(tmp_path, GOOD).plan.steps
    trial = ask_step(step, ["loadgen"], lambda _: given)

    assert (trial.exit_code, trial.errors) == (code, (error,))


def test_what_is_not_known_is_not_zero(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD)
    closed = {"plan": {"requests": None, "cost_usd": {"least": None, "most": None}}}
    options, trials = trials_of(file, answered(closed), answered(TUNE), "load orders")
    lines = shown(file, options, trials)

    assert (
        "1. load orders: requests as fast as the API answers, ended after 10 min at the latest; "
        "cost not known"
    ) in lines
    assert "cost of a night: not known: that of load orders is not" in lines


@pytest.mark.parametrize(
    ("calls", "most_usd", "needed"),
    [
        (100, 0.99, False),
        (100, 1.01, True),
        (100_000, None, False),
        (100_001, None, True),
        (None, None, True),
    ],
)
def test_a_step_that_would_be_refused_for_its_cost_is_told(
    tmp_path: Path, calls: float | None, most_usd: float | None, *, needed: bool
) -> None:
    file = read(tmp_path, GOOD)
    plan = {"requests": calls, "cost_usd": {"least": most_usd, "most": most_usd}}
    options, trials = trials_of(file, answered({"plan": plan}), answered(TUNE))
    line = "without --yes, load orders would be refused: the cost is not agreed to"

    assert trials[0].needs_yes is needed
    assert (line in shown(file, options, trials)) is needed
    assert line not in shown(file, replace(options, yes=True), trials)


def test_steps_are_asked_from_the_same_cost_on_as_their_commands_ask() -> None:
    assert ASK_ABOVE_USD == loadgen.guards.ASK_ABOVE_USD == tuner.plan.ASK_ABOVE_USD
    assert ASK_ABOVE_REQUESTS == loadgen.guards.ASK_ABOVE_REQUESTS
