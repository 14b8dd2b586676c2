"""The thresholds of a load run as gates, with the figures behind each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.figures import fixed, significant
from reports.gate import Gate, Status
from reports.histogram import quantile_interval
from reports.load_document import (
    LoadDocument,
    LoadPercentiles,
    Slice,
    StepSlice,
    ThresholdResult,
)
from reports.load_histograms import LatencyBlock, ok_histograms

_GLUED = re.compile(r"(?<=\d)(ms|us|s|%)$")
_OF_OK = re.compile(r"p(\d+(?:\.\d+)?)\(ok_response\)")
_WHOLE = "the run"
_HELD: dict[bool | None, Status] = {True: "passed", False: "failed", None: "inconclusive"}


def threshold_gate(threshold: ThresholdResult, document: LoadDocument) -> Gate:
    """A threshold, whether it holds, and value, limit, interval and number of requests."""
    scope = threshold.scope or _WHOLE
    status = "invalid" if document.verdict == "invalid" else _HELD[threshold.ok]
    return Gate(scope, _spaced(threshold.that), status, _threshold_message(threshold, document))


def _spaced(that: str) -> str:
    """`p95(response) < 300ms` with a space before its unit."""
    return _GLUED.sub(r" \1", that)


def _threshold_message(threshold: ThresholdResult, document: LoadDocument) -> str:
    if threshold.value is None:
        return threshold.detail or "nothing was measured"
    measured, limit = _apart(threshold)
    parts = [f"measured {measured}", f"limit {limit}"]
    latencies = _latencies(threshold, document)
    if latencies is not None:
        parts += [*_interval_words(threshold, document), f"n = {latencies.n:,}"]
    elif threshold.unit in ("share", "rps"):
        part = _slice_of(threshold.scope, document)
        parts += [f"n = {part.requests.completed:,}"] if part is not None else []
    return "; ".join([", ".join(parts), *([threshold.detail] if threshold.detail else [])])


def _apart(threshold: ThresholdResult) -> tuple[str, str]:
    """Value and limit with as many digits as it takes to tell them apart."""
    value, limit = threshold.value or 0.0, threshold.limit
    digits = next((d for d in range(3, 9) if significant(value, d) != significant(limit, d)), 3)
    return _in_unit(value, threshold.unit, digits), _in_unit(limit, threshold.unit, digits)


def _in_unit(value: float, unit: str, digits: int) -> str:
    scaled = value * 100 if unit == "share" else value
    text = fixed(scaled, 0) if scaled == round(scaled) else significant(scaled, digits)
    return text + {"ms": " ms", "share": " %", "rps": "/s"}.get(unit, "")


def _latencies(threshold: ThresholdResult, document: LoadDocument) -> LoadPercentiles | None:
    """The latencies that a threshold is about, where its scope is a whole part of the run."""
    part = _slice_of(threshold.scope, document)
    subject = re.search(r"\((\w+)", threshold.that)
    if part is None or subject is None or threshold.unit != "ms":
        return None
    found: LoadPercentiles | None = getattr(part, f"{subject[1]}_ms", None)
    return found


def _interval_words(threshold: ThresholdResult, document: LoadDocument) -> list[str]:
    """The interval of a percentile of ok requests, or why there is none; empty for all else."""
    if not _blocks_of(threshold, document):
        return []
    interval = interval_of(threshold, document)
    if interval is None:
        return ["no interval: blocks of time are too few or differ too much"]
    low, high = (significant(bound) for bound in interval)
    return [f"95 % interval {low} to {high} ms"]


def interval_of(threshold: ThresholdResult, document: LoadDocument) -> tuple[float, float] | None:
    """The 95 % interval of a percentile of ok requests, in ms, by blocks of time."""
    asked, blocks = _OF_OK.match(threshold.that), _blocks_of(threshold, document)
    if asked is None or not blocks:
        return None
    return quantile_interval(ok_histograms(blocks), float(asked[1]) / 100)


def _blocks_of(threshold: ThresholdResult, document: LoadDocument) -> Sequence[LatencyBlock]:
    """Blocks of time are kept of ok requests alone, of the run and of its steps."""
    part = _slice_of(threshold.scope, document)
    if part is None or _OF_OK.match(threshold.that) is None:
        return ()
    if isinstance(part, StepSlice):
        return part.blocks
    return document.histograms.blocks if part is document and document.histograms else ()


def _slice_of(scope: str, document: LoadDocument) -> LoadDocument | Slice | None:
    if scope in ("", _WHOLE):
        return document
    steps: list[tuple[str, Slice]] = [(f"step {step.name}", step) for step in document.steps]
    phases = [(f"phase {phase.name}", phase) for phase in document.phases]
    return next((part for name, part in [*steps, *phases] if name == scope), None)
