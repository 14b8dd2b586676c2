"""Services behind a front of their own, in a thread, and clients of them."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

from sandbox.front import Front, Service
from sandbox.server import HttpServer

REGION = "us-east-1"


@contextmanager
def serve(services: Mapping[str, Service]) -> Iterator[int]:
    """Serves on a free port in a thread: gives the port."""
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        stop = asyncio.Event()
        server = await HttpServer.listen(0)
        await server.serve(Front(services).handle)
        started.set_result((server.port, asyncio.get_running_loop(), stop))
        await stop.wait()
        await server.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    port, loop, stop = started.result(10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


@contextmanager
def client_of(port: int, service: str, *, region: str = REGION, **config: Any) -> Iterator[Any]:
    """A boto3 client that does not retry."""
    client = boto3.Session().client(
        service,  # type: ignore[call-overload]
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=region,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, **config),
    )
    try:
        yield client
    finally:
        client.close()


def authorization(service: str) -> str:
    """What a signed request to `service` has in its Authorization header."""
    return f"AWS4-HMAC-SHA256 Credential=any/20260101/{REGION}/{service}/aws4_request, Signature=0"


def send(
    port: int, body: bytes | str, headers: Mapping[str, str], path: str = "/", method: str = "POST"
) -> tuple[int, dict[str, str], bytes]:
    """Sends what no SDK would: gives status, headers (names in lower case) and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, fields, answer.read()
    finally:
        connection.close()
