"""What makes a measurement doubtful: each finding says what was measured, the limit, what to do."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from math import ceil

from reports.figures import SPACE, part_of, percent, significant


@dataclass(frozen=True, slots=True)
class StartLagTooHigh:
    """Requests began later than they were due: the injector was late, not the API."""

    p99_ms: float
    limit_ms: float
    processes: int
    busy: bool  # whether an injector used most of a core
    max_connections: int | None = None  # if requests had to wait for one of them

    def __str__(self) -> str:
        step = (
            f"use --processes {self.processes + 1}"
            if self.busy
            else "let nothing else run on this machine, or spread the load: --processes "
            f"{self.processes + 1}"
        )
        if self.max_connections is not None:
            step = (
                f"they waited for one of {self.max_connections:,} connections, so raise "
                "http.max_connections"
            )
        return (
            f"start lag p99 is {significant(self.p99_ms)} ms, above validity.max_start_lag "
            f"{self.limit_ms:g} ms: requests began later than they were due; {step}"
        )


@dataclass(frozen=True, slots=True)
class TooManyDropped:
    """Arrivals were not begun, because as many requests as allowed were in flight."""

    dropped: int
    offered: int
    limit_share: float
    max_in_flight: int
    needed_in_flight: int | None  # by Little's law, where latencies are known
    thinking: bool = False  # flows have pauses, in which they are under way as well

    def __str__(self) -> str:
        # Where the average needs less than was allowed, bursts or stalls need more: no number.
        advice = "raise load.max_in_flight"
        if self.needed_in_flight is not None and self.needed_in_flight > self.max_in_flight:
            advice += f" to about {_rounded(self.needed_in_flight):,}"
        why = "requests were in flight, the API is slower than the load expects"
        if self.thinking:
            why = "flows were under way, those that wait included"
        return (
            f"{self.dropped:,} of {self.offered:,} arrivals were dropped "
            f"({part_of(self.dropped, self.offered)}), above validity.max_dropped "
            f"{_limit(self.limit_share)}: {self.max_in_flight:,} {why}; {advice}, or lower the rate"
        )


@dataclass(frozen=True, slots=True)
class CpuTooHigh:
    """An injector was busy: what it measured may be its own slowness."""

    share: float
    limit_share: float
    injector: int
    from_s: float
    to_s: float
    processes: int

    def __str__(self) -> str:
        more = max(ceil(self.processes * self.share / 0.6), self.processes + 1)
        return (
            f"injector {self.injector} used {percent(self.share)} of a core from second "
            f"{self.from_s:.0f} to {self.to_s:.0f}, above validity.max_cpu "
            f"{_limit(self.limit_share)}: it may have measured its own slowness; "
            f"use --processes {more}"
        )


@dataclass(frozen=True, slots=True)
class StoodStill:
    """An injector served nobody for a while: all that was in flight seems to have taken longer."""

    injector: int
    stalled_s: float  # in all
    longest_s: float
    share: float  # of the run
    limit_ms: float  # shorter ones do not count
    processes: int

    def __str__(self) -> str:
        return (
            f"injector {self.injector} stood still for {significant(self.stalled_s)} s in all "
            f"({percent(self.share)} of the run), in stretches above validity.max_start_lag "
            f"{self.limit_ms:g} ms and up to {significant(self.longest_s * 1000)} ms: requests in "
            "flight seem to have taken longer by that; let nothing else run on this machine, or "
            f"spread the load: --processes {self.processes + 1}"
        )


@dataclass(frozen=True, slots=True)
class TooManyNotBuilt:
    """Requests could not be built from their data, so they were not sent."""

    not_built: int
    sent: int
    limit_share: float

    def __str__(self) -> str:
        whole = self.not_built + self.sent
        return (
            f"{self.not_built:,} of {whole:,} requests could not be built from their data "
            f"({part_of(self.not_built, whole)}), above validity.max_dropped "
            f"{_limit(self.limit_share)}, and were not sent; the notes say why"
        )


@dataclass(frozen=True, slots=True)
class TooManyCut:
    """Requests were still in flight when the drain ended: the slowest are missing."""

    cut: int
    sent: int
    limit_share: float
    drain_s: float

    def __str__(self) -> str:
        return (
            f"{self.cut:,} of {self.sent:,} requests were cut ({part_of(self.cut, self.sent)}), "
            f"above validity.max_cut {_limit(self.limit_share)}: they had no answer "
            f"{self.drain_s:g} s after the last phase, so the slowest are missing; raise load.drain"
        )


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Flows thought when the drain ended, so the rest of them was never sent.

    That does not make a measurement invalid: they were not the slow ones, and their requests were
    due when no more arrivals came.
    """

    unfinished: int
    begun: int
    drain_s: float

    def __str__(self) -> str:
        return (
            f"{self.unfinished:,} of {self.begun:,} flows ({part_of(self.unfinished, self.begun)}) "
            f"were in a think {self.drain_s:g} s after the last phase: their other requests were "
            "not sent; raise load.drain"
        )


