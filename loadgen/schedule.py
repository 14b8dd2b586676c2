"""When requests are due: phases become arrival times, before anything is sent.

An arrival starts one run of a scenario. Arrivals are points on the integral of the arrival rate:
unit steps for uniform arrivals, sums of exponential variates for Poisson ones (a Poisson process
seen through its cumulative rate is one of rate 1, so ramps are exact without thinning; Cinlar,
Introduction to Stochastic Processes, 1975, section 4.7). The integral goes on over the borders of
phases, so that fractions of an arrival are neither lost nor doubled there.

The stream depends on the profile and the seed alone. Every injector makes all of it and keeps each
n-th arrival: the injectors together send exactly the same whatever their number. (A later numpy
may draw other numbers from the same seed: NEP 19.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from loadgen.profile.model import Bursts, Phase, Profile, Scenario, Steps
from loadgen.search.budget import most_arrivals
from loadgen.steps import method_and_path

Times = NDArray[np.int64]
Floats = NDArray[np.float64]

CHUNK = 65_536  # arrivals at most in one chunk: half a megabyte of times
_US = 1_000_000
_TIMES, _SCENARIOS = 0, 1  # streams of random numbers of one seed


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase with its place in the run; times are seconds since the beginning.

    `expected` is the expected number of arrivals (0 for pauses and users), `peak_rps` the highest
    arrival rate (of a burst: what arrives within its busiest second); both count scenarios, not
    requests. What a search takes is not known before: it has no length here, and the most arrivals
    that it may have.
    """

    index: int
    name: str
    kind: Literal["rate", "burst", "pause", "users", "search"]
    from_s: float
    to_s: float
    measured: bool
    expected: float
    peak_rps: float
    words: str  # `50 to 300 requests/s`, `20 users`


@dataclass(frozen=True, slots=True)
class Chunk:
    """Arrivals in order of time, as columns; `scenario` counts the scenarios of the profile."""

    at_us: Times
    phase: NDArray[np.uint16]
    scenario: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class UserTarget:
    """From `at_us` on, an injector has `users` users (closed model)."""

    at_us: int
    phase: int
    users: int


# -- the plan -------------------------------------------------------------------------------------


def plan_phases(profile: Profile) -> tuple[PhasePlan, ...]:
    """The phases of a profile, one after the other.

    A burst lasts as long as its `within`, or as its `duration` where that is longer. Pauses are
    not measured: they would only thin the rates.
    """
    plans: list[PhasePlan] = []
    from_s = 0.0
    for index, phase in enumerate(profile.load.phases):
        segments = _segments(profile, phase)
        length_s = _length_s(phase)
        if phase.burst is not None:
            # Arrivals at once are so many in that second, not infinitely many a second.
            expected = float(phase.burst)
            peak_rps = phase.burst / max(phase.within_s or 0.0, 1.0)
        elif phase.bounds is not None:
            per = _per_arrival(profile, phase)
            left = profile.guards.max_requests - sum(
                plan.expected * _steps_of(profile, plan) for plan in plans
            )
            most = max(left, 0.0) / requests_per_arrival(profile, phase)
            expected, peak_rps = min(most_arrivals(phase, per), most), phase.bounds[1] / per
        else:
            expected = sum((segment.arrivals for segment in segments), 0.0)
            peak_rps = max((max(part.from_rps, part.to_rps) for part in segments), default=0.0)
        plans.append(
            PhasePlan(
                index=index,
                name=phase.name,
                kind=_kind(phase),
                from_s=from_s,
                to_s=from_s + length_s,
                measured=phase.measure and phase.pause_s is None,
                expected=expected,
                peak_rps=peak_rps,
                words=_words(profile, phase),
            )
        )
        from_s += length_s
    return tuple(plans)


def duration_s(phases: Sequence[PhasePlan]) -> float:
    """How long arrivals come for, in seconds; the drain comes after that."""
    return phases[-1].to_s if phases else 0.0


def expected_requests(profile: Profile, phases: Sequence[PhasePlan]) -> float:
    """The expected number of requests of an open model; 0 for users, whose pace is not known."""
    return sum(plan.expected * _steps_of(profile, plan) for plan in phases if plan.expected)


def peak_requests_rps(profile: Profile, phases: Sequence[PhasePlan]) -> float:
    """The highest planned rate in requests a second; 0 for users."""
    rates = (plan.peak_rps * _steps_of(profile, plan) for plan in phases if plan.peak_rps)
    return max(rates, default=0.0)


def requests_per_arrival(profile: Profile, phase: Phase) -> float:
    """The mean number of requests that an arrival of `phase` sends, by weight.

    Raises:
        InputError: its scenarios send none.
    """
    chosen = [scenario for _, scenario in _chosen(profile, phase)]
    weight = sum(scenario.weight for scenario in chosen)
    steps = sum(scenario.weight * _requests(scenario) for scenario in chosen)
    if not steps:
        raise InputError(f"load.phases: {phase.name}: no step of its scenarios sends a request")
    return steps / weight


