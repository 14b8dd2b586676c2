"""The judgement of nights with known truth: suspected, confirmed, cleared, accepted, muted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reports.history.history import Past, past_of
from reports.history.record import (
    EventRecord,
    NightRecord,
    Purpose,
    Record,
    RunRecord,
    SeriesId,
    SeriesPoint,
)
from reports.load_cost_parts import CostBound, LoadCostPart
from reports.nightly.document import NightGate
from reports.nightly.judging import NightJudgement, judge_night
from reports.nightly.night_facts import NightFacts
from reports.nightly.plan import NightlyPlan
from tests.reports.nights import NightChanges, NightNoise, StepOfNights, simulated_past

ENDPOINTS = ("GET /a", "GET /b", "GET /c", "GET /d", "GET /e")
ORDERS = StepOfNights(
    "orders",
    values={
        (scope, metric): {"p50": 50.0, "p95": 120.0, "p99": 300.0}[metric]
        for scope in ENDPOINTS
        for metric in ("p50", "p95", "p99")
    },
)
THUMBNAIL = StepOfNights("thumbnail", kind="tune", sizes={256: 820.0, 512: 400.0, 1024: 205.0})
SERIES = SeriesId(step="orders", scope="GET /a", metric="p95")
QUIET = NightNoise(night=0.01, error=0.004)
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)


def plan(**gates: Any) -> NightlyPlan:
    return NightlyPlan.model_validate(
        {
            "name": "shop",
            "steps": [
                {"kind": "load", "name": "orders", "profile": "orders.yaml"},
                {"kind": "tune", "name": "thumbnail", "function": "thumbnail"},
            ],
            "gates": gates,
        }
    )


class Nights:
    """A plan's nights, judged one after another; each is recorded as it was judged."""

    def __init__(self, runs: Sequence[RunRecord], judged: NightlyPlan | None = None) -> None:
        self.runs = list(runs)
        self.plan = judged or plan()
        self.records: list[Record] = []

    @property
    def past(self) -> Past:
        return past_of(self.records)

    def rehearse(self, count: int) -> None:
        """Records the first nights as sound ones, without judging them."""
        for night_id in self.ids()[:count]:
            self._keep(night_id, NightJudgement())

    def ids(self) -> list[str]:
        return list(dict.fromkeys(run.night_id for run in self.runs))

    def next_night(
        self, factor: float | None = None, *, purpose: Purpose = "rerun", record: bool = True
    ) -> NightJudgement:
        """Judges the next night; `factor` is what reruns have beside it, None: there are none."""
        done = {one.night_id for one in self.past.nights}
        night_id = next(one for one in self.ids() if one not in done)
        tonight = [run for run in self.runs if run.night_id == night_id]
        reruns = [] if factor is None else again(tonight, factor, purpose)
        judgement = self.judge(tonight, reruns)
        if record:
            self._keep(night_id, judgement)
        return judgement

    def judge(
        self, tonight: Sequence[RunRecord], reruns: Sequence[RunRecord] = ()
    ) -> NightJudgement:
        first = tonight[0]
        facts = NightFacts(first.night_id, first.sequence, first.night, "main", "c" * 40, None)
        return judge_night(self.plan, tonight, self.past, facts, now=NOW, confirmations=reruns)

    def decide(self, action: str, **values: Any) -> None:
        nights = self.past.nights
        event: dict[str, Any] = {"plan": "shop", "reason": "known"}
        event |= {"event_id": f"e{len(self.records)}", "at_utc": "2026-11-26T08:00:00Z"}
        event |= {"sequence": nights[-1].sequence}
        self.records.append(EventRecord.model_validate({**event, "action": action, **values}))

    def _keep(self, night_id: str, judgement: NightJudgement) -> None:
        runs = [run for run in self.runs if run.night_id == night_id]
        self.records += runs
        self.records.append(
            NightRecord(
                night_id=night_id,
                sequence=runs[0].sequence,
                night=runs[0].night,
                plan="shop",
                started_utc=runs[0].started_utc,
                finished_utc=runs[0].finished_utc,
                verdict="pass",
                exit_code=0,
                branch="main",
                alarms=[*judgement.alarms, *judgement.cleared],
            )
        )


