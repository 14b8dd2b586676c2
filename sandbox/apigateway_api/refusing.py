"""The errors that the control plane of REST APIs answers, in AWS's words where they are known."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.api_errors import ApiError
from sandbox.rest_json.service import Parameters


def bad_request(message: str) -> ApiError:
    """What is asked for cannot be (400)."""
    return ApiError("BadRequestException", message)


def not_found(kind: str) -> ApiError:
    """There is no such thing (404); `kind` is for example "Stage identifier"."""
    return ApiError("NotFoundException", f"Invalid {kind} specified")


def conflict(message: str) -> ApiError:
    """It is there already, or in use (409)."""
    return ApiError("ConflictException", message)


def limit_exceeded(message: str) -> ApiError:
    """A quota of the account is used up (429)."""
    return ApiError("LimitExceededException", message)


def unserved(what: str) -> ApiError:
    """AWS can do it, and the sandbox cannot."""
    return bad_request(f"The sandbox does not serve {what}")


def refuse_unserved(parameters: Parameters, names: Sequence[str]) -> None:
    """Refuses parameters that would have no effect here."""
    for name in names:
        if parameters.get(name):
            raise unserved(name)
