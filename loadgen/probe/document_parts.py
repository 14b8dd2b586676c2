"""Parts of the document of a probe: what was sent over time, in each phase, and by each guard."""

from __future__ import annotations

from collections import Counter

import numpy as np

from loadgen.bucket.finding import BucketFinding
from loadgen.bucket.observation import Observation
from loadgen.outcome import Outcome
from loadgen.probe.budget import allowed
from loadgen.probe.drift import drift_band, modelled
from loadgen.probe.guard import MOST_FAILED_SHARE, SLOWER_FACTOR, SLOWER_FLOOR_MS
from loadgen.probe.seen import PhaseSeen, Seen, admitted, of_base
from loadgen.probe.setup import Setup
from reports.limits_document import ProbeBin, ProbeCounts, ProbeGuard, ProbePhase

_MOST_BINS = 240
_LEAST_BIN_S = 0.25


def bins_of(observation: Observation, found: BucketFinding | None, seed: int) -> list[ProbeBin]:
    """What was sent and admitted over time, beside what the limit that was found admits."""
    if not observation.phases:
        return []
    begin, end = observation.phases[0].from_s, observation.phases[-1].to_s
    width = max(_LEAST_BIN_S, (end - begin) / _MOST_BINS)
    n = max(1, int(np.ceil((end - begin) / width)))
    number = np.clip(((observation.send_s - begin) / width).astype(np.int64), 0, n - 1)
    sent = np.bincount(number, minlength=n)
    came = np.bincount(number[observation.admitted], minlength=n)
    model = modelled(observation, found, seed)
    expected = None if model is None else np.bincount(number[model], minlength=n)
    band = None
    if expected is not None:
        band = drift_band(observation, found, number, expected.astype(np.float64), seed)
    return [
        ProbeBin(
            from_s=begin + k * width,
            to_s=begin + (k + 1) * width,
            sent=int(sent[k]),
            admitted=int(came[k]),
            model=None if expected is None else float(expected[k]),
            drift_low=None if band is None else round(float(band[0][k]), 2),
            drift_high=None if band is None else round(float(band[1][k]), 2),
        )
        for k in range(n)
    ]


def counts_of(seen: Seen, found: BucketFinding | None) -> ProbeCounts:
    """How many requests there were, by what became of them."""
    took = seen.took
    rate = found.rate_rps.value if found is not None and found.rate_rps is not None else None
    burst = found.burst.value if found is not None and found.burst is not None else None
    return ProbeCounts(
        sent=took.sent,
        admitted=took.admitted,
        refused=took.refused,
        base_admitted=took.base_admitted,
        layer_admitted=took.layer_admitted,
        canary_admitted=took.canary_admitted,
        canary_refused=seen.canary_refused,
        lost=sum(one.sent.dropped + one.sent.cut for one in seen.phases),
        allowed=None if rate is None or burst is None else allowed(rate, burst),
    )


def phase_row(one: PhaseSeen, step: int) -> ProbePhase:
    """A phase, as the requests of `step` met it."""
    records = one.sent.records
    mine = records[records["step"] == step]
    met = of_base(one.sent, step)
    outcome = mine["kind"] >> 12
    ok_us = mine["service_us"][outcome == Outcome.OK]
    came = admitted(met)
    return ProbePhase(
        name=one.name,
        purpose=one.purpose,
        from_s=one.sent.from_us / 1e6,
        to_s=one.sent.to_us / 1e6,
        rate_rps=one.rate_rps,
        sent=len(mine),
        admitted=came,
        refused=int((outcome == Outcome.THROTTLED).sum()),
        failed=int(((outcome != Outcome.OK) & (outcome != Outcome.THROTTLED)).sum()),
        others_sent=len(records) - len(mine),
        p95_ms=float(np.percentile(ok_us, 95)) / 1000 if len(ok_us) else None,
    )


def guard_rows(setup: Setup, seen: Seen, counts: ProbeCounts) -> list[ProbeGuard]:
    """The guards, each with its limit and how near the probe came."""
    caps = setup.caps
    peak = max((one.rate_rps for one in seen.phases), default=0.0)
    phases = [phase_row(one, setup.base.step) for one in seen.phases]
    failed = sum(one.failed for one in phases)
    slowest = max((one.p95_ms for one in phases if one.p95_ms is not None), default=None)
    rows = [
        ProbeGuard(
            name="admitted requests",
            limit=f"{caps.max_admitted:,}",
            reached=f"{seen.took.admitted:,}",
        ),
        ProbeGuard(name="rate", limit=f"{caps.max_rate_rps:,.0f}/s", reached=f"{peak:,.0f}/s"),
        ProbeGuard(
            name="duration",
            limit=f"{caps.max_duration_s:,.0f} s",
            reached=f"{length_s_of(seen):,.0f} s",
        ),
        ProbeGuard(
            name="failed share of admitted",
            limit=f"{MOST_FAILED_SHARE:.0%}",
            reached=f"{failed / max(1, seen.took.admitted):.1%}",
        ),
        ProbeGuard(
            name="p95 of admitted",
            limit=f"{SLOWER_FACTOR:g} x that at rest, at least {SLOWER_FLOOR_MS:g} ms above it",
            reached="-" if slowest is None else f"{slowest:,.0f} ms",
        ),
        ProbeGuard(
            name="canary refused",
            limit="0" if not setup.account_allowed else "not watched: account allowed",
            reached=f"{counts.canary_refused:,}" if setup.canary else "no canary",
        ),
    ]
    if counts.allowed is not None:
        rows.append(
            ProbeGuard(
                name="7 x burst + 15 s x rate",
                limit=f"{counts.allowed:,.0f}",
                reached=f"{counts.base_admitted:,}",
            )
        )
    return rows


def statuses_of(seen: Seen) -> dict[str, int]:
    """How often each status came, the ones without a response last."""
    counts: Counter[int] = Counter()
    for one in seen.phases:
        counts.update(one.sent.records["status"].tolist())
    ordered = sorted(counts.items(), key=lambda item: (item[0] == 0, item[0]))
    return {str(status) if status else "no response": count for status, count in ordered}


def length_s_of(seen: Seen) -> float:
    """How long the probe took."""
    return max((one.sent.to_us / 1e6 for one in seen.phases), default=0.0)
