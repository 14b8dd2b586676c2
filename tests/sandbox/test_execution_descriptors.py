"""File descriptors: enough for the sandbox, Lambda's number for handlers, and an honest end."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import resource
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from execution_rig import call, payload, version
from test_execution_runtime_api import Events

from sandbox.execution import procfs
from sandbox.execution.runtime_api import RuntimeApi

LINUX = pytest.mark.skipif(not procfs.available(), reason="needs /proc")


def run_script(script, *arguments):
    """What a script printed in a process of its own; it must not write to stderr."""
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parent,
    )
    assert answer.stderr == ""
    return json.loads(answer.stdout)


@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    [
        pytest.param(256, 4096, 4096, id="to the hard limit"),
        pytest.param(4096, 4096, 4096, id="it has what it may have"),
    ],
)
def test_the_limit_is_raised_as_far_as_it_may_be(soft, hard, expected):
    script = """
        import json, resource, sys
        from sandbox.execution.descriptors import raise_limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
        raise_limit()
        print(json.dumps(resource.getrlimit(resource.RLIMIT_NOFILE)))
    """
    assert run_script(script, soft, hard) == [expected, hard]


@LINUX
def test_a_sandbox_that_serves_has_raised_its_limit():
    shell = 'ulimit -Sn 256; exec "$0" -c "from sandbox.cli import main; main()" "$@"'
    sandbox = subprocess.Popen(
        ["/bin/sh", "-c", shell, sys.executable, "up", "--no-functions", "--json", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert json.loads(sandbox.stdout.readline())["schema_version"] == 1
        soft, hard = resource.prlimit(sandbox.pid, resource.RLIMIT_NOFILE)
    finally:
        sandbox.terminate()
        sandbox.communicate()
    assert soft == (65536 if hard == resource.RLIM_INFINITY else min(hard, 65536))


@LINUX
def test_handlers_have_as_many_as_on_aws(tmp_path):
    (tmp_path / "main.py").write_text(
        "import resource\ndef go(e, c): return resource.getrlimit(resource.RLIMIT_NOFILE)"
    )
    [result] = call(version(tmp_path, "main.go"), {})
    most = min(1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    assert payload(result) == [most, most]


@LINUX
def test_calls_beyond_the_descriptors_say_so_and_the_others_are_served(tmp_path):
    script = """
        import asyncio, json, resource, sys
        from pathlib import Path
        from execution_rig import *

        async def main():
            resource.setrlimit(resource.RLIMIT_NOFILE, (120, 120))
            spec = version(write_handlers(Path(sys.argv[1])), "sleep", timeout_s=60)
            executor = LocalExecutor()
            calls = [executor.invoke(spec, request({"ms": 500})) for _ in range(40)]
            results = await asyncio.gather(*calls)
            results.append(await executor.invoke(spec, request({"ms": 1})))
            await executor.close()
            print(json.dumps([[it.report.error_type, payload(it)] for it in results]))

        asyncio.run(main())
    """
    *together, after = run_script(script, tmp_path)
    kinds = [error_type for error_type, _ in together]
    assert set(kinds) == {None, "Sandbox.TooManyOpenFiles"}
    refused = next(answer for error_type, answer in together if error_type is not None)
    assert "too few file descriptors for another environment" in refused["errorMessage"]
    assert "ulimit -n" in refused["errorMessage"]
    assert after[0] is None


def test_a_runtime_that_cannot_be_accepted_is_told_once():
    """All numbers below the limit are taken, as after a burst of other connections."""

    async def main():
        events = Events()
        api = RuntimeApi(events)
        host, port = (await api.start()).split(":")
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        with socket.socket() as client:
            next_free = os.dup(client.fileno())
            os.close(next_free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (next_free, before[1]))
            try:
                client.connect((host, int(port)))
                async with asyncio.timeout(10):
                    while not events.seen:
                        await asyncio.sleep(0)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, before)
            await asyncio.sleep(0)
        api.close()
        assert events.seen == [("refused", errno.EMFILE)]

    asyncio.run(main())
