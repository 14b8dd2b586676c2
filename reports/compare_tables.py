"""The tables of a comparison, as text cells: one list of rows for terminal, page and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Column, Table, TableRow
from reports.compare_document import Change, CompareDocument, Difference, Role, SizeChange
from reports.figures import column, fixed

_COLUMNS = (
    Column("Memory", "MB"),
    Column("n"),
    Column("Before", "ms"),
    Column("After", "ms"),
    Column("Longer", "%"),
    Column("90 % interval", "%"),
    Column("Dearer", "%"),
    Column("90 % interval", "%"),
    Column("Remark", is_text=True),
)
_OPEN = "cannot be told"
# As in the table of a tuning.
_ROLES: dict[Role, str] = {"in use": "current", "recommended": "recommended"}


def sizes_table(document: CompareDocument) -> Table | None:
    """A row for each size that both runs measured; None where there is none."""
    if not document.sizes:
        return None
    before = column([size.before_ms for size in document.sizes])
    after = column([size.after_ms for size in document.sizes])
    roles = {size.memory_mb: [_ROLES[role] for role in size.roles] for size in document.judged}
    rows = [
        TableRow(
            [
                f"{size.memory_mb:,}",
                f"{size.n_before}, {size.n_after}",
                str(was),
                str(became),
                *_cells(size.duration),
                *_cells(size.cost),
                ", ".join([*_verdicts(size), *roles.get(size.memory_mb, [])]),
            ],
            css="taken" if size.memory_mb in roles else "",
        )
        for size, was, became in zip(document.sizes, before, after, strict=True)
    ]
    return Table(title="By memory size", columns=_COLUMNS, rows=rows, help=_HELP)


def differences_table(
    differences: Sequence[Difference], sides: tuple[str, str] = ("Before", "After")
) -> Table | None:
    """What else differs between two runs of any kind; None where nothing is known to."""
    if not differences:
        return None
    names = ("What", *sides, "What it means")
    rows = [
        TableRow([found.what, found.before, found.after, found.meaning]) for found in differences
    ]
    return Table(
        title="What differs besides", columns=[Column(n, is_text=True) for n in names], rows=rows
    )


_HELP = (
    "Typical warm durations, slow calls counting less. Changes are what is believed after all "
    "sizes were looked at: a size that moves alone may have met another host, so its change is "
    "less than its figures differ by, and its interval wide. Sizes in use and recommended are "
    "asked first; of the others, Holm's rule decides which are called changed."
)


def _cells(change: Change) -> tuple[str, str]:
    low, high = change.interval
    return _per_cent(change.ratio), f"{_per_cent(low)} to {_per_cent(high)}"


def _per_cent(ratio: float) -> str:
    """A ratio as per cents more, or less where negative: 10, or -1.2."""
    scaled = (ratio - 1) * 100
    return fixed(scaled, 0 if abs(scaled) >= 9.95 else 1)


def _verdicts(size: SizeChange) -> list[str]:
    found = list(dict.fromkeys((size.duration.verdict, size.cost.verdict)))
    told: list[str] = [verdict for verdict in found if verdict not in (_OPEN, "same")]
    return told or (["open"] if _OPEN in found else ["same"])
