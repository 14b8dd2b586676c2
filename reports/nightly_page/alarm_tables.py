"""Alarms of a night and those that were cleared, and the savings that its tunings found."""

from __future__ import annotations

from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, megabytes, percent, percent_range
from reports.history.record import AlarmRecord
from reports.nightly.document import NightlyDocument
from reports.nightly_page.gate_tables import p_cell, value_cell
from reports.nightly_page.night_words import worst_first
from reports.trends.trend_words import change_with_interval, commit_words

_HELP = (
    "Before is the typical value of the nights up to then. p is one-sided and adjusted for all "
    "figures of the night. Alarm is what `reports history accept` and `mute` call it."
)


def alarms_table(document: NightlyDocument) -> Table | None:
    """Each alarm: its figures, since when, how it was confirmed, and its name for `accept`."""
    if not document.alarms:
        return None
    columns = [
        Column("Figure", is_text=True),
        Column("State", is_text=True),
        Column("Before"),
        Column("Tonight"),
        Column("Change", "95 % interval"),
        Column("p", "adjusted"),
        Column("Since", "nights"),
        Column("Commits", is_text=True),
        Column("Alarm"),  # no text: it is copied, and must not be broken
    ]
    rows = [
        TableRow(
            [
                str(one.series),
                f"{one.state}: {one.confirmed_by}" if one.confirmed_by else one.state,
                value_cell(one.baseline_value, one.unit),
                value_cell(one.value, one.unit),
                change_with_interval(one.change_share, one.change_interval, one.unit),
                p_cell(one.p_value),
                f"{one.since_night} ({_nights(one, document)})",
                commit_words(one.commits) or ABSENT,
                one.alarm_id,
            ],
        )
        for one in worst_first(document.alarms)
    ]
    return Table("Alarms", columns, rows, help=_HELP)


def _nights(alarm: AlarmRecord, document: NightlyDocument) -> int:
    return max(1, document.sequence - alarm.since_sequence + 1)


def cleared_table(document: NightlyDocument) -> Table | None:
    """Suspects that were not confirmed: those that come again and again are near their limit."""
    if not document.cleared:
        return None
    columns = [
        Column("Figure", is_text=True),
        Column("Suspected", is_text=True),
        Column("Change", "95 % interval"),
        Column("Floor"),
        Column("Why", is_text=True),
    ]
    rows = [
        TableRow(
            [
                str(one.series),
                one.since_night,
                change_with_interval(one.change_share, one.change_interval, one.unit),
                percent(one.floor_share),
                one.confirmed_by or "not seen again",
            ]
        )
        for one in sorted(document.cleared, key=lambda one: -one.since_sequence)
    ]
    return Table("Suspected and cleared", columns, rows)


def savings_table(document: NightlyDocument) -> Table | None:
    """What tunings would save, surely enough to say so."""
    if not document.savings:
        return None
    columns = [
        Column("Function", is_text=True),
        Column("Step", is_text=True),
        Column("Now"),
        Column("Better"),
        Column("Saves", "with its interval"),
    ]
    rows = [
        TableRow(
            [
                one.function,
                one.step,
                megabytes(one.from_mb),
                megabytes(one.to_mb),
                f"{percent(one.saving_share)} ({percent_range(*one.saving_interval)})",
            ],
            "taken",
        )
        for one in sorted(document.savings, key=lambda one: -one.saving_share)
    ]
    return Table("Savings found", columns, rows)
