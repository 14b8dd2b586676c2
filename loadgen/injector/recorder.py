"""Everything that an injector measures: cheap to add to, turned into frames and records in bulk.

A request costs one `array.extend`; once a second numpy sorts what has come into cells and records,
in turns of a millisecond or less, so that no arrival waits for long.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter_ns, process_time_ns

import numpy as np
from numpy.typing import NDArray

from loadgen.answer import Answer
from loadgen.failures import FailureLog
from loadgen.histogram import Histogram
from loadgen.injector.stalls import StallWatch
from loadgen.messages import Cell, Drained, Frame, PhaseCount
from loadgen.records import RECORD, RecordWriter
from loadgen.redact import Secrets
from loadgen.retry.operation_log import OperationLog

Ints = NDArray[np.int64]

_COLUMNS = 14
(
    _INTENDED,
    _START,
    _CONNECT,
    _TLS,
    _FIRST_BYTE,
    _END,
    _BYTES_IN,
    _STATUS,
    _KIND,
    _PHASE,
    _STEP,
    _DNS,
    _CONNECTION,
    _ATTEMPT,
) = range(_COLUMNS)

_U4_MOST = 2**32 - 1
# Beside the phase: the request begins its flow, so that its start lag is that of the arrival.
FIRST = 1 << 32
_SECOND_NS = 1_000_000_000
_REQUEST_ID = re.compile(rb"\r\n(?:x-amzn-requestid|apigw-requestid):[ \t]*([^\r\n ]{1,36})", re.I)
# An API that has not sent a request id so often does not send one with its plain answers.
_LOOK_AT_HEADS = 64


@dataclass(slots=True)
class _CellSums:
    """A cell of the next frame."""

    count: int = 0
    bytes_in: int = 0
    response: Histogram = field(default_factory=Histogram)
    service: Histogram = field(default_factory=Histogram)
    first_byte: Histogram = field(default_factory=Histogram)
    connect: Histogram = field(default_factory=Histogram)
    tls: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class _Fates:
    """How the arrivals of one second and phase fared."""

    offered: int = 0
    dropped: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests of one step that ended since the last look, for Locust's statistics."""

    step: int
    response_ms: NDArray[np.float64]
    failed: int
    bytes_in: int


