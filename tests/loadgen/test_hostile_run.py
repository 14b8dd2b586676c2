"""A whole run against the hostile server: every request is in the result, once, as what it was."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from tests.loadgen.hostile_scripts import SCRIPTS
from tests.loadgen.hostile_server import hostile_server
from tests.system.forked import Forked

FLOWS = 3
RIGHT = {
    "/normal", "/empty", "/no-content", "/not-modified", "/no-reason", "/odd-status", "/chunked",
    "/trailers", "/until-close", "/until-dropped", "/http-1.0", "/http-1.0-length",
    "/last", "/last-but-open",
    "/stale", "/gzip", "/large", "/huge-head", "/continue", "/early-hints", "/dribble",
    "/garbage-after", "/response-after",
}  # fmt: skip
TOO_SLOW = {
    "/silent", "/hold-in-head", "/hold-in-body", "/endless-head", "/endless-body", "/flood-body",
    "/unread",
}  # fmt: skip
# A server may end a connection without saying so; what comes next over it is the client's risk.
ORDER = [path for path in SCRIPTS if path != "/stale"] + ["/stale"]


def outcome(path: str) -> str:
    """The class of what the path gives."""
    if path in RIGHT:
        return "ok"
    if path in TOO_SLOW:
        return "timeout"
    return "server_error" if path == "/binary-error" else "connection_error"


@dataclass(frozen=True, slots=True)
class Ran:
    """The document of the run, and what the server saw."""

    document: dict[str, Any]
    seen: Counter[str]
    stderr: str

    def step(self, path: str) -> dict[str, Any]:
        """The figures of one path."""
        found: dict[str, Any] = next(it for it in self.document["steps"] if it["name"] == path)
        return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One flow through all paths, three times, of which one begins while the others go on."""
    folder = tmp_path_factory.mktemp("hostile")
    with hostile_server() as server:
        (folder / "profile.yaml").write_text(json.dumps(_profile(server.url)))
        command = ("run", "profile.yaml", "--json", "-q")
        with Forked("loadgen", command, folder, os.environ) as running:
            out, err = running.communicate(timeout=120)
        assert running.returncode == 0, err + out
        return Ran(json.loads(out), Counter(server.seen), err)


def _profile(url: str) -> dict[str, Any]:
    steps = [
        {"get": path, "name": path, "timeout": "100ms" if path in TOO_SLOW else "20s"}
        for path in ORDER
    ]
    return {
        "version": 1,
        "name": "hostile",
        "target": {"url": url},
        # Apart, so that none takes the connection on which another has just got the last answer of
        # a server that then closes it: the end of it cannot be seen yet.
        "load": {
            "unit": "scenarios",
            "phases": [{"name": "all", "burst": FLOWS, "within": "900ms"}],
        },
        "scenarios": [{"name": "through", "flow": steps}],
        # How punctual a busy machine is does not matter here.
        "validity": {"max_start_lag": "1h", "max_cpu": 1.0},
    }


@pytest.mark.parametrize("path", ORDER)
def test_each_request_is_in_the_result_once_with_its_outcome(ran: Ran, path: str) -> None:
    step = ran.step(path)
    assert ran.seen[path] == step["requests"]["sent"] == step["requests"]["completed"] == FLOWS
    assert {name: n for name, n in step["outcomes"].items() if n} == {outcome(path): FLOWS}


def test_the_books_balance(ran: Ran) -> None:
    requests = ran.document["requests"]
    assert requests["sent"] == requests["completed"] == sum(ran.seen.values())
    assert requests["cut"] == requests["dropped"] == requests["lost"] == 0
    assert sum(ran.document["outcomes"].values()) == requests["completed"]


def test_nothing_of_it_is_an_error_of_the_run(ran: Ran) -> None:
    assert ran.document["verdict"] == "pass"
    assert not ran.stderr
