"""The document of a night: gates in their order, one verdict, and the exit code behind it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import ExitCode
from reports.figures import percent, percent_range
from reports.history.record import AlarmRecord
from reports.nightly.document import (
    NightGate,
    NightlyDocument,
    NightProvenance,
    NightStep,
    NightVerdict,
    SavingFound,
    Trend,
)
from reports.nightly.judging import NightJudgement
from reports.nightly.night_facts import NightFacts
from reports.nightly.plan import NightlyPlan
from reports.nightly.relative_gate import value_words

_ORDER = {"validity": 0, "budget": 1, "relative": 2, "curve": 3}
_VERDICTS: dict[ExitCode, NightVerdict] = {
    ExitCode.PASS: "pass",
    ExitCode.ERROR: "error",
    ExitCode.FAILED: "failed",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.INVALID: "invalid",
    ExitCode.REFUSED: "refused",
    ExitCode.INTERRUPTED: "interrupted",
}
# A threshold of a run that failed is a gate of its own here; an answer that a run does not have is
# one of the night's inconclusive gates.
_SOUND = (ExitCode.PASS, ExitCode.FAILED, ExitCode.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the steps of a night are known by besides the history.

    `gates` are validity and budgets, from the documents of the runs.
    """

    gates: Sequence[NightGate] = ()
    savings: Sequence[SavingFound] = ()
    trends: Sequence[Trend] = ()


def document_of(
    plan: NightlyPlan,
    facts: NightFacts,
    steps: Sequence[NightStep],
    measured: Measured,
    judgement: NightJudgement,
    *,
    provenance: NightProvenance,
    history_problems: Sequence[str] = (),
    notes: Sequence[str] = (),
    inconclusive: str = "fail",
    interrupted: bool = False,
) -> NightlyDocument:
    """The whole night."""
    gates = sorted(
        [*measured.gates, *judgement.gates], key=lambda gate: _ORDER[gate.kind]
    )  # stable: within a kind as the plan has them
    code = exit_code_of_night(steps, gates, interrupted=interrupted, inconclusive=inconclusive)
    spent = [run.spent_usd for step in steps for run in step.runs if run.spent_usd is not None]
    return NightlyDocument(
        name=plan.name,
        night=facts.night,
        night_id=facts.night_id,
        sequence=facts.sequence,
        verdict=_VERDICTS[code],
        exit_code=int(code),
        errors=[f"{step.name}: {error}" for step in steps for error in step.errors],
        notes=[*notes, *judgement.notes],
        headline=_headline(code, steps, gates, judgement.alarms, facts.night),
        steps=list(steps),
        gates=gates,
        alarms=judgement.alarms,
        cleared=judgement.cleared,
        trends=list(measured.trends),
        savings=list(measured.savings),
        history_problems=list(history_problems),
        spent_usd=sum(spent) if spent else None,
        provenance=provenance,
    )


def exit_code_of_night(
    steps: Sequence[NightStep],
    gates: Sequence[NightGate],
    *,
    interrupted: bool = False,
    inconclusive: str = "fail",
) -> ExitCode:
    """The first that applies: what was shown comes before what could not be.

    A regression of one step stands, whatever else went wrong in another.
    """
    if interrupted:
        return ExitCode.INTERRUPTED
    statuses = {gate.status for gate in gates}
    codes = {step.exit_code for step in steps}
    if "failed" in statuses:
        return ExitCode.FAILED
    if codes - {*_SOUND, ExitCode.INVALID, ExitCode.REFUSED}:
        return ExitCode.ERROR
    if "invalid" in statuses or ExitCode.INVALID in codes:
        return ExitCode.INVALID
    if ExitCode.REFUSED in codes:
        return ExitCode.REFUSED
    if not steps or not gates:
        return ExitCode.INCONCLUSIVE
    is_open = "inconclusive" in statuses and inconclusive == "fail"
    return ExitCode.INCONCLUSIVE if is_open else ExitCode.PASS


def _headline(
    code: ExitCode,
    steps: Sequence[NightStep],
    gates: Sequence[NightGate],
    alarms: Sequence[AlarmRecord],
    night: str,
) -> str:
    """The night in a sentence or two, the worst first."""
    confirmed = [alarm for alarm in alarms if _fails(alarm, gates)]
    failed = [gate for gate in gates if gate.status == "failed" and gate.kind == "budget"]
    said = []
    if confirmed:
        worst = max(confirmed, key=lambda alarm: alarm.change_share)
        said.append(_alarm_sentence(worst, night))
        said += _more(len(confirmed) - 1, "figure is worse", "figures are worse")
    if failed:
        said.append(f"{failed[0].step}, {failed[0].scope}: {failed[0].text} does not hold.")
        said += _more(len(failed) - 1, "budget does not hold", "budgets do not hold")
    return " ".join(said) or _quiet(code, steps, gates, alarms)


