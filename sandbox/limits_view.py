"""The truth about limits, as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from core.console import Console


def show_limits(console: Console, document: Mapping[str, Any]) -> None:
    """Shows what the ledger's document says."""
    console.say(f"enforcement: {document['enforcement']['text']}")
    if document["throttles"]:
        console.show(_throttles(document["throttles"]))
    if document["quotas"]:
        console.show(_quotas(document["quotas"]))
    if not document["throttles"]:
        console.say("no limit has seen a request yet")


def _table(texts: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    """Figures stand below each other; what is too long for the terminal goes on in the next line.

    A limit is found again by its whole name only: nothing of it is left out.
    """
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _throttles(entries: list[Mapping[str, Any]]) -> Table:
    table = _table(("Level", "Limit of"), ("Rate/s", "Burst", "Tokens", "Admitted", "Refused"))
    for entry in entries:
        table.add_row(
            entry["level"],
            entry["id"],
            f"{entry['rate_rps']:,.10g}",
            f"{entry['burst']:,.10g}",
            f"{entry['tokens']:,.1f}",
            f"{entry['admitted']:,}",
            f"{entry['refused']:,}",
        )
    return table


def _quotas(entries: list[Mapping[str, Any]]) -> Table:
    table = _table(("Quota of", "Limit"), ("Used", "Remaining", "Admitted", "Refused"))
    for entry in entries:
        limited = entry["limit"] is not None
        table.add_row(
            entry["id"],
            f"{entry['limit']:,} a {entry['period'].lower()}" if limited else "none",
            f"{entry['used']:,}",
            f"{entry['remaining']:,}" if limited else "-",
            f"{entry['admitted']:,}",
            f"{entry['refused']:,}",
        )
    return table
