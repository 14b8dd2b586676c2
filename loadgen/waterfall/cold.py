"""Cold starts of a run: how many, when, at which step, and what they do to the percentiles.

All of it is of requests with a REPORT line; metrics have no INIT, so without logs nothing is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loadgen.records import Records, response_us
from loadgen.steps import StepInfo
from loadgen.telemetry.traces import Traces
from loadgen.waterfall.build import Choice
from loadgen.waterfall.groups import by_response, slowest_of
from loadgen.waterfall.split import ROUNDING_MS, Bools, Floats
from reports.load_waterfall import (
    ColdBin,
    ColdMinute,
    ColdPercentiles,
    ColdStarts,
    ColdStep,
    InitBin,
)

_MINUTE_US = 60_000_000
# Enough to see when environments started, and few enough that each has requests.
_MOST_BINS = 60
_BINS_A_DECADE = 16
_WIDTHS_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)


def cold_starts_of(
    records: Records, traces: Traces, choice: Choice, logged: int | None = None
) -> ColdStarts | None:
    """What REPORT lines say of cold starts; None where no measured request has one.

    `logged` is how many there are in the functions' logs of the run's time, whoever met them.
    """
    measured = np.isin(records["phase"], list(choice.measured))
    reported: Bools = traces["has_report"] & ~np.isnan(traces["duration_ms"])
    init = np.nan_to_num(traces["init_ms"].astype(np.float64))
    restore = np.nan_to_num(traces["restore_ms"].astype(np.float64))
    cold: Bools = reported & (init + restore > 0)
    seen = measured & reported
    if not seen.any():
        return None
    response_ms: Floats = response_us(records) / 1000
    with_ms, without_ms = _percentiles(response_ms[seen]), _if_any(response_ms[seen & ~cold])
    cost_ms = None if without_ms is None else round(with_ms.p99 - without_ms.p99, 3)
    n, n_cold = int(seen.sum()), int((seen & cold).sum())
    slowest = slowest_of(by_response(response_ms, np.flatnonzero(seen)))
    return ColdStarts(
        completed=int(measured.sum()),
        requests=n,
        cold=n_cold,
        restored=int((seen & (restore > 0)).sum()),
        ahead=int((seen & _ahead(traces, cold, init + restore)).sum()),
        share=n_cold / n,
        elsewhere=None if logged is None else max(logged - int(cold.sum()), 0),
        init_ms=_if_any((init + restore)[seen & cold]),
        with_ms=with_ms,
        without_ms=without_ms,
        p99_cost_ms=cost_ms,
        minutes=_minutes(records, reported, cold),
        steps=_steps(records, seen, cold, response_ms, choice.steps),
        slowest=len(slowest),
        slowest_cold=int(cold[slowest].sum()),
        bins=_bins(records, reported, cold),
        init_bins=_init_bins((init + restore)[seen & cold]),
    )


def _ahead(traces: Traces, cold: Bools, init_ms: Floats) -> Bools:
    """Whose INIT was over before the request came, wholly or in part.

    Provisioned environments, and those that Lambda makes ahead, print their INIT in the REPORT
    line of the first request, whose integration did not last that long.
    """
    integration = traces["integration_ms"].astype(np.float64)
    duration = traces["duration_ms"].astype(np.float64)
    shorter = duration + init_ms > integration + ROUNDING_MS
    waited_for = duration <= integration + ROUNDING_MS  # else the function ran on after it
    ahead: Bools = cold & shorter & waited_for
    return ahead


def _minutes(records: Records, reported: Bools, cold: Bools) -> list[ColdMinute]:
    minutes = (records["start_us"] // _MINUTE_US).astype(np.int64)
    found = []
    for minute in np.unique(minutes[reported]).tolist():
        chosen = reported & (minutes == minute)
        n, n_cold = int(chosen.sum()), int((chosen & cold).sum())
        found.append(ColdMinute(minute=minute, requests=n, cold=n_cold, share=n_cold / n))
    return found


def _bins(records: Records, reported: Bools, cold: Bools) -> list[ColdBin]:
    """Equal stretches from the first second to the last request with a REPORT line."""
    start_s = records["start_us"] / 1e6
    last_s = float(start_s[reported].max())
    width = next((width for width in _WIDTHS_S if last_s < width * _MOST_BINS), _WIDTHS_S[-1])
    places = (np.maximum(start_s, 0.0) // width).astype(np.int64)
    n = int(last_s // width) + 1
    requests = np.bincount(places[reported], minlength=n)
    met = np.bincount(places[reported & cold], minlength=n)
    return [
        ColdBin(
            from_s=float(place * width),
            to_s=float((place + 1) * width),
            requests=int(requests[place]),
            cold=int(met[place]),
        )
        for place in range(n)
    ]


def _init_bins(start_ms: Floats) -> list[InitBin]:
    """From the shortest to the longest start, sixteen bins for each factor of ten."""
    if not len(start_ms):
        return []
    places = np.floor(np.log10(start_ms) * _BINS_A_DECADE).astype(np.int64)
    first, last = int(places.min()), int(places.max())
    counts = np.bincount(places - first, minlength=last - first + 1)
    bounds = [round(10 ** (place / _BINS_A_DECADE), 3) for place in range(first, last + 2)]
    return [
        InitBin(from_ms=low, to_ms=high, count=int(count))
        for low, high, count in zip(bounds, bounds[1:], counts, strict=False)
    ]


def _steps(
    records: Records, seen: Bools, cold: Bools, response_ms: Floats, steps: Sequence[StepInfo]
) -> list[ColdStep]:
    found = []
    for step in steps:
        chosen = seen & (records["step"] == step.index)
        n, n_cold = int(chosen.sum()), int((chosen & cold).sum())
        if n:
            found.append(
                ColdStep(
                    step=step.name,
                    scenario=step.scenario,
                    requests=n,
                    cold=n_cold,
                    share=n_cold / n,
                    with_ms=_percentiles(response_ms[chosen]),
                    without_ms=_if_any(response_ms[chosen & ~cold]),
                )
            )
    return found


def _if_any(values_ms: Floats) -> ColdPercentiles | None:
    return _percentiles(values_ms) if len(values_ms) else None


def _percentiles(values_ms: Floats) -> ColdPercentiles:
    # The smallest value that so many are at most, as the histograms of the run have it.
    at = np.percentile(values_ms, (50, 95, 99), method="inverted_cdf")
    p50, p95, p99 = (round(float(value), 3) for value in at)
    return ColdPercentiles(p50=p50, p95=p95, p99=p99, n=len(values_ms))
