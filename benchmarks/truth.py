"""Whether the response times that `loadgen` reports are the true ones, beside FastHttpUser's.

Run: python benchmarks/truth.py [--seconds S] [--rounds N] [--only constant|two-speeds|freeze]

A server with known delays (known_server.py) is asked in the open model, 200 and 1,000 Poisson
arrivals a second. Each request carries its number, so three things are known of each without
loadgen's clocks: when it was due (the schedule, computed again from the seed), when the server got
it, and when the server answered it. From these come

- by schedule: what an ideal client would see over a network without delay: the delay of the server,
  and for requests that are due in a freeze the rest of the freeze;
- true: what really happened: from when a request was due to when the server sent its answer, and
  the way back. That includes the way there over loopback and how late the generator began. The way
  back over loopback is that of a plain blocking socket, in the median of 200 requests before.

The percentiles of loadgen are the ones that its document reports. They have to be within 1 % or
0.1 ms of the true ones.

FastHttpUser asks a server of the same kind at the same rate, by constant_throughput and as many
users as would do for ten times the usual delay. It waits for each answer before it asks again, so
a freeze that should delay a tenth of all requests delays one for each user (coordinated omission).

The clocks: the server's is CLOCK_MONOTONIC. loadgen's counts from the beginning of the run. No
request can arrive before it was sent, and no answer can come before it was sent: the difference of
both clocks lies between what the fastest request and the fastest answer allow, which is some
0.05 ms; the middle is taken. That this range is not empty shows that loadgen's times are possible.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import socket
import statistics
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from known_server import Behaviour
from known_server import parser as server_parser
from numpy.typing import NDArray
from peers import LoadgenRun, profile, run_loadgen, run_locust
from servers import child

from loadgen.profile.model import Profile
from loadgen.records import read_records
from loadgen.schedule import arrivals, plan_phases

SERVER_CORE, CLIENT_CORE = 0, 1
RATES_RPS = (200, 1000)
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
# What is asked for: within either.
WANTED_SHARE, WANTED_MS = 0.01, 0.1

# Requests for the way back: their numbers are none of a run's.
FIRST_PROBE, PROBES = 1_000_000_000, 200

Ns = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Case:
    """A server, by its options; those of freezes are shares of the run's length."""

    name: str
    delay_ms: float
    options: tuple[str, ...] = ()
    freezes: int = 0  # in the run; together a tenth of it

    def arguments(self, seconds: float) -> list[str]:
        """The server's command line."""
        freezing: list[str] = []
        if self.freezes:
            every_s = seconds / self.freezes
            freezing = [f"--freeze-every-s={every_s}", f"--freeze-for-s={every_s / 10}"]
        return [f"--delay-ms={self.delay_ms}", *self.options, *freezing]


CASES = (
    Case("constant: 5 ms", 5),
    Case("two-speeds: 2 ms, 5% 50 ms", 2, ("--slow-ms=50", "--slow-share=0.05")),
    Case("freeze: 5 ms, a tenth of the time frozen", 5, freezes=3),
)


@dataclass(frozen=True, slots=True)
class Round:
    """Percentiles in ms, in the order of QUANTILES."""

    by_schedule: list[float]
    true: list[float]
    reported: list[float]
    peer: list[float]
    peer_requests: int
    clock_range_ms: float  # in which the difference of the clocks lies
    way_back_ms: float

    def errors_ms(self) -> list[float]:
        """How far off what loadgen reports is."""
        return [abs(a - b) for a, b in zip(self.reported, self.true, strict=True)]


def one_round(case: Case, rate: int, seconds: float, folder: Path) -> Round:
    """Both generators, one after the other, each with a server of its own."""
    folder.mkdir()
    server = (str(Path(__file__).with_name("known_server.py")), *case.arguments(seconds))
    with child(*server, core=SERVER_CORE) as ready:
        url = ready["endpoint_url"]
        way_back_ns = measure_way_back_ns(url)
        asked = _profile(url, rate, seconds, folder)
        run = run_loadgen(asked, folder / "loadgen", seconds=seconds, core=CLIENT_CORE)
        log = read_log(url)
    behaviour = Behaviour(server_parser().parse_args(case.arguments(seconds)), ready["begin_ns"])
    by_schedule, true, clock_range_ms = truth(
        run, Profile.model_validate(asked), log, behaviour, way_back_ns
    )
    with child(*server, core=SERVER_CORE) as ready:
        peer = run_locust(
            ready["endpoint_url"] + "/?n={n}",
            users=math.ceil(rate * case.delay_ms / 1000 * 10),
            rate=rate,
            seconds=seconds,
            core=CLIENT_CORE,
        )
    reported = run.document["response_ms"]
    return Round(
        by_schedule,
        true,
        [reported[name] for name in QUANTILES],
        [peer["response_ms"][name] for name in QUANTILES],
        peer["requests"],
        clock_range_ms,
        way_back_ns / 1e6,
    )


