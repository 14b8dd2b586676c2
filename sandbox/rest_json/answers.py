"""From the outcome of an operation to its response, by the model's shapes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

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
            # Some models, such as X-Ray's, leave the status out.
            status = int(shape.metadata.get("error", {}).get("httpStatusCode", status))
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

    Some models ask for times as ISO 8601 texts instead. What is the same in JSON is not copied.
    """
    convert = _converter(shape)
    return value if convert is None else convert(value)


Converter = Callable[[Any], Any]

# None for what JSON carries as it is. Looking into the shapes takes far longer than the rest.
_converters: WeakKeyDictionary[Shape, Converter | None] = WeakKeyDictionary()


def _converter(shape: Shape) -> Converter | None:
    if shape not in _converters:
        # For shapes within themselves; replaced at once.
        _converters[shape] = lambda value: to_json(shape, value)
        _converters[shape] = _make_converter(shape)
    return _converters[shape]


def _make_converter(shape: Shape) -> Converter | None:
    match shape:
        case StructureShape():
            return _structure_converter(shape)
        case ListShape():
            item = _converter(shape.member)
            return None if item is None else lambda value: [item(one) for one in value]
        case MapShape():
            part = _converter(shape.value)
            if part is None:
                return None
            return lambda value: {key: part(one) for key, one in value.items()}
    if shape.type_name == "blob":
        return lambda value: base64.b64encode(value).decode()
    if shape.type_name == "timestamp":
        if shape.serialization.get("timestampFormat") == "iso8601":
            return lambda value: value.strftime("%Y-%m-%dT%H:%M:%SZ")
        return lambda value: value.timestamp()
    return None


def _structure_converter(shape: StructureShape) -> Converter:
    names = {
        name: str(member.serialization.get("name", name)) for name, member in shape.members.items()
    }
    parts = {name: _converter(member) for name, member in shape.members.items()}
    if all(part is None for part in parts.values()) and all(a == b for a, b in names.items()):

        def unchanged(value: Any) -> Any:
            if None not in value.values() and value.keys() <= names.keys():
                return value
            return {names[name]: member for name, member in value.items() if member is not None}

        return unchanged

    def convert(value: Any) -> Any:
        converted = {}
        for name, member in value.items():
            if member is not None:
                part = parts[name]
                converted[names[name]] = member if part is None else part(member)
        return converted

    return convert
