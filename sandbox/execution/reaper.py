"""Makes sure that no handler outlives the sandbox, however the sandbox ends.

A small helper process reads the process groups of all environments from a pipe that only the
sandbox holds. When the pipe closes, because the sandbox stopped, crashed or was killed, the
helper kills the groups that are left, and exits. Unlike a parent-death signal this also reaches
what handlers started, and works on any Unix.

On Linux it reaches processes that left the group as well, by a variable that they inherited, also
when an environment stops. One that left the group and cleared its environment survives a handler
that ends by itself, and a sandbox that is killed.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

from sandbox.execution.runtimes import BOOTSTRAP_DIR

_EXIT_TIMEOUT_S = 5.0


class Reaper:
    """The helper process; it starts with the first group that it is told of."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The helper's process id while it runs."""
        return None if self._process is None else self._process.pid

    def watch(self, group: int, mark: str = "") -> None:
        """Has `group` killed when the sandbox ends, and all that has the variable `mark`."""
        if self._process is None:
            # A group of its own keeps it alive through a Ctrl-C that ends the sandbox.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(BOOTSTRAP_DIR / "sandbox_reaper.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._tell(f"+{group} {mark}\n")

    def forget(self, group: int) -> None:
        """Says that `group` has ended; what still has its mark is killed soon."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Ends the helper, which kills whatever it still watches."""
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(_EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        # A helper that was killed from outside costs its protection, not the sandbox.
        with suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
