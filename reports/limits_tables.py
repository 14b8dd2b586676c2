"""Tables of a probe of limits: layers, phases, guards."""

from __future__ import annotations

from reports.blocks import Column, Table, TableRow
from reports.figures import milliseconds, significant
from reports.limits_document import LimitsDocument
from reports.limits_words import answer_words, configured_words, layer_words


def layers_table(document: LimitsDocument) -> Table | None:
    """Configured beside measured, layer by layer."""
    if not document.comparisons:
        return None
    return Table(
        "Configured and measured",
        [
            Column("limit", is_text=True),
            Column("configured", is_text=True),
            Column("binds", is_text=True),
            Column("what the probe says", is_text=True),
        ],
        [
            TableRow(
                [
                    one.name if one.rate_rps is not None else layer_words(one.layer),
                    configured_words(one),
                    "yes" if one.binds else "no",
                    answer_words(one),
                ]
            )
            for one in document.comparisons
        ],
        help="Only the limit that binds is measured; of the others the probe gives bounds.",
    )


def phases_table(document: LimitsDocument) -> Table | None:
    """What was sent in each phase, and what became of it."""
    if not document.phases:
        return None
    return Table(
        "Phases",
        [
            Column("phase", is_text=True),
            Column("from", "s"),
            Column("length", "s"),
            Column("planned", "1/s"),
            Column("sent"),
            Column("admitted"),
            Column("refused"),
            Column("failed"),
            Column("p95"),
        ],
        [
            TableRow(
                [
                    one.name,
                    f"{one.from_s:.1f}",
                    f"{one.to_s - one.from_s:.1f}",
                    significant(one.rate_rps),
                    f"{one.sent:,}",
                    f"{one.admitted:,}",
                    f"{one.refused:,}",
                    f"{one.failed:,}",
                    "-" if one.p95_ms is None else milliseconds(one.p95_ms),
                ]
            )
            for one in document.phases
        ],
        help="Of the probed scenario; p95 is the service time of what was ok.",
    )


def guards_table(document: LimitsDocument) -> Table:
    """What the probe must not exceed, and how near it came."""
    return Table(
        "Guards",
        [
            Column("guard", is_text=True),
            Column("limit", is_text=True),
            Column("reached", is_text=True),
        ],
        [TableRow([one.name, one.limit, one.reached]) for one in document.guards],
    )