def _per_arrival(profile: Profile, phase: Phase) -> float:
    """How much of what rates count an arrival is."""
    return requests_per_arrival(profile, phase) if profile.load.unit == "requests" else 1.0


def _steps_of(profile: Profile, plan: PhasePlan) -> float:
    return requests_per_arrival(profile, profile.load.phases[plan.index])


def _requests(scenario: Scenario) -> int:
    return sum(method_and_path(step) is not None for step in scenario.flow)


def _chosen(profile: Profile, phase: Phase) -> list[tuple[int, Scenario]]:
    names = phase.scenarios
    return [
        (index, scenario)
        for index, scenario in enumerate(profile.scenarios)
        if names is None or scenario.name in names
    ]


def _kind(phase: Phase) -> Literal["rate", "burst", "pause", "users", "search"]:
    if phase.rate is not None:
        return "rate"
    if phase.search is not None:
        return "search"
    if phase.burst is not None:
        return "burst"
    return "users" if phase.users is not None else "pause"


def _length_s(phase: Phase) -> float:
    if phase.pause_s is not None:
        return phase.pause_s
    return max(phase.duration_s or 0.0, phase.within_s or 0.0)


def _words(profile: Profile, phase: Phase) -> str:
    unit = f"{profile.load.unit}/s"
    match phase.rate:
        case Steps(from_=first, to=last, count=count):
            return f"{first:,.10g} to {last:,.10g} {unit} in {count} steps"
        case (first, last):
            return f"{first:,.10g} to {last:,.10g} {unit}"
        case float() | int() as rate:
            return f"{rate:,.10g} {unit}" if rate != 1 else f"1 {unit.replace('s/', '/')}"
    if phase.burst is not None:
        within = f"within {phase.within_s:g} s" if phase.within_s else "at once"
        return f"{phase.burst:,} arrival{'' if phase.burst == 1 else 's'} {within}"
    if phase.bounds is not None:
        low, high = phase.bounds
        return f"search for the highest rate from {low:,.10g} to {high:,.10g} {unit}"
    match phase.users:
        case (first, last):
            return f"{first:,} to {last:,} users"
        case int() as users:
            return f"{users:,} user{'' if users == 1 else 's'}"
    return "pause"


# -- arrivals (open model) ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Segment:
    """A time over which the arrival rate changes linearly, or not at all."""

    from_s: float  # since the beginning of its phase
    length_s: float
    from_rps: float
    to_rps: float

    @property
    def arrivals(self) -> float:
        return (self.from_rps + self.to_rps) / 2 * self.length_s

    def times_s(self, arrived: Floats) -> Floats:
        """When, in its phase, the integral of the rate has grown by `arrived`."""
        if self.from_rps == self.to_rps:
            passed = arrived / self.from_rps
        else:
            # Of arrived = from*t + slope*t^2/2; this form of the root loses no digits.
            slope = (self.to_rps - self.from_rps) / self.length_s
            root = np.sqrt(np.maximum(self.from_rps**2 + 2 * slope * arrived, 0.0))
            passed = 2 * arrived / np.maximum(self.from_rps + root, 1e-300)
        return np.asarray(self.from_s + np.minimum(passed, self.length_s), np.float64)


def _segments(profile: Profile, phase: Phase) -> list[_Segment]:
    """The arrival rate of a `rate` phase, in scenarios a second; empty for others."""
    length_s = phase.duration_s or 0.0
    match phase.rate:
        case None:
            return []
        case Steps(from_=first, to=last, count=count):
            levels = [(level, level) for level in np.linspace(first, last, count).tolist()]
        case (first, last):
            levels = [(first, last)]
        case rate:
            levels = [(rate, rate)]
    per = _per_arrival(profile, phase)
    borders = [length_s * k / len(levels) for k in range(len(levels) + 1)]
    return [
        _Segment(begin, end - begin, first / per, last / per)
        for (first, last), (begin, end) in zip(levels, pairwise(borders), strict=True)
    ]


