"""What a forecast starts from: the mix, functions and limits that the result of a run has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.load_document import CalledFunction, ConfiguredLimit, LoadDocument
from reports.load_telemetry import FunctionTelemetry

Arch = Literal["x86_64", "arm64"]


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a call runs on average, without INIT, and how that is known."""

    mean_s: float
    source: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the mix; `share` is its calls for each request of the mix."""

    name: str
    memory_mb: int
    arch: Arch
    share: float
    duration: Duration | None
    init_ms: float | None


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit; `share` is the share of the mix that passes it, `functions` run in it."""

    configured: ConfiguredLimit
    share: float
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a forecast needs; rates are of requests of the whole mix."""

    today_rps: float
    region: str | None
    functions: tuple[Function, ...]
    limits: tuple[Limit, ...]
    found_rps: float | None  # the highest rate that held the SLO of a search


def facts_of(
    document: LoadDocument,
    *,
    today_rps: float | None,
    given: Mapping[str, float],
    mix: Literal["offered", "admitted"] = "offered",
) -> Facts:
    """The facts of a run; `given` are durations in seconds by function, which go first.

    The mix is that of the requests that were due, or of those that were admitted.
    """
    shares = _shares(document, mix)
    functions = tuple(
        Function(
            name=one.name,
            memory_mb=one.memory_mb,
            arch=one.arch,
            share=sum(shares[step] for step in one.steps),
            duration=_duration(document, one, given),
            init_ms=_init_ms(document, one.name),
        )
        for one in document.functions
    )
    by_step = {step: one.name for one in document.functions for step in one.steps}
    limits = tuple(
        Limit(
            configured=limit,
            share=sum(shares[step] for step in limit.steps),
            functions=tuple(
                dict.fromkeys(by_step[step] for step in limit.steps if step in by_step)
            ),
        )
        for limit in document.limits
        if limit.steps
    )
    search = document.search
    return Facts(
        today_rps=document.rates.offered_rps if today_rps is None else today_rps,
        region=document.target.region,
        functions=functions,
        limits=limits,
        # One that counts scenarios has no rate of requests.
        found_rps=search.rate_rps if search is not None and search.unit == "requests" else None,
    )


def unknown_notes(facts: Facts) -> Iterator[str]:
    """What could not be said, and why."""
    for one in facts.functions:
        if one.duration is None:
            yield (
                f"the duration of {one.name} is unknown, and with it its concurrency: give "
                f"--duration {one.name}=120ms, or run with --logs"
            )
    if not facts.limits:
        yield "no limit is known: the run could not read what is configured"
    if not facts.functions:
        yield "no function is known behind the steps: concurrency is unknown"


def _shares(document: LoadDocument, mix: Literal["offered", "admitted"]) -> list[float]:
    """The share of each step of the requests that were due, or of those that were not refused."""
    counts = [
        step.requests.offered
        if mix == "offered"
        else step.requests.completed - step.outcomes.throttled
        for step in document.steps
    ]
    return [count / max(sum(counts), 1) for count in counts]


def _duration(
    document: LoadDocument, function: CalledFunction, given: Mapping[str, float]
) -> Duration | None:
    """The best that is known: given, metric, REPORT lines, what the run was predicted with."""
    if function.name in given:
        return Duration(given[function.name], "--duration")
    seen = [one for one in _telemetry_of(document) if one.function == function.name]
    metrics = [one.duration_ms for one in seen]
    known_metrics = [one for one in metrics if one is not None]
    # Of each version or alias that the steps name; all of them, or the mean is of some calls.
    if known_metrics and len(known_metrics) == len(metrics):
        n = sum(one.n for one in known_metrics)
        mean_ms = sum(one.mean * one.n for one in known_metrics) / n
        return Duration(mean_ms / 1000, "metric Duration of the run")
    # Two aliases of a function have one log.
    reported = [one.reports.duration_mean_ms for one in seen if one.reports is not None]
    if reported and reported[0] is not None:
        return Duration(reported[0] / 1000, "REPORT lines of the run's time")
    steps = {document.steps[step].name for step in function.steps}
    for known in document.prediction.durations if document.prediction is not None else ():
        if known.step in steps:
            return Duration(known.mean_ms / 1000, known.source)
    return None


def _init_ms(document: LoadDocument, function: str) -> float | None:
    for one in _telemetry_of(document):
        if one.function == function and one.reports is not None:
            return one.reports.init_p50_ms
    return None


def _telemetry_of(document: LoadDocument) -> Sequence[FunctionTelemetry]:
    return () if document.telemetry is None else document.telemetry.functions
