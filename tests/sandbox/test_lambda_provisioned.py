"""Provisioned concurrency: what is ready, what spills over, and what is left of the account."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import lambda_rig as rig
import pytest
from conftest import start

from sandbox.api_errors import ApiError
from sandbox.lambda_api.names import FunctionReference
from sandbox.lambda_api.records import Alias, Function, Provisioned
from sandbox.lambda_api.telemetry import LambdaMetrics

ONE = FunctionReference("f", "1")
LIVE = FunctionReference("f", "live")


def held(duration_ms: float = 100, init_ms: float = 400) -> dict[str, object]:
    return {"duration_ms": {"128": duration_ms}, "init_ms": init_ms, "hold": True}


def provisioned(
    requested: int = 2, qualifier: str = "1", model: Any = None, **changes: Any
) -> Function:
    versions = {number: rig.version(number, model or held()) for number in ("1", "2")}
    settings: dict[str, Any] = {
        "versions": versions,
        "aliases": {"live": Alias("live", "1", "", "r")},
        "provisioned": {qualifier: Provisioned(requested, "t")},
        **changes,
    }
    return replace(rig.function(model=model or held()), **settings)


async def inits_ms(service: Any, reference: FunctionReference, count: int) -> list[float]:
    """What calls at once had to wait for beside their duration, in ms."""
    loop = asyncio.get_running_loop()

    async def one(number: int) -> float:
        began_s = loop.time()
        await service.invoker.call(reference, b"{}", f"id-{number}")
        return round((loop.time() - began_s) * 1000 - 100)

    return await asyncio.gather(*(one(number) for number in range(count)))


def run(work: Any, function: Function, **more: Any) -> rig.Recorder:
    metrics, recorder = LambdaMetrics(), rig.Recorder()

    async def whole(service: Any, context: Any) -> None:
        await work(service, context)

    rig.run(whole, function, metrics=metrics, log_sink=recorder, **more)
    metrics.drain(recorder)
    return recorder


# What is ready


@pytest.mark.parametrize("reference", [ONE, LIVE], ids=["by its version", "by an alias of it"])
def test_calls_find_environments_ready_and_the_rest_spills_over(
    reference: FunctionReference,
) -> None:
    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)
        assert sorted(await inits_ms(service, reference, 5)) == [0, 0, 400, 400, 400]
        # Three environments on demand stayed warm.
        assert await inits_ms(service, reference, 5) == [0] * 5

    recorder = run(work, provisioned(2))

    resource = f"f:{reference.qualifier}"
    assert recorder.of("ProvisionedConcurrencyInvocations", "f", resource) == {1.0: 4}
    assert recorder.of("ProvisionedConcurrencySpilloverInvocations", "f", resource) == {1.0: 6}
    assert recorder.of("ProvisionedConcurrencyInvocations", "f") == {1.0: 4}
    assert recorder.of("ProvisionedConcurrentExecutions", "f", resource) == {1: 2, 2: 2}
    assert recorder.of("ProvisionedConcurrencyUtilization", "f", resource) == {0.5: 2, 1.0: 2}
    assert max(recorder.of("ConcurrentExecutions", "f")) == 5
    assert recorder.of("Invocations", "f") == {1.0: 10}
    # What runs in them is no part of the unreserved, and is claimed while it rests as well.
    assert max(recorder.of("UnreservedConcurrentExecutions")) == 3
    assert max(recorder.of("ClaimedAccountConcurrency")) == 5


def test_nothing_is_usable_until_all_are_allocated() -> None:
    async def work(service: Any, context: Any) -> None:
        # A hundred in a second, and then their INIT of 0.4 s.
        states = []
        for _ in range(4):
            function = context.store.get("f")
            state = service.invoker.provisioning.state(function, "1")
            states.append((state.status, state.allocated, state.available))
            await asyncio.sleep(0.5)
        assert states == [
            ("IN_PROGRESS", 0, 0),
            ("IN_PROGRESS", 50, 0),
            ("IN_PROGRESS", 100, 0),
            ("READY", 100, 100),
        ]

    run(work, provisioned(100))


def test_a_call_before_that_starts_cold() -> None:
    async def work(service: Any, context: Any) -> None:
        assert await inits_ms(service, ONE, 1) == [400]

    assert run(work, provisioned(100)).of("ProvisionedConcurrencyInvocations", "f") == {}


def test_latest_and_other_versions_have_no_part_in_it() -> None:
    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)
        assert await inits_ms(service, FunctionReference("f", "2"), 1) == [400]
        assert await inits_ms(service, FunctionReference("f"), 1) == [400]

    run(work, provisioned(2))


def test_the_first_report_has_the_init_unbilled_and_the_log_has_it_before() -> None:
    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)
        first = await service.invoker.call(ONE, b"{}", "id-1")
        second = await service.invoker.call(ONE, b"{}", "id-2")
        assert (first.report.init_ms, first.report.billed_ms) == (400, 100)
        assert b"Init Duration: 400.00 ms" in first.log
        assert b"INIT_START" not in first.log
        assert second.report.init_ms is None

    recorder = run(work, provisioned(1))

    [lines] = recorder.events.values()
    texts = [line for _, line in lines]
    assert texts[0].startswith("INIT_START")
    assert texts[1].startswith("START RequestId: id-1 Version: 1")
    [(group, stream)] = recorder.events
    assert group == "/aws/lambda/f"
    assert "/[1]" in stream


def test_the_json_log_names_the_kind_of_initialization() -> None:
    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)

    version = rig.version("1", held(), log_format="JSON")
    recorder = run(work, provisioned(1, versions={"1": version}))
    [[(_, line)]] = recorder.events.values()
    event = json.loads(line)
    assert event["type"] == "platform.initStart"
    assert event["record"]["initializationType"] == "provisioned-concurrency"


def test_ten_calls_a_second_for_each_and_the_rest_spills_over() -> None:
    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)
        for number in range(60):
            await service.invoker.call(ONE, b"{}", f"id-{number}")

    # One after the other, each in 10 ms: 100 a second, of which 10 and the 10 of the burst fit.
    recorder = run(work, provisioned(1, model=held(10, init_ms=0)))
    ready = recorder.of("ProvisionedConcurrencyInvocations", "f")[1.0]
    assert ready == pytest.approx(10 + 10 * 0.6, abs=1)
    assert recorder.of("ProvisionedConcurrencySpilloverInvocations", "f") == {1.0: 60 - ready}


def test_a_weighted_alias_provisions_both_versions() -> None:
    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)
        assert sorted(await inits_ms(service, ONE, 9)) == [0] * 8 + [400]
        assert sorted(await inits_ms(service, FunctionReference("f", "2"), 3)) == [0, 0, 400]

    alias = Alias("live", "1", "", "r", {"2": 0.2})
    run(work, provisioned(10, "live", aliases={"live": alias}))


def test_an_alias_that_moves_takes_its_environments_along() -> None:
    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)
        function = context.store.get("f")
        moved = replace(function, aliases={"live": Alias("live", "2", "", "r")})
        context.store.put(moved)
        assert service.invoker.provisioning.state(moved, "live").status == "IN_PROGRESS"
        await asyncio.sleep(1)
        assert service.invoker.provisioning.state(moved, "live").available == 2
        assert await inits_ms(service, LIVE, 2) == [0, 0]
        assert await inits_ms(service, ONE, 1) == [400]

    run(work, provisioned(2, "live"))


def test_what_is_taken_away_is_not_there_any_more() -> None:
    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)
        running = asyncio.create_task(inits_ms(service, ONE, 1))
        await asyncio.sleep(0.05)
        context.store.put(replace(context.store.get("f"), provisioned={}))
        # The one that ran ends as it would have.
        assert await running == [0]
        assert await inits_ms(service, ONE, 1) == [400]

    run(work, provisioned(2))


@pytest.mark.parametrize(("after", "warm"), [(4, 4), (1, 1)])
def test_another_number_adds_or_stops_environments(after: int, warm: int) -> None:
    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)
        function = context.store.get("f")
        context.store.put(replace(function, provisioned={"1": Provisioned(after, "t")}))
        await asyncio.sleep(1)
        assert (await inits_ms(service, ONE, 6)).count(0) == warm

    run(work, provisioned(2))


def test_an_environment_that_a_call_cost_is_replaced() -> None:
    model = {**held(), "fails_below_mb": 256, "failure": "oom"}

    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)
        for number in range(3):
            result = await service.invoker.call(ONE, b"{}", f"id-{number}")
            assert result.report.init_ms == 400
            await asyncio.sleep(1)

    recorder = run(work, provisioned(1, model=model))
    assert recorder.of("ProvisionedConcurrencyInvocations", "f") == {1.0: 3}


# Limits


def outcomes(function: Function, calls: int, account: int = 100) -> list[str]:
    """What came of so many calls of version 1 at once."""
    found: list[str] = []

    async def work(service: Any, context: Any) -> None:
        await asyncio.sleep(1)

        async def one(number: int) -> None:
            try:
                await service.invoker.call(ONE, b"{}", f"id-{number}")
                found.append("served")
            except ApiError as error:
                found.append(str(error.fields["Reason"]))

        await asyncio.gather(*(one(number) for number in range(calls)))

    run(work, function, options={"account_concurrency": account})
    return sorted(found)


def test_of_a_reserve_what_is_not_provisioned_is_on_demand() -> None:
    function = provisioned(3, reserved_concurrency=5)
    assert (
        outcomes(function, 7)
        == ["ReservedFunctionConcurrentInvocationLimitExceeded"] * 2 + ["served"] * 5
    )


def test_what_is_provisioned_is_taken_from_what_all_share() -> None:
    # Of ten, four wait for calls of version 1; six are for everything on demand.
    function = provisioned(4)
    assert (
        outcomes(function, 12, account=10)
        == ["ConcurrentInvocationLimitExceeded"] * 2 + ["served"] * 10
    )


def until_ready(client: Any, **named: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + 20
    while True:
        shown: dict[str, Any] = client.get_provisioned_concurrency_config(**named)
        if shown["Status"] != "IN_PROGRESS":
            return shown
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_it_is_put_shown_listed_and_deleted_as_on_aws(
    start_sandbox: Any, connect: Any, create_in: Any, refused: Any
) -> None:
    client = connect(start_sandbox(account_concurrency=1000))
    name = create_in(client, "f", Publish=True)
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    named = {"FunctionName": name, "Qualifier": "live"}

    put = client.put_provisioned_concurrency_config(**named, ProvisionedConcurrentExecutions=5)

    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert put["Status"] == "IN_PROGRESS"
    assert put["RequestedProvisionedConcurrentExecutions"] == 5
    assert put["AvailableProvisionedConcurrentExecutions"] == 0
    ready = until_ready(client, **named)
    assert ready["Status"] == "READY"
    assert ready["AvailableProvisionedConcurrentExecutions"] == 5
    assert ready["AllocatedProvisionedConcurrentExecutions"] == 5
    assert ready["LastModified"].endswith("+0000")
    [listed] = client.list_provisioned_concurrency_configs(FunctionName=name)[
        "ProvisionedConcurrencyConfigs"
    ]
    assert listed["FunctionArn"].endswith(f":{name}:live")
    limits = client.get_account_settings()["AccountLimit"]
    assert limits["UnreservedConcurrentExecutions"] == 995
    twice = refused(
        client.put_provisioned_concurrency_config,
        FunctionName=name,
        Qualifier="1",
        ProvisionedConcurrentExecutions=1,
    )
    assert twice[:2] == ("ResourceConflictException", 409)
    client.delete_provisioned_concurrency_config(**named)
    client.delete_provisioned_concurrency_config(**named)
    gone = refused(client.get_provisioned_concurrency_config, **named)
    assert gone[0] == "ProvisionedConcurrencyConfigNotFoundException"
    limits = client.get_account_settings()["AccountLimit"]
    assert limits["UnreservedConcurrentExecutions"] == 1000
    # An alias that goes takes its own along; one of that name begins without.
    client.put_provisioned_concurrency_config(**named, ProvisionedConcurrentExecutions=5)
    client.delete_alias(FunctionName=name, Name="live")
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000


@pytest.mark.parametrize(
    ("qualifier", "count", "reserved", "message"),
    [
        pytest.param("$LATEST", 1, None, "cannot be applied to unpublished", id="unpublished"),
        pytest.param("1", 6, 5, "should not be greater than the reserved", id="above the reserve"),
        pytest.param("1", 1001, None, "unreserved concurrency [1000]", id="above the account"),
        pytest.param("1", 901, None, "below its minimum value of [100]", id="leaves too little"),
    ],
)
def test_what_cannot_be_provisioned_is_refused(
    client: Any,
    new_function: Any,
    refused: Any,
    qualifier: str,
    count: int,
    reserved: Any,
    message: str,
) -> None:
    name = new_function(Publish=True)
    if reserved is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    code, status, text = refused(
        client.put_provisioned_concurrency_config,
        FunctionName=name,
        Qualifier=qualifier,
        ProvisionedConcurrentExecutions=count,
    )
    if reserved is not None:
        client.delete_function_concurrency(FunctionName=name)
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message in text


def test_processes_are_started_before_anybody_calls(
    client: Any, new_function: Any, make_zip: Any
) -> None:
    source = (
        "import os, time\n"
        "STARTED = time.time()\n"
        "def handler(event, context):\n"
        "    return [STARTED, os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']]\n"
    )
    name = new_function(
        Code={"ZipFile": make_zip({"app.py": source})}, Environment={"Variables": {}}, Publish=True
    )
    named = {"FunctionName": name, "Qualifier": "1"}
    client.put_provisioned_concurrency_config(**named, ProvisionedConcurrentExecutions=1)
    assert until_ready(client, **named)["Status"] == "READY"
    asked_s = time.time()
    answer = client.invoke(**named)
    started_s, kind = json.loads(answer["Payload"].read())
    assert started_s < asked_s
    assert kind == "provisioned-concurrency"
    client.delete_provisioned_concurrency_config(**named)


def test_a_function_that_does_not_load_fails(client: Any, new_function: Any, make_zip: Any) -> None:
    name = new_function(
        Code={"ZipFile": make_zip({"app.py": "raise RuntimeError('no')\n"})},
        Environment={"Variables": {}},
        Publish=True,
    )
    named = {"FunctionName": name, "Qualifier": "1"}
    client.put_provisioned_concurrency_config(**named, ProvisionedConcurrentExecutions=1)
    failed = until_ready(client, **named)
    assert (failed["Status"], failed["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")
    assert failed["AvailableProvisionedConcurrentExecutions"] == 0
    client.delete_provisioned_concurrency_config(**named)


def test_it_outlives_a_restart(
    start_sandbox: Any, connect: Any, create_in: Any, tmp_path: Any
) -> None:
    with ExitStack() as stack:
        client = connect(start(stack, state_dir=tmp_path))
        name = create_in(client, "f", Publish=True)
        named = {"FunctionName": name, "Qualifier": "1"}
        client.put_provisioned_concurrency_config(**named, ProvisionedConcurrentExecutions=3)
    again = connect(start_sandbox(state_dir=tmp_path))
    assert until_ready(again, **named)["AvailableProvisionedConcurrentExecutions"] == 3