def again(runs: Sequence[RunRecord], factor: float, purpose: Purpose) -> list[RunRecord]:
    """Two further runs of each, with all values times `factor`."""
    return [
        run.model_copy(
            update={
                "run_id": f"{run.run_id}-{purpose}-{number}",
                "purpose": purpose,
                "points": [
                    point.model_copy(update={"value": point.value * factor}) for point in run.points
                ],
            }
        )
        for run in runs
        for number in range(2)
    ]


def history(
    nights: int = 36, *, step_at: int | None = 30, share: float = 0.25, **more: Any
) -> Nights:
    runs, _ = simulated_past(
        nights,
        steps=more.pop("steps", (ORDERS, THUMBNAIL)),
        noise=more.pop("noise", QUIET),
        step_at=step_at,
        step_share=share,
        step_scope="GET /a",
        step_metrics=("p95",),
        seed=more.pop("seed", 3),
        **more,
    )
    found = Nights(runs)
    found.rehearse(step_at if step_at is not None else nights - 1)
    return found


def gate_of(judgement: NightJudgement, series: SeriesId = SERIES) -> NightGate:
    place = (series.step, series.scope, series.metric)
    return next(g for g in judgement.gates if (g.step, g.scope, g.metric) == place)


def not_passed(judgement: NightJudgement) -> list[str]:
    return [f"{gate.scope} {gate.metric}" for gate in judgement.gates if gate.status != "passed"]


def test_a_quiet_night_passes_with_its_figures() -> None:
    judgement = history(step_at=None).next_night()

    assert not_passed(judgement) == []
    assert not judgement.alarms
    gate = gate_of(judgement)
    assert gate.nights == 28
    assert gate.baseline == pytest.approx(120, rel=0.02)
    assert gate.text == "p95 has not risen by 7\N{NO-BREAK SPACE}% or more"
    assert gate.smallest_step_share is not None
    assert 0.07 < gate.smallest_step_share < 0.10


def test_a_step_is_suspected_and_further_runs_are_asked_for() -> None:
    judgement = history().next_night()

    assert not_passed(judgement) == ["GET /a p95"]
    assert gate_of(judgement).status == "suspect"
    assert [(one.step, one.how, one.runs) for one in judgement.suspects] == [("orders", "rerun", 2)]


def test_the_commits_of_a_change_are_those_of_the_nights_beside_it() -> None:
    nights = history()
    (alarm,) = nights.next_night().alarms
    commits = {run.sequence: run.git_commit for run in nights.runs}

    assert alarm.since_sequence == 31
    assert alarm.commits == (commits[30], commits[31])


def test_reruns_that_agree_confirm_it() -> None:
    judgement = history().next_night(1.0)

    gate, (alarm,) = gate_of(judgement), judgement.alarms
    assert gate.status == "failed"
    assert alarm.state == "confirmed"
    assert alarm.confirmed_by.startswith("2 reruns agree: +2")
    assert alarm.change_share == pytest.approx(0.25, abs=0.04)
    assert alarm.commits[0] != alarm.commits[1]
    assert not judgement.suspects


def test_reruns_that_do_not_agree_clear_it() -> None:
    nights = history()
    judgement = nights.next_night(1 / 1.25)

    assert gate_of(judgement).status == "passed"
    assert [one.state for one in judgement.cleared] == ["cleared"]
    assert "do not agree" in gate_of(judgement).message
    assert not judgement.alarms


def test_the_next_night_confirms_what_nothing_else_did() -> None:
    nights = history()
    nights.plan = plan(confirm={"by": "next_night"})
    first, second = nights.next_night(), nights.next_night()

    assert first.suspects == []
    assert gate_of(first).status == "suspect"
    assert gate_of(second).status == "failed"
    assert second.alarms[0].alarm_id == first.alarms[0].alarm_id
    assert second.alarms[0].since_night == first.alarms[0].since_night


