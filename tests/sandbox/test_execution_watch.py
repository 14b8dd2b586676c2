"""The watch slows down for the time that looking takes, and not for counting memory."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
import virtual_time

from sandbox.execution import watch as watch_module
from sandbox.execution.watch import INTERVAL_S, Watch


@pytest.mark.parametrize(
    ("limited_s", "looks"),
    [pytest.param(0.0, 2, id="looking itself"), pytest.param(0.054, 200, id="counting memory")],
)
def test_only_what_has_no_limit_of_its_own_makes_looks_rare(monkeypatch, limited_s, looks):
    clock = SimpleNamespace(now_s=0.0, looks=0)

    class Large:
        def look(self):
            clock.looks += 1
            clock.now_s += 0.054
            return limited_s

    async def main():
        watch = Watch()
        watch.add(Large())
        await asyncio.sleep(1 + INTERVAL_S / 2)
        watch.close()

    monkeypatch.setattr(watch_module, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    virtual_time.run(main())
    assert clock.looks == looks
