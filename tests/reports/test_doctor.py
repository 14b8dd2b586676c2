"""`reports doctor`: what a history with a known truth says of its own alarms."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.command_line import run_app
from reports import cli
from reports.history.history import Past, open_history, past_of
from reports.history.record import EventRecord, Record, RunRecord, SeriesId
from reports.nightly.doctor import diagnosed
from reports.nightly.doctor_document import DoctorDocument, FigureHealth
from reports.nightly.plan import Confirm, Gates, LoadStep, NightlyPlan, TuneStep
from tests.reports.nights import (
    ORDERS,
    NightChanges,
    NightNoise,
    event_at,
    rerun_of,
    simulated_past,
)

P95 = SeriesId(step="orders", scope="GET /search", metric="p95")
PLAN = NightlyPlan(
    name="shop",
    steps=(
        LoadStep(name="orders", profile="orders.yaml"),
        TuneStep(name="thumbnail", function="thumbnail"),
    ),
)
ONLY_P95 = PLAN.model_copy(update={"gates": Gates(metrics=("p95",))})
PLAN_TEXT = """\
version: 1
name: shop
gates: {metrics: [p95]}
steps:
  - {load: orders.yaml, name: orders}
"""
Answer = tuple[int, str, str]


def past(
    nights: int = 40, *, events: Sequence[EventRecord] = (), **options: Any
) -> tuple[Past, list[RunRecord]]:
    runs, records = simulated_past(nights, steps=(ORDERS,), **options)
    return past_of([*runs, *records, *events]), runs


def doctor(found: Past, plan: NightlyPlan = ONLY_P95, **options: Any) -> DoctorDocument:
    return diagnosed(found, plan, history="nights", **options)


def figure(document: DoctorDocument, series: SeriesId = P95) -> FigureHealth:
    return next(one for one in document.figures if one.series == series)


def test_quiet_nights_find_small_steps_and_need_no_advice() -> None:
    found = doctor(past(noise=NightNoise(night=0.005, error=0.002))[0])

    assert (found.verdict, found.exit_code, found.nights, found.judged_nights) == (
        "pass",
        0,
        40,
        30,
    )
    health = figure(found)
    assert health.night_sd_share == pytest.approx(0.005, rel=0.4)
    assert (health.smallest_first_night or 1) < 0.09
    assert any("its noise would allow a floor of" in sentence for sentence in found.advice)


def test_alarms_of_a_month_have_an_interval() -> None:
    found = doctor(past()[0])

    assert found.suspected is not None
    assert found.failed is not None
    low, high = found.suspected.a_month_interval
    assert low <= found.suspected.a_month <= high
    assert found.failed.a_month <= found.suspected.a_month
    assert found.nights_a_month == pytest.approx(30.4, abs=0.1)


def test_nights_a_week_apart_are_four_a_month() -> None:
    weekly = ONLY_P95.model_copy(update={"every_s": 7 * 86_400.0})

    assert doctor(past(16)[0], weekly).nights_a_month == pytest.approx(4.35, abs=0.01)


def test_too_few_requests_are_told_apart_from_nights_that_differ() -> None:
    sampled = doctor(past(noise=NightNoise(night=0.005, error=0.05))[0])
    nightly = doctor(past(noise=NightNoise(night=0.06, error=0.005))[0])

    assert (figure(sampled).sampling_share or 0) > 0.7
    assert "32,000 instead of 8,000 a night would find" in " ".join(sampled.advice)
    assert (figure(sampled).with_four_times_requests or 1) < 0.75 * (
        figure(sampled).smallest_two_nights or 0
    )
    assert (figure(nightly).sampling_share or 1) < 0.1
    assert "more requests help little" in " ".join(nightly.advice)
    assert "instead of 8,000" not in " ".join(nightly.advice)


def test_a_step_is_no_false_alarm_and_is_named_until_it_is_accepted() -> None:
    changed: dict[str, Any] = {"step_at": 25, "step_share": 0.3}
    accepted = event_at(30, "accept", P95, from_sequence=26)

    unknown, known = doctor(past(**changed)[0]), doctor(past(events=[accepted], **changed)[0])

    assert [(step.night, step.accepted) for step in unknown.steps] == [("2026-09-26", False)]
    assert any("nobody accepted it" in sentence for sentence in unknown.advice)
    assert [(step.night, step.accepted) for step in known.steps] == [("2026-09-26", True)]
    assert not any("nobody accepted it" in sentence for sentence in known.advice)
    assert figure(unknown).night_sd_share < 0.05


def test_recorded_reruns_decide_what_a_night_suspected() -> None:
    changes = NightNoise(night=0.01, error=0.002)
    runs, nights = simulated_past(30, steps=(ORDERS,), noise=changes)
    bad = rerun_of(runs[20], "night", {"p95": 1.4}).model_copy(update={"run_id": runs[20].run_id})
    calm = [rerun_of(runs[20], "rerun", {}), rerun_of(runs[20], "rerun", {})]
    calm[1] = calm[1].model_copy(update={"run_id": "second"})
    nights_then: list[Record] = [*runs[:20], bad, *runs[21:], *nights]

    drawn = doctor(past_of(nights_then))
    recorded = doctor(past_of([*nights_then, *calm]))

    # Both endpoints.
    assert (drawn.reruns_drawn, drawn.reruns_recorded) == (2, 0)
    assert "no reruns are recorded" in " ".join(drawn.advice)
    assert (recorded.reruns_drawn, recorded.reruns_recorded) == (0, 2)
    assert recorded.suspected is not None
    assert recorded.failed is not None
    assert (recorded.suspected.nights, recorded.failed.nights) == (1, 0)


@pytest.mark.parametrize(
    ("nights", "min_nights", "missing"), [(14, 10, 1), (15, 10, 0), (20, 30, 15), (0, 10, 15)]
)
def test_how_many_nights_are_missing_is_said(nights: int, min_nights: int, missing: int) -> None:
    gates = Gates(metrics=("p95",), min_nights=min_nights, window=40)
    found = doctor(past(nights)[0], PLAN.model_copy(update={"gates": gates}))

    assert found.nights_missing == missing
    assert (found.verdict, found.exit_code) == (("inconclusive", 4) if missing else ("pass", 0))
    assert bool(found.figures) is not bool(missing)


def test_nights_that_do_not_count_are_no_nights() -> None:
    changes = NightChanges(invalid=(3, 4), profile_at=6)

    assert doctor(past(20, changes=changes)[0]).nights == 14


def test_all_figures_of_a_plan_are_there_and_the_last_nights_alone() -> None:
    runs, nights = simulated_past(40)

    found = doctor(past_of([*runs, *nights]), PLAN, last=20)

    assert len(found.figures) == 9
    assert (found.nights, found.first_night, found.last_night) == (20, "2026-09-21", "2026-10-10")


def test_the_next_night_confirms_where_the_plan_says_so() -> None:
    gates = Gates(metrics=("p95",), confirm=Confirm(by="next_night"))
    found = doctor(past(20)[0], PLAN.model_copy(update={"gates": gates}))

    assert found.reruns == 0
    assert figure(found).smallest_first_night is None


def test_the_same_history_gives_the_same_document() -> None:
    found = past(25)[0]

    assert doctor(found, seed=4) == doctor(found, seed=4)


# -- the command ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of 16 nights."""
    folder = tmp_path_factory.mktemp("history")
    history, found = open_history(str(folder)), past(16)[0]
    for run in found.runs:
        history.append(run)
    for night in found.nights:
        history.append(night)
    return folder


