"""Feeds Locust's web UI, a child process, with what the injectors report."""

from __future__ import annotations

import contextlib
import json
import queue
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
# Of a UI that does not keep up, news beyond that is left out: a run never waits for it.
_MOST_WAITING = 64


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
        self._news: queue.Queue[dict[str, object] | None] = queue.Queue()
        self._writer = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Self:
        self._child = child = subprocess.Popen(
            [sys.executable, "-P", "-m", "loadgen.web_ui", str(self._port), self._base_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._writer.start()
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
    def pid(self) -> int:
        """The process id of the UI."""
        if self._child is None:
            raise RuntimeError("the web UI has not been started")
        return self._child.pid

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
        self._tell({"users": tally.users or tally.in_flight, "cells": cells})

    def _tell(self, news: dict[str, object]) -> None:
        if self._news.qsize() < _MOST_WAITING:
            self._news.put(news)

    def _write(self) -> None:
        """Passes news on until there is no more, in a thread of its own."""
        # A UI that went away is no reason to end a run.
        with contextlib.suppress(OSError, ValueError):
            if self._child is not None and self._child.stdin is not None:
                while (news := self._news.get()) is not None:
                    self._child.stdin.write(json.dumps(news).encode() + b"\n")
                    self._child.stdin.flush()

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ValueError):
            for line in child.stdout or ():
                if json.loads(line)["do"] == "stop":
                    self._on_stop()

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        self._news.put(None)
        self._writer.join(_END_TIMEOUT_S)
        if self._writer.is_alive():
            child.kill()  # it does not read, so it would not see the end either
            self._writer.join()
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
