"""`loadgen run` stopped in the middle: by a person, by the system, by the death of an injector."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import TIMEOUT_S
from tests.system.forked import Forked
from tests.system.load_rig import (
    CountingServer,
    LoadCommand,
    Reply,
    check_books,
    children_of,
    counting_server,
    open_load,
    runs,
)

pytestmark = pytest.mark.system

LONG = open_load(rate=200, duration="60s")


@pytest.fixture
def loadgen(tmp_path: Path) -> LoadCommand:
    folder = tmp_path / "work"
    folder.mkdir()
    return LoadCommand(folder)


def wait_until(condition: Callable[[], bool], child: Forked) -> None:
    """Returns when `condition()` holds; fails when the command ended before."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert child.poll() is None, f"loadgen ended too early: {child.communicate()}"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def wait_for_end(processes: list[int]) -> None:
    """Returns when none of the processes runs any more."""
    deadline = time.monotonic() + TIMEOUT_S
    while any(map(runs, processes)):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def sent(server: CountingServer, count: int) -> Callable[[], bool]:
    return lambda: len(server.seen) >= count


STOPS = [
    pytest.param(signal.SIGINT, "command", 130, id="Ctrl-C"),
    # As a build server does when a job is called off.
    pytest.param(signal.SIGTERM, "all", 143, id="SIGTERM to every process"),
]


@pytest.mark.parametrize(("number", "who", "code"), STOPS)
def test_a_stopped_run_lets_requests_end_and_writes_a_complete_partial_result(
    loadgen: LoadCommand, number: signal.Signals, who: str, code: int
) -> None:
    with counting_server(lambda seen: Reply(after_s=0.2)) as server:
        load = {**LONG, "processes": 2}
        name = loadgen.profile(server.url, load=load, thresholds=["rate(failed) < 1%"])
        with loadgen.start("loadgen", "run", name, "--json") as child:
            wait_until(sent(server, 150), child)
            injectors = children_of(child.pid)
            for process in [*(injectors if who == "all" else []), child.pid]:
                os.kill(process, number)
            out, err = child.communicate(timeout=TIMEOUT_S)

    document = json.loads(out)
    assert (child.returncode, document["exit_code"]) == (code, code), err
    assert document["verdict"] == "interrupted"
    assert re.match(r"stopped \d+\.\d s after the start", document["errors"][0])
    check_books(document)
    requests = document["requests"]
    assert requests["completed"] == requests["sent"] == len(server.seen)
    assert requests["cut"] == requests["lost"] == 0
    assert document["validity"]["verdict"] == "valid"
    assert document == json.loads((loadgen.result_folder / "result.json").read_text())
    assert "Ctrl-C again leaves at once" in err
    assert len(injectors) == 2
    assert not any(map(runs, injectors))


def test_a_second_signal_leaves_at_once_and_says_what_is_missing(loadgen: LoadCommand) -> None:
    with counting_server(lambda seen: Reply(after_s=60)) as server:
        name = loadgen.profile(server.url, load=LONG)
        with loadgen.start("loadgen", "run", name) as child:
            wait_until(sent(server, 20), child)
            injectors = children_of(child.pid)
            child.send_signal(signal.SIGINT)
            assert child.stderr is not None
            while "Ctrl-C again" not in child.stderr.readline():
                pass
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=TIMEOUT_S)
        wait_for_end(injectors)

    assert child.returncode == 130, err
    assert "left at once: the result is not written" in err
    assert out == ""
    assert not list(loadgen.result_folder.glob("result.json"))


def test_a_signal_before_the_first_request_ends_with_nothing_sent(loadgen: LoadCommand) -> None:
    with counting_server() as server:
        name = loadgen.profile(server.url, load=LONG)
        with loadgen.start("loadgen", "run", name, "--json", "-q") as child:
            wait_until(lambda: bool(children_of(child.pid)), child)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=TIMEOUT_S)

    document = json.loads(out)
    assert (child.returncode, document["verdict"]) == (130, "interrupted"), err
    assert document["requests"]["sent"] == len(server.seen) == 0
    assert document["errors"][0] == "stopped 0.0 s after the start, before the run was done"


def test_injectors_of_a_killed_command_stop_sending_and_end(loadgen: LoadCommand) -> None:
    with counting_server(lambda seen: Reply(after_s=0.05)) as server:
        name = loadgen.profile(server.url, load=LONG)
        with loadgen.start("loadgen", "run", name) as child:
            wait_until(sent(server, 50), child)
            injectors = children_of(child.pid)
            child.kill()
        wait_for_end(injectors)
        # What was sent just before may still lie in the server's socket.
        time.sleep(0.2)
        seen = len(server.seen)
        time.sleep(0.1)

        assert len(injectors) == 1
        assert len(server.seen) == seen


def test_a_killed_injector_makes_the_run_invalid_and_not_quietly_smaller(
    loadgen: LoadCommand,
) -> None:
    with counting_server(lambda seen: Reply(after_s=0.05)) as server:
        load = {**LONG, "processes": 2}
        name = loadgen.profile(server.url, load=load, thresholds=["rate(failed) < 1%"])
        with loadgen.start("loadgen", "run", name, "--json") as child:
            wait_until(sent(server, 250), child)
            injectors = children_of(child.pid)
            os.kill(injectors[1], signal.SIGKILL)
            out, err = child.communicate(timeout=TIMEOUT_S)

    document = json.loads(out)
    assert (child.returncode, document["verdict"]) == (5, "invalid"), err
    check_books(document)
    # The other one was stopped: half of the load is another measurement.
    assert len(server.seen) < 2_000
    assert document["requests"]["sent"] <= len(server.seen)
    validity: dict[str, Any] = document["validity"]
    assert validity["verdict"] == "invalid"
    assert validity["injectors_ended_early"] == 1
    (reason,) = validity["reasons"]
    assert re.match(
        r"injector 1 ended early \d+\.\d s after the start \(signal 9 SIGKILL\)", reason
    )
    assert "injector 1 was killed by SIGKILL" in document["errors"][0]
    assert (loadgen.result_folder / "result.json").exists()
    assert not any(map(runs, injectors))
