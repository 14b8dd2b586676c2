"""Runs made of a few seconds whose every figure is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadgen.histogram import Histogram
from loadgen.messages import Cell, Drained, Failure, Frame, PhaseCount
from loadgen.outcome import OK, Kind
from loadgen.profile.model import Profile
from loadgen.schedule import plan_phases
from loadgen.steps import step_infos
from loadgen.tally import Tally

_US = 1_000_000


def profile_of(*phases: Mapping[str, Any], **parts: Any) -> Profile:
    """A profile of two scenarios with one step each; `phases` are as in YAML."""
    document: dict[str, Any] = {
        "version": 1,
        "name": "orders",
        "target": {"url": "http://127.0.0.1:8080"},
        "load": {"phases": phases or [{"name": "hold", "duration": "10s", "rate": 10.0}]},
        "scenarios": [
            {"name": "browse", "flow": [{"get": "/items", "name": "browse items"}]},
            {"name": "buy", "flow": [{"post": "/orders"}]},
        ],
    }
    return Profile.model_validate(document | parts)


@dataclass(frozen=True, slots=True)
class Seen:
    """Requests of one second, phase, step and kind with the same latency."""

    second: int
    count: int = 10
    ms: float = 100.0
    kind: Kind = OK
    step: int = 0
    phase: int = 0


@dataclass(slots=True)
class Made:
    """What a run is made of; `counts` replaces what follows from the requests."""

    seen: Sequence[Seen]
    counts: Sequence[PhaseCount] = ()
    cut: int = 0
    cpu_share: float = 0.3
    start_lag_ms: float = 0.1
    seconds: int | None = None  # how many frames there are
    notes: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)  # in the first frame


def tally_of(profile: Profile, made: Made) -> Tally:
    """The books of one injector that saw all of `made`, one frame a second, and drained."""
    tally = Tally(plan_phases(profile), step_infos(profile))
    last = max([one.second for one in made.seen] + [one.second for one in made.counts] + [-1])
    seconds = made.seconds if made.seconds is not None else last + 1
    counts = list(made.counts) or _counts(made.seen)
    for second in range(seconds):
        tally.add(
            Frame(
                injector=0,
                number=second,
                at_us=(second + 1) * _US,
                cells=[_cell(one) for one in made.seen if one.second == second],
                counts=[one for one in counts if one.second == second],
                in_flight=3,
                users=0,
                cpu_share=made.cpu_share,
                start_lag=_encoded(made.start_lag_ms, 10),
                notes=made.notes,
                failures=made.failures if second == 0 else [],
            )
        )
    sent = sum(one.sent for one in counts)
    tally.add_drained(
        Drained(
            injector=0,
            frames=seconds,
            offered=sum(one.offered for one in counts),
            dropped=sum(one.dropped for one in counts),
            sent=sent,
            completed=sent - made.cut,
            cut=made.cut,
        )
    )
    return tally


def _counts(seen: Sequence[Seen]) -> list[PhaseCount]:
    return [PhaseCount(one.second, one.phase, one.count, 0, one.count) for one in seen]


def _cell(seen: Seen) -> Cell:
    latency = _encoded(seen.ms, seen.count)
    return Cell(
        second=seen.second,
        phase=seen.phase,
        step=seen.step,
        kind=seen.kind.code,
        count=seen.count,
        bytes_in=100 * seen.count,
        response=latency,
        service=_encoded(seen.ms - 1, seen.count),
        first_byte=latency,
    )


def _encoded(ms: float, count: int) -> str:
    return Histogram.of([round(ms * 1000)] * count).encode()
