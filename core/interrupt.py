"""Ctrl-C, SIGTERM and a closed terminal as a request to stop: tidy up first, then leave."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import NoReturn, Self

from core.errors import ExitCode


class StopRequest:
    """Catches SIGINT, SIGTERM and SIGHUP while it is entered.

    The first signal only sets `requested`, so that no AWS call is torn in the middle; the second
    ends the process at once, after `abandon` has said what stays behind.
    """

    def __init__(
        self, on_first: Callable[[], None] | None = None, abandon: Callable[[], None] | None = None
    ) -> None:
        self._event = threading.Event()
        self.announce(on_first=on_first, abandon=abandon)
        self._endings: list[Callable[[], None]] = []
        self._previous: dict[signal.Signals, object] = {}
        self.exit_code = ExitCode.INTERRUPTED
        self._telling = False
        self._leave_with: ExitCode | None = None  # a second signal came while the first was told of

    def announce(
        self, *, on_first: Callable[[], None] | None, abandon: Callable[[], None] | None
    ) -> None:
        """From now on the first signal calls `on_first`, and the second one `abandon`."""
        self._on_first = on_first or (lambda: None)
        self._abandon = abandon or (lambda: None)

    def before_leaving(self, end: Callable[[], None]) -> None:
        """Where a second signal ends the process at once, `end` is called first.

        It must neither wait nor raise.
        """
        self._endings.append(end)

    @property
    def requested(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleeps for `seconds` or until a stop is requested; True when it is."""
        return self._event.wait(seconds)

    def request(self, code: ExitCode = ExitCode.INTERRUPTED) -> None:
        """Asks to stop, as the first signal does."""
        self.exit_code = code
        self._event.set()

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP so that a run outlives its terminal: that stays so.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)  # type: ignore[arg-type] # what signal() returned

    def _handle(self, number: int, frame: FrameType | None) -> None:
        code = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
        if self._telling:
            # What the first one says goes to a stream that cannot be written to from within.
            self._leave_with = code
        elif self.requested:
            self._leave(code)
        else:
            self._tell_of_first(code)

    def _tell_of_first(self, code: ExitCode) -> None:
        self._telling = True
        try:
            self.request(code)
            self._on_first()
        finally:
            self._telling = False
        if self._leave_with is not None:
            self._leave(self._leave_with)

    def _leave(self, code: ExitCode) -> NoReturn:
        self._telling = True
        try:
            for end in self._endings:
                end()
            self._abandon()
        finally:
            # sys.exit would wait for the threads that hold invocations in flight.
            os._exit(code)
