"""Pairs of runs whose change is known, as `tune` leaves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.aws.prices import bundled_prices
from reports.document import TuneDocument
from reports.run_folder import write_document
from tests.tuner.factories import sample
from tests.tuner.test_analysis import SIZES, ask, cpu_bound
from tests.tuner.test_analyze import TARGET
from tuner.compare.tunings import Tuning
from tuner.facts import RunFacts
from tuner.noise import DEGREES_OF_FREEDOM
from tuner.payload import Payload
from tuner.payload_mix import PayloadMix
from tuner.plan import FixedPlan
from tuner.result import build_document
from tuner.sample import Sample, SampleFile

NOISE = 0.05
# What one environment differs by from another one of its size: share and standard deviation.
ALIKE = ((1.0, 0.02),)
LOTTERY = ((0.55, 0.013), (0.25, 0.035), (0.20, 0.11))


def durations(
    rng: np.random.Generator,
    *,
    slower: float = 1.0,
    n: int = 10,
    sizes: Sequence[int] = SIZES,
    noise: float = NOISE,
    hosts: Sequence[tuple[float, float]] = ALIKE,
) -> dict[int, list[float]]:
    """Warm durations in ms of one run: a function, hosts, and noise with heavy tails."""
    share, spread = np.array(hosts).T
    return {
        size: list(
            slower
            * cpu_bound(size)
            * np.exp(rng.choice(spread, p=share) * rng.standard_normal())
            * np.exp(noise * rng.standard_t(DEGREES_OF_FREEDOM, n))
        )
        for size in sizes
    }


def warm(durations_ms: Mapping[int, Sequence[float]]) -> list[Sample]:
    return [sample(size, float(ms)) for size, found in durations_ms.items() for ms in found]


def cold(starts_ms: Mapping[int, float]) -> list[Sample]:
    return [sample(size, 100.0, cold=True, init_ms=ms) for size, ms in starts_ms.items()]


def steady(slower: float = 1.0, seed: int = 1, **changed: Any) -> list[Sample]:
    """Samples without much noise."""
    plain: dict[str, Any] = {"noise": 0.01, "hosts": ((1.0, 0.002),)}
    return warm(durations(np.random.default_rng(seed), slower=slower, **{**plain, **changed}))


def tuning(samples: Sequence[Sample], run_id: str = "0123456789ab", **function: Any) -> Tuning:
    """A run with these samples; `function` is what is special about the function."""
    target = replace(TARGET, **function)
    own = list(samples)
    sizes = tuple(sorted({item.memory_mb for item in own}))
    price = bundled_prices().lambda_price("us-east-1", target.arch)
    facts = RunFacts(
        run_id=run_id,
        target=target,
        plan=FixedPlan(sizes, 5, 1, 1),
        payloads=PayloadMix.of(Payload(b"{}")),
        price=price,
        price_table=bundled_prices(),
        region="us-east-1",
        account=None,
        endpoint=None,
        command=["tune", target.name],
        started=datetime(2026, 1, 1, tzinfo=UTC),
    )
    answer = ask(own, current_mb=target.memory_mb, sizes=sizes)
    return Tuning(run_id, build_document(facts, own, answer), tuple(own))


def changed(run: Tuning, **parts: Mapping[str, Any]) -> Tuning:
    """The same run with other facts in its document."""
    values = run.document.model_dump()
    for name, part in parts.items():
        values[name] = {**values[name], **part} if isinstance(part, Mapping) else part
    return replace(run, document=TuneDocument.model_validate(values))


def on_disk(run: Tuning, folder: Path) -> Path:
    folder.mkdir()
    with SampleFile(folder) as file:
        for item in run.samples:
            file.append(item)
    write_document(folder, run.document)
    return folder
