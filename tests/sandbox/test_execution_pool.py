"""Who gets which environment: reuse, growth, queues, expiry and the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import virtual_time
from execution_rig import request, version

from sandbox.execution.contract import InvokeResult, Report
from sandbox.execution.pool import PATIENCE_S, EnvironmentPool

SPEC = version(Path(), "echo")
RESULT = InvokeResult(b"null", None, b"", Report(1.0, 1, 1, None, "success"))


@dataclass(eq=False)
class FakeEnvironment:
    """Answers when told to; at once when `gate` is None."""

    name: str
    gate: asyncio.Event | None = None
    calls: int = 0
    usable: bool = True
    stopped: bool = False
    running: int = 0

    async def invoke(self, request):
        self.calls += 1
        self.running += 1
        assert self.running == 1, "an environment serves one call at a time"
        try:
            if self.gate is not None:
                await self.gate.wait()
        finally:
            self.running -= 1
        return RESULT

    async def stop(self):
        self.stopped = True
        self.usable = False


@dataclass
class Maker:
    """Makes fake environments and remembers them."""

    gated: bool = False
    made: list[FakeEnvironment] = field(default_factory=list)

    def __call__(self, spec):
        gate = asyncio.Event() if self.gated else None
        self.made.append(FakeEnvironment(spec.function_name, gate))
        return self.made[-1]


def named(name, **changes):
    return replace(SPEC, function_name=name, **changes)


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


def in_pool(work, *, gated=False, **options):
    async def main():
        maker = Maker(gated)
        pool = EnvironmentPool(maker, **options)
        try:
            await work(pool, maker)
        finally:
            for environment in maker.made:
                if environment.gate is not None:
                    environment.gate.set()
            await settle()
            await pool.close()
        assert all(environment.stopped for environment in maker.made)

    virtual_time.run(main())


def start(pool, spec=SPEC):
    return asyncio.ensure_future(pool.invoke(spec, request()))


def test_an_idle_environment_is_reused():
    async def work(pool, maker):
        for _ in range(3):
            await pool.invoke(SPEC, request())
        assert [made.calls for made in maker.made] == [3]

    in_pool(work)


@pytest.mark.parametrize(
    "other",
    [named("other"), replace(SPEC, version="2"), replace(SPEC, config_id="2")],
    ids=["function", "version", "configuration"],
)
def test_environments_are_not_shared_between(other):
    async def work(pool, maker):
        await pool.invoke(SPEC, request())
        await pool.invoke(other, request())
        assert [made.calls for made in maker.made] == [1, 1]

    in_pool(work)


def test_calls_at_once_get_an_environment_each_and_the_last_used_is_first():
    async def work(pool, maker):
        calls = [start(pool) for _ in range(3)]
        await settle()
        assert len(maker.made) == pool.size == 3
        for made in (maker.made[2], maker.made[0], maker.made[1]):
            made.gate.set()
            await settle()
        await asyncio.gather(*calls)
        await pool.invoke(SPEC, request())
        assert [made.calls for made in maker.made] == [1, 2, 1]

    in_pool(work, gated=True)


def test_a_broken_environment_is_replaced():
    async def work(pool, maker):
        await pool.invoke(SPEC, request())
        maker.made[0].usable = False
        await pool.invoke(SPEC, request())
        assert [made.calls for made in maker.made] == [1, 1]

    in_pool(work)


@pytest.mark.parametrize("queued", [0, 1], ids=["alone", "with a call that waits"])
def test_an_environment_that_ends_with_its_call_is_stopped_at_once(queued):
    async def work(pool, maker):
        running = start(pool)
        await settle()
        waiting = [start(pool) for _ in range(queued)]
        await settle()
        maker.made[0].usable = False
        maker.made[0].gate.set()
        await running
        await settle()
        assert maker.made[0].stopped
        assert [made.calls for made in maker.made] == [1] * (1 + queued)
        assert not pool.has_idle(SPEC)
        for made in maker.made:
            made.gate.set()
        await asyncio.gather(*waiting)

    in_pool(work, gated=True, limit=1)


@pytest.mark.parametrize("leaves", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("usable", [True, False])
def test_a_queued_call_that_is_cancelled_as_an_environment_gets_free_is_passed_over(usable, leaves):
    async def work(pool, maker):
        running = start(pool)
        await settle()
        queued = [start(pool), start(pool)]
        leaving, staying = queued[leaves], queued[1 - leaves]
        await settle()
        maker.made[0].usable = usable
        maker.made[0].gate.set()
        leaving.cancel()
        await settle()
        for made in maker.made:
            made.gate.set()
        assert await running is RESULT
        assert await staying is RESULT
        assert leaving.cancelled()

    in_pool(work, gated=True, limit=1)


def test_an_environment_is_not_reused_after_a_cancelled_call():
    async def work(pool, maker):
        running = start(pool)
        await settle()
        running.cancel()
        await settle()
        assert maker.made[0].stopped
        assert pool.size == 0

    in_pool(work, gated=True)


def test_calls_beyond_the_limit_queue_in_their_order():
    async def work(pool, maker):
        calls = [start(pool) for _ in range(4)]
        await settle()
        assert pool.size == 2
        assert pool.queued == 2
        for made in maker.made:
            made.gate.set()
        await asyncio.gather(*calls)
        assert sum(made.calls for made in maker.made) == 4
        assert len(maker.made) == 2

    in_pool(work, gated=True, limit=2)


def test_at_the_limit_the_longest_idle_environment_makes_room():
    async def work(pool, maker):
        for name in ("a", "b", "c"):
            await pool.invoke(named(name), request())
            await asyncio.sleep(0.001)
        await settle()
        assert [made.stopped for made in maker.made] == [True, False, False]
        assert pool.size == 2

    in_pool(work, limit=2)


def test_a_free_environment_serves_its_own_function_first():
    async def work(pool, maker):
        calls = [start(pool, named(name)) for name in ("a", "b", "a")]
        await asyncio.sleep(PATIENCE_S * 0.99)
        maker.made[0].gate.set()
        await settle()
        assert [made.name for made in maker.made] == ["a", "b"]
        assert maker.made[0].calls == 2
        maker.made[1].gate.set()
        await asyncio.gather(*calls)

    in_pool(work, gated=True, limit=1)


def test_a_call_that_waited_long_goes_first():
    async def work(pool, maker):
        calls = [start(pool, named(name)) for name in ("a", "b", "a")]
        await asyncio.sleep(PATIENCE_S * 1.01)
        maker.made[0].gate.set()
        await settle()
        assert [made.name for made in maker.made] == ["a", "b"]
        assert maker.made[0].calls == 1
        assert maker.made[0].stopped
        maker.made[1].gate.set()
        await settle()
        maker.made[2].gate.set()
        await asyncio.gather(*calls)

    in_pool(work, gated=True, limit=1)


@pytest.mark.parametrize("when", ["in the queue", "just served"])
def test_a_queued_call_that_is_cancelled_costs_no_environment(when):
    async def work(pool, maker):
        first, second = start(pool), start(pool)
        await settle()
        if when == "in the queue":
            second.cancel()
        maker.made[0].gate.set()
        await first
        second.cancel()
        await settle()
        assert pool.queued == 0
        await asyncio.wait_for(pool.invoke(SPEC, request()), 1)
        assert pool.size == 1

    in_pool(work, gated=True, limit=1)


def test_idle_environments_expire():
    async def work(pool, maker):
        await pool.invoke(SPEC, request())
        await asyncio.sleep(299.9)
        assert pool.size == 1
        await asyncio.sleep(0.2)
        assert pool.size == 0
        assert maker.made[0].stopped
        await pool.invoke(SPEC, request())
        assert len(maker.made) == 2

    in_pool(work, idle_expiry_s=300)


def test_use_puts_expiry_off():
    async def work(pool, maker):
        for _ in range(12):
            await pool.invoke(SPEC, request())
            await asyncio.sleep(299)
        assert len(maker.made) == 1

    in_pool(work, idle_expiry_s=300)


def test_each_environment_expires_in_its_own_time():
    async def work(pool, maker):
        await pool.invoke(named("a"), request())
        await asyncio.sleep(100)
        await pool.invoke(named("b"), request())
        await asyncio.sleep(201)
        assert [made.stopped for made in maker.made] == [True, False]
        await asyncio.sleep(100)
        assert [made.stopped for made in maker.made] == [True, True]

    in_pool(work, idle_expiry_s=300)


@pytest.mark.parametrize(
    ("version_to_retire", "survivors"),
    [(None, ["g"]), ("1", ["f:2", "g"]), ("9", ["f:1", "f:2", "g"])],
)
def test_retirement_stops_idle_environments(version_to_retire, survivors):
    async def work(pool, maker):
        for name, number in (("f", "1"), ("f", "2"), ("g", "1")):
            await pool.invoke(named(name, version=number), request())
        await pool.retire("f", version_to_retire)
        labels = ["f:1", "f:2", "g"]
        left = [label for label, made in zip(labels, maker.made, strict=True) if not made.stopped]
        assert left == survivors

    in_pool(work)


def test_retirement_lets_running_and_queued_calls_finish():
    async def work(pool, maker):
        calls = [start(pool), start(pool)]
        await settle()
        await pool.retire("f")
        assert not maker.made[0].stopped
        maker.made[0].gate.set()
        await settle()
        assert maker.made[0].stopped
        maker.made[1].gate.set()
        await asyncio.gather(*calls)
        await settle()
        assert pool.size == 0
        assert maker.made[1].stopped

    in_pool(work, gated=True, limit=1)


def test_a_closed_pool_refuses_calls_and_queued_ones_end():
    async def work(pool, maker):
        running, queued = start(pool), start(pool)
        await settle()
        await pool.close()
        assert maker.made[0].stopped
        with pytest.raises(RuntimeError, match="is stopping"):
            await queued
        with pytest.raises(RuntimeError, match="is stopping"):
            await pool.invoke(SPEC, request())
        maker.made[0].gate.set()
        await running

    in_pool(work, gated=True, limit=1)


def test_thousands_of_calls_over_many_functions_all_end():
    async def work(pool, maker):
        specs = [named(f"f{number}") for number in range(7)]
        calls = [pool.invoke(specs[number % 7], request()) for number in range(2000)]
        assert len(await asyncio.gather(*calls)) == 2000
        assert pool.size <= 3
        assert pool.queued == 0

    in_pool(work, limit=3)
