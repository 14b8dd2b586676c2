"""A tuning as a pandas table, units in the column names; `part` says what a row is about.

`size` is a size that was invoked, `candidate` one that an adaptive run weighed by its curve alone,
`arch` a size in the comparison of architectures, `always_on` a machine that could do the work.
All tunings have the same columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from reports.document import (
    AlwaysOn,
    ArchSize,
    ColdSize,
    CurvePoint,
    Interval,
    MonthlySize,
    SizeResult,
    TuneDocument,
)
from reports.tune_findings import remark
from reports.tune_monthly import bill_at
from reports.tune_sizes import is_adaptive, standing

_COUNTS = ("memory_mb", "n", "n_cold", "n_failed", "max_memory_used_mb", "slo_n", "count")
_COLUMNS = (
    "part", "function", "arch", "memory_mb", "vcpu_share", "n", "n_cold", "n_failed",
    "duration_p50_ms", "duration_p95_ms", "duration_typical_ms", "duration_low_ms",
    "duration_high_ms", "cold_p50_ms", "init_p50_ms", "billed_typical_ms",
    "cold_billed_typical_ms", "cost_usd_per_million", "cost_low_usd_per_million",
    "cost_high_usd_per_million", "max_memory_used_mb", "slo_n", "slo_quantile_ms", "slo_lower_ms",
    "slo_upper_ms", "slo_verdict", "mix_mean_ms", "mix_cost_usd_per_million",
    "mix_cost_low_usd_per_million", "mix_cost_high_usd_per_million", "month_usd",
    "month_low_usd", "month_high_usd", "month_saving_usd", "month_saving_low_usd",
    "month_saving_high_usd", "machine", "count", "equal_at_requests_per_month", "remark",
)  # fmt: skip

_Row = dict[str, object]


def frame_of(document: TuneDocument) -> pd.DataFrame:
    """The rows of a document; what was not measured is empty, and counts stay integers."""
    return frame_of_all([document])


def frame_of_all(documents: Sequence[TuneDocument]) -> pd.DataFrame:
    """The rows of several documents, one after the other."""
    rows = [row for document in documents for row in _rows(document)]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return frame.astype(dict.fromkeys(_COUNTS, "Int64"))


def _rows(document: TuneDocument) -> Iterator[_Row]:
    measured = {size.memory_mb for size in document.sizes}
    for size in sorted(document.sizes, key=lambda size: size.memory_mb):
        yield _size_row(size, document)
    points = document.model.curve if document.model and is_adaptive(document) else []
    for point in sorted(points, key=lambda point: point.memory_mb):
        if round(point.memory_mb) not in measured:
            yield _candidate_row(point, document)
    for compared in document.arch.sizes if document.arch else []:
        yield _arch_row(compared, document)
    for machine in document.monthly.always_on if document.monthly else []:
        yield _machine_row(machine, document)


def _size_row(size: SizeResult, document: TuneDocument) -> _Row:
    slo = size.slo
    return {
        **_place("size", document, size.memory_mb),
        "vcpu_share": size.vcpu_share,
        "n": size.n,
        "n_cold": size.n_cold,
        "n_failed": size.n_failed,
        "duration_p50_ms": size.duration_ms.p50 if size.duration_ms else None,
        "duration_p95_ms": size.duration_ms.p95 if size.duration_ms else None,
        "duration_typical_ms": size.duration_typical_ms,
        **_ends("duration_{}_ms", size.duration_interval_ms),
        "cold_p50_ms": size.cold_p50_ms,
        "init_p50_ms": size.init_p50_ms,
        "billed_typical_ms": size.billed_typical_ms,
        "cold_billed_typical_ms": size.cold_billed_typical_ms,
        "cost_usd_per_million": size.cost_usd_per_million,
        **_ends("cost_{}_usd_per_million", size.cost_interval),
        "max_memory_used_mb": size.max_memory_used_mb,
        "slo_n": slo.n if slo else None,
        "slo_quantile_ms": slo.quantile_ms if slo else None,
        "slo_lower_ms": slo.lower_ms if slo else None,
        "slo_upper_ms": slo.upper_ms if slo else None,
        "slo_verdict": slo.verdict if slo else None,
        "remark": ", ".join(remark(size, document)),
    }


def _candidate_row(point: CurvePoint, document: TuneDocument) -> _Row:
    memory_mb = round(point.memory_mb)
    return {
        **_place("candidate", document, memory_mb),
        "n": 0,
        "duration_typical_ms": point.duration_ms,
        **_ends("duration_{}_ms", point.duration_band_ms),
        "cost_usd_per_million": point.cost_usd_per_million,
        **_ends("cost_{}_usd_per_million", point.cost_band_usd_per_million),
        "remark": ", ".join([*standing(document, memory_mb), "estimated"]),
    }


def _arch_row(size: ArchSize, document: TuneDocument) -> _Row:
    functions = document.arch.functions if document.arch else {}
    return {
        "part": "arch",
        "function": functions.get(size.arch, document.function.name),
        "arch": size.arch,
        "memory_mb": size.memory_mb,
        "n": size.n,
        "duration_typical_ms": size.duration_ms,
        **_ends("duration_{}_ms", size.duration_interval_ms),
        "cost_usd_per_million": size.cost_usd_per_million,
        **_ends("cost_{}_usd_per_million", size.cost_interval),
        "remark": "Pareto front" if size.pareto else "",
    }


def _machine_row(machine: AlwaysOn, document: TuneDocument) -> _Row:
    return {
        "part": "always_on",
        "function": document.function.name,
        "month_usd": machine.usd,
        "machine": machine.name,
        "count": machine.count,
        "equal_at_requests_per_month": machine.equal_at_requests_per_month,
        "remark": "",
    }


def _place(part: str, document: TuneDocument, memory_mb: int) -> _Row:
    """What a row is about, and what the mix and the month say of its size."""
    cold = document.cold.sizes if document.cold else []
    return {
        "part": part,
        "function": document.function.name,
        "arch": document.function.arch,
        "memory_mb": memory_mb,
        **_mix(next((size for size in cold if size.memory_mb == memory_mb), None)),
        **_month(bill_at(document, memory_mb)),
    }


def _mix(size: ColdSize | None) -> _Row:
    if size is None:
        return {}
    return {
        "mix_mean_ms": size.mean_ms,
        "mix_cost_usd_per_million": size.cost_usd_per_million,
        **_ends("mix_cost_{}_usd_per_million", size.cost_interval),
    }


def _month(bill: MonthlySize | None) -> _Row:
    if bill is None:
        return {}
    return {
        "month_usd": bill.usd,
        **_ends("month_{}_usd", bill.interval_usd),
        "month_saving_usd": bill.saving_usd,
        **_ends("month_saving_{}_usd", bill.saving_interval_usd),
    }


def _ends(column: str, interval: Interval | None) -> _Row:
    low, high = (None, None) if interval is None else interval
    return {column.format("low"): low, column.format("high"): high}
