"""What a process printed: the last 256 KB of it, read a little at a time.

A handler can print faster than anybody reads, for as long as it runs. The API shows 4 KB of a
call's log, so the end is kept, and the pipe is never read until it is empty: the loop has other
calls to serve.
"""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import dataclass

from sandbox.execution.contract import LogMark

LIMIT_BYTES = 256 * 1024

# A pipe of Linux or macOS holds 64 KB unless its writer enlarged it: one read mostly empties it.
_CHUNK_BYTES = 65536
_CHUNKS_PER_READ = 4


@dataclass(frozen=True, slots=True)
class Output:
    """The end of what was printed; `dropped_bytes` came before it and are lost.

    `marks` tell when it came.
    """

    data: bytes = b""
    dropped_bytes: int = 0
    marks: tuple[LogMark, ...] = ()


_SILENCE = Output()


class OutputTail:
    """Gathers output and keeps the end of it."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._kept = bytearray()
        self._dropped_bytes = 0
        self._marks: deque[LogMark] = deque()  # offsets from the first byte, kept or dropped
        self.is_behind = False  # there was more than was read

    def read_some(self, descriptor: int) -> bool:
        """Reads a few chunks of what is there, without waiting; False when the output has ended."""
        self.is_behind = False
        for _ in range(_CHUNKS_PER_READ):
            try:
                chunk = os.read(descriptor, _CHUNK_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._add(chunk)
            if len(chunk) < _CHUNK_BYTES:
                return True
        self.is_behind = True
        return True

    def take(self) -> Output:
        """What was gathered since the last call."""
        if not self._kept:
            return _SILENCE
        dropped_bytes = self._dropped_bytes
        marks = tuple((end - dropped_bytes, at_ms) for end, at_ms in self._marks)
        output = Output(bytes(self._kept), dropped_bytes, marks)
        self._kept.clear()
        self._marks.clear()
        self._dropped_bytes = 0
        return output

    def _add(self, chunk: bytes) -> None:
        self._kept += chunk
        surplus_bytes = len(self._kept) - self._limit_bytes
        if surplus_bytes > 0:
            del self._kept[:surplus_bytes]
            self._dropped_bytes += surplus_bytes
        self._mark(int(time.time() * 1000))

    def _mark(self, now_ms: int) -> None:
        marks = self._marks
        if marks and marks[-1][1] == now_ms:
            marks.pop()
        marks.append((self._dropped_bytes + len(self._kept), now_ms))
        while marks[0][0] <= self._dropped_bytes < marks[-1][0]:
            marks.popleft()
