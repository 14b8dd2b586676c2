"""Quotas: how many, over which days, and what GetUsage and UpdateUsage make of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import InputError
from sandbox.gateway.limits import LimitLedger
from sandbox.gateway.limits.periods import date_of, day_number, day_of, period_start
from sandbox.gateway.snapshot import (
    ApiKey,
    Limit,
    MethodSettings,
    Period,
    Quota,
    Route,
    Snapshot,
    Stage,
    UsagePlan,
)

ROUTE = Route("GET /", "GET", "/", "r1", None)
STAGE = Stage(kind="REST", api_id="api1", api_name="orders", name="prod", routes=(ROUTE,))
KEY = ApiKey("key1", "one", "secret", enabled=True, plan_ids=("plan1",))


class Rig:
    """One key under one plan, asked at days and times in UTC."""

    def __init__(self, quota: Quota | None, stage: Stage = STAGE) -> None:
        self.ledger = LimitLedger()
        self.stage = stage
        self.set_quota(quota)

    def set_quota(self, quota: Quota | None) -> None:
        plan = UsagePlan("plan1", "gold", None, quota)
        self.snapshot = Snapshot(
            stages={self.stage.key: self.stage}, plans={plan.id: plan}, keys={KEY.value: KEY}
        )
        self.ledger.adopt(self.snapshot)

    def admit(self, when: str, count: int) -> int:
        """How many of `count` requests pass at a time such as "2026-03-01T12:00"."""
        plan = self.snapshot.plans["plan1"]
        gate = self.ledger.gate_for(self.snapshot, self.stage, ROUTE, plan, KEY)
        return sum(gate.admit(0.0, wall(when)) is None for _ in range(count))

    def usage(self, first: str, last: str) -> list[tuple[int, int | None]]:
        start, end = date.fromisoformat(first), date.fromisoformat(last)
        return self.ledger.used_by_day("plan1", "key1", start, end)


def wall(when: str) -> float:
    return datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "day", "start"),
    [
        ("DAY", "2026-03-04", "2026-03-04"),
        ("WEEK", "2026-03-04", "2026-03-01"),
        ("WEEK", "2026-03-01", "2026-03-01"),
        ("WEEK", "2026-02-28", "2026-02-22"),
        ("WEEK", "1970-01-01", "1969-12-28"),
        ("MONTH", "2026-03-31", "2026-03-01"),
        ("MONTH", "2024-02-29", "2024-02-01"),
        ("MONTH", "2026-12-31", "2026-12-01"),
    ],
)
def test_a_period_begins_with_the_day_the_sunday_or_the_month(
    period: Period, day: str, start: str
) -> None:
    found = period_start(period, day_number(date.fromisoformat(day)))
    assert date_of(found) == date.fromisoformat(start)


@given(
    period=st.sampled_from(["DAY", "WEEK", "MONTH"]),
    day=st.dates(date(1970, 1, 1), date(2100, 1, 1)),
)
def test_periods_follow_each_other_without_a_gap(period: Period, day: date) -> None:
    number = day_number(day)
    start, next_start = period_start(period, number), period_start(period, number + 1)

    assert date_of(number) == day
    assert start <= number
    assert period_start(period, start) == start
    assert next_start in (start, number + 1)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
    assert day_of(noon) == number


@pytest.mark.parametrize(
    ("period", "last_moment", "next_moment"),
    [
        ("DAY", "2026-03-04T23:59:59", "2026-03-05T00:00:00"),
        ("WEEK", "2026-03-07T23:59:59", "2026-03-08T00:00:00"),
        ("MONTH", "2026-03-31T23:59:59", "2026-04-01T00:00:00"),
    ],
)
def test_exactly_the_limit_is_admitted_until_the_next_period(
    period: Period, last_moment: str, next_moment: str
) -> None:
    rig = Rig(Quota(500, period))

    assert rig.admit("2026-03-04T10:00", 300) == 300
    assert rig.admit(last_moment, 300) == 200
    assert rig.admit(next_moment, 600) == 500


def test_the_offset_is_taken_off_the_first_period_only() -> None:
    rig = Rig(Quota(10, "DAY", offset=4))

    assert rig.admit("2026-03-04T10:00", 20) == 6
    assert rig.admit("2026-03-05T10:00", 20) == 10


def test_a_request_that_a_throttle_refused_uses_no_quota() -> None:
    stage = replace(STAGE, default=MethodSettings(limit=Limit(0.0, 3.0)))
    rig = Rig(Quota(10, "DAY"), stage)

    assert rig.admit("2026-03-04T10:00", 20) == 3
    assert rig.usage("2026-03-04", "2026-03-04") == [(3, 7)]


def test_a_request_that_the_quota_refused_is_not_counted() -> None:
    rig = Rig(Quota(10, "DAY"))
    rig.admit("2026-03-04T10:00", 50)
    assert rig.usage("2026-03-04", "2026-03-04") == [(10, 0)]


def test_usage_is_by_day_with_what_then_remained() -> None:
    rig = Rig(Quota(100, "MONTH"))
    rig.admit("2026-03-30T10:00", 10)
    rig.admit("2026-03-31T10:00", 15)
    rig.admit("2026-04-02T10:00", 5)

    assert rig.usage("2026-03-29", "2026-04-03") == [
        (0, 100),
        (10, 90),
        (15, 75),
        (0, 100),
        (5, 95),
        (0, 95),
    ]


def test_usage_of_an_unknown_key_is_zero_and_remembers_nothing() -> None:
    rig = Rig(Quota(100, "WEEK"))
    day = date(2026, 3, 4)

    assert rig.ledger.used_by_day("plan1", "nobody", day, day) == [(0, 100)]
    assert not rig.ledger.has_used("plan1", "nobody")


@pytest.mark.parametrize(
    ("first", "last"), [("2026-03-05", "2026-03-04"), ("2026-01-01", "2030-01-01")]
)
def test_a_range_of_days_is_bounded(first: str, last: str) -> None:
    with pytest.raises(ValueError, match="1 to 400 days"):
        Rig(Quota(1, "DAY")).usage(first, last)


def test_a_plan_without_a_quota_counts_all_the_same() -> None:
    rig = Rig(None)
    assert rig.admit("2026-03-04T10:00", 25) == 25
    assert rig.usage("2026-03-04", "2026-03-04") == [(25, None)]

    rig.set_quota(Quota(30, "WEEK"))
    assert rig.admit("2026-03-05T10:00", 25) == 5


@pytest.mark.parametrize(
    ("changed", "more"),
    [
        pytest.param(Quota(150, "DAY"), 50, id="raised"),
        pytest.param(Quota(60, "DAY"), 0, id="lowered below the use"),
        pytest.param(Quota(400, "MONTH"), 300, id="another period"),
    ],
)
def test_a_new_quota_takes_account_of_what_was_used(changed: Quota, more: int) -> None:
    rig = Rig(Quota(100, "DAY"))
    assert rig.admit("2026-03-04T10:00", 150) == 100

    rig.set_quota(changed)

    assert rig.admit("2026-03-04T11:00", 500) == more
    assert rig.usage("2026-03-04", "2026-03-04") == [(100 + more, 0)]


@pytest.mark.parametrize("remaining", [0, 5, 1000])
def test_remaining_can_be_set_for_the_present_period(remaining: int) -> None:
    rig = Rig(Quota(100, "DAY", offset=10))
    rig.admit("2026-03-04T10:00", 30)

    rig.ledger.set_remaining("plan1", "key1", remaining, wall("2026-03-04T11:00"))

    assert rig.usage("2026-03-04", "2026-03-04") == [(30, remaining)]
    assert rig.admit("2026-03-04T12:00", 2000) == remaining
    assert rig.admit("2026-03-05T12:00", 2000) == 100


def test_remaining_is_set_before_the_first_request() -> None:
    rig = Rig(Quota(100, "MONTH"))
    rig.ledger.set_remaining("plan1", "key1", 7, wall("2026-03-04T11:00"))
    assert rig.admit("2026-03-20T12:00", 50) == 7


@pytest.mark.parametrize(
    ("quota", "remaining", "message"),
    [(None, 5, "no quota"), (Quota(5, "DAY"), -1, r"0 or more \(got -1\)")],
)
def test_remaining_that_makes_no_sense_is_refused(
    quota: Quota | None, remaining: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Rig(quota).ledger.set_remaining("plan1", "key1", remaining, 0.0)


def test_a_clock_that_is_set_back_gives_nothing_back() -> None:
    rig = Rig(Quota(10, "DAY"))
    assert rig.admit("2026-03-05T00:00:01", 10) == 10
    assert rig.admit("2026-03-04T23:59:59", 10) == 0


def test_a_deleted_plan_is_forgotten() -> None:
    rig = Rig(Quota(10, "DAY"))
    rig.admit("2026-03-04T10:00", 10)
    rig.ledger.forget_plan("plan1")
    assert rig.admit("2026-03-04T10:00", 20) == 10


CHANGES = st.one_of(
    st.tuples(st.just("use"), st.integers(0, 9), st.integers(0, 30)),
    st.tuples(st.just("limit"), st.integers(0, 80), st.just(0)),
    st.tuples(st.just("remaining"), st.integers(0, 40), st.just(0)),
)


@example(  # the last day with a request is not the present one
    period="DAY",
    offset=0,
    changes=[("use", 0, 1), ("limit", 0, 0), ("use", 1, 1), ("limit", 2, 0)],
)
@given(
    period=st.sampled_from(["DAY", "WEEK", "MONTH"]),
    offset=st.integers(0, 20),
    changes=st.lists(CHANGES, max_size=25),
)
def test_a_saved_ledger_goes_on_where_it_was(
    period: Period, offset: int, changes: list[tuple[str, int, int]]
) -> None:
    rig, day = Rig(Quota(50, period, offset)), date(2026, 2, 20)
    saved: Any = None
    for kind, first, count in changes:
        if kind == "use":
            day = date_of(day_number(day) + first)
            rig.admit(f"{day}T12:00", count)
        elif kind == "limit":
            rig.set_quota(Quota(first, period, offset))
        else:
            rig.ledger.set_remaining("plan1", "key1", first, wall(f"{day}T12:00"))
    saved = json.loads(json.dumps(rig.ledger.dump()))

    restored = Rig(rig.snapshot.plans["plan1"].quota)
    restored.ledger.load(saved)

    assert restored.ledger.dump() == rig.ledger.dump()
    assert restored.usage("2026-02-20", str(day)) == rig.usage("2026-02-20", str(day))
    assert restored.admit(f"{day}T13:00", 100) == rig.admit(f"{day}T13:00", 100)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "usage of quotas"),
        ({"schema_version": 2, "uses": []}, "schema_version"),
        ({"schema_version": 1, "uses": [{"plan_id": "p"}]}, "uses.0.key_id"),
    ],
)
def test_what_is_no_saved_ledger_is_refused(value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        LimitLedger().load(value)
