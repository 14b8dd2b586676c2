"""Kills what handlers leave behind, and everything of theirs when standard input closes.

`+<group> <mark>` adds the process group of an environment, `-<group>` says that it was stopped.
The mark is a variable that all processes of the environment inherited; by it are found, on Linux,
those that left the group and whose parent has ended.

A look at all processes takes a tenth of a second where there are thousands, so one look serves all
environments that were stopped since the last. One look may miss a process: while it executes a
program its variables are empty for a moment, and one that was just started may be listed too late.
Hence a second look after a pause, and at the end one for all that were ever stopped.

Runs as a process of its own, beside the sandbox (sandbox/execution/reaper.py).
"""

import os
import select
import signal
import sys
import time
from collections import deque
from pathlib import Path

PROC = Path("/proc")
SECOND_LOOK_S = 0.5
# How long the last look waits for processes that are executing a program.
PATIENCE_S = 0.5
PATIENCE_STEP_S = 0.005
CHUNK_BYTES = 65536
# Marks kept for the last look; enough for days, in some megabytes.
MOST_STOPPED = 20_000


def serve(source):
    """Does what the lines from the descriptor `source` say until it closes."""
    mark_of = {}
    stopped = deque(maxlen=MOST_STOPPED)
    second_look_at_s = {}  # of marks
    unfinished = b""
    is_open = True
    while is_open:
        wait_for(source, second_look_at_s.values())
        data, is_open = read_all(source)
        *lines, unfinished = (unfinished + data).split(b"\n")
        new = note(lines, mark_of)
        stopped.extend(new)
        if not is_open:
            break
        now_s = time.monotonic()
        due = {mark for mark, at_s in second_look_at_s.items() if at_s <= now_s}
        kill_marked(due.union(new))
        for mark in due:
            del second_look_at_s[mark]
        second_look_at_s.update(dict.fromkeys(new, time.monotonic() + SECOND_LOOK_S))
    for group in mark_of:
        kill(os.killpg, group)
    kill_marked({*mark_of.values(), *stopped} - {b""}, PATIENCE_S)


def wait_for(source, times_s):
    """Waits until there is something to read, or the first of the times has come."""
    timeout_s = max(0.0, min(times_s) - time.monotonic()) if times_s else None
    select.select([source], [], [], timeout_s)


def read_all(source):
    """What can be read without waiting, and whether more may follow."""
    data = b""
    while select.select([source], [], [], 0)[0]:
        chunk = os.read(source, CHUNK_BYTES)
        if not chunk:
            return data, False
        data += chunk
    return data, True


def note(lines, mark_of):
    """Notes the groups that came; gives the marks of those that were stopped."""
    stopped = []
    for line in lines:
        group, _, mark = line[1:].partition(b" ")
        if line[:1] == b"+":
            mark_of[int(group)] = mark
        elif gone := mark_of.pop(int(group), b""):
            stopped.append(gone)
    return stopped


def kill_marked(marks, patience_s=0.0):
    """Kills processes with one of the marks, until there are no new ones.

    Waits up to `patience_s` for those of which it cannot be told yet.
    """
    if not marks:
        return
    killed = set()
    give_up_s = time.monotonic() + patience_s
    pids = processes()
    while pids:
        found, unclear = look_at(pids, marks)
        if new := found - killed:
            for pid in new:
                kill(os.kill, pid)
            killed |= new
            pids = processes()
        elif unclear and time.monotonic() < give_up_s:
            time.sleep(PATIENCE_STEP_S)
            pids = unclear
        else:
            return


def processes():
    """Ids of all processes; none where the system has no /proc."""
    return {path.name for path in PROC.glob("[0-9]*")}


def look_at(pids, marks):
    """Which of the processes have one of the marks, and of which it cannot be told yet."""
    found, unclear = set(), set()
    for pid in pids:
        try:
            variables = (PROC / pid / "environ").read_bytes()
            if not variables and is_executing(PROC / pid):
                unclear.add(pid)
        except OSError:
            continue  # it ended, or is another user's
        if not marks.isdisjoint(variables.split(b"\0")):
            found.add(pid)
    return found, unclear


def is_executing(directory):
    """Whether a process has new memory without arguments: those are there before its variables."""
    has_memory = not (directory / "statm").read_bytes().startswith(b"0 ")
    return has_memory and not (directory / "cmdline").read_bytes()


def kill(how, number):
    """Kills a process or a group, if it is there."""
    try:
        how(int(number), signal.SIGKILL)
    except OSError:
        return


if __name__ == "__main__":
    serve(sys.stdin.fileno())
