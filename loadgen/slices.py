"""The figures of the whole run, of each step and of each phase, as the document has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadgen.failures import MOST_REASONS, OTHER_REASONS
from loadgen.histogram import Histogram
from loadgen.measures import length_s
from loadgen.outcome import Evidence, Kind, Outcome
from loadgen.retry.timely import timely_totals
from loadgen.tally import Tally
from loadgen.totals import Totals
from reports.load_document import (
    CauseCount,
    CheckFailure,
    LoadPercentiles,
    Outcomes,
    PhaseSlice,
    Rates,
    Requests,
    StepSlice,
)
from reports.load_histograms import LatencyBlock

_PERCENTS = (50.0, 90.0, 95.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True)
class Losses:
    """Requests of a run without an outcome.

    Those that were cut are known by step. Those that an injector took with it when it ended early
    are not.
    """

    cut_by_step: Mapping[int, int]
    lost: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What the document, and each of its slices, says of a choice of requests."""

    requests: Requests
    outcomes: Outcomes
    throttled_by_cause: list[CauseCount]
    errors_by_cause: list[CauseCount]
    rates: Rates
    response_ms: LoadPercentiles | None
    service_ms: LoadPercentiles | None
    ok_response_ms: LoadPercentiles | None
    first_byte_ms: LoadPercentiles | None
    connect_ms: LoadPercentiles | None
    tls_ms: LoadPercentiles | None
    bytes_in: int

    def fields(self) -> dict[str, Any]:
        """By the names of the document."""
        return {name: getattr(self, name) for name in self.__slots__}


def figures(
    totals: Totals, measured_s: float, losses: Losses, timely: Totals | None = None
) -> Figures:
    """The figures of whole phases; rates are over `measured_s`, of `timely` where it is given."""
    return _figures(totals, measured_s, _requests(totals, losses), timely)


def step_slices(
    tally: Tally, measured_s: float, losses: Losses, blocks: Sequence[list[LatencyBlock]]
) -> list[StepSlice]:
    """One slice for each step, over the measured phases, with its blocks of time.

    Arrivals belong to no step: dropped ones are only in the figures of runs and phases.
    """
    found = []
    for step, of_step in zip(tally.steps, blocks, strict=True):
        totals = tally.totals(step=step.index)
        cut = losses.cut_by_step.get(step.index, 0)
        sent = totals.completed + cut
        requests = Requests(offered=sent, sent=sent, completed=totals.completed, cut=cut, dropped=0)
        found.append(
            StepSlice(
                name=step.name,
                scenario=step.scenario,
                method=step.method,
                path=step.path,
                blocks=of_step,
                **_figures(
                    totals,
                    measured_s,
                    requests,
                    timely_totals(tally, tally.measured, step.index),
                ).fields(),
            )
        )
    return found


def check_failures(tally: Tally) -> list[CheckFailure]:
    """Why checks failed in the measured phases, the most frequent reason first.

    Of each step, the rarer reasons beyond `MOST_REASONS` are counted together.
    """
    by_step: dict[int, Counter[str]] = {}
    for (phase, step, reason), count in tally.failures.items():
        if phase in tally.measured:
            by_step.setdefault(step, Counter())[reason] += count
    found = [
        CheckFailure(step=tally.steps[step].name, reason=reason, count=count)
        for step, counts in by_step.items()
        for reason, count in _bounded(counts).items()
    ]
    return sorted(found, key=lambda one: (-one.count, one.step, one.reason))


def _bounded(counts: Counter[str]) -> Counter[str]:
    """At most `MOST_REASONS` reasons, and the others together."""
    others = counts.pop(OTHER_REASONS, 0)
    most = Counter(dict(counts.most_common(MOST_REASONS)))
    others += counts.total() - most.total()
    return most + Counter({OTHER_REASONS: others})


