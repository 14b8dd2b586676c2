"""Runs that end oddly, and users who do odd things: what is counted and told stays true."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.interrupt import StopRequest
from loadgen import web_ui_feed
from loadgen.conduct import Conductor
from loadgen.frames_file import FramesWriter
from loadgen.injectors import Ended, Event
from loadgen.messages import Cell, Drained, Frame
from loadgen.options import RunOptions
from loadgen.preparation import read_options
from loadgen.redact import check_no_secret
from loadgen.steps import StepInfo
from loadgen.tally import Tally
from tests.loadgen.hostile_server import HostileServer, hostile_server
from tests.system.forked import Forked


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


def document(server: HostileServer, **parts: Any) -> dict[str, Any]:
    """A profile for `server`."""
    profile = {
        "version": 1,
        "name": "odd",
        "target": {"url": server.url},
        "load": {"seed": 7, "phases": [{"name": "all", "burst": 20}]},
        "scenarios": [{"name": "all", "flow": [{"get": "/normal"}]}],
        # How punctual a busy machine is does not matter here.
        "validity": {"max_start_lag": "1h", "max_cpu": 1.0},
    }
    return profile | parts


RUN = ("run", "profile.yaml", "--json", "-q")


def load(folder: Path, server: HostileServer, *arguments: str, **parts: Any) -> Ran:
    """Runs a profile against `server` to its end."""
    (folder / "profile.yaml").write_text(json.dumps(document(server, **parts)))
    before = server.seen.total()
    with Forked("loadgen", [*RUN, *arguments], folder, os.environ) as running:
        out, err = running.communicate(timeout=120)
    assert out, err
    return Ran(json.loads(out), server.seen.total() - before)


def children_of(pid: int) -> list[int]:
    """The running child processes of `pid`."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


# -- locustfiles ----------------------------------------------------------------------------------

LOCUSTFILE = """
import sys
import time
from locust import FastHttpUser, constant, task
from locust.exception import StopUser

print("what is printed at import is no report")


class Shopper(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def do_odd_things(self):
        print("x" * 100_000)
        assert not sys.stdin.read()
        self.client.get("/normal", name="plain")
        said = self.environment.events.request.fire
        for time_ms in (1e9, -5, None, float("nan"), "12"):
            said(request_type="odd", name="odd", response_time=time_ms, response_length=time_ms)
        with self.client.get("/nowhere", name="expected", catch_response=True) as answer:
            answer.success()
        self.client.get("/binary-error", name="unexpected")
        raise KeyError("no such thing")


class Visitor(FastHttpUser):
    @task
    def have_many_names(self):
        time.sleep(1)
        for number in range(1500):
            said = self.environment.events.request.fire
            said(request_type="odd", name=f"item {number}", response_time=1, response_length=1)
        raise StopUser
"""


@pytest.fixture(scope="module")
def locustfile(tmp_path_factory: pytest.TempPathFactory, server: HostileServer) -> Ran:
    folder = tmp_path_factory.mktemp("locustfile")
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    users = {"name": "all", "users": 4, "duration": "1500ms"}
    return load(
        folder,
        server,
        scenarios=[],
        locustfile={"file": "locustfile.py"},
        load={"model": "closed", "phases": [users]},
    )


def test_what_a_locustfile_prints_does_not_disturb_the_run(locustfile: Ran) -> None:
    assert locustfile.document["verdict"] == "pass", locustfile.words
    assert locustfile.step("plain")["outcomes"]["ok"] > 0
    over_http = ("plain", "expected", "unexpected")
    sent = sum(locustfile.step(name)["requests"]["sent"] for name in over_http)
    assert sent == locustfile.seen


def test_events_of_other_clients_are_counted_whatever_is_in_them(locustfile: Ran) -> None:
    odd = locustfile.step("odd")
    assert odd["requests"]["completed"] % 5 == 0
    assert odd["outcomes"]["ok"] == odd["requests"]["completed"] > 0
    assert odd["response_ms"]["max"] < 60_000


def test_what_a_locustfile_takes_for_a_success_is_one(locustfile: Ran) -> None:
    expected, unexpected = locustfile.step("expected"), locustfile.step("unexpected")
    assert expected["outcomes"]["ok"] == expected["requests"]["completed"] > 0
    assert unexpected["outcomes"]["server_error"] == unexpected["requests"]["completed"] > 0


def test_names_beyond_a_thousand_are_counted_together(locustfile: Ran) -> None:
    assert len(locustfile.document["steps"]) == 1_001
    assert locustfile.step("other requests")["requests"]["completed"] >= 500
    assert "more than 1,000 names of requests" in locustfile.words