@dataclass(frozen=True, slots=True)
class InjectorEndedEarly:
    """An injector ended before it had drained: its part of the measurement is missing."""

    injector: int
    injectors: int
    exit_code: int | None  # negative: the number of a signal
    at_s: float | None  # since the beginning of the run
    words: str  # what it said last, one line

    def __str__(self) -> str:
        when = "" if self.at_s is None else f" {self.at_s:.1f} s after the start"
        share = (
            "nothing was sent any more"
            if self.injectors == 1
            else f"its share of the schedule, 1 of {self.injectors}, is missing from then on"
        )
        killed = self.exit_code == -signal.SIGKILL
        how = _ending(self.exit_code) + (f", {self.words}" if self.words else "")
        return (
            f"injector {self.injector} ended early{when} ({how}): {share}; "
            f"{'the system may have run out of memory; ' if killed else ''}run it again"
        )


@dataclass(frozen=True, slots=True)
class FramesMissing:
    """Frames that an injector sent did not arrive."""

    missing: int

    def __str__(self) -> str:
        frames = "1 frame is" if self.missing == 1 else f"{self.missing:,} frames are"
        return f"{frames} missing: the requests in them are not counted; run it again"


@dataclass(frozen=True, slots=True)
class BooksDoNotBalance:
    """Two counts of the same thing differ."""

    left: str
    left_count: int
    right: str
    right_count: int

    def __str__(self) -> str:
        return (
            f"the books do not balance: {self.left} {self.left_count:,}, {self.right} "
            f"{self.right_count:,}; requests were lost or counted twice"
        )


@dataclass(frozen=True, slots=True)
class TooFewRequests:
    """There is too little to say anything."""

    measured: int
    limit: int

    def __str__(self) -> str:
        return (
            f"{self.measured:,} requests were completed in measured phases, fewer than "
            f"validity.min_requests {self.limit:,}; run longer, or check that a phase is measured"
        )


@dataclass(frozen=True, slots=True)
class BehindThePlan:
    """Fewer arrivals were due than the schedule has: the load was not the planned one."""

    offered: int
    planned: int
    processes: int
    data_used_up: bool = False

    def __str__(self) -> str:
        why = f"the injector fell behind its schedule; use --processes {self.processes + 1}"
        if self.data_used_up:
            why = "the rows of a feed are used up; give it more, or an order that begins again"
        return (
            f"{self.offered:,} of {self.planned:,} planned arrivals were due "
            f"({part_of(self.offered, self.planned)}): {why}"
        )


@dataclass(frozen=True, slots=True)
class NoFreeConnection:
    """Requests that found no connection, port or descriptor; they are connection errors."""

    count: int
    max_connections: int

    def __str__(self) -> str:
        return (
            f"{self.count:,} requests found no free connection: http.max_connections is "
            f"{self.max_connections:,}; raise it, or the limit of open files (ulimit -n)"
        )


@dataclass(frozen=True, slots=True)
class SomeLost:
    """Dropped or cut requests within their limits; `kind` says which."""

    kind: str
    count: int
    whole: int

    def __str__(self) -> str:
        return (
            f"{self.count:,} of {self.whole:,} {self.kind} ({part_of(self.count, self.whole)}), "
            "within the limit"
        )


Finding = (
    StartLagTooHigh
    | TooManyDropped
    | CpuTooHigh
    | StoodStill
    | TooManyNotBuilt
    | TooManyCut
    | Unfinished
    | InjectorEndedEarly
    | FramesMissing
    | BooksDoNotBalance
    | TooFewRequests
    | BehindThePlan
    | NoFreeConnection
    | SomeLost
)


def _limit(share: float) -> str:
    """A limit with all the digits that the profile gives it."""
    return f"{share * 100:g}{SPACE}%"


def _rounded(value: int) -> int:
    """Up to one or two digits: 1,250 becomes 1,300."""
    step = int(10 ** max(len(str(value)) - 2, 0))
    return ceil(value / step) * step


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return "it did not answer any more"
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        name = f" {signal.Signals(-exit_code).name}"
    except ValueError:
        name = ""
    return f"signal {-exit_code}{name}"
