"""The plan of a run: where to, how much, what it may cost and what may refuse it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.console import Console
from loadgen.cost import CostRange
from loadgen.expected import expected
from loadgen.plan_view import plan_document, show_plan
from loadgen.profile.model import Profile
from loadgen.schedule import plan_phases
from reports.load_document import ConfiguredLimit, TargetFacts
from tests.loadgen.made_runs import profile_of
from tests.loadgen.test_result import HOLD, REST, SPIKE, WARM

TARGET = TargetFacts(
    url="https://a1.execute-api.us-east-1.amazonaws.com/prod",
    api_id="a1",
    api_name="orders",
    api_kind="rest",
    stage="prod",
    region="us-east-1",
    auth=["api_key"],
)
LIMITS = [
    ConfiguredLimit(layer="stage", name="stage prod", rate_rps=8, burst=4),
    ConfiguredLimit(layer="quota", name="plan basic", quota=200, period="DAY"),
]
COST = CostRange(0.01, 0.05, ("API Gateway: 100 requests",))
NOTE = "limits are not known: credentials are missing"


def said(capsys: pytest.CaptureFixture[str]) -> str:
    caught = capsys.readouterr()
    return (caught.out + caught.err).replace("\N{NO-BREAK SPACE}", " ")


def planned(profile: Profile, cost: CostRange = COST) -> tuple[Any, ...]:
    phases = plan_phases(profile)
    return TARGET, profile, phases, expected(profile, phases), cost, LIMITS


def test_the_plan_says_where_to_how_much_and_what_may_refuse_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_plan(Console(), *planned(profile_of(WARM, HOLD, REST, SPIKE)), seed=7)
    text = said(capsys)
    for line in (
        f"target: {TARGET.url} (REST API orders, stage prod, us-east-1), auth api_key",
        "load: open model, poisson arrivals, seed 7, 1 process, at most 1,000 in flight",
        "  0 s to 2 s: warm, 10 requests/s, not measured",
        "  2 s to 6 s: hold, 10 requests/s",
        "  6 s to 8 s: rest, nothing is sent",
        "  at 8 s: spike, 20 arrivals at once",
        "plan: about 80 requests in 8 s, at most 20/s",
        "cost: from $0.0100 to $0.0500",
        "  API Gateway: 100 requests",
        "  stage prod: 8/s, burst 4 (below the peak of 20/s)",
        "  quota of plan basic: 200 a day",
    ):
        assert line in text.splitlines()


def test_with_users_the_number_of_requests_is_not_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    load = {"model": "closed", "phases": [{"name": "u", "duration": "90s", "users": 5}]}
    unknown = CostRange(None, None, ("cost unknown: nobody knows",))
    show_plan(Console(), *planned(profile_of(load=load), unknown), seed=7)
    text = said(capsys)
    assert "load: closed model, seed 7, 1 process\n" in text
    assert "  0 s to 1 min 30 s: u, 5 users\n" in text
    assert "plan: 1 min 30 s; how many requests depends on how fast the API answers\n" in text
    assert "cost: not known\n  cost unknown: nobody knows\n" in text


def test_quiet_says_no_plan(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(Console(verbosity=-1), *planned(profile_of(HOLD)), seed=7)
    assert said(capsys) == ""


def test_the_plan_as_json() -> None:
    document = json.loads(plan_document(*planned(profile_of(WARM, HOLD))))
    assert (document["kind"], document["verdict"], document["exit_code"]) == (
        "load-plan",
        "pass",
        0,
    )
    assert document["plan"]["requests"] == pytest.approx(60)
    assert document["plan"]["cost_usd"] == {"least": 0.01, "most": 0.05}
    assert [phase["name"] for phase in document["plan"]["phases"]] == ["warm", "hold"]
    assert document["limits"][0]["rate_rps"] == 8


@pytest.mark.parametrize("verbosity", [-1, 0], ids=["quiet", "normal"])
def test_a_plan_that_was_asked_for_is_on_stdout(
    verbosity: int, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(verbosity=verbosity)
    show_plan(console, *planned(profile_of(HOLD)), seed=7, notes=[NOTE], is_answer=True)
    caught = capsys.readouterr()
    assert caught.out.startswith("target: ")
    assert caught.out.endswith(f"note: {NOTE}\n")
    assert caught.err == ""


def test_the_plan_before_a_run_is_talk(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(Console(), *planned(profile_of(HOLD)), seed=7, notes=[NOTE])
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.endswith(f"note: {NOTE}\n")


def test_where_stdout_has_json_the_plan_is_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(Console(json_output=True), *planned(profile_of(HOLD)), seed=7, is_answer=True)
    caught = capsys.readouterr()
    assert (caught.out, caught.err[:8]) == ("", "target: ")


def test_the_notes_are_in_the_plan_as_json() -> None:
    made = planned(profile_of(HOLD))
    assert json.loads(plan_document(*made, notes=[NOTE]))["notes"] == [NOTE]
    assert json.loads(plan_document(*made))["notes"] == []
