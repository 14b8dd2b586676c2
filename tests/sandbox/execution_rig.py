"""What the tests of the executor share: handlers, and short ways to call them."""

from __future__ import annotations

import asyncio
import json
import textwrap
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from sandbox.execution.contract import InvokeRequest, InvokeResult, VersionSpec
from sandbox.execution.executor import LocalExecutor
from sandbox.execution.host import Host

T = TypeVar("T")

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"

HANDLERS = textwrap.dedent(
    """
    import fcntl, os, signal, subprocess, sys, threading, time

    calls = 0

    def burn(event, context):
        end = time.process_time() + event["cpu_ms"] / 1000
        while time.process_time() < end:
            sum(range(200))

    def sleep(event, context):
        time.sleep(event["ms"] / 1000)

    def echo(event, context):
        return event

    def describe(event, context):
        global calls
        calls += 1
        return {"pid": os.getpid(), "calls": calls, "env": dict(os.environ), "cwd": os.getcwd(),
                "id": context.aws_request_id, "arn": context.invoked_function_arn,
                "left": context.get_remaining_time_in_millis(),
                "client": context.client_context and context.client_context.custom}

    def shout(event, context):
        print("to stdout")
        print("to stderr", file=sys.stderr)

    def flood(event, context):
        for number in range(20000):
            print(f"line {number:06d}")

    def enlarge(event, context):
        fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)
        os.write(1, b"x" * 900_000 + b"\\nthe end\\n")

    def pour(event, context):
        while True:
            os.write(1, b"x" * 65536)

    def pour_on(event, context):
        global calls
        calls += 1
        if calls == 1:
            threading.Thread(target=pour, args=(event, context), daemon=True).start()

    def fail(event, context):
        raise ValueError("bad value")

    def leave(event, context):
        os._exit(event["status"])

    def die(event, context):
        os.kill(os.getpid(), getattr(signal, event["signal"]))

    def fill(event, context):
        block = bytearray(event["mb"] * 1024 * 1024)
        for at in range(0, len(block), 4096):
            block[at] = 1
        return len(block)

    def fill_in_child(event, context):
        code = "x = b'1' * (%d * 1024 * 1024); import time; time.sleep(%d)"
        pause_s = 60 if event["mb"] > 100 else 0
        subprocess.run([sys.executable, "-c", code % (event["mb"], pause_s)])

    def start_children_beside(event, context):
        global block
        block = None
        block = b"1" * (event["mb"] * 1024 * 1024)
        for _ in range(event["children"]):
            subprocess.run(["true"], check=True)

    def burn_in_child(event, context):
        code = ("import time; e = time.process_time() + %f\\n"
                "while time.process_time() < e: sum(range(200))" % (event["cpu_ms"] / 1000))
        subprocess.run([sys.executable, "-S", "-c", code], check=True)

    def burn_in_threads(event, context):
        import hashlib
        from concurrent.futures import ThreadPoolExecutor
        block = bytes(1024 * 1024)
        def work(_):
            end = time.thread_time() + event["cpu_ms"] / 1000
            while time.thread_time() < end:
                hashlib.sha256(block).digest()
        with ThreadPoolExecutor(event["threads"]) as pool:
            list(pool.map(work, range(event["threads"])))

    def spin(event, context):
        while True:
            pass

    def leave_child_behind(event, context):
        child = subprocess.Popen(["sleep", "60"])
        return {"pid": os.getpid(), "child": child.pid}

    def leave_session_behind(event, context):
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        shell = "sleep 60 >/dev/null 2>&1 & echo $!"
        started = subprocess.run(["sh", "-c", shell], capture_output=True, start_new_session=True)
        pids = [child.pid, int(started.stdout)]
        if event.get("cleared"):
            cleared = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True, env={})
            pids.append(cleared.pid)
        print("pids", *pids)
        if event.get("then") == "leave":
            os._exit(1)
        if event.get("then") == "spin":
            spin(event, context)
        return pids

    def large(event, context):
        return "x" * (7 * 1024 * 1024)
    """
)


def write_handlers(folder: Path) -> Path:
    """A code directory with all handlers above in handler.py."""
    (folder / "handler.py").write_text(HANDLERS)
    return folder


def version(code_dir: Path, handler: str, **changes: Any) -> VersionSpec:
    """A version whose handler is a function of handler.py, or a full handler name."""
    spec = VersionSpec(
        function_name="f",
        function_arn=ARN,
        version="$LATEST",
        config_id="1",
        runtime="python3.11",
        handler=handler if "." in handler else f"handler.{handler}",
        memory_mb=1769,
        timeout_s=10,
        code_dir=code_dir,
    )
    return replace(spec, **changes)


def request(event: object = None, **changes: Any) -> InvokeRequest:
    """A request with a new id."""
    return replace(InvokeRequest(str(uuid4()), json.dumps(event or {}).encode()), **changes)


def with_executor(work: Callable[[LocalExecutor], Awaitable[T]], **options: Any) -> T:
    """Runs `work` with an executor that is closed afterwards."""

    async def main() -> T:
        executor = LocalExecutor(**options)
        try:
            return await work(executor)
        finally:
            await executor.close()

    return asyncio.run(main())


def call(spec: VersionSpec, *events: object, **options: Any) -> list[InvokeResult]:
    """The results of calls one after the other, in an executor of their own."""

    async def work(executor: LocalExecutor) -> list[InvokeResult]:
        return [await executor.invoke(spec, request(event)) for event in events]

    return with_executor(work, **options)


def host(**changes: Any) -> Host:
    """A host with changed settings."""
    return replace(Host(), **changes)


def payload(result: InvokeResult) -> Any:
    """The answer as a value."""
    return json.loads(result.payload)


def is_running(pid: int) -> bool:
    """Whether a process is there and not just waiting to be collected."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition: Callable[[], bool], limit_s: float = 10.0) -> bool:
    """Whether the condition becomes true in time."""
    deadline_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True


def model_environment(model: Mapping[str, object]) -> dict[str, str]:
    """The environment variables of a modelled function."""
    return {"SANDBOX_MODEL": json.dumps(model)}
