"""What the tests of the Lambda API without HTTP share: a context with modelled functions."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import virtual_time

from sandbox.execution.executor import LocalExecutor
from sandbox.lambda_api.context import LambdaContext, LambdaOptions
from sandbox.lambda_api.names import Home
from sandbox.lambda_api.packages import PackageStore
from sandbox.lambda_api.records import Code, Function, Settings, Version, new_id
from sandbox.lambda_api.service import LambdaService
from sandbox.lambda_api.store import FunctionStore
from sandbox.telemetry.contract import Dimensions

T = TypeVar("T")

HOME = Home("000000000000", "us-east-1")
QUICK = {"duration_ms": {"128": 1}, "init_ms": 0, "response": {"ok": True}}


def version(
    number: str = "$LATEST", model: Mapping[str, object] = QUICK, **changes: Any
) -> Version:
    """A version of a modelled function."""
    settings = Settings(
        "python3.12", "app.handler", "role", environment={"SANDBOX_MODEL": json.dumps(model)}
    )
    settings = replace(settings, **changes)
    return Version(number, settings, Code("", 0), new_id(), new_id(), "t")


def function(name: str = "f", model: Mapping[str, object] = QUICK, **changes: Any) -> Function:
    """A modelled function."""
    latest = version(model=model)
    return replace(Function(name, latest, latest), **changes)


def run(
    work: Callable[[LambdaService, LambdaContext], Awaitable[T]],
    *functions: Function,
    options: Mapping[str, Any] | None = None,
    run_loop: Callable[[Coroutine[Any, Any, T]], T] = virtual_time.run,
    **fields: Any,
) -> T:
    """Runs `work`, in virtual time unless told otherwise, with a service of the functions."""

    async def main() -> T:
        async with AsyncExitStack() as stack:
            executor = LocalExecutor()
            stack.push_async_callback(executor.close)
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            store = FunctionStore()
            for one in functions:
                store.put(one)
            context = LambdaContext(
                home=HOME,
                options=LambdaOptions(update_s=0, **(options or {})),
                store=store,
                packages=PackageStore(Path(directory)),
                executor=executor,
                package_url="",
                **fields,
            )
            service = LambdaService(context)
            stack.push_async_callback(service.close)
            return await work(service, context)

    return run_loop(main())


async def settle() -> None:
    """Lets everything run that is ready."""
    for _ in range(20):
        await asyncio.sleep(0)


@dataclass
class Recorder:
    """A sink of metrics and of log events that keeps all."""

    values: dict[tuple[str, Dimensions], dict[float, int]] = field(default_factory=dict)
    minutes: set[int] = field(default_factory=set)
    units: dict[str, str] = field(default_factory=dict)
    events: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)

    def add(
        self,
        namespace: str,
        name: str,
        dimensions: Dimensions,
        unit: str,
        minute_s: int,
        counts: Mapping[float, int],
    ) -> None:
        assert namespace == "AWS/Lambda"
        self.minutes.add(minute_s)
        self.units[name] = unit
        known = self.values.setdefault((name, dimensions), {})
        for value, count in counts.items():
            assert count > 0
            known[value] = known.get(value, 0) + count

    def append(self, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        self.events.setdefault((group, stream), []).extend(events)

    def of(self, name: str, *values: str) -> dict[float, int]:
        """How often each value came, for FunctionName, Resource and ExecutedVersion as given."""
        names = ("FunctionName", "Resource", "ExecutedVersion")
        dimensions = tuple(sorted(zip(names, values, strict=False)))
        return self.values.get((name, dimensions), {})
