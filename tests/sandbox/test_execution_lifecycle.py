"""Environments come and go, and no process outlives the sandbox."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from execution_rig import (
    call,
    is_running,
    payload,
    request,
    version,
    wait_until,
    with_executor,
    write_handlers,
)

from sandbox.execution import process as process_module
from sandbox.execution import procfs
from sandbox.execution.executor import LocalExecutor
from sandbox.execution.process import RuntimeProcess
from sandbox.execution.reaper import Reaper
from sandbox.execution.runtimes import Launch

pytestmark = pytest.mark.skipif(not procfs.available(), reason="needs /proc")


SLEEPER = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return write_handlers(tmp_path_factory.mktemp("code"))


async def gone(executor, pid, limit_s=10.0):
    async with asyncio.timeout(limit_s):
        while is_running(pid):
            await asyncio.sleep(0.01)


def test_close_leaves_no_process_behind(code):
    [result] = call(version(code, "leave_child_behind"), {})
    pids = payload(result)
    assert not is_running(pids["pid"])
    assert wait_until(lambda: not is_running(pids["child"]))


def test_close_ends_children_with_a_session_of_their_own(code):
    """A child, one whose parent has ended, and one that did not keep its environment."""
    [result] = call(version(code, "leave_session_behind"), {"cleared": True})
    pids = payload(result)
    assert len(pids) == 3
    assert wait_until(lambda: not any(map(is_running, pids)))


@pytest.mark.parametrize("then", ["leave", "spin"], ids=["an exit", "a timeout"])
def test_children_with_a_session_of_their_own_end_with_their_environment(code, then):
    spec = version(code, "leave_session_behind", timeout_s=2)

    async def work(executor):
        result = await executor.invoke(spec, request({"then": then, "cleared": then == "spin"}))
        [line] = [line for line in result.log.decode().splitlines() if line.startswith("pids")]
        pids = [int(pid) for pid in line.split()[1:]]
        for pid in pids:
            await gone(executor, pid)

    with_executor(work)


def test_close_in_the_middle_of_a_call_ends_it(code):
    async def main():
        executor = LocalExecutor()
        spec = version(code, "spin", timeout_s=60)
        running = asyncio.ensure_future(executor.invoke(spec, request()))
        async with asyncio.timeout(10):
            while executor.process_count == 0:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            await executor.close()
            result = await running
        assert result.function_error == "Unhandled"
        assert result.report.status == "error"

    asyncio.run(main())


def test_close_in_the_middle_of_a_start_ends_it(code):
    async def main():
        executor = LocalExecutor()
        running = asyncio.ensure_future(executor.invoke(version(code, "echo"), request()))
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await executor.close()
            result = await running
        assert result.function_error == "Unhandled"

    asyncio.run(main())


def test_a_cancelled_call_ends_its_process(code):
    spec = version(code, "spin", timeout_s=60)

    async def work(executor):
        running = asyncio.ensure_future(executor.invoke(spec, request()))
        await asyncio.sleep(0.3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert executor.process_count == 0

    with_executor(work)


def test_idle_environments_expire(code):
    async def work(executor):
        first = payload(await executor.invoke(version(code, "describe"), request()))
        await gone(executor, first["pid"])
        assert executor.process_count == 0
        again = await executor.invoke(version(code, "describe"), request())
        assert again.report.init_ms is not None

    with_executor(work, idle_expiry_s=0.1)


def test_retired_environments_end(code):
    async def work(executor):
        first = payload(await executor.invoke(version(code, "describe"), request()))
        await executor.retire("another")
        assert is_running(first["pid"])
        await executor.retire("f")
        assert not is_running(first["pid"])

    with_executor(work)


def test_no_more_processes_than_the_limit(code):
    spec = version(code, "sleep")

    async def work(executor):
        calls = [
            asyncio.ensure_future(executor.invoke(spec, request({"ms": 50}))) for _ in range(6)
        ]
        await asyncio.sleep(0)
        assert executor.queued_count == 4
        peak = 0
        while not all(one.done() for one in calls):
            peak = max(peak, executor.process_count)
            await asyncio.sleep(0.005)
        results = await asyncio.gather(*calls)
        assert peak == 2
        assert sum(result.report.init_ms is not None for result in results) == 2

    with_executor(work, process_limit=2)


def test_an_idle_process_that_died_is_replaced(code):
    spec = version(code, "describe")

    async def work(executor):
        first = payload(await executor.invoke(spec, request()))
        os.kill(first["pid"], signal.SIGKILL)
        await gone(executor, first["pid"])
        second = await executor.invoke(spec, request())
        assert second.report.status == "success"
        assert second.report.init_ms is not None

    with_executor(work)


@pytest.mark.parametrize("leave", ["leave_child_behind", "leave_session_behind"])
def test_handlers_end_with_a_sandbox_that_is_killed(code, leave):
    """The handler spins, so it would not notice by itself that nobody waits for its answer."""
    script = textwrap.dedent(
        f"""
        import asyncio, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from execution_rig import *

        async def main():
            executor = LocalExecutor()
            code = Path({str(code)!r})
            seen = payload(await executor.invoke(version(code, "{leave}"), request()))
            print(*(seen.values() if isinstance(seen, dict) else seen), flush=True)
            await executor.invoke(version(code, "spin", timeout_s=60), request())

        asyncio.run(main())
        """
    )
    sandbox = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        pids = [int(pid) for pid in sandbox.stdout.readline().split()]
    finally:
        sandbox.kill()
        sandbox.communicate()
    assert len(pids) == 2
    assert wait_until(lambda: not any(is_running(pid) for pid in pids))


def test_the_reaper_kills_what_it_was_told_of_and_nothing_else():
    processes = [subprocess.Popen(SLEEPER, start_new_session=True) for _ in range(2)]
    reaper = Reaper()
    try:
        for process in processes:
            reaper.watch(process.pid)
        reaper.forget(processes[1].pid)
        helper = reaper.pid
        reaper.close()
        assert processes[0].wait(10) == -signal.SIGKILL
        assert processes[1].poll() is None
        assert reaper.pid is None
        assert not is_running(helper)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_reaper_that_was_killed_does_not_stop_the_sandbox():
    reaper = Reaper()
    sleeper = subprocess.Popen(SLEEPER, start_new_session=True)
    try:
        reaper.watch(sleeper.pid)
        os.kill(reaper.pid, signal.SIGKILL)
        assert wait_until(lambda: not is_running(reaper.pid))
        reaper.forget(sleeper.pid)
        reaper.watch(sleeper.pid)
        reaper.close()
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_start_that_ends_half_way_leaves_no_group_with_the_reaper(code, monkeypatch):
    """Its number would be killed at the end, whoever has it by then."""
    told = []

    class Recorder(Reaper):
        def watch(self, group, mark=""):
            told.append(("watch", group, is_running(group)))

        def forget(self, group):
            told.append(("forget", group, is_running(group)))

    def no_descriptors(pid):
        raise OSError(errno.EMFILE, "Too many open files")

    async def main():
        launch = Launch(tuple(SLEEPER), {"AWS_LAMBDA_LOG_STREAM_NAME": "half way"})
        with pytest.raises(OSError, match="Too many open files"):
            RuntimeProcess(launch, code, Recorder())

    monkeypatch.setattr(process_module, "_open_probe", no_descriptors)
    asyncio.run(main())
    group = told[0][1]
    assert told == [("watch", group, True), ("forget", group, False)]
