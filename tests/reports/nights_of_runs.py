"""Records of nights with known truths: tunings of a known curve, and load runs, by a seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from reports.history.record import CurveRow, Key, PricesUsed, RunRecord
from reports.nightly.night_facts import NightFacts

PRICES = PricesUsed(table_date="2026-09-19", gb_second_usd=1.66667e-05, request_usd=2e-7)
SIZES = (128, 256, 512, 1024, 1536, 2048)
Law = Callable[[float], float]


def flat(memory_mb: float) -> float:
    """Billed ms that cost the same at each size."""
    return 1_000_000 / memory_mb


def valley(memory_mb: float) -> float:
    """Billed ms of which 512 MB are the cheapest, by some 10 % against its neighbours."""
    return 600_000 / memory_mb * (1 + 0.2 * math.log2(memory_mb / 512) ** 2)


def night(sequence: int = 1, **changes: Any) -> NightFacts:
    """What is known of a night."""
    fields: dict[str, Any] = {
        "night_id": f"n{sequence}",
        "sequence": sequence,
        "night": f"2026-11-{sequence:02d}",
        "branch": "main",
        "git_commit": "4f2a9c1",
        "environment": None,
    }
    return NightFacts(**(fields | changes))


def rows_of(
    law: Law,
    rng: np.random.Generator | None = None,
    *,
    sizes: Sequence[int] = SIZES,
    error: float = 0.03,
    factor: float = 1.0,
) -> list[CurveRow]:
    """A curve as one night measures it, with an error of its own at each size."""
    noise = np.zeros(len(sizes)) if rng is None else error * rng.standard_normal(len(sizes))
    return [
        CurveRow(
            memory_mb=size,
            billed_ms=law(size) * factor * math.exp(wrong),
            error_ln=error,
            duration_ms=law(size) * factor * math.exp(wrong) - 0.4,
            n=20,
        )
        for size, wrong in zip(sizes, noise.tolist(), strict=True)
    ]


def tuned(sequence: int, rows: Sequence[CurveRow], **changes: Any) -> RunRecord:
    """A tuning's record."""
    fields: dict[str, Any] = {
        "run_id": f"r{sequence}",
        "night_id": f"n{sequence}",
        "sequence": sequence,
        "night": f"2026-11-{sequence:02d}",
        "plan": "shop",
        "step": "thumbnail",
        "kind": "tune",
        "started_utc": "2026-11-01T02:00:00+00:00",
        "finished_utc": "2026-11-01T02:01:00+00:00",
        "verdict": "pass",
        "valid": True,
        "key": Key(
            kind="tune", asked_sha256="a" * 64, target="f", region="r", arch="x86_64", memory_mb=[]
        ),
        "asked": {"plan": "fixed"},
        "prices": PRICES,
        "sizes": list(rows),
        "current_mb": 512,
        "recommended_mb": 512,
    }
    return RunRecord(**(fields | changes))