def phase_slices(tally: Tally, losses: Losses) -> list[PhaseSlice]:
    """One slice for each phase that began; the last ends where the run was stopped.

    A phase that follows may have sent a little before the stop got through.
    """
    until_s = float("inf") if tally.until_us is None else tally.until_us / 1e6
    found = []
    for plan in tally.phases:
        only: Collection[int] = (plan.index,)
        totals = tally.totals(only)
        if plan.from_s > 0 and plan.from_s >= until_s and not totals.offered:
            continue
        found.append(
            PhaseSlice(
                name=plan.name,
                measured=plan.measured,
                from_s=plan.from_s,
                to_s=max(min(plan.to_s, until_s), plan.from_s),
                planned=plan.words,
                by_step=tally.completed_by_step(plan.index),
                **figures(
                    totals, length_s(tally, only), losses, timely_totals(tally, only)
                ).fields(),
            )
        )
    return found


def _figures(
    totals: Totals, measured_s: float, requests: Requests, timely: Totals | None
) -> Figures:
    outcomes = totals.outcomes
    return Figures(
        requests=requests,
        outcomes=Outcomes(**{outcome.name.lower(): outcomes[outcome] for outcome in Outcome}),
        throttled_by_cause=_causes(totals.counts, throttled=True),
        errors_by_cause=_causes(totals.counts, throttled=False),
        rates=_rates(
            totals if timely is None else timely,
            requests.offered if timely is None else timely.offered_requests,
            measured_s,
        ),
        response_ms=percentiles(totals.response),
        service_ms=percentiles(totals.service),
        ok_response_ms=percentiles(totals.ok_response),
        first_byte_ms=percentiles(totals.first_byte),
        connect_ms=percentiles(totals.connect),
        tls_ms=percentiles(totals.tls),
        bytes_in=totals.bytes_in,
    )


def _rates(totals: Totals, offered: int, measured_s: float) -> Rates:
    return Rates(
        offered_rps=_per_second(offered, measured_s),
        admitted_rps=_per_second(totals.admitted, measured_s),
        throttled_rps=_per_second(totals.outcomes[Outcome.THROTTLED], measured_s),
    )


def _requests(totals: Totals, losses: Losses) -> Requests:
    """The books: what was sent is completed, cut or lost, and nothing else."""
    open_requests = max(totals.sent - totals.completed, 0)
    lost = min(losses.lost, open_requests)
    return Requests(
        offered=totals.offered_requests,
        sent=totals.sent,
        completed=totals.completed,
        cut=open_requests - lost,
        dropped=totals.dropped,
        lost=lost,
    )


def _per_second(count: int, measured_s: float) -> float:
    return count / measured_s if measured_s else 0.0


def percentiles(histogram: Histogram) -> LoadPercentiles | None:
    """The percentiles of a histogram in ms; None where it is empty."""
    if not histogram.n:
        return None
    p50, p90, p95, p99, p999 = (value / 1000 for value in histogram.percentiles(_PERCENTS))
    return LoadPercentiles(
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        p999=p999,
        max=histogram.max_us / 1000,
        mean=histogram.mean_us / 1000,
        n=histogram.n,
    )


def _causes(counts: Mapping[int, int], *, throttled: bool) -> list[CauseCount]:
    """Refused or broken requests by class and cause, the most frequent first."""
    found: dict[tuple[str, str], dict[Evidence, int]] = {}
    for code, count in counts.items():
        kind = Kind.of(code)
        if kind.outcome is Outcome.OK or (kind.outcome is Outcome.THROTTLED) is not throttled:
            continue
        known = found.setdefault((kind.outcome.name.lower(), kind.cause.name.lower()), {})
        known[kind.evidence] = known.get(kind.evidence, 0) + count
    causes = [
        CauseCount(
            outcome=outcome,
            cause=cause,
            evidence=max(known).name.lower(),
            count=sum(known.values()),
            by_evidence={
                evidence.name.lower(): known[evidence] for evidence in sorted(known, reverse=True)
            },
        )
        for (outcome, cause), known in found.items()
    ]
    return sorted(causes, key=lambda one: (-one.count, one.outcome, one.cause))
