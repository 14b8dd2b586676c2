"""Two load runs with known truths for comparisons: blocks of log-normal latencies by a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from reports.histogram import Histogram, decoded, encoded, merged, of_ms, quantile_ms
from reports.load_document import (
    LoadDocument,
    LoadPercentiles,
    Outcomes,
    Rates,
    Requests,
    StepSlice,
)
from reports.load_histograms import LatencyBlock, RunHistograms
from tests.reports import load_documents

SIGMA = 0.4  # of ln(latency), as that of many handlers


@dataclass(frozen=True)
class Told:
    """A step with a known truth: `ramp` is how many times slower its last block is than its first.

    `block_sd` and `alike` are noise that requests of one block share: ln(latency) of blocks is an
    AR(1) with this standard deviation and correlation.
    """

    name: str = "GET /products"
    median_ms: float = 50.0
    n: int = 400
    throttled: int = 0
    failed: int = 0
    ramp: float = 1.0
    block_sd: float = 0.0
    alike: float = 0.0


@dataclass(frozen=True)
class Truth:
    """A run of steps; `seed` gives the noise, so that two seeds are two runs of one truth."""

    seed: int
    steps: tuple[Told, ...] = (Told(),)
    blocks: int = 8
    block_s: float = 10.0
    changes: dict[str, Any] = field(default_factory=dict)


def block_levels(step: Told, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """What each block adds to ln(latency): the ramp, and noise that neighbours may share."""
    ramp = np.log(np.linspace(1.0, step.ramp, blocks))
    level, levels = rng.normal(0, step.block_sd), []
    for _ in range(blocks):
        levels.append(level)
        fresh = step.block_sd * math.sqrt(1 - step.alike**2)
        level = step.alike * level + rng.normal(0, fresh)
    return ramp + np.asarray(levels)


def blocks_of(step: Told, truth: Truth, rng: np.random.Generator) -> list[LatencyBlock]:
    """The blocks of a step, `step.n` ok requests in each."""
    found = []
    for index, level in enumerate(block_levels(step, truth.blocks, rng)):
        values = step.median_ms * np.exp(level + SIGMA * rng.normal(size=step.n))
        found.append(
            LatencyBlock(
                from_s=index * truth.block_s,
                to_s=(index + 1) * truth.block_s,
                completed=step.n + step.throttled + step.failed,
                ok=step.n,
                throttled=step.throttled,
                failed=step.failed,
                ok_response=encoded(of_ms(values)),
            )
        )
    return found


def together(parts: list[list[LatencyBlock]]) -> list[LatencyBlock]:
    """The blocks of all steps in one list."""
    return [
        LatencyBlock(
            from_s=same[0].from_s,
            to_s=same[0].to_s,
            completed=sum(block.completed for block in same),
            ok=sum(block.ok for block in same),
            throttled=sum(block.throttled for block in same),
            failed=sum(block.failed for block in same),
            ok_response=encoded(merged([decoded(b.ok_response) for b in same if b.ok_response])),
        )
        for same in zip(*parts, strict=True)
    ]


def percentiles(blocks: list[LatencyBlock]) -> LoadPercentiles | None:
    """Of ok responses, from merged histograms."""
    known: Histogram = merged([decoded(b.ok_response) for b in blocks if b.ok_response])
    if not known.n:
        return None
    named = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999, "max": 1.0}
    values = {name: quantile_ms(known, q) for name, q in named.items()}
    return LoadPercentiles(**values, mean=values["p50"], n=known.n)


def fields_of(blocks: list[LatencyBlock], length_s: float) -> dict[str, Any]:
    """The fields of a run or a step that follow from its blocks."""
    completed, ok = sum(b.completed for b in blocks), sum(b.ok for b in blocks)
    throttled, failed = sum(b.throttled for b in blocks), sum(b.failed for b in blocks)
    found = percentiles(blocks)
    return {
        "requests": Requests(
            offered=completed, sent=completed, completed=completed, cut=0, dropped=0
        ),
        "outcomes": Outcomes(ok=ok, throttled=throttled, server_error=failed),
        "throttled_by_cause": [],
        "errors_by_cause": [],
        "rates": Rates(
            offered_rps=completed / length_s,
            admitted_rps=(completed - throttled) / length_s,
            throttled_rps=throttled / length_s,
        ),
        "response_ms": found,
        "service_ms": found,
        "ok_response_ms": found,
    }


def run_of(truth: Truth) -> LoadDocument:
    """The document of a run with this truth."""
    plain = _simulated(truth.seed, truth.steps, truth.blocks, truth.block_s)
    return plain.model_copy(update=truth.changes)


@cache
def _simulated(
    seed: int, steps_told: tuple[Told, ...], blocks: int, block_s: float
) -> LoadDocument:
    truth = Truth(seed, steps_told, blocks, block_s)
    rng = np.random.default_rng(truth.seed)
    parts = [blocks_of(step, truth, rng) for step in truth.steps]
    whole, length_s = together(parts), truth.blocks * truth.block_s
    steps = [
        StepSlice(
            name=step.name,
            scenario="browse",
            method=step.name.partition(" ")[0],
            path=step.name.partition(" ")[2],
            blocks=own,
            **fields_of(own, length_s),
        )
        for step, own in zip(truth.steps, parts, strict=True)
    ]
    known = [decoded(block.ok_response) for block in whole if block.ok_response]
    plain: dict[str, Any] = {
        **fields_of(whole, length_s),
        "steps": steps,
        "phases": [],
        "seconds": [],
        "measured_s": length_s,
        "limits": [],
        "histograms": RunHistograms(
            response=encoded(merged(known)),
            service=None,
            ok_response=encoded(merged(known)),
            blocks=whole,
        ),
        "provenance": provenance(truth.seed),
    }
    base = load_documents.one_second()
    return base.model_copy(update=plain)


def provenance(seed: int, **changes: Any) -> Any:
    """Of a run that began `seed` minutes after ten, so that a later seed is a later run."""
    started = f"2025-11-23T10:{seed % 60:02}:00+00:00"
    return load_documents.provenance(
        run_id=f"run-{seed}", started_utc=started, seed=seed, **changes
    )
