"""An error with all that the wire formats say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from botocore.model import ServiceModel, StructureShape

from sandbox.api_errors import ApiError
from sandbox.http import Header


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of a service.

    `shape` is its name in the model, `query_code` the one that the query protocol has for it:
    InvalidParameterValueException and InvalidParameterValue, for example.
    """

    shape: str
    query_code: str
    message: str
    message_name: str
    status: int
    is_senders: bool
    fields: Mapping[str, object]

    @property
    def query_header(self) -> Header:
        """What tells an SDK of a service that once spoke the query protocol the old code."""
        side = "Sender" if self.is_senders else "Receiver"
        return b"x-amzn-query-error", f"{self.query_code};{side}".encode()


def fault_of(model: ServiceModel, error: ApiError) -> Fault:
    """`error` with what `model` says of it, whichever of its two names it came with."""
    shape = _find(model, error.code)
    if shape is None:
        return Fault(
            error.code,
            error.code,
            error.message,
            "message",
            error.status,
            error.status < 500,
            error.fields,
        )
    traits = shape.metadata.get("error", {})
    status = int(traits.get("httpStatusCode", error.status))
    return Fault(
        shape.name,
        str(traits.get("code", shape.name)),
        error.message,
        "Message" if "Message" in shape.members else "message",
        status,
        status < 500,
        error.fields,
    )


def _find(model: ServiceModel, code: str) -> StructureShape | None:
    by_code: StructureShape | None = None
    for shape in model.error_shapes:
        if not isinstance(shape, StructureShape):
            continue
        if shape.name == code:
            return shape
        if shape.metadata.get("error", {}).get("code") == code:
            by_code = shape
    return by_code
