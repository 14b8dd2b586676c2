"""Whether the sandbox's memory stays flat under load.

Run: python benchmarks/sandbox_soak.py [--minutes M]

wrk (Debian's package) loads everything at once, in runs of 20 s with new connections each: a mock
with an ever new path and an access log, requests that are refused by a throttle, a modelled
function, and a real Python handler in real processes before a REST and an HTTP API. Detailed
metrics are on, and once a minute an SDK reads metrics and log events, as a monitor does.

Every 10 s it reads the resident memory of the front process and of all processes of the sandbox
from /proc, the open files, and what the logs take on the disk. At first memory does grow: addresses
are remembered, 20,000 at most; processes start; log groups fill up to 512 MB each, on disk. What
counts is the growth of the front process from the third minute to the last one, both as means.
"Flat" is less than 5 % or 20 MB; otherwise the exit code is 1. The requests are those of the runs
of wrk that have ended.

The processes of Python handlers do grow, by 110 to 150 bytes a call, and would on Lambda as well:
AWS's runtime client sets the variable _X_AMZN_TRACE_ID for each call, and the setenv of glibc keeps
every value that it has ever been given (measured with glibc 2.36; one trace id for all: no growth).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from servers import SANDBOX_UP

RUN_S = 20
SAMPLE_S = 10.0
READ_S = 60.0
# Flat is one of the two: what is less than measurement itself is worth.
FLAT_SHARE = 0.05
FLAT_MB = 20.0

STACK = """
name: soak
account: {throttle: {rate_rps: 1000000, burst: 1000000}}
functions:
  real: {folder: real, memory_mb: 1769}
  modelled:
    model:
      duration_ms: {"128": 5}
      noise: {log_sigma: 0.25}
      init_ms: 50
      hold: true
      response: {statusCode: 200, body: ok}
apis:
  soak:
    kind: rest
    throttle: {rate_rps: 1000000, burst: 1000000}
    access_log: true
    detailed_metrics: true
    execution_log: error
    routes:
      - {path: "/mock/{id}", method: GET, mock: {body: {ok: true}}}
      - {path: /throttled, method: GET, mock: {body: x}, throttle: {rate_rps: 10, burst: 10}}
      - {path: /real, method: GET, function: real}
      - {path: /modelled, method: GET, function: modelled}
  soakhttp:
    kind: http
    access_log: true
    detailed_metrics: true
    routes:
      - {path: "/real/{id}", method: GET, function: real}
"""
HANDLER = """
ANSWER = {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"ok":1}'}

def handler(event, context):
    print("served", event.get("path") or event.get("rawPath"))
    return ANSWER
"""
# Asks for another path each time. wrk gives each thread a state of its own.
NEW_PATHS = """
local number, base = 0, nil
function init(args) base = args[1] end
function request()
  number = number + 1
  return wrk.format("GET", base .. "/" .. os.time() .. "-" .. number)
end
"""


@contextmanager
def child(*arguments: str, scratch: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """A server in a process of its own, while the block runs: its id, what it says of itself.

    Its temporary files, with the logs among them, go to `scratch`.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    with process:
        if process.stdout is None:
            raise RuntimeError("the server has no stdout")
        try:
            yield process.pid, json.loads(process.stdout.readline())
        finally:
            process.terminate()


# Load


@dataclass(frozen=True, slots=True)
class Target:
    """What one wrk asks over and over; with `script`, below the path of `url`."""

    name: str
    url: str
    connections: int
    script: str | None = None


