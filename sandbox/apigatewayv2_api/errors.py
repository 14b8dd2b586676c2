"""The errors of the apigatewayv2 API. Its model gives the HTTP status of each."""

from __future__ import annotations

from sandbox.api_errors import ApiError


def bad_request(message: str) -> ApiError:
    """The answer to parameters that break a rule."""
    return ApiError("BadRequestException", message)


def unserved(what: str) -> ApiError:
    """The answer to what AWS has and the sandbox cannot do."""
    return bad_request(f"the sandbox does not serve {what}")


def not_for_http_apis(what: str) -> ApiError:
    """The answer to what only WebSocket APIs have."""
    return bad_request(f"{what} is supported only for WebSocket APIs")


def conflict(message: str) -> ApiError:
    """The answer where something else stands in the way."""
    return ApiError("ConflictException", message)


def limit_exceeded(message: str) -> ApiError:
    """The answer where a quota is used up."""
    return ApiError("TooManyRequestsException", message)


def not_found(message: str) -> ApiError:
    """The answer where nothing has the given id."""
    return ApiError("NotFoundException", message)