def test_what_its_users_do_wrong_is_told(locustfile: Ran) -> None:
    assert "a task of the locustfile raised KeyError: 'no such thing'" in locustfile.words
    assert "user(s) of the locustfile had ended before the schedule did" in locustfile.words


def test_a_time_that_nobody_measured_is_not_shown(locustfile: Ran) -> None:
    assert locustfile.step("plain")["first_byte_ms"] is None


# -- a command that was away ----------------------------------------------------------------------


class _Pipes:
    """Stands for injectors of which only the pipes are looked at."""

    pids = (1,)

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def begin(self) -> float:
        return time.time()

    def stop(self) -> None:
        pass


def conductor(pipes: _Pipes, folder: Path, stack: ExitStack) -> Conductor:
    """One that is longer at it than the run and its drain may take."""
    return Conductor(
        pipes,  # type: ignore[arg-type] # as much of injectors as it looks at
        Tally((), ()),
        stack.enter_context(FramesWriter(folder / "frames.ndjson.gz")),
        stop=stack.enter_context(StopRequest()),
        longest_s=-60.0,
        watches=(),
        on_second=lambda tally, now_s: None,
    )


def test_what_injectors_said_while_the_command_was_stopped_is_booked(tmp_path: Path) -> None:
    pipes = _Pipes()
    drained = Drained(0, 0, 0, 0, 0, 0, 0)
    later = threading.Timer(0.3, lambda: [pipes.events.put((0, it)) for it in (drained, ended)])
    ended = Ended(0, 0, "")
    with ExitStack() as stack:
        later.start()
        course = conductor(pipes, tmp_path, stack).run()
    later.join()
    assert course.drained == {0: drained}
    assert course.stopped_by is None


def test_injectors_that_say_nothing_any_more_are_given_up(tmp_path: Path) -> None:
    with ExitStack() as stack:
        course = conductor(_Pipes(), tmp_path, stack).run()
    assert course.stop_reason == "injector(s) 0 did not end in time"


# -- a web UI that stands still -------------------------------------------------------------------


def test_a_run_does_not_wait_for_its_web_ui(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_ui_feed, "_END_TIMEOUT_S", 0.2)
    tally = Tally((), [StepInfo(0, "all", "look", "GET", "/")])
    large = Cell(0, 0, 0, 0, 1, 1, "x" * 100_000, "", "", "", "")
    frame = Frame(0, 0, 0, [large], [], 0, 0, 0.0, "")
    with web_ui_feed.WebUi(0, "http://127.0.0.1", lambda: None) as ui:
        os.kill(ui.pid, signal.SIGSTOP)
        for _ in range(100):
            ui.feed(frame, tally)


# -- a name server that is slow -------------------------------------------------------------------

LOOK_UP = """
import loadgen.injector
import gevent
from loadgen.wire import origin

asked = []


def slow(host, port, *rest):
    asked.append(host)
    gevent.sleep(0.05)
    if len(asked) == 1:
        raise origin.socket.gaierror(-3, "try again")
    return [(2, 1, 6, "", ("127.0.0.1", port))]


origin.socket.getaddrinfo = slow
api = origin.Origin("api.test", 80, tls=None, connect_timeout_s=1)
for _ in range(2):
    asking = [gevent.spawn(api.addresses) for _ in range(100)]
    gevent.joinall(asking)
    print(len(asked), sum(one.successful() for one in asking))
"""


def test_a_name_is_looked_up_once_for_all_who_connect_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK_UP], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == ["1 0", "2 100"]


# -- an injector that was stopped -----------------------------------------------------------------


def test_an_injector_that_was_stopped_is_no_measure_of_the_api(
    tmp_path: Path, server: HostileServer
) -> None:
    profile = tmp_path / "profile.yaml"
    users = {"model": "closed", "phases": [{"name": "all", "users": 2, "duration": "2s"}]}
    profile.write_text(
        json.dumps(document(server, load=users, validity={"max_start_lag": "300ms"}))
    )
    before = server.seen.total()
    with Forked("loadgen", RUN, tmp_path, os.environ) as running:
        while server.seen.total() < before + 10:
            time.sleep(0.01)
        (injector,) = children_of(running.pid)
        os.kill(injector, signal.SIGSTOP)
        time.sleep(0.8)
        os.kill(injector, signal.SIGCONT)
        ran = Ran(json.loads(running.communicate(timeout=60)[0]), 0)
    assert ran.document["validity"]["verdict"] == "invalid"
    assert "injector 0 stood still for" in ran.words


# -- data that does not fit -----------------------------------------------------------------------


