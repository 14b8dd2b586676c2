"""Injector processes are started, spoken to and ended; stand-ins do what an injector may do."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError, ToolError
from loadgen import injectors as module
from loadgen.injectors import Ended, Injectors
from loadgen.messages import Assignment, Control, Drained, Frame, from_line

SECRET = "never-in-an-argument-4711"
READY = """echo '{"type":"ready","injector":0}'"""
# All that is written to stdin, and the end with it.
OBEY = f"""read -r line; echo "$line" > got; {READY}; cat >> got"""

StandIn = Callable[[str], None]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Makes the injectors of this test run a shell script; its first argument would be an option.

    Scripts run in `tmp_path`.
    """
    monkeypatch.chdir(tmp_path)

    def make(script: str) -> None:
        path = tmp_path / "injector.sh"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(path))

    return make


def assignments(count: int = 1) -> list[Assignment]:
    return [
        Assignment(
            injector=number,
            injectors=count,
            profile={},
            base_dir=".",
            base_url="http://127.0.0.1:1",
            seed=1,
            folder=None,
            credentials={"profile": {"headers": [["x-api-key", SECRET]]}},
        )
        for number in range(count)
    ]


def next_event(injectors: Injectors) -> Any:
    return injectors.events.get(timeout=20)[1]


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_assignment_and_orders_come_in_their_order_over_stdin(
    stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in(OBEY)
    before_s = time.time()

    with Injectors(assignments()) as injectors:
        begins_s = injectors.begin()
        injectors.update({"profile": {"headers": []}})
        injectors.stop()
        injectors.abort()

    assignment, *orders = map(from_line, (tmp_path / "got").read_bytes().splitlines())
    assert assignment == assignments()[0]
    assert [order.do for order in orders if isinstance(order, Control)] == [
        "start",
        "credentials",
        "stop",
        "abort",
    ]
    # A little ahead, so that all have read it by then.
    assert begins_s > before_s
    assert isinstance(orders[0], Control)
    assert orders[0].at_unix_ns == int(begins_s * 1e9)


def test_secrets_are_neither_in_arguments_nor_in_the_environment(stand_in: StandIn) -> None:
    stand_in(OBEY)

    with Injectors(assignments()) as injectors:
        (pid,) = injectors.pids
        shown = [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]

    assert b"loadgen.injector" in shown[0]
    assert not any(SECRET.encode() in text for text in shown)


def test_ctrl_c_on_the_terminal_does_not_reach_injectors(stand_in: StandIn) -> None:
    stand_in(OBEY)

    with Injectors(assignments()) as injectors:
        (pid,) = injectors.pids

        assert os.getsid(pid) == pid != os.getsid(0)


def test_what_injectors_say_arrives_with_their_number(stand_in: StandIn) -> None:
    stand_in(
        """read -r line
        case "$line" in *'"injector":1,'*) number=1;; *) number=0;; esac
        echo '{"type":"ready","injector":'$number'}'
        read -r start
        echo '{"type":"drained","injector":'$number',"frames":0,"offered":5,"dropped":0,"sent":5,'\\
'"completed":5,"cut":0,"cut_by_step":{}}'"""
    )

    with Injectors(assignments(2)) as injectors:
        injectors.begin()
        events = [injectors.events.get(timeout=20) for _ in range(4)]

    drained = Drained(0, 0, 5, 0, 5, 5, 0)
    assert {number for number, _ in events} == {0, 1}
    assert (0, drained) in events
    assert (0, Ended(0, 0, "")) in events
    assert (1, Ended(1, 0, "")) in events


def test_frames_and_the_end_come_in_order(stand_in: StandIn) -> None:
    frame = (
        '{"type":"frame","injector":0,"number":%d,"at_us":1,"cells":[],"counts":[],"in_flight":0,'
        '"users":0,"cpu_share":0.1,"start_lag":""}'
    )
    said = "; ".join(f"echo '{frame % number}'" for number in range(3))
    stand_in(f"{READY}; {said}; kill -9 $$")

    with Injectors(assignments()) as injectors:
        events = [next_event(injectors) for _ in range(4)]

    assert [event.number for event in events[:3] if isinstance(event, Frame)] == [0, 1, 2]
    assert events[3] == Ended(0, -signal.SIGKILL, "")


NOT_STARTED = [
    pytest.param(
        """echo '{"type":"ready","injector":0,"error":"http.ca_file: none.pem: no such file"}'""",
        InputError,
        "http.ca_file: none.pem: no such file",
        id="it cannot begin with the profile",
    ),
    pytest.param(
        "echo a traceback >&2; echo 'MemoryError: no room' >&2; exit 3",
        ToolError,
        "injector 0 did not start: it ended with code 3: MemoryError: no room",
        id="it ends with words",
    ),
    pytest.param(
        "kill -9 $$",
        ToolError,
        "injector 0 did not start: it was killed by SIGKILL",
        id="it is killed",
    ),
    pytest.param(
        "echo hello; exec sleep 60",
        ToolError,
        "injector 0 did not start: it was killed by SIGKILL",
        id="it says something else",
    ),
]


@pytest.mark.parametrize(("script", "kind", "message"), NOT_STARTED)
def test_an_injector_that_does_not_come_up_ends_the_run(
    stand_in: StandIn, script: str, kind: type[ToolError], message: str
) -> None:
    stand_in(script)
    injectors = Injectors(assignments())

    with pytest.raises(ToolError) as raised, injectors:
        pass

    assert type(raised.value) is kind
    assert str(raised.value) == message
    assert not any(map(runs, injectors.pids))


def test_an_injector_that_never_is_ready_ends_the_run(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_READY_TIMEOUT_S", 0.1)
    stand_in("cat > /dev/null")
    injectors = Injectors(assignments(2))

    with pytest.raises(ToolError, match=r"2 injector\(s\) were not ready after 0\.1 s"), injectors:
        pass

    assert not any(map(runs, injectors.pids))


def test_an_injector_that_talks_nonsense_is_ended_and_its_words_tell_why(stand_in: StandIn) -> None:
    stand_in(f'{READY}; read -r start; echo \'{{"type":"frame"\'; exec sleep 60')

    with Injectors(assignments()) as injectors:
        injectors.begin()
        ended = next_event(injectors)

    assert ended.code == -signal.SIGKILL
    assert ended.words.startswith("not a message: no JSON")


def test_orders_to_an_injector_that_has_ended_are_no_error(stand_in: StandIn) -> None:
    stand_in(f"{READY}; exit 1")

    with Injectors(assignments()) as injectors:
        assert next_event(injectors) == Ended(0, 1, "")
        injectors.begin()
        injectors.stop()


def test_an_injector_that_does_not_end_is_killed(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_END_TIMEOUT_S", 0.2)
    # Its own sleep must not keep the pipes open.
    stand_in(f"{READY}; exec sleep 60")

    with Injectors(assignments(2)) as injectors:
        pids = injectors.pids

    assert not any(map(runs, pids))


def test_a_failure_of_the_run_ends_injectors_as_well(stand_in: StandIn) -> None:
    stand_in(OBEY)
    injectors = Injectors(assignments())

    with pytest.raises(ZeroDivisionError), injectors:
        raise ZeroDivisionError

    assert not any(map(runs, injectors.pids))


REASONS = [
    (Ended(0, -9, "Killed"), "was killed by SIGKILL"),
    (Ended(0, -77, ""), "was killed by signal 77"),
    (Ended(0, 1, "OSError: no room"), "ended with code 1: OSError: no room"),
    (Ended(0, 0, ""), "ended with code 0"),
]


@pytest.mark.parametrize(("ended", "words"), REASONS, ids=[words for _, words in REASONS])
def test_an_end_has_a_reason_in_words(ended: Ended, words: str) -> None:
    assert ended.reason == words
