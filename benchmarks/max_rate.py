"""How near `search: max_rate` comes to the true highest rate, beside a linear ramp.

Run: python benchmarks/max_rate.py [--simulated N] [--served N] [--throttled N] [--seed S]

Each round draws an API at random whose highest rate is known:

- simulated queue: M/M/c in virtual time, 1 to 8 servers, p95 < 300 ms; what is known is the formula
  for M/M/c (Gross and Harris, Fundamentals of Queueing Theory). Steps of 10 s, Poisson arrivals.
- simulated bucket: a token bucket with a burst of 0.3 to 5 seconds of its rate, of which 1 % may be
  refused, also in virtual time.
- served queue: the same queue with 1 to 3 servers as an HTTP server on this machine, p95 < 100 ms,
  asked by `loadgen run` in real time, steps of 3 s: some 4 minutes a round.
- throttled stage: a stage of an API in the sandbox with a random throttle, steps of 4 s: the same.

The peer is what a ramp tells: the rate rises evenly over 60 s (in real time: 30 s) from the lower
to the upper bound, and the answer is the rate in the first second whose own requests break the SLO.

Shown: the true rate, what was found, its error, whether its interval (the highest rate that was
seen to hold, the lowest that was seen to break) has the truth, requests and time, and the ramp.
"""

from __future__ import annotations

import argparse
import json
import os

# Many small fits at once: threads of the linear algebra would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from peers import LOADGEN, profile
from servers import child

from loadgen.outcome import Kind, Outcome
from loadgen.profile.model import Profile
from loadgen.search.plan import search_plan
from loadgen.search.simulated import Queue, System, TokenBucket, play