def _fails(alarm: AlarmRecord, gates: Sequence[NightGate]) -> bool:
    place = (alarm.series.step, alarm.series.scope, alarm.series.metric)
    return any(
        gate.status == "failed" and (gate.step, gate.scope, gate.metric) == place for gate in gates
    )


def _alarm_sentence(alarm: AlarmRecord, night: str) -> str:
    one = alarm.series
    since = "tonight" if alarm.since_night == night else f"since {alarm.since_night}"
    where = f"{one.step}, {one.scope}: {one.metric}"
    if alarm.unit == "share":
        return f"{where} of today's size is {percent(alarm.value)} {since}."
    interval = ""
    if alarm.change_interval is not None:
        interval = f" ({percent_range(*alarm.change_interval)})"
    return (
        f"{where} rose by {percent(alarm.change_share)}{interval} to "
        f"{value_words(alarm.value, alarm.unit)} {since}."
    )


def _more(count: int, one: str, several: str) -> list[str]:
    return [f"{count:,} more {one if count == 1 else several}."] if count > 0 else []


def _quiet(
    code: ExitCode,
    steps: Sequence[NightStep],
    gates: Sequence[NightGate],
    alarms: Sequence[AlarmRecord],
) -> str:
    """What there is to say of a night without anything that failed."""
    judged = [gate for gate in gates if gate.kind in ("relative", "curve")]
    passed = sum(gate.status == "passed" for gate in judged)
    if code is ExitCode.INTERRUPTED:
        return f"Interrupted after {_done(steps)} of {len(steps):,} steps."
    ended = [step.name for step in steps if step.exit_code not in _SOUND]
    if ended:
        usual = "1 figure is" if passed == 1 else f"{passed:,} figures are"
        rest = f"; {usual} as usual." if passed else "."
        return f"{_listed(ended)} gave nothing to judge{rest}"
    suspects = [alarm.series for alarm in alarms if alarm.state == "suspect"]
    if suspects:
        first = suspects[0]
        more = f" and {len(suspects) - 1:,} more" if len(suspects) > 1 else ""
        return f"{first.step}, {first.scope}: {first.metric}{more} may be worse; not confirmed."
    waiting = [gate for gate in judged if gate.status == "inconclusive"]
    if waiting and all(gate.nights < gate.nights_needed for gate in waiting):
        return _learning(waiting, len(judged))
    if waiting:
        which = _part(len(waiting), len(judged))
        return f"{which[:1].upper()}{which[1:]} cannot be judged: {waiting[0].message}"
    return _as_usual(passed, sum(gate.status == "muted" for gate in gates))


def _as_usual(passed: int, muted: int) -> str:
    """That nothing is worse, or nothing that counts."""
    if not passed + muted:
        return "All steps were measured; no figure is compared with earlier nights."
    worse = "1 worse figure is muted" if muted == 1 else f"{muted:,} worse figures are muted"
    if not passed:
        return f"{worse[:1].upper()}{worse[1:]}; there is no other."
    if muted:
        others = "The other figure is" if passed == 1 else f"The {passed:,} other figures are"
        return f"{others} as on earlier nights; {worse}."
    if passed == 1:
        return "The only figure is as on earlier nights."
    return f"All {passed:,} figures are as on earlier nights."


def _part(count: int, of: int) -> str:
    return "the only figure" if of == 1 else f"{count:,} of {of:,} figures"


def _learning(waiting: Sequence[NightGate], of: int) -> str:
    """How many nights more it takes until figures are judged."""
    missing = [gate.nights_needed - gate.nights for gate in waiting]
    least, most = min(missing), max(missing)
    nights = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return (
        f"Still learning: {_part(len(waiting), of)} "
        f"{'is' if len(waiting) == 1 else 'are'} judged after {nights} more "
        f"{'night' if most == 1 else 'nights'}."
    )


def _done(steps: Sequence[NightStep]) -> int:
    ended = (*_SOUND, ExitCode.INVALID)
    return sum(bool(step.runs) and step.exit_code in ended for step in steps)


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
