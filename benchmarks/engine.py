"""How fast one injector of `loadgen` is, and how punctual, beside Locust's FastHttpUser and others.

Run: python benchmarks/engine.py [--seconds S] [--rounds N] [--only closed|open|http|https]

Everybody asks nginx for the same fixed answer over loopback: one nginx worker on one core, the load
generator with all its processes on another one, where taskset can do that. They take turns, round
by round, because machines are noisy; shown are medians over the rounds, and requests for each
second of the load generator's own CPU time (of loadgen, the injector's),
which hardly depend on what else the machine does.

- Closed model, 32 connections, each asking again as soon as it has an answer; HTTP and TLS.
  loadgen is run as a user runs it, with histograms, records on disk and one process, and verifies
  nginx's certificate; the others verify none, which makes no difference once connections stand.
  FastHttpUser: see locust_peer.py. wrk -t1, hey -cpus 1, autocannon as npm has it.
  The first second is warm-up, for FastHttpUser the first two.
- Open model, 5,000 requests/s for one core: how much later than planned requests began. loadgen has
  Poisson arrivals; the peer is FastHttpUser with 100 users of constant_throughput(50), which sleeps
  by gevent.sleep. It is no open model: what its server delays, it never sends.

nginx counts what it was asked, and that is compared with what loadgen says that it sent.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers import (
    LoadgenRun,
    PeerError,
    Speed,
    install_autocannon,
    profile,
    run_autocannon,
    run_hey,
    run_loadgen,
    run_locust,
    run_wrk,
)
from servers import StaticServer, on_core, static_server

CONNECTIONS = 32
OPEN_RPS = 5_000
OPEN_USERS = 100
SERVER_CORE, CLIENT_CORE = 0, 1
FAST = "Locust FastHttpUser"
OURS = "loadgen"
# What is asked for.
WANTED_RATIO = {"http": 4.0, "https": 3.0}
WANTED_LAG_P99_MS = 0.5

Ask = Callable[[str], Speed]  # of a URL


@dataclass(slots=True)
class Bench:
    """What a round needs, and what loadgen's runs came to."""

    server: StaticServer
    folder: Path
    seconds: float
    numbers: Iterator[int] = field(default_factory=itertools.count)
    differing: list[str] = field(default_factory=list)  # the server's count is another one

    def loadgen(self, url: str, load: dict[str, Any]) -> LoadgenRun:
        """One run, whose requests nginx counts as well."""
        asked = profile(url, load, flow=[{"get": "/"}], http={"ca_file": str(self.server.ca_file)})
        seen = self.server.seen()
        run = run_loadgen(
            asked,
            self.folder / f"run-{next(self.numbers)}",
            seconds=self.seconds,
            core=CLIENT_CORE,
        )
        seen = self.server.seen() - seen - 1
        sent = sum(phase["requests"]["sent"] for phase in run.document["phases"])
        if seen != sent:
            self.differing.append(f"nginx was asked {seen:,} times, loadgen says {sent:,}")
        return run


def closed_load(seconds: float) -> dict[str, Any]:
    """The closed model: a second to warm up, and what is measured."""
    return {
        "model": "closed",
        "phases": [
            {"name": "warm-up", "duration": 1, "users": CONNECTIONS, "measure": False},
            {"name": "hold", "duration": seconds, "users": CONNECTIONS},
        ],
    }


def open_load(seconds: float) -> dict[str, Any]:
    """The open model: a second to warm up, and what is measured."""
    return {
        "model": "open",
        "arrivals": "poisson",
        "max_in_flight": 1000,
        "phases": [
            {"name": "warm-up", "duration": 1, "rate": OPEN_RPS, "measure": False},
            {"name": "hold", "duration": seconds, "rate": OPEN_RPS},
        ],
    }


def askers(bench: Bench, autocannon: str | None) -> dict[str, Ask]:
    """Who takes part in the closed model, in the order of turns."""
    limits: dict[str, Any] = {"seconds": bench.seconds, "core": CLIENT_CORE}
    asking: dict[str, Ask] = {
        OURS: lambda url: bench.loadgen(url, closed_load(bench.seconds)).speed,
        FAST: lambda url: _fast(url, **limits),
        "wrk": lambda url: run_wrk(url, connections=CONNECTIONS, **limits),
        "hey": lambda url: run_hey(url, connections=CONNECTIONS, **limits),
    }
    if autocannon is not None:
        asking["autocannon"] = lambda url: run_autocannon(
            autocannon, url, connections=CONNECTIONS, **limits
        )
    return asking


def _fast(url: str, *, seconds: float, core: int) -> Speed:
    told = run_locust(url, users=CONNECTIONS, seconds=seconds, core=core)
    return Speed(told["rps"], told["cpu_share"])


