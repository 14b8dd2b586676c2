"""Hooks to run, with real programs, a real module and the sandbox's Lambda."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.aws.session import AwsSession, LocalAccess
from core.interrupt import StopRequest
from tuner.hook_kinds.asked import HooksAsked, check_hook_options
from tuner.hook_kinds.opening import open_hooks
from tuner.hooks import Hooks

# A module of the user's.
MODULE = """
import os, sys, time
calls = 0

def count(event):
    global calls
    calls += 1
    print("chatter")
    return {"call": calls, **event}

def keep(event): pass

def where(event):
    return {name: os.environ[f"TUNE_{name}"] for name in ("STEP", "FUNCTION", "MEMORY_MB")}

def note(event, output):
    with open("seen", "a") as seen:
        print(event, output, file=seen)

def refuse(event): raise ValueError(f"no order {event['order']}\\nsecond line")

def leave(event): sys.exit("not today")

def vanish(event): os._exit(7)

def not_json(event): return {1, 2}

def not_finite(event): return float("inf")

def sleep(event): time.sleep(60)

constant = 7
"""


def sh(script: str) -> str:
    """A command that runs `script`."""
    return f"sh -c '{script}'"


def asked(
    pre: str | None = None, post: str | None = None, timeout_s: float | None = None
) -> HooksAsked:
    return check_hook_options(pre, post, timeout_s)


@contextmanager
def hooks(
    access: LocalAccess,
    pre: str | None = None,
    post: str | None = None,
    *,
    timeout_s: float = 20,
    stop: StopRequest | None = None,
) -> Iterator[Hooks]:
    """The hooks of a run that tunes "orders"."""
    session = AwsSession(local=access)
    with open_hooks(
        asked(pre, post, timeout_s), "orders", session, stop or StopRequest(), at_once=1
    ) as opened:
        yield opened


def is_running(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be counted does not."""
    shown = subprocess.run(
        ["/bin/ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(shown) and not shown.startswith("Z")


def wait_until(condition: Callable[[], bool]) -> None:
    """Returns when it holds; fails after a long time."""
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def pid_in(file: Path) -> int:
    """The process id that a hook wrote to a file, as soon as it is there."""
    wait_until(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())