def _profile(url: str, rate: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Requests that carry their numbers, in the order in which they are due."""
    numbers = folder / "numbers.csv"
    most = int(rate * seconds * 1.5) + 1000
    numbers.write_text("n\n" + "".join(f"{number}\n" for number in range(most)))
    return profile(
        url,
        {
            "model": "open",
            "arrivals": "poisson",
            "max_in_flight": 10_000,
            "phases": [{"name": "hold", "duration": seconds, "rate": rate}],
        },
        flow=[{"get": "/?n=${data.numbers.n}", "name": "ask"}],
        data={"numbers": {"file": str(numbers)}},
        http={"max_connections": 10_000},
    )


def measure_way_back_ns(url: str) -> int:
    """From when the server sends an answer to when a blocking socket has it, in the median."""
    host, port = url.removeprefix("http://").split(":")
    had_ns = []
    before = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {CLIENT_CORE})
    with socket.create_connection((host, int(port))) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(FIRST_PROBE, FIRST_PROBE + PROBES):
            client.sendall(b"GET /?n=%d HTTP/1.1\r\nhost: x\r\n\r\n" % number)
            client.recv(1000)
            had_ns.append(time.perf_counter_ns())
            time.sleep(0.005)
    os.sched_setaffinity(0, before)
    log = read_log(url)
    return int(np.median(np.array(had_ns) - log[log[:, 0] >= FIRST_PROBE, 2]))


def read_log(url: str) -> Ns:
    """What the server noted: a row of (number, came, answered) for each request, by number."""
    with urllib.request.urlopen(url + "/log") as response:  # noqa: S310 # our own server
        rows = np.array(json.loads(response.read()), np.int64)
    by_number: Ns = rows[rows[:, 0].argsort()]
    return by_number


def truth(
    run: LoadgenRun, asked: Profile, log: Ns, behaviour: Behaviour, way_back_ns: int
) -> tuple[list[float], list[float], float]:
    """Percentiles by schedule and as they truly were, and the range of the clocks' difference.

    Raises:
        ValueError: loadgen and the server do not agree on what happened.
    """
    log = log[log[:, 0] < FIRST_PROBE]
    seed = run.document["provenance"]["seed"]
    chunks = arrivals(asked, plan_phases(asked), seed, 0, 1)
    due_ns = np.concatenate([chunk.at_us for chunk in chunks]) * 1000
    records = np.sort(np.concatenate(read_records(run.folder)), order=["intended_us", "start_us"])
    if not len(due_ns) == len(records) == len(log) == run.document["requests"]["completed"]:
        raise ValueError(f"{len(due_ns)} due, {len(records)} recorded, {len(log)} served")
    if (records["intended_us"] * 1000 != due_ns).any() or (log[:, 0] != range(len(log))).any():
        raise ValueError("requests were not made by the schedule")
    came_ns, answered_ns = log[:, 1], log[:, 2]
    start_ns = records["start_us"] * 1000
    most_ns = int((came_ns - start_ns).min())
    least_ns = int((answered_ns - start_ns - records["service_us"] * 1000).max())
    due_ns = due_ns + (least_ns + most_ns) // 2  # on the server's clock
    ideal_ns = [behaviour.due_ns(number, int(due)) for number, due in enumerate(due_ns)]
    return (
        _percentiles_ms(np.array(ideal_ns, np.int64) - due_ns),
        _percentiles_ms(answered_ns + way_back_ns - due_ns),
        (most_ns - least_ns) / 1e6,
    )


def _percentiles_ms(times_ns: Ns) -> list[float]:
    """The smallest times that at least such a share of all do not exceed."""
    ordered = np.sort(times_ns) / 1e6
    return [float(ordered[math.ceil(share * len(ordered)) - 1]) for share in QUANTILES.values()]


def print_case(case: Case, rate: int, rounds: list[Round]) -> bool:
    """A table of medians over the rounds; whether loadgen was near enough to the truth."""
    print(f"\n{case.name + f', {rate:,}/s':48}" + "".join(f"{name:>11}" for name in QUANTILES))
    rows = {
        "by schedule, ms": [one.by_schedule for one in rounds],
        "true, ms": [one.true for one in rounds],
        "loadgen reports, ms": [one.reported for one in rounds],
        "  is off by, ms": [one.errors_ms() for one in rounds],
        "FastHttpUser reports, ms": [one.peer for one in rounds],
    }
    medians = {
        name: [statistics.median(cell) for cell in zip(*row, strict=True)]
        for name, row in rows.items()
    }
    for name, row in medians.items():
        print(f"{name:48}" + "".join(f"{value:>11.3f}" for value in row))
    limits_ms = [max(WANTED_MS, WANTED_SHARE * true) for true in medians["true, ms"]]
    errors_ms = medians["  is off by, ms"]
    near = [error <= limit for error, limit in zip(errors_ms, limits_ms, strict=True)]
    print(
        f"{'  is within 1 % or 0.1 ms':48}" + "".join(f"{'yes' if it else 'NO':>11}" for it in near)
    )
    range_ms = statistics.median(one.clock_range_ms for one in rounds)
    requests = statistics.median(one.peer_requests for one in rounds)
    back_ms = statistics.median(one.way_back_ms for one in rounds)
    print(
        f"  clocks are known to {range_ms:.3f} ms; the way back takes {back_ms:.3f} ms; "
        f"FastHttpUser made {requests:,.0f} requests"
    )
    return all(near)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=[case.name.partition(":")[0] for case in CASES])
    options = parser.parse_args()
    near = []
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if options.only in (None, case.name.partition(":")[0]):
                for rate in RATES_RPS:
                    place = Path(folder) / f"{case.name.partition(':')[0]}-{rate}"
                    rounds = [
                        one_round(case, rate, options.seconds, place.with_name(f"{place.name}-{n}"))
                        for n in range(options.rounds)
                    ]
                    near.append(print_case(case, rate, rounds))
    told = "met" if all(near) else "MISSED"
    print(f"\ntarget: all percentiles within 1 % or 0.1 ms of the truth: {told}")
    sys.exit(0 if all(near) else 1)


if __name__ == "__main__":
    main()
