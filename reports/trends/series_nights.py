"""The nights of one figure in the order of the history, and how each counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Literal

from reports.history.record import AlarmRecord, Key, NightRecord, RunRecord, SeriesId, SeriesPoint
from reports.nightly.asked import alike
from reports.nightly.document import NightGate, TrendPoint
from reports.trends.comparable_figures import comparable_points

Status = Literal["counted", "suspect", "confirmed", "invalid", "unlike"]

_TWO_SIDED_95 = 1.96
# A muted alarm is shown as one that fails nothing; what was cleared or accepted is no alarm.
_STATUS_OF_ALARM: Mapping[str, Status] = {
    "suspect": "suspect",
    "muted": "suspect",
    "confirmed": "confirmed",
}
_STATUS_OF_GATE: Mapping[str, Status] = {
    "suspect": "suspect",
    "muted": "suspect",
    "failed": "confirmed",
}


@dataclass(frozen=True, slots=True)
class SeriesNight:
    """A run of a night, its figure, and how it counts."""

    run: RunRecord
    point: SeriesPoint
    status: Status

    @property
    def y(self) -> float:
        """ln(value)."""
        return log(self.point.value)

    @property
    def counts(self) -> bool:
        """Whether it says something of the level that tonight is compared with."""
        return self.status not in ("invalid", "unlike")

    def as_point(self) -> TrendPoint:
        """As documents have it; the 95 % interval is of the night alone."""
        error = self.point.error_ln
        reach = _TWO_SIDED_95 * error if error is not None and isfinite(error) else None
        return TrendPoint(
            night=self.run.night,
            night_id=self.run.night_id,
            sequence=self.run.sequence,
            at_utc=self.run.started_utc,
            value=self.point.value,
            low=None if reach is None else exp(self.y - reach),
            high=None if reach is None else exp(self.y + reach),
            n=self.point.n,
            status=self.status,
            git_commit=self.run.git_commit,
        )


def nights_of_step(
    runs: Sequence[RunRecord], states: Mapping[tuple[SeriesId, str], Status]
) -> dict[SeriesId, list[SeriesNight]]:
    """All figures of a step's runs, which are in order; the last valid one says what is alike."""
    key = _key_of(runs)
    counts = [run.valid and key is not None and alike(run.key, key) for run in runs]
    points = comparable_points(runs, counts)
    found: dict[SeriesId, list[SeriesNight]] = {}
    for run, of_run in zip(runs, points, strict=True):
        for point in of_run:
            # A figure without a logarithm is no figure; a history may come from anywhere.
            if not (isfinite(point.value) and point.value > 0):
                continue
            series = SeriesId(step=run.step, scope=point.scope, metric=point.metric)
            status = _status(run, key, states.get((series, run.night_id), "counted"))
            found.setdefault(series, []).append(SeriesNight(run, point, status))
    return found


def _key_of(runs: Sequence[RunRecord]) -> Key | None:
    keys = [run.key for run in runs if run.valid] or [run.key for run in runs]
    return keys[-1] if keys else None


def _status(run: RunRecord, key: Key | None, alarm: Status) -> Status:
    if not run.valid:
        return "invalid"
    return alarm if key is not None and alike(run.key, key) else "unlike"


def states_of(
    nights: Iterable[NightRecord],
    tonight_id: str | None = None,
    gates: Iterable[NightGate] = (),
    alarms: Iterable[AlarmRecord] = (),
) -> dict[tuple[SeriesId, str], Status]:
    """The alarm of a figure at a night, by what was known of it last.

    A suspicion that a later night confirmed or cleared is shown as that already where it began.
    `gates` and `alarms` are those of tonight.
    """
    seen: dict[tuple[SeriesId, str], str] = {}
    latest: dict[str, str] = {}
    for night in nights:
        for alarm in night.alarms:
            seen[alarm.series, night.night_id] = alarm.alarm_id
            latest[alarm.alarm_id] = alarm.state
    for alarm in alarms:
        latest[alarm.alarm_id] = alarm.state
        if tonight_id is not None:
            seen[alarm.series, tonight_id] = alarm.alarm_id
    found = {
        place: _STATUS_OF_ALARM[latest[alarm_id]]
        for place, alarm_id in seen.items()
        if latest[alarm_id] in _STATUS_OF_ALARM
    }
    for gate in gates if tonight_id is not None else ():
        if gate.kind in ("relative", "curve") and gate.status in _STATUS_OF_GATE:
            series = SeriesId(step=gate.step, scope=gate.scope, metric=gate.metric)
            found[series, tonight_id or ""] = _STATUS_OF_GATE[gate.status]
    return found
