"""A probe of limits as a pandas table, units in the column names; `part` says what a row is about.

`run` is what was found, `layer` a limit on the path beside it, `phase` what was sent, `bin` a piece
of time. All probes have the same columns.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from reports.limits_document import LimitsDocument, Quantity

_Row = dict[str, object]

_COUNTS = (
    "shards", "configured_burst", "sent", "admitted", "refused", "failed", "others_sent",
)  # fmt: skip
_COLUMNS = (
    "run", "part", "name", "layer", "kind", "verdict", "rate_rps", "rate_low_rps", "rate_high_rps",
    "burst", "burst_low", "burst_high", "calibrated", "shards", "other_share", "misfit",
    "configured_rate_rps", "configured_burst", "binds", "answer", "why", "purpose", "from_s",
    "to_s", "planned_rps", "sent", "admitted", "refused", "failed", "others_sent",
    "service_p95_ms", "model_admitted",
)  # fmt: skip


def frame_of(document: LimitsDocument) -> pd.DataFrame:
    """The finding, then the layers, phases and bins; what is not known is empty."""
    rows = [{"run": document.name, **row} for row in _rows(document)]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return frame.astype(dict.fromkeys(_COUNTS, "Int64"))


def _rows(document: LimitsDocument) -> Iterator[_Row]:
    yield _finding(document)
    for layer in document.comparisons:
        yield {
            "part": "layer",
            "name": layer.name,
            "layer": layer.layer,
            "configured_rate_rps": layer.rate_rps,
            "configured_burst": layer.burst,
            "binds": layer.binds,
            "answer": layer.answer,
            "why": layer.why,
        }
    for phase in document.phases:
        yield {
            "part": "phase",
            "name": phase.name,
            "purpose": phase.purpose,
            "from_s": phase.from_s,
            "to_s": phase.to_s,
            "planned_rps": phase.rate_rps,
            "sent": phase.sent,
            "admitted": phase.admitted,
            "refused": phase.refused,
            "failed": phase.failed,
            "others_sent": phase.others_sent,
            "service_p95_ms": phase.p95_ms,
        }
    for one in document.bins:
        yield {
            "part": "bin",
            "from_s": one.from_s,
            "to_s": one.to_s,
            "sent": one.sent,
            "admitted": one.admitted,
            "model_admitted": one.model,
        }


def _finding(document: LimitsDocument) -> _Row:
    found = document.finding
    return {
        "part": "run",
        "name": document.probed.scenario,
        "layer": document.binding.layer,
        "kind": found.kind,
        "verdict": document.verdict,
        **_quantity("rate{}_rps", found.rate_rps),
        **_quantity("burst{}", found.burst),
        "calibrated": found.rate_rps.calibrated if found.rate_rps else None,
        "shards": found.shards,
        "other_share": found.other_share,
        "misfit": found.misfit,
        "from_s": 0.0,
        "to_s": document.length_s,
        "sent": document.counts.sent,
        "admitted": document.counts.admitted,
        "refused": document.counts.refused,
    }


def _quantity(column: str, quantity: Quantity | None) -> _Row:
    if quantity is None:
        return {}
    return {
        column.format(""): quantity.value,
        column.format("_low"): quantity.low,
        column.format("_high"): quantity.high,
    }
