"""Kills the process groups named on standard input when it closes: `+<group>` adds, `-` removes.

Runs as a process of its own, beside the sandbox (sandbox/execution/reaper.py).
"""

import os
import signal
import sys

groups = set()
for line in sys.stdin:
    group = int(line[1:])
    if line[0] == "+":
        groups.add(group)
    else:
        groups.discard(group)

for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        continue  # it ended by itself
