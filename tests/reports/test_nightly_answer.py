"""The verdict and the exit code of a night, from its steps and gates."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import ExitCode
from reports.history.record import AlarmRecord, SeriesId
from reports.nightly.answer import Measured, document_of, exit_code_of_night
from reports.nightly.document import GateStatus, NightGate, NightProvenance, NightRun, NightStep
from reports.nightly.judging import NightJudgement
from reports.nightly.night_facts import NightFacts
from reports.nightly.plan import NightlyPlan
from reports.nightly_page.night_steps import totals

PLAN = NightlyPlan.model_validate(
    {"name": "shop", "steps": [{"kind": "load", "name": "orders", "profile": "orders.yaml"}]}
)
FACTS = NightFacts("n1", 1, "2026-11-27", "main", None, None)
PROVENANCE = NightProvenance(
    tool_version="1", command=[], started_utc="", finished_utc="", plan_file="nightly.yaml",
    plan_sha256="", plan_text="", environment=None, history="history",
)  # fmt: skip


def step(code: int, verdict: str = "pass", **more: Any) -> NightStep:
    run = NightRun(
        purpose="night", run_id="r", folder="steps/r", verdict=verdict, exit_code=code,
        started_utc="", seconds=1.0, spent_usd=0.25,
    )  # fmt: skip
    values = {"name": "orders", "kind": "load", "errors": [], "headline": "", "runs": [run]}
    return NightStep.model_validate({**values, "verdict": verdict, "exit_code": code, **more})


def gate(status: GateStatus, kind: str = "relative", **more: Any) -> NightGate:
    values = {"step": "orders", "scope": "GET /a", "metric": "p95", "text": "t", "message": "m"}
    return NightGate.model_validate({**values, "status": status, "kind": kind, **more})


def alarm(state: str = "confirmed", change: float = 0.12) -> AlarmRecord:
    return AlarmRecord.model_validate(
        {
            "alarm_id": f"a-{change}",
            "series": SeriesId(step="orders", scope="GET /a", metric="p95"),
            "state": state,
            "since_night": "2026-11-25",
            "since_night_id": "n0",
            "since_sequence": 1,
            "change_share": change,
            "change_interval": (0.08, 0.16),
            "p_value": 0.001,
            "floor_share": 0.07,
            "baseline_value": 120.0,
            "value": 134.4,
            "unit": "ms",
        }
    )


@pytest.mark.parametrize(
    ("codes", "statuses", "code"),
    [
        pytest.param([0], ["passed"], 0, id="pass"),
        pytest.param([0], ["passed", "suspect"], 0, id="suspect"),
        pytest.param([0], ["passed", "muted"], 0, id="muted"),
        pytest.param([0], ["passed", "failed"], 3, id="failed"),
        pytest.param([3], ["passed"], 0, id="a step's own code is a gate or nothing"),
        pytest.param([0], ["inconclusive"], 4, id="inconclusive"),
        pytest.param([4], ["passed"], 0, id="a tuning without a sure answer"),
        pytest.param([5, 0], ["passed", "invalid"], 5, id="invalid"),
        pytest.param([6, 0], ["passed", "inconclusive"], 6, id="refused"),
        pytest.param([1, 0], ["passed"], 1, id="error"),
        pytest.param([2, 0], ["passed"], 1, id="input fault of a step"),
        pytest.param([143], ["passed"], 1, id="a step that somebody ended"),
        pytest.param([1, 5], ["invalid"], 1, id="error before invalid"),
        pytest.param([1, 5, 0], ["failed", "invalid"], 3, id="a regression stands"),
        pytest.param([], [], 4, id="nothing"),
        pytest.param([0], [], 4, id="nothing was judged"),
    ],
)
def test_the_exit_code_is_the_first_that_applies(
    codes: list[int], statuses: list[GateStatus], code: int
) -> None:
    steps, gates = [step(one) for one in codes], [gate(one) for one in statuses]

    assert exit_code_of_night(steps, gates) == code


def test_what_is_inconclusive_may_pass() -> None:
    found = exit_code_of_night([step(0)], [gate("inconclusive")], inconclusive="pass")

    assert found == ExitCode.PASS


def test_an_interruption_comes_before_all() -> None:
    assert exit_code_of_night([step(0)], [gate("failed")], interrupted=True) == 130


def test_a_step_that_was_interrupted_is_none_that_was_done() -> None:
    found = night([], [], steps=[step(4), step(130)], interrupted=True)

    assert found.headline == "Interrupted after 1 of 2 steps."


def night(gates: list[NightGate], alarms: list[AlarmRecord], **more: Any) -> Any:
    judgement = NightJudgement(gates=gates, alarms=alarms)
    steps = more.pop("steps", [step(0)])
    measured = Measured(gates=more.pop("measured", []))
    return document_of(PLAN, FACTS, steps, measured, judgement, provenance=PROVENANCE, **more)


@pytest.mark.parametrize(
    ("gates", "alarms", "headline"),
    [
        pytest.param([gate("passed")], [], "The only figure is as on earlier nights.", id="quiet"),
        pytest.param(
            [gate("failed")],
            [alarm()],
            "orders, GET /a: p95 rose by 12 % (8.0 to 16 %) to 134 ms since 2026-11-25.",
            id="confirmed",
        ),
        pytest.param(
            [gate("failed", "budget", text="p95 < 100 ms")],
            [],
            "orders, GET /a: p95 < 100 ms does not hold.",
            id="budget",
        ),
        pytest.param(
            [gate("suspect")],
            [alarm("suspect")],
            "orders, GET /a: p95 may be worse; not confirmed.",
            id="suspect",
        ),
        pytest.param(
            [gate("inconclusive").model_copy(update={"nights": 4, "nights_needed": 6})],
            [],
            "Still learning: the only figure is judged after 2 more nights.",
            id="few nights",
        ),
        pytest.param(
            [gate("inconclusive")], [], "The only figure cannot be judged: m", id="inconclusive"
        ),
        pytest.param(
            [gate("inconclusive"), gate("passed")],
            [],
            "1 of 2 figures cannot be judged: m",
            id="one inconclusive",
        ),
        pytest.param(
            [gate("passed"), gate("muted")],
            [],
            "The other figure is as on earlier nights; 1 worse figure is muted.",
            id="one muted",
        ),
        pytest.param(
            [gate("muted"), gate("muted")],
            [],
            "2 worse figures are muted; there is no other.",
            id="all muted",
        ),
        pytest.param(
            [gate("passed", "validity")],
            [],
            "All steps were measured; no figure is compared with earlier nights.",
            id="nothing compared",
        ),
    ],
)
def test_the_headline_says_the_worst(
    gates: list[NightGate], alarms: list[AlarmRecord], headline: str
) -> None:
    assert night(gates, alarms).headline.replace("\N{NO-BREAK SPACE}", " ") == headline


@pytest.mark.parametrize(
    ("passed", "headline"),
    [
        (0, "orders gave nothing to judge."),
        (1, "orders gave nothing to judge; 1 figure is as usual."),
        (2, "orders gave nothing to judge; 2 figures are as usual."),
    ],
)
def test_a_step_without_figures_is_named(passed: int, headline: str) -> None:
    found = night([gate("passed")] * passed, [], steps=[step(5, "invalid")])

    assert found.headline == headline


def test_gates_stand_in_their_order() -> None:
    found = night(
        [gate("passed")], [], measured=[gate("passed", "budget"), gate("passed", "validity")]
    )

    assert [one.kind for one in found.gates] == ["validity", "budget", "relative"]


def test_what_steps_cost_is_added() -> None:
    assert night([gate("passed")], [], steps=[step(0), step(0)]).spent_usd == pytest.approx(0.5)


def test_what_is_not_known_of_the_cost_is_said() -> None:
    (paid,) = step(0).runs
    cut = paid.model_copy(update={"spent_usd": None, "exit_code": 1})
    refused = paid.model_copy(update={"spent_usd": None, "exit_code": 6})

    def words(*runs: NightRun) -> str:
        return totals(night([gate("passed")], [], steps=[step(0, runs=list(runs))]))

    assert words(paid, refused).endswith("; they cost $0.25.")
    assert words(paid, cut).endswith("; they cost at least $0.25: of 1 of them it is not known.")
    assert words(cut).endswith("; what it cost is not known.")
