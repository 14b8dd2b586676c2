"""The sandbox as a whole: one front on 127.0.0.1, the services behind it, and their end.

Nothing here isolates: handlers run with the rights of the user who started the sandbox.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError
from sandbox.connection import HttpProtocol
from sandbox.execution.contract import Executor
from sandbox.front import Application, Front, Service
from sandbox.http import Handler
from sandbox.lambda_api.context import LambdaContext, LambdaOptions
from sandbox.lambda_api.names import Home
from sandbox.lambda_api.packages import PackageStore
from sandbox.lambda_api.service import PACKAGE_PATH, LambdaService, PackageDownloads
from sandbox.lambda_api.store import FunctionStore
from sandbox.state_dir import StateDirectory
from sandbox.sts import StsService

HOST = "127.0.0.1"
ACCOUNT_ID = "000000000000"

logger = logging.getLogger(__name__)

# Makes the executor; it is given the variables that let handlers reach the sandbox.
ExecutorFactory = Callable[[Mapping[str, str]], Executor]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How a sandbox is started; `port` 0 takes any free port."""

    port: int = 0
    region: str = "us-east-1"
    state_dir: Path | None = None
    lambda_options: LambdaOptions = field(default_factory=LambdaOptions)


class HttpServer:
    """A listening socket on the loopback interface, its connections and running answers."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self._connections: set[HttpProtocol] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._handler: Handler | None = None

    @classmethod
    async def listen(cls, port: int) -> HttpServer:
        """Takes `port`; connections wait until `serve`.

        Raises:
            InputError: the port cannot be had.
        """
        loop = asyncio.get_running_loop()
        holder: list[HttpServer] = []
        try:
            server = await loop.create_server(
                lambda: holder[0]._connect(), HOST, port, backlog=4096, start_serving=False
            )
        except (OSError, OverflowError) as error:
            in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            reason = "it is in use" if in_use else str(error)
            raise InputError(
                f"could not listen on {HOST}:{port}: {reason}",
                hint="give another --port, or --port 0 for any free one",
            ) from error
        holder.append(cls(server))
        return holder[0]

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.sockets[0].getsockname()[1])

    async def serve(self, handler: Handler) -> None:
        """Begins to answer with `handler`."""
        self._handler = handler
        await self._server.start_serving()

    def _connect(self) -> HttpProtocol:
        if self._handler is None:
            raise RuntimeError("a connection came before the server had something to answer with")
        return HttpProtocol(self._handler, self._connections, self._tasks)

    async def close(self) -> None:
        """Ends all connections; answers that are not ready are dropped."""
        self._server.close()
        for connection in tuple(self._connections):
            connection.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()


class Sandbox:
    """A running sandbox."""

    def __init__(
        self,
        http: HttpServer,
        state: StateDirectory,
        executor: Executor,
        lambda_service: LambdaService,
        environment: Mapping[str, str],
    ) -> None:
        self._http = http
        self._state = state
        self._executor = executor
        self._lambda_service = lambda_service
        self.environment = environment

    @property
    def endpoint_url(self) -> str:
        """Where SDKs reach it."""
        return self.environment["AWS_ENDPOINT_URL"]

    @classmethod
    async def start(cls, options: SandboxOptions, make_executor: ExecutorFactory) -> Sandbox:
        """Starts everything; when it returns, requests are answered.

        Raises:
            InputError: the port or the state directory cannot be used.
        """
        state = StateDirectory(options.state_dir)
        try:
            store = FunctionStore(state.path / "state.json" if state.lasting else None)
            packages = PackageStore(state.path / "code")
            packages.keep_only(store.codes())
            http = await HttpServer.listen(options.port)
        except BaseException:
            state.release()
            raise
        environment = client_environment(http.port, options.region)
        try:
            executor = make_executor(environment)
        except BaseException:
            await http.close()
            state.release()
            raise
        context = LambdaContext(
            home=Home(ACCOUNT_ID, options.region),
            options=options.lambda_options,
            store=store,
            packages=packages,
            executor=executor,
            package_url=environment["AWS_ENDPOINT_URL"] + PACKAGE_PATH,
        )
        lambda_service = LambdaService(context)
        services: dict[str, Service] = {"lambda": lambda_service, "sts": StsService(ACCOUNT_ID)}
        applications: list[Application] = [PackageDownloads(packages)]
        await http.serve(Front(services, applications).handle)
        return cls(http, state, executor, lambda_service, environment)

    async def close(self) -> None:
        """Stops everything; no process and no temporary file is left."""
        try:
            await self._http.close()
            await self._lambda_service.close()
        finally:
            try:
                await self._executor.close()
            finally:
                self._state.release()


def client_environment(port: int, region: str) -> dict[str, str]:
    """The variables that send an unmodified SDK to the sandbox."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
    }
