"""The books of a run: frames of all injectors, merged exactly, and every figure that is asked for.

Counts are kept by second, phase, step and kind; latencies by second, phase, step and outcome.
Seconds are those in which requests were due. Whole runs are summed up as frames come; windows of
seconds are gathered from `loadgen.second_log`. Frames of one run may come in any order, and one
that came already is not counted again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from loadgen.histogram import Histogram
from loadgen.messages import Cell, Drained, Failure, Frame, NewSteps
from loadgen.outcome import Kind, Outcome
from loadgen.retry.books import RetryBooks
from loadgen.retry.cells import AttemptCell, OperationCell
from loadgen.schedule import PhasePlan
from loadgen.second_log import Key, SecondLog
from loadgen.second_rows import SecondState, row
from loadgen.steps import StepInfo
from loadgen.totals import FIRST_BYTE, RESPONSE, SERVICE, Arrivals, Latencies, StepPart, Totals
from reports.load_document import Second

Ints = NDArray[np.int64]
Decoded = list[tuple[Key, Histogram]]
_US = 1_000_000
_SECONDS_MOST = 10_000_000  # four months
_LOCUSTFILE = "locustfile"  # stands for the scenario of its requests


@dataclass(slots=True)
class _Injector:
    """What one injector said so far."""

    numbers: set[int] = field(default_factory=set)
    last_at_us: int = 0
    in_flight: int = 0
    users: int = 0
    connections: int = 0


class Tally:
    """The merged figures of a run, while it goes on and after it."""

    def __init__(self, phases: Sequence[PhasePlan], steps: Sequence[StepInfo]) -> None:
        self.phases = tuple(phases)
        self.steps = tuple(steps)
        self.until_us: int | None = None  # of a run that was stopped: when arrivals ended
        self.start_lag = Histogram()
        self.cpu_share: dict[int, list[tuple[int, float]]] = {}  # (at_us, share) by injector
        self.drained: dict[int, Drained] = {}
        self.notes: list[str] = []  # each once
        self.failures: dict[tuple[int, int, str], int] = {}  # by phase, step and reason
        self.retries = RetryBooks()  # of modelled clients
        self.states: dict[int, SecondState] = {}  # by second
        self._injectors: dict[int, _Injector] = {}
        self._numbers: dict[int, dict[int, int]] = {}  # of steps, by injector (locustfiles)
        self._log = SecondLog()
        self._kinds: dict[int, dict[int, list[int]]] = {}  # second: packed kind: count, bytes
        self._arrivals: dict[tuple[int, int], Arrivals] = {}  # by second and phase
        self._all_kinds: dict[int, list[int]] = {}
        self._all_arrivals: dict[int, Arrivals] = {}  # by phase
        self._all: dict[Key, Histogram] = {}
        self._seconds = 0  # anything is known of

    # -- what comes in ---------------------------------------------------------------------------

    def add(self, frame: Frame) -> None:
        """Merge a frame.

        Raises:
            ValueError: it is damaged, or of another run; nothing of it is counted then.
        """
        if frame.number in self._injectors.get(frame.injector, _Injector()).numbers:
            return
        start_lag = Histogram.decode(frame.start_lag)
        cells = [self._decoded(frame.injector, cell) for cell in frame.cells]
        for count in frame.counts:
            self._check(count.second, count.phase)
        failures = [self._failed(frame.injector, failure) for failure in frame.failures]
        retries = RetryBooks.read(
            frame.operations,
            frame.attempts,
            lambda cell: self._step_of(frame.injector, cell),
        )
        self._merge(cells)
        self.retries.add(retries)
        for key, failed in failures:
            self.failures[key] = self.failures.get(key, 0) + failed
        for count in frame.counts:
            self._know(count.second)
            for arrivals in (
                self._arrivals.setdefault((count.second, count.phase), Arrivals()),
                self._all_arrivals.setdefault(count.phase, Arrivals()),
            ):
                arrivals.offered += count.offered
                arrivals.dropped += count.dropped
                arrivals.sent += count.sent
        self._note(frame, start_lag)

    def add_drained(self, drained: Drained) -> None:
        """The last line of an injector."""
        self.drained[drained.injector] = drained
        if drained.injector in self._injectors:
            self._injectors[drained.injector].in_flight = 0

    def add_phase(self, plan: PhasePlan) -> None:
        """One more phase, of a load that is decided while it goes on; it has the next number."""
        self.phases += (plan,)

    def end_phase(self, index: int, to_s: float) -> None:
        """A phase ended earlier than it was planned."""
        plan = replace(self.phases[index], to_s=max(to_s, self.phases[index].from_s))
        self.phases = (*self.phases[:index], plan, *self.phases[index + 1 :])

    def add_steps(self, new: NewSteps) -> None:
        """Requests of a locustfile that an injector met; the same one of several is one step."""
        numbers = self._numbers.setdefault(new.injector, {})
        known = {(step.method, step.name): step.index for step in self.steps}
        for number, (method, name) in enumerate(new.steps, new.first):
            if (method, name) not in known:
                known[method, name] = len(self.steps)
                self.steps += (StepInfo(len(self.steps), _LOCUSTFILE, name, method, name),)
            numbers[number] = known[method, name]

    def step_number(self, injector: int, number: int) -> int:
        """The number in `steps` of what an injector calls `number` in its frames and records.

        Raises:
            ValueError: there is no such step.
        """
        numbers = self._numbers.get(injector)
        step = number if numbers is None else numbers.get(number, -1)
        if not 0 <= step < len(self.steps):
            raise ValueError(f"no step of injector {injector} has the number {number}")
        return step

    def _decoded(self, injector: int, cell: Cell) -> tuple[Cell, int, Decoded]:
        self._check(cell.second, cell.phase)
        step = self.step_number(injector, cell.step)
        outcome = Kind.of(cell.kind).outcome
        texts = (cell.response, cell.service, cell.first_byte, cell.connect, cell.tls)
        histograms = [
            (Key(cell.phase, step, outcome, metric), Histogram.decode(text))
            for metric, text in enumerate(texts)
            if text
        ]
        return cell, step, histograms

    def _failed(self, injector: int, failure: Failure) -> tuple[tuple[int, int, str], int]:
        self._check(0, failure.phase)
        step = self.step_number(injector, failure.step)
        return (failure.phase, step, failure.reason), failure.count

    def _step_of(self, injector: int, cell: OperationCell | AttemptCell) -> int:
        self._check(cell.second, cell.phase)
        return self.step_number(injector, cell.step)

    def _check(self, second: int, phase: int) -> None:
        if not 0 <= phase < len(self.phases):
            raise ValueError(f"no phase has the number {phase}")
        if not 0 <= second < _SECONDS_MOST:
            raise ValueError(f"no second of a run is {second}")

    def _know(self, second: int) -> None:
        self._seconds = max(self._seconds, second + 1)

    def _merge(self, cells: Iterable[tuple[Cell, int, Decoded]]) -> None:
        by_second: dict[int, Decoded] = {}
        for cell, step, decoded in cells:
            self._know(cell.second)
            packed = _packed(cell.phase, step, cell.kind)
            _count(self._kinds.setdefault(cell.second, {}), packed, cell.count, cell.bytes_in)
            _count(self._all_kinds, packed, cell.count, cell.bytes_in)
            by_second.setdefault(cell.second, []).extend(decoded)
            for key, histogram in decoded:
                self._all.setdefault(key, Histogram()).merge(histogram)
        for second, histograms in by_second.items():
            self._log.add(second, histograms)

    def _note(self, frame: Frame, start_lag: Histogram) -> None:
        injector = self._injectors.setdefault(frame.injector, _Injector())
        injector.numbers.add(frame.number)
        # A frame is about the time since the one before: the second that most of it lies in.
        second = max(injector.last_at_us + frame.at_us, 0) // (2 * _US)
        self._know(second)
        state = self.states.setdefault(second, SecondState())
        state.start_lag.merge(start_lag)
        state.in_flight[frame.injector] = frame.in_flight
        state.cpu_share = max(state.cpu_share or 0.0, frame.cpu_share)
        self.start_lag.merge(start_lag)
        self.cpu_share.setdefault(frame.injector, []).append((frame.at_us, frame.cpu_share))
        if frame.at_us >= injector.last_at_us:
            injector.last_at_us = frame.at_us
            injector.in_flight = frame.in_flight
            injector.users = frame.users
            injector.connections = frame.connections
        self.notes.extend(note for note in frame.notes if note not in self.notes)

    # -- what goes out ---------------------------------------------------------------------------

    @property
    def measured(self) -> frozenset[int]:
        """The indexes of the phases that count."""
        return frozenset(plan.index for plan in self.phases if plan.measured)

    @property
    def seconds(self) -> range:
        """From the first second of the run to the last that anything is known of."""
        return range(self._seconds)

    @property
    def at_us(self) -> int:
        """How far every injector that still works has reported; 0 before that."""
        reported = {number: one.last_at_us for number, one in self._injectors.items()}
        working = [at_us for number, at_us in reported.items() if number not in self.drained]
        return min(working) if working else max(reported.values(), default=0)

    @property
    def in_flight(self) -> int:
        """Requests on their way, as of the last frames."""
        return sum(one.in_flight for one in self._injectors.values())

    @property
    def users(self) -> int:
        """Users (closed model), as of the last frames."""
        return sum(one.users for one in self._injectors.values())

    @property
    def connections(self) -> int:
        """Open connections, as of the last frames."""
        return sum(one.connections for one in self._injectors.values())

    def totals(
        self,
        phases: Collection[int] | None = None,
        step: int | None = None,
        seconds: range | None = None,
    ) -> Totals:
        """The figures of some phases (None: those that count), one step, a range of seconds."""
        chosen = self.measured if phases is None else frozenset(phases)
        if seconds is not None:
            seconds = self._known(seconds)
        kinds = [self._all_kinds] if seconds is None else self._kinds_of(seconds)
        counts: dict[int, int] = {}
        bytes_in = 0
        for table in kinds:
            for packed, (count, size) in table.items():
                if packed >> 32 in chosen and (step is None or packed >> 16 & 0xFFFF == step):
                    counts[packed & 0xFFFF] = counts.get(packed & 0xFFFF, 0) + count
                    bytes_in += size
        latencies = (
            self._all_latencies(chosen, step)
            if seconds is None
            else self._log.window(seconds, chosen, step)
        )
        arrivals = self._arrivals_of(chosen, seconds) if step is None else Arrivals()
        return Totals(
            counts={code: count for code, count in counts.items() if count},
            latencies=latencies,
            bytes_in=bytes_in,
            offered=arrivals.offered,
            dropped=arrivals.dropped,
            sent=arrivals.sent if step is None else sum(counts.values()),
        )

    def completed_by_step(self, phase: int) -> list[int]:
        """Completed requests of a phase by the number of their step."""
        found = [0] * len(self.steps)
        for packed, (count, _) in self._all_kinds.items():
            step = packed >> 16 & 0xFFFF
            if packed >> 32 == phase and step < len(found):
                found[step] += count
        return found

    def by_step(self, phases: Collection[int], seconds: range) -> dict[int, StepPart]:
        """What became of the requests of each step that has some; read in one go for all steps."""
        known = self._known(seconds)
        outcomes: dict[int, dict[Outcome, int]] = {}
        for table in self._kinds_of(known):
            for packed, (count, _) in table.items():
                if packed >> 32 in phases and count:
                    of_step = outcomes.setdefault(packed >> 16 & 0xFFFF, {})
                    outcome = Kind.of(packed & 0xFFFF).outcome
                    of_step[outcome] = of_step.get(outcome, 0) + count
        ok = self._log.by_step(known, phases, RESPONSE, Outcome.OK)
        return {
            step: StepPart(found, ok.get(step, Histogram())) for step, found in outcomes.items()
        }

    def last_seconds(self) -> dict[int, int]:
        """The last second that a completed request of each phase was due in."""
        return {
            packed >> 32: second for second in sorted(self._kinds) for packed in self._kinds[second]
        }

    def window(
        self, seconds: range, phases: Collection[int] | None = None, step: int | None = None
    ) -> Totals:
        """The figures of a range of seconds; costs what is in them, not what the run has."""
        return self.totals(phases, step, seconds)

    def arrivals(self, phases: Collection[int], seconds: range | None = None) -> Arrivals:
        """How the arrivals of some phases fared."""
        known = None if seconds is None else self._known(seconds)
        return self._arrivals_of(frozenset(phases), known)

    def length_s(
        self, phases: Collection[int] | None = None, seconds: range | None = None
    ) -> float:
        """How long arrivals came in some phases (None: those that count), within `seconds`.

        Ends where the run was stopped. A burst at once has no length.
        """
        chosen = self.measured if phases is None else phases
        ends = float("inf") if self.until_us is None else self.until_us / _US
        first, last = (0.0, ends) if seconds is None else (seconds.start, min(seconds.stop, ends))
        return sum(
            max(min(plan.to_s, last) - max(plan.from_s, first), 0.0)
            for plan in self.phases
            if plan.index in chosen
        )

    def frames_missing(self) -> dict[int, list[int]]:
        """By injector: frames that never came though a later one did, or its last line counts them.

        Injectors that miss none are not in it.
        """
        missing: dict[int, list[int]] = {}
        for number in self._injectors.keys() | self.drained.keys():
            seen = self._injectors.get(number, _Injector()).numbers
            expected = max(seen, default=-1) + 1
            if number in self.drained:
                expected = max(expected, self.drained[number].frames)
            lost = sorted(set(range(expected)) - seen)
            if lost:
                missing[number] = lost
        return missing

    def second_rows(self, seconds: range | None = None) -> list[Second]:
        """Each of `seconds` (None: all) as the result document and the live view have it."""
        every = range(len(self.phases))
        rows = []
        for second in self.seconds if seconds is None else seconds:
            totals = self.window(range(second, second + 1), every)
            state = self.states.get(second, SecondState())
            plan = self.phase_of(second)
            rows.append(row(second, plan.name if plan else "", totals, state))
        return rows

    def phase_of(self, second: int) -> PhasePlan | None:
        """The phase that most arrivals of a second belong to, or that its beginning lies in.

        After the schedule it is the last one; None where there are no phases.
        """
        if not self.phases:
            return None

        def weight(plan: PhasePlan) -> tuple[int, bool]:
            arrivals = self._arrivals.get((second, plan.index), Arrivals())
            return arrivals.offered or arrivals.sent, plan.from_s <= second < plan.to_s

        best = max(self.phases, key=weight)
        return best if any(weight(best)) else self.phases[-1]

    def _known(self, seconds: range) -> range:
        return range(max(seconds.start, 0), min(seconds.stop, self._seconds))

    def _kinds_of(self, seconds: range) -> list[dict[int, list[int]]]:
        return [self._kinds[second] for second in seconds if second in self._kinds]

    def _all_latencies(self, phases: frozenset[int], step: int | None) -> Latencies:
        # At once: these histograms grow with the next frame.
        sums: dict[int, dict[int, Histogram]] = {}  # by metric and outcome
        for key, histogram in self._all.items():
            if key.phase in phases and (step is None or key.step == step):
                of_metric = sums.setdefault(key.metric, {})
                of_metric.setdefault(key.outcome, Histogram()).merge(histogram)

        def of(metric: int, outcome: Outcome | None) -> Histogram:
            of_metric = sums.get(metric, {})
            if outcome is None:
                return Histogram.merged(of_metric.values())
            return of_metric.get(outcome, Histogram())

        return Latencies(of)

    def _arrivals_of(self, phases: frozenset[int], seconds: range | None) -> Arrivals:
        found = (
            [self._all_arrivals[phase] for phase in phases if phase in self._all_arrivals]
            if seconds is None
            else [
                self._arrivals[second, phase]
                for second in seconds
                for phase in phases
                if (second, phase) in self._arrivals
            ]
        )
        return Arrivals(
            sum(one.offered for one in found),
            sum(one.dropped for one in found),
            sum(one.sent for one in found),
        )

    # -- evidence --------------------------------------------------------------------------------

    def move(
        self,
        second: int,
        phase: int,
        step: int,
        old_kind: int,
        new_kind: int,
        response_us: Ints,
        service_us: Ints,
        first_byte_us: Ints,
    ) -> int:
        """Requests turn out to be of another kind; gives how many of them were there to move.

        Records may have requests that no frame counted (an injector was killed in between): those
        are not moved. `first_byte_us` has only requests with a first byte.
        """
        old, new = _packed(phase, step, old_kind), _packed(phase, step, new_kind)
        table = self._kinds.get(second, {})
        count, size = table.get(old, [0, 0])
        moved = min(len(response_us), count)
        if not moved or old == new:
            return moved
        moved_size = round(size * moved / count)
        for one in (table, self._all_kinds):
            _count(one, old, -moved, -moved_size)
            _count(one, new, moved, moved_size)
        before, after = Kind.of(old_kind).outcome, Kind.of(new_kind).outcome
        if before is not after:
            values = {
                RESPONSE: response_us[:moved],
                SERVICE: service_us[:moved],
                FIRST_BYTE: first_byte_us[:moved],
            }
            self._move_latencies(second, Key(phase, step, before, 0), after, values)
        return moved

    def _move_latencies(
        self, second: int, old: Key, outcome: Outcome, values_us: dict[int, Ints]
    ) -> None:
        of_second = self._log.of_second(second)
        for metric, values in values_us.items():
            before, after = (
                old._replace(metric=metric),
                old._replace(metric=metric, outcome=outcome),
            )
            taken = of_second.get(before, Histogram()).take(values)
            self._all.get(before, Histogram()).subtract(taken)
            for table in (of_second, self._all):
                table.setdefault(after, Histogram()).merge(taken)
        self._log.replace(second, of_second)


def _packed(phase: int, step: int, kind: int) -> int:
    return phase << 32 | step << 16 | kind


def _count(table: dict[int, list[int]], packed: int, count: int, size: int) -> None:
    entry = table.setdefault(packed, [0, 0])
    entry[0] += count
    entry[1] += size
