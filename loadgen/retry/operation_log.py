"""What operations and their attempts came to in one injector: cheap to add to, told with frames.

A modelled client turns an operation into one or several requests. Requests are in the recorder as
all requests are; here is what only the client knows: which of them belong together.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from loadgen.histogram import Histogram
from loadgen.retry.cells import AttemptCell, Fate, OperationCell

Ints = NDArray[np.int64]
_SECOND_NS = 1_000_000_000
_MOST_ATTEMPTS = 255


class OperationLog:
    """Operations and attempts since the last frame; times are ns of `perf_counter_ns`.

    `begun((intended, phase, step))`, `sent((intended, held, phase, step, attempt))`, where `held`
    is how long the client's own rate limiter kept it; `answered((intended, end, phase, step,
    attempt, is_ok))`, `ended((intended, end, phase, step, fate))`. `intended` of a request is when
    it was due, of an operation when its first request was.
    """

    def __init__(self) -> None:
        self.retries = 0  # requests that were sent again, since the beginning
        self._clear()

    def _clear(self) -> None:
        self._begun, self._sent = array("q"), array("q")
        self._answered, self._ended = array("q"), array("q")
        self.begun = self._begun.extend
        self.sent = self._sent.extend
        self.answered = self._answered.extend
        self.ended = self._ended.extend

    def take(
        self, start_ns: int, pause: Callable[[], None]
    ) -> tuple[list[OperationCell], list[AttemptCell]]:
        """What has come since the last time, by second since `start_ns`.

        `pause` is called now and then, so that no arrival waits for all of it.
        """
        begun, sent = _rows(self._begun, 3), _rows(self._sent, 5)
        answered, ended = _rows(self._answered, 6), _rows(self._ended, 5)
        self._clear()
        operations: list[OperationCell] = []
        attempts: list[AttemptCell] = []
        for cell in (*_begun_cells(begun, start_ns), *_ended_cells(ended, start_ns)):
            operations.append(cell)
            pause()
        for one in (*_sent_cells(sent, start_ns), *_answered_cells(answered, start_ns)):
            attempts.append(one)
            pause()
        return operations, attempts


def _rows(values: array[int], columns: int) -> Ints:
    rows = np.frombuffer(values, np.int64) if values else np.zeros(0, np.int64)
    return rows.reshape(-1, columns)


def _groups(
    rows: Ints, start_ns: int, phase: int, last: int | None = None
) -> Iterator[tuple[tuple[int, int, int, int], Ints]]:
    """The rows of each second, phase, step and value of the column `last`.

    The first column is a time; that of the step follows that of the phase.
    """
    if not len(rows):
        return
    seconds = (rows[:, 0] - start_ns) // _SECOND_NS
    keys = seconds << 40 | rows[:, phase] << 24 | rows[:, phase + 1] << 8
    if last is not None:
        keys |= np.minimum(rows[:, last], _MOST_ATTEMPTS)
    order = keys.argsort(kind="stable")
    keys = keys[order]
    begins = np.flatnonzero(np.diff(keys, prepend=-(1 << 62)))
    for begin, end in pairwise([*begins.tolist(), len(keys)]):
        key = int(keys[begin])
        group = key >> 40, key >> 24 & 0xFFFF, key >> 8 & 0xFFFF, key & 0xFF
        yield group, rows[order[begin:end]]


def _begun_cells(rows: Ints, start_ns: int) -> Iterator[OperationCell]:
    for (second, phase, step, _), chosen in _groups(rows, start_ns, 1):
        yield OperationCell(second, phase, step, begun=len(chosen))


def _ended_cells(rows: Ints, start_ns: int) -> Iterator[OperationCell]:
    for (second, phase, step, fate), chosen in _groups(rows, start_ns, 2, 4):
        latency = ""
        if fate != Fate.RUN_ENDED:  # it has no end of its own
            latency = Histogram.of((chosen[:, 1] - chosen[:, 0]) // 1000).encode()
        yield OperationCell(second, phase, step, fate=fate, ended=len(chosen), latency=latency)


def _sent_cells(rows: Ints, start_ns: int) -> Iterator[AttemptCell]:
    for (second, phase, step, attempt), chosen in _groups(rows, start_ns, 2, 4):
        held = chosen[chosen[:, 1] > 0, 1]
        yield AttemptCell(
            second,
            phase,
            step,
            attempt,
            sent=len(chosen),
            held=len(held),
            held_us=int(held.sum()) // 1000,
        )


def _answered_cells(rows: Ints, start_ns: int) -> Iterator[AttemptCell]:
    for (second, phase, step, attempt), chosen in _groups(rows, start_ns, 2, 4):
        yield AttemptCell(
            second,
            phase,
            step,
            attempt,
            completed=len(chosen),
            ok=int(chosen[:, 5].sum()),
            response=Histogram.of((chosen[:, 1] - chosen[:, 0]) // 1000).encode(),
        )
