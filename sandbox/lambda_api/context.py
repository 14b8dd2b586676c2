"""What all operations share: the options, the records, the packages and the executor."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from sandbox.api_errors import ApiError
from sandbox.execution.contract import Executor, InvokeRequest, InvokeResult, VersionSpec
from sandbox.lambda_api.names import LATEST, FunctionReference, Home, function_not_found
from sandbox.lambda_api.packages import PackageStore
from sandbox.lambda_api.records import Alias, Function, Version
from sandbox.lambda_api.store import FunctionStore
from sandbox.lambda_api.telemetry import LambdaMetrics
from sandbox.lambda_api.throttling import ThrottleReason
from sandbox.rest_json.service import Operation, Output, Parameters
from sandbox.telemetry.contract import LogSink
from sandbox.xray.sampling import Tracing

__all__ = ["Operation", "Output", "Parameters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaOptions:
    """How the sandbox's Lambda differs from one account to another.

    `update_s` is how long a change is InProgress; AWS takes from about one second to minutes.
    `event_retry_delays_s` are the pauses before an asynchronous invocation that ended in an error
    runs again; AWS waits about one and two minutes. `scale_up_per_10_s` is how many environments a
    function may start in 10 s; None does not limit it.
    """

    account_concurrency: int = 1000
    max_memory_mb: int = 10_240
    update_s: float = 0.05
    event_retry_delays_s: tuple[float, ...] = (0.5, 1.0)
    # "1,000 execution environment instances every 10 seconds", for each function (Lambda developer
    # guide, scaling behavior, read 2026-09).
    scale_up_per_10_s: int | None = 1000


# What a fault injection does to an invocation: it is refused for a reason, or ends in an error.
Interference = ThrottleReason | Literal["error"]


class InvocationTracer(Protocol):
    """Records traces (`sandbox.xray`)."""

    def begin_invocation(
        self, spec: VersionSpec, request: InvokeRequest, now_s: float, wall_s: float
    ) -> Tracing | None:
        """An invocation begins; None where it is not sampled."""

    def end_invocation(
        self,
        tracing: Tracing,
        spec: VersionSpec,
        request: InvokeRequest,
        result: InvokeResult,
        span_s: tuple[float, float],
    ) -> None:
        """It has ended."""

    def refuse_invocation(self, spec: VersionSpec, request: InvokeRequest, now_s: float) -> None:
        """An invocation is throttled."""


@dataclass(slots=True)  # not frozen: that costs half a microsecond for each call
class Target:
    """What a reference leads to: a version of a function, by an alias or directly."""

    function: Function
    version: Version
    alias: Alias | None
    qualifier: str | None


@dataclass(slots=True)
class LambdaContext:
    """The state of the Lambda API.

    `metrics`, `log_sink` and `tracer` take what invocations leave behind. `interfere` is asked at
    each invocation, by the name of the function, whether something shall go wrong with it.
    """

    home: Home
    options: LambdaOptions
    store: FunctionStore
    packages: PackageStore
    executor: Executor
    package_url: str
    metrics: LambdaMetrics | None = None
    log_sink: LogSink | None = None
    interfere: Callable[[str], Interference | None] | None = None
    tracer: InvocationTracer | None = None
    _retirements: set[asyncio.Task[None]] = field(default_factory=set)

    def function(self, name: str, qualifier: str | None = None) -> Function:
        """The function `name`; `qualifier` only completes the error."""
        function = self.store.get(name)
        if function is None:
            raise function_not_found(self.home, name, qualifier)
        return function

    def target(self, reference: FunctionReference) -> Target:
        """The version that `reference` names, through an alias where it is one."""
        qualifier = reference.qualifier
        function = self.function(reference.name, qualifier)
        alias = function.aliases.get(qualifier) if qualifier else None
        version = function.version(alias.version if alias else qualifier or LATEST)
        if version is None:
            raise function_not_found(self.home, reference.name, qualifier)
        return Target(function, version, alias, qualifier)

    def change(self, function: Function) -> Function:
        """Stores `function` with a change in progress, which is done after `update_s`."""
        if self.options.update_s <= 0:
            function = function.settled()
            self.store.put(function)
            self.retire(function.name, LATEST)
            return function
        self.store.put(function)
        loop = asyncio.get_running_loop()
        loop.call_later(
            self.options.update_s, self._settle, function.name, function.latest.config_id
        )
        return function

    def publish(self, function: Function, version: Version) -> None:
        """Stores `function` with its new version, which is Pending while its snapshot is made."""
        if not version.settings.snap_start or self.options.update_s <= 0:
            self.store.put(function)
            return
        self.store.put(replace(function, preparing=(*function.preparing, version.number)))
        loop = asyncio.get_running_loop()
        loop.call_later(self.options.update_s, self._prepared, function.name, version)

    def _prepared(self, name: str, version: Version) -> None:
        function = self.store.get(name)
        if function is not None and function.versions.get(version.number) == version:
            left = tuple(number for number in function.preparing if number != version.number)
            self.store.put(replace(function, preparing=left))

    def _settle(self, name: str, config_id: str) -> None:
        function = self.store.get(name)
        # Meanwhile it may have been deleted, and even created again.
        if function is None or function.latest.config_id != config_id:
            return
        self.store.put(function.settled())
        self.retire(name, LATEST)

    def retire(self, name: str, version: str | None = None) -> None:
        """Has the executor stop what nobody can invoke any more, without waiting for it."""
        task = asyncio.get_running_loop().create_task(self._retire(name, version))
        self._retirements.add(task)
        task.add_done_callback(self._retirements.discard)

    async def _retire(self, name: str, version: str | None) -> None:
        await self.executor.retire(name, version)


REVISION_MISMATCH = (
    "The Revision Id provided does not match the latest Revision Id. Call the "
    "GetFunction/GetAlias API to retrieve the latest Revision Id"
)


def check_revision(given: str | None, current: str) -> None:
    """Refuses a change that was meant for another revision."""
    if given is not None and given != current:
        raise ApiError("PreconditionFailedException", REVISION_MISMATCH)


def check_changeable(home: Home, function: Function) -> None:
    """Refuses a change of a function that is still busy with the one before."""
    arn = home.function_arn(function.name)
    if function.pending:
        raise pending_error()
    if function.updating:
        raise ApiError(
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress for "
            f"resource: {arn}",
        )


def pending_error() -> ApiError:
    """AWS's answer while a function is being created."""
    return ApiError(
        "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently in the "
        "following state: Pending",
        status=409,
    )


