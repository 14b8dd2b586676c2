"""Provisioned concurrency at work: environments that wait for calls of published versions.

As on AWS it belongs to a version, whether it was given to the version or to an alias: whoever calls
that version finds an environment that is initialised, as long as one is idle. Calls beyond that
spill over to environments on demand, and so do those beyond ten a second for each of them, which
AWS gives as their limit (Lambda quotas, 2026) without saying what it does with more.

It takes the options' time of an update, and a second for each hundred environments ("up to 6,000
execution environments in a minute", developer guide, 2026), and only then any of them is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from sandbox.execution.contract import EarlyInit, VersionSpec
from sandbox.execution.ready import NotReady
from sandbox.lambda_api.context import LambdaContext
from sandbox.lambda_api.records import Function
from sandbox.lambda_api.specs import Specs, made_ahead
from sandbox.lambda_api.telemetry import log_events
from sandbox.lambda_api.throttling import REQUESTS_PER_CONCURRENCY
from sandbox.token_bucket import TokenBucket

Status = Literal["IN_PROGRESS", "READY", "FAILED"]

ALLOCATED_PER_S = 100.0

_Key = tuple[str, str]  # function and version


@dataclass(slots=True)
class Allocation:
    """The provisioned environments of one version."""

    spec: VersionSpec
    wanted: int
    began_s: float
    available: int = 0
    running: int = 0
    status: Status = "IN_PROGRESS"
    reason: str | None = None
    bucket: TokenBucket = field(default_factory=lambda: TokenBucket(0, 0))
    task: asyncio.Task[None] | None = None

    def allocated(self, now_s: float) -> int:
        """How many are made so far; they are available only together."""
        if self.status == "IN_PROGRESS":
            made = int((now_s - self.began_s) * ALLOCATED_PER_S)
            return min(self.wanted, max(self.available, made))
        return self.available


@dataclass(slots=True)
class State:
    """How the provisioned concurrency of a version or alias stands."""

    status: Status = "READY"
    allocated: int = 0
    available: int = 0
    reason: str | None = None


class Provisioning:
    """Follows the records of functions, and knows what is ready for their calls."""

    def __init__(self, context: LambdaContext, specs: Specs) -> None:
        self._context = context
        self._specs = specs
        self._allocations: dict[_Key, Allocation] = {}
        self._releases: set[asyncio.Task[None]] = set()
        context.store.on_change = self.follow
        for function in context.store:
            self.follow(function.name)

    def of(self, function: str, version: str) -> Allocation | None:
        """What serves the calls of a version; None where nothing does (yet)."""
        if not self._allocations:
            return None
        allocation = self._allocations.get((function, version))
        return allocation if allocation is not None and allocation.available else None

    def has_room(self, allocation: Allocation, now_s: float) -> bool:
        """Whether a call may run there now; what may is counted for its rate."""
        if not self._context.executor.has_idle(allocation.spec):
            return False
        return allocation.bucket.take(now_s)

    def state(self, function: Function, qualifier: str) -> State:
        """How the configuration of a version or alias stands."""
        now_s = asyncio.get_running_loop().time()
        shown = State()
        for number, _ in _shares(function, qualifier):
            allocation = self._allocations.get((function.name, number))
            if allocation is None:
                continue
            shown.allocated += allocation.allocated(now_s)
            shown.available += allocation.available
            shown.reason = shown.reason or allocation.reason
            if allocation.status != "READY" and shown.status != "FAILED":
                shown.status = allocation.status
        return shown

    def follow(self, name: str) -> None:
        """Begins to allocate what a function now wants, and releases what it does not."""
        function = self._context.store.get(name)
        wanted = {} if function is None else dict(_wanted(function))
        for key in [key for key in self._allocations if key[0] == name and key[1] not in wanted]:
            self._release(self._allocations.pop(key))
        for number, count in wanted.items():
            allocation = self._allocations.get((name, number))
            if function is not None and (allocation is None or allocation.wanted != count):
                self._begin(function, number, count, allocation)

    async def close(self) -> None:
        """Gives up what is still being allocated; the executor stops the rest."""
        tasks = [it.task for it in self._allocations.values() if it.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._releases, return_exceptions=True)

    def _begin(self, function: Function, number: str, count: int, known: Allocation | None) -> None:
        loop = asyncio.get_running_loop()
        allocation = known
        if allocation is None:
            spec = made_ahead(self._specs.of(function, function.versions[number]))
            allocation = Allocation(spec, count, loop.time())
            self._allocations[function.name, number] = allocation
        elif allocation.task is not None:
            allocation.task.cancel()
        allocation.wanted, allocation.began_s = count, loop.time()
        allocation.status, allocation.reason = "IN_PROGRESS", None
        allocation.task = loop.create_task(self._allocate(allocation))

    async def _allocate(self, allocation: Allocation) -> None:
        count = allocation.wanted
        more = max(0, count - allocation.available)
        await asyncio.sleep(self._context.options.update_s + more / ALLOCATED_PER_S)

        def logged(early: EarlyInit) -> None:
            if self._context.log_sink is not None:
                events = log_events(early)
                group = allocation.spec.log_group
                self._context.log_sink.append(group, early.log_stream, events)

        try:
            await self._context.executor.provision(allocation.spec, count, logged)
        except NotReady as error:
            allocation.status = "FAILED"
            # AWS's reason where a function does not load; the sandbox's own where it has no room.
            allocation.reason = str(error) or "FUNCTION_ERROR_INIT_FAILURE"
            return
        rate_per_s = REQUESTS_PER_CONCURRENCY * count
        allocation.bucket = TokenBucket(rate_per_s, rate_per_s, asyncio.get_running_loop().time())
        allocation.available, allocation.status = count, "READY"

    def _release(self, allocation: Allocation) -> None:
        if allocation.task is not None:
            allocation.task.cancel()
        work = self._context.executor.release(allocation.spec)
        task = asyncio.get_running_loop().create_task(work)
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)


def _wanted(function: Function) -> Iterator[tuple[str, int]]:
    """The versions that shall have environments, and how many."""
    for qualifier in function.provisioned:
        yield from _shares(function, qualifier)


def _shares(function: Function, qualifier: str) -> Iterator[tuple[str, int]]:
    """The versions that a configuration is for: those of an alias by its weights."""
    config = function.provisioned[qualifier]
    alias = function.aliases.get(qualifier)
    parts: dict[str, int] = {}
    if alias is None:
        parts[qualifier] = config.requested
    else:
        for number, weight in alias.weights.items():
            parts[number] = round(config.requested * weight)
        parts[alias.version] = config.requested - sum(parts.values())
    for number, count in parts.items():
        if count and number in function.versions:
            yield number, count
