"""What a wire format of the RPC family has to do."""

from __future__ import annotations

from typing import Any, Protocol

from botocore.model import OperationModel

from sandbox.api_errors import ApiError
from sandbox.http import Request, Response
from sandbox.rpc.faults import Fault

Parameters = dict[str, Any]
Output = dict[str, Any]


class Wire(Protocol):
    """Reads the requests of one protocol and writes its answers."""

    def operation_name(self, request: Request, body: bytes) -> str:
        """The operation that is asked for.

        Raises:
            ApiError: the request names none.
        """

    def parameters(self, request: Request, body: bytes, operation: OperationModel) -> Parameters:
        """The parameters, named as in the model; timestamps are datetimes in UTC.

        Raises:
            ApiError: the body is not an input of the operation.
        """

    async def answer(
        self, request: Request, operation: OperationModel, output: Output | None
    ) -> Response:
        """The response that carries `output`; timestamps in it are datetimes."""

    def error(self, request: Request, fault: Fault) -> Response:
        """The response that carries an error."""


def no_such_operation(what: str, *, status: int = 400) -> ApiError:
    """The error where a request names no operation of the service."""
    return ApiError("UnknownOperationException", what, status=status)
