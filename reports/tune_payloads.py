"""What each payload of a mix took and cost, as a table."""

from __future__ import annotations

from reports.blocks import Column, Table, TableRow
from reports.document import TuneDocument
from reports.figures import ABSENT, columns_alike, megabytes

_HELP = (
    "The answer is for the mix: means over the payloads by their weight, each of which is taken to "
    "change durations by the same factor at all sizes. The best size is by a payload's own calls, "
    "of the sizes with two or more of them; with few calls it differs by chance."
)
# Beyond that a table is no overview: those with the most weight are shown.
_MOST_ROWS = 20


def payloads_table(document: TuneDocument) -> Table | None:
    """One row for each payload; None where all calls had the same."""
    if not document.payloads:
        return None
    total = sum(payload.weight for payload in document.payloads)
    ranked = sorted(document.payloads, key=lambda payload: -payload.weight)[:_MOST_ROWS]
    shown = [payload for payload in document.payloads if payload in ranked]
    shares, factors, durations, costs = (
        columns_alike([column], digits)[0]
        for column, digits in (
            # What people write as weights seldom has more digits.
            ([100 * payload.weight / total for payload in shown], 2),
            ([payload.factor for payload in shown], 3),
            ([payload.duration_p50_ms for payload in shown], 3),
            ([payload.cost_usd_per_million for payload in shown], 3),
        )
    )
    rows = [
        TableRow(
            [
                payload.name,
                share,
                f"{payload.n:,}",
                factor,
                duration,
                cost,
                ABSENT if payload.best_mb is None else f"{payload.best_mb:,}",
            ]
        )
        for payload, share, factor, duration, cost in zip(
            shown, shares, factors, durations, costs, strict=True
        )
    ]
    columns = [
        Column("Payload", is_text=True),
        Column("Weight", "%"),
        Column("n", "warm"),
        Column("Factor", "of the mix"),
        Column("p50", "ms"),
        Column("Cost", "$ / million"),
        Column("Own best", "MB"),
    ]
    return Table("By payload", columns, rows, _HELP, _lead(document, len(shown)))


def _lead(document: TuneDocument, shown: int) -> str:
    taken = document.recommendation
    count = len(document.payloads)
    which = f" The {shown} with the most weight are shown." if shown < count else ""
    where = "" if taken is None else f" p50 and cost are at {megabytes(taken.memory_mb)}."
    return f"{count:,} payloads.{where}{which}"
