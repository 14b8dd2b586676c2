"""A night's answer on a terminal: the verdict, what failed with figures, and the next command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from textwrap import wrap

from core.text import one_line
from reports.figures import SPACE, megabytes, percent, percent_range
from reports.nightly.document import NightlyDocument, SavingFound
from reports.nightly_page import night_words
from reports.nightly_page.night_steps import totals
from reports.trends.sparkline import sparkline

_MOST_ALARMS = 8
_MOST_REASONS = 4
_SPARKS = 60
_MARKS = {"confirmed": "!", "suspect": "?", "muted": "-", "accepted": "=", "cleared": "+"}


def night_lines(document: NightlyDocument, width: int = 80) -> list[str]:
    """Lines of at most `width` columns, but for commands, which stay whole."""
    lines: list[str] = []
    for text, indent, is_command in _told(document):
        if is_command:
            lines.append(f"{' ' * indent}{one_line(text)}")
            continue
        plain = one_line(text.replace(SPACE, " "))
        lines += wrap(
            plain,
            max(width, 20),
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + 2),
            break_on_hyphens=False,
        )
    return lines


def _told(document: NightlyDocument) -> Iterator[tuple[str, int, bool]]:
    """Texts with how far they stand in, and whether they are to be copied."""
    name = night_words.night_name(document)
    verdict = night_words.verdict_word(document)
    yield f"{name}: {verdict}, exit code {document.exit_code}", 0, False
    yield night_words.headline(document), 0, False
    yield night_words.validity_line(document), 0, False
    for sentence in [*_alarms(document), *_budgets(document), *_invalid(document)]:
        yield sentence, 2, False
    for sentence in _unjudged(document):
        yield sentence, 2, False
    for sentence in _steps(document):
        yield sentence, 2, False
    yield totals(document), 0, False
    for saving in document.savings:
        yield _saving(saving), 0, False
    for problem in (*document.errors, *document.history_problems):
        yield f"problem: {problem}", 0, False
    for sentence, command in night_words.next_steps(document):
        yield f"Next: {sentence}", 0, False
        if command:
            yield command, 2, True


def _saving(saving: SavingFound) -> str:
    sizes = f"{megabytes(saving.to_mb)} instead of {megabytes(saving.from_mb)}"
    share = f"{percent(saving.saving_share)} ({percent_range(*saving.saving_interval)})"
    return f"{saving.function}: {sizes} saves {share}"


def _alarms(document: NightlyDocument) -> Iterator[str]:
    trends = {str(trend.series): trend for trend in document.trends}
    told = night_words.worst_first(document.alarms)
    for alarm in told[:_MOST_ALARMS]:
        more = night_words.is_told(alarm, document.headline)
        said = night_words.more_of if more else night_words.alarm_sentence
        yield f"{_MARKS[alarm.state]} {said(alarm, document.night)}"
        trend = trends.get(str(alarm.series))
        if trend is not None and len(trend.points) > 1:
            yield f"  {sparkline(trend, _SPARKS)}"
    if len(told) > _MOST_ALARMS:
        yield f"and {len(told) - _MOST_ALARMS} more alarms, in the report"


def _budgets(document: NightlyDocument) -> Iterator[str]:
    broken = [one for one in document.gates if one.kind == "budget" and one.status == "failed"]
    for gate in broken[:_MOST_ALARMS]:
        yield f"! {night_words.budget_sentence(gate)}"
    if len(broken) > _MOST_ALARMS:
        yield f"and {len(broken) - _MOST_ALARMS} more budgets that failed, in the report"


def _invalid(document: NightlyDocument) -> Iterator[str]:
    for gate in night_words.invalid_gates(document):
        yield f"! {gate.step} is not valid: {gate.message}"


def _unjudged(document: NightlyDocument) -> Iterator[str]:
    """Gates that say nothing, by reason: a new plan has many of one."""
    reasons = Counter(
        gate.message
        for gate in document.gates
        if gate.status == "inconclusive" and gate.kind != "validity"
    )
    for reason, count in reasons.most_common(_MOST_REASONS):
        yield f"~ {count} {'gate' if count == 1 else 'gates'} not judged: {reason}"
    rest = sum(reasons.values()) - sum(n for _, n in reasons.most_common(_MOST_REASONS))
    if rest:
        yield f"~ {rest} more not judged, for other reasons"


def _steps(document: NightlyDocument) -> Iterator[str]:
    """Steps that did not simply pass."""
    for step in document.steps:
        if step.verdict == "pass":
            continue
        reasons = "; ".join(step.errors)
        yield f"{step.name}: {step.verdict}{f': {reasons}' if reasons else ''}"
