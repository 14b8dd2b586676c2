"""The sandbox as a whole: one front on 127.0.0.1, the services behind it, and their end.

Nothing here isolates: handlers run with the rights of the user who started the sandbox.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping

from core.errors import InputError
from sandbox.account import ACCOUNT_ID, Account, ExecutorFactory, SandboxOptions
from sandbox.connection import HttpProtocol
from sandbox.http import Handler
from sandbox.state_dir import StateDirectory

__all__ = ["ACCOUNT_ID", "ExecutorFactory", "HttpServer", "Sandbox", "SandboxOptions"]

HOST = "127.0.0.1"


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
        account: Account,
        environment: Mapping[str, str],
    ) -> None:
        self._http = http
        self._state = state
        self._account = account
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
            state.keep_to(options.region)
            http = await HttpServer.listen(options.port)
        except BaseException:
            state.release()
            raise
        environment = client_environment(http.port, options.region)
        try:
            account = Account(options, state, environment, make_executor)
        except BaseException:
            await http.close()
            state.release()
            raise
        await http.serve(account.front.handle)
        return cls(http, state, account, environment)

    async def close(self) -> None:
        """Stops everything; no process and no temporary file is left."""
        try:
            await self._http.close()
            await self._account.close()
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
