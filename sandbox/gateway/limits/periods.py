"""The periods of quotas, as days in UTC; a day is a number: days since 1970-01-01.

A period is one of the calendar, which is what AWS documents: the day, the month from its first day,
the week. AWS does not say on which day a week begins. Here it is Sunday, the day that CloudWatch's
and EventBridge's schedules count as the first.
"""

from __future__ import annotations

from datetime import date, timedelta

from sandbox.gateway.snapshot import Period

SECONDS_PER_DAY = 86_400

_EPOCH = date(1970, 1, 1)
_EPOCH_DAY_OF_WEEK = 4  # 1970-01-01 was a Thursday; Sunday is 0


def day_of(wall_s: float) -> int:
    """The day that holds a time in seconds since the epoch."""
    return int(wall_s // SECONDS_PER_DAY)


def day_number(day: date) -> int:
    """The number of a date."""
    return (day - _EPOCH).days


def date_of(day: int) -> date:
    """The date with this number."""
    return _EPOCH + timedelta(days=day)


def period_start(period: Period, day: int) -> int:
    """The first day of the period that holds `day`."""
    if period == "DAY":
        return day
    if period == "WEEK":
        return day - (day + _EPOCH_DAY_OF_WEEK) % 7
    return day_number(date_of(day).replace(day=1))
