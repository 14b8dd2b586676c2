"""`sandbox up`: starts a sandbox, deploys into it, says how to reach it, waits for its end."""

from __future__ import annotations

import asyncio
import gc
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
from typing import TYPE_CHECKING, Any, Literal

from core.console import Console
from core.errors import ExitCode, InputError, Interrupted
from sandbox.api_gateway import GatewayOptions
from sandbox.bundled import FunctionFolder, bundled_functions, read_function_folder
from sandbox.deploy import deploy
from sandbox.execution import descriptors
from sandbox.execution.cpu import host_cpu_note
from sandbox.execution.executor import LocalExecutor
from sandbox.gateway.snapshot import Limit
from sandbox.lambda_api.context import LambdaOptions
from sandbox.server import ACCOUNT_ID, Sandbox, SandboxOptions

if TYPE_CHECKING:
    # Stacks are imported where there is one: without, the sandbox starts sooner.
    from sandbox.stack.deployment import Deployed
    from sandbox.stack.reader import StackFile

# "Lambda quotas": concurrent executions of an account.
DEFAULT_ACCOUNT_CONCURRENCY = 1000

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")

# How many more objects there are before the collector looks at the young ones; Python has 700.
_YOUNG_OBJECTS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """The options of `sandbox up`, checked.

    Raises:
        InputError: one of them cannot be used.
    """

    folders: tuple[Path, ...]
    stack: str | None
    with_bundled: bool
    port: int
    state_dir: Path | None
    cpu_model: Literal["linear", "cfs20", "off"]
    account_concurrency: int | None  # None: what the stack says, or the default
    max_memory_mb: int
    update_ms: float
    metrics_delay_s: float
    region: str
    stop_with_stdin: bool

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("--port", self.port, 0, 65_535),
            ("--account-concurrency", self.account_concurrency, 1, 1_000_000),
            ("--max-memory-mb", self.max_memory_mb, 128, 10_240),
            ("--update-ms", self.update_ms, 0, 600_000),
            ("--metrics-delay", self.metrics_delay_s, 0, 86_400),
        ):
            if value is not None and not low <= value <= high:
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
    content = _content(options)
    descriptors.raise_limit()
    return asyncio.run(_serve(options, content, console))


@dataclass(frozen=True, slots=True)
class _Content:
    """What is deployed at the start: single functions, and a stack with its own."""

    folders: tuple[FunctionFolder, ...]
    stack: StackFile | None = None
    stack_folders: tuple[FunctionFolder, ...] = ()

    @property
    def functions(self) -> tuple[FunctionFolder, ...]:
        return (*self.folders, *self.stack_folders)


def _content(options: UpOptions) -> _Content:
    bundled = bundled_functions() if options.with_bundled else ()
    given = tuple(read_function_folder(path) for path in options.folders)
    if options.stack is None:
        return _Content((*bundled, *given))
    from sandbox.stack.deployment import stack_functions
    from sandbox.stack.reader import find_stack, read_stack

    stack = read_stack(find_stack(options.stack))
    if options.account_concurrency is not None:
        stack = stack.with_concurrency(options.account_concurrency)
    stack_folders = stack_functions(stack)
    names = {folder.name for folder in stack_folders}
    for folder in given:
        if folder.name in names:
            raise InputError(
                f"{folder.path}: the name {folder.name} is taken by a function of {stack.path}",
                hint="rename one of them, or leave one out",
            )
    # A stack's own function of the name of a bundled one is the one that is meant.
    others = tuple(folder for folder in bundled if folder.name not in names)
    return _Content((*others, *given), stack, stack_folders)


async def _serve(options: UpOptions, content: _Content, console: Console) -> ExitCode:
    stop = _Stop(with_stdin=options.stop_with_stdin)
    sandbox = await Sandbox.start(
        _sandbox_options(options, content.stack),
        lambda environment: LocalExecutor(cpu_model=options.cpu_model, aws_environment=environment),
    )
    try:
        deployed = await _deploy_unless_stopped(sandbox.environment, content, stop, console)
        _spare_collections()
        _announce(sandbox.environment, content, deployed, console)
        note = host_cpu_note(options.max_memory_mb, os.cpu_count() or 1)
        if note is not None:
            console.say(f"note: {note}")
        await stop.event.wait()
        console.detail("stopping")
    finally:
        await sandbox.close()
    return ExitCode.PASS


