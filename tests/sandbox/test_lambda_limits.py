"""Concurrency, request rates and the settings of the account."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import lambda_rig as rig
import pytest
from botocore.exceptions import ClientError

from sandbox.api_errors import ApiError
from sandbox.lambda_api.names import FunctionReference
from sandbox.lambda_api.records import Code, Function, Settings, Version
from sandbox.lambda_api.throttling import ConcurrencyGate

HOLDING = {
    "Environment": {
        "Variables": {
            "SANDBOX_MODEL": json.dumps({"duration_ms": {"128": 700}, "init_ms": 0, "hold": True})
        }
    }
}


def function(name: str, reserved: int | None = None) -> Function:
    latest = Version("$LATEST", Settings("python3.12", "a.b", "role"), Code("", 0), "r", "c", "t")
    return Function(name, latest, latest, reserved_concurrency=reserved)


def reason_of(gate: ConcurrencyGate, *arguments: Any, **more: Any) -> str | None:
    try:
        gate.enter(*arguments, **more)
    except ApiError as error:
        return str(error.fields["Reason"])
    return None


def test_all_functions_without_a_reserve_share_what_is_left() -> None:
    gate = ConcurrencyGate(account_concurrency=10)
    slots = [gate.enter(function(f"f{n}"), 8, 0.0, synchronous=True) for n in range(2)]
    full = reason_of(gate, function("g"), 8, 0.0, synchronous=True)
    assert full == "ConcurrentInvocationLimitExceeded"
    gate.leave(slots[0])
    assert reason_of(gate, function("g"), 8, 0.0, synchronous=True) is None


def test_a_reserve_is_a_floor_and_a_ceiling() -> None:
    gate = ConcurrencyGate(account_concurrency=10)
    mine = function("mine", reserved=3)
    for n in range(7):
        gate.enter(function(f"other{n}"), 3, 0.0, synchronous=True)
    for _ in range(3):
        gate.enter(mine, 3, 0.0, synchronous=True)
    full = reason_of(gate, mine, 3, 0.0, synchronous=True)
    assert full == "ReservedFunctionConcurrentInvocationLimitExceeded"


@pytest.mark.parametrize(
    ("reserved", "reason"),
    [
        (None, "FunctionInvocationRateLimitExceeded"),
        (5, "ReservedFunctionInvocationRateLimitExceeded"),
    ],
)
def test_ten_requests_a_second_for_each_unit_of_concurrency(
    reserved: int | None, reason: str
) -> None:
    gate = ConcurrencyGate(account_concurrency=5 if reserved is None else 100)
    one = function("one", reserved)
    outcomes = []
    for step in range(400):  # two seconds, in steps of 5 ms
        try:
            gate.leave(gate.enter(one, 0, step / 200, synchronous=True))
            outcomes.append("")
        except ApiError as error:
            outcomes.append(error.fields["Reason"])
    assert set(outcomes) == {"", reason}
    # A full bucket of 50 at the start, and 50 more in each of the 1.995 seconds.
    assert outcomes.count("") == 149


def test_events_have_no_request_rate() -> None:
    gate = ConcurrencyGate(account_concurrency=1)
    for _ in range(100):
        gate.leave(gate.enter(function("f"), 0, 0.0, synchronous=False))


def starts(gate: ConcurrencyGate, name: str, now_s: float, count: int) -> int:
    """How many of `count` calls that all need a new environment are let in."""
    needed = {"synchronous": False, "needs_environment": True}
    reasons = [reason_of(gate, function(name), 0, now_s, **needed) for _ in range(count)]
    assert set(reasons) <= {None, "FunctionInvocationRateLimitExceeded"}
    return reasons.count(None)


def test_a_function_grows_by_a_thousand_environments_in_ten_seconds() -> None:
    gate = ConcurrencyGate(100_000, scale_up_per_10_s=1000)
    assert starts(gate, "f", 0.0, 1500) == 1000
    assert starts(gate, "f", 1.0, 500) == 100, "refilled all the time"
    assert starts(gate, "g", 1.0, 500) == 500, "each function by itself"
    assert starts(gate, "f", 11.0, 1500) == 1000
    assert starts(gate, "f", 3600.0, 1500) == 1000, "nothing is carried over"


def test_idle_environments_cost_nothing_of_it() -> None:
    gate = ConcurrencyGate(100_000, scale_up_per_10_s=1)
    for _ in range(50):
        gate.leave(gate.enter(function("f"), 0, 0.0, synchronous=False))
    assert starts(gate, "f", 0.0, 5) == 1


def test_the_growth_can_be_without_a_limit() -> None:
    assert starts(ConcurrencyGate(100_000, None), "f", 0.0, 5000) == 5000


@pytest.mark.parametrize(
    ("options", "let_in"),
    [({}, 1000), ({"scale_up_per_10_s": 50}, 50), ({"scale_up_per_10_s": None}, 1500)],
    ids=["as AWS", "changed", "switched off"],
)
def test_a_sudden_crowd_is_throttled_beyond_the_growth(options: Any, let_in: int) -> None:
    """Environments that have become idle serve the next crowd."""
    model = {"duration_ms": {"128": 1000}, "init_ms": 0, "hold": True}

    async def work(service: Any, context: Any) -> list[int]:
        async def crowd() -> int:
            calls = [
                service.invoker.call(FunctionReference("f"), b"{}", f"id-{number}")
                for number in range(1500)
            ]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            refused = [it for it in outcomes if isinstance(it, ApiError)]
            assert {it.fields["Reason"] for it in refused} <= {
                "FunctionInvocationRateLimitExceeded"
            }
            return len(outcomes) - len(refused)

        return [await crowd(), await crowd()]

    accounts = {"account_concurrency": 100_000, **options}
    first, second = rig.run(work, rig.function(model=model), options=accounts)
    assert first == let_in
    # A second later, a tenth of the growth has come back.
    regained = min(1500 - let_in, (options.get("scale_up_per_10_s", 1000) or 0) // 10)
    assert second == let_in + regained


@pytest.mark.parametrize(
    ("duration_ms", "admitted", "reason"),
    [
        pytest.param(
            200,
            4 / 0.2 * 10,
            "ReservedFunctionConcurrentInvocationLimitExceeded",
            id="slow: four at once, each for 0.2 s",
        ),
        pytest.param(
            50,
            4 * 10 * 10 + 40,
            "ReservedFunctionInvocationRateLimitExceeded",
            id="fast: ten a second for each of the four",
        ),
    ],
)
def test_reserved_concurrency_lets_pass_what_can_run_at_once(
    duration_ms: float, admitted: float, reason: str
) -> None:
    """Of a load that is always too much, over ten seconds."""
    holding = {**rig.QUICK, "duration_ms": {"128": duration_ms}, "hold": True}

    async def work(service: Any, context: Any) -> Counter[str]:
        async def call(number: int) -> str:
            await asyncio.sleep(number / 130)
            try:
                await service.invoker.call(FunctionReference("f"), b"{}", f"id-{number}")
            except ApiError as error:
                return str(error.fields["Reason"])
            return "admitted"

        return Counter(await asyncio.gather(*(call(number) for number in range(1300))))

    outcomes = rig.run(work, rig.function(model=holding, reserved_concurrency=4))

    assert outcomes["admitted"] == pytest.approx(admitted, rel=0.05)
    assert outcomes.most_common(2)[0][0] == reason


def throttle_of(call: Any, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return dict(caught.value.response)


def test_a_switched_off_function_is_throttled(client: Any, new_function: Any) -> None:
    name = new_function()
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    answer = throttle_of(client.invoke, FunctionName=name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert answer["Type"] == "User"


def test_calls_beyond_the_accounts_concurrency_are_throttled(
    start_sandbox: Any, connect: Any, create_in: Any
) -> None:
    client = connect(start_sandbox(account_concurrency=2))
    name = create_in(client, "slow", **HOLDING)
    gate = threading.Barrier(5)

    def call() -> str:
        gate.wait()
        try:
            client.invoke(FunctionName=name)
        except ClientError as error:
            return str(error.response["Reason"])
        return "served"

    with ThreadPoolExecutor(5) as pool:
        outcomes = sorted(future.result() for future in [pool.submit(call) for _ in range(5)])
    assert outcomes == ["ConcurrentInvocationLimitExceeded"] * 3 + ["served"] * 2
    client.invoke(FunctionName=name)


def test_a_throttled_event_runs_when_there_is_room(
    client: Any, new_function: Any, make_zip: Any, tmp_path: Any
) -> None:
    mark = tmp_path / "mark"
    source = f"def handler(event, context):\n    open({str(mark)!r}, 'w').close()\n"
    name = new_function(
        Code={"ZipFile": make_zip({"app.py": source})}, Environment={"Variables": {}}
    )
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert client.invoke(FunctionName=name, InvocationType="Event")["StatusCode"] == 202
    time.sleep(0.15)
    assert not mark.exists()
    client.delete_function_concurrency(FunctionName=name)
    deadline = time.monotonic() + 20
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_reserves_are_kept_and_given_back(
    start_sandbox: Any, connect: Any, create_in: Any, refused: Any
) -> None:
    client = connect(start_sandbox(account_concurrency=1000, update_s=0.0))
    one, two = create_in(client, "one"), create_in(client, "two")

    def reserve(name: str, amount: int) -> dict[str, Any]:
        return {"FunctionName": name, "ReservedConcurrentExecutions": amount}

    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=one)
    client.put_function_concurrency(**reserve(one, 600))
    shown = client.get_function(FunctionName=one)["Concurrency"]
    assert shown == {"ReservedConcurrentExecutions": 600}
    message = (
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100]."
    )
    answer = refused(client.put_function_concurrency, **reserve(two, 301))
    assert answer == ("InvalidParameterValueException", 400, message)
    client.put_function_concurrency(**reserve(two, 300))
    limits = client.get_account_settings()["AccountLimit"]
    assert limits["ConcurrentExecutions"] == 1000
    assert limits["UnreservedConcurrentExecutions"] == 100
    client.delete_function_concurrency(FunctionName=one)
    client.put_function_concurrency(**reserve(two, 900))


def test_the_account_has_awss_limits(start_sandbox: Any, connect: Any, create_in: Any) -> None:
    client = connect(start_sandbox(account_concurrency=10, update_s=0.0))
    create_in(client, "one", Publish=True)
    settings = client.get_account_settings()
    size = client.get_function(FunctionName="one")["Configuration"]["CodeSize"]
    assert settings["AccountLimit"] == {
        "TotalCodeSize": 322_122_547_200,
        "CodeSizeUnzipped": 262_144_000,
        "CodeSizeZipped": 52_428_800,
        "ConcurrentExecutions": 10,
        "UnreservedConcurrentExecutions": 10,
    }
    assert settings["AccountUsage"] == {"TotalCodeSize": 2 * size, "FunctionCount": 1}


def test_nothing_is_provisioned(client: Any, new_function: Any, refused: Any) -> None:
    name = new_function(Publish=True)
    listed = client.list_provisioned_concurrency_configs(FunctionName=name)
    assert listed["ProvisionedConcurrencyConfigs"] == []
    get = client.get_provisioned_concurrency_config
    assert refused(get, FunctionName=name, Qualifier="1") == (
        "ProvisionedConcurrencyConfigNotFoundException",
        404,
        "No Provisioned Concurrency Config found for this function",
    )


def test_a_new_account_has_less_memory(
    start_sandbox: Any, connect: Any, create_in: Any, refused: Any
) -> None:
    client = connect(start_sandbox(max_memory_mb=3008, update_s=0.0))
    name = create_in(client, "small", MemorySize=3008)
    update = client.update_function_configuration
    message = (
        "'MemorySize' value failed to satisfy constraint: Member must have value less than or "
        "equal to 3008"
    )
    answer = refused(update, FunctionName=name, MemorySize=3009)
    assert answer == ("InvalidParameterValueException", 400, message)
