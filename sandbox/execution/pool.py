"""Environments and who may use them: reuse, growth up to a limit, expiry and retirement.

As on AWS, an environment serves one call at a time, an idle one of the same version is reused
(the most recently used first), and a call that finds none gets a new one. A limit on the number
of environments keeps a host with real processes alive; calls beyond it queue.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from sandbox.execution.contract import InvokeRequest, InvokeResult, VersionSpec

# A call that has queued longer than this goes first, even if an environment of another function
# must be stopped for it. Below it, keeping warm environments at work serves everybody better.
PATIENCE_S = 1.0


class Environment(Protocol):
    """What the pool keeps."""

    @property
    def usable(self) -> bool:
        """Whether it can serve another call."""

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs one call."""

    async def stop(self) -> None:
        """Ends it, also in the middle of a call."""


class _Key(NamedTuple):
    function_name: str
    version: str
    config_id: str

    def is_of(self, function_name: str, version: str | None) -> bool:
        return self.function_name == function_name and version in (None, self.version)


@dataclass(slots=True, eq=False)
class _Slot:
    key: _Key
    environment: Environment
    is_retired: bool = False
    idle_since_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Waiter:
    key: _Key
    spec: VersionSpec
    since_s: float
    slot: asyncio.Future[_Slot]
    is_retired: bool = field(default=False)


