"""A real local HTTP server that answers as broken, slow and unusual servers do, by path.

What a path does stands in hostile_scripts.py. The server counts the requests it saw, so that a test
can tell a request that was sent twice. Everything ends with its `with` block, whatever a script was
waiting for. Linux only.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import socketserver
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.loadgen.hostile_scripts import ENDLESS, NOT_FOUND, SCRIPTS, Script, Then, answer


class HostileServer:
    """A running server. `seen` counts whole request heads by path, `connections` what it accepted.

    `open_connections()` are those that neither side has closed yet.
    """

    def __init__(self, url: str, server: _Server) -> None:
        self.url = url
        self._server = server

    @property
    def seen(self) -> Counter[str]:
        """Requests by path, without their query."""
        return self._server.seen

    @property
    def connections(self) -> int:
        """How many were accepted so far."""
        return self._server.accepted

    def open_connections(self) -> int:
        """How many are still served."""
        return len(self._server.serving)


@contextmanager
def hostile_server(
    tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1"
) -> Iterator[HostileServer]:
    """The server at a port of its own while the block runs; with TLS when given a context."""
    server = _Server((host, 0), _Connection)
    server.tls = tls
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield HostileServer(f"{scheme}://{host}:{server.server_address[1]}", server)
    finally:
        server.end()
        thread.join()


class _Server(socketserver.ThreadingTCPServer):
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[_Connection]) -> None:
        super().__init__(address, handler)
        self.seen: Counter[str] = Counter()
        self.accepted = 0
        self.serving: set[socket.socket] = set()
        self.ending = threading.Event()
        self.tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def opened(self, connection: socket.socket) -> None:
        """Books a connection in."""
        with self._lock:
            self.accepted += 1
            self.serving.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Books a connection out."""
        with self._lock:
            self.serving.discard(connection)

    def saw(self, path: str) -> None:
        """Counts a request."""
        with self._lock:
            self.seen[path] += 1

    def end(self) -> None:
        """Ends all connections and threads."""
        self.ending.set()
        self.shutdown()
        with self._lock:
            for connection in self.serving:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    """One connection, in a thread of its own."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        plain = self.request
        self.server.opened(plain)
        try:
            with ExitStack() as stack:
                self._socket = plain
                if self.server.tls is not None:
                    # The wrapped socket takes the descriptor; the bookkeeping keeps a copy.
                    wrapped = self.server.tls.wrap_socket(plain.dup(), server_side=True)
                    self._socket = stack.enter_context(wrapped)
                self._unread = b""
                while self._serve_one():
                    pass
        except OSError:
            pass  # the client has left, or the server ends
        finally:
            self.server.closed(plain)

    def _serve_one(self) -> bool:
        """Reads one request and answers it; whether another may follow."""
        head = self._read_head()
        if head is None:
            return False
        method, target, *_ = head.split(b" ", 2)
        path = target.decode("latin-1").partition("?")[0]
        self.server.saw(path)
        script = SCRIPTS.get(path, NOT_FOUND)
        self.server.ending.wait(script.reads_body_after_s)
        self._read(_length(head))
        self._send_all(script, only_head=method == b"HEAD")
        return self._finish(script.then)

    def _read_head(self) -> bytes | None:
        while b"\r\n\r\n" not in self._unread:
            more = self._socket.recv(65_536)
            if not more:
                return None
            self._unread += more
            if self._unread[:1] == b"\x16":  # TLS, to a port without
                self._socket.sendall(answer(status=b"400 Bad Request"))
                return None
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        return head

    def _read(self, length: int) -> None:
        while len(self._unread) < length:
            more = self._socket.recv(65_536)
            if not more:
                raise ConnectionError("the client left in its request")
            self._unread += more
        self._unread = self._unread[length:]

    def _send_all(self, script: Script, *, only_head: bool) -> None:
        parts = script.parts
        if only_head:
            parts = (_head_of(b"".join(parts)),)
        more = repeat(script.endless, ENDLESS) if script.endless else ()
        if script.then in (Then.CLOSE, Then.DROP) and self.server.tls is None:
            _hold_back(self._socket)
        for number, part in enumerate(chain(parts, more)):
            if number and script.pause_s:
                self.server.ending.wait(script.pause_s)
            if self.server.ending.is_set():
                raise ConnectionError("the server ends")
            self._socket.sendall(part)

    def _finish(self, then: Then) -> bool:
        if then is Then.HOLD:
            self._await_leaving()
        elif then is Then.CLOSE and isinstance(self._socket, ssl.SSLSocket):
            self._socket.unwrap()
        elif then is Then.RESET:
            linger = struct.pack("ii", 1, 0)
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            # The library would end the connection in an orderly way first.
            self.request.close()
        return then is Then.KEEP

    def _await_leaving(self) -> None:
        """Until the client has closed, without reading what it sends."""
        while not self.server.ending.wait(0.002):
            if _left(self.request):
                return


_TCP_CLOSE_WAIT, _TCP_CLOSE = 8, 7


def _left(connection: socket.socket) -> bool:
    """Whether the other side has closed or reset; what it sent stays unread."""
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state in (_TCP_CLOSE_WAIT, _TCP_CLOSE)


def _hold_back(connection: socket.socket) -> None:
    """What is sent from now on leaves with the FIN: no client can take it for open in between."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)


def _head_of(response: bytes) -> bytes:
    """All up to the end of the final head, interim ones included."""
    end = 0
    interim = True
    while interim:
        interim = response.startswith(b"HTTP/1.1 1", end)
        end = response.index(b"\r\n\r\n", end) + 4
    return response[:end]


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


# Listeners that are no servers


@contextmanager
def mute_listener() -> Iterator[int]:
    """A port that takes connections and never reads or says anything: TLS hangs as well."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port that is taken, so that nobody else gets it, and refuses connections."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextmanager
def full_listener() -> Iterator[int]:
    """A port whose queue is full: connecting never ends."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


# Certificates


def server_tls(folder: Path, *, name: str = "127.0.0.1", expired: bool = False) -> ssl.SSLContext:
    """A server's context with a certificate of its own for `name`; `ca_file(folder)` trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"hostile {name}")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * day)
        .not_valid_after(now - day if expired else now + day)
        .add_extension(x509.SubjectAlternativeName([_general_name(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    ca_file(folder).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file = folder / "key.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file(folder), key_file)
    return context


def ca_file(folder: Path) -> Path:
    """The certificate that `server_tls` wrote to `folder`."""
    return folder / "certificate.pem"


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