def _sandbox_options(options: UpOptions, file: StackFile | None) -> SandboxOptions:
    account = file.stack.account if file else None
    concurrency = options.account_concurrency or (account.concurrency if account else None)
    throttle = account.throttle if account else None
    return SandboxOptions(
        port=options.port,
        region=options.region,
        state_dir=options.state_dir,
        metrics_delay_s=options.metrics_delay_s,
        lambda_options=LambdaOptions(
            account_concurrency=concurrency or DEFAULT_ACCOUNT_CONCURRENCY,
            max_memory_mb=options.max_memory_mb,
            update_s=options.update_ms / 1000,
        ),
        gateway_options=(
            GatewayOptions(account_limit=Limit(throttle.rate_rps, throttle.burst))
            if throttle
            else GatewayOptions()
        ),
    )


def _spare_collections() -> None:
    """Takes what is there now, which stays, out of what the collector looks at.

    A full collection of modules and service models stops everything for 100 ms and more. Young
    objects are looked at less often: nearly all end with their request, without a collector.
    """
    gc.collect()  # what deploying left behind does not stay
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)


async def _deploy_unless_stopped(
    environment: Mapping[str, str], content: _Content, stop: _Stop, console: Console
) -> Deployed | None:
    deploying = asyncio.create_task(asyncio.to_thread(_deploy, environment, content, console))
    stopping = asyncio.create_task(stop.event.wait())
    await asyncio.wait((deploying, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.event.is_set():
        # The thread ends with an error of its own as soon as its connection is closed.
        deploying.add_done_callback(lambda task: task.cancelled() or task.exception())
        raise Interrupted("stopped before the sandbox was ready", code=stop.code)
    return await deploying


def _deploy(environment: Mapping[str, str], content: _Content, console: Console) -> Deployed | None:
    def done(folder: FunctionFolder) -> None:
        console.detail(f"deployed {folder.name}")

    deploy(environment, content.folders, ACCOUNT_ID, done)
    if content.stack is None:
        return None
    from sandbox.stack.deployment import deploy_stack

    return deploy_stack(environment, content.stack, content.stack_folders, console.detail)


def described(folder: FunctionFolder) -> dict[str, Any]:
    """A function as the JSON documents of the sandbox show it."""
    return {
        "name": folder.name,
        "description": folder.description,
        "runtime": folder.runtime,
        "arch": folder.arch,
        "handler": folder.handler,
        "memory_mb": folder.memory_mb,
        "timeout_s": folder.timeout_s,
    }


def _stack_document(deployed: Deployed | None) -> dict[str, Any]:
    if deployed is None:
        return {}
    from sandbox.stack.view import stack_document

    return stack_document(deployed)


def _announce(
    environment: Mapping[str, str],
    content: _Content,
    deployed: Deployed | None,
    console: Console,
) -> None:
    endpoint_url = environment["AWS_ENDPOINT_URL"]
    if console.json_output:
        document = {
            "schema_version": 1,
            "endpoint_url": endpoint_url,
            "environment": dict(environment),
            "functions": [described(folder) for folder in content.functions],
            "host_cores": os.cpu_count() or 1,
            **_stack_document(deployed),
        }
        console.document(json.dumps(document))
    else:
        for name, value in environment.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
    if deployed is not None:
        from sandbox.stack.view import stack_lines

        for line in stack_lines(deployed):
            console.say(line)
    names = ", ".join(folder.name for folder in content.functions) or "none"
    console.say(f"sandbox ready at {endpoint_url}; functions: {names}; stop it with Ctrl-C")
    console.detail("no isolation: handlers run with your rights; signatures are not checked")