class Recorder:
    """What one injector measured since its last frame, and its books since the beginning.

    `start_ns`, set before the first request, is the beginning of the run on the clock of
    `perf_counter_ns`. `secrets` are what notes and reasons must not show.
    """

    def __init__(
        self,
        injector: int,
        *,
        writer: RecordWriter | None,
        on_batch: Callable[[Batch], None] | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self.injector = injector
        self.start_ns = 0
        self.in_flight = 0
        self.users = 0
        self.not_built = self.without_data = self.unfinished = self.unsent = 0
        self.operations: OperationLog | None = None  # of modelled clients
        self.connections: Callable[[], int] = lambda: 0
        self.before_frame: Callable[[], None] = lambda: None
        # Called where the work in bulk can be interrupted, so that no arrival waits for all of it.
        self.pause: Callable[[], None] = lambda: None
        self._secrets = secrets or Secrets()
        self.failures = FailureLog(self._secrets)
        self._writer = writer
        self._on_batch = on_batch
        self._rows = array("q")
        self._extend = self._rows.extend
        self._heads: list[bytes] = []
        self._begun = array("q")
        self.begin = self._begun.extend
        self._cells: dict[tuple[int, int, int, int], _CellSums] = {}
        self._fates: dict[tuple[int, int], _Fates] = {}
        self._start_lag = Histogram()
        # Phases whose arrivals are all due at one moment, and how long it took to begin them.
        self.burst_us: dict[int, int] = {}
        self._notes: list[str] = []
        self._noted: set[str] = set()
        self._frames = self._completed = self._offered = self._dropped = self._sent = 0
        self._id_prefix = b""
        self._heads_seen = 0
        self._cpu_ns, self._cpu_at_ns = process_time_ns(), perf_counter_ns()

    # -- while it runs ---------------------------------------------------------------------------
    #
    # `begin((intended_ns, phase))` says that a request is sent now, `add` that it has ended.

    def add(
        self, intended_ns: int, answer: Answer, kind: int, phase: int, step: int, attempt: int = 1
    ) -> None:
        """One request has ended; `attempt` counts what a modelled client sent again."""
        self._extend(
            (
                intended_ns,
                answer.start_ns,
                answer.connect_ns,
                answer.tls_ns,
                answer.first_byte_ns,
                answer.end_ns,
                answer.bytes_in,
                answer.status,
                kind,
                phase,
                step,
                answer.dns_ns,
                answer.connection,
                attempt,
            )
        )
        if self._writer is not None:
            self._heads.append(answer.head)

    def offered(self, second: int, phase: int, arrivals: int, dropped: int) -> None:
        """So many arrivals of a second and phase were due, and some of them were dropped."""
        fates = self._fates_of(second, phase)
        fates.offered += arrivals
        fates.dropped += dropped
        self._offered += arrivals
        self._dropped += dropped

    def note(self, text: str) -> None:
        """Something that a user should know, once; it is written to files, so without secrets."""
        text = self._secrets.hide(text)
        if text not in self._noted:
            self._noted.add(text)
            self._notes.append(text)

    # -- in bulk ---------------------------------------------------------------------------------

    def digest(self) -> None:
        """Sorts what has come since the last time into cells, and writes its records."""
        self._count_begun()
        if not self._rows:
            return
        # A new array: the old one belongs to numpy now.
        rows = np.frombuffer(self._rows, np.int64).reshape(-1, _COLUMNS)
        heads = self._heads
        self._rows = array("q")
        self._extend = self._rows.extend
        self._heads = []
        # Whole microseconds first, and everything else from those: frames and records agree.
        intended_us = (rows[:, _INTENDED] - self.start_ns) // 1000
        start_us = (rows[:, _START] - self.start_ns) // 1000
        service_us = (rows[:, _END] - rows[:, _START]) // 1000
        self._completed += len(rows)
        first = rows[:, _PHASE] >= FIRST
        rows[:, _PHASE] &= FIRST - 1
        self._add_lag(rows[first, _PHASE], (start_us - intended_us)[first])
        self.pause()
        self._sort(rows, intended_us, start_us - intended_us + service_us, service_us)
        if self._writer is not None:
            self._write(self._writer, rows, intended_us, start_us, service_us, heads)
            self.pause()
        if self._on_batch is not None:
            self._report(self._on_batch, rows)

    def frame(self) -> Frame:
        """All since the last frame."""
        self.before_frame()
        self.digest()
        now_ns = perf_counter_ns()
        cells, fates, start_lag = self._cells, self._fates, self._start_lag
        self._cells, self._fates, self._start_lag = {}, {}, Histogram()
        frame = Frame(
            injector=self.injector,
            number=self._frames,
            at_us=(now_ns - self.start_ns) // 1000,
            cells=[],
            counts=[
                PhaseCount(second, phase, fate.offered, fate.dropped, fate.sent)
                for (second, phase), fate in fates.items()
            ],
            in_flight=self.in_flight,
            users=self.users,
            cpu_share=self._cpu_share(now_ns),
            start_lag=start_lag.encode(),
            connections=self.connections(),
            notes=self._notes,
            failures=self.failures.take(),
        )
        self._frames += 1
        self._notes = []
        if self.operations is not None:
            operations, attempts = self.operations.take(self.start_ns, self.pause)
            frame.operations.extend(operations)
            frame.attempts.extend(attempts)
        for key, sums in cells.items():
            frame.cells.append(_cell(key, sums))
            self.pause()
        return frame

    def drained(self, cut_by_step: dict[str, int], stalls: StallWatch) -> Drained:
        """The books of the whole run; the last frame has been made before."""
        cut = sum(cut_by_step.values())
        return Drained(
            injector=self.injector,
            frames=self._frames,
            offered=self._offered,
            dropped=self._dropped,
            sent=self._sent,
            completed=self._completed,
            cut=cut,
            cut_by_step=cut_by_step,
            not_built=self.not_built,
            without_data=self.without_data,
            unfinished=self.unfinished,
            stalled_us=stalls.in_all_us,
            longest_stall_us=stalls.longest_us,
            retries=0 if self.operations is None else self.operations.retries,
            unsent=self.unsent,
        )

    def _fates_of(self, second: int, phase: int) -> _Fates:
        fates = self._fates.get((second, phase))
        if fates is None:
            fates = self._fates[second, phase] = _Fates()
        return fates

    def _cpu_share(self, now_ns: int) -> float:
        cpu_ns = process_time_ns()
        used_ns, passed_ns = cpu_ns - self._cpu_ns, now_ns - self._cpu_at_ns
        self._cpu_ns, self._cpu_at_ns = cpu_ns, now_ns
        return round(used_ns / passed_ns, 4) if passed_ns > 0 else 0.0

    def _add_lag(self, phases: Ints, lag_us: Ints) -> None:
        """The start lag of arrivals; that of bursts at once is their length, and stands apart."""
        for phase in self.burst_us:
            of_burst = phases == phase
            if of_burst.any():
                longest = int(lag_us[of_burst].max())
                self.burst_us[phase] = max(self.burst_us[phase], longest)
                phases, lag_us = phases[~of_burst], lag_us[~of_burst]
        self._start_lag.add(lag_us)

    def _sort(self, rows: Ints, intended_us: Ints, response_us: Ints, service_us: Ints) -> None:
        keys = (
            (intended_us // 1_000_000) << 48
            | rows[:, _PHASE] << 32
            | rows[:, _STEP] << 16
            | rows[:, _KIND]
        )
        order = keys.argsort(kind="stable")
        keys = keys[order]
        borders = np.flatnonzero(np.diff(keys, prepend=-(1 << 62)))
        ends = np.append(borders[1:], len(keys))
        for begin, end in zip(borders.tolist(), ends.tolist(), strict=True):
            chosen = order[begin:end]
            key = int(keys[begin])
            sums = self._sums((key >> 48, key >> 32 & 0xFFFF, key >> 16 & 0xFFFF, key & 0xFFFF))
            sums.count += len(chosen)
            sums.bytes_in += int(rows[chosen, _BYTES_IN].sum())
            sums.response.add(response_us[chosen])
            self.pause()
            sums.service.add(service_us[chosen])
            self.pause()
            _add_parts(sums, rows[chosen])
            self.pause()

    def _sums(self, key: tuple[int, int, int, int]) -> _CellSums:
        sums = self._cells.get(key)
        if sums is None:
            sums = self._cells[key] = _CellSums()
        return sums

    def _count_begun(self) -> None:
        if not self._begun:
            return
        begun = np.frombuffer(self._begun, np.int64).reshape(-1, 2)
        self._begun = array("q")
        self.begin = self._begun.extend
        self._sent += len(begun)
        seconds = (begun[:, 0] - self.start_ns) // _SECOND_NS
        keys, counts = np.unique(seconds << 16 | begun[:, 1], return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            self._fates_of(key >> 16, key & 0xFFFF).sent += count

    def _write(
        self,
        writer: RecordWriter,
        rows: Ints,
        intended_us: Ints,
        start_us: Ints,
        service_us: Ints,
        heads: list[bytes],
    ) -> None:
        records = np.zeros(len(rows), RECORD)
        records["intended_us"] = intended_us
        records["start_us"] = start_us
        records["service_us"] = service_us
        answered = rows[:, _FIRST_BYTE] > 0
        first_byte_us = np.where(answered, (rows[:, _FIRST_BYTE] - rows[:, _START]) // 1000, 0)
        records["first_byte_us"] = np.minimum(first_byte_us, _U4_MOST)
        records["connect_us"] = np.minimum(rows[:, _CONNECT] // 1000, _U4_MOST)
        records["tls_us"] = np.minimum(rows[:, _TLS] // 1000, _U4_MOST)
        records["bytes_in"] = np.minimum(rows[:, _BYTES_IN], _U4_MOST)
        for name, column in (("status", _STATUS), ("kind", _KIND), ("phase", _PHASE)):
            records[name] = rows[:, column]
        records["step"] = rows[:, _STEP]
        records["dns_us"] = np.minimum(rows[:, _DNS] // 1000, _U4_MOST)
        records["connection"] = rows[:, _CONNECTION]
        records["attempt"] = np.minimum(rows[:, _ATTEMPT], 255)
        if self._id_prefix or self._heads_seen < _LOOK_AT_HEADS:
            records["request_id"] = [self._request_id(head) for head in heads]
        try:
            writer.append(records)
        except OSError as error:
            self.note(f"could not write request records: {error.strerror or error}")

    def _request_id(self, head: bytes) -> bytes:
        # A search without regard to case costs microseconds: once it is found, its spelling is
        # known, and that of another server behind the same API is looked for again.
        if self._id_prefix:
            begin = head.find(self._id_prefix)
            if begin >= 0:
                begin += len(self._id_prefix)
                return head[begin : head.find(b"\r\n", begin)][:36]
        found = _REQUEST_ID.search(head)
        self._heads_seen += bool(head)
        if found is None:
            return b""
        self._id_prefix = head[found.start() : found.start(1)]
        return found[1]

    def _report(self, report: Callable[[Batch], None], rows: Ints) -> None:
        for step in np.unique(rows[:, _STEP]).tolist():
            of_step = rows[rows[:, _STEP] == step]
            response_ms = (of_step[:, _END] - of_step[:, _INTENDED]) / 1e6
            failed = int((of_step[:, _KIND] != 0).sum())
            report(Batch(step, response_ms, failed, int(of_step[:, _BYTES_IN].sum())))


def _add_parts(sums: _CellSums, rows: Ints) -> None:
    """First byte, connect and TLS, of those requests that have them."""
    answered = rows[rows[:, _FIRST_BYTE] > 0]
    sums.first_byte.add((answered[:, _FIRST_BYTE] - answered[:, _START]) // 1000)
    for histogram, column in ((sums.connect, _CONNECT), (sums.tls, _TLS)):
        made = rows[:, column]
        if made.any():
            histogram.add(made[made > 0] // 1000)


def _cell(key: tuple[int, int, int, int], sums: _CellSums) -> Cell:
    second, phase, step, kind = key
    return Cell(
        second,
        phase,
        step,
        kind,
        sums.count,
        sums.bytes_in,
        sums.response.encode(),
        sums.service.encode(),
        sums.first_byte.encode(),
        sums.connect.encode(),
        sums.tls.encode(),
    )