class _Positions:
    """Where arrivals (or groups of them) lie on the integral of the arrival rate, in order."""

    def __init__(self, profile: Profile, seed: int) -> None:
        kind = profile.load.arrivals
        self.size = kind.size if isinstance(kind, Bursts) else 1
        self._uniform = kind == "uniform"
        self._rng = np.random.default_rng((seed, _TIMES))
        self._last = 0.0
        self._ahead: Floats = np.zeros(0)

    def below(self, limit: float) -> Iterator[Floats]:
        """Those below `limit` that are left; the others stay for the next call."""
        while True:
            end = int(np.searchsorted(self._ahead, limit))
            taken, self._ahead = self._ahead[:end], self._ahead[end:]
            if end:
                yield taken
            if len(self._ahead):
                return
            self._draw()

    def _draw(self) -> None:
        n = max(CHUNK // self.size, 1)
        if self._uniform:
            # Half a step in: a whole number of arrivals falls into a phase, never onto its border.
            self._ahead = np.arange(n, dtype=np.float64) + (self._last + 0.5)
            self._last += n
        else:
            steps = self._rng.standard_exponential(n) * self.size
            self._ahead = self._last + np.cumsum(steps)
            self._last = float(self._ahead[-1])


def arrivals(
    profile: Profile, phases: Sequence[PhasePlan], seed: int, injector: int, injectors: int
) -> Iterator[Chunk]:
    """The arrivals of one of `injectors`, in order; empty for users.

    Arrivals of a `burst` are spread evenly over its `within`, the first at its beginning.
    """
    choices = np.random.default_rng((seed, _SCENARIOS))
    before = 0  # arrivals of all injectors so far
    for plan, times in _all_times(profile, phases, seed):
        indexes, shares = _weights(profile, profile.load.phases[plan.index])
        chosen = indexes[np.searchsorted(shares, choices.random(len(times)), side="right")]
        mine = slice((injector - before) % injectors, None, injectors)
        before += len(times)
        if len(times[mine]):
            yield Chunk(
                at_us=times[mine],
                phase=np.full(len(times[mine]), plan.index, np.uint16),
                scenario=chosen[mine],
            )


def _all_times(
    profile: Profile, phases: Sequence[PhasePlan], seed: int
) -> Iterator[tuple[PhasePlan, Times]]:
    positions = _Positions(profile, seed)
    reached = 0.0  # of the integral of the rate
    for plan in phases:
        phase = profile.load.phases[plan.index]
        if phase.burst is not None:
            pieces = _burst_s(phase.burst, phase.within_s or 0.0)
            yield from ((plan, _inside(plan, piece)) for piece in pieces)
        for segment in _segments(profile, phase):
            end = reached + segment.arrivals
            for taken in positions.below(end):
                groups = _inside(plan, segment.times_s(taken - reached))
                yield from ((plan, piece) for piece in _repeated(groups, positions.size))
            reached = end


def _inside(plan: PhasePlan, times_s: Floats) -> Times:
    """Times in a phase as whole microseconds of the run, before the end of the phase."""
    begin, end = round(plan.from_s * _US), round(plan.to_s * _US)
    whole = begin + np.rint(times_s * _US).astype(np.int64)
    return np.minimum(whole, max(end - 1, begin))


def _burst_s(n: int, within_s: float) -> Iterator[Floats]:
    for first in range(0, n, CHUNK):
        yield np.arange(first, min(first + CHUNK, n), dtype=np.float64) * (within_s / n)


def _repeated(times: Times, size: int) -> Iterable[Times]:
    if size == 1:
        return [times]
    if size <= CHUNK:
        return [np.repeat(times, size)]
    return (
        np.full(min(CHUNK, size - done), time, np.int64)
        for time in times
        for done in range(0, size, CHUNK)
    )


def _weights(profile: Profile, phase: Phase) -> tuple[NDArray[np.uint16], Floats]:
    """The scenarios of a phase and the upper ends of their shares of 0 to 1, but for the last."""
    chosen = _chosen(profile, phase)
    weights = np.cumsum([scenario.weight for _, scenario in chosen])
    indexes = np.array([index for index, _ in chosen], np.uint16)
    return indexes, weights[:-1] / weights[-1]


# -- users (closed model) -------------------------------------------------------------------------


def user_targets(
    profile: Profile, phases: Sequence[PhasePlan], injector: int, injectors: int
) -> list[UserTarget]:
    """How many users one of `injectors` has, and from when on; 0 in pauses.

    A ramp is a staircase of single users, each half a step early: on average over the phase there
    are exactly as many users as on the straight line.
    """
    targets: list[UserTarget] = []
    for plan in phases:
        share = -1
        for at_s, users in _levels(profile.load.phases[plan.index], plan):
            mine = (users + injectors - 1 - injector) // injectors
            if mine != share:
                targets.append(UserTarget(round(at_s * _US), plan.index, mine))
                share = mine
    return targets


def _levels(phase: Phase, plan: PhasePlan) -> Iterator[tuple[float, int]]:
    match phase.users:
        case None:
            yield plan.from_s, 0
        case (first, last):
            yield plan.from_s, first
            steps = abs(last - first)
            for k in range(1, steps + 1):
                at_s = plan.from_s + (plan.to_s - plan.from_s) * (k - 0.5) / steps
                yield at_s, first + (k if last > first else -k)
        case users:
            yield plan.from_s, users
