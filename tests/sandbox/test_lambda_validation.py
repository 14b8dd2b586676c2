"""Constraints of the model, in AWS's words."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import given
from hypothesis import strategies as st

from sandbox.api_errors import ApiError
from sandbox.http import Request
from sandbox.rest_json.parsing import parse_parameters
from sandbox.rest_json.routing import RestJsonRouter
from sandbox.rest_json.validation import Validator

DETECTED = "1 validation error detected: "
ROUTER = RestJsonRouter("lambda")
MUST = "failed to satisfy constraint: Member must "


@pytest.mark.parametrize(
    ("changes", "violation"),
    [
        pytest.param(
            {"MemorySize": 64},
            f"Value '64' at 'memorySize' {MUST}have value greater than or equal to 128",
            id="too little memory",
        ),
        pytest.param(
            {"MemorySize": 10_241},
            f"Value '10241' at 'memorySize' {MUST}have value less than or equal to 10240",
            id="too much memory",
        ),
        pytest.param(
            {"Timeout": 0},
            f"Value '0' at 'timeout' {MUST}have value greater than or equal to 1",
            id="no time",
        ),
        pytest.param(
            {"Timeout": 901},
            f"Value '901' at 'timeout' {MUST}have value less than or equal to 900",
            id="too much time",
        ),
        pytest.param(
            {"EphemeralStorage": {"Size": 511}},
            f"Value '511' at 'ephemeralStorage.size' {MUST}have value greater than or equal to 512",
            id="too little storage",
        ),
        pytest.param(
            {"EphemeralStorage": {}},
            f"Value null at 'ephemeralStorage.size' {MUST}not be null",
            id="no storage size",
        ),
        pytest.param(
            {"Description": "x" * 257},
            f"Value '{'x' * 257}' at 'description' {MUST}have length less than or equal to 256",
            id="long description",
        ),
        pytest.param(
            {"Handler": "a b"},
            f"Value 'a b' at 'handler' {MUST}satisfy regular expression pattern: [^\\s]+",
            id="handler with a space",
        ),
        pytest.param(
            {"TracingConfig": {"Mode": "On"}},
            f"Value 'On' at 'tracingConfig.mode' {MUST}satisfy enum value set: "
            "[Active, PassThrough]",
            id="unknown tracing mode",
        ),
        pytest.param(
            {"Role": None},
            f"Value null at 'role' {MUST}not be null",
            id="no role",
        ),
    ],
)
def test_a_broken_constraint_is_told_as_aws_tells_it(
    loose_client: Any, unused_name: Any, refused: Any, changes: dict[str, Any], violation: str
) -> None:
    valid = {
        "FunctionName": unused_name(),
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Code": {"ZipFile": b"none"},
    }
    arguments = {name: value for name, value in {**valid, **changes}.items() if value is not None}
    assert refused(loose_client.create_function, **arguments) == (
        "ValidationException",
        400,
        DETECTED + violation,
    )


def test_all_violations_are_told_at_once(
    loose_client: Any, new_function: Any, refused: Any
) -> None:
    update = loose_client.update_function_configuration
    _, _, message = refused(update, FunctionName=new_function(), Timeout=0, MemorySize=1)
    assert message == (
        f"2 validation errors detected: Value '0' at 'timeout' {MUST}have value greater than or "
        f"equal to 1; Value '1' at 'memorySize' {MUST}have value greater than or equal to 128"
    )


@pytest.mark.parametrize("name", ["x" * 65, "a.b", "a b", "ä"])
def test_names_of_functions_are_checked(loose_client: Any, refused: Any, name: str) -> None:
    code, status, message = refused(loose_client.get_function_concurrency, FunctionName=name)
    assert (code, status) == ("ValidationException", 400)
    assert f"Value '{name}' at 'functionName' failed to satisfy constraint" in message


def test_new_runtimes_are_not_checked_against_a_list(client: Any, new_function: Any) -> None:
    name = new_function(Runtime="python9.99")
    assert client.get_function_configuration(FunctionName=name)["Runtime"] == "python9.99"


@pytest.mark.parametrize(
    ("body", "part"),
    [
        pytest.param(b"{", "Could not parse request body into json", id="no JSON"),
        pytest.param(b"[1]", "not an object", id="no object"),
        pytest.param(b'{"MemorySize": "256"}', "MemorySize: expected a value of type integer"),
        pytest.param(b'{"MemorySize": true}', "MemorySize: expected a value of type integer"),
        pytest.param(
            b'{"Environment": {"Variables": {"KEY": 1}}}',
            "Environment.Variables.KEY: expected a value of type string",
        ),
        pytest.param(b"[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(b'{"Unknown": ' + b"[" * 100_000, "nested too deeply", id="deep below"),
        pytest.param(b'{"MemorySize": NaN}', "NaN is no JSON value", id="NaN"),
        pytest.param(b'{"Unknown": -Infinity}', "-Infinity is no JSON value", id="-Infinity"),
        pytest.param('{"MemorySize": 256}'.encode("utf-16"), "can't decode", id="UTF-16"),
        pytest.param(b'{"Description": "\\ud800"}', "Description: expected text", id="surrogate"),
        pytest.param(
            b'{"Environment": {"Variables": {"KEY": "x\\udfff"}}}',
            "Environment.Variables.KEY: expected text that UTF-8 can encode",
            id="surrogate in a map",
        ),
        pytest.param(
            b'{"Environment": {"Variables": {"\\ud800": "x"}}}',
            "Environment.Variables (a key): expected text",
            id="surrogate in a key",
        ),
    ],
)
def test_a_body_of_the_wrong_kind_is_refused(
    sandbox: Any, new_function: Any, send: Any, body: bytes, part: str
) -> None:
    path = f"/2015-03-31/functions/{new_function()}/configuration"
    status, code, message = send(sandbox, "PUT", path, body)
    assert (status, code) == (400, "SerializationException")
    assert part in message


def test_a_zip_that_is_no_ascii_is_refused(sandbox: Any, new_function: Any, send: Any) -> None:
    path = f"/2015-03-31/functions/{new_function()}/code"
    status, code, message = send(sandbox, "PUT", path, '{"ZipFile": "ä"}'.encode())
    assert (status, code) == (400, "SerializationException")
    assert message == "ZipFile: expected base64"


def test_all_other_text_is_taken(client: Any, new_function: Any, send: Any, sandbox: Any) -> None:
    name = new_function()
    path = f"/2015-03-31/functions/{name}/configuration"
    body = b'{"Description": "\\ud83d\\ude00 \\u0000 \xc3\xa4"}'
    assert send(sandbox, "PUT", path, body)[0] == 200
    assert client.get_function_configuration(FunctionName=name)["Description"] == "\U0001f600 \0 ä"


@pytest.mark.parametrize("weight", ["NaN", "Infinity", "1e999", "-1e999"])
def test_weights_are_finite_numbers(
    sandbox: Any, new_function: Any, send: Any, weight: str
) -> None:
    path = f"/2015-03-31/functions/{new_function(Publish=True)}/aliases"
    body = (
        '{"Name": "a", "FunctionVersion": "1", '
        f'"RoutingConfig": {{"AdditionalVersionWeights": {{"$LATEST": {weight}}}}}}}'
    )
    assert send(sandbox, "POST", path, body.encode())[:2] == (400, "SerializationException")


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["MemorySize", "Description", "Environment", "VpcConfig", "Other"])


@given(st.binary() | st.dictionaries(FIELDS, JSON_LIKE).map(lambda d: json.dumps(d).encode()))
def test_whatever_a_body_is_its_parameters_can_be_stored(body: bytes) -> None:
    match = ROUTER.match("PUT", "/2015-03-31/functions/f/configuration", "")
    assert match is not None
    request = Request("PUT", b"/2015-03-31/functions/f/configuration", [], body)
    with suppress(ApiError):
        parameters = parse_parameters(request, match)
        json.dumps(parameters, allow_nan=False, ensure_ascii=False).encode()


def test_every_constraint_of_lambdas_model_can_be_checked() -> None:
    """Patterns are written for Java; each must compile here too."""
    model = RestJsonRouter("lambda").model
    validator = Validator({}, frozenset())
    checked = 0
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        for value, leaf in leaves(shape, ()):
            validator.violations(shape, value)
            checked += leaf
    assert checked > 100


def leaves(shape: Shape | None, seen: tuple[str, ...]) -> list[tuple[dict[str, Any], int]]:
    """Parameters that reach each text of `shape`, one at a time."""
    if not isinstance(shape, StructureShape) or shape.name in seen:
        return []
    found: list[tuple[dict[str, Any], int]] = []
    for name, member in shape.members.items():
        if isinstance(member, StructureShape):
            inner = leaves(member, (*seen, shape.name))
            found += [({name: value}, count) for value, count in inner]
        elif isinstance(member, ListShape) and member.member.type_name == "string":
            found.append(({name: ["x"]}, 1))
        elif isinstance(member, MapShape) and member.value.type_name == "string":
            found.append(({name: {"x": "y"}}, 2))
        elif member.type_name == "string":
            found.append(({name: "x"}, 1))
    return found
