"""Smithy RPC v2 with CBOR: the operation in the path, everything else in CBOR.

Specification: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote

import cbor2
from botocore.model import OperationModel, ServiceModel, Shape

from sandbox.http import Header, Request, Response
from sandbox.rest_json.parsing import serialization_error
from sandbox.rpc.aws_json import wants_query_codes
from sandbox.rpc.cbor_writer import cbor_pieces
from sandbox.rpc.faults import Fault
from sandbox.rpc.pieces import joined
from sandbox.rpc.reading import RpcReader, read_structure
from sandbox.rpc.wire import Output, Parameters, no_such_operation

PROTOCOL = b"rpc-v2-cbor"

_PROTOCOL_HEADER: Header = (b"smithy-protocol", PROTOCOL)
_TYPE: Header = (b"content-type", b"application/cbor")


class _CborReader(RpcReader):
    """CBOR has byte strings and times of its own.

    It also has values that stand in many places at once. No document has more values than bytes:
    one that seems to would take for ever.
    """

    kinds: Mapping[str, tuple[type, ...]] = {
        **RpcReader.kinds,
        "blob": (bytes,),
        "timestamp": (datetime,),
    }

    def __init__(self, body_bytes: int) -> None:
        self._values_left = body_bytes

    def value(self, shape: Shape, value: object, path: str) -> object:
        """One value, counted."""
        self._values_left -= 1
        if self._values_left < 0:
            raise serialization_error(f"{path}: the body refers to its own values too often")
        return super().value(shape, value, path)

    def scalar(self, shape: Shape, value: object, path: str) -> object:
        """A scalar; bytes are what they are."""
        if shape.type_name == "blob":
            return value
        return super().scalar(shape, value, path)


class RpcV2Cbor:
    """Requests and answers in Smithy RPC v2 with CBOR."""

    def __init__(self, model: ServiceModel) -> None:
        self._service = str(model.metadata.get("targetPrefix", ""))

    def operation_name(self, request: Request, body: bytes) -> str:
        """The end of the path, .../service/<Service>/operation/<Operation>."""
        parts = unquote(request.path).split("/")
        if len(parts) < 5 or parts[-4] != "service" or parts[-2] != "operation":
            raise no_such_operation(
                f"the path {request.path} is not /service/{self._service}/operation/<name>",
                status=404,
            )
        if parts[-3] != self._service:
            raise no_such_operation(f"the service {parts[-3]} is not {self._service}", status=404)
        return parts[-1]

    def parameters(self, request: Request, body: bytes, operation: OperationModel) -> Parameters:
        """The members of the CBOR map in the body."""
        if not body:
            return {}
        try:
            document = cbor2.loads(body)
        except (cbor2.CBORDecodeError, RecursionError) as error:
            raise serialization_error(f"could not parse the body as CBOR: {error}") from error
        if not isinstance(document, dict):
            raise serialization_error("could not parse the body as CBOR: not a map")
        return read_structure(_CborReader(len(body)), operation.input_shape, document)

    async def answer(
        self, request: Request, operation: OperationModel, output: Output | None
    ) -> Response:
        """The output as a CBOR map; neither body nor type where the operation has no output."""
        shape = operation.output_shape
        if shape is None:
            return Response(200, b"", (_PROTOCOL_HEADER,))
        body = await joined(cbor_pieces(shape, output or {}))
        return Response(200, body, (_PROTOCOL_HEADER, _TYPE))

    def error(self, request: Request, fault: Fault) -> Response:
        """The error with its name in `__type`."""
        document = {"__type": fault.shape, fault.message_name: fault.message, **fault.fields}
        headers = [_PROTOCOL_HEADER, _TYPE]
        if wants_query_codes(request):
            headers.append(fault.query_header)
        return Response(fault.status, cbor2.dumps(document), tuple(headers))
