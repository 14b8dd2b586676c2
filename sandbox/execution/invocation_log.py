"""The log of one invocation while it grows, with the times at which its parts came."""

from __future__ import annotations

import time

from sandbox.execution.contract import LogMark
from sandbox.execution.output import Output


class InvocationLog:
    """Gathers the lines of the platform and of the handler."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._marks: list[LogMark] = []
        self._bytes = 0

    def add(self, lines: bytes) -> None:
        """Adds whole lines that are logged now; none are as good as not called."""
        if lines:
            self._append(lines)
            self._marks.append((self._bytes, int(time.time() * 1000)))

    def add_output(self, output: Output) -> None:
        """Adds what the handler printed, with the times at which it came."""
        offset = self._bytes
        self._append(output.data)
        self._marks.extend((offset + end, at_ms) for end, at_ms in output.marks)
        if not output.data.endswith(b"\n"):
            # The platform's next line begins a line, whatever the handler printed last.
            self._append(b"\n")

    def text(self) -> bytes:
        """All lines."""
        return b"".join(self._parts)

    def marks(self) -> tuple[LogMark, ...]:
        """When they came."""
        return tuple(self._marks)

    def _append(self, data: bytes) -> None:
        self._parts.append(data)
        self._bytes += len(data)
