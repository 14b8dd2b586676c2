"""A preflight on a terminal, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.console import Console
from loadgen.cost import CostRange
from loadgen.plan_view import cost_words
from reports.blocks import Column, TableRow
from reports.blocks import Table as TextTable
from reports.figures import closed
from reports.load_prediction import LoadPrediction
from reports.prediction_comparison import comparison_tables
from reports.prediction_tables import prediction_tables
from reports.preflight_document import PreflightDocument
from reports.preflight_tables import checks_table, limits_table, summary

_NAME_WIDTH = 16
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
        if table.help:
            console.show(closed(table.help))


def _rich(table: TextTable) -> Table:
    shown = Table(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
        title=table.title, title_justify="left", title_style="bold",
    )  # fmt: skip
    for number, column in enumerate(table.columns):
        # Names are not broken where there is room elsewhere.
        longest = max((len(row.cells[number]) for row in table.rows), default=0)
        _add(shown, column, min_width=min(longest, _NAME_WIDTH) if number == 0 else None)
    for row in table.rows:
        shown.add_row(*row.cells, style=_style(row))
    return shown


def _add(table: Table, column: Column, *, min_width: int | None) -> None:
    if column.is_text:
        table.add_column(column.title, overflow="fold", min_width=min_width)
    else:
        table.add_column(
            column.title.replace(", ", " ").replace(" ", "\n"), justify="right", overflow="fold"
        )


def _style(row: TableRow) -> str:
    return "bold" if row.css == "failed" else ""
