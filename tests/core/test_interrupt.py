"""Signals become a request to stop while a run is going on, and only then."""

from __future__ import annotations

import os
import signal

import pytest

from core.errors import ExitCode
from core.interrupt import StopRequest


@pytest.mark.usefixtures("hangups")
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.TERMINATED),
        (signal.SIGHUP, ExitCode.TERMINATED),
    ],
)
def test_a_signal_asks_to_stop(number: signal.Signals, code: ExitCode) -> None:
    told: list[str] = []

    with StopRequest(on_first=lambda: told.append("stopping")) as stop:
        assert not stop.requested
        os.kill(os.getpid(), number)
        assert stop.wait(5)

    assert stop.requested
    assert stop.exit_code == code
    assert told == ["stopping"]


def test_what_a_signal_says_can_change_with_what_is_going_on() -> None:
    told: list[str] = []

    with StopRequest(on_first=lambda: told.append("measuring")) as stop:
        stop.announce(on_first=lambda: told.append("writing"), abandon=None)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)

    assert told == ["writing"]


def test_the_old_handlers_are_back_afterwards() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    with StopRequest():
        assert signal.getsignal(signal.SIGINT) != before[0]

    after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert after == before


def test_a_run_under_nohup_outlives_its_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.wait(0.05)
    finally:
        signal.signal(signal.SIGHUP, before)


class Left(BaseException):
    """Stands in for the end of the process, with its exit code."""


@pytest.fixture
def leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(code: int) -> None:
        raise Left(code)

    monkeypatch.setattr(os, "_exit", leave)


@pytest.mark.usefixtures("leaves")
def test_a_second_signal_leaves_after_it_said_what_stays_behind() -> None:
    told: list[str] = []

    with StopRequest(abandon=lambda: told.append("left")) as stop:
        stop.before_leaving(lambda: told.append("ended"))
        os.kill(os.getpid(), signal.SIGTERM)
        assert told == []
        with pytest.raises(Left) as left:
            os.kill(os.getpid(), signal.SIGINT)

    assert left.value.args == (ExitCode.INTERRUPTED,)
    assert told == ["ended", "left"]


@pytest.mark.usefixtures("leaves")
def test_a_second_signal_while_the_first_is_told_of_waits_for_the_end_of_the_sentence() -> None:
    told: list[str] = []

    def on_first() -> None:
        told.append("stopping: ")
        os.kill(os.getpid(), signal.SIGINT)
        told.append("requests may end. ")

    with StopRequest(on_first, lambda: told.append("left")), pytest.raises(Left):
        os.kill(os.getpid(), signal.SIGINT)

    assert "".join(told) == "stopping: requests may end. left"


@pytest.mark.usefixtures("leaves")
def test_a_second_signal_leaves_though_there_is_nowhere_to_say_so() -> None:
    def abandon() -> None:
        raise OSError("no terminal")

    with StopRequest(abandon=abandon):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Left):
            os.kill(os.getpid(), signal.SIGINT)
