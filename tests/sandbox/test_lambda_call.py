"""How other services of the sandbox invoke functions, and what can go wrong with it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import lambda_rig as rig
import pytest

from sandbox.api_errors import ApiError
from sandbox.lambda_api.names import FunctionReference
from sandbox.lambda_api.records import Alias, Policy, Statement
from sandbox.rest_json.routing import RestJsonRouter

SERVICE = "apigateway.amazonaws.com"
SOURCE = "arn:aws:execute-api:us-east-1:000000000000:abc123/prod/GET/orders"
ANY_ROUTE = "arn:aws:execute-api:us-east-1:000000000000:abc123/*/*/*"
HELD = {"duration_ms": {"128": 1000}, "init_ms": 0, "hold": True}


def allowing(**changes: Any) -> Policy:
    statement = Statement("s", "lambda:InvokeFunction", SERVICE, ANY_ROUTE)
    return Policy((replace(statement, **changes),), "revision")


def called(*functions: Any, reference: FunctionReference, payload: bytes = b"{}", **more: Any):
    """The result of one call, or the error that it raised."""

    async def work(service, context):
        try:
            return await service.invoker.call(reference, payload, "id-1", **more)
        except ApiError as error:
            return error

    return rig.run(work, *functions)


def test_a_function_answers():
    result = called(rig.function(), reference=FunctionReference("f"))
    assert json.loads(result.payload) == {"ok": True}
    assert result.function_error is None
    assert result.log.decode().startswith("INIT_START")
    assert "START RequestId: id-1 Version: $LATEST\n" in result.log.decode()


def test_a_real_handler_gets_what_it_was_called_with(make_zip: Any) -> None:
    source = (
        "import os\n"
        "def handler(event, context):\n"
        "    return [event, os.environ['_X_AMZN_TRACE_ID'], context.invoked_function_arn,\n"
        "            context.aws_request_id]\n"
    )

    async def work(service, context):
        code = context.packages.add(make_zip({"app.py": source}))
        latest = replace(rig.version(environment={}), code=code)
        context.store.put(rig.function("echo", latest=latest, running=latest))
        return await service.invoker.call(
            FunctionReference("echo"), b' {"a": 1} ', "id-7", trace_id="Root=1-2-3;Sampled=1"
        )

    result = rig.run(work, run_loop=asyncio.run)
    event, trace_id, arn, request_id = json.loads(result.payload)
    assert event == {"a": 1}
    assert trace_id.startswith("Root=1-2-3;Sampled=1;Parent=")
    assert arn == "arn:aws:lambda:us-east-1:000000000000:function:echo"
    assert request_id == "id-7"


@pytest.mark.parametrize(
    ("qualifier", "answer"),
    [
        pytest.param(None, "latest", id="unqualified"),
        pytest.param("$LATEST", "latest", id="$LATEST"),
        pytest.param("1", "one", id="a version"),
        pytest.param("live", "one", id="an alias"),
        pytest.param("all", "two", id="an alias with weights"),
    ],
)
def test_what_the_qualifier_names_is_run(qualifier, answer):
    def modelled(number, text):
        return rig.version(number, {**rig.QUICK, "response": text})

    latest = modelled("$LATEST", "latest")
    versions = {"1": modelled("1", "one"), "2": modelled("2", "two")}
    aliases = {"live": Alias("live", "1", "", "r"), "all": Alias("all", "1", "", "r", {"2": 1.0})}
    function = rig.function(latest=latest, running=latest, versions=versions, aliases=aliases)
    result = called(function, reference=FunctionReference("f", qualifier))
    assert json.loads(result.payload) == answer


@pytest.mark.parametrize(
    ("changes", "reference", "payload", "code"),
    [
        ({}, ("g",), b"{}", "ResourceNotFoundException"),
        ({}, ("f", "9"), b"{}", "ResourceNotFoundException"),
        ({"pending": True}, ("f",), b"{}", "ResourceConflictException"),
        ({"reserved_concurrency": 0}, ("f",), b"{}", "TooManyRequestsException"),
        ({}, ("f",), b"x" * 6_291_457, "RequestTooLargeException"),
    ],
    ids=["no function", "no version", "pending", "switched off", "too large"],
)
def test_refusals_have_the_status_of_the_services_model(changes, reference, payload, code):
    error = called(
        rig.function(**changes), reference=FunctionReference(*reference), payload=payload
    )
    assert error.code == code
    model = RestJsonRouter("lambda").model
    [shape] = [shape for shape in model.error_shapes if shape.name == code]
    assert error.status == shape.metadata["error"]["httpStatusCode"]


def test_a_runtime_that_the_sandbox_lacks_is_refused():
    latest = rig.version(runtime="java21", environment={})
    error = called(rig.function(latest=latest, running=latest), reference=FunctionReference("f"))
    assert (error.code, error.status) == ("InvalidRuntimeException", 502)


@pytest.mark.parametrize(
    ("policies", "qualifier", "is_allowed"),
    [
        pytest.param({}, None, False, id="no policy"),
        pytest.param({"": allowing()}, None, True, id="of the function"),
        pytest.param({"": allowing()}, "$LATEST", True, id="of the function, by $LATEST"),
        pytest.param({"": allowing()}, "live", False, id="of the function, for an alias"),
        pytest.param({"live": allowing()}, "live", True, id="of the alias"),
        pytest.param({"live": allowing()}, "1", False, id="of the alias, for its version"),
        pytest.param({"live": allowing()}, None, False, id="of the alias, for the function"),
        pytest.param({"1": allowing()}, "1", True, id="of the version"),
    ],
)
def test_the_policy_of_what_is_called_decides(policies, qualifier, is_allowed):
    function = rig.function(
        versions={"1": rig.version("1")},
        aliases={"live": Alias("live", "1", "", "r")},
        policies=policies,
    )
    answer = called(function, reference=FunctionReference("f", qualifier), source_arn=SOURCE)
    if is_allowed:
        assert answer.function_error is None
        return
    assert (answer.code, answer.status) == ("AccessDeniedException", 403)
    arn = rig.HOME.function_arn("f", qualifier)
    assert answer.message == (
        f"User: {SERVICE} is not authorized to perform: lambda:InvokeFunction on resource: {arn} "
        "because no resource-based policy allows the lambda:InvokeFunction action"
    )


def test_without_a_source_nobody_is_kept_out():
    assert called(rig.function(), reference=FunctionReference("f")).function_error is None


def test_a_changed_policy_counts_at_once():
    async def work(service, context):
        call, outcomes = service.invoker.call, []
        for policies in ({}, {"": allowing()}, {}):
            context.store.put(replace(context.store.get("f"), policies=policies))
            try:
                await call(FunctionReference("f"), b"{}", "id", source_arn=SOURCE)
                outcomes.append(200)
            except ApiError as error:
                outcomes.append(error.status)
        return outcomes

    assert rig.run(work, rig.function()) == [403, 200, 403]


def test_an_answer_above_the_limit_is_an_error_in_its_place():
    function = rig.function(model={**rig.QUICK, "response": "x" * 6_291_556})
    result = called(function, reference=FunctionReference("f"))
    assert result.function_error == "Unhandled"
    assert json.loads(result.payload)["errorType"] == "Function.ResponseSizeTooLarge"


def test_concurrency_is_enforced_and_given_back():
    async def work(service, context):
        call = service.invoker.call
        calls = [
            asyncio.ensure_future(call(FunctionReference("f"), b"{}", f"id-{n}")) for n in range(3)
        ]
        await asyncio.sleep(0.5)
        with pytest.raises(ApiError) as refused:
            await call(FunctionReference("f"), b"{}", "one more")
        calls[0].cancel()
        await asyncio.wait(calls)
        await call(FunctionReference("f"), b"{}", "afterwards")
        return refused.value

    error = rig.run(work, rig.function(model=HELD), options={"account_concurrency": 3})
    assert error.status == 429
    assert error.fields["Reason"] == "ConcurrentInvocationLimitExceeded"


@pytest.mark.parametrize("kind", ["CallerRateLimitExceeded", "error"])
def test_a_fault_meets_the_functions_that_it_names(kind):
    async def work(service, context):
        outcomes = {}
        for name in ("f", "g"):
            try:
                result = await service.invoker.call(FunctionReference(name), b"{}", "id")
                outcomes[name] = result.function_error
            except ApiError as error:
                outcomes[name] = error.code
        return outcomes

    outcomes = rig.run(
        work,
        rig.function("f"),
        rig.function("g"),
        interfere=lambda name: kind if name == "f" else None,
    )
    assert outcomes == {
        "f": {"error": "Unhandled"}.get(kind, "TooManyRequestsException"),
        "g": None,
    }


def test_after_an_error_fault_the_function_is_what_it_was():
    fault: list[str | None] = [None, "error", None]

    async def work(service, context):
        call = service.invoker.call
        return [await call(FunctionReference("f"), b"{}", f"id-{n}") for n in range(3)]

    results = rig.run(work, rig.function(), interfere=lambda name: fault.pop(0))
    assert [result.function_error for result in results] == [None, "Unhandled", None]
    assert [result.report.init_ms for result in results] == [0, 0, None]
    assert "errorMessage" in json.loads(results[1].payload)
