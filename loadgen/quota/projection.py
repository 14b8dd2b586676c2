"""When a quota is used up at a pace of requests a day; pure.

Periods are days, weeks from Sunday and months, by UTC ("Create and use usage plans", developer
guide 2026). A measurement of 2026 saw AWS refill quotas as they roll on instead: a day earlier or
later is nothing to rely on.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from core.aws.gateway_plans import period_start


@dataclass(frozen=True, slots=True)
class Pace:
    """Requests a day in production, and who says so."""

    per_day: float
    source: str


@dataclass(frozen=True, slots=True)
class Projection:
    """When what is left of a period is used up; `runs_out` is None where it lasts.

    `needed` is what a whole period takes at the same pace.
    """

    runs_out: datetime | None
    period_ends_on: date
    needed: float


def project(period: str, left: int, pace: Pace, now: datetime) -> Projection:
    """How far `left` requests go from `now` on; `period` is day, week or month."""
    today = now.astimezone(UTC).date()
    last = period_end(period, today)
    days = (last - period_start(period.upper(), today)).days + 1
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    runs_out: datetime | None = None
    if left <= 0:
        runs_out = now
    elif pace.per_day > 0 and left / pace.per_day < (end - now) / timedelta(days=1):
        runs_out = now + timedelta(days=left / pace.per_day)
    return Projection(runs_out, last, pace.per_day * days)


def period_end(period: str, today: date) -> date:
    """The last day of the period that `today` is in, by UTC."""
    start = period_start(period.upper(), today)
    if period == "month":
        return start.replace(day=calendar.monthrange(start.year, start.month)[1])
    return start + timedelta(days=6) if period == "week" else start


def pace_of_history(by_day: Sequence[tuple[date, int]], today: date) -> Pace | None:
    """The mean of the whole days since the key was first used; None without such a day."""
    past = [(day, used) for day, used in by_day if day < today]
    first = next((number for number, (_, used) in enumerate(past) if used), None)
    if first is None:
        return None
    used = [count for _, count in past[first:]]
    days = "1 day" if len(used) == 1 else f"{len(used)} days"
    return Pace(sum(used) / len(used), f"GetUsage, {days} to {past[-1][0]}")
