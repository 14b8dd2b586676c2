"""A sandbox in a thread of this process, for tests, benchmarks and commands that need one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from types import TracebackType

from sandbox.server import ExecutorFactory, Sandbox, SandboxOptions


class BackgroundSandbox:
    """Runs a sandbox while its `with` block runs; the event loop is the thread's own."""

    def __init__(self, options: SandboxOptions, make_executor: ExecutorFactory) -> None:
        self._options = options
        self._make_executor = make_executor
        self._started: Future[Sandbox] = Future()
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def __enter__(self) -> BackgroundSandbox:
        self._thread.start()
        self._started.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that send an SDK to it."""
        return self._started.result().environment

    @property
    def endpoint_url(self) -> str:
        """Where SDKs reach it."""
        return self._started.result().endpoint_url

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            sandbox = await Sandbox.start(self._options, self._make_executor)
        except BaseException as error:
            self._started.set_exception(error)
            return
        self._started.set_result(sandbox)
        await self._stop.wait()
        await sandbox.close()
