"""A preflight on a terminal, within 80 columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.console import JustifyMethod
from rich.table import Table

from core.console import Console
from loadgen.cost import CostRange
from loadgen.plan_view import cost_words
from reports.blocks import Table as TextTable
from reports.blocks import TableRow
from reports.load_prediction import LoadPrediction
from reports.prediction_comparison import comparison_tables
from reports.prediction_tables import prediction_tables
from reports.preflight_document import PreflightDocument
from reports.preflight_tables import checks_table, limits_table, summary

_NAME_WIDTH = 16
_WIDTH = 80
_GAP = 2  # between columns
_SENTENCE_END = re.compile(r"(?<=\.)\s(?=[A-Z])")
_LOUD = ("warning", "problem")


def show_preflight(console: Console, document: PreflightDocument) -> None:
    """Limits, what is predicted, what stands against it; when quiet only the last."""
    if console.verbosity >= 0:
        console.show(f"target: {document.target.url}")
        show_tables(console, [limits_table(document), *prediction_tables(document.prediction)])
        console.show("")
        for note in [*document.unknown, *document.prediction.notes]:
            console.show(f"note: {note}")
        cost = document.prediction.cost
        if cost is not None:
            console.show(f"cost: {cost_words(CostRange(cost.least_usd, cost.most_usd, ()))}")
    checks = [check for check in document.checks if console.verbosity >= 0 or check.state in _LOUD]
    show_tables(console, [checks_table(checks)])
    if checks:
        console.show("")
    console.show(summary(document))


def show_comparison(console: Console, prediction: LoadPrediction | None) -> None:
    """What was predicted of a run beside what it measured."""
    if prediction is not None and any(phase.found for phase in prediction.phases):
        show_tables(console, comparison_tables(prediction))


def show_tables(console: Console, tables: Iterable[TextTable | None]) -> None:
    """Tables of text cells, with what is said below them."""
    for table in tables:
        if table is None:
            continue
        console.show("")
        console.show(_rich(table))
        for text in (table.help, *table.notes):
            for sentence in _sentences(text):
                console.show(f"  {sentence}")


def _sentences(text: str) -> list[str]:
    """The sentences of a help text, each as a line of a terminal."""
    return [_uncapped(each.removesuffix(".")) for each in _SENTENCE_END.split(text) if each]


def _uncapped(text: str) -> str:
    """Without its capital, but for names: `As GetUsage had it` but `GetUsage had it`."""
    first = text.partition(" ")[0]
    return text if any(char.isupper() for char in first[1:]) else text[:1].lower() + text[1:]


def _rich(table: TextTable) -> Table:
    """The table as all of a run's are: its title is the heading of the first column."""
    shown = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    headings = _headings(table)
    for column, heading, width in zip(
        table.columns, headings, _widths(table, headings), strict=True
    ):
        justify: JustifyMethod = "left" if column.is_text else "right"
        shown.add_column(heading, justify=justify, overflow="fold", width=width)
    for row in table.rows:
        shown.add_row(*row.cells, style=_style(row))
    return shown


def _headings(table: TextTable) -> list[str]:
    found = []
    others = {column.title for column in table.columns[1:]}
    for number, column in enumerate(table.columns):
        heading = _uncapped(column.title)
        if number == 0 and table.title not in others:
            names = _longest(row.cells[0] for row in table.rows)
            heading = "\n".join(wrap(_uncapped(table.title), max(names, _NAME_WIDTH)))
        elif not column.is_text:
            heading = heading.replace(", ", " ").replace(" ", "\n")
        found.append(heading)
    return found


def _widths(table: TextTable, headings: Sequence[str]) -> list[int]:
    """Widths of columns that fit: texts are folded, and their words broken only if they must be."""
    widths, words = [], []
    for number, heading in enumerate(headings):
        cells = [*heading.split("\n"), *(row.cells[number] for row in table.rows)]
        widths.append(_longest(cells))
        words.append(_longest(word for cell in cells for word in cell.split(" ")))
    texts = [number for number, column in enumerate(table.columns) if column.is_text]
    for least in (words, [1] * len(words)):
        while sum(widths) + _GAP * (len(widths) - 1) > _WIDTH:
            wide = [number for number in texts if widths[number] > least[number]]
            if not wide:
                break
            widths[max(wide, key=lambda number: widths[number])] -= 1
    return widths


def _longest(texts: Iterable[str]) -> int:
    return max((len(text) for text in texts), default=0)


def _style(row: TableRow) -> str:
    return "bold" if row.css == "failed" else ""
