"""Kills what handlers leave behind, and everything of theirs when standard input closes.

`+<group> <mark>` adds the process group of an environment, `-<group>` says that it was stopped.
The mark is a variable that all processes of the environment inherited; by it are found, on Linux,
those that left the group and whose parent has ended.

Runs as a process of its own, beside the sandbox (sandbox/execution/reaper.py).
"""

import os
import signal
import sys
from pathlib import Path


def kill_marked(marks):
    """Kills processes with one of the marks, until there are no new ones."""
    killed = set()
    while new := set(marked(marks)) - killed:
        for pid in new:
            kill(os.kill, pid)
        killed |= new


def marked(marks):
    """Process ids of those whose environment has one of the marks."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = path.read_bytes().split(b"\0")
        except OSError:
            continue  # it ended, or is another user's
        if not marks.isdisjoint(variables):
            yield int(path.parent.name)


def kill(how, number):
    """Kills a process or a group, if it is there."""
    try:
        how(number, signal.SIGKILL)
    except OSError:
        return


mark_of = {}
for line in sys.stdin.buffer:
    group, _, mark = line[1:].rstrip(b"\n").partition(b" ")
    if line[:1] == b"+":
        mark_of[int(group)] = mark
    elif stopped := mark_of.pop(int(group), b""):
        kill_marked({stopped})

for group in mark_of:
    kill(os.killpg, group)
kill_marked(set(mark_of.values()) - {b""})
