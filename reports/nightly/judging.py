"""The judgement of a night: each figure of its steps against the nights before.

Called once when the steps have ended, to know who is suspected, and again when further runs have
confirmed or cleared that; both times with everything that is known, so that it can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import log
from typing import Literal

from reports.history.decisions import mute_of, mutes_in_force
from reports.history.history import Past
from reports.history.record import AlarmRecord, AlarmState, EventRecord, RunRecord, SeriesId
from reports.nightly.alarm_course import Course, alarm_id_of, alarm_of, course_of
from reports.nightly.document import NightGate
from reports.nightly.figures_of_nights import (
    Figure,
    Step,
    StepNights,
    figures_of,
    nights_of,
    open_alarms,
)
from reports.nightly.night_facts import NightFacts
from reports.nightly.plan import NightlyPlan
from reports.nightly.regret_course import RegretJudgement, judge_regret
from reports.nightly.relative_gate import absent_gates, relative_gate
from reports.regression.confirmation import (
    FEWEST_PAIRS,
    Confirmation,
    confirm_by_pairs,
    confirm_by_reruns,
)
from reports.regression.relative import Judgement, judge


@dataclass(frozen=True, slots=True)
class StepToConfirm:
    """A step with a suspected figure, and the further runs that would tell.

    `pairs_only`: runs of tonight's version alone would not tell.
    """

    step: str
    how: Literal["rerun", "pairs"]
    runs: int
    pairs_only: bool = False


@dataclass(slots=True)
class NightJudgement:
    """What came of a night's figures. `cleared` are tonight's suspicions that came to nothing."""

    gates: list[NightGate] = field(default_factory=list)
    alarms: list[AlarmRecord] = field(default_factory=list)
    cleared: list[AlarmRecord] = field(default_factory=list)
    suspects: list[StepToConfirm] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def judge_night(
    plan: NightlyPlan,
    tonight: Sequence[RunRecord],
    past: Past,
    facts: NightFacts,
    *,
    now: datetime,
    confirmations: Sequence[RunRecord] = (),
) -> NightJudgement:
    """Judges the runs of a night; those that are not valid are left out.

    `past` may hold runs of this night; they are not taken for an earlier one. `now` decides which
    mutes are over.
    """
    branch = plan.branch or facts.branch
    mutes = mutes_in_force(past.events, now)
    judging = _Judging(plan, past, branch, mutes, confirmations, open_alarms(past, branch))
    for step in plan.steps:
        record = next((run for run in tonight if run.step == step.name and run.valid), None)
        if record is not None:
            judging.read(step, record)
    return judging.judged()


@dataclass(slots=True)
class _Judging:
    plan: NightlyPlan
    past: Past
    branch: str | None
    mutes: Sequence[EventRecord]
    confirmations: Sequence[RunRecord]
    open: Mapping[SeriesId, AlarmRecord]
    steps: list[tuple[Step, StepNights]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    found: NightJudgement = field(default_factory=NightJudgement)

    def read(self, step: Step, record: RunRecord) -> None:
        """Takes the figures of a step."""
        nights = nights_of(record, self.past, self.confirmations, self.branch)
        self.steps.append((step, nights))
        self.figures += figures_of(step, nights, self.past, self.plan)

    def judged(self) -> NightJudgement:
        """What came of all figures that were taken."""
        gates = self.plan.gates
        judgements = judge(
            {figure.name: figure.tonight for figure in self.figures},
            {figure.name: figure.as_series() for figure in self.figures},
            previous={f.name: f.last.observation for f in self.figures if f.last is not None},
            family_error=gates.family_error,
            min_nights=gates.min_nights,
        )
        for figure in self.figures:
            self._figure(figure, judgements[figure.name], len(judgements))
        for step, nights in self.steps:
            self._regret(step, nights)
            self.found.gates += absent_gates(step, nights, self.plan)
        self._carry_over()
        return self.found

    def _figure(self, figure: Figure, judged: Judgement, of: int) -> None:
        before = self.open.get(figure.series)
        confirmation = self._confirmation(figure, judged)
        course = course_of(
            figure, judged, before, confirmation, runs_again=self.plan.gates.confirm.by == "rerun"
        )
        state, muted = self._state(figure.series, course, before, figure.run)
        step, nights = next((s, n) for s, n in self.steps if s.name == figure.series.step)
        self.found.gates.append(
            relative_gate(figure, judged, course, nights, of=of, min_nights=self._least, mute=muted)
        )
        if state is None:
            return
        alarm = alarm_of(figure, judged, course, state, before)
        (self.found.cleared if state == "cleared" else self.found.alarms).append(alarm)
        if course.ask and muted is None:
            self._ask(step, common=judged.common)

    @property
    def _least(self) -> int:
        return self.plan.gates.min_nights

    def _state(
        self, series: SeriesId, course: Course, before: AlarmRecord | None, run: RunRecord
    ) -> tuple[AlarmState | None, EventRecord | None]:
        """The state of its alarm, None where it has none, and the mute that covers it."""
        if course.fate == "fine":
            return None, None
        if course.fate in ("cleared", "recovered"):
            return "cleared", None
        since = before.since_night_id if before else (course.since or run).night_id
        mute = mute_of(self.mutes, series, alarm_id_of(series, since))
        if mute is not None:
            return "muted", mute
        return ("confirmed" if course.fate == "confirmed" else "suspect"), None

    def _ask(self, step: Step, *, common: bool, by_pairs: bool = True) -> None:
        """Has further runs made, where they can tell: a common rise is in all runs of a night.

        A regret is of a setting, and no other version tells of it: `by_pairs` is false then.
        """
        confirm, suspects = self.plan.gates.confirm, self.found.suspects
        if confirm.by != "rerun":
            return
        known = next((one for one in suspects if one.step == step.name), None)
        if known is not None:
            suspects[suspects.index(known)] = replace(known, pairs_only=known.pairs_only and common)
        elif step.baseline is not None and by_pairs:
            suspects.append(StepToConfirm(step.name, "pairs", confirm.pairs, common))
        elif not common:
            suspects.append(StepToConfirm(step.name, "rerun", confirm.reruns))

    def _confirmation(self, figure: Figure, judged: Judgement) -> Confirmation | None:
        if judged.answer != "worse":
            return None
        pairs = self._pairs(figure)
        if len(pairs) >= FEWEST_PAIRS:
            return confirm_by_pairs(pairs, figure.floor_share)
        if figure.reruns and not judged.common:
            return confirm_by_reruns(judged, figure.reruns, figure.floor_share)
        return None

    def _pairs(self, figure: Figure) -> list[tuple[float, float]]:
        """ln(value) of the baseline's and of the newer version, in the order of their runs."""
        before, after = (self._values(figure, purpose) for purpose in ("baseline", "candidate"))
        return list(zip(before, after, strict=False))

    def _values(self, figure: Figure, purpose: str) -> list[float]:
        return [
            log(point.value)
            for run in self.confirmations
            if run.step == figure.series.step and run.purpose == purpose and run.valid
            for point in run.points
            if (point.scope, point.metric) == (figure.series.scope, figure.series.metric)
            and point.value > 0
        ]

    def _regret(self, step: Step, nights: StepNights) -> None:
        found: RegretJudgement | None = judge_regret(
            nights, self.plan, self.past, self.open, self.mutes
        )
        if found is None:
            return
        self.found.gates.append(found.gate)
        self.found.alarms += found.alarms
        self.found.cleared += found.cleared
        if found.ask:
            self._ask(step, common=False, by_pairs=False)

    def _carry_over(self) -> None:
        """Alarms of figures that were not measured tonight stay as they are."""
        told = {alarm.series for alarm in [*self.found.alarms, *self.found.cleared]}
        judged = {figure.series for figure in self.figures}
        for series, alarm in self.open.items():
            if series in told | judged or alarm.state == "suspect":
                continue
            self.found.alarms.append(alarm)
            self.found.notes.append(
                f"{alarm.alarm_id} stays open: {series.metric} of {series.scope} in {series.step} "
                "was not measured tonight"
            )