class Load:
    """wrk after wrk against one target, in a thread, until it is stopped."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.requests = 0
        self.refused = 0
        self.errors: list[str] = []

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        target = self._target
        command = ["wrk", "-t1", f"-c{target.connections}", f"-d{RUN_S}s"]
        if target.script is not None:
            path = re.sub(r"^http://[^/]+", "", target.url)
            command += ["-s", target.script, target.url, "--", path]
        else:
            command.append(target.url)
        while not self._stopping.is_set():
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            self._count(ended.stdout + ended.stderr)
            if ended.returncode != 0:
                return

    def _count(self, shown: str) -> None:
        found = re.search(r"(\d+) requests in", shown)
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", shown)
        self.requests += int(found[1]) if found else 0
        self.refused += int(refused[1]) if refused else 0
        socket_errors = re.search(r"Socket errors: .*", shown)
        if found is None or socket_errors is not None:
            self.errors.append(socket_errors[0] if socket_errors else shown.strip())


def targets(apis: dict[str, str], script: str) -> list[Target]:
    """What is asked, all at once."""
    rest, http = apis["soak"], apis["soakhttp"]
    return [
        Target("mock, ever new paths", f"{rest}/mock", 8, script),
        Target("throttled, 429", f"{rest}/throttled", 2),
        Target("modelled function", f"{rest}/modelled", 8),
        Target("real function, REST", f"{rest}/real", 4),
        Target("real function, HTTP API", f"{http}/real", 4, script),
    ]


class Monitor:
    """Reads metrics and log events once a minute, over the SDK."""

    def __init__(self, sandbox: dict[str, Any]) -> None:
        def client(service: str) -> Any:
            return boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=sandbox["endpoint_url"],
                region_name="us-east-1",
                aws_access_key_id="sandbox",
                aws_secret_access_key="sandbox",  # noqa: S106 - the sandbox's own
            )

        self._cloudwatch = client("cloudwatch")
        self._logs = client("logs")
        self._group = next(api["access_log_group"] for api in sandbox["apis"])

    def read(self) -> None:
        """The p99 of all minutes so far, and the newest lines of an access log."""
        now = datetime.now(UTC)
        self._cloudwatch.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "latency",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/ApiGateway",
                            "MetricName": "Latency",
                            "Dimensions": [{"Name": "ApiName", "Value": "soak"}],
                        },
                        "Period": 60,
                        "Stat": "p99",
                    },
                }
            ],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
        )
        self._logs.filter_log_events(
            logGroupName=self._group,
            startTime=int((now - timedelta(seconds=1)).timestamp() * 1000),
            limit=1000,
        )


# Measuring


@dataclass(frozen=True, slots=True)
class Sample:
    """The sandbox at one moment, `at_s` seconds after the load began."""

    at_s: float
    front_mb: float
    tree_mb: float
    processes: int
    open_files: int
    log_mb: float


def sample(pid: int, folder: Path, at_s: float) -> Sample:
    """Reads what /proc says of the front process and all that it started."""
    tree = [pid, *_descendants(pid)]
    logs_bytes = sum(_size(file) for file in folder.rglob("*.log"))
    return Sample(
        at_s=at_s,
        front_mb=_resident_mb(pid),
        tree_mb=sum(_resident_mb(one) for one in tree),
        processes=len(tree),
        open_files=len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208 - names are enough
        log_mb=logs_bytes / 2**20,
    )


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # The name of the process, in parentheses, may hold anything.
            after_name = _text(entry / "stat").rpartition(")")[2].split()
            if after_name:
                children.setdefault(int(after_name[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        own = children.get(waiting.pop(), [])
        found += own
        waiting += own
    return found


def _resident_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", _text(Path(f"/proc/{pid}/status")))
    return int(found[1]) / 1024 if found else 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # the process has ended


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # an old segment has gone


def watch(pid: int, folder: Path, monitor: Monitor, loads: list[Load], minutes: float) -> bool:
    """Samples while the load runs, and prints each minute; whether memory stayed flat."""
    samples: list[Sample] = []
    began_s = time.monotonic()
    print(
        f"{'minute':>6}{'requests':>12}{'front MB':>10}{'all MB':>9}{'processes':>11}"
        f"{'open files':>12}{'logs MB':>9}",
        flush=True,
    )
    next_read_s, minute_starts = READ_S, 0
    while (at_s := time.monotonic() - began_s) < minutes * 60:
        samples.append(sample(pid, folder, at_s))
        if at_s >= next_read_s:
            monitor.read()
            next_read_s += READ_S
        if len(samples) - minute_starts >= 60 / SAMPLE_S:
            _print_minute(samples[minute_starts:], loads)
            minute_starts = len(samples)
        time.sleep(max(0.0, len(samples) * SAMPLE_S - (time.monotonic() - began_s)))
    return _print_verdict(samples, minutes)


def _print_minute(samples: list[Sample], loads: list[Load]) -> None:
    last = samples[-1]
    print(
        f"{last.at_s / 60:>6.0f}{sum(load.requests for load in loads):>12,}"
        f"{statistics.mean(one.front_mb for one in samples):>10.1f}"
        f"{statistics.mean(one.tree_mb for one in samples):>9.1f}{last.processes:>11}"
        f"{last.open_files:>12}{last.log_mb:>9.0f}",
        flush=True,
    )


def _print_verdict(samples: list[Sample], minutes: float) -> bool:
    """The third minute beside the last one; of a short run, the third tenth and the last."""
    length_s = min(60.0, minutes * 6)
    end_s = minutes * 60
    early = [one for one in samples if 2 * length_s <= one.at_s < 3 * length_s]
    late = [one for one in samples if end_s - length_s <= one.at_s]
    if not early or not late:
        early, late = samples[:1], samples[-1:]
    before_mb = statistics.mean(one.front_mb for one in early)
    after_mb = statistics.mean(one.front_mb for one in late)
    all_before_mb = statistics.mean(one.tree_mb for one in early)
    all_after_mb = statistics.mean(one.tree_mb for one in late)
    growth_mb = after_mb - before_mb
    share = growth_mb / before_mb
    kept = [
        name
        for name, is_kept in (
            (f"less than {FLAT_SHARE:.0%}", share < FLAT_SHARE),
            (f"less than {FLAT_MB:g} MB", growth_mb < FLAT_MB),
        )
        if is_kept
    ]
    print(
        f"\nfront process: {before_mb:.1f} MB around {early[0].at_s:.0f}-{early[-1].at_s:.0f} s, "
        f"{after_mb:.1f} MB at the end: {growth_mb:+.1f} MB, {share:+.1%}; "
        + (f"flat ({' and '.join(kept)})" if kept else "NOT flat")
        + f"\nall processes: {all_before_mb:.1f} MB, {all_after_mb:.1f} MB at the end: "
        f"{all_after_mb - all_before_mb:+.1f} MB, {all_after_mb / all_before_mb - 1:+.1%}"
        f"\nlogs on disk at the end: {samples[-1].log_mb:.0f} MB",
        flush=True,
    )
    return bool(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt-get install wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "real").mkdir()
        (folder / "real" / "app.py").write_text(HANDLER)
        (folder / "real" / "function.json").write_text(
            '{"runtime": "python3", "handler": "app.handler"}'
        )
        (folder / "stack.yaml").write_text(STACK)
        (folder / "paths.lua").write_text(NEW_PATHS)
        scratch = folder / "scratch"
        scratch.mkdir()
        pid, sandbox = stack.enter_context(
            child(*SANDBOX_UP, "--stack", str(folder / "stack.yaml"), scratch=scratch)
        )
        apis = {api["name"]: api["url"] for api in sandbox["apis"]}
        asked = targets(apis, str(folder / "paths.lua"))
        with ExitStack() as running:
            loads = [running.enter_context(Load(target)) for target in asked]
            is_flat = watch(pid, scratch, Monitor(sandbox), loads, options.minutes)
        for target, load in zip(asked, loads, strict=True):
            print(f"{target.name:26}{load.requests:>12,} requests{load.refused:>12,} not 2xx")
            for error in load.errors[:3]:
                print(f"  {error}")
    if not is_flat:
        sys.exit("memory grows")


if __name__ == "__main__":
    main()
