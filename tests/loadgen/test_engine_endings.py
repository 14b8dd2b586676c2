"""Runs that end oddly, and users who do odd things: what is counted stays true, and what is said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.loadgen.hostile_server import HostileServer, hostile_server


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished `loadgen run --json`, and how many requests the server saw."""

    document: dict[str, Any]
    seen: int

    @property
    def words(self) -> str:
        """All that the result tells a reader, in one text."""
        validity, document = self.document["validity"], self.document
        said = [*document["notes"], *document["errors"], *validity["reasons"]]
        return "\n".join([*said, *validity["warnings"]])

    def step(self, name: str) -> dict[str, Any]:
        """The figures of one step."""
        found: dict[str, Any] = next(it for it in self.document["steps"] if it["name"] == name)
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


def load(folder: Path, server: HostileServer, *arguments: str, **parts: Any) -> Ran:
    """Runs a profile against `server` to its end."""
    profile = {
        "version": 1,
        "name": "odd",
        "target": {"url": server.url},
        "load": {"seed": 7, "phases": [{"name": "all", "burst": 20}]},
        "scenarios": [{"name": "all", "flow": [{"get": "/normal"}]}],
        # How punctual a busy machine is does not matter here.
        "validity": {"max_start_lag": "1h", "max_cpu": 1.0},
    }
    (folder / "profile.yaml").write_text(json.dumps(profile | parts))
    before = server.seen.total()
    done = subprocess.run(
        [sys.executable, "-m", "loadgen", "run", "profile.yaml", "--json", "-q", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    return Ran(json.loads(done.stdout), server.seen.total() - before)


# -- locustfiles ----------------------------------------------------------------------------------

LOCUSTFILE = """
import sys
from locust import FastHttpUser, constant, task

print("what is printed at import is no report")


class Shopper(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def look(self):
        print("x" * 100_000)
        assert not sys.stdin.read()
        self.client.get("/normal", name="plain")
"""


@pytest.fixture(scope="module")
def locustfile(tmp_path_factory: pytest.TempPathFactory, server: HostileServer) -> Ran:
    folder = tmp_path_factory.mktemp("locustfile")
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    users = {"name": "all", "users": 2, "duration": "1s"}
    return load(
        folder,
        server,
        scenarios=[],
        locustfile={"file": "locustfile.py"},
        load={"model": "closed", "phases": [users]},
    )


def test_what_a_locustfile_prints_does_not_disturb_the_run(locustfile: Ran) -> None:
    assert locustfile.document["verdict"] == "pass", locustfile.words
    assert locustfile.step("plain")["outcomes"]["ok"] == locustfile.seen > 0
