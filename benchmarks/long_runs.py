"""Load runs of any length, drawn from a seed: what a report of a long run is made of.

Run: python benchmarks/long_runs.py FOLDER --seconds N [--rate R] [--seed N] [--unlimited]

Load rises and falls in phases of a quarter of an hour, as a day does in small; what is above the
limits is refused by six causes in turn, a little fails, and now and then one second is far worse
than those around it. Counts balance, percentiles are those of a log-normal distribution.
"""

from __future__ import annotations

import argparse
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.load_document import (
    CauseCount,
    LoadDocument,
    LoadPercentiles,
    LoadProvenance,
    LoadSpent,
    Outcomes,
    PhaseSlice,
    Rates,
    Requests,
    Second,
    StepSlice,
    TargetFacts,
    ThresholdResult,
    ValidityReport,
)
from reports.run_folder import write_document

CAUSES = ("stage", "method", "usage_plan", "quota", "lambda_concurrency", "account")
_ERRORS = ("server_error", "timeout")
_PHASE_S = 900
_MOST_PHASES = 24
_QUANTILES = {"p50": 0.0, "p90": 1.2816, "p95": 1.6449, "p99": 2.3263, "p999": 3.0902}
_SIGMA = 0.45

Ints = NDArray[np.int64]


def long_run(
    length_s: int, rate_rps: float = 100.0, seed: int = 1, *, limited: bool = True
) -> LoadDocument:
    """A run of `length_s` seconds with about `rate_rps` requests in each of them.

    Without limits nothing is refused, and a report has a chart more: latency by rate.
    """
    rng = np.random.default_rng(seed)
    offered, refused, broken = _counts(length_s, rate_rps, rng)
    if not limited:
        refused = {}
    phase_of, bounds = _phases(length_s)
    base_ms = 18 + offered * 6 / rate_rps + rng.gamma(2, 2, length_s)
    base_ms[rng.integers(0, length_s, max(1, length_s // 2000))] *= 12
    seconds = _rows(offered, refused, broken, base_ms, phase_of)
    every = np.ones(length_s, dtype=bool)
    whole = _slice("run", offered, refused, broken, base_ms, every)
    phases = [
        PhaseSlice(
            **_slice(f"phase {n}", offered, refused, broken, base_ms, phase_of == n),
            measured=True,
            from_s=float(start),
            to_s=float(end),
            planned=f"about {rate_rps:g} requests/s",
        )
        for n, (start, end) in enumerate(pairwise(bounds))
    ]
    return _document(length_s, whole, phases, seconds, seed)


def _counts(
    length_s: int, rate_rps: float, rng: np.random.Generator
) -> tuple[Ints, dict[str, Ints], dict[str, Ints]]:
    """Offered, refused by cause and broken by outcome class, in each second."""
    at = np.arange(length_s)
    wave = 1 + 0.5 * np.sin(at * 2 * math.pi / (4 * _PHASE_S))
    offered = rng.poisson(rate_rps * wave)
    over = np.maximum(offered - round(1.2 * rate_rps), 0)
    for spike in rng.integers(0, length_s, max(1, length_s // 5000)):
        over[spike] = offered[spike] // 2
    turn = (at // 120) % len(CAUSES)
    refused = {cause: np.where(turn == n, over, 0) for n, cause in enumerate(CAUSES)}
    broken = {
        name: np.minimum(rng.poisson(0.002 * rate_rps, length_s), (offered - over) // 3)
        for name in _ERRORS
    }
    return offered, refused, broken


def _phases(length_s: int) -> tuple[Ints, list[int]]:
    """The phase of each second, and the bounds of all phases."""
    count = max(1, min(_MOST_PHASES, length_s // _PHASE_S))
    bounds = [round(length_s * n / count) for n in range(count + 1)]
    return np.searchsorted(bounds[1:], np.arange(length_s), side="right"), bounds


def _rows(
    offered: Ints,
    refused: dict[str, Ints],
    broken: dict[str, Ints],
    base_ms: NDArray[np.float64],
    phase_of: Ints,
) -> list[Second]:
    admitted = offered - sum(refused.values(), np.zeros_like(offered))
    rows = []
    for at in range(len(offered)):
        base = float(base_ms[at])
        rows.append(
            Second(
                second=at,
                phase=f"phase {phase_of[at]}",
                offered=int(offered[at]),
                admitted=int(admitted[at]),
                throttled={cause: int(n[at]) for cause, n in refused.items() if n[at]},
                errors={name: int(n[at]) for name, n in broken.items() if n[at]},
                response_p50_ms=round(base, 3),
                response_p95_ms=round(base * 2.1, 3),
                response_p99_ms=round(base * 2.9, 3),
                service_p95_ms=round(base * 2.05, 3),
                in_flight=int(offered[at]) // 20,
                start_lag_p99_ms=round(0.2 + base / 500, 3),
                cpu_share=round(0.2 + base / 400, 4),
            )
        )
    return rows


def _slice(
    name: str,
    offered: Ints,
    refused: dict[str, Ints],
    broken: dict[str, Ints],
    base_ms: NDArray[np.float64],
    where: NDArray[np.bool_],
) -> dict[str, Any]:
    throttled = {cause: int(counts[where].sum()) for cause, counts in refused.items()}
    failed = {outcome: int(counts[where].sum()) for outcome, counts in broken.items()}
    total, length_s = int(offered[where].sum()), int(where.sum())
    turned_away, wrong = sum(throttled.values()), sum(failed.values())
    median_ms = float(np.median(base_ms[where]))
    return {
        "name": name,
        "requests": Requests(offered=total, sent=total, completed=total, cut=0, dropped=0),
        "outcomes": Outcomes(ok=total - turned_away - wrong, throttled=turned_away, **failed),
        "throttled_by_cause": _causes("throttled", throttled),
        "errors_by_cause": [
            entry
            for outcome, count in failed.items()
            for entry in _causes(outcome, {"none": count})
        ],
        "rates": Rates(
            offered_rps=total / length_s,
            admitted_rps=(total - turned_away) / length_s,
            throttled_rps=turned_away / length_s,
        ),
        "response_ms": _percentiles(median_ms, total),
        "service_ms": _percentiles(median_ms * 0.97, total),
        "ok_response_ms": _percentiles(median_ms, total - turned_away - wrong),
        "bytes_in": total * 412,
    }


def _causes(outcome: str, counts: dict[str, int]) -> list[CauseCount]:
    return [
        CauseCount(
            outcome=outcome,
            cause=cause,
            evidence="configuration",
            count=count,
            by_evidence={"configuration": count},
        )
        for cause, count in counts.items()
        if count
    ]


def _percentiles(median_ms: float, n: int) -> LoadPercentiles:
    at = {key: round(median_ms * math.exp(_SIGMA * z), 3) for key, z in _QUANTILES.items()}
    mean = round(median_ms * math.exp(_SIGMA**2 / 2), 3)
    return LoadPercentiles(**at, max=round(at["p999"] * 1.4, 3), mean=mean, n=n)


def _document(
    length_s: int,
    whole: dict[str, Any],
    phases: list[PhaseSlice],
    seconds: list[Second],
    seed: int,
) -> LoadDocument:
    step = {**whole, "name": "GET /orders", "scenario": "browse", "method": "GET"}
    return LoadDocument(
        **{**whole, "name": f"soak of {length_s:,} s"},
        verdict="pass",
        exit_code=0,
        errors=[],
        notes=[],
        target=TargetFacts(url="https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod"),
        first_byte_ms=None,
        connect_ms=None,
        tls_ms=None,
        measured_s=float(length_s),
        steps=[StepSlice(**step, path="/orders")],
        phases=phases,
        seconds=seconds,
        thresholds=[
            ThresholdResult(
                that="p95(response) < 300ms",
                scope="the run",
                value=whole["response_ms"].p95,
                limit=300.0,
                unit="ms",
                ok=True,
            ),
            ThresholdResult(
                that="rate(failed) < 1%",
                scope="the run",
                value=_failed_share(whole),
                limit=0.01,
                unit="share",
                ok=True,
            ),
        ],
        validity=ValidityReport(verdict="valid", reasons=[], start_lag_p99_ms=0.4),
        limits=[],
        spent=LoadSpent(usd=None, estimated_usd=None, detail=[]),
        provenance=LoadProvenance(
            tool_version="0.1.0",
            command=["loadgen", "run", "soak.yaml"],
            started_utc="2025-11-23T15:51:07+00:00",
            finished_utc="2025-11-24T19:37:47+00:00",
            seed=seed,
            run_id=f"soak-{length_s}",
            profile_file="soak.yaml",
            profile_sha256="0" * 64,
            profile_text="version: 1\nname: soak\n",
            environment=None,
            processes=2,
            model="open",
            arrivals="poisson",
        ),
    )


def _failed_share(whole: dict[str, Any]) -> float:
    outcomes = whole["outcomes"]
    failed: int = outcomes.server_error + outcomes.timeout
    return failed / int(whole["requests"].completed)


def main() -> None:
    """Writes the result of one run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--rate", type=float, default=100.0, help="requests/s (default 100)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unlimited", action="store_true", help="nothing is refused")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    document = long_run(options.seconds, options.rate, options.seed, limited=not options.unlimited)
    path = write_document(options.folder, document)
    print(f"{options.seconds:,} s: {path.stat().st_size / 1e6:.1f} MB in {path}")


if __name__ == "__main__":
    main()