class EnvironmentPool:
    """All environments that one function `make` makes."""

    def __init__(
        self,
        make: Callable[[VersionSpec], Environment],
        *,
        limit: int | None = None,
        idle_expiry_s: float = 300.0,
    ) -> None:
        self._make = make
        self._limit = limit
        self._idle_expiry_s = idle_expiry_s
        self._idle: defaultdict[_Key, list[_Slot]] = defaultdict(list)
        self._busy: set[_Slot] = set()
        self._waiters: deque[_Waiter] = deque()
        self._stopping: set[asyncio.Task[None]] = set()
        self._expiry: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def size(self) -> int:
        """Environments that there are, idle and busy."""
        return len(self._busy) + sum(map(len, self._idle.values()))

    @property
    def queued(self) -> int:
        """Calls that wait for an environment because of the limit."""
        return len(self._waiters)

    def has_idle(self, spec: VersionSpec) -> bool:
        """Whether an environment of `spec` waits for a call."""
        return _key(spec) in self._idle

    async def invoke(self, spec: VersionSpec, request: InvokeRequest) -> InvokeResult:
        """Runs a call in an idle environment of `spec`, or in a new one."""
        slot = await self._acquire(spec)
        try:
            return await slot.environment.invoke(request)
        except BaseException:
            # Cancelled or broken in mid-call: nobody knows what the process is doing.
            slot.is_retired = True
            raise
        finally:
            self._release(slot)

    async def retire(self, function_name: str, version: str | None = None) -> None:
        """Stops idle environments of a function or a version; busy ones stop when done."""
        for slot in self._busy:
            slot.is_retired |= slot.key.is_of(function_name, version)
        for waiter in self._waiters:
            waiter.is_retired |= waiter.key.is_of(function_name, version)
        for key in [key for key in self._idle if key.is_of(function_name, version)]:
            for slot in self._idle.pop(key):
                self._stop(slot)
        await asyncio.gather(*self._stopping)

    async def close(self) -> None:
        """Stops all environments, also busy ones; later calls are refused."""
        self._is_closed = True
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.slot.done():
                waiter.slot.set_exception(_closed())
        for slot in [*self._busy, *(slot for slots in self._idle.values() for slot in slots)]:
            self._stop(slot)
        self._idle.clear()
        while self._stopping:
            await asyncio.gather(*self._stopping)

    async def _acquire(self, spec: VersionSpec) -> _Slot:
        if self._is_closed:
            raise _closed()
        key = _key(spec)
        slot = self._take_idle(key)
        if slot is not None:
            return slot
        if self._has_room() or self._evict():
            return self._new_slot(key, spec)
        loop = asyncio.get_running_loop()
        waiter = _Waiter(key, spec, loop.time(), loop.create_future())
        self._waiters.append(waiter)
        try:
            return await waiter.slot
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif waiter.slot.done() and not waiter.slot.cancelled():
                self._release(waiter.slot.result())
            raise

    def _take_idle(self, key: _Key) -> _Slot | None:
        idle = self._idle.get(key)
        while idle:
            slot = idle.pop()
            if not idle:
                del self._idle[key]
            if slot.environment.usable:
                self._busy.add(slot)
                return slot
            self._stop(slot)
        return None

    def _has_room(self) -> bool:
        return self._limit is None or self.size < self._limit

    def _evict(self) -> bool:
        """Stops the environment that has been idle longest, of whatever function."""
        slots = [slot for slots in self._idle.values() for slot in slots]
        if not slots:
            return False
        self._drop_idle(min(slots, key=lambda slot: slot.idle_since_s))
        return True

    def _drop_idle(self, slot: _Slot) -> None:
        self._idle[slot.key].remove(slot)
        if not self._idle[slot.key]:
            del self._idle[slot.key]
        self._stop(slot)

    def _new_slot(self, key: _Key, spec: VersionSpec) -> _Slot:
        slot = _Slot(key, self._make(spec))
        self._busy.add(slot)
        return slot

    def _release(self, slot: _Slot) -> None:
        self._busy.discard(slot)
        if self._is_closed:
            return  # close has stopped it already
        self._forget_cancelled()
        if slot.is_retired or not slot.environment.usable:
            self._stop(slot)
            self._start_for_first_waiter()
            return
        waiter = self._heir(slot)
        if waiter is not None:
            self._waiters.remove(waiter)
            slot.is_retired = waiter.is_retired
            self._busy.add(slot)
            waiter.slot.set_result(slot)
        elif self._waiters:
            self._stop(slot)
            self._start_for_first_waiter()
        else:
            slot.idle_since_s = asyncio.get_running_loop().time()
            self._idle[slot.key].append(slot)
            self._schedule_expiry()

    def _forget_cancelled(self) -> None:
        """Brings a call that still waits to the front of the queue.

        The tasks of cancelled ones may not have run since.
        """
        while self._waiters and self._waiters[0].slot.done():
            self._waiters.popleft()

    def _heir(self, slot: _Slot) -> _Waiter | None:
        """The queued call that gets a free environment; None if it is another function's turn."""
        if not self._waiters:
            return None
        first = self._waiters[0]
        waited_s = asyncio.get_running_loop().time() - first.since_s
        if first.key != slot.key and waited_s > PATIENCE_S:
            return None
        return next((it for it in self._waiters if it.key == slot.key and not it.slot.done()), None)

    def _start_for_first_waiter(self) -> None:
        if self._waiters and self._has_room():
            waiter = self._waiters.popleft()
            slot = self._new_slot(waiter.key, waiter.spec)
            slot.is_retired = waiter.is_retired
            waiter.slot.set_result(slot)

    def _stop(self, slot: _Slot) -> None:
        task = asyncio.get_running_loop().create_task(slot.environment.stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    def _schedule_expiry(self) -> None:
        if self._expiry is None and not self._is_closed:
            loop = asyncio.get_running_loop()
            oldest_s = min(slot.idle_since_s for slots in self._idle.values() for slot in slots)
            self._expiry = loop.call_at(oldest_s + self._idle_expiry_s, self._expire)

    def _expire(self) -> None:
        self._expiry = None
        limit_s = asyncio.get_running_loop().time() - self._idle_expiry_s
        slots = [slot for slots in self._idle.values() for slot in slots]
        for slot in slots:
            if slot.idle_since_s <= limit_s:
                self._drop_idle(slot)
        if self._idle:
            self._schedule_expiry()


def _key(spec: VersionSpec) -> _Key:
    return _Key(spec.function_name, spec.version, spec.config_id)


def _closed() -> RuntimeError:
    return RuntimeError("the sandbox is stopping and takes no more invocations")
