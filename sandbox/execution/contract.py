"""What the Lambda API asks of an executor, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Status = Literal["success", "error", "timeout"]


@dataclass(frozen=True, slots=True)
class VersionSpec:
    """One version of a function, frozen: everything that an execution environment is made of.

    `config_id` changes with every update of code or configuration, so environments made for an
    older state of `$LATEST` are never reused.
    """

    function_name: str
    function_arn: str  # unqualified
    version: str  # "$LATEST" or a number
    config_id: str
    runtime: str
    handler: str
    memory_mb: int
    timeout_s: int
    code_dir: Path  # the unpacked code
    arch: Literal["x86_64", "arm64"] = "x86_64"
    environment: Mapping[str, str] = field(default_factory=dict)
    ephemeral_storage_mb: int = 512
    log_format: Literal["Text", "JSON"] = "Text"
    log_group: str = ""
    # Of LogFormat JSON; None is INFO.
    application_log_level: str | None = None
    system_log_level: str | None = None
    # Whether a new environment is restored from a snapshot.
    snap_start: bool = False
    is_traced: bool = False  # TracingConfig is Active
    initialization: Literal["on-demand", "provisioned-concurrency"] = "on-demand"


@dataclass(slots=True)  # not frozen: that costs a microsecond for each call
class InvokeRequest:
    """One invocation, as the API received it."""

    request_id: str
    payload: bytes
    client_context: str | None = None  # base64, as sent
    invoked_arn: str = ""
    trace_id: str | None = None  # as of the header X-Amzn-Trace-Id
    tenant_id: str | None = None  # of a function that isolates tenants


@dataclass(slots=True)  # not frozen: that costs a microsecond for each call
class Report:
    """The numbers of a REPORT line; times in milliseconds as AWS would print them."""

    duration_ms: float
    billed_ms: int
    max_memory_used_mb: int
    init_ms: float | None  # only on a cold start
    status: Status
    error_type: str | None = None
    # Only where a cold start is from a snapshot: there is no init then.
    restore_ms: float | None = None
    billed_restore_ms: int | None = None


# An offset in a log, and the time in ms since the epoch at which all before it had been logged.
LogMark = tuple[int, int]


@dataclass(slots=True)  # not frozen: that costs a microsecond for each call
class InvokeResult:
    """The outcome of one invocation."""

    payload: bytes
    function_error: str | None  # None or "Unhandled"
    log: bytes  # all that the invocation logged, START to REPORT; the API cuts the tail
    report: Report
    # What the executor itself cost, apart from Duration: queueing for an environment, spawn,
    # and holding back the answer are not in it.
    overhead_ms: float = 0.0
    log_stream: str = ""  # of the environment
    log_marks: tuple[LogMark, ...] = ()  # when the log came, in the order of their offsets


@dataclass(frozen=True, slots=True)
class EarlyInit:
    """How an environment loaded its function before anybody called it."""

    is_loaded: bool
    log: bytes
    log_marks: tuple[LogMark, ...]
    log_stream: str


class Executor(Protocol):
    """Runs invocations; every environment serves one at a time."""

    async def invoke(self, spec: VersionSpec, request: InvokeRequest) -> InvokeResult:
        """Runs one invocation in an idle environment of `spec`, or in a new one."""

    def has_idle(self, spec: VersionSpec) -> bool:
        """Whether an environment of `spec` is there that an invocation would be run in."""

    async def provision(
        self, spec: VersionSpec, count: int, logged: Callable[[EarlyInit], None]
    ) -> None:
        """Keeps `count` environments of `spec` ready, whose INIT is over when this is."""

    async def release(self, spec: VersionSpec) -> None:
        """Keeps no environment of `spec` ready any more."""

    async def retire(self, function_name: str, version: str | None = None) -> None:
        """Stops idle environments of a function, or of one version; busy ones stop when done."""

    async def close(self) -> None:
        """Stops everything; no process outlives this."""
