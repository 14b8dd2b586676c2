"""Starts commands of one package by fork, after all of its modules were imported once.

`python -m tests.system.fork_server PACKAGE DESCRIPTOR`: the socket DESCRIPTOR brings a line of JSON
(`arguments`, `folder`, `environment`) for each command, with four descriptors: the three standard
streams, and a socket that is told the process id and, when the command has ended, the exit code,
a line each. The server ends when its own socket is closed.

Imports take a second of processor time, several times what most commands take. What is forked is a
process of its own with everything else that a command started by a shell has.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from typing import Any

# Parts of loadgen that run in processes of their own, whose libraries patch sockets.
_APART = ("loadgen.injector", "loadgen.web_ui", "loadgen.wire")


def import_all(package: str) -> None:
    """Imports every module that the commands of a package may use."""
    if package in _APART:
        return
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        if module.ispkg:
            import_all(module.name)
        elif not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def serve(control: socket.socket) -> dict[str, Any] | None:
    """Starts what it is told to; returns only where there is something to run, or in the end."""
    while True:
        line, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 4)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # keepers that have ended
                pass
        if not line:
            return None
        while not line.endswith(b"\n"):
            line += control.recv(1 << 16)
        if os.fork() == 0:
            control.close()
            keep(descriptors)
            return dict(json.loads(line))
        for descriptor in descriptors:
            os.close(descriptor)


def keep(descriptors: list[int]) -> None:
    """Starts a command and tells how it ends; returns only in the process of the command."""
    *streams, teller = descriptors
    pid = os.fork()
    if pid == 0:
        os.close(teller)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return
    for descriptor in (0, 1, 2, *streams):
        os.close(descriptor)
    os.write(teller, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):  # the test has ended
        os.write(teller, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def run(package: str, asked: dict[str, Any]) -> None:
    """Becomes the command, as `python -m PACKAGE` is it."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.path[0] = asked["folder"]
    sys.argv = [package, *asked["arguments"]]
    sys.stdin = open(0, encoding=sys.stdin.encoding)  # noqa: SIM115
    sys.stdout = _stream(1, sys.stdout, line_buffering=False)
    sys.stderr = _stream(2, sys.stderr, line_buffering=True)
    runpy.run_module(package, run_name="__main__", alter_sys=True)


def _stream(number: int, like: Any, *, line_buffering: bool) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        open(number, "wb", closefd=False),
        encoding=like.encoding,
        errors=like.errors,
        line_buffering=line_buffering,
        write_through=like.write_through,
    )


if __name__ == "__main__":
    name = sys.argv[1]
    import_all(name)
    if name == "tuner":
        # Changes take some milliseconds in the sandbox of the tests; on AWS a second and more.
        from tuner import settle

        settle._POLL_FIRST_S = 0.01
    gc.freeze()  # else each command's collector would copy all that they made
    with socket.socket(fileno=int(sys.argv[2])) as sockets:
        to_run = serve(sockets)
    if to_run:
        run(name, to_run)
