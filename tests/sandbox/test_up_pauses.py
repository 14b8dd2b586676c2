"""What a running sandbox never stops for."""

from __future__ import annotations

import subprocess
import sys

# Says at its end what the collector leaves alone, and what it has to look at.
WATCHED = """
import atexit, gc, sys

def tell():
    print(gc.get_freeze_count(), len(gc.get_objects()), file=sys.stderr)

atexit.register(tell)
from sandbox.cli import main
main()
"""
UP = ("up", "--no-functions", "--port", "0", "--json", "--stop-with-stdin", "-q")


def test_what_start_up_made_is_not_looked_at_by_the_collector_again() -> None:
    # A full collection of it takes 100 ms and more, and every request waits for that long.
    with subprocess.Popen(
        [sys.executable, "-c", WATCHED, *UP, "--stack", "orders"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()  # it is ready
        _, errors = process.communicate(timeout=30)

    frozen, looked_at = map(int, errors.splitlines()[-1].split())
    assert frozen > 10 * looked_at
