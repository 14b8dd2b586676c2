"""The rates that a search tried, as a table."""

from __future__ import annotations

from reports.blocks import Column, Table, TableRow, Tile
from reports.figures import ABSENT, closed, column, percent, rate, seconds, significant
from reports.load_search import SearchPart
from reports.search_words import rates_words, verdict_words

_CSS = {"breaks": "failed", "unusable": "failed"}


def search_table(search: SearchPart) -> Table:
    """A row for each rate that was held, in the order of time."""
    steps = search.steps
    columns = [
        Column("Rate", f"{search.unit}/s"),
        Column("From", "s"),
        Column("For", "s"),
        Column("SLO", is_text=True),
        Column("ok p50", "ms"),
        Column("ok p95", "ms"),
        Column("ok p99", "ms"),
        Column("Throttled"),
        Column("Failed"),
        Column("Ok", f"{search.unit}/s"),
        Column("Why", is_text=True),
    ]
    rates, from_s = column([step.rate_rps for step in steps], 4), [step.from_s for step in steps]
    times = [
        column([getattr(step, name) for step in steps]) for name in ("p50_ms", "p95_ms", "p99_ms")
    ]
    goodput = column([step.goodput_rps for step in steps], 4)
    rows = [
        TableRow(
            [
                rates[index] or ABSENT,
                f"{from_s[index]:,.0f}",
                f"{step.length_s:,.0f}",
                verdict_words(step),
                *(cells[index] or ABSENT for cells in times),
                _share(step.throttled_share),
                _share(step.failed_share),
                goodput[index] or ABSENT,
                step.reason,
            ]
        )
        for index, step in enumerate(steps)
    ]
    return Table(
        "Rates that were tried",
        columns,
        rows,
        help=(
            f"A rate is held for {seconds(search.step_s)}, and for longer where nothing can be "
            "said yet. The first quarter of each segment is left out. Times are response times of "
            "ok requests. On the way up, a rate that looks as if it held is left undecided."
        ),
        notes=[closed(f"SLO: {', '.join([*search.slo, *search.assumed])}")],
    )


def search_tiles(search: SearchPart) -> list[Tile]:
    """The key figures: the answer, its interval, the knee, what it took."""
    knee = search.knee
    interval = ""
    if knee.low_rps is not None and knee.high_rps is not None:
        interval = f"{significant(knee.low_rps)} to {significant(knee.high_rps)}"
    limit = ", ".join(search.slo[:1]) + (", ..." if len(search.slo) > 1 else "")
    return [
        Tile("Highest rate", None, _per_second(search.rate_rps), limit),
        Tile("Holds at", None, _per_second(search.low_rps)),
        Tile("Breaks at", None, _per_second(search.high_rps)),
        Tile("Knee", None, _per_second(knee.rate_rps), interval),
        Tile("Sent", None, f"{search.requests:,}", f"requests at {rates_words(search)}"),
    ]


def _per_second(rate_rps: float | None) -> str:
    return ABSENT if rate_rps is None else rate(rate_rps)


def _share(share: float | None) -> str:
    return ABSENT if share is None else percent(share)