def test_requests_that_cannot_be_built_are_not_called_lost(
    tmp_path: Path, server: HostileServer
) -> None:
    rows = [{"token": text} for text in ("fits", "two\r\nlines", "fits", "fits")]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    step = {"get": "/normal", "headers": {"x-token": "${data.rows.token}"}}
    ran = load(
        tmp_path,
        server,
        data={"rows": {"file": "rows.jsonl"}},
        scenarios=[{"name": "all", "flow": [step]}],
    )
    assert ran.document["requests"]["sent"] == ran.seen == 15
    assert "5 of 20 requests could not be built from their data" in ran.words
    assert "books do not balance" not in ran.words


# -- a disk that is full --------------------------------------------------------------------------


def test_a_full_disk_takes_the_files_and_leaves_the_result(
    tmp_path: Path, server: HostileServer
) -> None:
    (tmp_path / "profile.yaml").write_text(json.dumps(document(server)))
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh", sys.executable, "-m", "loadgen", *RUN],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    ran = Ran(json.loads(done.stdout), 0)
    assert ran.document["outcomes"]["ok"] == 20
    assert "could not keep all frames" in ran.words
    assert "could not write request records" in ran.words
    assert done.returncode == 1


# -- flows that think when all is over ------------------------------------------------------------


def test_what_flows_had_still_to_send_when_the_drain_ended_is_told(
    tmp_path: Path, server: HostileServer
) -> None:
    asks = {"name": "asks", "flow": [{"get": "/normal"}, {"think": "1m"}, {"get": "/normal"}]}
    rests = {"name": "rests", "flow": [{"get": "/normal"}, {"think": "1m"}]}
    phases = [
        {"name": "asks", "burst": 3, "scenarios": ["asks"]},
        {"name": "rests", "burst": 97, "scenarios": ["rests"]},
    ]
    ran = load(
        tmp_path, server, scenarios=[asks, rests], load={"seed": 7, "drain": "1s", "phases": phases}
    )
    assert ran.document["requests"]["sent"] == ran.seen == 100
    assert "3 of 100 flows (3.0" in ran.words


# -- more injectors than there is to share --------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"load": {"max_in_flight": 2, "phases": [{"name": "all", "burst": 20}]}}, "load.max_in_f"),
        ({"http": {"max_connections": 2}}, "http.max_connections"),
    ],
    ids=["in flight", "connections"],
)
def test_limits_of_the_whole_run_are_not_passed_by_many_injectors(
    tmp_path: Path, server: HostileServer, parts: dict[str, Any], name: str
) -> None:
    (tmp_path / "profile.yaml").write_text(json.dumps(document(server, **parts)))
    options = RunOptions(profile=tmp_path / "profile.yaml", processes=3)
    with pytest.raises(InputError, match=f"{name}.*must be at least the number of processes"):
        read_options(options)


# -- bursts ---------------------------------------------------------------------------------------


def test_a_burst_at_once_is_no_start_lag_and_its_length_is_told(
    tmp_path: Path, server: HostileServer
) -> None:
    ran = load(
        tmp_path,
        server,
        load={"phases": [{"name": "spike", "burst": 60}]},
        validity={"max_start_lag": "1us", "max_cpu": 1.0},
    )

    validity = ran.document["validity"]
    assert (validity["verdict"], validity["start_lag_p99_ms"]) == ("valid", None)
    assert "phase spike: an injector took" in ran.words
    assert ran.document["requests"]["sent"] == ran.seen == 60


# -- secrets --------------------------------------------------------------------------------------

SECRET = "a-token-that-nobody-may-read-1234567890"


def test_what_a_task_raises_shows_no_secret_of_the_profile(
    tmp_path: Path, server: HostileServer
) -> None:
    (tmp_path / "users.py").write_text(
        "from locust import FastHttpUser, constant, task\n\n\n"
        "class Shopper(FastHttpUser):\n"
        "    wait_time = constant(0.1)\n\n"
        "    @task\n"
        "    def fail(self):\n"
        '        self.client.get("/normal")\n'
        f'        raise RuntimeError("refused: {SECRET}")\n'
    )
    ran = load(
        tmp_path,
        server,
        auth={"type": "bearer", "value": SECRET},
        locustfile={"file": "users.py"},
        scenarios=[],
        load={"model": "closed", "phases": [{"name": "all", "duration": "1s", "users": 1}]},
    )

    assert "a task of the locustfile raised RuntimeError: refused: " in ran.words
    (folder,) = (tmp_path / "runs").iterdir()
    check_no_secret(folder, [SECRET])
