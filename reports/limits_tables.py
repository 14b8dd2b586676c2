"""Tables of a probe of limits: layers, phases, guards."""

from __future__ import annotations

from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, milliseconds, significant
from reports.limits_document import LimitsDocument
from reports.limits_words import (
    KINDS,
    answer_words,
    configured_rate,
    layer_words,
    range_words,
)


def layers_table(document: LimitsDocument) -> Table | None:
    """What was measured, and under it what is configured, layer by layer."""
    measured, quota = _measured(document), _quota(document)
    if not document.comparisons and measured is None:
        return None
    rows = [
        TableRow(
            [
                one.name if one.rate_rps is not None else layer_words(one.layer),
                configured_rate(one),
                ABSENT if one.burst is None else f"{one.burst:,}",
                "yes" if one.binds else "no",
                answer_words(one),
            ],
            "apart" if not one.binds else "",
        )
        for one in document.comparisons
    ]
    known = document.finding.rate_rps
    interval = "with its 90 % interval" if known and known.calibrated else "as the data allow"
    return Table(
        "Configured and measured",
        [
            Column("Limit", is_text=True),
            Column("Rate", "requests/s"),
            Column("Burst", "requests"),
            Column("Binds", is_text=True),
            Column("What the probe says", is_text=True),
        ],
        [*([measured] if measured else []), *rows, *([quota] if quota else [])],
        help=(
            f"What was measured comes first, {interval}; then what is configured on the path. Only "
            "the limit that binds is measured; of the others the probe gives bounds."
        ),
    )


def _measured(document: LimitsDocument) -> TableRow | None:
    found = document.finding
    if found.rate_rps is None and found.burst is None:
        return None
    cells = [range_words(found.rate_rps), range_words(found.burst)]
    met = found.kind not in ("no_refusal", "unknown")
    return TableRow(["measured", *cells, ABSENT, KINDS[found.kind]], "taken" if met else "")


def _quota(document: LimitsDocument) -> TableRow | None:
    quota = document.account_quota
    if quota is None:
        return None
    burst = ABSENT if quota.burst is None else f"{quota.burst:,}"
    why = "the account's quota as Service Quotas has it: where GetAccount differs, that counts"
    return TableRow(
        ["Service Quotas", f"{quota.rate_rps:,.10g}", burst, ABSENT, why],
        "apart",
    )


def phases_table(document: LimitsDocument) -> Table | None:
    """What was sent in each phase, and what became of it."""
    if not document.phases:
        return None
    return Table(
        "Phases",
        [
            Column("Phase", is_text=True),
            Column("From", "s"),
            Column("Length", "s"),
            Column("Planned", "/s"),
            Column("Sent"),
            Column("Admitted"),
            Column("Refused"),
            Column("Failed"),
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
            Column("Guard", is_text=True),
            Column("Limit", is_text=True),
            Column("Reached", is_text=True),
        ],
        [TableRow([one.name, one.limit, one.reached]) for one in document.guards],
    )
