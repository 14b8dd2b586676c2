"""The books of modelled clients: what all injectors told of operations and attempts, merged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from loadgen.histogram import Histogram
from loadgen.retry.cells import AttemptCell, Fate, OperationCell


@dataclass(slots=True)
class OperationSums:
    """Operations of some phases and steps: how many began, and what became of them."""

    begun: int = 0
    ended: dict[Fate, int] = field(default_factory=dict)
    first: int = 0  # requests that were sent as the first of their operation
    retries: int = 0  # requests that were sent again
    answered: int = 0  # requests that were ok, which ends their operation
    ok_latency: Histogram = field(default_factory=Histogram)
    other_latency: Histogram = field(default_factory=Histogram)

    @property
    def requests(self) -> int:
        """All requests that were sent."""
        return self.first + self.retries

    @property
    def cut(self) -> int:
        """Operations without an end: their last request was cut."""
        return self.begun - sum(self.ended.values())

    def of(self, fate: Fate) -> int:
        """How many ended so."""
        return self.ended.get(fate, 0)


@dataclass(slots=True)
class AttemptSums:
    """The requests of one attempt."""

    sent: int = 0
    completed: int = 0
    ok: int = 0
    held: int = 0
    held_us: int = 0
    response: Histogram = field(default_factory=Histogram)

    def add(self, other: AttemptCell | AttemptSums, response: Histogram) -> None:
        """Count others as well, whose response times are `response`."""
        self.sent += other.sent
        self.completed += other.completed
        self.ok += other.ok
        self.held += other.held
        self.held_us += other.held_us
        self.response.merge(response)


@dataclass(frozen=True, slots=True)
class RetryNews:
    """What one frame has of operations and attempts, decoded and checked."""

    operations: Sequence[tuple[OperationCell, int, Histogram]]  # with the number of the step
    attempts: Sequence[tuple[AttemptCell, int, Histogram]]


class RetryBooks:
    """Sums by second, phase and step; latencies by phase and step."""

    def __init__(self) -> None:
        self._operations: dict[tuple[int, int], OperationSums] = {}
        self._attempts: dict[tuple[int, int, int], AttemptSums] = {}
        self._seconds: dict[tuple[int, int, int], OperationSums] = {}  # by second, phase, step

    def __bool__(self) -> bool:
        return bool(self._operations)

    @staticmethod
    def read(
        operations: Sequence[OperationCell],
        attempts: Sequence[AttemptCell],
        step_of: Callable[[OperationCell | AttemptCell], int],
    ) -> RetryNews:
        """The cells of a frame; `step_of` checks where one belongs and gives its step.

        Raises:
            ValueError: one is damaged.
        """
        for cell in operations:
            Fate(cell.fate)
        return RetryNews(
            [(cell, step_of(cell), Histogram.decode(cell.latency)) for cell in operations],
            [(cell, step_of(cell), Histogram.decode(cell.response)) for cell in attempts],
        )

    def add(self, news: RetryNews) -> None:
        """Merge what a frame has."""
        for operation, step, latency in news.operations:
            fate = Fate(operation.fate)
            of_step = self._operations.setdefault((operation.phase, step), OperationSums())
            of_second = self._second(operation.second, operation.phase, step)
            for sums in (of_step, of_second):
                sums.begun += operation.begun
                if operation.ended:
                    sums.ended[fate] = sums.of(fate) + operation.ended
            (of_step.ok_latency if fate is Fate.OK else of_step.other_latency).merge(latency)
        for cell, step, response in news.attempts:
            of_step = self._operations.setdefault((cell.phase, step), OperationSums())
            for sums in (of_step, self._second(cell.second, cell.phase, step)):
                sums.first += cell.sent if cell.attempt == 1 else 0
                sums.retries += cell.sent if cell.attempt > 1 else 0
                sums.answered += cell.ok
            key = cell.phase, step, cell.attempt
            self._attempts.setdefault(key, AttemptSums()).add(cell, response)

    def _second(self, second: int, phase: int, step: int) -> OperationSums:
        return self._seconds.setdefault((second, phase, step), OperationSums())

    def within(self, window: range, phase: int, step: int | None = None) -> OperationSums:
        """Counts of a phase in a window of seconds, of one step or of all; no latencies.

        Operations count in the second of their first intended start, requests in that of their own.
        """
        return _summed(
            sums
            for (second, of_phase, number), sums in self._seconds.items()
            if second in window and of_phase == phase and step in (None, number)
        )

    def operations(self, phases: Collection[int], step: int | None = None) -> OperationSums:
        """The operations of some phases, of one step or of all."""
        return _summed(
            sums
            for (phase, number), sums in self._operations.items()
            if phase in phases and step in (None, number)
        )

    def attempts(self, phases: Collection[int]) -> dict[int, AttemptSums]:
        """Requests by attempt, from 1, of some phases."""
        found: dict[int, AttemptSums] = {}
        for (phase, _, attempt), sums in sorted(self._attempts.items(), key=lambda entry: entry[0]):
            if phase in phases:
                found.setdefault(attempt, AttemptSums()).add(sums, sums.response)
        return dict(sorted(found.items()))

    def seconds(self) -> dict[int, OperationSums]:
        """Counts by second, as in `within`."""
        found: dict[int, list[OperationSums]] = {}
        for (second, *_), sums in sorted(self._seconds.items(), key=lambda entry: entry[0]):
            found.setdefault(second, []).append(sums)
        return {second: _summed(iter(several)) for second, several in found.items()}


def _summed(several: Iterator[OperationSums]) -> OperationSums:
    whole = OperationSums()
    for sums in several:
        whole.begun += sums.begun
        whole.first += sums.first
        whole.retries += sums.retries
        whole.answered += sums.answered
        for fate, count in sums.ended.items():
            whole.ended[fate] = whole.of(fate) + count
        whole.ok_latency.merge(sums.ok_latency)
        whole.other_latency.merge(sums.other_latency)
    return whole
