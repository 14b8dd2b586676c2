"""Children of a night: they end by themselves, at their limit, at a stop, or with the night."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from core.errors import InputError
from core.interrupt import StopRequest
from reports.nightly.child import Graces, Order, run_child

QUICK = Graces(interrupt_s=0.15, terminate_s=0.15)


def order(folder: Path, code: str, *, limit_s: float = 20.0, graces: Graces = QUICK) -> Order:
    """Runs Python code that has the folder in `folder`."""
    body = f"folder = {str(folder)!r}\n{textwrap.dedent(code)}"
    command = [sys.executable, "-I", "-S", "-c", body]
    return Order(command, folder / "answer.json", folder / "words.log", limit_s, graces)


def exists(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        return lives(pid)
    return False


def wait_for(path: Path) -> str:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError):
            if text := path.read_text():
                return text
        time.sleep(0.005)
    raise AssertionError(f"{path} did not come")


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Its parent may not have taken note of its end yet.
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


# Notes each signal it gets and ends at those in `ends_at`; its process id is in the file `began`.
LISTENER = """
import os, signal, sys, time
def note(number, frame):
    with open(folder + "/signals", "a") as file:
        file.write(signal.Signals(number).name + "\\n")
    if number in ends_at:
        sys.exit(128 + number)
signal.signal(signal.SIGINT, note)
signal.signal(signal.SIGTERM, note)
with open(folder + "/began", "w") as file:
    file.write(str(os.getpid()))
time.sleep(20)
time.sleep(20)
"""


def listener(*ends_at: int) -> str:
    return f"ends_at = {[int(number) for number in ends_at]}\n{LISTENER}"


def listening(folder: Path) -> str:
    return f"folder = {str(folder)!r}\n{listener(signal.SIGINT)}"


def test_a_child_ends_with_its_answer_its_words_and_its_code(tmp_path: Path) -> None:
    code = "import sys; print('{}'); print('one', file=sys.stderr); sys.exit('last words')"

    ending = run_child(order(tmp_path, code), StopRequest())

    assert (ending.how, ending.code, ending.words) == ("ended", 1, "last words")
    assert (tmp_path / "answer.json").read_text() == "{}\n"
    assert (tmp_path / "words.log").read_text() == "one\nlast words\n"
    assert ending.reason == "ended with code 1: last words"


def test_a_child_that_a_signal_kills_is_told_apart(tmp_path: Path) -> None:
    code = "import os; os.kill(os.getpid(), 9)"

    ending = run_child(order(tmp_path, code), StopRequest())

    assert (ending.how, ending.code) == ("ended", -signal.SIGKILL)
    assert ending.reason == "was killed by SIGKILL"


def test_a_command_that_is_not_there_is_an_ending(tmp_path: Path) -> None:
    told = Order(["/no/such/program"], tmp_path / "answer", tmp_path / "log", 5.0)

    ending = run_child(told, StopRequest())

    assert ending.code == 1
    assert "could not start /no/such/program" in ending.words


@pytest.mark.parametrize(
    ("ends_at", "signals", "code"),
    [
        ((signal.SIGINT,), ["SIGINT"], 130),
        ((signal.SIGTERM,), ["SIGINT", "SIGTERM"], 143),
        ((), ["SIGINT", "SIGTERM"], -signal.SIGKILL),
    ],
    ids=["at the first", "at the second", "only when killed"],
)
def test_a_stop_ends_a_child_in_order(
    tmp_path: Path, ends_at: tuple[int, ...], signals: list[str], code: int
) -> None:
    stop = StopRequest()

    def request() -> None:
        wait_for(tmp_path / "began")
        stop.request()

    thread = threading.Thread(target=request)
    thread.start()
    ending = run_child(order(tmp_path, listener(*ends_at)), stop)
    thread.join()

    assert (ending.how, ending.code) == ("stopped", code)
    assert (tmp_path / "signals").read_text().split() == signals
    assert not exists(int((tmp_path / "began").read_text()))


def test_a_time_limit_ends_a_child(tmp_path: Path) -> None:
    ending = run_child(order(tmp_path, "import time; time.sleep(20)", limit_s=0.2), StopRequest())

    assert ending.how == "timed out"
    assert ending.code != 0
    assert ending.seconds < 15


def test_a_clock_that_is_set_neither_ends_nor_prolongs_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))

    ending = run_child(order(tmp_path, "pass"), StopRequest())

    assert ending.how == "ended"
    assert 0 <= ending.seconds < 20


def test_a_child_of_a_night_that_is_killed_is_ended_in_order(tmp_path: Path) -> None:
    night = f"""
        import sys
        from pathlib import Path
        from core.interrupt import StopRequest
        from reports.nightly.child import Graces, Order, run_child
        folder = Path({str(tmp_path)!r})
        command = [sys.executable, "-I", "-S", "-c", {listening(tmp_path)!r}]
        run_child(
            Order(command, folder / "answer", folder / "log", 20.0, Graces(5.0, 5.0)),
            StopRequest(),
        )
    """
    parent = subprocess.Popen([sys.executable, "-P", "-c", textwrap.dedent(night)])
    child = int(wait_for(tmp_path / "began"))
    parent.kill()
    parent.wait()

    assert wait_for(tmp_path / "signals").split() == ["SIGINT"]
    until = time.monotonic() + 10
    while exists(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not exists(child)


def test_a_child_that_was_signalled_with_its_keeper_is_not_signalled_twice(tmp_path: Path) -> None:
    """As by a service manager that ends all processes of a job: a second signal would tear it."""
    stop = StopRequest()
    told = order(tmp_path, listener(), graces=Graces(0.2, 0.1))

    def signal_all() -> None:
        child = int(wait_for(tmp_path / "began"))
        os.killpg(os.getpgid(child), signal.SIGINT)
        stop.request()

    thread = threading.Thread(target=signal_all)
    thread.start()
    ending = run_child(told, stop)
    thread.join()

    assert ending.how == "stopped"
    assert (tmp_path / "signals").read_text().split() == ["SIGINT", "SIGTERM"]


def test_a_child_whose_keeper_is_killed_does_not_go_on(tmp_path: Path) -> None:
    def kill_keeper() -> None:
        child = int(wait_for(tmp_path / "began"))
        os.kill(os.getpgid(child), signal.SIGKILL)  # the keeper leads the group

    thread = threading.Thread(target=kill_keeper)
    thread.start()
    ending = run_child(order(tmp_path, listener(signal.SIGINT)), StopRequest())
    thread.join()

    assert ending.code == -signal.SIGKILL
    assert (tmp_path / "signals").read_text().split() == ["SIGINT"]


def test_what_is_held_open_stays_open_as_long_as_the_child_lives(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    code = "import time; time.sleep(0.1)"
    told = order(tmp_path, code)
    held = Order(told.command, told.answer, told.log, 20.0, QUICK, held=(writing,))

    run_child(held, StopRequest())
    os.close(writing)

    assert os.read(reading, 1) == b""  # nobody has the other end any more
    os.close(reading)


def test_a_log_that_cannot_be_written_stops_before_anything_runs(tmp_path: Path) -> None:
    told = Order([sys.executable], tmp_path / "no" / "answer", tmp_path / "log", 1.0)

    with pytest.raises(InputError, match=r"could not start a step: .*answer: No such file"):
        run_child(told, StopRequest())
