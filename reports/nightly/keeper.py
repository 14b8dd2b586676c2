"""`python keeper.py INTERRUPT_S TERMINATE_S COMMAND...`: ends a child in order.

Stands between a night and the child that runs a step. It ends with the child, in the same way. When
its stdin closes, which it does even if the night is killed, the child gets SIGINT, then SIGTERM,
then its process group SIGKILL, with so many seconds between: what a step changed on an account is
put back by the step, whatever became of the night. It needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

# A service manager or a CI job may signal all processes of a job at once: the child has its signal
# then, and a second one would make it leave without tidying up. Both arrive within milliseconds.
_SETTLE_S = 0.2


class Keeper:
    """Runs `command` until it ends, or until nobody is left who waits for it."""

    def __init__(self, command: Sequence[str], interrupt_s: float, terminate_s: float) -> None:
        self._command = command
        self._interrupt_s, self._terminate_s = interrupt_s, terminate_s
        self._signalled = threading.Event()

    def run(self) -> int:
        """The exit code of the child, negative for the signal that killed it."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)
        try:
            child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        except OSError as error:
            sys.stderr.write(f"could not start {self._command[0]}: {error.strerror}\n")
            return 1
        threading.Thread(target=self._end_with_stdin, args=(child,), daemon=True).start()
        return child.wait()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signalled.set()

    def _end_with_stdin(self, child: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        time.sleep(_SETTLE_S)
        if not self._signalled.is_set():
            child.send_signal(signal.SIGINT)
        if _ended(child, self._interrupt_s):
            return
        child.send_signal(signal.SIGTERM)
        if _ended(child, self._terminate_s):
            return
        os.killpg(0, signal.SIGKILL)


def _ended(child: subprocess.Popen[bytes], within_s: float) -> bool:
    try:
        child.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def main() -> None:
    """Ends as the child ends: with its code, or by its signal."""
    interrupt_s, terminate_s, *command = sys.argv[1:]
    code = Keeper(command, float(interrupt_s), float(terminate_s)).run()
    if code < 0:
        number = -code
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    sys.exit(code)


if __name__ == "__main__":
    main()