def measure_closed(bench: Bench, asking: dict[str, Ask], scheme: str, rounds: int) -> bool:
    """Prints who made how many requests a second; whether loadgen made enough."""
    url = bench.server.http if scheme == "http" else bench.server.https
    made: dict[str, list[Speed]] = {name: [] for name in asking}
    for _ in range(rounds):
        for name, ask in asking.items():
            try:
                made[name].append(ask(url))
            except (PeerError, FileNotFoundError) as error:
                if name in (OURS, FAST):
                    raise
                print(f"  {name} is left out: {error}")
    _print_closed(f"closed model, {scheme.upper()}, {CONNECTIONS} connections", made)
    ratio = _ratio(made[OURS], made[FAST], lambda speed: speed.rps)
    by_cpu = _ratio(made[OURS], made[FAST], lambda speed: speed.per_cpu_s)
    wanted = WANTED_RATIO[scheme]
    return tell(
        f"loadgen makes at least {wanted:g}x",
        ratio >= wanted,
        f"{ratio:.2f}x; {by_cpu:.2f}x for the same CPU time",
    )


def _ratio(own: list[Speed], other: list[Speed], figure: Callable[[Speed], float]) -> float:
    """The median of the ratios in each round."""
    return statistics.median(figure(a) / figure(b) for a, b in zip(own, other, strict=False))


def _print_closed(title: str, made: dict[str, list[Speed]]) -> None:
    print(
        f"\n{title:40}{'requests/s':>12}{'lowest':>9}{'highest':>9}{'for a CPU s':>13}"
        f"{'of FastHttpUser':>17}"
    )
    for name, own in made.items():
        if own:
            rps = [speed.rps for speed in own]
            print(
                f"{name:40}{statistics.median(rps):>12,.0f}{min(rps):>9,.0f}{max(rps):>9,.0f}"
                f"{statistics.median(speed.per_cpu_s for speed in own):>13,.0f}"
                f"{_ratio(own, made[FAST], lambda speed: speed.rps):>16.2f}x"
            )


def measure_open(bench: Bench, rounds: int) -> bool:
    """Prints how punctual requests were; whether loadgen was punctual enough and dropped none."""
    url = bench.server.http
    runs, peers = [], []
    for _ in range(rounds):
        runs.append(bench.loadgen(url, open_load(bench.seconds)))
        peers.append(
            run_locust(
                url, users=OPEN_USERS, rate=OPEN_RPS, seconds=bench.seconds, core=CLIENT_CORE
            )
        )
    lags_ms = {
        quantile: [run.document["validity"][f"start_lag_{quantile}_ms"] for run in runs]
        for quantile in ("p50", "p99")
    }
    dropped = sum(run.document["requests"]["dropped"] for run in runs)
    title = f"open model, HTTP, {OPEN_RPS:,} requests/s"
    print(
        f"\n{title:36}{'requests/s':>12}{'lag p50 ms':>12}{'lag p99 ms':>12}{'dropped':>9}"
        f"{'CPU':>7}"
    )
    _print_open(
        OURS,
        [run.speed.rps for run in runs],
        lags_ms,
        [run.speed.cpu_share for run in runs],
        f"{dropped:,}",
    )
    _print_open(
        FAST + ", paced",
        [peer["rps"] for peer in peers],
        {quantile: [peer["lag_ms"][quantile] for peer in peers] for quantile in ("p50", "p99")},
        [peer["cpu_share"] for peer in peers],
        "unknown",
    )
    lag_ms = statistics.median(lags_ms["p99"])
    punctual = tell(
        f"start lag p99 below {WANTED_LAG_P99_MS:g} ms",
        lag_ms < WANTED_LAG_P99_MS,
        f"{lag_ms:.2f} ms",
    )
    return tell("none dropped", dropped == 0, f"{dropped:,}") and punctual


def _print_open(
    name: str,
    rps: list[float],
    lags_ms: dict[str, list[float]],
    cpu_shares: list[float],
    dropped: str,
) -> None:
    print(
        f"{name:36}{statistics.median(rps):>12,.0f}{statistics.median(lags_ms['p50']):>12.3f}"
        f"{statistics.median(lags_ms['p99']):>12.3f}{dropped:>9}"
        f"{statistics.median(cpu_shares):>7.0%}"
    )


def tell(target: str, is_met: bool, measured: str) -> bool:  # noqa: FBT001 # it is the answer
    """Prints a target and whether it was met, and gives that back."""
    print(f"target: {target}: {'met' if is_met else 'MISSED'} ({measured})")
    return is_met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("closed", "http", "https", "open"))
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(static_server(folder, core=SERVER_CORE))
        if server is None:
            sys.exit("nginx is needed: apt-get install nginx")
        where = "each on a core of its own" if on_core(CLIENT_CORE) else "not pinned to cores"
        print(
            f"nginx and the load generator {where}; "
            f"{options.rounds} rounds of {options.seconds:g} s each; medians"
        )
        bench = Bench(server, folder, options.seconds)
        met = []
        if options.only != "open":
            asking = askers(bench, find_autocannon(folder))
            for scheme in ("http", "https"):
                if options.only in (None, "closed", scheme):
                    met.append(measure_closed(bench, asking, scheme, options.rounds))
        if options.only in (None, "open"):
            met.append(measure_open(bench, options.rounds))
        same = "; ".join(bench.differing) or "the same number, in all runs"
        met.append(tell("nginx was asked as often as loadgen says", not bench.differing, same))
    sys.exit(0 if all(met) else 1)


def find_autocannon(folder: Path) -> str | None:
    """Its command; None, said in the output, where it cannot be had."""
    try:
        return install_autocannon(folder)
    except PeerError as error:
        print(f"autocannon is left out: {error}")
        return None


if __name__ == "__main__":
    main()
