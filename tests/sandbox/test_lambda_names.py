"""Names and ARNs of functions."""

from __future__ import annotations

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.api_errors import ApiError
from sandbox.lambda_api.names import FunctionReference, Home

HOME = Home("000000000000", "us-east-1")
CHARACTERS = string.ascii_letters + string.digits + "-_"

names = st.text(CHARACTERS, min_size=1, max_size=64).filter(lambda name: name != "function")
qualifiers = st.none() | st.just("$LATEST") | st.text(CHARACTERS, min_size=1, max_size=128)
prefixes = st.sampled_from(
    [
        "",
        "function:",
        "000000000000:function:",
        "us-east-1:000000000000:function:",
        "arn:aws:lambda:us-east-1:000000000000:function:",
    ]
)


@given(names, qualifiers, prefixes)
def test_every_form_names_the_same_function(name: str, qualifier: str | None, prefix: str) -> None:
    suffix = "" if qualifier is None else f":{qualifier}"
    expected = FunctionReference(name, qualifier)
    # A bare name before a qualifier may look like the start of a partial ARN.
    if prefix or not name.isdigit():
        assert HOME.resolve(f"{prefix}{name}{suffix}") == expected
    assert HOME.resolve(HOME.function_arn(name, qualifier)) == expected
    assert HOME.resolve(f"function:{name}", qualifier) == expected


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_refused_with_an_api_error(text: str) -> None:
    with suppress(ApiError):
        assert HOME.resolve(text).name in text


@pytest.mark.parametrize("text", ["f:1", "arn:aws:lambda:us-east-1:000000000000:function:f:live"])
def test_some_operations_take_no_version(text: str) -> None:
    with pytest.raises(ApiError, match="permitted on Lambda functions only"):
        HOME.resolve_function(text)
    assert HOME.resolve_function("f:$LATEST") == "f"
