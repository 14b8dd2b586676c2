"""Several tunings in one table, and what stands around it; the same on a terminal and a page."""

from __future__ import annotations

from reports.blocks import Column, Table, TableRow
from reports.document import TuneDocument
from reports.figures import ABSENT, fixed, usd
from reports.several_document import FunctionResult, SeveralDocument
from reports.tune_findings import asks_for_a_change, verdict_word
from reports.tune_plan import limits_words
from reports.tune_saving import saving_cell

_UNMEASURED_WORDS = {"error": "Error", "interrupted": "Interrupted", "not begun": "Not begun"}
_COLUMNS = (
    Column("Function", is_text=True),
    Column("From", "MB"),
    Column("To", "MB"),
    Column("Cost", is_text=True),
    Column("Verdict", is_text=True),
    Column("Calls"),
    Column("Spent"),
)


def several_title(document: SeveralDocument) -> str:
    """What the command was about."""
    count = len(document.functions)
    return f"Memory tuning of {count} function{'' if count == 1 else 's'}"


def summary_table(document: SeveralDocument) -> Table:
    """A row for each function, in the order in which they were tuned."""
    rows = [TableRow(_cells(result)) for result in document.functions]
    return Table(several_title(document), _COLUMNS, rows)


def unmeasured(document: SeveralDocument) -> list[tuple[str, str, str]]:
    """Name, verdict and reason of the functions without an answer, and of those left out."""
    found = [
        (result.name, result_word(result), result.reason or "")
        for result in document.functions
        if result.document is None
    ]
    return [*found, *((skipped.name, "Skipped", skipped.reason) for skipped in document.skipped)]


def together(document: SeveralDocument) -> str:
    """What all runs cost together, and the limits that they shared."""
    spent = document.spent
    calls = f"{spent.invocations:,} invocation{'' if spent.invocations == 1 else 's'}"
    unknown = spent.unmeasured_invocations
    text = f"together: {calls}, {spent.gb_seconds:.3g} GB-s, {usd(spent.usd)}" + (
        f" and the cost of {unknown} without a REPORT" if unknown else ""
    )
    limits = limits_words(document.budget) if document.budget is not None else ""
    return f"{text}; {limits} of all" if limits else text


def result_word(result: FunctionResult) -> str:
    """What became of a function, in a word or two."""
    if result.document is None:
        return _UNMEASURED_WORDS.get(result.verdict, result.verdict.capitalize())
    return verdict_word(result.document)


def _cells(result: FunctionResult) -> list[str]:
    document, spent = result.document, result.spent
    to_mb, cost = (ABSENT, ABSENT) if document is None else _answer(document)
    return [
        result.name,
        fixed(result.current_mb, 0),
        to_mb,
        cost,
        result_word(result),
        fixed(spent.invocations, 0),
        usd(spent.usd) if spent.invocations else ABSENT,
    ]


def _answer(document: TuneDocument) -> tuple[str, str]:
    """The size to set, and what it does to the cost."""
    taken, current_mb = document.recommendation, document.current.memory_mb
    if taken is None or document.verdict != "pass":
        return ABSENT, ABSENT
    if taken.memory_mb == current_mb or (
        taken.saving is not None and not asks_for_a_change(document, taken)
    ):
        return fixed(current_mb, 0), "stays"
    if taken.saving is None:
        return fixed(taken.memory_mb, 0), "not compared"
    saving = taken.saving
    return fixed(taken.memory_mb, 0), saving_cell(saving.cost_share, saving.cost_interval)
