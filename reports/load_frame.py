"""A load run as a pandas table: a row for the run, each step and each phase; units in the names."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reports.histogram import quantile_intervals
from reports.load_document import (
    CauseCount,
    LoadDocument,
    LoadPercentiles,
    PhaseSlice,
    Slice,
    StepSlice,
)
from reports.load_histograms import LatencyBlock, ok_histograms

# Columns stand also where a run has none of a cause, so that tables of runs fit together.
_CAUSES = (
    "account",
    "stage",
    "method",
    "usage_plan",
    "usage_plan_method",
    "quota",
    "lambda_concurrency",
    "throttle",
)
_COUNTS = ("offered", "sent", "completed", "cut", "dropped", "lost")
_SURE = {"p50": 0.5, "p95": 0.95, "p99": 0.99}  # with intervals
_PERCENTILES = ("p50", "p90", "p95", "p99", "p999", "max", "mean")


def frame_of(document: LoadDocument) -> pd.DataFrame:
    """One row for the run (measured phases), then the steps, then the phases."""
    run = _whole(document)
    parts: list[Slice] = [run, *document.steps, *document.phases]
    known = [] if document.histograms is None else document.histograms.blocks
    blocks = [known, *(step.blocks for step in document.steps), *([] for _ in document.phases)]
    return pd.DataFrame(
        [
            _row(part, document) | _intervals(of_part)
            for part, of_part in zip(parts, blocks, strict=True)
        ]
    )


def _whole(document: LoadDocument) -> Slice:
    fields = {name: getattr(document, name) for name in Slice.model_fields}
    return Slice(**fields)


def _row(part: Slice, document: LoadDocument) -> dict[str, object]:
    return {
        "run": document.name,
        **_place(part),
        **{name: getattr(part.requests, name) for name in _COUNTS},
        **part.outcomes.model_dump(),
        **_causes(part.throttled_by_cause),
        **part.rates.model_dump(),
        **_latency("response", part.response_ms),
        **_latency("service", part.service_ms),
        **_latency("ok_response", part.ok_response_ms),
        **_latency("first_byte", part.first_byte_ms),
        **_latency("connect", part.connect_ms),
        **_latency("tls", part.tls_ms),
        "bytes_in": part.bytes_in,
    }


def _place(part: Slice) -> dict[str, object]:
    step = part if isinstance(part, StepSlice) else None
    phase = part if isinstance(part, PhaseSlice) else None
    return {
        "part": "step" if step else "phase" if phase else "run",
        "name": part.name,
        "scenario": step.scenario if step else None,
        "method": step.method if step else None,
        "path": step.path if step else None,
        "measured": phase.measured if phase else None,
        "from_s": phase.from_s if phase else None,
        "to_s": phase.to_s if phase else None,
    }


def _causes(counts: Sequence[CauseCount]) -> dict[str, int]:
    found = {f"throttled_by_{cause}": 0 for cause in (*_CAUSES, "other")}
    for entry in counts:
        cause = entry.cause if entry.cause in _CAUSES else "other"
        found[f"throttled_by_{cause}"] += entry.count
    return found


def _intervals(blocks: Sequence[LatencyBlock]) -> dict[str, float | None]:
    """The 95 % intervals of ok response times; phases have no blocks of their own."""
    found = quantile_intervals(ok_histograms(blocks), list(_SURE.values()))
    row: dict[str, float | None] = {}
    for key, interval in zip(_SURE, found, strict=True):
        low_ms, high_ms = (None, None) if interval is None else interval
        row[f"ok_response_{key}_low_ms"], row[f"ok_response_{key}_high_ms"] = low_ms, high_ms
    return row


def _latency(name: str, found: LoadPercentiles | None) -> dict[str, float | None]:
    return {
        f"{name}_{key}_ms": None if found is None else getattr(found, key) for key in _PERCENTILES
    }
