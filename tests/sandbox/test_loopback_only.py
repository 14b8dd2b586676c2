"""A sandbox with a function at work: seen on the loopback interface only, and leaves nothing.

The kernel's own tables are read, for every process below `sandbox up`: what a library opens counts
as what the sandbox opens.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.skipif(
    not Path("/proc/net/tcp").exists(), reason="reads the kernel's tables in /proc/net"
)

LOOPBACK = "127.0.0.1"
_TABLES = ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
# States of TCP in the kernel's tables (include/net/tcp_states.h).
_LISTEN = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_WAIT_S = 20
_UP = [sys.executable, "-m", "sandbox", "up"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A socket of the process tree: table, address of this side, and whether it listens."""

    table: str
    address: str
    port: int
    listens: bool


@dataclass(frozen=True, slots=True)
class Life:
    """What was seen of a `sandbox up` whose functions were at work, and of how it ended.

    `found` are its sockets and those of all below it, `of_functions` of those below alone. `left`
    are processes that outlived it; files are those of its temporary directory.
    """

    port: int
    processes: list[int]
    found: list[Endpoint]
    of_functions: list[Endpoint]
    files: list[Path]
    code: int
    left: list[int]
    files_left: list[Path]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """A sandbox that is ended by SIGTERM."""
    scratch = tmp_path_factory.mktemp("tmp")
    with subprocess.Popen(
        [*_UP, "--stack", "orders", "--port", "0", "--json", "--stop-with-stdin", "-q"],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            document = json.loads(process.stdout.readline())
            call_checkout(document)
            processes = tree(process.pid)
            seen = endpoints(processes), endpoints(processes[1:]), list(scratch.iterdir())
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=_WAIT_S)
        finally:
            process.kill()
    left = [pid for pid in processes if not _ends(pid)]
    port = httpx.URL(document["endpoint_url"]).port or 0
    return Life(port, processes, *seen, code, left, list(scratch.rglob("*")))


def call_checkout(document: dict[str, Any]) -> None:
    """Calls a function that has a process."""
    (api,) = (api for api in document["apis"] if api["name"] == "orders")
    url = f"{api['url']}/checkout"
    assert httpx.post(url, json={}, trust_env=False, timeout=_WAIT_S).status_code == 201


def test_nothing_is_bound_elsewhere_than_on_the_loopback_interface(life: Life) -> None:
    assert len(life.processes) > 1, "no function has a process"
    assert life.of_functions != []  # a function asks its runtime API for the next call
    assert Endpoint("tcp", LOOPBACK, life.port, listens=True) in life.found
    assert [each for each in life.found if each.address != LOOPBACK] == []
    assert [each for each in life.found if each.table != "tcp"] == []


def test_it_ends_by_sigterm_without_a_process_or_a_file(life: Life) -> None:
    assert len(life.processes) > 1, "no function has a process"
    assert life.files != []
    assert life.code == 0
    assert life.left == []
    assert life.files_left == []


@pytest.mark.parametrize(
    ("table", "family", "kind", "host"),
    [
        # Of the loopback interface too, so that nobody can come in while this test runs.
        pytest.param("tcp", socket.AF_INET, socket.SOCK_STREAM, "127.0.0.2", id="tcp"),
        pytest.param("udp", socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.2", id="udp"),
        pytest.param("tcp6", socket.AF_INET6, socket.SOCK_STREAM, "::1", id="tcp6"),
        pytest.param("udp6", socket.AF_INET6, socket.SOCK_DGRAM, "::1", id="udp6"),
    ],
)
def test_what_is_bound_elsewhere_would_be_found(
    table: str, family: socket.AddressFamily, kind: socket.SocketKind, host: str
) -> None:
    with socket.socket(family, kind) as opened:
        try:
            opened.bind((host, 0))
        except OSError:
            pytest.skip(f"{host} cannot be bound on this machine")
        if kind == socket.SOCK_STREAM:
            opened.listen()
        expected = Endpoint(table, host, opened.getsockname()[1], kind == socket.SOCK_STREAM)

        assert expected in endpoints([os.getpid()])


def test_the_tree_has_the_processes_below_the_ones_below() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        deadline = time.monotonic() + _WAIT_S
        while len(tree(child.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        below = tree(child.pid)[1:]
        assert len(below) == 1
        assert below[0] in tree(os.getpid())


def tree(root: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(int(entry.name))) is not None:
            parents.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(parents.get(pid, ()))
    return found


def endpoints(processes: list[int]) -> list[Endpoint]:
    """The network sockets that the processes have open."""
    inodes = {inode for pid in processes for inode in _sockets(pid)}
    found = []
    for table in _TABLES:
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                found.append(
                    Endpoint(table, _readable(address), int(port, 16), fields[3] == _LISTEN)
                )
    return found


def _readable(address: str) -> str:
    """An address as people write it; the kernel writes words of four bytes in its own order."""
    words = (bytes.fromhex(address[at : at + 8]) for at in range(0, len(address), 8))
    ordered = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return str(ipaddress.ip_address(ordered))


def _sockets(pid: int) -> Iterator[str]:
    """The inodes of the sockets that a process has open."""
    try:
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        return
    for descriptor in descriptors:
        try:
            found = _SOCKET.fullmatch(str(descriptor.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile
        if found is not None:
            yield found[1]


def _parent(pid: int) -> int | None:
    status = _status(pid)
    return None if status is None else int(status[1])


def _ends(pid: int) -> bool:
    """Whether a process is gone, or is soon; one that nobody has waited for yet is gone."""
    deadline = time.monotonic() + _WAIT_S
    while (status := _status(pid)) is not None and status[0] != "Z":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _status(pid: int) -> list[str] | None:
    """State, parent and so on: what follows a process's name in its stat."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