def test_the_next_night_clears_a_single_bad_one() -> None:
    nights = history()
    bad = nights.runs
    nights.runs = [
        run if run.night_id == "n0030" or run.sequence < 30 else _without_step(run) for run in bad
    ]
    nights.next_night()
    second = nights.next_night()

    assert gate_of(second).status == "passed"
    assert [one.confirmed_by for one in second.cleared] == ["the next night does not agree"]


def _without_step(run: RunRecord) -> RunRecord:
    return _stepped(run, 1 / 1.25)


def _stepped(run: RunRecord, factor: float) -> RunRecord:
    points = [
        point.model_copy(update={"value": point.value * factor})
        if (point.scope, point.metric) == ("GET /a", "p95")
        else point
        for point in run.points
    ]
    return run.model_copy(update={"points": points})


def noisy_nights(*last: float) -> Nights:
    """Nights that differ by 2.5 %, and what the figure is beside its level on the last ones."""
    nights = history(35 + len(last), step_at=None, noise=NightNoise(night=0.025, error=0.004))
    nights.runs = [
        _with_value(run, 120.0 * last[run.sequence - 36]) if run.sequence > 35 else run
        for run in nights.runs
        if run.kind == "load"
    ]
    nights.records.clear()
    nights.rehearse(35)
    return nights


def _with_value(run: RunRecord, value: float) -> RunRecord:
    points = [
        point.model_copy(update={"value": value})
        if (point.scope, point.metric) == ("GET /a", "p95")
        else point
        for point in run.points
    ]
    return run.model_copy(update={"points": points})


def test_two_nights_that_agree_are_run_again() -> None:
    nights = noisy_nights(1.073, 1.073)
    first = nights.next_night()
    asked = nights.next_night(record=False)
    confirmed = nights.next_night(1.0, record=False)
    cleared = nights.next_night(1 / 1.073, record=False)

    assert not_passed(first) == []
    assert gate_of(asked).status == "suspect"
    assert [one.how for one in asked.suspects] == ["rerun"]
    assert confirmed.alarms[0].confirmed_by.startswith("last night was as high; 2 reruns")
    assert confirmed.alarms[0].since_sequence == 36
    assert gate_of(cleared).status == "passed"


def test_without_reruns_two_nights_that_agree_are_enough() -> None:
    nights = noisy_nights(1.073, 1.073)
    nights.plan = plan(confirm={"by": "next_night"})
    nights.next_night()

    assert gate_of(nights.next_night()).status == "failed"


def test_a_night_that_was_cleared_is_no_second_witness() -> None:
    nights = noisy_nights(1.25, 1.073)
    first = nights.next_night(1 / 1.25)
    second = nights.next_night()

    assert [one.state for one in first.cleared] == ["cleared"]
    assert gate_of(second).status == "passed"


def test_what_was_only_suspected_while_muted_is_no_confirmed_change() -> None:
    nights = history(33)
    nights.decide("mute", series=SERIES, until_utc="2026-12-24T00:00:00Z")
    nights.next_night()
    nights.decide("unmute", series=SERIES)
    nights.runs = [run if run.sequence < 32 else _without_step(run) for run in nights.runs]
    judgement = nights.next_night()

    assert gate_of(judgement).status == "passed"
    assert [one.confirmed_by for one in judgement.cleared] == ["the next night does not agree"]


def test_a_confirmed_change_is_the_same_alarm_every_night() -> None:
    nights = history()
    found = [nights.next_night(1.0), nights.next_night(), nights.next_night(), nights.next_night()]

    assert {one.alarms[0].alarm_id for one in found} == {found[0].alarms[0].alarm_id}
    assert [gate_of(one).status for one in found] == ["failed"] * 4
    assert all(not one.suspects for one in found)
    # The nights of the change are no part of what it is compared with.
    assert gate_of(found[-1]).baseline == pytest.approx(120, rel=0.02)


def test_an_accepted_change_is_the_new_level_at_once() -> None:
    nights = history()
    alarm = nights.next_night(1.0).alarms[0]
    nights.decide("accept", alarm_id=alarm.alarm_id, series=SERIES, from_sequence=31)
    judgement = nights.next_night()

    gate = gate_of(judgement)
    assert gate.status == "passed"
    assert gate.baseline == pytest.approx(150, rel=0.03)
    assert not judgement.alarms


