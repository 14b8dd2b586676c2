"""Servers that the benchmarks start: sandboxes, and what stands beside them.

Each runs in a process of its own, as clients have it, and ends with its `with` block, whatever ends
that.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httptools

# What `child` starts a sandbox with; options follow.
SANDBOX_UP = (
    *("-c", "from sandbox.cli import main; main()"),
    *("up", "--no-functions", "--json", "-q", "--port", "0"),
)
BARE = (str(Path(__file__)),)

_TLS = """
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {folder}/key.pem;
"""
_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    {tls}
    default_type application/json;
    location / {{ return 200 '{{"ok": true}}'; }}
    location = /seen {{ stub_status; }}
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
def child(*arguments: str, core: int | None = None) -> Iterator[dict[str, Any]]:
    """A Python process that serves; gives the JSON that it says of itself when it is ready."""
    process = subprocess.Popen(
        [*on_core(core), sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        if process.stdout is None:
            raise RuntimeError("the server has no stdout")
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class StaticServer:
    """nginx with one worker and a fixed answer, with and without TLS."""

    http: str
    https: str
    ca_file: Path  # trusts the certificate of `https`

    def seen(self) -> int:
        """How many requests it has had, by its own count; each call is one more."""
        with urllib.request.urlopen(self.http + "seen") as response:  # noqa: S310 # our own
            return int(response.read().split()[9])


@contextmanager
def nginx(folder: Path) -> Iterator[str | None]:
    """The URL of nginx with one worker and a fixed answer; None where it is not installed."""
    with static_server(folder, tls=False) as server:
        yield server.http if server else None


@contextmanager
def static_server(
    folder: Path, *, tls: bool = True, core: int | None = None
) -> Iterator[StaticServer | None]:
    """nginx, on one core if told so; None where it is not installed."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        yield None
        return
    port, tls_port = free_port(), free_port()
    certificate = folder / "certificate.pem"
    lines = ""
    if tls:
        _make_certificate(certificate, folder / "key.pem")
        lines = _TLS.format(port=tls_port, certificate=certificate, folder=folder)
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port, tls=lines))
    command = [*on_core(core), binary, "-c", str(config), "-p", str(folder)]
    with subprocess.Popen(command) as process:
        try:
            _await_port(port)
            yield StaticServer(
                f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{tls_port}/", certificate
            )
        finally:
            process.terminate()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def on_core(core: int | None) -> list[str]:
    """What a command begins with to stay on one core; nothing where that cannot be."""
    if core is None or shutil.which("taskset") is None or core >= (os.cpu_count() or 1):
        return []
    return ["taskset", "-c", str(core)]


def _make_certificate(certificate: Path, key: Path) -> None:
    """Signs itself, for 127.0.0.1, by openssl."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=benchmark", "-addext"),
            *("subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )


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
