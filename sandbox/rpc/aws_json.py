"""aws-json 1.0 and 1.1: the operation in X-Amz-Target, everything else in JSON."""

from __future__ import annotations

import json

from botocore.model import OperationModel, ServiceModel

from sandbox.http import Header, Request, Response
from sandbox.rest_json.parsing import serialization_error
from sandbox.rest_json.strict_json import parse_json
from sandbox.rpc.faults import Fault
from sandbox.rpc.json_writer import json_pieces
from sandbox.rpc.pieces import joined
from sandbox.rpc.reading import RpcReader, read_structure
from sandbox.rpc.wire import Output, Parameters, no_such_operation

_READER = RpcReader()
_TYPE = "application/x-amz-json-"


class AwsJson:
    """Requests and answers in aws-json."""

    def __init__(self, model: ServiceModel) -> None:
        self._target_prefix = str(model.metadata.get("targetPrefix", ""))
        self._content_type = f"{_TYPE}{model.metadata.get('jsonVersion', '1.0')}"

    def operation_name(self, request: Request, body: bytes) -> str:
        """What stands behind the prefix of the service."""
        target = request.text_header(b"x-amz-target") or ""
        prefix, _, name = target.rpartition(".")
        if prefix != self._target_prefix:
            raise no_such_operation(
                f"the X-Amz-Target {target} does not begin with {self._target_prefix}."
            )
        return name

    def parameters(self, request: Request, body: bytes, operation: OperationModel) -> Parameters:
        """The members of the JSON object in the body."""
        if not body:
            return {}
        try:
            document = parse_json(body)
        except ValueError as error:
            raise serialization_error(f"could not parse the body as JSON: {error}") from error
        if not isinstance(document, dict):
            raise serialization_error("could not parse the body as JSON: not an object")
        return read_structure(_READER, operation.input_shape, document)

    async def answer(
        self, request: Request, operation: OperationModel, output: Output | None
    ) -> Response:
        """The output as a JSON object; an empty body where the operation has no output."""
        shape = operation.output_shape
        body = b"" if shape is None else await joined(json_pieces(shape, output or {}))
        return Response(200, body, (self._type_of(request),))

    def error(self, request: Request, fault: Fault) -> Response:
        """The error with its name in `__type`."""
        document = {"__type": fault.shape, fault.message_name: fault.message, **fault.fields}
        headers = [self._type_of(request)]
        if wants_query_codes(request):
            headers.append(fault.query_header)
        return Response(fault.status, json.dumps(document).encode(), tuple(headers))

    def _type_of(self, request: Request) -> Header:
        """The version that the client speaks."""
        asked = request.text_header(b"content-type") or ""
        return b"content-type", (asked if asked.startswith(_TYPE) else self._content_type).encode()


def wants_query_codes(request: Request) -> bool:
    """Whether the client asks for error codes as the query protocol had them."""
    return request.header(b"x-amzn-query-mode") == b"true"