def test_a_second_change_after_an_accepted_one_is_found() -> None:
    nights = history(nights=40)
    alarm = nights.next_night(1.0).alarms[0]
    nights.decide("accept", alarm_id=alarm.alarm_id, series=SERIES, from_sequence=31)
    for _ in range(4):
        nights.next_night()
    nights.runs = [run if run.sequence < 36 else _stepped(run, 1.25) for run in nights.runs]

    assert gate_of(nights.next_night(1.0)).status == "failed"


def test_a_figure_that_is_back_ends_its_alarm() -> None:
    nights = history()
    nights.next_night(1.0)
    nights.runs = [run if run.sequence < 32 else _without_step(run) for run in nights.runs]
    judgement = nights.next_night()

    assert gate_of(judgement).status == "passed"
    assert judgement.cleared[0].confirmed_by == "tonight it is back where it was"
    assert not nights.next_night().alarms


@pytest.mark.parametrize(
    ("until", "status"),
    [
        pytest.param("2026-12-24T00:00:00Z", "muted", id="holds"),
        pytest.param("2026-11-27T02:00:00Z", "failed", id="over"),
    ],
)
def test_a_mute_holds_until_its_end(until: str, status: str) -> None:
    nights = history()
    nights.next_night(1.0)
    nights.decide("mute", series=SERIES, until_utc=until)
    judgement = nights.next_night()

    assert gate_of(judgement).status == status
    assert len(judgement.alarms) == 1


def test_a_muted_suspicion_costs_no_reruns() -> None:
    nights = history()
    nights.decide("mute", series=SERIES, until_utc="2026-12-24T00:00:00Z")

    assert nights.next_night().suspects == []


@pytest.mark.parametrize("nights", [1, 5, 10])
def test_too_few_nights_are_inconclusive(nights: int) -> None:
    judgement = history(nights, step_at=None).next_night()

    relative = [gate for gate in judgement.gates if gate.kind == "relative"]
    assert {gate.status for gate in relative} == {"inconclusive"}
    assert gate_of(judgement).message.startswith(f"{nights - 1} of 10 nights to compare with")


def test_a_changed_profile_says_what_changed() -> None:
    judgement = history(step_at=None, changes=NightChanges(profile_at=35)).next_night()

    assert gate_of(judgement).status == "inconclusive"
    assert "what is asked changed since 2026-10-05: rate: 50 -> 80" in gate_of(judgement).message


def test_invalid_nights_are_no_baseline() -> None:
    judgement = history(step_at=None, changes=NightChanges(invalid=range(28))).next_night()

    assert gate_of(judgement).message.startswith("7 of 10 nights")


def test_a_night_that_is_slow_everywhere_waits_for_the_next_one() -> None:
    nights = history(step_at=None)
    last = nights.ids()[-1]
    nights.runs = [
        run if run.night_id != last else again([run], 1.2, "night")[0] for run in nights.runs
    ]
    judgement = nights.next_night(1.0)

    loads = [gate for gate in judgement.gates if gate.step == "orders"]
    assert {gate.status for gate in loads} == {"suspect"}
    assert all("most endpoints rose" in gate.message for gate in loads)
    assert [one.step for one in judgement.suspects if one.step == "orders"] == []


def test_pairs_confirm_what_the_platform_may_have_done() -> None:
    nights = history(step_at=None)
    step = {"kind": "load", "name": "orders", "profile": "orders.yaml", "baseline": {"env": "old"}}
    nights.plan = NightlyPlan.model_validate({"name": "shop", "steps": [step]})
    last = nights.ids()[-1]
    slow = [
        again([run], 1.2, "night")[0]
        for run in nights.runs
        if (run.night_id, run.step) == (last, "orders")
    ]
    asked = nights.judge(slow).suspects
    rng = [0.99, 1.01, 1.0, 1.02]
    same = [pair for f in rng for pair in paired(slow[0], f, f * 1.001)]
    worse = [pair for f in rng for pair in paired(slow[0], f / 1.2, f)]

    assert [(one.how, one.runs) for one in asked] == [("pairs", 8)]
    assert {gate.status for gate in nights.judge(slow, same).gates} == {"passed"}
    assert {gate.status for gate in nights.judge(slow, worse).gates} == {"failed"}
    assert [one.pairs_only for one in asked] == [True]  # reruns would be slow as well
    too_few = nights.judge(slow, worse[:6]).gates
    assert {gate.status for gate in too_few} == {"suspect"}


