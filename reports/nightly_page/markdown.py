"""A night as Markdown, short enough for the step summary of a CI job and for a pull request.

No drawings: services show neither inline SVG nor data URIs, so trends are rows of block characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.markdown import plain_line, short_table, table_lines
from reports.nightly.document import NightGate, NightlyDocument
from reports.nightly_page import alarm_tables, night_words
from reports.nightly_page.gate_tables import (
    change_cell,
    changed_gates,
    p_cell,
    value_cell,
)
from reports.nightly_page.night_steps import step_rows, totals
from reports.trends.sparkline import sparkline

_HEADINGS = (
    "Status",
    "Figure",
    "Step",
    "Last nights",
    "Tonight",
    "Baseline or limit",
    "Change",
    "p",
)
_TEXTS = (True, True, True, True, False, False, False, False)
# As many more are folded away; a plan of a thousand figures must not fill the summary.
_MOST_FOLDED = 200


def night_markdown(document: NightlyDocument, most_rows: int = 20) -> str:
    """Verdict, what to do next, at most `most_rows` rows of what changed, the rest folded away."""
    lines = [f"## {plain_line(night_words.night_name(document))}", ""]
    lines += [
        f"**{night_words.verdict_word(document)}.** {plain_line(night_words.headline(document))}",
        "",
        *(f"- {plain_line(one)}" for one in _said(document)),
        "",
    ]
    for sentence, command in night_words.next_steps(document):
        lines += [plain_line(sentence), ""]
        lines += _code(command) if command else []
    lines += _changed(document, most_rows)
    for table in (alarm_tables.savings_table(document), alarm_tables.cleared_table(document)):
        if table is not None:
            lines += [f"### {table.title}", "", *short_table(table)]
    lines += _steps(document)
    lines += _passed(document)
    return "\n".join(lines).rstrip() + "\n"


def _said(document: NightlyDocument) -> list[str]:
    problems = [f"History: {problem}" for problem in document.history_problems]
    return [
        night_words.validity_line(document),
        *night_words.support(document),
        *document.notes,
        *problems,
    ]


def _code(command: str) -> list[str]:
    """A command as a block that can be copied; one line, and no fence of its own."""
    line = " ".join(command.split())
    fence = "`" * max(3, _longest_run(line) + 1)
    return [fence, line, fence, ""]


def _longest_run(line: str) -> int:
    longest = run = 0
    for letter in line:
        run = run + 1 if letter == "`" else 0
        longest = max(longest, run)
    return longest


def _changed(document: NightlyDocument, most_rows: int) -> Iterator[str]:
    gates = changed_gates(document)
    if not gates:
        return
    learning = len(night_words.still_learn(document)) == len(gates)
    yield from ("### Not judged yet" if learning else "### What did not pass", "")
    yield from _table(document, gates[:most_rows])
    yield ""
    yield from _folded(document, gates[most_rows:], "more")


def _passed(document: NightlyDocument) -> Iterator[str]:
    gates = [gate for gate in document.gates if gate.status == "passed"]
    yield from _folded(document, gates, "passed")


def _folded(document: NightlyDocument, gates: Sequence[NightGate], word: str) -> Iterator[str]:
    if not gates:
        return
    noun = "gate" if len(gates) == 1 else "gates"
    summary = f"{len(gates)} more {noun}" if word == "more" else f"{len(gates)} {noun} passed"
    yield from (f"<details><summary>{summary}</summary>", "")
    yield from _table(document, gates[:_MOST_FOLDED])
    if len(gates) > _MOST_FOLDED:
        yield from ("", f"{len(gates) - _MOST_FOLDED:,} more are in the document.")
    yield from ("", "</details>", "")


def _table(document: NightlyDocument, gates: Sequence[NightGate]) -> list[str]:
    trends = {str(trend.series): trend for trend in document.trends}

    def row(gate: NightGate) -> list[str]:
        trend = trends.get(f"{gate.step} / {gate.scope} / {gate.metric}")
        return [
            _status(gate),
            f"{gate.scope}: {gate.text}",
            gate.step,
            "" if trend is None else sparkline(trend),
            value_cell(gate.value, gate.unit),
            value_cell(gate.limit if gate.kind == "budget" else gate.baseline, gate.unit),
            change_cell(gate),
            p_cell(gate.p_value),
        ]

    return table_lines(_HEADINGS, _TEXTS, [row(gate) for gate in gates])


def _status(gate: NightGate) -> str:
    """The status, and the reason of one that says nothing; of one that waits, how far it is."""
    if gate.status == "inconclusive" and gate.nights < gate.nights_needed:
        return f"{gate.nights} of {gate.nights_needed} nights"
    if gate.status in ("inconclusive", "invalid") and gate.message:
        return f"{gate.status}: {gate.message}"
    return gate.status


def _steps(document: NightlyDocument) -> list[str]:
    rows = [
        [step.name, step.kind, step.verdict, step.exit_code, " ".join(step.told)]
        for step in step_rows(document, None)
    ]
    lines = ["### Steps", "", plain_line(totals(document)), ""]
    if not rows:
        return lines
    names = ("Step", "Kind", "Verdict", "Exit code", "Answer")
    return [*lines, *table_lines(names, (True, True, True, False, True), rows), ""]
