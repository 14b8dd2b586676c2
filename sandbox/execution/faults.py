"""What a caller sees when a function could not answer: AWS's error types and payloads."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import Literal

EXIT_ERROR = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"
TIMED_OUT = "Sandbox.Timedout"
RESPONSE_TOO_LARGE = "Function.ResponseSizeTooLarge"

# Lambda quotas, "Invocation payload (request and response)", 6 MB each, synchronous; the exact
# number is the one in Lambda's own error message.
MAX_RESPONSE_BYTES = 6_291_556

# Go's names of signals: AWS's runtime supervisor is written in Go and its messages show them.
_SIGNAL_NAMES = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an invocation did not succeed.

    `by_platform` tells failures that the platform saw (an exit, a kill, a timeout, a function
    that does not load) from exceptions of the handler: only the former are in a REPORT line.
    """

    payload: bytes
    error_type: str
    status: Literal["error", "timeout"] = "error"
    by_platform: bool = True


def raised(body: bytes, error_type: str | None) -> Fault:
    """The handler raised; `body` is what its runtime posted.

    The type in the body goes first: clients in the header only ever say "Unhandled".
    """
    return Fault(body, _type_in(body) or error_type or "Unhandled", by_platform=False)


def not_loaded(body: bytes, error_type: str | None) -> Fault:
    """The function could not be loaded; `body` is what its runtime posted."""
    return Fault(body, _type_in(body) or error_type or "Runtime.Unknown")


def exited(request_id: str, returncode: int) -> Fault:
    """The process ended by itself; `returncode` as subprocess gives it."""
    return _platform_fault(request_id, EXIT_ERROR, _exit_reason(returncode))


def out_of_memory(request_id: str) -> Fault:
    """The process was killed for using more memory than the function has.

    The caller sees an exit by a kill, as on AWS; the REPORT names the reason.
    """
    seen = _platform_fault(request_id, EXIT_ERROR, _exit_reason(-signal.SIGKILL))
    return Fault(seen.payload, OUT_OF_MEMORY)


def timed_out(request_id: str, timeout_s: float) -> Fault:
    """The function did not answer within its timeout."""
    reason = f"Task timed out after {timeout_s:.2f} seconds"
    return Fault(_payload(request_id, TIMED_OUT, reason), TIMED_OUT, status="timeout")


def not_started(request_id: str, error_type: str, reason: str) -> Fault:
    """The sandbox could not start a runtime at all."""
    return _platform_fault(request_id, error_type, reason)


def response_too_large(size_bytes: int) -> Fault:
    """The handler returned more than Lambda passes on."""
    message = (
        f"Response payload size ({size_bytes} bytes) exceeded maximum allowed payload size "
        f"({MAX_RESPONSE_BYTES} bytes)."
    )
    body = {"errorType": RESPONSE_TOO_LARGE, "errorMessage": message}
    return Fault(json.dumps(body).encode(), RESPONSE_TOO_LARGE, by_platform=False)


def _platform_fault(request_id: str, error_type: str, reason: str) -> Fault:
    return Fault(_payload(request_id, error_type, reason), error_type)


def _payload(request_id: str, error_type: str, reason: str) -> bytes:
    message = f"RequestId: {request_id} Error: {reason}"
    return json.dumps(
        {"errorType": error_type, "errorMessage": message}, separators=(",", ":")
    ).encode()


def _exit_reason(returncode: int) -> str:
    if returncode == 0:
        return "Runtime exited without providing a reason"
    if returncode > 0:
        return f"Runtime exited with error: exit status {returncode}"
    try:
        name = _SIGNAL_NAMES[signal.Signals(-returncode)]
    except (KeyError, ValueError):
        name = f"signal {-returncode}"
    return f"Runtime exited with error: signal: {name}"


def _type_in(body: bytes) -> str | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    found = document.get("errorType") if isinstance(document, dict) else None
    return found if isinstance(found, str) and found else None
