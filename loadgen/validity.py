"""Whether a measurement can be trusted, judged apart from whether the API did well.

Nothing here looks at latencies or errors of the API: only at what the load generator did, whether
everything that was sent is in the books, and whether there is enough of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from loadgen.findings import (
    BehindThePlan,
    BooksDoNotBalance,
    CpuTooHigh,
    Finding,
    FramesMissing,
    InjectorEndedEarly,
    NoFreeConnection,
    SomeLost,
    StartLagTooHigh,
    StoodStill,
    TooFewRequests,
    TooManyCut,
    TooManyDropped,
    TooManyNotBuilt,
    Unfinished,
)
from loadgen.messages import Drained
from loadgen.profile.model import Profile
from loadgen.retry.policy import most_attempts
from reports.load_document import ValidityReport

CPU_WINDOW_S = 5.0
_US = 1e6
# Arrivals whose time has come and that an injector has not looked at: the last wake-up before a
# stop may miss a few, a stall misses whole seconds.
_BEHIND_SHARE = 0.001
_BEHIND_LEAST = 10
_BUSY_SHARE = 0.7
# Of the time, where users decide when requests begin: what p99 of the start lag is for arrivals.
_STALLED_SHARE = 0.01
# Longer than that is told in any case: in a long run it hides beyond p99.
_LONG_STALL_S = 0.5


@dataclass(frozen=True, slots=True)
class InjectorEnd:
    """How an injector ended; `drained` is None where its last line did not come.

    `exit_code` is negative for a signal, `ended_at_s` counts from the beginning of the run.
    """

    injector: int
    frames: int  # that arrived
    drained: Drained | None
    exit_code: int | None = None
    ended_at_s: float | None = None
    words: str = ""  # what it said last

    @property
    def early(self) -> bool:
        """Whether it ended before it had drained."""
        return self.drained is None


@dataclass(frozen=True, slots=True)
class Books:
    """What the frames of all injectors add up to, over the whole run."""

    offered: int
    dropped: int
    sent: int
    completed: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run shows of itself; shares and counts are those of measured phases."""

    books: Books
    offered: int
    dropped: int
    completed: int
    start_lag_p50_ms: float | None
    start_lag_p99_ms: float | None
    cpu: Mapping[int, Sequence[tuple[float, float]]]  # by injector: (end in s, share since before)
    frames_missing: int
    no_free_connection: int = 0
    mean_response_s: float | None = None
    peak_rps: float | None = None  # the busiest second
    waited_for_connection: bool = False  # requests did, for one of http.max_connections
    data_used_up: bool = False  # a feed that stops ended before the run did


@dataclass(frozen=True, slots=True)
class CpuPeak:
    """The busiest stretch of an injector."""

    injector: int
    share: float
    from_s: float
    to_s: float


_OF_STEPS = (StartLagTooHigh, CpuTooHigh, TooManyDropped, TooManyCut)


def judge(
    measured: Measured,
    profile: Profile,
    ends: Sequence[InjectorEnd],
    *,
    planned: int | None,
) -> ValidityReport:
    """The verdict on a measurement, its reasons and its warnings.

    `planned` is how many arrivals the schedule has until the run ended; None where users decide.
    """
    fatal = list(_reasons(measured, profile, ends, planned))
    searches = profile.load.phases[-1].search is not None
    # A search sends too much on purpose, and leaves out steps that were not sent well.
    of_steps = [one for one in fatal if searches and isinstance(one, _OF_STEPS)]
    fatal = [one for one in fatal if one not in of_steps]
    peak = cpu_peak(measured.cpu)
    return ValidityReport(
        verdict="invalid" if fatal else "valid",
        reasons=[str(finding) for finding in fatal],
        warnings=[
            str(finding)
            for finding in (*of_steps, *_warnings(measured, profile, ends, [*fatal, *of_steps]))
        ],
        start_lag_p50_ms=measured.start_lag_p50_ms,
        start_lag_p99_ms=measured.start_lag_p99_ms,
        cpu_share_max=peak.share if peak else None,
        dropped_share=measured.dropped / measured.offered if measured.offered else 0.0,
        injectors=len(ends),
        injectors_ended_early=sum(end.early for end in ends),
    )


