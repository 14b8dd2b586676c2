"""Trends of simulated nights: what happened is what they tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from reports.history.record import EventRecord, NightRecord, RunRecord, SeriesId
from reports.nightly.document import Trend, TrendMark
from reports.nightly.plan import Floors, Gates, LoadStep, NightlyPlan, TuneStep
from reports.trends.trend import missing_dates, trends_of
from tests.reports.nights import (
    NightChanges,
    NightNoise,
    alarm_at,
    event_at,
    rerun_of,
    simulated_past,
)

PLAN = NightlyPlan(
    name="shop",
    steps=(
        LoadStep(name="orders", profile="orders.yaml"),
        TuneStep(name="thumbnail", function="thumbnail"),
    ),
)
SEARCH_P95 = SeriesId(step="orders", scope="GET /search", metric="p95")
COST = SeriesId(step="thumbnail", scope="today's size", metric="cost")
CURVE = SeriesId(step="thumbnail", scope="all sizes", metric="curve")


@dataclass(frozen=True)
class Nights:
    runs: Sequence[RunRecord] = ()
    nights: Sequence[NightRecord] = ()
    events: Sequence[EventRecord] = field(default=())


def trend(
    runs: Sequence[RunRecord],
    nights: Sequence[NightRecord] = (),
    events: Sequence[EventRecord] = (),
    *,
    series: SeriesId = SEARCH_P95,
    plan: NightlyPlan = PLAN,
    last: int = 90,
) -> Trend:
    """The last night's runs are tonight's."""
    tonight = [run for run in runs if run.sequence == runs[-1].sequence]
    past = Nights([run for run in runs if run not in tonight], nights, events)
    metrics = [series.metric]
    only = plan.model_copy(update={"gates": plan.gates.model_copy(update={"metrics": metrics})})
    found = trends_of(past, tonight, plan=only, nights=last)
    return next(one for one in found if one.series == series)


def told(found: Trend, kind: str) -> list[TrendMark]:
    return [mark for mark in found.marks if mark.kind == kind]


def test_all_gated_figures_of_the_plan_are_there_in_its_order() -> None:
    runs, nights = simulated_past(4)

    found = trends_of(Nights(runs[:-2], nights), runs[-2:], plan=PLAN)

    assert [str(one.series) for one in found] == [
        *(f"orders / GET /search / {metric}" for metric in ("p50", "p95", "p99")),
        *(f"orders / POST /orders / {metric}" for metric in ("p50", "p95", "p99")),
        "thumbnail / today's size / duration",
        "thumbnail / today's size / cost",
        "thumbnail / all sizes / curve",
    ]  # fmt: skip
    assert [point.sequence for point in found[0].points] == [1, 2, 3, 4]
    assert found[0].levels[0].low < found[0].points[0].value < found[0].levels[0].high


def test_a_step_splits_levels_and_names_its_commits() -> None:
    runs, nights = simulated_past(60, step_at=40, step_share=0.15)

    found = trend(runs, nights)

    (mark,) = told(found, "change")
    assert mark.sequence == 41
    assert mark.text.startswith("+")
    assert f"..{nights[40].git_commit or ''}"[:9] in mark.text
    before, after = found.levels
    assert (before.to_sequence, after.from_sequence) == (40, 41)
    assert after.center / before.center == pytest.approx(1.15, rel=0.03)


def test_a_step_that_matters_to_nobody_is_not_marked() -> None:
    runs, _ = simulated_past(60, step_at=30, step_share=0.10, noise=NightNoise(night=0.01))
    wide = PLAN.model_copy(update={"gates": Gates(floors=Floors(p95=0.5))})

    assert told(trend(runs, plan=wide), "change") == []
    assert len(told(trend(runs), "change")) == 1


def test_an_accepted_change_is_told_once() -> None:
    runs, nights = simulated_past(60, step_at=40, step_share=0.15)
    accepted = event_at(45, "accept", SEARCH_P95, from_sequence=41, reason="facets")

    found = trend(runs, nights, [accepted])

    assert told(found, "change") == []
    (mark,) = told(found, "accepted")
    assert mark.text.startswith("accepted: facets, +1")
    assert [level.from_sequence for level in found.levels] == [1, 41]


def test_an_alarm_is_accepted_from_the_night_it_began() -> None:
    runs, nights = simulated_past(30)
    alarm = alarm_at(nights[20], SEARCH_P95)
    nights[22] = nights[22].model_copy(update={"alarms": [alarm]})
    event = event_at(23, "accept").model_copy(update={"alarm_id": alarm.alarm_id})

    assert [mark.sequence for mark in told(trend(runs, nights, [event]), "accepted")] == [21]
    other = SEARCH_P95.model_copy(update={"metric": "p50"})
    assert told(trend(runs, nights, [event], series=other), "accepted") == []


def test_points_say_how_they_count() -> None:
    changes = NightChanges(profile_at=3, invalid=(6,))
    runs, nights = simulated_past(12, changes=changes)
    suspect = alarm_at(nights[7], SEARCH_P95, "suspect")
    nights[7] = nights[7].model_copy(update={"alarms": [suspect]})
    confirmed = suspect.model_copy(update={"state": "confirmed"})
    nights[8] = nights[8].model_copy(update={"alarms": [confirmed]})
    cleared = alarm_at(nights[9], SEARCH_P95, "cleared")
    nights[9] = nights[9].model_copy(update={"alarms": [cleared]})

    found = trend(runs, nights)

    assert [point.status for point in found.points] == [
        *["unlike"] * 3, *["counted"] * 3, "invalid", "confirmed", "confirmed", *["counted"] * 3,
    ]  # fmt: skip


def test_the_interval_of_a_night_is_of_that_night() -> None:
    runs, _ = simulated_past(2, noise=NightNoise(error=0.02))
    bare, _ = simulated_past(2, noise=NightNoise(error=0.0))

    point = trend(runs).points[0]

    assert (point.low or 0) / point.value == pytest.approx(0.9616, abs=1e-4)
    assert (trend(bare).points[0].low, trend(bare).points[0].high) == (None, None)


@pytest.mark.parametrize("series", [COST, CURVE], ids=["cost", "curve"])
def test_another_price_list_is_a_mark_and_no_step(series: SeriesId) -> None:
    changes = NightChanges(prices_at=20, prices_factor=1.5)
    runs, nights = simulated_past(40, changes=changes, noise=NightNoise(night=0.005, error=0.001))

    found = trend(runs, nights, series=series)

    assert [(mark.text, mark.sequence) for mark in told(found, "prices")] == [
        ("prices of 2026-10-01", 21)
    ]
    assert told(found, "change") == []
    assert found.points[0].value == pytest.approx(found.points[-1].value, rel=0.05)
    assert told(trend(runs, nights), "prices") == []


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        (NightChanges(code_at=5), "version", "new code: version 7 → 8"),
        (NightChanges(runtime_at=5), "runtime", "python3.12 → python3.13"),
        (NightChanges(profile_at=5), "profile", "asked otherwise: rate: 50 -> 80"),
    ],
    ids=["code", "runtime", "profile"],
)
def test_what_was_changed_is_marked_where_it_was(
    changes: NightChanges, kind: str, text: str
) -> None:
    runs, nights = simulated_past(10, changes=changes)

    found = trend(runs, nights)

    assert [(mark.kind, mark.sequence, mark.text) for mark in found.marks] == [(kind, 6, text)]


def test_functions_behind_a_load_are_told_by_their_versions() -> None:
    runs, nights = simulated_past(4)
    versions = [["search 7", "items 3"], [], ["search 8", "items 3"], ["items 3"]]
    seen = [
        run.model_copy(update={"code_sha256": [], "versions": versions[run.sequence - 1]})
        for run in runs
    ]

    assert [(mark.sequence, mark.text) for mark in trend(seen, nights).marks] == [
        (3, "new version: search 8")
    ]


def test_a_mute_is_marked_on_the_figures_that_it_is_about() -> None:
    runs, nights = simulated_past(10)
    event = event_at(5, "mute", SEARCH_P95, until_utc="2026-12-24T00:00:00Z", reason="known")

    assert [mark.text for mark in trend(runs, nights, [event]).marks] == [
        "muted until 2026-12-24: known"
    ]
    assert trend(runs, nights, [event], series=COST).marks == []


def test_reruns_are_no_nights_and_two_nights_of_a_date_are_two() -> None:
    runs, nights = simulated_past(6)
    again = runs[4].model_copy(update={"run_id": "again", "night_id": "n2b", "sequence": 3})
    rerun = rerun_of(runs[4], "rerun", {"p95": 9.0})

    found = trend([*runs[:5], again, rerun, *runs[5:]], nights)

    assert [point.night_id for point in found.points] == [
        "n0000", "n0001", "n0002", "n2b", "n0003", "n0004", "n0005",
    ]  # fmt: skip
    assert max(point.value for point in found.points) < 300


def test_the_last_nights_are_shown_and_other_branches_are_not() -> None:
    runs, nights = simulated_past(9)
    runs[12:14] = [run.model_copy(update={"branch": "feature"}) for run in runs[12:14]]

    assert [point.sequence for point in trend(runs, nights, last=4).points] == [5, 6, 8, 9]


def test_figures_without_a_logarithm_are_no_figures() -> None:
    runs, nights = simulated_past(12)
    zero = [point.model_copy(update={"value": 0.0}) for point in runs[4].points]
    runs[4] = runs[4].model_copy(update={"points": zero})

    assert len(trend(runs, nights).points) == 11


def test_without_a_past_there_is_one_night() -> None:
    runs, _ = simulated_past(1)

    found = trends_of(Nights(), runs, plan=PLAN)

    assert [len(one.points) for one in found] == [1] * 9
    assert (found[0].levels, found[0].marks, found[0].missing) == ([], [], [])
    assert trends_of(Nights(), [], plan=PLAN) == []


def test_an_endpoint_that_is_no_longer_called_is_no_longer_shown() -> None:
    runs, nights = simulated_past(8, changes=NightChanges(profile_at=4))
    kept = [
        run
        if run.sequence < 5
        else run.model_copy(update={"points": [p for p in run.points if p.scope != "GET /search"]})
        for run in runs
    ]

    found = trends_of(Nights(kept[:-2], nights), kept[-2:], plan=PLAN)

    assert {one.series.scope for one in found} == {"POST /orders", "today's size", "all sizes"}


DAY = 86_400.0


@pytest.mark.parametrize(
    ("nights", "every_s", "last", "missing"),
    [
        (["01", "02", "05"], DAY, "05", ["03", "04"]),
        (["01", "01", "02"], DAY, "02", []),
        (["01", "02"], DAY, "04", ["03", "04"]),
        (["01", "08", "22"], 7 * DAY, "22", ["15"]),
        (["01", "07", "15"], 7 * DAY, "15", []),
        (["01", "03"], 3600.0, "03", ["02"]),
        (["10", "11", "02", "13"], DAY, "13", ["12"]),
        ([], DAY, None, []),
    ],
    ids=["a gap", "twice", "the last", "weeks", "nearly weeks", "hours", "a clock back", "none"],
)
def test_dates_without_a_night(
    nights: list[str], every_s: float, last: str | None, missing: list[str]
) -> None:
    dates = [f"2026-11-{day}" for day in nights]

    found = missing_dates(dates, every_s, f"2026-11-{last}" if last else None)

    assert found == [f"2026-11-{day}" for day in missing]


def test_a_clock_of_another_century_and_a_date_that_is_none_make_no_list() -> None:
    dates = ["2026-11-01", "2099-01-01", "once", "2026-11-03"]

    assert missing_dates(dates, DAY, "2026-11-03") == ["2026-11-02"]
