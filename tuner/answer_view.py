"""The answer on a terminal: verdict, table by size, what else was asked, and bill; 80 columns."""

from __future__ import annotations

from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.console import Console
from reports import blocks
from reports.document import SizeResult, TuneDocument
from reports.figures import MINUS, decimals_for, megabytes, usd
from reports.tune_facts import unseen_error
from reports.tune_findings import cautions, headline, support, verdict_word
from reports.tune_parts import tables_of
from reports.tune_plan import budget_words
from reports.tune_sizes import is_adaptive, standing
from reports.tune_test import is_test_run
from reports.tune_ties import ties_sentence

# Words for the narrow last column.
_SHORT = {
    "recommended": "best",
    "best so far": "best",
    "current": "now",
    "Pareto front": "Pareto",
}


def show_document(console: Console, document: TuneDocument) -> None:
    """The whole answer: on stdout, or on stderr where stdout carries JSON."""
    console.show(f"{verdict_word(document)}: {headline(document)}")
    for sentence in (*support(document), ties_sentence(document)):
        if sentence:
            console.show(f"  {sentence}")
    is_told = is_test_run(document)
    if is_told or any(size.n or size.n_failed or size.failure for size in document.sizes):
        console.show(_table(document))
    for part in tables_of(document):
        show_part(console, part)
    for line in _footer(document):
        console.show(line)


def show_part(console: Console, part: blocks.Table) -> None:
    """A table under the answer, within 80 columns."""
    console.show(f"\n{part.title}: {part.lead}" if part.lead else f"\n{part.title}")
    console.show(drawn(part))
    for note in part.notes:
        console.show(f"note: {note}")


def drawn(part: blocks.Table) -> Table:
    """The rows of a table with their headings, within 80 columns."""
    table = _new_table()
    rows = [[_narrow(cell) for cell in row.cells] for row in part.rows]
    for index, column in enumerate(part.columns):
        widest = max((len(row[index]) for row in rows), default=0)
        table.add_column(
            _heading(column, widest),
            justify="left" if column.is_text else "right",
            no_wrap=not column.is_text,
            # A word that is cut says nothing: cells wrap, headings do not.
            min_width=max(len(line) for line in _heading(column, widest).splitlines()),
        )
    for row, cells in zip(part.rows, rows, strict=True):
        table.add_row(*cells, style="bold" if row.css == "taken" else "")
    return table


def _narrow(cell: str) -> str:
    """A cell without what 80 columns have no room for: 2.10-2.40, best."""
    words = [_SHORT.get(word, word) for word in cell.split(", ")]
    text = ", ".join(words)
    # A dash beside a minus sign would be read as another one.
    return text if MINUS in text else text.replace(" to ", "-")


def _heading(column: blocks.Column, widest: int) -> str:
    """Name and unit in lines that are hardly wider than the cells under them."""
    lines = [
        wrap(text, max(widest, 8), break_long_words=False) for text in (column.name, column.unit)
    ]
    return "\n".join([line for part in lines for line in part])


def _new_table() -> Table:
    return Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))


def _table(document: TuneDocument) -> Table:
    table = _new_table()
    headings = (
        "MB|vCPU|n|p50\nms|p95\nms|cold\nms|billed\nms|$ per\nmillion|90 %\ninterval|used\nMB"
    )
    for heading in headings.split("|"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    taken = document.recommendation
    for size in sorted(document.sizes, key=lambda item: item.memory_mb):
        best = taken is not None and size.memory_mb == taken.memory_mb
        table.add_row(*_cells(size), _remark(size, document), style="bold" if best else "")
    return table


def _cells(size: SizeResult) -> list[str]:
    interval = size.cost_interval
    return [
        str(size.memory_mb),
        f"{size.vcpu_share:.2f}",
        str(size.n),
        _short(size.duration_ms.p50 if size.duration_ms else None),
        _short(size.duration_ms.p95 if size.duration_ms else None),
        _short(size.cold_p50_ms),
        _short(size.billed_typical_ms),
        _short(size.cost_usd_per_million),
        f"{_short(interval[0])}-{_short(interval[1])}" if interval else "-",
        str(size.max_memory_used_mb) if size.max_memory_used_mb is not None else "-",
    ]


def _short(value: float | None) -> str:
    """Three significant digits, or all of the whole part: 2.06, 75.4, 1067."""
    if value is None:
        return "-"
    return f"{value:.{min(decimals_for(value), 4)}f}"


def _remark(size: SizeResult, document: TuneDocument) -> str:
    words = [_SHORT.get(word, word) for word in standing(document, size.memory_mb)]
    if size.failure is not None:
        words.append("failed")
    elif size.n_failed:
        words.append(f"{size.n_failed} failed")
    elif not size.n and not size.n_cold:
        words.append("not measured")
    elif is_test_run(document):
        words.append("answers")
    return ", ".join(words)


def _footer(document: TuneDocument) -> list[str]:
    lines = [
        f"{megabytes(size.memory_mb)} failed: {size.failure}"
        for size in document.sizes
        if size.failure is not None
    ]
    limits = budget_words(document.budget) if document.budget is not None else ""
    if limits:
        lines.append(f"budget: {limits}")
    model = document.model
    if model is not None:
        formula = "" if is_adaptive(document) else f", {model.formula}"
        lines.append(f"model: {model.family}{formula}")
        if model.loo_error is not None:
            lines[-1] += f", typically {unseen_error(model.loo_error)} off at unseen sizes"
    spent = document.spent
    unmeasured = spent.unmeasured_invocations
    lines.append(
        f"spent: {spent.invocations} invocation{'' if spent.invocations == 1 else 's'}, "
        f"{spent.gb_seconds:.3g} GB-s, {usd(spent.usd)} "
        + (f"and the cost of {unmeasured} without a REPORT " if unmeasured else "")
        + f"(prices of {document.prices.table_date})"
    )
    lines += [f"note: {note}" for note in [*cautions(document), *document.notes]]
    return lines
