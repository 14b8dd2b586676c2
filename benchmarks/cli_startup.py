"""How long `--help` of each console script takes, beside Python itself and a bare typer.

Prints the median of several runs and the ratio to `python -c pass`. About 10 s.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 15
SCRIPTS = ("tune", "loadgen", "reports", "sandbox")
BARE_TYPER = "import typer; a = typer.Typer(); a.command()(lambda: None); a(['--help'])"


def median_ms(command: list[str]) -> float:
    """The median wall time of `command` in ms."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    """Prints one line for each command."""
    folder = Path(sys.executable).parent
    python = median_ms([sys.executable, "-c", "pass"])
    commands = {"a bare typer app": [sys.executable, "-c", BARE_TYPER]}
    commands |= {f"{name} --help": [str(folder / name), "--help"] for name in SCRIPTS}
    print(f"{'command':20} {'median ms':>10} {'x python':>9}   ({RUNS} runs each)")
    print(f"{'python -c pass':20} {python:10.0f} {1:9.1f}")
    for name, command in commands.items():
        time_ms = median_ms(command)
        print(f"{name:20} {time_ms:10.0f} {time_ms / python:9.1f}")


if __name__ == "__main__":
    main()
