"""One night of a plan at a time, and none before the last one is really over."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import InputError, Refused
from reports.nightly.lock import lock_name, night_lock, state_folder

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)


def test_a_second_night_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    said: list[str] = []

    with (
        night_lock(tmp_path, "shop", NOW, said.append),
        pytest.raises(
            Refused,
            match=rf"another night of this plan runs: process {os.getpid()} on .*, "
            r"since 2026-11-27T03:00:00\+00:00 \(lock: .*shop\.lock\)",
        ),
        night_lock(tmp_path, "shop", NOW, said.append),
    ):
        pass

    assert said == []


def test_a_lock_ends_with_its_night(tmp_path: Path) -> None:
    for _ in range(2):
        with night_lock(tmp_path, "shop", NOW, lambda text: None) as lock:
            assert json.loads(lock.path.read_text())["pid"] == os.getpid()


def test_nights_of_other_plans_run_beside(tmp_path: Path) -> None:
    one, other = lock_name("shop", "/history"), lock_name("shop", "s3://bucket/history")
    assert one != other

    with (
        night_lock(tmp_path, one, NOW, lambda text: None),
        night_lock(tmp_path, other, NOW, lambda text: None),
    ):
        pass


def test_a_step_that_still_ends_is_waited_for_and_then_refused(tmp_path: Path) -> None:
    said: list[str] = []

    with (tmp_path / "shop.steps.lock").open("a") as step:
        fcntl.flock(step, fcntl.LOCK_EX)
        with (
            pytest.raises(Refused, match="has not ended after 0 s"),
            night_lock(tmp_path, "shop", NOW, said.append, patience_s=0.0),
        ):
            pass

    assert len(said) == 1
    with night_lock(tmp_path, "shop", NOW, said.append, patience_s=0.0):
        pass


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"XDG_STATE_HOME": "/var/state"}, "/var/state/lambda-perf-toolkit/nightly"),
        ({"XDG_STATE_HOME": "state"}, ".local/state/lambda-perf-toolkit/nightly"),
        ({}, ".local/state/lambda-perf-toolkit/nightly"),
    ],
    ids=["set", "relative", "not set"],
)
def test_locks_are_in_the_state_folder(variables: dict[str, str], expected: str) -> None:
    assert str(state_folder(variables)).endswith(expected)
    assert state_folder(variables).is_absolute()


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(InputError, match=r"could not open the lock .*shop\.lock.*XDG_STATE_HOME"),
        night_lock(tmp_path / "file", "shop", NOW, lambda text: None),
    ):
        pass
