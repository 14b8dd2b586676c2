"""Environments that are made ahead: provisioned concurrency.

A version has as many as it was given, initialised before anybody calls. They neither expire nor
grow; one that a call has cost is replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.execution.contract import EarlyInit, InvokeRequest, InvokeResult, VersionSpec
from sandbox.execution.pool import Environment

Logged = Callable[[EarlyInit], None]


class NotReady(Exception):
    """An environment that was to be made ahead did not load its function."""


class PreparedEnvironment(Environment, Protocol):
    """An environment that can load its function before it is called."""

    async def prepare(self) -> EarlyInit:
        """Loads the function."""


@dataclass(slots=True, eq=False)
class _Set:
    """The environments of one version."""

    spec: VersionSpec
    logged: Logged
    count: int = 0
    idle: list[PreparedEnvironment] = field(default_factory=list)
    busy: set[PreparedEnvironment] = field(default_factory=set)

    @property
    def size(self) -> int:
        return len(self.idle) + len(self.busy)


class ReadyEnvironments:
    """All environments made ahead, by the configuration that they are of."""

    def __init__(
        self, make: Callable[[VersionSpec], PreparedEnvironment], *, limit: int | None = None
    ) -> None:
        self._make = make
        self._limit = limit
        self._sets: dict[str, _Set] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def size(self) -> int:
        """Environments that there are, idle and busy."""
        return sum(one.size for one in self._sets.values())

    def has_idle(self, spec: VersionSpec) -> bool:
        """Whether one waits for a call."""
        known = self._sets.get(spec.config_id)
        return known is not None and bool(known.idle)

    async def provision(self, spec: VersionSpec, count: int, logged: Logged) -> None:
        """Has `count` of them, when it is done; `logged` takes what their loading logs.

        Raises:
            NotReady: the function does not load, or there would be more than the limit; there are
                as many as before.
        """
        known = self._sets.get(spec.config_id)
        if known is None:
            known = self._sets[spec.config_id] = _Set(spec, logged)
        missing = max(0, count - known.size)
        if self._limit is not None and missing and self.size + missing > self._limit:
            raise NotReady(f"the sandbox keeps at most {self._limit} processes ready")
        made = await asyncio.gather(*(self._prepared(known) for _ in range(missing)))
        ready = [environment for environment in made if environment is not None]
        if len(ready) < missing or self._sets.get(spec.config_id) is not known:
            await asyncio.gather(*(environment.stop() for environment in ready))
            raise NotReady
        known.count = count
        known.idle += ready
        while known.size > count and known.idle:
            await known.idle.pop().stop()

    async def release(self, spec: VersionSpec) -> None:
        """Stops all of a configuration; busy ones stop when done."""
        known = self._sets.pop(spec.config_id, None)
        if known is not None:
            known.count = 0
            await asyncio.gather(*(environment.stop() for environment in known.idle))
            known.idle.clear()

    async def invoke(self, spec: VersionSpec, request: InvokeRequest) -> InvokeResult:
        """Runs a call in an idle one: `has_idle` has said that there is one."""
        known = self._sets[spec.config_id]
        environment = known.idle.pop()
        known.busy.add(environment)
        is_whole = False
        try:
            result = await environment.invoke(request)
            is_whole = environment.usable
            return result
        finally:
            known.busy.discard(environment)
            if is_whole and known.size < known.count:
                known.idle.append(environment)
            else:
                self._start(environment.stop())
                if known.size < known.count:
                    self._start(self._replace(known))

    async def close(self) -> None:
        """Stops all, also busy ones."""
        for task in tuple(self._tasks):
            task.cancel()
        sets, self._sets = self._sets, {}
        for one in sets.values():
            one.count = 0
        environments = [each for one in sets.values() for each in (*one.idle, *one.busy)]
        await asyncio.gather(*(environment.stop() for environment in environments))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _prepared(self, known: _Set) -> PreparedEnvironment | None:
        environment = self._make(known.spec)
        try:
            early = await environment.prepare()
        except asyncio.CancelledError:
            await environment.stop()
            raise
        known.logged(early)
        if early.is_loaded:
            return environment
        await environment.stop()
        return None

    async def _replace(self, known: _Set) -> None:
        environment = await self._prepared(known)
        if environment is None:
            return
        if known.size < known.count:
            known.idle.append(environment)
        else:
            await environment.stop()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
