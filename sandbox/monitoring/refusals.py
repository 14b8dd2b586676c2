"""CloudWatch's errors, by the names that its model has for them."""

from __future__ import annotations

from sandbox.api_errors import ApiError


def invalid(message: str) -> ApiError:
    """GetMetricData's answer to a request that it cannot serve; its code is ValidationError."""
    return ApiError("ValidationException", message)


def invalid_value(message: str) -> ApiError:
    """The answer to a parameter with a value that is not allowed."""
    return ApiError("InvalidParameterValueException", message)


def invalid_combination(message: str) -> ApiError:
    """The answer to parameters that do not go together."""
    return ApiError("InvalidParameterCombinationException", message)


def missing(message: str) -> ApiError:
    """The answer where a parameter is needed."""
    return ApiError("MissingRequiredParameterException", message)
