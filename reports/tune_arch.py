"""The same work on x86_64 and arm64: which is best, and one table of both."""

from __future__ import annotations

from reports.blocks import Column, Table, TableRow
from reports.document import ArchComparison, ArchSize, TuneDocument
from reports.figures import columns_alike, interval_cells, listed, megabytes
from reports.tune_saving import changes

_HELP = (
    "Both architectures in one table, by cost. On the Pareto front are the sizes that no other "
    "undercuts in cost and duration at once, by these figures."
)


def arch_sentence(document: TuneDocument) -> str:
    """Which architecture is best, or that they cannot be told apart; empty without a comparison."""
    found = document.arch
    if found is None:
        return ""
    other = other_arch(found)
    change = changes(
        found.cost_saving_share,
        found.cost_saving_interval,
        found.duration_saving_share,
        found.duration_saving_interval,
    )
    best = f"{found.best_arch} at {megabytes(found.best_mb)}"
    if found.separable:
        return f"Of both architectures {best} is best: against the best of {other} it {change}."
    return (
        f"The data do not tell {found.best_arch} and {other} apart: {best} {change} against the "
        f"best of {other}."
    )


def other_arch(found: ArchComparison) -> str:
    """The architecture that is not the best one."""
    return "arm64" if found.best_arch == "x86_64" else "x86_64"


def is_best(found: ArchComparison, size: ArchSize) -> bool:
    """Whether this is the best size of the best architecture."""
    return size.arch == found.best_arch and size.memory_mb == found.best_mb


def arch_table(document: TuneDocument) -> Table | None:
    """All sizes of both architectures, the cheapest first; None without a comparison."""
    found = document.arch
    if found is None or not found.sizes:
        return None
    sizes = sorted(found.sizes, key=lambda size: (size.cost_usd_per_million, size.duration_ms))
    times, fast, slow = columns_alike(
        [
            [size.duration_ms for size in sizes],
            [size.duration_interval_ms[0] for size in sizes],
            [size.duration_interval_ms[1] for size in sizes],
        ]
    )
    costs, low, high = columns_alike(
        [
            [size.cost_usd_per_million for size in sizes],
            [size.cost_interval[0] for size in sizes],
            [size.cost_interval[1] for size in sizes],
        ]
    )
    cells = zip(times, interval_cells(fast, slow), costs, interval_cells(low, high), strict=True)
    rows = [
        TableRow(
            [size.arch, f"{size.memory_mb:,}", f"{size.n:,}", *texts, _remark(found, size)],
            "taken" if is_best(found, size) else "" if size.pareto else "apart",
        )
        for size, texts in zip(sizes, cells, strict=True)
    ]
    columns = [
        Column("Architecture", is_text=True),
        Column("Memory", "MB"),
        Column("n", "warm"),
        Column("Duration", "ms"),
        Column("90 % interval", "ms"),
        Column("Cost", "$ / million"),
        Column("90 % interval", "$ / million"),
        Column("Remark", is_text=True),
    ]
    return Table("x86_64 and arm64", columns, rows, _HELP, _lead(document, found))


def _remark(found: ArchComparison, size: ArchSize) -> str:
    words = []
    if is_best(found, size):
        words.append("best" if found.separable else "best so far")
    if size.pareto:
        words.append("Pareto front")
    return ", ".join(words)


def _lead(document: TuneDocument, found: ArchComparison) -> str:
    """Which functions are compared, and by which calls where that is not the warm ones."""
    named = [f"{arch} is {name}" for arch, name in sorted(found.functions.items(), reverse=True)]
    functions = f"{listed(named)}." if named else ""
    if document.cold is None:
        return functions
    return f"{functions} Durations and costs are means over cold and warm calls.".strip()
