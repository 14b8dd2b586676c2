"""From a request to the parameters of its operation, by the model's shapes.

Unknown members of a body are dropped, as AWS does. A value of the wrong kind is a
SerializationException; whether a value is in its limits is for `validation`. All text that is given
on encodes as UTF-8, and all numbers are finite, so that every value can be stored and sent again.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
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
                parameters[name] = from_text(member, text, name)
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
        raise serialization_error(f"Could not parse request body into json: {error}") from error
    if not isinstance(document, dict):
        raise serialization_error("Could not parse request body into json: not an object")
    return _READER.structure(members, document, "")


class DocumentReader:
    """Turns a decoded document into parameters by the shapes of the model.

    This one reads JSON. Other formats write blobs and timestamps in other ways: they replace
    `kinds` and `scalar`.
    """

    kinds: Mapping[str, tuple[type, ...]] = _KINDS

    def structure(
        self, members: Mapping[str, Shape], document: Mapping[str, Any], path: str
    ) -> Parameters:
        """The members of a structure that `document` has; `path` begins the names in errors.

        Raises:
            ApiError: SerializationException, where a value is of the wrong kind.
        """
        parsed: Parameters = {}
        for name, member in members.items():
            value = document.get(str(member.serialization.get("name", name)))
            if value is not None:
                parsed[name] = self.value(member, value, f"{path}{name}")
        return parsed

    def value(self, shape: Shape, value: object, path: str) -> object:
        """One value with all its parts; raises as `structure` does."""
        kind = shape.type_name
        # bool is an int in Python, not in JSON.
        if not isinstance(value, self.kinds[kind]) or (
            isinstance(value, bool) and kind != "boolean"
        ):
            raise serialization_error(f"{path}: expected a value of type {kind}")
        if isinstance(value, float) and not math.isfinite(value):
            raise serialization_error(f"{path}: expected a number below 1.8e308")
        if isinstance(value, str):
            _check_text(value, path)
        match shape:
            case StructureShape():
                return self.structure(shape.members, cast(dict[str, Any], value), f"{path}.")
            case ListShape():
                items = cast(list[object], value)
                return [
                    self.value(shape.member, item, f"{path}[{i}]") for i, item in enumerate(items)
                ]
            case MapShape():
                return self._map(shape, cast(dict[str, object], value), path)
        return self.scalar(shape, value, path)

    def _map(self, shape: MapShape, pairs: Mapping[str, object], path: str) -> object:
        for key in pairs:
            _check_text(key, f"{path} (a key)")
        return {k: self.value(shape.value, v, f"{path}.{k}") for k, v in pairs.items()}

    def scalar(self, shape: Shape, value: object, path: str) -> object:
        """A value that has no parts, as operations see it."""
        if shape.type_name == "blob":
            return decode_blob(cast(str, value), path)
        return value


_READER = DocumentReader()


def _from_query(shape: Shape, values: list[str], name: str) -> object:
    if isinstance(shape, ListShape):
        return [from_text(shape.member, value, name) for value in values]
    return from_text(shape, values[-1], name)


def from_text(shape: Shape, text: str, name: str) -> object:
    """The value of a scalar shape that is written as text, as in a header or a query.

    Raises:
        ApiError: SerializationException, where the text is no such value.
    """
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return _finite(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError) as error:
        raise serialization_error(
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
        raise serialization_error(f"{path}: expected text that UTF-8 can encode") from error


def decode_blob(text: str, path: str) -> bytes:
    """The bytes of a blob in base64.

    Raises:
        ApiError: SerializationException, where it is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # for text that is not ASCII, too
        raise serialization_error(f"{path}: expected base64") from error


def serialization_error(message: str) -> ApiError:
    """The answer to a body that does not have the form of its operation's input."""
    return ApiError("SerializationException", message)
