"""Spends the invocations: rounds from a sampler, parallel across sizes, samples kept at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from tuner.budget import Ledger, LimitName, Limits, broken_limit
from tuner.hooks import HookError
from tuner.sample import Sample
from tuner.sampler import Sampler

# How a measurement ended: the sampler knows enough, somebody stopped it, or a limit was reached.
Ending = Literal["complete", "stopped"] | LimitName


class Versions(Protocol):
    """Where sizes come from: each gets a version of its own when it is first asked for."""

    @property
    def versions(self) -> Mapping[int, str]:
        """The version to invoke, by size in MB."""

    @property
    def refused_sizes(self) -> Mapping[int, str]:
        """The sizes that AWS does not offer, with why."""

    def publish(self, sizes_mb: Sequence[int]) -> None:
        """Publishes those that have no version yet; a stop may keep some from it."""

    def publish_again(self, size: int) -> str | None:
        """One more version of a size; None where the size is refused, or after a stop."""

    def discard(self, version: str) -> None:
        """Deletes a version that is not invoked again."""


class Caller(Protocol):
    """What one call is made with."""

    def invoke(self, memory_mb: int, version: str, round_number: int) -> Sample | None:
        """One sample, or None when a stop came before the call could start."""


def _no_wait(seconds: float) -> bool:
    """Waits for nothing: for runs that do not sleep between calls."""
    del seconds
    return False


@dataclass(slots=True)
class Measurement:
    """The calls of one run, in the order in which they ended.

    `parallel` invocations are in flight at most, and never two at one size, so that each version
    keeps to one environment. `keep` sees each sample as soon as it is there. `elapsed_s` is the
    time since the run began. A call begins `sleep_s` after the last one ended, or later;
    `wait(seconds)` sleeps until then, or until the run shall stop. The first `discard_first` warm
    calls of a size are marked, so that they do not count.
    """

    caller: Caller
    versions: Versions
    ledger: Ledger
    limits: Limits
    parallel: int
    keep: Callable[[Sample], None]
    stopped: Callable[[], bool]
    elapsed_s: Callable[[], float]
    wait: Callable[[float], bool] = _no_wait
    sleep_s: float = 0.0
    discard_first: int = 0
    samples: list[Sample] = field(default_factory=list)
    _round: int = 0
    _ended_s: float | None = None

    def run(self, sampler: Sampler, rng: random.Random) -> Ending:
        """Invokes what `sampler` asks for; after a stop or a limit, only what is in flight ends.

        Raises:
            AwsError, Refused, InvalidMeasurement: from the caller, after those in flight have
                ended, or from publishing.
            ToolError: from `keep`, when a sample cannot be kept.
        """
        with ThreadPoolExecutor(self.parallel, thread_name_prefix="invoke") as pool:
            while sizes := sampler.next_round(self.samples, self.versions.refused_sizes, rng):
                ending = self._hindrance(sizes[0]) or self._published(sizes)
                if ending:
                    return ending
                offered = [size for size in sizes if size in self.versions.versions]
                self._round += 1
                ending = self._invoke_all(offered, pool)
                if ending:
                    return ending
        return "complete"

    def run_cold(self, next_sizes: Callable[[Sequence[Sample]], Sequence[int]]) -> Ending:
        """One call at each size that `next_sizes` wants by all samples so far, until it wants none.

        Each call is of a version, and so of an environment, of its own.

        Raises:
            As `run` does.
        """
        while sizes := next_sizes(self.samples):
            before = len(self.samples)
            for size in sizes:
                ending = self._hindrance(size) or self._invoke_fresh(size)
                if ending:
                    return ending
            if len(self.samples) == before:
                break
        return "complete"

    def _invoke_fresh(self, size: int) -> Ending | None:
        version = self.versions.publish_again(size)
        self._sleep()
        # What came while it was published keeps it from being invoked.
        ending = self._hindrance(size)
        if version is None or ending:
            return ending
        self._round += 1
        self.ledger.start(size)
        try:
            sample = self.caller.invoke(size, version, self._round)
        except HookError as error:
            self._take_before(error, size)
            raise
        self._take(size, sample)
        # Hundreds of them would fill the account's storage of code, or be left by a kill.
        self.versions.discard(version)
        return self._hindrance(size) if sample is None else None

    def _hindrance(self, size: int) -> Ending | None:
        """Why no further call may start; None when it may."""
        if self.stopped():
            return "stopped"
        return broken_limit(self.limits, self.ledger, size, self.elapsed_s())

    def _published(self, sizes: Sequence[int]) -> Ending | None:
        """Sees to it that each size has a version or is refused, unless it ends before."""
        missing = sorted(size for size in sizes if size not in self.versions.versions)
        if missing:
            self.versions.publish(missing)
        known = {*self.versions.versions, *self.versions.refused_sizes}
        return None if known.issuperset(sizes) else self._hindrance(sizes[0]) or "stopped"

    def _invoke_all(self, sizes: Sequence[int], pool: ThreadPoolExecutor) -> Ending | None:
        """One call at each size; the first error is raised after the last sample is kept."""
        waiting = list(sizes)
        in_flight: dict[Future[Sample | None], int] = {}
        ending: Ending | None = None
        first_error: BaseException | None = None
        while waiting or in_flight:
            ending = self._start(waiting, in_flight, pool) or ending
            ended, _ = wait(in_flight, return_when=FIRST_COMPLETED)
            for future in [future for future in in_flight if future in ended]:
                size, error = in_flight.pop(future), future.exception()
                if error is None:
                    self._take(size, future.result())
                else:
                    self._take_before(error, size)
                    first_error = first_error or error
                    waiting.clear()
        if first_error is not None:
            raise first_error
        return ending

    def _start(
        self,
        waiting: list[int],
        in_flight: dict[Future[Sample | None], int],
        pool: ThreadPoolExecutor,
    ) -> Ending | None:
        """Starts as many of the waiting calls as may be; none is left to wait after a hindrance."""
        # What a call costs is not known before the first answer: a limit could not be kept.
        at_once = self.parallel if self.samples or self.limits.max_usd is None else 1
        while waiting and len(in_flight) < at_once:
            self._sleep()
            ending = self._hindrance(waiting[0])
            if ending:
                waiting.clear()
                return ending
            size = waiting.pop(0)
            version = self.versions.versions[size]
            self.ledger.start(size)
            in_flight[pool.submit(self.caller.invoke, size, version, self._round)] = size
        return None

    def _take_before(self, error: BaseException, size: int) -> None:
        """Takes what was measured before a hook after its call went wrong: it is paid for."""
        if isinstance(error, HookError) and error.sample is not None:
            self._take(size, error.sample)

    def _sleep(self) -> None:
        """Waits until the next call may begin; what else came meanwhile, the caller finds."""
        if self.sleep_s and self._ended_s is not None:
            left_s = self._ended_s + self.sleep_s - self.elapsed_s()
            if left_s > 0:
                self.wait(left_s)

    def _take(self, size: int, sample: Sample | None) -> None:
        self._ended_s = self.elapsed_s()
        self.ledger.end(size, sample)
        if sample is not None:
            self.samples.append(_marked(sample, self.samples, self.discard_first))
            self.keep(self.samples[-1])


def _marked(sample: Sample, earlier: Sequence[Sample], discard_first: int) -> Sample:
    """`sample`, marked where it does not count: see `Sample.after_error` and `discarded`."""
    previous = next((s for s in reversed(earlier) if s.version == sample.version), None)
    marked = replace(sample, after_error=previous is not None and previous.outcome != "measured")
    if not discard_first or not marked.is_warm:
        return marked
    warm = sum(s.is_warm for s in earlier if s.memory_mb == sample.memory_mb)
    return replace(marked, discarded=warm < discard_first)