BOUNDS = (20.0, 400.0)
SERVED_BOUNDS = (20.0, 300.0)
LIMIT_S, SERVED_LIMIT_S = 0.3, 0.1
REFUSED_SHARE = 0.01
RAMP_S, SERVED_RAMP_S = 60, 30
WANTED = 0.05
_LONGEST_S = 1500.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one API is, what was found, and what a ramp says."""

    kind: str
    words: str
    true_rps: float
    found_rps: float | None
    low_rps: float | None
    high_rps: float | None
    ended: str
    requests: int
    took_s: float
    ramp_rps: float | None

    @property
    def error(self) -> float | None:
        """Of what was found, as a share of the truth."""
        return None if self.found_rps is None else self.found_rps / self.true_rps - 1

    @property
    def covers(self) -> bool:
        """Whether the truth is in the interval, as far as it has ends."""
        low = 0.0 if self.low_rps is None else self.low_rps
        return low <= self.true_rps and (self.high_rps is None or self.true_rps <= self.high_rps)


# -- in virtual time ------------------------------------------------------------------------------


def _searching(
    bounds: Sequence[float], slo: Sequence[str], step: str, **more: Any
) -> dict[str, Any]:
    phase = {"name": "most", "search": "max_rate", "bounds": list(bounds), "slo": list(slo)}
    return {"arrivals": "poisson", "phases": [phase | {"step": step} | more]}


def _simulated(
    kind: str, words: str, true_rps: float, makes: Callable[[int], System], seed: int
) -> Round:
    load = _searching(BOUNDS, [f"p95(ok_response) < {LIMIT_S * 1000:g}ms"], "10s")
    document = profile("http://127.0.0.1:1", load, flow=[{"get": "/"}])
    made = Profile.model_validate(document)
    found = play(search_plan(made, made.load.phases[-1]), makes(seed), seed)
    return Round(
        kind,
        words,
        true_rps,
        found.rate_rps,
        found.low_rps,
        found.high_rps,
        found.ended,
        found.requests,
        found.took_s,
        _ramp(makes(seed + 1), seed),
    )


def simulated_queue(rng: np.random.Generator, seed: int) -> Round:
    """M/M/c whose SLO is about its queue, and not about the time of service alone."""
    servers = int(rng.integers(1, 9))
    capacity_rps = rng.uniform(max(60.0, servers / 0.06), 350.0)

    def makes(number: int) -> System:
        return Queue(capacity_rps / servers, servers, np.random.default_rng(number))

    true_rps = Queue(capacity_rps / servers, servers, rng).p_limit_rps(0.05, LIMIT_S)
    words = f"{servers} servers, {capacity_rps:.0f}/s"
    return _simulated("simulated queue", words, true_rps, makes, seed)


def simulated_bucket(rng: np.random.Generator, seed: int) -> Round:
    """A token bucket; what may be refused is on top of its rate."""
    rate_rps, length_s = rng.uniform(40.0, 300.0), rng.uniform(0.3, 5.0)

    def makes(number: int) -> System:
        return TokenBucket(rate_rps, rate_rps * length_s, np.random.default_rng(number))

    words = f"{rate_rps:.0f}/s, burst {rate_rps * length_s:.0f}"
    true_rps = rate_rps / (1 - REFUSED_SHARE)
    return _simulated("simulated bucket", words, true_rps, makes, seed)


def _ramp(system: System, seed: int) -> float | None:
    """The rate in the first second of a ramp that breaks the SLO."""
    rng = np.random.default_rng(seed)
    low, high = BOUNDS
    at_s = np.sort(rng.uniform(0.0, 1.0, rng.poisson((low + high) / 2 * RAMP_S)))
    slope = (high - low) / RAMP_S
    # Arrivals on the integral of the rate: evenly spread ones, through its inverse.
    at_s = (np.sqrt(low**2 + 2 * slope * at_s * (low + high) / 2 * RAMP_S) - low) / slope
    latency_s, kinds = system.serve(at_s)
    refused = np.array([Kind.of(int(code)).outcome == Outcome.THROTTLED for code in kinds])
    for second in range(RAMP_S):
        here = (at_s >= second) & (at_s < second + 1)
        ok = latency_s[here & ~refused]
        slow = len(ok) > 0 and np.quantile(ok, 0.95) >= LIMIT_S
        if slow or refused[here].mean() >= REFUSED_SHARE:
            return low + slope * (second + 0.5)
    return None


# -- in real time ---------------------------------------------------------------------------------


def served_queue(rng: np.random.Generator, folder: Path) -> Round:
    """The queue as a server on this machine."""
    servers = int(rng.integers(1, 4))
    capacity_rps = rng.uniform(90.0, 250.0)
    seed = int(rng.integers(1, 10_000))
    queue = Queue(capacity_rps / servers, servers, rng)
    arguments = [
        str(Path(__file__).with_name("queue_server.py")),
        *("--servers", str(servers), "--rate-rps", str(capacity_rps / servers)),
        *("--seed", str(seed)),
    ]
    slo = [f"p95(ok_response) < {SERVED_LIMIT_S * 1000:g}ms"]
    flow = [{"get": "/?n=1"}]
    with child(*arguments) as served:
        url = served["endpoint_url"]
        load = _searching(SERVED_BOUNDS, slo, "3s", cool_down="1s")
        document = _run(profile(url, load, flow=flow, **_PATIENT), folder / "search")
    with child(*arguments) as served:
        ramped = _run(
            profile(served["endpoint_url"], _ramping(), flow=flow, **_PATIENT), folder / "ramp"
        )
    words = f"{servers} servers, {capacity_rps:.0f}/s"
    true_rps = queue.p_limit_rps(0.05, SERVED_LIMIT_S)
    return _round("served queue", words, true_rps, document, ramped)


def throttled_stage(rng: np.random.Generator, folder: Path) -> Round:
    """A stage of the sandbox with a throttle."""
    rate_rps = int(rng.integers(40, 150))
    throttle = {"rate_rps": rate_rps, "burst": round(rate_rps * rng.uniform(0.3, 2.0))}
    route = {"path": "/", "method": "GET", "mock": {"status": 200}}
    api = {"kind": "rest", "throttle": throttle, "routes": [route]}
    (folder / "stack.json").write_text(json.dumps({"name": "bench", "apis": {"bench": api}}))
    parts = {
        **_PATIENT,
        "target": {"api": {"name": "bench"}},
        "sandbox": {"stack": str(folder / "stack.json")},
        "aws": {"access_logs": False, "metrics": False},
    }
    flow = [{"get": "/"}]
    load = _searching(SERVED_BOUNDS, ["rate(throttled) < 1%"], "4s", cool_down="2s")
    document = _run(profile("", load, flow=flow) | parts, folder / "search", "--sandbox")
    ramped = _run(profile("", _ramping(), flow=flow) | parts, folder / "ramp", "--sandbox")
    words = f"{throttle['rate_rps']}/s, burst {throttle['burst']}"
    true_rps = rate_rps / (1 - REFUSED_SHARE)
    return _round("throttled stage", words, true_rps, document, ramped)


# Generator and server share the machine here.
_PATIENT = {"validity": {"max_start_lag": "50ms", "max_cpu": 1.0}}


def _ramping() -> dict[str, Any]:
    return {"phases": [{"name": "ramp", "duration": SERVED_RAMP_S, "rate": list(SERVED_BOUNDS)}]}


def _run(document: dict[str, Any], folder: Path, *options: str) -> dict[str, Any]:
    """The result of `loadgen run`, whatever its verdict is: a ramp breaks things on purpose."""
    folder.mkdir()
    (folder / "profile.yaml").write_text(json.dumps(document))
    done = subprocess.run(
        [
            LOADGEN,
            "run",
            str(folder / "profile.yaml"),
            "--runs",
            str(folder),
            "--json",
            "-q",
            "--yes",
            *options,
        ],
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    if not done.stdout:
        sys.exit(f"loadgen ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _round(
    kind: str, words: str, true_rps: float, document: dict[str, Any], ramped: dict[str, Any]
) -> Round:
    search = document["search"]
    if search is None:
        sys.exit(f"no search in the result: {document['errors']}")
    return Round(
        kind,
        words,
        true_rps,
        search["rate_rps"],
        search["low_rps"],
        search["high_rps"],
        search["ended"],
        search["requests"],
        search["took_s"],
        _first_broken(ramped["seconds"]),
    )


def _first_broken(seconds: Sequence[dict[str, Any]]) -> float | None:
    """The rate in the first second of a real ramp that breaks the SLO."""
    low, high = SERVED_BOUNDS
    for row in seconds:
        refused = sum(row["throttled"].values())
        p95_ms = row["response_p95_ms"]
        slow = p95_ms is not None and p95_ms >= SERVED_LIMIT_S * 1000
        if slow or refused >= REFUSED_SHARE * max(row["offered"], 1):
            return low + (high - low) * (float(row["second"]) + 0.5) / SERVED_RAMP_S
    return None


# -- what is shown --------------------------------------------------------------------------------


def _rounds(options: argparse.Namespace) -> dict[str, list[Round]]:
    rng = np.random.default_rng(options.seed)
    found: dict[str, list[Round]] = {}

    def add(one: Round) -> None:
        found.setdefault(one.kind, []).append(one)
        _show(one)

    for number in range(options.simulated):
        add(simulated_queue(rng, options.seed % 2**31 + number))
    for number in range(options.simulated):
        add(simulated_bucket(rng, options.seed % 2**31 + number))
    for draw, count in ((served_queue, options.served), (throttled_stage, options.throttled)):
        for _ in range(count):
            with tempfile.TemporaryDirectory() as folder:
                add(draw(rng, Path(folder)))
    return found


def _show(one: Round) -> None:
    error = "     -" if one.error is None else f"{one.error:+6.1%}"
    ramp = "     -" if one.ramp_rps is None else f"{one.ramp_rps / one.true_rps - 1:+6.0%}"
    interval = f"{_number(one.low_rps)} to {_number(one.high_rps)}"
    print(
        f"{one.kind:16} {one.words:22} true {one.true_rps:6.1f}  found {_number(one.found_rps)} "
        f"{error}  [{interval}] {'' if one.covers else 'NOT '}covered  "
        f"{one.requests:7,} requests, {one.took_s:5.0f} s, {one.ended}  ramp {ramp}",
        flush=True,
    )


def _number(rate_rps: float | None) -> str:
    return "     -" if rate_rps is None else f"{rate_rps:6.1f}"


def _summary(kind: str, rounds: Sequence[Round]) -> None:
    errors = [abs(one.error) for one in rounds if one.error is not None]
    ramps = [abs(one.ramp_rps / one.true_rps - 1) for one in rounds if one.ramp_rps is not None]
    widths = [
        one.high_rps / one.low_rps - 1
        for one in rounds
        if one.low_rps is not None and one.high_rps is not None
    ]
    print(
        f"{kind}: within {WANTED:.0%} in {sum(error <= WANTED for error in errors)} of "
        f"{len(rounds)}, covered in {sum(one.covers for one in rounds)} of {len(rounds)}; median "
        f"error {_median(errors)}, width {_median(widths)}, "
        f"{statistics.median(one.requests for one in rounds):,.0f} requests in "
        f"{statistics.median(one.took_s for one in rounds):.0f} s. Ramp: within {WANTED:.0%} in "
        f"{sum(error <= WANTED for error in ramps)} of {len(rounds)}, median error {_median(ramps)}"
    )


def _median(shares: Sequence[float]) -> str:
    return f"{statistics.median(shares):.1%}" if shares else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulated", type=int, default=20, help="rounds of each kind")
    parser.add_argument("--served", type=int, default=2)
    parser.add_argument("--throttled", type=int, default=1)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    found = _rounds(options)
    print()
    for kind, rounds in found.items():
        _summary(kind, rounds)


if __name__ == "__main__":
    main()
