"""Samples for tests, as a run would have measured them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace

from tuner.sample import Sample


def sample(memory_mb: int = 512, duration_ms: float = 100.0, **changes: object) -> Sample:
    """A warm measurement, unless `changes` say otherwise."""
    facts: dict[str, object] = {
        "memory_mb": memory_mb,
        "version": "1",
        "round": 1,
        "started_utc": "2026-01-01T00:00:00.000+00:00",
        "request_id": "id",
        "outcome": "measured",
        "wall_ms": duration_ms + 5,
        "duration_ms": duration_ms,
        "billed_ms": float(int(duration_ms) + 1),
        "max_memory_used_mb": 60,
        **changes,
    }
    return Sample(**facts)  # type: ignore[arg-type] # checked by the tests that use them


def failed(memory_mb: int, error_type: str = "Sandbox.Timedout") -> Sample:
    """A call that the function answered with an error."""
    return sample(memory_mb, outcome="failed", error_type=error_type, error_message="why")


def lost(memory_mb: int) -> Sample:
    """A call without a REPORT."""
    return replace(
        sample(memory_mb),
        outcome="lost",
        duration_ms=None,
        billed_ms=None,
        error_type="NoReport",
        error_message="the log tail holds no REPORT of this invocation",
    )


def drawn(
    truth_ms: Callable[[int], float], sizes: Iterable[int], n: int, sigma: float, seed: int
) -> list[Sample]:
    """`n` warm samples at each size around a true curve, log-normal with `sigma`."""
    rng = random.Random(seed)
    return [
        sample(size, truth_ms(size) * rng.lognormvariate(0, sigma))
        for size in sizes
        for _ in range(n)
    ]
