"""The rates that a search tried, on a terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from reports.figures import percent, significant
from reports.load_search import SearchPart, SearchStep
from reports.search_words import verdict_words


def search_view(search: SearchPart) -> Table:
    """One row for each rate, in the order of time, within 80 columns."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"{search.unit}\n/s", justify="right", no_wrap=True)
    table.add_column("for\ns", justify="right", no_wrap=True)
    table.add_column("SLO", overflow="fold")
    for heading in ("ok\np50", "ok\np95", "ok\np99", "throttled", "failed", "ok\n/s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for step in search.steps:
        table.add_row(*_cells(step), style="bold" if step.verdict == "breaks" else "")
    return table


def _cells(step: SearchStep) -> list[str]:
    times = (step.p50_ms, step.p95_ms, step.p99_ms)
    return [
        significant(step.rate_rps, 4),
        f"{step.length_s:.0f}",
        verdict_words(step),
        *("-" if time is None else significant(time) for time in times),
        "-" if step.throttled_share is None else percent(step.throttled_share),
        "-" if step.failed_share is None else percent(step.failed_share),
        "-" if step.goodput_rps is None else significant(step.goodput_rps),
    ]
