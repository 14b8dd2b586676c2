"""Route keys and names of functions, without a server."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.api_errors import ApiError
from sandbox.apigatewayv2_api.function_uri import check_function_uri, function_of
from sandbox.apigatewayv2_api.route_keys import METHODS, RouteKey, parse_route_key
from sandbox.lambda_api.names import FunctionReference, Home

HOME = Home("000000000000", "us-east-1")
PART = st.from_regex(r"[A-Za-z0-9._~-]+|\{[a-z]\}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("$default", RouteKey("ANY", "$default")),
        ("GET /", RouteKey("GET", "/")),
        ("ANY /a/{id}/b", RouteKey("ANY", "/a/{id}/b")),
        ("POST /{proxy+}", RouteKey("POST", "/{proxy+}")),
        ("GET /a/", RouteKey("GET", "/a/")),
        ("GET /a%20b/c:d", RouteKey("GET", "/a%20b/c:d")),
    ],
)
def test_route_keys(text, key):
    assert parse_route_key(text) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$other",
        "$default ",
        "GET",
        "GET ",
        "GET a",
        "get /a",
        "TRACE /a",
        "GET  /a",
        "GET /a b",
        "GET //a",
        "GET /a?b=c",
        "GET /a#b",
        "GET /a%2",
        "GET /{id",
        "GET /{}",
        "GET /a{id}",
        "GET /{a}/{a}",
        "GET /{a+}/b",
        "GET /{a+}/",
        "GET /ä",
    ],
)
def test_what_is_no_route_key(text):
    with pytest.raises(ApiError) as caught:
        parse_route_key(text)
    assert caught.value.code == "BadRequestException"


@given(st.sampled_from(METHODS), st.lists(PART, max_size=5, unique=True))
def test_methods_and_paths_come_out_as_they_went_in(method, parts):
    path = f"/{'/'.join(parts)}"
    key = parse_route_key(f"{method} {path}")
    assert (key.method, key.path) == (method, path)
    # A key of its own names only: its shape is the same with other names of variables.
    renamed = path.replace("}", "x}")
    assert parse_route_key(f"{method} {renamed}").shape == key.shape


@given(st.text(max_size=30))
def test_any_text_is_a_route_key_or_a_bad_request(text):
    try:
        key = parse_route_key(text)
    except ApiError:
        return
    assert text in ("$default", f"{key.method} {key.path}")


@given(
    st.text(max_size=60).map(lambda text: f"arn:aws:lambda:us-east-1:000000000000:function:{text}")
)
def test_any_uri_is_taken_or_a_bad_request(uri):
    try:
        check_function_uri(uri, HOME)
    except ApiError:
        return
    assert uri == HOME.function_arn(*astuple(function_of(uri, {})))


@given(
    st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    st.none() | st.just("$LATEST") | st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True),
    st.booleans(),
)
def test_the_function_that_was_named_is_the_one_that_is_called(name, qualifier, wrapped):
    uri = HOME.function_arn(name, qualifier)
    if wrapped:
        uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{uri}/invocations"
    check_function_uri(uri, HOME)
    assert function_of(uri, {}) == FunctionReference(name, qualifier)
