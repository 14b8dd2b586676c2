"""Spending invocations: never two at one size at once, and nothing paid for is lost."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from core.errors import AwsError, ToolError
from tests.tuner.factories import failed, sample
from tuner.measure import measure
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
        assert version == VERSIONS[memory_mb]
        assert round_number >= 1
        return answer


def run(
    recorder: Recorder, *, samples: int = 3, parallel: int = 1, stop_after: int | None = None
) -> tuple[tuple[Sample, ...], list[Sample]]:
    kept: list[Sample] = []
    measured = measure(
        FixedRounds(SIZES, samples, samples + 4),
        recorder,  # type: ignore[arg-type] # has the one method that is used
        VERSIONS,
        parallel=parallel,
        rng=random.Random(1),
        keep=kept.append,
        stopped=lambda: stop_after is not None and recorder.calls >= stop_after,
    )
    return measured, kept


def test_every_sample_is_kept_as_it_comes() -> None:
    measured, kept = run(Recorder())

    assert len(measured) == 12
    assert list(measured) == kept


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

    with pytest.raises(AwsError, match="the network is gone"):
        measure(
            FixedRounds(SIZES, 3, 7),
            recorder,  # type: ignore[arg-type] # has the one method that is used
            VERSIONS,
            parallel=parallel,
            rng=random.Random(1),
            keep=kept.append,
            stopped=lambda: False,
        )

    assert len(kept) == recorder.calls - 1


def test_when_a_sample_cannot_be_kept_no_further_call_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leaving = threading.Event()
    shutdown = ThreadPoolExecutor.shutdown

    def watched(pool: ThreadPoolExecutor, wait: bool = True) -> None:  # noqa: FBT001, FBT002
        leaving.set()
        shutdown(pool, wait=wait)

    def full(_: Sample) -> None:
        raise ToolError("no space left")

    class SecondCallLasts(Recorder):
        def invoke(self, memory_mb: int, version: str, round_number: int) -> Sample:
            if self.calls:
                assert leaving.wait(10)
            return super().invoke(memory_mb, version, round_number)

    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", watched)
    recorder = SecondCallLasts()
    with pytest.raises(ToolError, match="no space left"):
        measure(
            FixedRounds(SIZES, 3, 7),
            recorder,  # type: ignore[arg-type] # has the one method that is used
            VERSIONS,
            parallel=1,
            rng=random.Random(1),
            keep=full,
            stopped=lambda: False,
        )

    assert recorder.calls <= 2


def test_the_call_after_a_failure_does_not_count() -> None:
    recorder = Recorder({256: [sample(256), failed(256), sample(256, 999.0)]})

    measured, _ = run(recorder)

    own = [item for item in measured if item.memory_mb == 256]
    assert [item.after_error for item in own] == [False, False, True, False, False]
    assert sum(item.counts_as_warm for item in own) == 3
