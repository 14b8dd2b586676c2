"""Shows in Locust's web UI what the injectors measure: lines of JSON on stdin become statistics.

The Stop button asks for the end of the run on stdout. Starting another run and resetting are left
out: what is measured is decided by the profile.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterable
from typing import Any

import gevent
import numpy as np
from gevent.hub import get_hub
from locust import User, task
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_STOPPED, LocalRunner
from locust.stats import StatsError, stats_history

from loadgen.histogram import Histogram, lowest_us
from loadgen.injector.locust_events import new_events
from loadgen.injector.locust_stats import log_batch

_HOST = "127.0.0.1"
_LISTEN_TIMEOUT_S = 10


class FedRunner(LocalRunner):
    """A runner that runs nobody: its users are those of the injectors."""

    fed_users = 0

    @property
    def user_count(self) -> int:
        """The users, or in the open model the requests in flight, of all injectors."""
        return self.fed_users

    def start(self, *_: Any, **__: Any) -> None:
        """Nothing: the profile says what is sent."""

    def stop(self) -> None:
        """Asks the command to end the run."""
        if self.state == STATE_RUNNING:
            _say({"do": "stop"})


class LoadgenUser(User):
    """Stands in the UI for what the profile sends."""

    @task
    def flow(self) -> None:
        """Runs in the injectors."""


def main() -> None:
    """Serves the UI until stdin ends."""
    logging.getLogger("locust").setLevel(logging.ERROR)
    logging.getLogger("geventwebsocket").setLevel(logging.ERROR)
    environment = Environment(user_classes=[LoadgenUser], events=new_events(), host=sys.argv[2])
    runner = FedRunner(environment)
    environment.runner = runner
    web_ui = environment.create_web_ui(_HOST, int(sys.argv[1]))
    gevent.spawn(stats_history, runner)
    runner.update_state(STATE_RUNNING)
    gevent.spawn(_announce, web_ui)
    for line in _lines():
        _take(environment, runner, json.loads(line))
    os._exit(0)


def _announce(web_ui: Any) -> None:
    """Says where the UI is, or that its port is taken."""
    with contextlib.suppress(gevent.Timeout), gevent.Timeout(_LISTEN_TIMEOUT_S):
        while not web_ui.greenlet.ready():
            server = getattr(web_ui, "server", None)
            if server is not None and server.started:
                _say({"do": "serving", "port": server.server_port})
                return
            gevent.sleep(0.05)
    _say({"do": "failed"})


def _take(environment: Environment, runner: FedRunner, news: dict[str, Any]) -> None:
    """Adds what came since the last line."""
    runner.fed_users = int(news["users"])
    for cell in news["cells"]:
        slots, counts = Histogram.decode(cell["response"]).slots_and_counts()
        response_ms = np.repeat(lowest_us(slots) / 1000, counts)
        method, name, failed = cell["method"], cell["name"], cell["failed"]
        log_batch(
            environment.stats, method, name, response_ms, failed=failed, bytes_in=cell["bytes_in"]
        )
        if failed:
            _count_error(environment, method, name, cell["error"], failed)
    if news.get("ended"):
        runner.update_state(STATE_STOPPED)


def _count_error(
    environment: Environment, method: str, name: str, error: str, occurrences: int
) -> None:
    key = StatsError.create_key(method, name, error)
    entry = environment.stats.errors.get(key)
    if entry is None:
        entry = environment.stats.errors[key] = StatsError(method, name, error)
    entry.occurrences += occurrences


def _lines() -> Iterable[bytes]:
    rest = b""
    while more := get_hub().threadpool.apply(os.read, (0, 1 << 20)):
        *whole, rest = (rest + more).split(b"\n")
        yield from whole


def _say(what: dict[str, Any]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")
