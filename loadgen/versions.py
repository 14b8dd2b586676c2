"""Versions of a function that answered the same step, beside each other: a canary, or an alias.

The intervals join those of the two versions (MOVER: Zou and Donner, "Construction of confidence
limits about effect measures", Statistics in Medicine 2008): with score intervals of the shares this
is method 10 of Newcombe (1998); those of p95 are order statistics, whatever the distribution is.
Requests are taken as independent, which cold starts in a row are not.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from loadgen.outcome import Outcome
from loadgen.records import Records
from loadgen.steps import StepInfo
from loadgen.telemetry.traces import CANARY, NO_CANARY, Traces
from reports.load_versions import (
    FailedVerdict,
    P95Verdict,
    VersionDifference,
    VersionFigures,
    VersionReport,
)

Floats = NDArray[np.float64]
_Z: Final = 1.959964  # of 95 %
# Below this the upper order statistic of p95 is the maximum, and says nothing.
_LEAST_FOR_P95: Final = 80
_LEAST_FOR_SHARE: Final = 10


class Estimate(NamedTuple):
    """A value and its interval."""

    value: float
    low: float
    high: float


def version_report(
    records: Records,
    kinds: NDArray[np.uint16],
    traces: Traces,
    steps: Sequence[StepInfo],
    phases: Collection[int],
) -> VersionReport | None:
    """Outcomes and latencies by version in `phases`; None where no step had several versions.

    `kinds` and `traces` have a row for each record.
    """
    counts = np.isin(records["phase"], list(phases))
    versions: list[VersionFigures] = []
    differences: list[VersionDifference] = []
    unknown = requests = 0
    for step in steps:
        chosen = np.flatnonzero(counts & (records["step"] == step.index))
        labels = _labels(traces[chosen])
        names, numbers = np.unique(labels[labels != ""], return_counts=True)
        if len(names) < 2:
            continue
        requests += len(chosen)
        unknown += len(chosen) - int(numbers.sum())
        samples = {
            name: _Sample.of(records, kinds, traces, chosen[labels == name])
            for name in names[np.argsort(-numbers, kind="stable")].tolist()
        }
        versions += [sample.figures(step.name, name) for name, sample in samples.items()]
        beside, *others = samples
        differences += [
            _difference(step.name, name, samples[name], beside, samples[beside]) for name in others
        ]
    if not versions:
        return None
    return VersionReport(
        versions=versions, differences=differences, unknown=unknown, requests=requests
    )


def _labels(traces: Traces) -> NDArray[np.str_]:
    """What answered: `7`, `canary`, `stage, version 7`; nothing where it is not known.

    Of a stage with a canary every request is of one or of the other: a version alone leaves open
    of which. Where one of these has several versions, who has none is not known; where it has one
    and not of all requests, that of the others may be another.
    """
    version = traces["version"].astype("U16")
    canary = traces["canary"]
    if not (canary == CANARY).any():
        return version
    labels = np.full(len(traces), "", "U32")
    for part, name in ((NO_CANARY, "stage"), (CANARY, "canary")):
        chosen = canary == part
        names = np.unique(version[chosen])
        if len(names) == 2 and names[0] == "":
            labels[chosen] = name
        else:
            known = chosen & ((version != "") | (len(names) == 1))
            labels[known] = [f"{name}, version {one}" if one else name for one in version[known]]
    return labels


class _Sample(NamedTuple):
    """The requests of one version of a step."""

    requests: int
    failed: int
    cold: int
    known_starts: int
    service_ms: Floats  # of ok requests, ascending
    handler_ms: Floats  # as far as it is known, ascending

    @classmethod
    def of(
        cls,
        records: Records,
        kinds: NDArray[np.uint16],
        traces: Traces,
        chosen: NDArray[np.intp],
    ) -> _Sample:
        outcomes = kinds[chosen] >> 12
        service_us = records["service_us"][chosen]
        handler_ms = traces["duration_ms"][chosen].astype(np.float64)
        told = traces["has_report"][chosen] | traces["has_xray"][chosen]
        return cls(
            requests=len(outcomes),
            failed=int(((outcomes != Outcome.OK) & (outcomes != Outcome.THROTTLED)).sum()),
            cold=int((told & (traces["init_ms"][chosen] > 0)).sum()),
            known_starts=int(told.sum()),
            service_ms=np.sort(service_us[outcomes == Outcome.OK] / 1000.0),
            handler_ms=np.sort(handler_ms[~np.isnan(handler_ms)]),
        )

    def figures(self, step: str, version: str) -> VersionFigures:
        return VersionFigures(
            step=step,
            version=version,
            requests=self.requests,
            failed=self.failed,
            cold=self.cold,
            known_starts=self.known_starts,
            service_p50_ms=_quantile(self.service_ms, 0.5),
            service_p95_ms=_quantile(self.service_ms, 0.95),
            handler_p95_ms=_quantile(self.handler_ms, 0.95),
        )


def _difference(
    step: str, name: str, sample: _Sample, beside: str, base: _Sample
) -> VersionDifference:
    share = p95 = None
    if min(sample.requests, base.requests) >= _LEAST_FOR_SHARE:
        share = difference(
            share_estimate(sample.failed, sample.requests),
            share_estimate(base.failed, base.requests),
        )
    if min(len(sample.service_ms), len(base.service_ms)) >= _LEAST_FOR_P95:
        p95 = difference(p95_estimate(sample.service_ms), p95_estimate(base.service_ms))
    return VersionDifference(
        step=step,
        version=name,
        beside=beside,
        failed_share=share.value if share else None,
        failed_share_low=share.low if share else None,
        failed_share_high=share.high if share else None,
        p95_ms=p95.value if p95 else None,
        p95_low_ms=p95.low if p95 else None,
        p95_high_ms=p95.high if p95 else None,
        failed_verdict=_FAILED[_sign(share)],
        p95_verdict=_P95[_sign(p95)],
    )


_FAILED: Final[dict[int | None, FailedVerdict]] = {
    1: "more",
    -1: "fewer",
    0: "cannot be told apart",
    None: "too few",
}
_P95: Final[dict[int | None, P95Verdict]] = {
    1: "slower",
    -1: "faster",
    0: "cannot be told apart",
    None: "too few",
}


def _sign(found: Estimate | None) -> int | None:
    """1 or -1 where the whole interval is beyond 0; None where there is none."""
    if found is None:
        return None
    return (found.low > 0) - (found.high < 0)


def difference(first: Estimate, second: Estimate) -> Estimate:
    """`first` less `second`, a - b.

    Below it by sqrt((a - low a)^2 + (high b - b)^2), above it by the same of the other ends.
    """
    value = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - below, value + above)


def share_estimate(part: int, whole: int) -> Estimate:
    """A share with its score interval of 95 % (Wilson, 1927)."""
    share = part / whole
    centre = (share + _Z**2 / (2 * whole)) / (1 + _Z**2 / whole)
    spread = math.sqrt(share * (1 - share) / whole + _Z**2 / (4 * whole**2))
    half = _Z * spread / (1 + _Z**2 / whole)
    return Estimate(share, max(centre - half, 0.0), min(centre + half, 1.0))


def p95_estimate(ascending: Floats) -> Estimate:
    """The 95th percentile with the order statistics that hold it in 95 % (Conover, 1999, 3.2).

    Ranks by the normal approximation of the binomial distribution, which takes 80 values.
    """
    n = len(ascending)
    middle, half = n * 0.95, _Z * math.sqrt(n * 0.95 * 0.05)
    low, high = max(math.floor(middle - half), 1), min(math.ceil(middle + half) + 1, n)
    value = _quantile(ascending, 0.95) or 0.0
    return Estimate(value, float(ascending[low - 1]), float(ascending[high - 1]))


def _quantile(ascending: Floats, share: float) -> float | None:
    """The value at rank ceil(share x n), as histograms have it."""
    n = len(ascending)
    return float(ascending[max(math.ceil(round(share * n, 6)), 1) - 1]) if n else None
