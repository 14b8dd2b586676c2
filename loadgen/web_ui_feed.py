"""Feeds Locust's web UI, a child process, with what the injectors report."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from core.errors import InputError
from loadgen.messages import Cell, Frame
from loadgen.outcome import Kind
from loadgen.steps import StepInfo
from loadgen.tally import Tally

_END_TIMEOUT_S = 5.0


class WebUi:
    """The UI on `port` of 127.0.0.1, for as long as the context lasts.

    `on_stop` is called, in another thread, when somebody presses its Stop button.

    Raises:
        InputError: the port cannot be used.
    """

    def __init__(self, port: int, base_url: str, on_stop: Callable[[], None]) -> None:
        self._port = port
        self._base_url = base_url
        self._on_stop = on_stop
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._child = child = subprocess.Popen(
            [sys.executable, "-P", "-m", "loadgen.web_ui", str(self._port), self._base_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        line = child.stdout.readline() if child.stdout else b""
        news = json.loads(line) if line.strip() else {"do": "failed"}
        if news["do"] != "serving":
            self._end(child)
            raise InputError(
                f"--ui-port: could not serve the web UI on port {self._port}",
                hint="is the port in use? give another one",
            )
        self._port = int(news["port"])
        threading.Thread(target=self._listen, args=(child,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._child is not None:
            self._end(self._child)

    @property
    def url(self) -> str:
        """Where the UI is."""
        return f"http://127.0.0.1:{self._port}"

    def feed(self, frame: Frame, tally: Tally) -> None:
        """Passes on a frame that `tally` has booked."""
        cells = [
            _cell(cell, tally.steps[tally.step_number(frame.injector, cell.step)])
            for cell in frame.cells
        ]
        # In the open model the requests in flight are what comes closest to users.
        self._write({"users": tally.users or tally.in_flight, "cells": cells})

    def ended(self) -> None:
        """The run is over: the UI shows it as stopped."""
        self._write({"users": 0, "cells": [], "ended": True})

    def _write(self, news: dict[str, object]) -> None:
        # A UI that went away is no reason to end a run.
        with contextlib.suppress(OSError, ValueError):
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.write(json.dumps(news).encode() + b"\n")
                self._child.stdin.flush()

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ValueError):
            for line in child.stdout or ():
                if json.loads(line)["do"] == "stop":
                    self._on_stop()

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError):
            if child.stdin is not None:
                child.stdin.close()
        try:
            child.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _cell(cell: Cell, step: StepInfo) -> dict[str, object]:
    kind = Kind.of(cell.kind)
    words = kind.outcome.name.lower().replace("_", " ")
    if kind.cause:
        words += f": {kind.cause.name.lower().replace('_', ' ')}"
    return {
        "method": step.method,
        "name": step.name,
        "response": cell.response,
        "failed": cell.count if cell.kind else 0,
        "error": words,
        "bytes_in": cell.bytes_in,
    }
