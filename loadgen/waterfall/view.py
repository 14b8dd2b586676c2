"""Where the time goes, and cold starts, on a terminal of 80 columns."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.console import Console
from reports.figures import SPACE, listed, percent
from reports.load_document import LoadDocument
from reports.load_waterfall import LABELS, PartName, TimeGroup, Waterfall
from reports.waterfall_tables import group_cells, shown_parts
from reports.waterfall_words import cold_sentences, source_words

_BAR_CELLS = 8
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


def show_times(console: Console, document: LoadDocument) -> None:
    """The block of the answer; nothing where only the client knows of times."""
    waterfall = document.waterfall
    if waterfall is not None and waterfall.source != "client":
        console.show("")
        console.show(_parts_table(waterfall))
        for line in [source_words(waterfall), _matching(waterfall)]:
            console.show(line)
        for note in waterfall.notes:
            console.show(f"note: {note}")
    if document.cold_starts is not None:
        console.show("")
        sentences = " ".join(cold_sentences(document.cold_starts))
        console.show(f"cold starts: {sentences}")


def _parts_table(waterfall: Waterfall) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("where the\ntime goes", overflow="fold")
    for title in ("median\nms", f"slowest\n1{SPACE}%, ms"):
        table.add_column(title, justify="right", no_wrap=True)
        table.add_column("\nshare", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True, min_width=_BAR_CELLS)
    groups = (waterfall.median, waterfall.slowest)
    names = shown_parts(groups)
    cells = [group_cells(group, names) for group in groups]
    bars = [[*_bars(group, names), "", ""] for group in groups]
    labels = [LABELS[name] for name in names] + ["residual", "response time"]
    for index, label in enumerate(labels):
        row = [cell for found, bar in zip(cells, bars, strict=True)
               for cell in (*found[index], bar[index])]  # fmt: skip
        table.add_row(label, *row, style="bold" if index == len(labels) - 1 else "")
    return table


def _bars(group: TimeGroup, names: list[PartName]) -> list[str]:
    shares = {part.part: part.share for part in group.parts}
    return [_bar(shares.get(name, 0.0)) for name in names]


def _bar(share: float) -> str:
    """A bar of blocks, as many as the share of the room."""
    eighths = round(min(share, 1.0) * _BAR_CELLS * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8]


def _matching(waterfall: Waterfall) -> str:
    """How many requests the groups have, how many lack log lines, and whose function ran on."""
    groups = (waterfall.median, waterfall.slowest)
    counts = f"{groups[0].requests:,} requests around the median, {groups[1].requests:,} slowest"
    shares = [group.unmatched_share for group in groups]
    known = [percent(share) for share in shares if share is not None]
    words = f"{counts}; unmatched: {listed(known)}." if known else f"{counts}."
    ran_on = sum(group.ran_on for group in groups)
    if ran_on:
        words += f" The function of {ran_on:,} worked beyond what the integration waited."
    return words
