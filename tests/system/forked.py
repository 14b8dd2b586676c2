"""Commands as processes of their own that need not import everything first."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO

_ROOT = Path(__file__).parents[2]


class Forked:
    """A running command with what tests use of `subprocess.Popen`."""

    def __init__(
        self,
        package: str,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        self.args = [package, *arguments]
        self.returncode: int | None = None
        asked = {"arguments": list(arguments), "folder": str(folder)}
        line = json.dumps(asked | {"environment": dict(environment)}).encode() + b"\n"
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        self._keeper, its_end = socket.socketpair()
        given = [nothing, out_end, err_end, its_end.detach()]
        server = _server_of(package)
        sent = socket.send_fds(server, [line], given)
        server.sendall(line[sent:])
        for descriptor in given:
            os.close(descriptor)
        self.stdout: IO[str] = open(out, encoding="utf-8")  # noqa: SIM115, PTH123
        self.stderr: IO[str] = open(err, encoding="utf-8")  # noqa: SIM115, PTH123
        self.pid = int(self._keeper.recv(64))

    def send_signal(self, number: int) -> None:
        """Sends a signal unless the command is known to have ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends the command at once."""
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """The exit code, or None while the command runs."""
        try:
            return self.wait(0.0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, as soon as the command has ended."""
        if self.returncode is None:
            self._keeper.settimeout(timeout)
            try:
                line = self._keeper.recv(64)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0) from None
            self.returncode = int(line)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What the command still says, until it has ended."""
        said: dict[str, str] = {}
        readers = [
            threading.Thread(target=lambda: said.update(out=self.stdout.read()), daemon=True),
            threading.Thread(target=lambda: said.update(err=self.stderr.read()), daemon=True),
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        self.wait(timeout)
        return said["out"], said["err"]

    def __enter__(self) -> Forked:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stdout.close()
        self.stderr.close()
        self.wait()
        self._keeper.close()


@cache
def _server_of(package: str) -> socket.socket:
    """The socket of a server for one package, which ends with this process."""
    control, its_end = socket.socketpair()
    with its_end:
        end = its_end.fileno()
        command = [sys.executable, "-m", "tests.system.fork_server", package, str(end)]
        server = subprocess.Popen(command, cwd=_ROOT, pass_fds=[end], stdin=subprocess.DEVNULL)

    def stop() -> None:
        control.close()
        server.wait()

    atexit.register(stop)
    return control
