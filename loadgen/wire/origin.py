"""Where requests go: a host's addresses, and new connections to them."""

from __future__ import annotations

import socket as plain_socket
import ssl
from time import perf_counter_ns
from typing import Any

import gevent
from gevent import socket
from gevent.event import AsyncResult
from gevent.ssl import SSLContext

from loadgen.outcome import Cause
from loadgen.wire.failure import NO_ROOM, WireFailure, cause_of_connecting, cause_of_reading

# Names behind API Gateway have many addresses that change by the minute.
_RESOLVE_AGAIN_NS = 10_000_000_000
_LONG_AGO_NS = -(1 << 62)


class Origin:
    """A host and port that requests go to, and how to connect there."""

    def __init__(
        self, host: str, port: int, *, tls: SSLContext | None, connect_timeout_s: float
    ) -> None:
        self.host, self.port = host, port
        self.tls = tls
        self.connect_timeout_s = connect_timeout_s
        self._addresses: list[tuple[Any, ...]] = []
        self._resolved_ns = _LONG_AGO_NS
        self._lookup: AsyncResult[list[tuple[Any, ...]]] | None = None
        self._turn = 0

    def addresses(self) -> list[tuple[Any, ...]]:
        """All addresses of the host, as `getaddrinfo` has them, another one first each time.

        Raises:
            OSError: the name is not known.
        """
        if perf_counter_ns() - self._resolved_ns > _RESOLVE_AGAIN_NS:
            # One at a time: a name server that is slow is not asked by all who connect at once.
            if self._lookup is None:
                self._lookup = AsyncResult()
                gevent.spawn(self._look_up, self._lookup)
            self._addresses = self._lookup.get() or self._addresses
        self._turn = (self._turn + 1) % len(self._addresses)
        return self._addresses[self._turn :] + self._addresses[: self._turn]

    def connect(self, timeout_s: float) -> tuple[Any, int, int, int]:
        """A connected socket, and how long things took, in ns: TCP with the look-up, TLS, look-up.

        Raises:
            WireFailure: there is no connection within `timeout_s` or `connect_timeout_s`.
        """
        begin_ns = perf_counter_ns()
        limit_s = min(self.connect_timeout_s, timeout_s)
        try:
            with gevent.Timeout(limit_s, WireFailure(Cause.CONNECT_TIMEOUT)):
                plain, dns_ns = self._connect_tcp()
                connected_ns = perf_counter_ns()
                if self.tls is None:
                    return plain, connected_ns - begin_ns, 0, dns_ns
                secured = _secured(plain, self.tls, self.host)
        except OSError as error:
            raise WireFailure(cause_of_connecting(error)) from error
        return secured, connected_ns - begin_ns, perf_counter_ns() - connected_ns, dns_ns

    def _connect_tcp(self) -> tuple[Any, int]:
        begin_ns = perf_counter_ns()
        try:
            addresses = self.addresses()
        except UnicodeError as error:  # a name that cannot be
            raise WireFailure(Cause.DNS) from error
        except OSError as error:
            cause = Cause.NO_CONNECTION if error.errno in NO_ROOM else Cause.DNS
            raise WireFailure(cause) from error
        # Addresses that are known are there at once: what is less than a microsecond is no look-up.
        dns_ns = perf_counter_ns() - begin_ns
        last: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            plain = socket.socket(family, kind, protocol)
            try:
                plain.setsockopt(plain_socket.IPPROTO_TCP, plain_socket.TCP_NODELAY, 1)
                plain.connect(address)
            except OSError as error:
                plain.close()
                last = error
            except BaseException:
                plain.close()
                raise
            else:
                return plain, dns_ns
        raise last or OSError("no address")

    def _look_up(self, found: AsyncResult[list[tuple[Any, ...]]]) -> None:
        try:
            found.set(socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM))
            self._resolved_ns = perf_counter_ns()
        except (OSError, UnicodeError) as error:
            found.set_exception(error)
        finally:
            self._lookup = None


def _secured(plain: Any, context: SSLContext, host: str) -> Any:
    """`plain` with TLS; it is closed where that does not work."""
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except ConnectionError as error:
        plain.close()
        raise WireFailure(cause_of_reading(error)) from error
    except (ssl.SSLError, ssl.CertificateError, OSError) as error:
        plain.close()
        raise WireFailure(Cause.TLS) from error
    except BaseException:
        plain.close()
        raise