@pytest.fixture
def command(
    kept: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Answer]:
    """`reports doctor` in a directory with a plan and a history called `kept`."""
    monkeypatch.chdir(tmp_path)
    Path("plan.yaml").write_text(PLAN_TEXT)
    Path("orders.yaml").touch()
    shutil.copytree(kept, "kept")

    def go(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["reports", "doctor", *arguments])
        with pytest.raises(SystemExit) as ended:
            run_app(cli.app, "reports")
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return go


def test_the_answer_is_within_80_columns(command: Callable[..., Answer]) -> None:
    code, out, err = command("plan.yaml", "--history", "kept")

    assert (code, err) == (0, "")
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "shop: 16 nights of main, 2026-09-01 to 2026-09-16, in kept" in out
    assert "suspected: " in out
    assert "orders / GET /search / p95" in out


def test_with_json_stdout_is_the_document(command: Callable[..., Answer]) -> None:
    code, out, _ = command("plan.yaml", "--history", "kept", "--json")

    document = DoctorDocument.model_validate(json.loads(out))
    assert (code, document.nights, len(document.figures)) == (0, 16, 2)


def test_an_empty_history_is_inconclusive_and_stays_as_it_is(
    command: Callable[..., Answer],
) -> None:
    code, out, err = command("plan.yaml")

    assert (code, err) == (4, "")
    assert "INCONCLUSIVE: 15 more nights are needed, 15 in all" in out
    assert "the history has no run of shop; it has no plan at all" in out
    assert not Path("nightly-history").exists()


def test_a_plan_of_another_name_is_told_which_there_are(command: Callable[..., Answer]) -> None:
    code, out, _ = command("plan.yaml", "--history", "kept", "--set", "name=market")

    assert code == 4
    assert "the history has no run of market; it has shop" in out


def test_an_object_that_cannot_be_read_is_told(command: Callable[..., Answer]) -> None:
    next(Path("kept/runs").rglob("*.ndjson.gz")).write_bytes(b"\x1f\x8bcut")

    code, out, _ = command("plan.yaml", "--history", "kept")

    assert code == 0
    assert "shop: 15 nights" in out
    assert "  could not read runs/shop/" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plan.yaml", "--last", "5"], "--last 5: must be at least 15 nights"),
        (["plan.yaml", "--history", "ftp://x"], "ftp://"),
        (["plan.yaml", "--history", "orders.yaml"], "orders.yaml"),
        (["nothing.yaml"], "nothing.yaml"),
        (["plan.yaml", "--set", "gates.window=1"], "gates.window"),
        (["plan.yaml", "--env", "prod"], "prod"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    command: Callable[..., Answer], arguments: list[str], told: str
) -> None:
    code, out, err = command(*arguments)

    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err
