"""Names of functions: what can be tuned and what cannot."""

import pytest

from core.errors import InputError
from tuner.target import check_function_name

ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"


@pytest.mark.parametrize("function", ["orders", "a-b_C9", ARN, "123456789012:function:orders"])
def test_names_and_arns_are_taken(function: str) -> None:
    assert check_function_name(function) == function


@pytest.mark.parametrize(
    ("function", "message"),
    [
        pytest.param("orders:live", "without a version or alias", id="alias"),
        pytest.param(f"{ARN}:7", "without a version or alias", id="version in an ARN"),
        pytest.param("", "expected a function name or ARN", id="empty"),
        pytest.param("two words", "expected a function name or ARN", id="space"),
        pytest.param("a" * 141, "expected a function name or ARN", id="long"),
        pytest.param(
            "arn:aws:s3:::bucket", "expected a function name or ARN", id="another service"
        ),
        pytest.param("../etc", "expected a function name or ARN", id="path"),
    ],
)
def test_what_cannot_be_tuned_is_named(function: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_function_name(function)