# Where an item stands in a list: by its name, then by its number.
SortKey = tuple[str, int]


def version_key(shown: Output) -> SortKey:
    """Where a FunctionConfiguration stands: `$LATEST` comes before the versions 1, 2, ..."""
    number = shown["Version"]
    return shown["FunctionName"], 0 if number == LATEST else int(number)


def page(
    items: list[Output], key: Callable[[Output], SortKey], parameters: Parameters, *, largest: int
) -> tuple[list[Output], str | None]:
    """The items of one page in the order of `key`, and the marker of the next page.

    A marker tells where the last item stood, not which it was: the item may be deleted before the
    next page is asked for.
    """
    items = sorted(items, key=key)
    marker = parameters.get("Marker")
    if marker is not None:
        last = _read_marker(marker)
        items = [item for item in items if key(item) > last]
    size = min(parameters.get("MaxItems", largest), largest)
    shown = items[:size]
    return shown, _marker(key(shown[-1])) if len(items) > size else None


_MARKER = re.compile(rb"([0-9]{1,18}):([a-zA-Z0-9_-]{1,128})")


def _marker(key: SortKey) -> str:
    name, number = key
    return base64.urlsafe_b64encode(f"{number}:{name}".encode()).decode()


def _read_marker(marker: str) -> SortKey:
    try:
        found = _MARKER.fullmatch(base64.b64decode(marker, altchars=b"-_", validate=True))
    except ValueError:
        found = None
    if found is None:
        raise ApiError("InvalidParameterValueException", "Invalid Marker")
    return found[2].decode(), int(found[1])