def cpu_peak(cpu: Mapping[int, Sequence[tuple[float, float]]]) -> CpuPeak | None:
    """The stretch of at least 5 seconds in which an injector was busiest.

    Of a shorter run it is the whole run. Shares are weighted by the time between frames.
    """
    peaks = (
        CpuPeak(injector, *stretch)
        for injector, samples in cpu.items()
        for stretch in _stretches(samples)
    )
    return max(peaks, key=lambda peak: peak.share, default=None)


def _stretches(samples: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float, float]]:
    """(share, from, to) of every stretch that is just long enough."""
    borders, used = [0.0], [0.0]
    for at_s, share in samples:
        used.append(used[-1] + share * max(at_s - borders[-1], 0.0))
        borders.append(max(at_s, borders[-1]))
    if borders[-1] < CPU_WINDOW_S:
        if borders[-1] > 0:
            yield used[-1] / borders[-1], 0.0, borders[-1]
        return
    first = 0
    for last in range(1, len(borders)):
        while borders[last] - borders[first + 1] >= CPU_WINDOW_S:
            first += 1
        length_s = borders[last] - borders[first]
        if length_s >= CPU_WINDOW_S:
            yield (used[last] - used[first]) / length_s, borders[first], borders[last]


def _reasons(
    measured: Measured, profile: Profile, ends: Sequence[InjectorEnd], planned: int | None
) -> Iterator[Finding]:
    limits = profile.validity
    for end in ends:
        if end.early:
            yield InjectorEndedEarly(
                end.injector, len(ends), end.exit_code, end.ended_at_s, end.words
            )
    if measured.frames_missing:
        yield FramesMissing(measured.frames_missing)
    yield from _unbalanced(measured.books, profile, ends)
    yield from _too_late(measured, profile, planned, ended_early=any(end.early for end in ends))
    if profile.load.model == "closed":
        yield from (one for one in _stalls(ends, profile) if one.share > _STALLED_SHARE)
    if measured.dropped > limits.max_dropped * measured.offered:
        thinking = most_attempts(profile) > 1 or any(
            step.think is not None for one in profile.scenarios for step in one.flow
        )
        yield TooManyDropped(
            measured.dropped,
            measured.offered,
            limits.max_dropped,
            profile.load.max_in_flight,
            None if thinking else _needed_in_flight(measured),
            thinking,
        )
    not_built = _not_built(ends)
    if not_built > limits.max_dropped * (measured.books.sent + not_built):
        yield TooManyNotBuilt(not_built, measured.books.sent, limits.max_dropped)
    cut, sent = _cut(ends), measured.books.sent
    if cut > limits.max_cut * sent:
        yield TooManyCut(cut, sent, limits.max_cut, profile.load.drain_s)
    if measured.completed < limits.min_requests:
        yield TooFewRequests(measured.completed, limits.min_requests)


def _too_late(
    measured: Measured, profile: Profile, planned: int | None, *, ended_early: bool
) -> Iterator[Finding]:
    limits, processes = profile.validity, profile.load.processes
    peak = cpu_peak(measured.cpu)
    lag_ms = measured.start_lag_p99_ms
    if lag_ms is not None and lag_ms > limits.max_start_lag_s * 1000:
        busy = peak is not None and peak.share > _BUSY_SHARE
        connections = profile.http.max_connections if measured.waited_for_connection else None
        yield StartLagTooHigh(lag_ms, limits.max_start_lag_s * 1000, processes, busy, connections)
    if peak is not None and peak.share > limits.max_cpu:
        yield CpuTooHigh(
            peak.share, limits.max_cpu, peak.injector, peak.from_s, peak.to_s, processes
        )
    offered = measured.books.offered
    # Where an injector ended early, that is the reason, and it is said already.
    if planned is not None and not ended_early:
        allowed = max(_BEHIND_SHARE * planned, _BEHIND_LEAST)
        if offered < planned - allowed:
            yield BehindThePlan(offered, planned, processes, measured.data_used_up)


