"""What goes wrong on the wire, as causes."""

from __future__ import annotations

import errno
import ssl

from loadgen.outcome import Cause

# No descriptor, no port or no memory is left on this side.
NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})


class WireFailure(Exception):
    """What went wrong on the wire, as a cause."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.name)
        self.cause = cause


def cause_of_connecting(error: OSError) -> Cause:
    """Why there is no connection."""
    if error.errno in NO_ROOM:
        return Cause.NO_CONNECTION
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return Cause.CONNECT_TIMEOUT
    if isinstance(error, ssl.SSLError):
        return Cause.TLS
    if isinstance(error, ConnectionResetError):
        return Cause.RESET
    return Cause.REFUSED


def cause_of_reading(error: Exception) -> Cause:
    """Why a connection broke."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Cause.CLOSED_EARLY
    if isinstance(error, ssl.SSLError):
        return Cause.TLS
    return Cause.RESET
