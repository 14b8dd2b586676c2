"""Renews credentials while a run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from loadgen.auth.sources import Credentials, Sources

# How long the thread sleeps at most, and how long an end waits for it.
_LONGEST_WAIT_S = 3600.0
_STOP_TIMEOUT_S = 5.0


class RefreshLoop:
    """A thread that renews what is due and calls `on_change` with all credentials that changed.

    `on_change` runs in that thread and must not raise. Use as a context, or `start` and `stop`.
    """

    def __init__(self, sources: Sources, on_change: Callable[[Credentials], None]) -> None:
        self._sources = sources
        self._on_change = on_change
        self._told = sources.current()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="credentials", daemon=True)

    def start(self) -> None:
        """Begins to renew."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, and a command that it may be waiting for."""
        self._stop.set()
        self._sources.cancel()
        if self._thread.is_alive():
            self._thread.join(_STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stop.wait(self._wait_s()):
            renewed = self._sources.refresh()
            if renewed != self._told and not self._stop.is_set():
                self._told = renewed
                self._on_change(renewed)

    def _wait_s(self) -> float:
        due_s = self._sources.next_refresh_s()
        return _LONGEST_WAIT_S if due_s is None else min(due_s, _LONGEST_WAIT_S)
