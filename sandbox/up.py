"""`sandbox up`: starts a sandbox, deploys functions, says how to reach it, waits for its end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.console import Console
from core.errors import ExitCode, InputError, Interrupted
from sandbox.bundled import FunctionFolder, bundled_functions, read_function_folder
from sandbox.deploy import deploy
from sandbox.execution import descriptors
from sandbox.execution.cpu import host_cpu_note
from sandbox.execution.executor import LocalExecutor
from sandbox.lambda_api.context import LambdaOptions
from sandbox.server import ACCOUNT_ID, Sandbox, SandboxOptions

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """The options of `sandbox up`, checked.

    Raises:
        InputError: one of them cannot be used.
    """

    folders: tuple[Path, ...]
    with_bundled: bool
    port: int
    state_dir: Path | None
    cpu_model: Literal["linear", "cfs20", "off"]
    account_concurrency: int
    max_memory_mb: int
    update_ms: float
    region: str
    stop_with_stdin: bool

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("--port", self.port, 0, 65_535),
            ("--account-concurrency", self.account_concurrency, 1, 1_000_000),
            ("--max-memory-mb", self.max_memory_mb, 128, 10_240),
            ("--update-ms", self.update_ms, 0, 600_000),
        ):
            if not low <= value <= high:
                raise InputError(f"{name}: must be from {low} to {high} (got {value})")
        if _REGION.fullmatch(self.region) is None:
            raise InputError(
                f"--region: must be the name of an AWS region such as us-east-1 (got {self.region})"
            )


class _Stop:
    """Why and when to stop: the first signal, or the end of stdin."""

    def __init__(self, *, with_stdin: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self.event = asyncio.Event()
        self.code = ExitCode.INTERRUPTED
        for number, code in (
            (signal.SIGINT, ExitCode.INTERRUPTED),
            (signal.SIGTERM, ExitCode.TERMINATED),
        ):
            self._loop.add_signal_handler(number, self._stop, code)
        if with_stdin:
            threading.Thread(target=self._await_end_of_stdin, daemon=True).start()

    def _stop(self, code: ExitCode) -> None:
        # A second signal has its usual effect: it ends the process at once.
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.remove_signal_handler(number)
        self.code = code
        self.event.set()

    def _await_end_of_stdin(self) -> None:
        # os.read, because a thread inside of sys.stdin would block the end of the interpreter.
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        try:
            self._loop.call_soon_threadsafe(self._stop, ExitCode.TERMINATED)
        except RuntimeError:
            return  # the loop is closed: it stopped for another reason


def run_up(options: UpOptions, console: Console) -> ExitCode:
    """Runs until it is told to stop, which is how it ends well: 0 then.

    Raises:
        InputError: an option, a folder, the port or the state directory cannot be used.
        Interrupted: it was told to stop before it was ready.
    """
    folders = (
        *(bundled_functions() if options.with_bundled else ()),
        *(read_function_folder(path) for path in options.folders),
    )
    descriptors.raise_limit()
    return asyncio.run(_serve(options, folders, console))


async def _serve(
    options: UpOptions, folders: tuple[FunctionFolder, ...], console: Console
) -> ExitCode:
    stop = _Stop(with_stdin=options.stop_with_stdin)
    sandbox = await Sandbox.start(
        _sandbox_options(options),
        lambda environment: LocalExecutor(cpu_model=options.cpu_model, aws_environment=environment),
    )
    try:
        await _deploy_unless_stopped(sandbox.environment, folders, stop, console)
        _announce(sandbox.environment, folders, console)
        note = host_cpu_note(options.max_memory_mb, os.cpu_count() or 1)
        if note is not None:
            console.say(f"note: {note}")
        await stop.event.wait()
        console.detail("stopping")
    finally:
        await sandbox.close()
    return ExitCode.PASS


def _sandbox_options(options: UpOptions) -> SandboxOptions:
    return SandboxOptions(
        port=options.port,
        region=options.region,
        state_dir=options.state_dir,
        lambda_options=LambdaOptions(
            account_concurrency=options.account_concurrency,
            max_memory_mb=options.max_memory_mb,
            update_s=options.update_ms / 1000,
        ),
    )


async def _deploy_unless_stopped(
    environment: Mapping[str, str],
    folders: tuple[FunctionFolder, ...],
    stop: _Stop,
    console: Console,
) -> None:
    def done(folder: FunctionFolder) -> None:
        console.detail(f"deployed {folder.name}")

    deploying = asyncio.create_task(
        asyncio.to_thread(deploy, environment, folders, ACCOUNT_ID, done)
    )
    stopping = asyncio.create_task(stop.event.wait())
    await asyncio.wait((deploying, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.event.is_set():
        # The thread ends with an error of its own as soon as its connection is closed.
        deploying.add_done_callback(lambda task: task.cancelled() or task.exception())
        raise Interrupted("stopped before the sandbox was ready", code=stop.code)
    await deploying


def described(folder: FunctionFolder) -> dict[str, Any]:
    """A function as the JSON documents of the sandbox show it."""
    return {
        "name": folder.name,
        "description": folder.description,
        "runtime": folder.runtime,
        "handler": folder.handler,
        "memory_mb": folder.memory_mb,
        "timeout_s": folder.timeout_s,
    }


def _announce(
    environment: Mapping[str, str], folders: tuple[FunctionFolder, ...], console: Console
) -> None:
    endpoint_url = environment["AWS_ENDPOINT_URL"]
    if console.json_output:
        document = {
            "schema_version": 1,
            "endpoint_url": endpoint_url,
            "environment": dict(environment),
            "functions": [described(folder) for folder in folders],
            "host_cores": os.cpu_count() or 1,
        }
        console.document(json.dumps(document))
    else:
        for name, value in environment.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
    names = ", ".join(folder.name for folder in folders) or "none"
    console.say(f"sandbox ready at {endpoint_url}; functions: {names}; stop it with Ctrl-C")
    console.detail("no isolation: handlers run with your rights; signatures are not checked")
