"""A tuning as a pandas table: one row for each memory size, units in the column names."""

from __future__ import annotations

import pandas as pd

from reports.document import Interval, SizeResult, TuneDocument
from reports.tune_findings import remark


def frame_of(document: TuneDocument) -> pd.DataFrame:
    """The sizes by ascending memory; what was not measured is empty, and counts stay integers."""
    ordered = sorted(document.sizes, key=lambda size: size.memory_mb)
    rows = [_row(size, document) for size in ordered]
    frame = pd.DataFrame(rows, columns=list(_row(_NOTHING, document)))
    return frame.astype({"max_memory_used_mb": "Int64"})


def _row(size: SizeResult, document: TuneDocument) -> dict[str, object]:
    duration_low, duration_high = _ends(size.duration_interval_ms)
    cost_low, cost_high = _ends(size.cost_interval)
    return {
        "function": document.function.name,
        "memory_mb": size.memory_mb,
        "vcpu_share": size.vcpu_share,
        "n": size.n,
        "n_cold": size.n_cold,
        "n_failed": size.n_failed,
        "duration_p50_ms": size.duration_ms.p50 if size.duration_ms else None,
        "duration_p95_ms": size.duration_ms.p95 if size.duration_ms else None,
        "duration_typical_ms": size.duration_typical_ms,
        "duration_low_ms": duration_low,
        "duration_high_ms": duration_high,
        "cold_p50_ms": size.cold_p50_ms,
        "init_p50_ms": size.init_p50_ms,
        "billed_typical_ms": size.billed_typical_ms,
        "cost_usd_per_million": size.cost_usd_per_million,
        "cost_low_usd_per_million": cost_low,
        "cost_high_usd_per_million": cost_high,
        "max_memory_used_mb": size.max_memory_used_mb,
        "remark": ", ".join(remark(size, document)),
    }


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else interval


# Names the columns of a table that has no row.
_NOTHING = SizeResult(
    memory_mb=0,
    vcpu_share=0,
    n=0,
    n_cold=0,
    n_failed=0,
    duration_ms=None,
    duration_typical_ms=None,
    duration_interval_ms=None,
    cold_p50_ms=None,
    init_p50_ms=None,
    billed_typical_ms=None,
    cost_usd_per_million=None,
    cost_interval=None,
    max_memory_used_mb=None,
    failure=None,
)
