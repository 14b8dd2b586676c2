"""How much of its quota an API key has used under a usage plan, by the day.

The use of a period is the sum over its days. That way it survives a change of the limit and of the
kind of period.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sandbox.gateway.limits.periods import SECONDS_PER_DAY, day_number, day_of, period_start
from sandbox.gateway.snapshot import Quota

# GetUsage goes back less far; older days only take memory.
KEPT_DAYS = 400

DayUse = tuple[int, int | None]

_Count = Annotated[int, Field(ge=0)]


class SavedUse(BaseModel):
    """A counter as it is saved; `days` has what was used and what then remained.

    `day` is the present one, whose record still follows the limit; None before the first request.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan_id: str
    key_id: str
    first_day: int | None
    day: int | None
    extra: int
    extra_since: int | None
    days: dict[int, tuple[_Count, _Count | None]]


class QuotaCounter:
    """The use by one key under one plan.

    Without a quota it only counts, for GetUsage. The period in which the first request comes is
    the initial one, in which AWS takes `offset` off the limit.
    """

    __slots__ = (
        "_capacity",
        "_day",
        "_day_end_s",
        "_days",
        "_extra",
        "_extra_since",
        "_first_day",
        "_quota",
        "_used",
        "_used_before",
    )

    def __init__(self, quota: Quota | None) -> None:
        self._quota = quota
        self._days: dict[int, DayUse] = {}
        self._first_day: int | None = None
        # Set by UpdateUsage: more (or fewer) requests in the period that began on a day.
        self._extra = 0
        self._extra_since: int | None = None
        self._day = 0
        self._day_end_s = 0.0
        self._used = 0  # on the present day
        self._used_before = 0  # on the days before it in the same period
        self._capacity = 0

    def ready(self, wall_s: float) -> bool:
        """Whether one more request is within the quota, at a time in seconds since the epoch."""
        # A clock that is set back goes on with the day that has begun: nothing comes back.
        if wall_s >= self._day_end_s:
            self._begin(day_of(wall_s))
        return self._quota is None or self._used_before + self._used < self._capacity

    def spend(self) -> None:
        """Counts the request that `ready` was asked about."""
        self._used += 1

    def change(self, quota: Quota | None) -> None:
        """Goes on with another quota; what was used stays used."""
        if quota != self._quota:
            self._quota = quota
            if self._day_end_s:
                self._count()

    def remaining(self, day: int) -> int | None:
        """What is left in the period that holds `day`, as far as is known; None without a quota."""
        if self._quota is None:
            return None
        used = self._use_in(period_start(self._quota.period, day), day)
        return max(0, self._capacity_on(day) - used)

    def in_period(self) -> DayUse:
        """What is used and what remains in the present period; without a quota, of the day."""
        remaining = self.remaining(self._day)
        if self._quota is None:
            return self._used, remaining
        return self._use_in(period_start(self._quota.period, self._day), self._day), remaining

    def set_remaining(self, remaining: int, wall_s: float) -> None:
        """Leaves `remaining` requests in the present period.

        Raises:
            ValueError: the plan has no quota.
        """
        if self._quota is None:
            raise ValueError("the usage plan has no quota")
        self.ready(wall_s)
        self._extra_since = period_start(self._quota.period, self._day)
        self._extra = 0
        used = self._used_before + self._used
        self._extra = used + remaining - self._capacity_on(self._day)
        self._count()

    def uses(self, first: date, last: date) -> list[DayUse]:
        """What was used and what then remained on each day from `first` to `last`."""
        self._store()
        return [self._use_on(day) for day in range(day_number(first), day_number(last) + 1)]

    def save(self, plan_id: str, key_id: str) -> SavedUse:
        """Everything that has to outlive the process."""
        self._store()
        return SavedUse(
            plan_id=plan_id,
            key_id=key_id,
            first_day=self._first_day,
            day=self._day if self._day_end_s else None,
            extra=self._extra,
            extra_since=self._extra_since,
            days=dict(self._days),
        )

    @classmethod
    def restore(cls, saved: SavedUse) -> QuotaCounter:
        """The counter that was saved; it has no quota until `change` gives it one."""
        counter = cls(None)
        counter._days = dict(sorted(saved.days.items()))
        counter._first_day = saved.first_day
        counter._extra, counter._extra_since = saved.extra, saved.extra_since
        if saved.day is not None:
            counter._begin(saved.day)
        return counter

    def _begin(self, day: int) -> None:
        self._store()
        if self._first_day is None:
            self._first_day = day
        self._day = day
        self._day_end_s = float((day + 1) * SECONDS_PER_DAY)
        self._used = self._days.get(day, (0, None))[0]
        for old in [known for known in self._days if known < day - KEPT_DAYS]:
            del self._days[old]
        self._count()

    def _count(self) -> None:
        """Works out what the present day may use."""
        if self._quota is not None:
            start = period_start(self._quota.period, self._day)
            self._used_before = self._use_in(start, self._day - 1)
            self._capacity = self._capacity_on(self._day)

    def _store(self) -> None:
        """Brings the record of the present day up to date."""
        if self._used:
            self._days[self._day] = (self._used, None)
            self._days[self._day] = (self._used, self.remaining(self._day))

    def _use_on(self, day: int) -> DayUse:
        known = self._days.get(day)
        if known is None or day == self._day:
            return (known[0] if known else 0), self.remaining(day)
        return known

    def _use_in(self, first_day: int, last_day: int) -> int:
        used = sum(
            use[0]
            for day, use in self._days.items()
            if first_day <= day <= last_day and day != self._day
        )
        return used + (self._used if first_day <= self._day <= last_day else 0)

    def _capacity_on(self, day: int) -> int:
        """The limit of the period that holds `day`, with what is added or taken off in it."""
        if self._quota is None:
            return 0
        period, capacity = self._quota.period, self._quota.limit
        start = period_start(period, day)
        if self._first_day is None or period_start(period, self._first_day) == start:
            capacity -= self._quota.offset
        if self._extra_since == start:
            capacity += self._extra
        return capacity
