"""A real server with nothing but the paths of the sandbox itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.admin import AdminApplication
from sandbox.faults import FaultSet
from sandbox.front import Front
from sandbox.gateway.limits import LimitLedger
from sandbox.gateway.network import Network
from sandbox.http import Answer, Handler, Request, Response
from sandbox.server import HttpServer


class NoPlane:
    """Stands where the data plane does."""

    def __init__(self) -> None:
        self.entrance: Handler = self.serve

    def serve(self, request: Request) -> Answer:
        return Response(200)


class AdminRig:
    """What is behind the server, and where it answers. The clock stands still until it is moved."""

    def __init__(self) -> None:
        self.faults = FaultSet()
        self.ledger = LimitLedger()
        self.network = Network(NoPlane())
        self.now_s = 100.0
        self.url = ""

    async def serve(self, started: threading.Event, stopped: asyncio.Event) -> None:
        server = await HttpServer.listen(0)
        application = AdminApplication(self.faults, self.ledger, self.network, lambda: self.now_s)
        await server.serve(Front({}, [application]).handle)
        self.url = f"http://127.0.0.1:{server.port}"
        started.set()
        await stopped.wait()
        await server.close()


@contextmanager
def running_admin() -> Iterator[AdminRig]:
    """Runs the server in a thread."""
    rig, started, stopped = AdminRig(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(rig.serve(started, stopped),))
    thread.start()
    assert started.wait(10)
    try:
        yield rig
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()
