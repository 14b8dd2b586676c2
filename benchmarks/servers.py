"""Servers that the benchmarks start: sandboxes, and what stands beside them.

Each runs in a process of its own, as clients have it, and ends with its `with` block, whatever ends
that.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httptools

# What `child` starts a sandbox with; options follow.
SANDBOX_UP = (
    *("-c", "from sandbox.cli import main; main()"),
    *("up", "--no-functions", "--json", "-q", "--port", "0"),
)
BARE = (str(Path(__file__)),)

_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location / {{ return 200 '{{"ok": true}}'; }}
  }}
}}
"""


class BareProtocol(asyncio.Protocol):
    """Answers each request with the same bytes: the floor of what asyncio and httptools cost."""

    ANSWER = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        b"x-amzn-RequestId: 0\r\ncontent-length: 12\r\n\r\n" + b'{"ok": true}'
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(self.ANSWER)


async def serve_bare() -> None:
    """Says its URL as `sandbox up --json` does, and serves until it is killed."""
    server = await asyncio.get_running_loop().create_server(BareProtocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"endpoint_url": f"http://127.0.0.1:{port}"}), flush=True)
    await server.serve_forever()


@contextmanager
def child(*arguments: str) -> Iterator[dict[str, Any]]:
    """A Python process that serves; gives the JSON that it says of itself when it is ready."""
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        if process.stdout is None:
            raise RuntimeError("the server has no stdout")
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def nginx(folder: Path) -> Iterator[str | None]:
    """The URL of nginx with one worker and a fixed answer; None where it is not installed."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port))
    with subprocess.Popen([binary, "-c", str(folder / "nginx.conf"), "-p", str(folder)]) as process:
        try:
            _await_port(port)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()


def _await_port(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port}")


if __name__ == "__main__":
    asyncio.run(serve_bare())
