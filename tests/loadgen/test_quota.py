"""Quotas: what a run may use of them, and how long they last in production."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.aws.gateway_plans import Quota, UsedDay, used_in_period
from core.errors import Refused
from loadgen.limits import Limits, QuotaLimit, StepLimits
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from loadgen.quota.projection import Pace, pace_of_history, period_end, project
from loadgen.quota.report import quota_uses
from loadgen.quota.use import check_quota_share, counted, quota_stop, refused_by_quota, used_quotas
from tests.loadgen.made_runs import profile_of

# A Thursday, half past its day.
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def quota(limit: int = 1000, used: int | None = 0, period: str = "day") -> QuotaLimit:
    return QuotaLimit("plan basic, key me", limit, period, used, "quota p k")


def limits(*quotas: QuotaLimit | None) -> Limits:
    return Limits(tuple(StepLimits(number, quota=one) for number, one in enumerate(quotas)))


# -- how long it lasts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "left", "per_day", "runs_out"),
    [
        pytest.param("day", 600, 1000, None, id="half a day is left, and more than it needs"),
        pytest.param("day", 250, 1000, "2026-11-26T18:00", id="a quarter of a day is left"),
        pytest.param("week", 1000, 1000, "2026-11-27T12:00", id="tomorrow"),
        pytest.param("month", 4000, 1000, "2026-11-30T12:00", id="on the last day"),
        pytest.param("month", 4600, 1000, None, id="lasts by a hair"),
        pytest.param("month", 10, 0, None, id="nobody uses it"),
        pytest.param("month", 0, 0, "2026-11-26T12:00", id="nothing is left"),
    ],
)
def test_a_quota_runs_out_when_production_has_used_what_is_left(
    period: str, left: int, per_day: float, runs_out: str | None
) -> None:
    found = project(period, left, Pace(per_day, "given"), NOW)

    at = None if found.runs_out is None else found.runs_out.isoformat()[:16]
    assert at == runs_out


@pytest.mark.parametrize(
    ("period", "last", "days"),
    [
        ("day", date(2026, 11, 26), 1),
        ("week", date(2026, 11, 28), 7),  # weeks begin on Sunday
        ("month", date(2026, 11, 30), 30),
    ],
)
def test_a_whole_period_needs_so_many_requests(period: str, last: date, days: int) -> None:
    found = project(period, 1, Pace(100.0, "given"), NOW)

    assert (found.period_ends_on, found.needed) == (last, 100.0 * days)


@settings(max_examples=40)
@given(day=st.dates(date(2024, 1, 1), date(2032, 1, 1)))
def test_periods_end_on_a_saturday_or_with_their_month(day: date) -> None:
    assert period_end("week", day).weekday() == 5
    assert 0 <= (period_end("week", day) - day).days < 7
    month = period_end("month", day)
    assert month.month == day.month
    assert (month + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("by_day", "per_day"),
    [
        pytest.param([0, 0, 30, 0, 60, 500], 30.0, id="from the first use to yesterday"),
        pytest.param([0, 0, 0, 0, 0, 500], None, id="used today only"),
        pytest.param([], None, id="nothing read"),
    ],
)
def test_past_days_tell_the_pace(by_day: list[int], per_day: float | None) -> None:
    today = NOW.date()
    days = [
        (date.fromordinal(today.toordinal() - len(by_day) + 1 + number), used)
        for number, used in enumerate(by_day)
    ]

    found = pace_of_history(days, today)

    assert (None if found is None else found.per_day) == per_day


def test_what_is_used_follows_from_what_is_left() -> None:
    days = [UsedDay(date(2026, 11, 25), 70, 30), UsedDay(date(2026, 11, 26), 20, 80)]

    assert used_in_period(Quota(100, "DAY", 0), days) == 20
    assert used_in_period(Quota(100, "DAY", 0), []) is None


def test_production_is_mixed_as_scenarios_are() -> None:
    profile = profile_of(
        production={"requests_per_day": 900},
        scenarios=[
            {"name": "browse", "weight": 2, "flow": [{"get": "/a"}]},
            {"name": "buy", "flow": [{"post": "/b"}]},
        ],
    )

    (use,) = quota_uses(profile, limits(None, quota(1000, 800)), None, NOW)

    assert use.per_day == 300.0  # a third of all requests has the key
    assert use.left_before == 200
    assert use.runs_out_utc is None
    assert (use.uses, use.left_after) == (None, None)


class Planned:
    """Ten requests of each step, of which five get through."""

    sent_steps = np.repeat(np.array([0, 1], np.uint16), 10)
    through_steps = np.repeat(np.array([0, 1], np.uint16), 5)

    def first_refusal_s(self, cause: Cause, name: str) -> float | None:
        return 3.0


@pytest.mark.parametrize(("again", "uses"), [((0,), 5), ((1,), None)], ids=["others", "these"])
def test_what_clients_send_again_uses_an_unknown_part(
    again: tuple[int, ...], uses: int | None
) -> None:
    (use,) = quota_uses(profile_of(), limits(None, quota(1000, 800)), Planned(), NOW, again)

    assert (use.requests, use.uses) == (10, uses)
    assert use.left_after == (None if uses is None else 195)
    assert use.runs_out_s == 3.0  # at the latest


def test_a_quota_whose_use_is_not_known_is_not_projected() -> None:
    profile = profile_of(production={"requests_per_day": 900})

    (use,) = quota_uses(profile, limits(quota(used=None), None), None, NOW)

    assert (use.left_before, use.runs_out_utc, use.needed_per_period) == (None, None, None)


# -- the guard ------------------------------------------------------------------------------------


def test_a_plan_beyond_its_share_of_a_quota_is_refused() -> None:
    quotas = used_quotas(limits(quota(1000), quota(1000)))

    check_quota_share(quotas, (60.0, 40.0), 0.1)
    check_quota_share(quotas, (600.0, 400.0), None)
    check_quota_share(quotas, None, 0.1)
    with pytest.raises(Refused, match=r"about 101 requests of the 1,000 .*share is 10\s%"):
        check_quota_share(quotas, (61.0, 40.0), 0.1)


QUOTA = Kind(Outcome.THROTTLED, Cause.QUOTA, Evidence.WIRE).code
RATE = Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE).code
LAMBDA = Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.ACCESS_LOG).code
FAILED = Kind(Outcome.SERVER_ERROR, Cause.APPLICATION).code
FORBIDDEN = Kind(Outcome.CLIENT_ERROR, Cause.AUTHORIZER, Evidence.WIRE).code


def test_a_quota_counts_what_gateway_lets_through() -> None:
    kinds = {OK.code: 5, QUOTA: 100, RATE: 1000, LAMBDA: 20, FAILED: 3, FORBIDDEN: 7}

    assert counted(kinds) == 28
    assert refused_by_quota(kinds) == 100


def test_a_run_stops_when_what_was_let_through_is_beyond_the_share() -> None:
    quotas = used_quotas(limits(quota(1000), None))

    assert quota_stop(quotas, {0: {OK.code: 100, RATE: 5000}, 1: {OK.code: 5000}}, 0.1) is None
    assert quota_stop(quotas, {0: {OK.code: 101}}, None) is None
    stop = quota_stop(quotas, {0: {OK.code: 101}}, 0.1)
    assert stop is not None
    assert stop.startswith("101 requests of the 1,000 that the quota of plan basic, key me has")