def test_a_regret_is_confirmed_by_plain_runs_whatever_the_baseline_of_its_step() -> None:
    nights = history(step_at=None, steps=(THUMBNAIL,))
    step = {
        "kind": "tune", "name": "thumbnail", "function": "thumbnail",
        "baseline": {"function": "thumbnail:before"},
    }  # fmt: skip
    nights.plan = NightlyPlan.model_validate({"name": "shop", "steps": [step]})
    nights = Nights([_with_dear_largest_size(run) for run in nights.runs], nights.plan)
    nights.rehearse(35)
    dear = nights.runs[-1].model_copy(update={"current_mb": 1024})
    pairs = [again([dear], 1.0, "candidate")[0], again([dear], 1.0, "baseline")[0]]

    asked = nights.judge([dear])
    (gate,) = [gate for gate in nights.judge([dear], pairs).gates if gate.metric == "regret"]

    assert [gate.status for gate in asked.gates if gate.metric == "regret"] == ["suspect"]
    assert [(one.how, one.runs) for one in asked.suspects] == [("rerun", 2)]
    assert gate.status == "failed"
    assert "confirmed: 1 rerun" in gate.message


def _with_dear_largest_size(run: RunRecord) -> RunRecord:
    *others, largest = run.sizes
    slower = largest.model_copy(update={"billed_ms": largest.billed_ms * 1.3})
    return run.model_copy(update={"sizes": [*others, slower]})


def paired(run: RunRecord, before: float, after: float) -> list[RunRecord]:
    return [again([run], before, "baseline")[0], again([run], after, "candidate")[0]]


def test_pairs_go_before_the_word_of_the_next_night() -> None:
    nights = history(step_at=None, nights=37)
    step = {"kind": "load", "name": "orders", "profile": "orders.yaml", "baseline": {"env": "old"}}
    nights.plan = NightlyPlan.model_validate({"name": "shop", "steps": [step]})
    last = nights.ids()[-2:]
    nights.runs = [
        again([run], 1.2, "night")[0] if run.night_id in last else run
        for run in nights.runs
        if run.kind == "load"
    ]
    nights.records.clear()
    nights.rehearse(35)
    nights.next_night()
    tonight = [run for run in nights.runs if run.night_id == last[-1]]
    same = [pair for f in (0.99, 1.01, 1.0, 1.02) for pair in paired(tonight[0], f, f * 1.001)]

    assert {gate.status for gate in nights.judge(tonight).gates} == {"failed"}
    assert {gate.status for gate in nights.judge(tonight, same).gates} == {"passed"}


def test_a_figure_that_is_missing_is_not_passed_over() -> None:
    nights = history(step_at=None)
    last = nights.ids()[-1]
    nights.runs = [
        run.model_copy(update={"points": [p for p in run.points if p.scope != "GET /a"]})
        if run.night_id == last
        else run
        for run in nights.runs
    ]
    judgement = nights.next_night()

    assert not_passed(judgement) == ["GET /a p50", "GET /a p95", "GET /a p99"]
    assert gate_of(judgement).message == "not measured tonight; it was on 28 of 28 nights"


def test_an_open_alarm_of_a_step_that_did_not_run_stays() -> None:
    nights = history()
    alarm = nights.next_night(1.0).alarms[0]
    tuned = [run for run in nights.runs if run.night_id == "n0031" and run.kind == "tune"]
    judgement = nights.judge(tuned)

    assert [one.alarm_id for one in judgement.alarms] == [alarm.alarm_id]
    assert "stays open" in judgement.notes[0]


def test_other_prices_are_no_step() -> None:
    nights = history(step_at=None, changes=NightChanges(prices_at=35, prices_factor=1.4))

    assert not_passed(nights.next_night()) == []


