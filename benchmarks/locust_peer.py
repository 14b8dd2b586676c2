"""Locust's FastHttpUser in one process, as people use it: the peer of the load benchmarks.

Run: python benchmarks/locust_peer.py URL --users N --seconds S [--rate R]

Each user asks for the URL over and over, over a connection of its own; `{n}` in it becomes the
number of the request. With `--rate`, users are paced by `constant_throughput`, so that all of them
together make R requests a second. Prints one JSON object: what was done in the measured time, which
begins `--warm` seconds after the start, response times by Locust's own statistics, and, with a
rate, how much later than planned the requests began.

Settings: one task of one `client.get`, no wait between tasks without a rate, no log and no console
statistics, certificates not verified (FastHttpUser's default). The rest is as Locust has it.
"""

# ruff: noqa: I001 - locust comes first: it makes the standard library cooperative

from __future__ import annotations

from locust import FastHttpUser, constant, constant_throughput, task
from locust.env import Environment

import argparse
import json
import time
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import gevent

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


class Peer(FastHttpUser):  # type: ignore[misc] # locust has no types
    """Asks for one path."""

    abstract = True
    path = "/"

    @task  # type: ignore[untyped-decorator]
    def ask(self) -> None:
        self.client.get(self.path)


class Numbered(FastHttpUser):  # type: ignore[misc] # locust has no types
    """Asks for one path with the number of the request in it, at a pace; notes how late it is."""

    abstract = True
    path = "/"
    pace = staticmethod(constant(0))
    numbers = count()
    lags_s: list[float] = []  # noqa: RUF012 # of all users
    planned_s = 0.0

    def wait_time(self) -> float:
        wait_s: float = self.pace(self)
        self.planned_s = time.perf_counter() + wait_s
        return wait_s

    @task  # type: ignore[untyped-decorator]
    def ask(self) -> None:
        if self.planned_s:
            self.lags_s.append(time.perf_counter() - self.planned_s)
        self.client.get(self.path.replace("{n}", str(next(self.numbers))), name="/")


def run(url: str, *, users: int, seconds: float, warm_s: float, rate: float) -> dict[str, Any]:
    """What was done in the measured time."""
    parts = urlsplit(url)
    path = parts.path + ("?" + parts.query if parts.query else "")
    base = Numbered if rate or "{n}" in path else Peer
    changed: dict[str, Any] = {"host": f"{parts.scheme}://{parts.netloc}", "path": path}
    if rate:
        changed["pace"] = staticmethod(constant_throughput(rate / users))
    environment = Environment(user_classes=[type("Asking", (base,), changed)])
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users)
    gevent.sleep(warm_s)
    environment.stats.reset_all()
    Numbered.lags_s.clear()
    begin_s, cpu_s = time.perf_counter(), time.process_time()
    gevent.sleep(seconds)
    took_s, cpu_s = time.perf_counter() - begin_s, time.process_time() - cpu_s
    total = environment.stats.total
    told = {
        "requests": total.num_requests,
        "failures": total.num_failures,
        "rps": total.num_requests / took_s,
        "cpu_share": cpu_s / took_s,
        "response_ms": {
            name: total.get_response_time_percentile(share) for name, share in QUANTILES.items()
        }
        | {"max": total.max_response_time},
        "lag_ms": _lags_ms(sorted(Numbered.lags_s)),
    }
    runner.quit()
    return told


def _lags_ms(lags_s: list[float]) -> dict[str, float]:
    if not lags_s:
        return {}
    return {name: lags_s[int(share * len(lags_s))] * 1000 for name, share in QUANTILES.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--users", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=0.0)
    options = parser.parse_args()
    told = run(
        options.url,
        users=options.users,
        seconds=options.seconds,
        warm_s=options.warm,
        rate=options.rate,
    )
    print(json.dumps(told))


if __name__ == "__main__":
    main()
