"""The helper that kills what environments leave behind: when it looks, and for what."""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from execution_rig import is_running, wait_until

from sandbox.execution import procfs
from sandbox.execution.reaper import Reaper
from sandbox.execution.runtimes import BOOTSTRAP_DIR

SLEEPER = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
# What /proc shows of a process that has its new memory, and neither arguments nor variables yet.
EXECUTING = {"environ": "", "cmdline": ""}


class FakeHost:
    """Runs the helper's code with processes that are files and a clock that nobody waits for."""

    def __init__(self, proc, monkeypatch):
        spec = importlib.util.spec_from_file_location("helper", BOOTSTRAP_DIR / "sandbox_reaper.py")
        self.helper = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.helper)
        self.proc = proc
        self.killed = []
        self.looks = 0
        self.now_s = 1000.0
        self.on_sleep = lambda: None
        self._processes = self.helper.processes
        clock = SimpleNamespace(monotonic=lambda: self.now_s, sleep=self._sleep)
        monkeypatch.setattr(self.helper, "PROC", proc)
        monkeypatch.setattr(self.helper, "processes", self._count_look)
        monkeypatch.setattr(self.helper, "kill", self._kill)
        monkeypatch.setattr(self.helper, "time", clock)
        monkeypatch.setattr(self.helper, "select", SimpleNamespace(select=self._select))

    def has(self, pid, environ="", cmdline="program", statm="100 1 1 1 0 1 0\n"):
        """Starts a process, or changes it."""
        directory = self.proc / str(pid)
        directory.mkdir(exist_ok=True)
        for name, text in (("environ", environ), ("cmdline", cmdline), ("statm", statm)):
            (directory / name).write_text(text)

    def serve(self, *steps):
        """Runs the helper; each time that it waits, lines come or a pause has passed.

        After the last step its standard input closes.
        """
        source, self._sink = os.pipe()
        self._steps = iter(steps)
        try:
            self.helper.serve(source)
        finally:
            os.close(source)

    def _select(self, readable, _write, _error, timeout_s):
        if timeout_s != 0:
            step = next(self._steps, None)
            if step is None:
                os.close(self._sink)
            elif isinstance(step, str):
                os.write(self._sink, step.encode())
            else:
                assert timeout_s is not None, "the helper waits for lines only"
                self.now_s += timeout_s
                step()
        return select.select(readable, [], [], 0)

    def _count_look(self):
        self.looks += 1
        return self._processes()

    def _kill(self, how, number):
        self.killed.append((how.__name__, int(number)))
        shutil.rmtree(self.proc / str(number), ignore_errors=True)

    def _sleep(self, pause_s):
        self.now_s += pause_s
        self.on_sleep()


@pytest.fixture
def fake(tmp_path, monkeypatch):
    return FakeHost(tmp_path, monkeypatch)


def test_all_with_the_mark_of_a_stopped_environment_are_killed_and_no_others(fake):
    fake.has(7, environ="A=1\0LOG=one\0")
    fake.has(8, environ="LOG=one or so\0")
    fake.has(9, environ="LOG=two\0")
    killed = []
    fake.serve("+5 LOG=one\n+6 LOG=two\n-5\n", lambda: killed.extend(fake.killed))
    assert killed == [("kill", 7)]
    assert fake.killed == [("kill", 7), ("killpg", 6), ("kill", 9)]


def test_a_process_that_executes_a_program_at_the_first_look_is_found_at_the_second(fake):
    fake.has(7, **EXECUTING)
    killed = []
    fake.serve(
        "+4 LOG=zero\n+5 LOG=one\n-5\n",
        lambda: fake.has(7, environ="LOG=one\0"),
        "-4\n",
        lambda: killed.extend(fake.killed),
    )
    assert killed == [("kill", 7)]


def test_a_process_that_executes_a_program_at_the_last_look_is_waited_for(fake):
    fake.has(7, **EXECUTING)
    fake.has(8, **EXECUTING)
    fake.on_sleep = lambda: fake.has(7, environ="LOG=one\0")
    fake.serve("+5 LOG=one\n")
    assert fake.killed == [("killpg", 5), ("kill", 7)]
    assert 0.5 <= fake.now_s - 1000 < 0.6, "one that goes on for ever is waited for a while"


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(
            {"environ": "", "cmdline": "", "statm": "0 0 0 0 0 0 0\n"}, id="kernel thread"
        ),
        pytest.param({"environ": "", "cmdline": "/bin/sleep\0"}, id="without variables"),
    ],
)
def test_the_end_waits_for_nothing_else(fake, files):
    fake.has(7, **files)
    fake.serve("+5 LOG=one\n")
    assert fake.killed == [("killpg", 5)]
    assert fake.now_s == 1000


def test_what_starts_when_its_environment_is_stopped_ends_at_the_latest_with_the_sandbox(fake):
    fake.serve(
        "+5 LOG=one\n-5\n",
        lambda: None,
        "+6 LOG=two\n-6\n",
        lambda: fake.has(7, environ="LOG=one\0"),
    )
    assert fake.killed == [("kill", 7)]


def test_one_look_serves_all_environments_that_were_stopped(fake):
    starts = "".join(f"+{number} LOG={number}\n" for number in range(100, 164))
    stops = "".join(f"-{number}\n" for number in range(100, 164))
    looks = []
    fake.serve(starts + stops, lambda: looks.append(fake.looks), "+1 LOG=1\n")
    assert looks == [1]
    assert fake.looks == 3, "the second one, and that at the end"


def test_the_end_kills_the_groups_and_looks_once_for_everything(fake):
    starts = "".join(f"+{number} LOG={number}\n" for number in range(100, 164))
    stops = "".join(f"-{number}\n" for number in range(100, 132))
    fake.serve(starts + stops)
    assert fake.killed == [("killpg", number) for number in range(132, 164)]
    assert fake.looks == 2


def test_a_line_that_comes_in_parts_is_one_line_and_half_of_one_is_none(fake):
    fake.has(7, environ="LOG=one\0")
    fake.serve("+51 LOG=", "one\n+5", "2 LOG=two\n+5")
    assert fake.killed == [("killpg", 51), ("killpg", 52), ("kill", 7)]


@pytest.mark.skipif(not procfs.available(), reason="needs /proc")
def test_processes_of_many_environments_end_with_their_environments_and_later_ones_at_the_end():
    marks = [f"AWS_LAMBDA_LOG_STREAM_NAME=reaper-{os.getpid()}-{number}" for number in range(8)]

    def start(mark):
        variables = dict([mark.split("=")])
        return subprocess.Popen(SLEEPER, env=variables, start_new_session=True)

    reaper = Reaper()
    strays = [start(mark) for mark in marks]
    try:
        # Groups that are not there: all that is left to find the processes by is the mark.
        for number, mark in enumerate(marks):
            reaper.watch(2**22 + number, mark)
        for number in range(len(marks)):
            reaper.forget(2**22 + number)
        assert wait_until(lambda: not any(is_running(stray.pid) for stray in strays))
        strays.append(start(marks[0]))
        reaper.close()
        assert wait_until(lambda: not is_running(strays[-1].pid))
    finally:
        reaper.close()
        for stray in strays:
            stray.kill()
            stray.wait()
