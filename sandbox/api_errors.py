"""The one exception that a service of the sandbox answers an AWS error with."""

from __future__ import annotations

from collections.abc import Callable, Mapping


class ApiError(Exception):
    """When a call is answered with an AWS error.

    `status` is only for errors that the service's model does not list; a listed error takes its
    status from there. `fields` are further members of the error body.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields or {}


def validation_error(violations: list[str]) -> ApiError:
    """The ValidationException that AWS answers when a request breaks its service's model."""
    count = len(violations)
    noun = "error" if count == 1 else "errors"
    text = "; ".join(violations)
    return ApiError("ValidationException", f"{count} validation {noun} detected: {text}")


# Asked before each call, by the service's name in signatures and the operation: an error to answer
# instead, or None.
Guard = Callable[[str, str], ApiError | None]


def unguarded(service: str, operation: str) -> ApiError | None:
    """Lets every call pass."""
    return None
