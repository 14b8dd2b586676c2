"""Spending invocations: never two at one size at once, and nothing paid for is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest

from core.errors import AwsError, ToolError
from tests.tuner.factories import failed, sample
from tuner.budget import Ledger, Limits
from tuner.measure import Measurement
from tuner.sample import Sample
from tuner.sampler import FixedRounds

SIZES = (128, 256, 512, 1024)
VERSIONS = {size: str(number) for number, size in enumerate(SIZES, 1)}


@dataclass
class Recorder:
    """Stands where the invoker does, and watches how it is used."""

    answers: dict[int, list[Sample]] = field(default_factory=dict)
    break_at: int | None = None
    calls: int = 0
    running: set[int] = field(default_factory=set)
    most_running: int = 0
    overlaps: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    gate: threading.Barrier | None = None
    any_version: bool = False
    versions_seen: list[str] = field(default_factory=list)

    def invoke(self, memory_mb: int, version: str, round_number: int) -> Sample:
        with self.lock:
            self.calls += 1
            call = self.calls
            self.overlaps += memory_mb in self.running
            self.running.add(memory_mb)
            self.most_running = max(self.most_running, len(self.running))
        if self.gate:
            self.gate.wait(10)
        with self.lock:
            self.running.discard(memory_mb)
        if call == self.break_at:
            raise AwsError("the network is gone")
        queue = self.answers.get(memory_mb, [])
        answer = queue.pop(0) if queue else sample(memory_mb)
        self.versions_seen.append(version)
        assert self.any_version or version == VERSIONS[memory_mb]
        assert round_number >= 1
        return replace(answer, memory_mb=memory_mb, version=version)


@dataclass
class Shelf:
    """Stands where the lease does: versions by size, and what was asked of it."""

    versions: dict[int, str] = field(default_factory=dict)
    refused_sizes: dict[int, str] = field(default_factory=dict)
    refuses_from_mb: int = 20_000
    asked: list[list[int]] = field(default_factory=list)
    again: int = 0
    discarded: list[str] = field(default_factory=list)

    def publish(self, sizes_mb: Sequence[int]) -> None:
        self.asked.append(list(sizes_mb))
        for size in sizes_mb:
            if size >= self.refuses_from_mb:
                self.refused_sizes[size] = "too large"
            else:
                self.versions[size] = VERSIONS[size]

    def publish_again(self, size: int) -> str | None:
        if size >= self.refuses_from_mb:
            return None
        self.again += 1
        return f"{size}-{self.again}"

    def discard(self, version: str) -> None:
        self.discarded.append(version)


@dataclass
class Listed:
    """A sampler whose rounds are written down, and what it was told was refused before each."""

    rounds: list[tuple[int, ...]]
    told: list[set[int]] = field(default_factory=list)
    out_of_calls = False

    def next_round(
        self, samples: Sequence[Sample], refused: Collection[int], rng: random.Random
    ) -> tuple[int, ...]:
        self.told.append(set(refused))
        return self.rounds.pop(0) if self.rounds else ()

    def state(self, samples: Sequence[Sample]) -> str:
        return ""


def measurement(
    recorder: Recorder,
    *,
    parallel: int = 1,
    stopped: Callable[[], bool] = lambda: False,
    keep: Callable[[Sample], None] = lambda _: None,
    limits: Limits | None = None,
    shelf: Shelf | None = None,
    elapsed_s: Callable[[], float] = lambda: 0.0,
) -> Measurement:
    return Measurement(
        caller=recorder,
        versions=shelf or Shelf(),
        ledger=Ledger(lambda memory_mb, billed_ms: memory_mb * billed_ms),
        limits=limits or Limits(),
        parallel=parallel,
        keep=keep,
        stopped=stopped,
        elapsed_s=elapsed_s,
    )


def run(
    recorder: Recorder, *, samples: int = 3, parallel: int = 1, stop_after: int | None = None
) -> tuple[list[Sample], list[Sample]]:
    kept: list[Sample] = []
    measured = measurement(
        recorder,
        parallel=parallel,
        keep=kept.append,
        stopped=lambda: stop_after is not None and recorder.calls >= stop_after,
    )
    ending = measured.run(FixedRounds(SIZES, samples, samples + 4), random.Random(1))
    assert ending == ("complete" if stop_after is None else "stopped")
    return measured.samples, kept


def test_every_sample_is_kept_as_it_comes() -> None:
    measured, kept = run(Recorder())

    assert len(measured) == 12
    assert measured == kept


def test_parallel_calls_are_at_different_sizes() -> None:
    recorder = Recorder(gate=threading.Barrier(4))

    run(recorder, parallel=4)

    assert recorder.most_running == 4
    assert recorder.overlaps == 0


def test_one_at_a_time_means_one_at_a_time() -> None:
    recorder = Recorder()

    run(recorder, parallel=1)

    assert recorder.most_running == 1


@pytest.mark.parametrize("stop_after", [0, 1, 5])
def test_a_stop_starts_nothing_more(stop_after: int) -> None:
    recorder = Recorder()

    measured, _ = run(recorder, stop_after=stop_after)

    assert recorder.calls == stop_after
    assert len(measured) == stop_after


@pytest.mark.parametrize("parallel", [1, 4])
def test_an_error_comes_up_after_the_samples_of_its_round_were_kept(parallel: int) -> None:
    recorder = Recorder(break_at=6)
    kept: list[Sample] = []

    measured = measurement(recorder, parallel=parallel, keep=kept.append)
    with pytest.raises(AwsError, match="the network is gone"):
        measured.run(FixedRounds(SIZES, 3, 7), random.Random(1))

    assert len(kept) == recorder.calls - 1


@pytest.mark.parametrize("parallel", [1, 3])
def test_when_a_sample_cannot_be_kept_no_further_call_is_made(parallel: int) -> None:
    def full(_: Sample) -> None:
        raise ToolError("no space left")

    recorder = Recorder()
    measured = measurement(recorder, parallel=parallel, keep=full)
    with pytest.raises(ToolError, match="no space left"):
        measured.run(FixedRounds(SIZES, 3, 7), random.Random(1))

    assert recorder.calls == parallel


def test_the_call_after_a_failure_does_not_count() -> None:
    recorder = Recorder({256: [sample(256), failed(256), sample(256, 999.0)]})

    measured, _ = run(recorder)

    own = [item for item in measured if item.memory_mb == 256]
    assert [item.after_error for item in own] == [False, False, True, False, False]
    assert sum(item.counts_as_warm for item in own) == 3


def test_all_sizes_of_a_fixed_plan_are_published_in_one_go() -> None:
    shelf = Shelf()

    measurement(Recorder(), shelf=shelf).run(FixedRounds(SIZES, 3, 7), random.Random(1))

    assert shelf.asked == [list(SIZES)]


def test_sizes_are_published_when_they_are_first_asked_for() -> None:
    shelf = Shelf()

    measured = measurement(Recorder(), shelf=shelf)
    ending = measured.run(Listed([(512, 128), (128,), (1024, 128)]), random.Random(1))

    assert ending == "complete"
    assert shelf.asked == [[128, 512], [1024]]
    assert [item.memory_mb for item in measured.samples] == [512, 128, 128, 1024, 128]


def test_a_size_that_aws_refuses_is_not_invoked_and_the_sampler_hears_of_it() -> None:
    sampler = Listed([(512,), (128, 1024)])

    measured = measurement(Recorder(), shelf=Shelf(refuses_from_mb=512))
    ending = measured.run(sampler, random.Random(1))

    assert ending == "complete"
    assert [item.memory_mb for item in measured.samples] == [128]
    assert sampler.told == [set(), {512}, {512, 1024}]


@pytest.mark.parametrize(
    ("limits", "calls", "ending"),
    [
        pytest.param(Limits(max_invocations=5), 5, "max_invocations", id="invocations"),
        pytest.param(Limits(max_invocations=12), 12, "complete", id="just enough invocations"),
        # Each call costs 128 x 101: a fourth one would go over.
        pytest.param(Limits(max_usd=3.9 * 128 * 101), 3, "max_usd", id="money"),
        pytest.param(Limits(max_usd=1e-9), 1, "max_usd", id="one call tells what calls cost"),
        # Each call takes 0.105 s, and half a second has passed when the run begins.
        pytest.param(Limits(max_seconds=0.6), 0, "max_seconds", id="no time"),
    ],
)
@pytest.mark.parametrize("parallel", [1, 4])
def test_no_call_is_started_that_goes_over_a_limit(
    limits: Limits, calls: int, ending: str, parallel: int
) -> None:
    recorder = Recorder({size: [sample(128) for _ in range(9)] for size in SIZES})
    elapsed_s = 0.5 if calls else 1.0
    measured = measurement(recorder, parallel=parallel, limits=limits, elapsed_s=lambda: elapsed_s)

    ended = measured.run(FixedRounds((128,), 12, 16), random.Random(1))

    assert (recorder.calls, ended) == (calls, ending)


def test_nothing_is_published_for_a_call_that_may_not_start() -> None:
    shelf = Shelf()

    measured = measurement(Recorder(), shelf=shelf, limits=Limits(max_invocations=1))
    measured.run(Listed([(128,), (512,)]), random.Random(1))

    assert shelf.asked == [[128]]


def test_while_nothing_is_known_of_the_price_one_call_is_in_flight() -> None:
    recorder = Recorder()

    measurement(recorder, parallel=4, limits=Limits(max_usd=1e-9)).run(
        FixedRounds(SIZES, 3, 7), random.Random(1)
    )

    assert recorder.calls == 1


def wanting(*sizes: int, times: int) -> Callable[[Sequence[Sample]], Sequence[int]]:
    """Wants each of the sizes so many times."""
    return lambda samples: sizes if len(samples) < len(sizes) * times else ()


def test_each_further_cold_sample_has_a_version_of_its_own() -> None:
    recorder, shelf = Recorder(any_version=True), Shelf()

    measured = measurement(recorder, shelf=shelf)
    ending = measured.run_cold(wanting(128, 512, times=2))

    assert ending == "complete"
    assert recorder.versions_seen == ["128-1", "512-2", "128-3", "512-4"]
    assert shelf.discarded == recorder.versions_seen
    assert [item.after_error for item in measured.samples] == [False] * 4


def test_a_failure_in_one_environment_does_not_spoil_the_call_in_the_next() -> None:
    recorder = Recorder({128: [failed(128), sample(128, cold=True)]}, any_version=True)

    measured = measurement(recorder)
    measured.run_cold(wanting(128, times=2))

    assert [item.after_error for item in measured.samples] == [False, False]


def test_cold_samples_that_cannot_be_had_are_not_asked_for_without_end() -> None:
    shelf = Shelf(refuses_from_mb=512)

    measured = measurement(Recorder(), shelf=shelf)

    assert measured.run_cold(wanting(512, 1024, times=3)) == "complete"
    assert measured.samples == []


@pytest.mark.parametrize(
    ("limits", "stop_after", "ending"),
    [
        pytest.param(Limits(max_invocations=2), None, "max_invocations", id="a limit"),
        pytest.param(Limits(), 2, "stopped", id="a stop"),
    ],
)
def test_what_ends_a_run_ends_its_cold_samples_as_well(
    limits: Limits, stop_after: int | None, ending: str
) -> None:
    recorder, shelf = Recorder(any_version=True), Shelf()
    measured = measurement(
        recorder,
        shelf=shelf,
        limits=limits,
        stopped=lambda: stop_after is not None and recorder.calls >= stop_after,
    )

    assert measured.run_cold(wanting(128, times=5)) == ending
    assert (recorder.calls, shelf.again) == (2, 2)


def test_a_stop_after_the_last_cold_sample_stops_nothing() -> None:
    recorder = Recorder(any_version=True)
    measured = measurement(recorder, stopped=lambda: recorder.calls >= 2)

    assert measured.run_cold(wanting(128, times=2)) == "complete"


@pytest.mark.parametrize("phase", ["the measurement", "cold starts"])
def test_time_that_is_up_while_a_size_is_published_ends_the_run_without_a_call(phase: str) -> None:
    recorder, now_s = Recorder(any_version=True), [0.0]

    class Slow(Shelf):
        """Takes a minute; by then its lease has stopped, and gives nothing."""

        def publish(self, sizes_mb: Sequence[int]) -> None:
            now_s[0] += 60

        def publish_again(self, size: int) -> str | None:
            now_s[0] += 60
            return None

    measured = measurement(
        recorder, shelf=Slow(), limits=Limits(max_seconds=30), elapsed_s=lambda: now_s[0]
    )

    if phase == "the measurement":
        ending = measured.run(Listed([(128, 512)]), random.Random(1))
    else:
        ending = measured.run_cold(wanting(128, 512, times=2))

    assert (ending, recorder.calls, now_s[0]) == ("max_seconds", 0, 60)


def test_a_call_that_waits_for_its_turn_until_time_is_up_ends_the_run() -> None:
    now_s = [0.0]

    class Refused:
        """A caller whose throttled call gives up, when the run is over."""

        def invoke(self, memory_mb: int, version: str, round_number: int) -> Sample | None:
            now_s[0] += 60
            return None

    measured = replace(
        measurement(Recorder(), limits=Limits(max_seconds=30), elapsed_s=lambda: now_s[0]),
        caller=Refused(),
    )

    assert measured.run_cold(wanting(128, times=2)) == "max_seconds"
    assert (measured.samples, measured.ledger.calls) == ([], 0)


@dataclass
class Clock:
    """Time that only passes where somebody sleeps, or a call takes it."""

    now_s: float = 0.0
    slept_s: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> bool:
        self.slept_s.append(seconds)
        self.now_s += seconds
        return False


def test_a_call_begins_so_long_after_the_last_one_ended() -> None:
    clock = Clock()
    measured = measurement(Recorder(), elapsed_s=lambda: clock.now_s)
    measured.wait, measured.sleep_s = clock.wait, 3.0

    measured.run(Listed([(128, 512), (512,)]), random.Random(1))

    assert clock.slept_s == [3.0, 3.0]


def test_what_publishing_took_counts_as_sleep() -> None:
    clock, shelf = Clock(), Shelf()
    publish = shelf.publish_again

    def slowly(size: int) -> str | None:
        clock.now_s += 2.0
        return publish(size)

    shelf.publish_again = slowly  # type: ignore[method-assign] # takes its time
    measured = measurement(Recorder(any_version=True), shelf=shelf, elapsed_s=lambda: clock.now_s)
    measured.wait, measured.sleep_s = clock.wait, 5.0

    measured.run_cold(lambda taken: (128,) if len(taken) < 2 else ())

    assert clock.slept_s == [3.0]


def test_a_stop_while_it_sleeps_lets_no_call_begin() -> None:
    recorder, stop = Recorder(), threading.Event()

    def interrupted(seconds: float) -> bool:
        stop.set()
        return True

    measured = measurement(recorder, stopped=stop.is_set)
    measured.wait, measured.sleep_s = interrupted, 3600.0

    assert measured.run(Listed([(128, 512)]), random.Random(1)) == "stopped"
    assert recorder.calls == 1


def test_the_first_warm_calls_of_each_size_do_not_count() -> None:
    recorder = Recorder({128: [sample(128, cold=True, init_ms=1.0), failed(128)]})
    measured = measurement(recorder)
    measured.discard_first = 2

    assert measured.run(FixedRounds((128, 512), 3, 20), random.Random(1)) == "complete"

    for size, calls in ((128, 8), (512, 5)):
        own = [s for s in measured.samples if s.memory_mb == size]
        assert len(own) == calls
        assert sum(s.discarded for s in own) == 2
        assert sum(s.counts_as_warm for s in own) == 3
        assert [s.discarded for s in own if s.is_warm] == [True, True, False, False, False]