def test_a_costlier_curve_is_found_by_its_mean() -> None:
    nights = history(step_at=None, steps=(THUMBNAIL,))
    last = nights.ids()[-1]
    nights.runs = [
        run
        if run.night_id != last
        else run.model_copy(
            update={
                "sizes": [
                    row.model_copy(
                        update={
                            "billed_ms": row.billed_ms * 1.1,
                            "duration_ms": (row.duration_ms or 0) * 1.1,
                        }
                    )
                    for row in run.sizes
                ]
            }
        )
        for run in nights.runs
    ]
    nights.plan = plan(metrics=["curve"])
    judgement = nights.next_night()

    (gate,) = [g for g in judgement.gates if g.metric == "curve"]
    assert gate.status == "suspect"
    assert gate.change_share == pytest.approx(0.1, abs=0.03)


def test_another_branch_is_no_baseline() -> None:
    nights = history(step_at=None)
    nights.runs = [
        run if run.sequence > 20 else run.model_copy(update={"branch": "other"})
        for run in nights.runs
    ]
    nights.records.clear()
    nights.rehearse(35)

    assert gate_of(nights.next_night()).nights == 14  # of 15, the last is apart


def test_a_clock_that_jumps_back_changes_nothing() -> None:
    nights = history(step_at=None)
    usual = nights.next_night(record=False)
    jumped = [
        run.model_copy(update={"night": "2020-01-01", "started_utc": "2020-01-01T02:00:00Z"})
        if run.sequence == 36
        else run
        for run in nights.runs
    ]
    nights.runs = jumped

    assert [g.model_dump() for g in nights.next_night().gates] == [
        g.model_dump() for g in usual.gates
    ]


def test_levels_are_in_ln_of_the_point() -> None:
    gate = gate_of(history(step_at=None).next_night())

    assert gate.value is not None
    assert gate.baseline is not None
    assert gate.change_share is not None
    assert math.isclose(gate.value, gate.baseline * (1 + gate.change_share))


def test_two_runs_of_a_night_count_as_one() -> None:
    nights = history(step_at=None)
    twice = [
        replace_id(run) for run in nights.runs if run.night_id == "n0020" and run.kind == "load"
    ]
    nights.records += twice
    nights.runs += twice

    assert gate_of(nights.next_night(record=False)).nights == 28


def replace_id(run: RunRecord) -> RunRecord:
    return run.model_copy(update={"run_id": f"{run.run_id}-again"})


def test_a_facts_branch_may_be_unknown() -> None:
    nights = history(step_at=None)
    tonight = [run for run in nights.runs if run.night_id == nights.ids()[-1]]
    facts = NightFacts("n0035", 36, "2026-10-06", None, None, None)
    judgement = judge_night(nights.plan, tonight, nights.past, replace(facts), now=NOW)

    assert not_passed(judgement) == []


def test_a_bill_that_is_known_in_another_way_says_so() -> None:
    nights = history(step_at=None, steps=(ORDERS,))
    nights = Nights([_with_bill(run, "at_most") for run in nights.runs], nights.plan)
    nights.rehearse(35)
    tonight = _with_bill(nights.runs[-1], "about")

    gate = gate_of(nights.judge([tonight]), SeriesId(step="orders", scope="the run", metric="cost"))

    assert gate.status == "inconclusive"
    assert gate.message == (
        "0 of 10 nights to compare with; 10 more are needed; the bill of 35 other nights is known "
        "in another way than tonight's: with options: {logs: true} each is known from logs"
    )


def _with_bill(run: RunRecord, bound: CostBound) -> RunRecord:
    part = LoadCostPart(
        part="lambda_duration", function="orders", amount=10.0, unit="GB-s", unit_usd=1e-5,
        bound=bound, detail="known",
    )  # fmt: skip
    cost = SeriesPoint(
        scope="the run", metric="cost", unit="usd_per_million", value=1.0, error_ln=None, n=100
    )
    return run.model_copy(
        update={"bill": [part], "bill_requests": 100, "points": [*run.points, cost]}
    )
