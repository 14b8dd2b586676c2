"""Whether counts that AWS published are those of a run: all of it, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reports.load_telemetry import CoverageState

_MINUTE_S = 60
# Of so many requests a client and a gateway may disagree: answers that a proxy gave, or a line that
# was retried below HTTP.
_TOLERANCE_SHARE = 0.005
# With fewer strangers than this, percentiles stay what they are.
_STRANGERS_SHARE, _STRANGERS = 0.02, 5
# Clocks differ by a second or so, and requests arrive somewhat later than they are due.
_BORDER_S = 1.0
# A minute in which less of the run lies may lack.
_SMALL_MINUTE_SHARE = 0.02
# Metrics come one to three minutes late, in steps of a minute; AWS gives no figure.
SETTLED_AFTER_S = 600.0
_GROWS_AFTER_S, _STILL_FOR_S = 180.0, 90.0


@dataclass(frozen=True, slots=True)
class Counted:
    """What was published at the time `read_s`; `last_growth_s` is when it was more than before.

    All are Unix times. `by_minute` has the minutes of which anything was published.
    """

    by_minute: Mapping[int, float]
    read_s: float
    last_growth_s: float

    @property
    def total(self) -> int:
        """All minutes together."""
        return round(sum(self.by_minute.values()))


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run must have caused: at least, at most, and how it is spread over the minutes.

    `ended_s` is the Unix time of its end. `most` is None where nobody knows.
    """

    least: int
    most: int | None
    by_minute: Mapping[int, int]
    ended_s: float


def has_settled(counted: Counted, ended_s: float) -> bool:
    """Whether nothing more is expected: the run is long over, or the count has stopped to grow."""
    since_end_s = counted.read_s - ended_s
    if since_end_s >= SETTLED_AFTER_S:
        return True
    still_s = counted.read_s - counted.last_growth_s
    return counted.total > 0 and since_end_s >= _GROWS_AFTER_S and still_s >= _STILL_FOR_S


def is_complete(counted: Counted, expected: Expected) -> bool:
    """Whether all of the run is in the count, in each of its minutes.

    Minutes are looked at because strangers in one could make up for another that is still to come.
    """
    if counted.total < expected.least * (1 - _TOLERANCE_SHARE):
        return False
    whole = sum(expected.by_minute.values())
    return all(
        counted.by_minute.get(minute, 0) >= sent / 2
        for minute, sent in expected.by_minute.items()
        if sent > _SMALL_MINUTE_SHARE * whole
    )


def state_of(counted: Counted, expected: Expected) -> CoverageState:
    """What the count is worth."""
    settled = has_settled(counted, expected.ended_s)
    if not counted.total and expected.least:
        return "none" if settled else "late"
    if not is_complete(counted, expected):
        return "fewer" if settled else "late"
    if expected.most is not None and counted.total - expected.most > _strangers(expected.most):
        return "shared"
    return "covered"


def strangers(counted: Counted, expected: Expected) -> int:
    """How many of the counted requests are not of the run, at least."""
    return 0 if expected.most is None else max(counted.total - expected.most, 0)


def _strangers(most: int) -> int:
    return max(math.ceil(_STRANGERS_SHARE * most), _STRANGERS)


def by_minute(sent_by_second: Mapping[int, int], started_unix_s: float) -> dict[int, int]:
    """Requests by the Unix minute that surely counts them.

    What was due within a second of a border may be counted on either side of it, and is left out.
    """
    found: dict[int, int] = {}
    for second, sent in sent_by_second.items():
        due_s = started_unix_s + second
        minute = int(due_s) // _MINUTE_S * _MINUTE_S
        if sent and _BORDER_S <= due_s - minute <= _MINUTE_S - 1 - _BORDER_S:
            found[minute] = found.get(minute, 0) + sent
    return found
