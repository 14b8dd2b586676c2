"""What a night's page, summary and terminal answer say first: verdict, alarms, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import date

from core.errors import ExitCode
from reports.figures import SPACE, listed, percent
from reports.history.record import AlarmRecord, SeriesId
from reports.nightly.document import NightGate, NightlyDocument
from reports.trends.trend_words import (
    change_with_interval,
    commit_words,
    series_words,
    value_words,
)

_VERDICTS = {
    "pass": "Passed",
    "failed": "Failed",
    "inconclusive": "Inconclusive",
    "invalid": "Invalid measurement",
    "refused": "Stopped by a guard",
    "interrupted": "Interrupted",
    "error": "Error",
}
_STATES = {
    "confirmed": "is slower",
    "suspect": "may be slower",
    "muted": "is slower, and muted",
    "accepted": "changed, and that is accepted",
    "cleared": "was suspected, and is cleared",
}
# A step that came to its end has measured, whatever it measured.
_ENDED = (ExitCode.PASS, ExitCode.FAILED, ExitCode.INCONCLUSIVE, ExitCode.INVALID)
_MOST_ALARMS_TOLD = 3
_MOST_NAMED = 6


def night_name(document: NightlyDocument) -> str:
    """What a night is called: its plan and its date."""
    return f"{document.name}, night of {document.night}"


def ended(sentence: str) -> str:
    """A sentence with a stop; it may begin with the name of a figure or a file, as they are."""
    stripped = sentence.strip()
    return stripped if not stripped or stripped[-1] in ".!?" else f"{stripped}."


def verdict_word(document: NightlyDocument) -> str:
    """The verdict in a word or two; a pass with a suspect says so, and nights that still learn."""
    word = _VERDICTS[document.verdict]
    if document.verdict in ("pass", "inconclusive") and is_learning(document):
        return f"{word}, still learning"
    if document.verdict == "pass" and any(one.state == "suspect" for one in document.alarms):
        return f"{word}, with a suspect"
    return word


def still_learn(document: NightlyDocument) -> list[NightGate]:
    """Gates that only wait for more nights; those that wait longest come first."""
    found = [
        gate
        for gate in document.gates
        if gate.status == "inconclusive" and gate.nights < gate.nights_needed
    ]
    return sorted(found, key=lambda gate: gate.nights - gate.nights_needed)


def is_learning(document: NightlyDocument) -> bool:
    """Whether all that could not be judged only waits for more nights."""
    waiting = len(still_learn(document))
    open_gates = sum(gate.status == "inconclusive" for gate in document.gates)
    return 0 < waiting == open_gates


def tone(document: NightlyDocument) -> str:
    """The class that colours the verdict."""
    return {"refused": "none"}.get(document.verdict, document.verdict)


def headline(document: NightlyDocument) -> str:
    """The answer of the night in one sentence."""
    return ended(document.headline) or f"{_VERDICTS[document.verdict]}."


def validity_line(document: NightlyDocument) -> str:
    """Whether what was measured can be trusted, before any figure."""
    invalid = list(dict.fromkeys(gate.step for gate in invalid_gates(document)))
    if invalid:
        return f"Do not trust the figures of {listed(invalid)}: not measured validly."
    if not document.steps:
        return "Nothing was measured."
    without = [step.name for step in document.steps if not step.runs]
    if without:
        return f"{len(without)} of {_steps(len(document.steps))} made no run: {listed(without)}."
    cut = [step.name for step in document.steps if step.exit_code not in _ENDED]
    if cut:
        return f"{len(cut)} of {_steps(len(document.steps))} gave no result: {listed(cut)}."
    return f"{_all(len(document.steps))} measured validly."


def invalid_gates(document: NightlyDocument) -> list[NightGate]:
    """The gates that say of a step that it was not measured validly."""
    return [
        gate
        for gate in document.gates
        if gate.kind == "validity" and gate.status not in ("passed", "muted")
    ]


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _all(count: int) -> str:
    return {1: "The step was", 2: "Both steps were"}.get(count, f"All {count} steps were")


def alarm_sentence(alarm: AlarmRecord, night: str) -> str:
    """An alarm with its figures, its age, and the commits that it came with."""
    cost = alarm.unit != "ms"
    state = _STATES[alarm.state].replace("slower", "dearer") if cost else _STATES[alarm.state]
    change = change_with_interval(alarm.change_share, alarm.change_interval, alarm.unit)
    values = value_words(alarm.value, alarm.unit)
    if alarm.baseline_value is not None:
        values = f"{value_words(alarm.baseline_value, alarm.unit)} to {values}"
    parts = [f"{series_words(alarm.series)} {state}: {change}, {values}, {since(alarm, night)}"]
    return "; ".join([*parts, *_grounds(alarm)]) + "."


def _grounds(alarm: AlarmRecord) -> Iterator[str]:
    """How an alarm was confirmed, and the commits that it came with."""
    if by := alarm.confirmed_by:
        yield f"{'cleared' if alarm.state == 'cleared' else 'confirmed'}: {by}"
    if commits := commit_words(alarm.commits):
        yield f"commits {commits}"


def more_of(alarm: AlarmRecord, night: str) -> str:
    """What a headline with the size of an alarm leaves out."""
    before = alarm.baseline_value
    was = "" if before is None else f"{value_words(before, alarm.unit)} before"
    # The headline has the date: how long ago that is.
    ago = since(alarm, night).partition(" (")[2].removesuffix(")")
    said = [was, f"it began {ago}" if ago else "", *_grounds(alarm)]
    text = "; ".join(part for part in said if part)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def is_told(alarm: AlarmRecord, sentence: str) -> bool:
    """Whether a headline names the figure of an alarm and how much it changed."""
    plain = sentence.replace(SPACE, " ")
    names = (alarm.series.step, alarm.series.scope, alarm.series.metric)
    share = percent(abs(alarm.change_share)).replace(SPACE, " ")
    return share in plain and all(name in sentence for name in names)


def since(alarm: AlarmRecord, night: str) -> str:
    """Since when: new tonight, or since a date and for how many days."""
    if alarm.since_night == night:
        return "new tonight"
    try:
        days = (date.fromisoformat(night) - date.fromisoformat(alarm.since_night)).days
    except ValueError:
        return f"since {alarm.since_night}"
    return (
        f"since {alarm.since_night} ({days} days ago)" if days > 1 else f"since {alarm.since_night}"
    )


def worst_first(alarms: Sequence[AlarmRecord]) -> list[AlarmRecord]:
    """Confirmed ones first, then suspects, then the others; the largest change first."""
    order = ("confirmed", "suspect", "muted", "accepted", "cleared")
    return sorted(alarms, key=lambda one: (order.index(one.state), -one.change_share))


def support(document: NightlyDocument) -> list[str]:
    """What stands under the headline: errors, the worst alarms, failed budgets, money."""
    said = [ended(error) for error in document.errors]
    told = worst_first(document.alarms)
    said += [
        more_of(one, document.night)
        if is_told(one, document.headline)
        else alarm_sentence(one, document.night)
        for one in told[:_MOST_ALARMS_TOLD]
    ]
    more = len(told) - _MOST_ALARMS_TOLD
    if more > 0:
        said.append(f"{more} more {'alarm is' if more == 1 else 'alarms are'} in the table below.")
    broken = [one for one in document.gates if one.kind == "budget" and one.status == "failed"]
    said += [budget_sentence(gate) for gate in broken[:_MOST_ALARMS_TOLD]]
    said.append(f"The exit code is {document.exit_code}.")
    return [sentence for sentence in said if sentence]


def budget_sentence(gate: NightGate) -> str:
    """A budget that failed, with the figures."""
    figures = f": {gate.message}" if gate.message else ""
    return ended(f"Budget of {gate.scope} in {gate.step} failed, {gate.text}{figures}")


def accept_command(what: str, document: NightlyDocument) -> str:
    """The command that makes an alarm, or all alarms of a night, the new level."""
    plan = document.provenance.plan_file
    words = ["reports", "history", "accept", plan, what, "--reason", "WHY"]
    return shlex.join([*words, *_where(document)])


def _doctor_command(document: NightlyDocument) -> str:
    return shlex.join(["reports", "doctor", document.provenance.plan_file, *_where(document)])


def _where(document: NightlyDocument) -> list[str]:
    """The options that lead to the history that this night used."""
    run = document.provenance
    return ["--history", run.history, *(["--env", run.environment] if run.environment else [])]


def next_steps(document: NightlyDocument) -> Iterator[tuple[str, str]]:
    """What to do now, each with the command for it, or none."""
    # What goes on with a night must not begin it anew.
    again = shlex.join(word for word in document.provenance.command if word != "--fresh")
    confirmed = [one for one in worst_first(document.alarms) if one.state == "confirmed"]
    for alarm in confirmed[:1]:
        commits = commit_words(alarm.commits)
        look = f"Look at what changed between {commits.replace('..', ' and ')}. " if commits else ""
        # Most changes move several figures, which would fail the next night one by one.
        several = len(confirmed) > 1
        meant = "changes are meant, accept them" if several else "change is meant, accept it"
        what = document.night_id if several else alarm.alarm_id
        yield f"{look}If the {meant} as the new level:", accept_command(what, document)
    if document.verdict == "failed" and not confirmed:
        steps = [gate.step for gate in document.gates if gate.status == "failed"]
        where = f"the runs of {listed(list(dict.fromkeys(steps)))}" if steps else "the runs"
        plan = document.provenance.plan_file
        yield f"Look at {where}; a limit that is meant to be another is changed in {plan}.", ""
    if document.verdict == "interrupted":
        yield "Run it again; steps that have a result are not run twice:", again
    elif document.verdict in ("error", "refused"):
        yield "Look at what ended the steps, and run the night again:", again
    elif document.verdict == "invalid":
        yield "Mend what made the measurement invalid; the next night is judged without it.", ""
    elif document.verdict in ("pass", "inconclusive") and is_learning(document):
        yield (
            "Nothing to mend: it takes more nights. What each figure will find by then:",
            _doctor_command(document),
        )
    elif document.verdict == "inconclusive":
        yield (
            "What each figure can find, and how many nights it still needs:",
            _doctor_command(document),
        )
    elif not confirmed and any(one.state == "suspect" for one in document.alarms):
        yield "Nothing to do: the next night confirms or clears it.", ""


def against_last_night(document: NightlyDocument) -> list[str]:
    """What is new, what stays, and what is gone."""
    now = worst_first(document.alarms)
    cleared = [one for one in document.cleared if one.since_sequence >= document.sequence - 1]
    groups = (
        ("New", [one.series for one in now if one.since_night_id == document.night_id]),
        ("Still there", [one.series for one in now if one.since_night_id != document.night_id]),
        ("Cleared", [one.series for one in cleared]),
        ("As usual again, or accepted", _gone(document, [*now, *cleared])),
    )
    found = [f"{name}: {_named(group)}." for name, group in groups if group]
    if found:
        return found
    if all(len(trend.points) < 2 for trend in document.trends):
        return ["No night before this one is known here."]
    return ["Nothing new: no figure is suspected, and none was cleared."]


def _gone(document: NightlyDocument, told: Sequence[AlarmRecord]) -> list[SeriesId]:
    """Figures that the night before alarmed, and of which nothing is told tonight."""
    known = [alarm.series for alarm in told]
    return [
        trend.series
        for trend in document.trends
        if trend.series not in known
        and len(trend.points) > 1
        and trend.points[-1].sequence == document.sequence
        and trend.points[-2].status in ("suspect", "confirmed")
    ]


def _named(group: Sequence[SeriesId]) -> str:
    """Figures by name, as many as a reader takes in."""
    names = [series_words(one) for one in group[:_MOST_NAMED]]
    more = len(group) - len(names)
    return listed([*names, f"{more} more"] if more else names)