def _stalls(ends: Sequence[InjectorEnd], profile: Profile) -> Iterator[StoodStill]:
    """How long each injector stood still."""
    for end in ends:
        if end.drained is not None and end.ended_at_s:
            yield StoodStill(
                end.injector,
                end.drained.stalled_us / _US,
                end.drained.longest_stall_us / _US,
                end.drained.stalled_us / _US / end.ended_at_s,
                profile.validity.max_start_lag_s * 1000,
                profile.load.processes,
            )


def _unbalanced(
    books: Books, profile: Profile, ends: Sequence[InjectorEnd]
) -> Iterator[BooksDoNotBalance]:
    """Every pair of counts that should be equal and is not.

    The frames of an injector that ended early stop in the middle: then only what the others say
    of themselves can be checked.
    """
    drained = [end.drained for end in ends if end.drained is not None]
    for end in drained:
        if end.sent != end.completed + end.cut:
            done = end.completed + end.cut
            name = f"injector {end.injector}: sent"
            yield BooksDoNotBalance(name, end.sent, "completed and cut", done)
    if len(drained) < len(ends):
        return
    without = sum(end.without_data + end.not_built + end.unsent for end in drained)
    begun, first = _begun(books) - without, books.sent - sum(end.retries for end in drained)
    if _one_request_a_flow(profile) and first != begun:
        yield BooksDoNotBalance("arrivals begun", begun, "requests sent", first)
    for what, said, counted in (
        ("arrivals due", sum(end.offered for end in drained), books.offered),
        ("arrivals dropped", sum(end.dropped for end in drained), books.dropped),
        ("requests sent", sum(end.sent for end in drained), books.sent),
        ("requests completed", sum(end.completed for end in drained), books.completed),
    ):
        if said != counted:
            yield BooksDoNotBalance(f"{what} by the injectors", said, "by their frames", counted)


def _one_request_a_flow(profile: Profile) -> bool:
    """Whether each arrival sends exactly one request, so that the two counts must be equal."""
    flows = [scenario.flow for scenario in profile.scenarios]
    # Who thinks before the first request may be stopped or cut without having sent one.
    single = bool(flows) and all(
        flow[0].think is None and sum(step.think is None for step in flow) == 1 for flow in flows
    )
    return profile.load.model == "open" and single


def _warnings(
    measured: Measured, profile: Profile, ends: Sequence[InjectorEnd], fatal: Iterable[Finding]
) -> Iterator[Finding]:
    kinds = {type(finding) for finding in fatal}
    if measured.dropped and TooManyDropped not in kinds:
        yield SomeLost("arrivals were dropped", measured.dropped, measured.offered)
    cut = _cut(ends)
    not_built = _not_built(ends)
    if not_built and TooManyNotBuilt not in kinds:
        yield SomeLost("requests were not built", not_built, measured.books.sent + not_built)
    if not kinds & {StartLagTooHigh, StoodStill}:
        yield from (one for one in _stalls(ends, profile) if one.longest_s > _LONG_STALL_S)
    if cut and TooManyCut not in kinds:
        yield SomeLost("requests were cut at the end of the drain", cut, measured.books.sent)
    unfinished = _unfinished(ends)
    if unfinished:
        yield Unfinished(unfinished, _begun(measured.books), profile.load.drain_s)
    if measured.no_free_connection:
        yield NoFreeConnection(measured.no_free_connection, profile.http.max_connections)


def _not_built(ends: Sequence[InjectorEnd]) -> int:
    return sum(end.drained.not_built for end in ends if end.drained is not None)


def _unfinished(ends: Sequence[InjectorEnd]) -> int:
    return sum(end.drained.unfinished for end in ends if end.drained is not None)


def _begun(books: Books) -> int:
    """Arrivals that were not dropped."""
    return books.offered - books.dropped


def _cut(ends: Sequence[InjectorEnd]) -> int:
    return sum(end.drained.cut for end in ends if end.drained is not None)


def _needed_in_flight(measured: Measured) -> int | None:
    """Requests in flight = arrival rate x response time (Little, 1961), with half as much again."""
    if measured.mean_response_s is None or measured.peak_rps is None:
        return None
    return ceil(measured.peak_rps * measured.mean_response_s * 1.5)
