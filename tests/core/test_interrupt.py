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
