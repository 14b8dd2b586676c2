"""The time axis of trends: days, with ticks at dates that people count by.

A night's place is its date, not the clock of its run. Where dates cannot be read, nights stand in
their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# A tick needs as much for its label, `15 Nov`, and air on both sides.
_TICK_PX = 52.0
_DAYS_APART = (1, 2, 7)
# Air before the first night and behind the last, in days.
_AIR_DAYS = 0.8
# Places are counted from here, so that they are short wherever they are written.
_FIRST_DAY = date(2020, 1, 1).toordinal()


def day_of(night: str) -> int | None:
    """The number of a date like 2026-11-27, in days since 2020; None where it is none."""
    try:
        return date.fromisoformat(night).toordinal() - _FIRST_DAY
    except ValueError:
        return None


def date_label(day: int) -> str:
    """A day without its year: 27 Nov."""
    found = _date(day)
    return f"{found.day} {_MONTHS[found.month - 1]}"


def _date(day: int) -> date:
    return date.fromordinal(day + _FIRST_DAY)


def places_of(nights: Sequence[tuple[str, int]]) -> list[float]:
    """Where nights, each a date and a sequence, stand on the axis.

    Several nights of one date share its day. Where a date cannot be read, all stand by sequence.
    """
    days = [day_of(night) for night, _ in nights]
    if any(day is None for day in days):
        return [float(sequence) for _, sequence in nights]
    known = [day for day in days if day is not None]
    seen: dict[int, int] = {}
    places = []
    for day in known:
        before = seen.get(day, 0)
        seen[day] = before + 1
        places.append(day + before / known.count(day))
    return places


@dataclass(frozen=True, slots=True)
class NightScale:
    """Equal numbers of days are equal distances, from `first` to `last`."""

    first: float
    last: float
    start_px: float
    end_px: float
    dated: bool

    @classmethod
    def over(
        cls, places: Iterable[float], start_px: float, end_px: float, *, dated: bool
    ) -> NightScale:
        """A scale that holds all `places`, with air at both ends."""
        held = list(places) or [0.0]
        return cls(min(held) - _AIR_DAYS, max(held) + _AIR_DAYS, start_px, end_px, dated)

    def position(self, place: float) -> float:
        """Pixels for a place; those outside are drawn on the edge."""
        share = (place - self.first) / (self.last - self.first)
        return self.start_px + (self.end_px - self.start_px) * min(1.0, max(0.0, share))

    @property
    def day_px(self) -> float:
        """How wide a day is."""
        return (self.end_px - self.start_px) / (self.last - self.first)

    def ticks(self) -> list[tuple[float, str]]:
        """Places inside with their labels, not more than have room."""
        most = max(1.0, (self.end_px - self.start_px) / _TICK_PX)
        low, high = int(self.first + 1), int(self.last)
        if not self.dated:
            step = max(1, round((high - low) / most))
            return [(float(at), f"{at:,}") for at in range(low, high + 1, step)]
        for days in _ticks_of(low, high):
            if len(days) <= most:
                return [(float(day), date_label(day)) for day in days]
        return [(float(low), date_label(low))]


def _ticks_of(low: int, high: int) -> Iterator[list[int]]:
    """Sets of days between two, finer ones first."""
    for apart in _DAYS_APART:
        # Counted back from the last night, which is the one that a reader looks for.
        yield list(range(high, low - 1, -apart))[::-1]
    every = [(day, _date(day)) for day in range(low, high + 1)]
    yield [day for day, one in every if one.day in (1, 15)]
    months = [(day, one.month) for day, one in every if one.day == 1]
    for apart in (1, 3, 12):
        yield [day for day, month in months if (month - 1) % apart == 0]
