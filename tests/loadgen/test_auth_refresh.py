"""While a run goes on, what changed is told at once, and nothing is left behind at its end."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadgen.auth.refresh import RefreshLoop
from tests.loadgen.auth_rig import Rig, profile_with

PATIENCE_S = 20


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def bearer(tmp_path: Path, script: str) -> Rig:
    auth = {"type": "bearer", "command": ["sh", "-c", script], "refresh": "1m"}
    return Rig(profile_with(auth), tmp_path)


def test_new_credentials_are_told(tmp_path: Path) -> None:
    rig = bearer(tmp_path, "echo x >> runs; wc -l < runs")
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    loop = RefreshLoop(rig.sources, told.put)
    rig.now_s += 60
    with loop:
        new = told.get(timeout=PATIENCE_S)

    assert new["profile"]["headers"] == [["Authorization", "Bearer 2"]]
    assert new == rig.sources.current()


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("echo x >> runs; echo same", id="the same token"),
        pytest.param("echo x >> runs; [ $(wc -l < runs) = 1 ] && echo first", id="no new one"),
    ],
)
def test_without_new_credentials_nothing_is_told(tmp_path: Path, script: str) -> None:
    rig = bearer(tmp_path, script)
    told: list[dict[str, Any]] = []
    loop = RefreshLoop(rig.sources, told.append)
    rig.now_s += 60
    with loop:
        wait_until(lambda: (rig.sources.next_refresh_s() or 0) > 0)

    assert (tmp_path / "runs").read_text() == "x\nx\n"
    assert told == []


def test_a_renewal_that_hangs_ends_with_the_run(tmp_path: Path) -> None:
    script = "[ -e ran ] || { touch ran; echo first; exit; }; echo $$ > pid.new; mv pid.new pid; "
    rig = bearer(tmp_path, script + "exec sleep 60")
    loop = RefreshLoop(rig.sources, lambda _: None)
    rig.now_s += 60
    with loop:
        wait_until((tmp_path / "pid").exists)

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert rig.warnings == []


def test_where_nothing_has_to_be_renewed_it_only_waits(tmp_path: Path) -> None:
    rig = Rig(profile_with({"type": "api_key", "value": "k"}), tmp_path)
    told: list[dict[str, Any]] = []
    with RefreshLoop(rig.sources, told.append):
        pass
    RefreshLoop(rig.sources, told.append).stop()  # also without a start

    assert told == []
