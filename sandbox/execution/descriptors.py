"""File descriptors: as many as the host allows for the sandbox, Lambda's number for handlers.

An environment takes nine: what it listens on, its connection, the pipe of its output and what is
read of its process.
"""

from __future__ import annotations

import errno
import os
import resource
from contextlib import ExitStack, suppress

# Lambda quotas, "File descriptors", read 2026-09.
LAMBDA_DESCRIPTORS = 1024

# For 1,000 connections of clients and as many environments as a host can bear.
_WANTED_DESCRIPTORS = 65_536

# Kept free for connections of clients and of environments that are about to start.
_SPARE_DESCRIPTORS = 32


def raise_limit() -> None:
    """Lets this process have as many descriptors as it may, 65,536 at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else hard
    wanted = min(wanted, _WANTED_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS may have a lower limit of its own, which it does not tell.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limit_to_lambdas(pid: int) -> None:
    """Lets a process that was just started have as many as on AWS; only Linux can do so."""
    if not hasattr(resource, "prlimit"):
        return
    with suppress(OSError):  # it has ended already
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        most = LAMBDA_DESCRIPTORS if hard == resource.RLIM_INFINITY else hard
        most = min(most, LAMBDA_DESCRIPTORS)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))


def check_spare() -> None:
    """Makes sure that enough descriptors are left to serve those who have some already.

    Raises:
        OSError: there are too few.
    """
    with ExitStack() as opened:
        for _ in range(_SPARE_DESCRIPTORS):
            opened.callback(os.close, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))


def are_used_up(error: OSError) -> bool:
    """Whether the error says that this process, or the host, has no descriptor left."""
    return error.errno in (errno.EMFILE, errno.ENFILE)
