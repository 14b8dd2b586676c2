"""What a forecast starts from: the mix, functions and limits that the result of a run has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from reports.load_document import CalledFunction, ConfiguredLimit, LoadDocument

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
    document: LoadDocument, *, today_rps: float | None, given: Mapping[str, float]
) -> Facts:
    """The facts of a run; `given` are durations in seconds by function, which go first."""
    shares = _shares(document)
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
    search = getattr(document, "search", None)
    return Facts(
        today_rps=document.rates.offered_rps if today_rps is None else today_rps,
        region=document.target.region,
        functions=functions,
        limits=limits,
        found_rps=None if search is None else search.rate_rps,
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


def _shares(document: LoadDocument) -> list[float]:
    """The share of each step of the requests that were due."""
    offered = [step.requests.offered for step in document.steps]
    return [count / max(sum(offered), 1) for count in offered]


def _duration(
    document: LoadDocument, function: CalledFunction, given: Mapping[str, float]
) -> Duration | None:
    """The best that is known: given, metric, REPORT lines, what the run was predicted with."""
    if function.name in given:
        return Duration(given[function.name], "--duration")
    seen = document.telemetry
    for one in seen.functions if seen is not None else ():
        if one.function == function.name and one.duration_ms is not None:
            return Duration(one.duration_ms.mean / 1000, "metric Duration of the run")
    steps = {document.steps[step].name for step in function.steps}
    for times in document.waterfall.steps if document.waterfall is not None else ():
        for part in times.median.parts:
            if times.step in steps and part.part == "handler" and not part.from_metrics:
                return Duration(part.mean_ms / 1000, "REPORT lines of the median request")
    for known in document.prediction.durations if document.prediction is not None else ():
        if known.step in steps:
            return Duration(known.mean_ms / 1000, known.source)
    return None


def _init_ms(document: LoadDocument, function: str) -> float | None:
    seen = document.telemetry
    for one in seen.functions if seen is not None else ():
        if one.function == function and one.reports is not None:
            return one.reports.init_p50_ms
    return None
