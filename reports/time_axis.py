"""The time axis of a run: seconds since its beginning, with ticks that clocks have."""

from __future__ import annotations

from dataclasses import dataclass

from reports.figures import SPACE, fixed

_STEPS_S = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600,
    43200, 86400,
)  # fmt: skip
_DAY_S = 86400

# Until here labels count seconds, and until there minutes and seconds.
_IN_SECONDS_UNTIL_S = 120
_IN_MINUTES_UNTIL_S = 7200


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Equal times are equal distances, from zero to `duration_s`."""

    duration_s: float
    start_px: float
    end_px: float

    def __post_init__(self) -> None:
        if not self.duration_s > 0:
            raise ValueError(f"a run takes more than 0 s (got {self.duration_s})")

    def position(self, seconds: float) -> float:
        """Pixels for a time; times outside the run are drawn on its edge."""
        share = min(1.0, max(0.0, seconds / self.duration_s))
        return self.start_px + (self.end_px - self.start_px) * share

    def ticks(self) -> list[float]:
        """Round times inside the run, about one for each 80 pixels."""
        about = max(2.0, (self.end_px - self.start_px) / 80)
        raw = self.duration_s / about
        step = next((step for step in _STEPS_S if step >= raw), None)
        if step is None:
            step = _DAY_S * -(-raw // _DAY_S)
        count = int(self.duration_s / step + 1e-9)
        return [index * step for index in range(count + 1)]

    @property
    def name(self) -> str:
        """What the axis measures, with its unit."""
        return f"time since the start, {self.unit}"

    @property
    def unit(self) -> str:
        """That of its labels: s, min:s or h:min."""
        return _unit(self.duration_s)


def _unit(duration_s: float) -> str:
    if duration_s <= _IN_SECONDS_UNTIL_S:
        return "s"
    return "min:s" if duration_s <= _IN_MINUTES_UNTIL_S else "h:min"


def time_label(seconds: float, duration_s: float) -> str:
    """A time of a run, in the unit of its axis: 45, 1:30 or 2:15."""
    if duration_s <= _IN_SECONDS_UNTIL_S:
        return fixed(seconds, 0 if abs(seconds - round(seconds)) < 1e-9 else 1)
    whole = round(seconds)
    big, small = divmod(whole, 60) if duration_s <= _IN_MINUTES_UNTIL_S else divmod(whole // 60, 60)
    return f"{big}:{small:02d}"


def moment_label(second: int) -> str:
    """A second of a run, however long the run is: 45 s, 1:30 or 2:15:00."""
    if second < 60:
        return f"{second}{SPACE}s"
    minutes, rest = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
