"""A server whose latency at every rate is known: M/M/c, a queue in front of a few servers.

Run: python benchmarks/queue_server.py --servers 2 --rate-rps 80 --seed 7

A request waits for the first of `--servers` servers that is free, and takes an exponentially
distributed time there, `1 / --rate-rps` in the mean. It answers `GET /?n=NUMBER`, and nobody is
ever refused. See known_server.py for how it keeps its times.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import socket

from known_server import Server

_NS = 1e9


class Queue:
    """When a request that came at some time is answered; all times in ns."""

    def __init__(self, servers: int, rate_rps: float, seed: int) -> None:
        self._free_ns = [0] * servers
        self._rate_rps = rate_rps
        self._rng = random.Random(seed)  # chance, no secret

    def due_ns(self, number: int, came_ns: int) -> int:
        """When its server is done; requests are asked about in the order in which they came."""
        begin_ns = max(came_ns, self._free_ns[0])
        due_ns = begin_ns + int(self._rng.expovariate(self._rate_rps) * _NS)
        heapq.heapreplace(self._free_ns, due_ns)
        return due_ns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--servers", type=int, required=True)
    parser.add_argument("--rate-rps", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        print(json.dumps({"endpoint_url": url}), flush=True)
        Server(listener, Queue(options.servers, options.rate_rps, options.seed)).serve()


if __name__ == "__main__":
    main()
