"""A history of nights for tests, simulated: what each night's true values are is known.

Nights differ by log-normal noise of their own, a part of it common to all figures; some are bad;
within a night the figures have the sampling error that they claim. Steps, other prices, another
profile, new code, missing and invalid nights are asked for by the number of the night, from 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from statistics import NormalDist

import numpy as np

from reports.histogram import encoded, of_ms
from reports.history.record import (
    AlarmRecord,
    CurveRow,
    EventRecord,
    Key,
    NightRecord,
    PricesUsed,
    Purpose,
    RunRecord,
    ScopeBlocks,
    SeriesId,
    SeriesPoint,
)
from reports.load_histograms import LatencyBlock

PLAN = "shop"
GB_SECOND_USD = 0.0000166667
REQUEST_USD = 0.0000002


@dataclass(frozen=True)
class StepOfNights:
    """A step of the plan: milliseconds by (scope, metric) for a load, by size for a tuning."""

    name: str
    kind: str = "load"
    values: Mapping[tuple[str, str], float] = field(default_factory=dict)
    sizes: Mapping[int, float] = field(default_factory=dict)
    current_mb: int = 512


ORDERS = StepOfNights(
    "orders",
    values={
        ("GET /search", "p50"): 60.0,
        ("GET /search", "p95"): 150.0,
        ("GET /search", "p99"): 260.0,
        ("POST /orders", "p50"): 90.0,
        ("POST /orders", "p95"): 220.0,
        ("POST /orders", "p99"): 400.0,
    },
)
THUMBNAIL = StepOfNights(
    "thumbnail", kind="tune", sizes={256: 820.0, 512: 400.0, 1024: 205.0, 2048: 130.0}
)


@dataclass(frozen=True)
class NightNoise:
    """How nights differ, as standard deviations of ln(value), and how often one is bad."""

    night: float = 0.03
    common: float = 0.0
    error: float = 0.01
    bad_share: float = 0.0
    bad_mean: float = 0.15


@dataclass(frozen=True)
class NightChanges:
    """At which night (from 0) something changes for good, and which nights lack something."""

    prices_at: int | None = None
    prices_factor: float = 1.2
    profile_at: int | None = None
    code_at: int | None = None
    runtime_at: int | None = None
    missing: Sequence[int] = ()
    invalid: Sequence[int] = ()


def simulated_past(
    nights: int = 40,
    *,
    steps: Sequence[StepOfNights] = (ORDERS, THUMBNAIL),
    seed: int = 1,
    noise: NightNoise = NightNoise(),
    step_at: int | None = None,
    step_share: float = 0.10,
    step_scope: str = "GET /search",
    step_metrics: Sequence[str] = ("p50", "p95", "p99"),
    changes: NightChanges = NightChanges(),
    first: str = "2026-09-01",
    blocks: int = 0,
    n: int = 8000,
) -> tuple[list[RunRecord], list[NightRecord]]:
    """Runs and nights, oldest first; sequences count from 1 without those that are missing."""
    rng = np.random.default_rng(seed)
    start = datetime.fromisoformat(first).replace(hour=2, tzinfo=UTC)
    runs: list[RunRecord] = []
    records: list[NightRecord] = []
    sequence = 0
    for index in range(nights):
        common = rng.normal(0, noise.common) if noise.common else 0.0
        bad = rng.exponential(noise.bad_mean) if rng.random() < noise.bad_share else 0.0
        drawn: dict[tuple[str, str, str], float] = {}
        for step in steps:
            for scope, metric in _figures(step):
                stepped = (
                    step_at is not None
                    and index >= step_at
                    and scope == step_scope
                    and metric in step_metrics
                )
                drawn[step.name, scope, metric] = (
                    common
                    + bad
                    + rng.normal(0, noise.night)
                    + rng.normal(0, noise.error)
                    + (math.log1p(step_share) if stepped else 0.0)
                )
        if index in changes.missing:
            continue
        sequence += 1
        night = _Night(index, sequence, start + timedelta(days=index), drawn, noise, changes)
        runs += [night.run(step, n, blocks) for step in steps]
        records.append(night.record(len(drawn)))
    return runs, records


def _figures(step: StepOfNights) -> list[tuple[str, str]]:
    """What the nights of a step differ in: by scope and metric, or by memory size."""
    return [*step.values, *((f"{size} MB", "duration") for size in step.sizes)]


@dataclass(frozen=True)
class _Night:
    index: int
    sequence: int
    at: datetime
    drawn: Mapping[tuple[str, str, str], float]
    noise: NightNoise
    changes: NightChanges

    @property
    def night_id(self) -> str:
        return f"n{self.index:04d}"

    @property
    def commit(self) -> str:
        return sha256(f"commit {self.index}".encode()).hexdigest()[:40]

    def since(self, at: int | None) -> bool:
        return at is not None and self.index >= at

    def run(self, step: StepOfNights, n: int, blocks: int) -> RunRecord:
        valid = self.index not in self.changes.invalid
        asked = {"rate": "50" if not self.since(self.changes.profile_at) else "80"}
        prices = self.prices()
        sizes = self.sizes(step, n)
        return RunRecord(
            run_id=f"r{self.index:04d}-{step.name}",
            night_id=self.night_id,
            sequence=self.sequence,
            night=self.at.date().isoformat(),
            plan=PLAN,
            step=step.name,
            kind="tune" if step.kind == "tune" else "load",
            started_utc=_text(self.at),
            finished_utc=_text(self.at + timedelta(minutes=10)),
            verdict="pass" if valid else "invalid",
            valid=valid,
            invalid_reasons=[] if valid else ["the generator was late"],
            key=Key(
                kind="tune" if step.kind == "tune" else "load",
                asked_sha256=sha256(repr(sorted(asked.items())).encode()).hexdigest(),
                target=f"{step.name}.example/prod",
                region="eu-west-1",
                arch="x86_64",
                memory_mb=[step.current_mb],
            ),
            asked=asked,
            branch="main",
            git_commit=self.commit,
            tool_version="0.1.0",
            code_sha256=["new" if self.since(self.changes.code_at) else "old"],
            versions=["8" if self.since(self.changes.code_at) else "7"],
            runtime="python3.13" if self.since(self.changes.runtime_at) else "python3.12",
            prices=prices,
            points=[*self.latencies(step, n), *_tuned_points(step, sizes, prices)],
            blocks=self.blocks(step, n, blocks),
            sizes=sizes,
            current_mb=step.current_mb if step.kind == "tune" else None,
            recommended_mb=1024 if step.kind == "tune" else None,
            spent_usd=0.01,
        )

    def prices(self) -> PricesUsed:
        new = self.since(self.changes.prices_at)
        return PricesUsed(
            table_date="2026-10-01" if new else "2026-01-01",
            gb_second_usd=GB_SECOND_USD * (self.changes.prices_factor if new else 1.0),
            request_usd=REQUEST_USD,
        )

    def value(self, step: StepOfNights, scope: str, metric: str, typical: float) -> float:
        return typical * math.exp(self.drawn[step.name, scope, metric])

    def latencies(self, step: StepOfNights, n: int) -> list[SeriesPoint]:
        return [
            SeriesPoint(
                scope=scope,
                metric=metric,
                unit="ms",
                value=self.value(step, scope, metric, typical),
                error_ln=self.noise.error or None,
                n=n,
            )
            for (scope, metric), typical in step.values.items()
        ]

    def sizes(self, step: StepOfNights, n: int) -> list[CurveRow]:
        rows = []
        for size, typical in step.sizes.items():
            value = self.value(step, f"{size} MB", "duration", typical)
            error = self.noise.error or None
            rows.append(
                CurveRow(memory_mb=size, billed_ms=value, error_ln=error, duration_ms=value, n=n)
            )
        return rows

    def blocks(self, step: StepOfNights, n: int, count: int) -> list[ScopeBlocks]:
        """Log-normal latencies with the p50 and p95 of the night, in `count` equal blocks."""
        if not count:
            return []
        found = []
        for scope in dict.fromkeys(scope for scope, _ in step.values):
            middle = self.value(step, scope, "p50", step.values[scope, "p50"])
            high = self.value(step, scope, "p95", step.values[scope, "p95"])
            spread = math.log(high / middle) / NormalDist().inv_cdf(0.95)
            size = max(n // count, 1)
            shares = ((rank + 0.5) / size for rank in range(size))
            text = encoded(
                of_ms(middle * math.exp(spread * NormalDist().inv_cdf(share)) for share in shares)
            )
            found.append(
                ScopeBlocks(
                    scope=scope,
                    blocks=[
                        LatencyBlock(
                            from_s=30.0 * place,
                            to_s=30.0 * (place + 1),
                            completed=size,
                            ok=size,
                            throttled=0,
                            failed=0,
                            ok_response=text,
                        )
                        for place in range(count)
                    ],
                )
            )
        return found

    def record(self, judged: int) -> NightRecord:
        valid = self.index not in self.changes.invalid
        return NightRecord(
            night_id=self.night_id,
            sequence=self.sequence,
            night=self.at.date().isoformat(),
            plan=PLAN,
            started_utc=_text(self.at),
            finished_utc=_text(self.at + timedelta(minutes=20)),
            verdict="pass" if valid else "invalid",
            exit_code=0 if valid else 5,
            branch="main",
            git_commit=self.commit,
            judged=judged if valid else 0,
        )


def _tuned_points(
    step: StepOfNights, sizes: Sequence[CurveRow], prices: PricesUsed
) -> list[SeriesPoint]:
    rows = [row for row in sizes if row.memory_mb == step.current_mb]
    costs = [math.log(usd_per_million(row, prices)) for row in sizes]
    curve = [
        SeriesPoint(
            scope="all sizes",
            metric="curve",
            unit="usd_per_million",
            value=math.exp(sum(costs) / len(costs)),
            error_ln=None,
            n=sum(row.n for row in sizes),
        )
        for _ in rows
    ]
    today = [
        point
        for row in rows
        for point in (
            SeriesPoint(
                scope="today's size",
                metric="duration",
                unit="ms",
                value=row.billed_ms,
                error_ln=row.error_ln,
                n=row.n,
            ),
            SeriesPoint(
                scope="today's size",
                metric="cost",
                unit="usd_per_million",
                value=usd_per_million(row, prices),
                error_ln=row.error_ln,
                n=row.n,
            ),
        )
    ]
    return [*today, *curve]


def usd_per_million(row: CurveRow, prices: PricesUsed) -> float:
    """What a million calls of a measured size cost at a price list."""
    gb_s = row.memory_mb / 1024 * row.billed_ms / 1000
    return 1e6 * (gb_s * prices.gb_second_usd + prices.request_usd)


def rerun_of(run: RunRecord, purpose: Purpose, factors: Mapping[str, float]) -> RunRecord:
    """Another run of the same night, with each figure times the factor of its metric."""
    points = [
        point.model_copy(update={"value": point.value * factors.get(point.metric, 1.0)})
        for point in run.points
    ]
    return run.model_copy(
        update={"run_id": f"{run.run_id}-{purpose}", "purpose": purpose, "points": points}
    )


def alarm_at(
    night: NightRecord, series: SeriesId, state: str = "confirmed", share: float = 0.1
) -> AlarmRecord:
    """An alarm of a figure that began at `night`."""
    return AlarmRecord.model_validate(
        {
            "alarm_id": sha256(f"{series}{night.night_id}".encode()).hexdigest()[:10],
            "series": series,
            "state": state,
            "since_night": night.night,
            "since_night_id": night.night_id,
            "since_sequence": night.sequence,
            "change_share": share,
            "change_interval": (share - 0.03, share + 0.03),
            "p_value": 0.001,
            "floor_share": 0.05,
            "baseline_value": 100.0,
            "value": 100.0 * (1 + share),
            "unit": "ms",
        }
    )


def event_at(
    sequence: int,
    action: str,
    series: SeriesId | None = None,
    *,
    from_sequence: int | None = None,
    until_utc: str | None = None,
    reason: str = "known",
) -> EventRecord:
    """What somebody decided after the night with `sequence`."""
    return EventRecord.model_validate(
        {
            "event_id": f"e{sequence:04d}-{action}",
            "plan": PLAN,
            "at_utc": "2026-10-20T09:00:00Z",
            "sequence": sequence,
            "action": action,
            "series": series,
            "from_sequence": from_sequence,
            "until_utc": until_utc,
            "reason": reason,
        }
    )


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
