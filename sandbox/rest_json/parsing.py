"""From a request to the parameters of its operation, by the model's shapes.

Unknown members of a body are dropped, as AWS does. A value of the wrong kind is a
SerializationException; whether a value is in its limits is for `validation`. All text that is given
on encodes as UTF-8, and all numbers are finite, so that every value can be stored and sent again.
"""

from __future__ import annotations

import base64
import math
from typing import Any, cast
from urllib.parse import parse_qs

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sandbox.api_errors import ApiError
from sandbox.http import Request
from sandbox.rest_json.routing import Match
from sandbox.rest_json.strict_json import parse_json

Parameters = dict[str, Any]

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "blob": (str,),
    "timestamp": (int, float, str),
}


def parse_parameters(request: Request, match: Match) -> Parameters:
    """The parameters of a call, named as in the model."""
    shape = match.operation.input_shape
    if shape is None:
        return {}
    members = shape.members
    payload = shape.serialization.get("payload")
    parameters: Parameters = {}
    body_members: dict[str, Shape] = {}
    query: dict[str, list[str]] | None = None
    for name, member in members.items():
        location = member.serialization.get("location")
        wire_name = str(member.serialization.get("name", name))
        if location == "uri":
            parameters[name] = match.labels[wire_name]
        elif location == "header":
            text = request.text_header(wire_name.lower().encode())
            if text is not None:
                parameters[name] = _from_text(member, text, name)
        elif location == "querystring":
            if query is None:
                query = parse_qs(request.query, keep_blank_values=True)
            if wire_name in query:
                parameters[name] = _from_query(member, query[wire_name], name)
        elif name == payload:
            parameters[name] = request.body
        else:
            body_members[name] = member
    if body_members:
        parameters.update(_parse_body(request.body, body_members))
    return parameters


def _parse_body(body: bytes, members: dict[str, Shape]) -> Parameters:
    if not body:
        return {}
    try:
        document = parse_json(body)
    except ValueError as error:
        raise _serialization_error(f"Could not parse request body into json: {error}") from error
    if not isinstance(document, dict):
        raise _serialization_error("Could not parse request body into json: not an object")
    return _structure(members, document, "")


def _structure(members: dict[str, Shape], document: dict[str, Any], path: str) -> Parameters:
    parsed: Parameters = {}
    for name, member in members.items():
        value = document.get(str(member.serialization.get("name", name)))
        if value is not None:
            parsed[name] = _from_json(member, value, f"{path}{name}")
    return parsed


def _from_json(shape: Shape, value: object, path: str) -> object:
    kind = shape.type_name
    # bool is an int in Python, not in JSON.
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise _serialization_error(f"{path}: expected a value of type {kind}")
    if isinstance(value, float) and not math.isfinite(value):
        raise _serialization_error(f"{path}: expected a number below 1.8e308")
    if isinstance(value, str):
        _check_text(value, path)
    match shape:
        case StructureShape():
            return _structure(dict(shape.members), cast(dict[str, Any], value), f"{path}.")
        case ListShape():
            items = cast(list[object], value)
            return [_from_json(shape.member, item, f"{path}[{i}]") for i, item in enumerate(items)]
        case MapShape():
            pairs = cast(dict[str, object], value)
            for key in pairs:
                _check_text(key, f"{path} (a key)")
            return {k: _from_json(shape.value, v, f"{path}.{k}") for k, v in pairs.items()}
    if kind == "blob":
        return _decode_blob(cast(str, value), path)
    return value


def _from_query(shape: Shape, values: list[str], name: str) -> object:
    if isinstance(shape, ListShape):
        return [_from_text(shape.member, value, name) for value in values]
    return _from_text(shape, values[-1], name)


def _from_text(shape: Shape, text: str, name: str) -> object:
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return _finite(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError) as error:
        raise _serialization_error(
            f"{name}: expected a value of type {shape.type_name} (got {text})"
        ) from error
    return text


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _check_text(text: str, path: str) -> None:
    """Refuses halves of surrogate pairs: JSON can write them, and UTF-8 cannot."""
    if text.isascii():  # which is known without a look at the text
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _serialization_error(f"{path}: expected text that UTF-8 can encode") from error


def _decode_blob(text: str, path: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # for text that is not ASCII, too
        raise _serialization_error(f"{path}: expected base64") from error


def _serialization_error(message: str) -> ApiError:
    return ApiError("SerializationException", message)
