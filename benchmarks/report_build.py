"""How long `reports build` takes for long runs, how much memory, and how large the page is.

Run: python benchmarks/report_build.py [--runs N] [--seed N]

Load runs are drawn from the seed (`long_runs.py`: phases, six causes of 429s, errors, a latency
each second, single seconds that stand out) and written as `loadgen run` writes them. Then, in turn,

- `reports build` makes its page in a process of its own: it starts, imports, reads and checks the
  result, draws, and writes. Wanted: below 2 s and below 1 MB, whatever the length;
- Locust makes its own HTML report of as long a run (`locust_report.py`), which it has in memory
  already: the time is of that alone, without start, import and reading. Once with a point a second,
  as the runs here have, and once with a point each 5 s, which is all that Locust keeps.

Times are medians over the rounds; CPU is that of the whole process in either case. About a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

LENGTHS_S = (1_000, 10_000, 100_000)
MOST_S, MOST_KB = 2.0, 1_000
_RATE_RPS = 100.0
# As many requests as fit in the time of an ordinary run.
_MILLION = (1_000, 1_000.0)


@dataclass(frozen=True, slots=True)
class Made:
    """One page: how long it took, and what the process used."""

    took_s: float
    cpu_s: float
    peak_mb: float
    size_kb: float


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `make` makes the page anew."""

    what: str
    tool: str
    make: Callable[[], Made]


def run_child(command: Sequence[str], page: Path) -> tuple[Made, str]:
    """Runs a command that writes `page`; the time is that of the whole process."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None  # noqa: S101 - by the line above
    told = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    took_s = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    if child.returncode:
        sys.exit(f"could not make {page.name}: {' '.join(command)} ended with {child.returncode}")
    cpu_s = usage.ru_utime + usage.ru_stime
    # Linux has kilobytes here, macOS bytes.
    peak_mb = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return Made(took_s, cpu_s, peak_mb, page.stat().st_size / 1e3), told


def ours(folders: Sequence[Path], page: Path) -> Made:
    """`reports build` of these runs."""
    script = Path(sys.executable).with_name("reports")
    made, _ = run_child([str(script), "build", *map(str, folders), "-o", str(page), "-q"], page)
    return made


def locust(length_s: int, every_s: int, page: Path) -> Made:
    """Locust's report of a run of this length; the time without start and import."""
    script = Path(__file__).with_name("locust_report.py")
    options = ["--seconds", str(length_s), "--every", str(every_s)]
    made, told = run_child([sys.executable, str(script), str(page), *options], page)
    return Made(json.loads(told)["took_s"], made.cpu_s, made.peak_mb, made.size_kb)


def rows_of(place: Path, seed: int) -> list[Row]:
    """What is made, in the order of the table."""
    page = place / "page.html"
    folders: list[Path] = []
    rows: list[Row] = []
    for length_s in LENGTHS_S:
        folder = _written(place, length_s, _RATE_RPS, seed)
        folders.append(folder)
        what = f"{length_s:,} s"
        rows.append(Row(what, "reports build", partial(ours, [folder], page)))
        for every_s in (1, 5):
            tool = f"Locust, a point each {every_s} s"
            rows.append(Row(what, tool, partial(locust, length_s, every_s, page)))
    unlimited = _written(place, LENGTHS_S[-1], _RATE_RPS, seed, "--unlimited")
    what = f"{LENGTHS_S[-1]:,} s, no 429"
    rows.append(Row(what, "reports build", partial(ours, [unlimited], page)))
    million = _written(place, *_MILLION, seed)
    rows.append(Row("1,000,000 requests", "reports build", partial(ours, [million], page)))
    rows.append(Row("the first three", "reports build", partial(ours, folders, page)))
    return rows


def _written(place: Path, length_s: int, rate_rps: float, seed: int, *more: str) -> Path:
    """The folder of a run, which a child makes: memory of this process would count for its own."""
    folder = place / f"{length_s}-{rate_rps:g}{''.join(more)}"
    script = Path(__file__).with_name("long_runs.py")
    options = ["--seconds", str(length_s), "--rate", str(rate_rps), "--seed", str(seed), *more]
    subprocess.run([sys.executable, str(script), str(folder), *options], check=True)
    return folder


def main() -> None:
    """Prints the table, and whether what is wanted is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="rounds over all pages (default 5)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = rows_of(Path(folder), options.seed)
        rounds = [[row.make() for row in rows] for _ in range(options.runs)]
    print(f"\nmedians of {options.runs} rounds on {os.cpu_count()} cores, seed {options.seed}\n")
    print(f"{'run':20}{'page by':24}{'s':>7}{'slowest':>9}{'CPU s':>8}{'peak MB':>9}{'KB':>9}")
    kept = True
    for row, made in zip(rows, zip(*rounds, strict=True), strict=True):
        took_s = statistics.median(one.took_s for one in made)
        print(
            f"{row.what:20}{row.tool:24}{took_s:7.2f}{max(one.took_s for one in made):9.2f}"
            f"{statistics.median(one.cpu_s for one in made):8.2f}"
            f"{max(one.peak_mb for one in made):9.0f}{made[-1].size_kb:9,.0f}"
        )
        if row.tool == "reports build":
            kept = kept and took_s < MOST_S and made[-1].size_kb < MOST_KB
    print(f"\nbelow {MOST_S:g} s and {MOST_KB:,} KB: {'yes' if kept else 'no'}")


if __name__ == "__main__":
    main()
