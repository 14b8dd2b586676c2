"""What becomes of the gate of a tuned function's setting: suspected, confirmed, cleared; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports.history.decisions import levels_of, mute_of
from reports.history.history import Past
from reports.history.record import AlarmRecord, AlarmState, EventRecord, SeriesId
from reports.nightly.alarm_course import alarm_id_of
from reports.nightly.curve_gates import REGRET, confirm_regret, curve_gates
from reports.nightly.document import GateStatus, NightGate
from reports.nightly.figures_of_nights import StepNights, changed_spans
from reports.nightly.plan import NightlyPlan
from reports.regression.cost_curve import TODAYS_SIZE


@dataclass(frozen=True, slots=True)
class RegretJudgement:
    """The gate, its alarm where it has one, and whether further runs would tell."""

    gate: NightGate
    alarms: list[AlarmRecord] = field(default_factory=list)
    cleared: list[AlarmRecord] = field(default_factory=list)
    ask: bool = False


def judge_regret(
    nights: StepNights,
    plan: NightlyPlan,
    past: Past,
    open_alarms: Mapping[SeriesId, AlarmRecord],
    mutes: Sequence[EventRecord],
) -> RegretJudgement | None:
    """None for a load, and where there is nothing to judge."""
    tonight = nights.tonight
    series = SeriesId(step=tonight.step, scope=TODAYS_SIZE, metric=REGRET)
    spans = changed_spans(past, series)
    earlier = [run for run in nights.alike if not any(span.holds(run.sequence) for span in spans)]
    starts = [start for start in levels_of(past.events, series) if start <= tonight.sequence]
    gates = curve_gates(
        tonight, earlier, plan, level_from=starts[-1] if starts else None
    ) if tonight.kind == "tune" else []  # fmt: skip
    if not gates:
        return None
    gate, before = gates[0], open_alarms.get(series)
    if gate.status != "suspect":
        ended = [] if before is None or gate.status != "passed" else [
            before.model_copy(update={"state": "cleared", "confirmed_by": "tonight it is back"})
        ]  # fmt: skip
        return RegretJudgement(gate, cleared=ended)
    return _suspected(nights, gate, series, before, mutes)


def _suspected(
    nights: StepNights,
    gate: NightGate,
    series: SeriesId,
    before: AlarmRecord | None,
    mutes: Sequence[EventRecord],
) -> RegretJudgement:
    state: AlarmState
    found = confirm_regret(nights.reruns, gate.limit or 0.0) if nights.reruns else None
    if before is not None:
        state, by = "confirmed", before.confirmed_by or "the next night agrees"
    elif found is None:
        state, by = "suspect", "no further run tells; the next night decides"
    else:
        state, by = ("confirmed" if found.confirmed else "cleared"), found.words
    alarm = _alarm(nights, gate, series, state, by, before)
    if state == "cleared":
        told = f"{gate.message}; suspected and cleared: {by}"
        passed = gate.model_copy(update={"status": "passed", "message": told})
        return RegretJudgement(passed, cleared=[alarm])
    mute = mute_of(mutes, series, alarm.alarm_id)
    status: GateStatus = "failed" if state == "confirmed" else "suspect"
    told = f"confirmed: {by}" if state == "confirmed" else f"suspected: {by}"
    if mute is not None:
        alarm, status = alarm.model_copy(update={"state": "muted"}), "muted"
        told += f"; muted until {mute.until_utc or 'it is unmuted'}: {mute.reason}"
    judged = gate.model_copy(update={"status": status, "message": f"{gate.message}; {told}"})
    return RegretJudgement(judged, [alarm], ask=state == "suspect" and mute is None)


def _alarm(
    nights: StepNights,
    gate: NightGate,
    series: SeriesId,
    state: AlarmState,
    by: str,
    before: AlarmRecord | None,
) -> AlarmRecord:
    tonight = nights.tonight
    usual = gate.baseline or 0.0
    values = {
        "state": state,
        "change_share": (gate.value or 0.0) - usual,
        "change_interval": gate.change_interval
        and (gate.change_interval[0] - usual, gate.change_interval[1] - usual),
        "baseline_value": gate.baseline,
        "value": gate.value or 0.0,
        "confirmed_by": "" if state == "suspect" else by,
    }
    if before is not None:
        return before.model_copy(update=values)
    last = nights.alike[-1].git_commit if nights.alike else None
    beginning = {
        "alarm_id": alarm_id_of(series, tonight.night_id),
        "series": series,
        "since_night": tonight.night,
        "since_night_id": tonight.night_id,
        "since_sequence": tonight.sequence,
        "p_value": None,
        "floor_share": gate.limit or 0.0,
        "unit": "share",
        "commits": (last, tonight.git_commit),
    }
    return AlarmRecord.model_validate(beginning | values)
