"""From the outcome of an operation to its response, by the model's shapes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from sandbox.api_errors import ApiError
from sandbox.http import Header, Response

Output = dict[str, Any]

_JSON: Header = (b"content-type", b"application/json")


def answer(operation: OperationModel, output: Output | None) -> Response:
    """The response that carries `output`; its members are named as in the model."""
    status = int(operation.http.get("responseCode", 200))
    shape = operation.output_shape
    if shape is None or output is None:
        return Response(status, b"" if status == 204 else b"{}", (_JSON,))
    members = shape.members
    payload = shape.serialization.get("payload")
    headers: list[Header] = [_JSON]
    document: dict[str, Any] = {}
    body: bytes | None = None
    for name, value in output.items():
        if value is None:
            continue
        member = members[name]
        location = member.serialization.get("location")
        if location == "statusCode":
            status = value
        elif location == "header":
            headers.append((str(member.serialization["name"]).encode(), str(value).encode()))
        elif name == payload:
            body = value
        else:
            document[str(member.serialization.get("name", name))] = to_json(member, value)
    if body is None:
        body = b"" if payload else json.dumps(document).encode()
    return Response(status, body, tuple(headers))


def error_answer(service: ServiceModel, error: ApiError) -> Response:
    """The response for `error`, with the status and the member names of its shape."""
    status, message_name = error.status, "message"
    for shape in service.error_shapes:
        if shape.name == error.code and isinstance(shape, StructureShape):
            status = int(shape.metadata["error"]["httpStatusCode"])
            member = shape.members.get("Message")
            if member is not None:
                message_name = str(member.serialization.get("name", "Message"))
            break
    document: Mapping[str, object] = {
        **error.fields,
        "Type": "User" if status < 500 else "Service",
        message_name: error.message,
    }
    headers = (_JSON, (b"x-amzn-ErrorType", error.code.encode()))
    return Response(status, json.dumps(document).encode(), headers)


def to_json(shape: Shape, value: Any) -> Any:
    """`value` as JSON carries it: blobs in base64, times as seconds since the epoch.

    Some models ask for times as ISO 8601 texts instead.
    """
    match shape:
        case StructureShape():
            return {
                str(shape.members[name].serialization.get("name", name)): to_json(
                    shape.members[name], member
                )
                for name, member in value.items()
                if member is not None
            }
        case ListShape():
            return [to_json(shape.member, item) for item in value]
        case MapShape():
            return {key: to_json(shape.value, item) for key, item in value.items()}
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    if shape.type_name == "timestamp":
        if shape.serialization.get("timestampFormat") == "iso8601":
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        return value.timestamp()
    return value
