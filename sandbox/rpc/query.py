"""The query protocol: a form with the operation in `Action`, answered in XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from sandbox.api_errors import ApiError
from sandbox.http import Header, Request, Response
from sandbox.rest_json.parsing import decode_blob, from_text, serialization_error
from sandbox.rpc.faults import Fault
from sandbox.rpc.pieces import joined
from sandbox.rpc.reading import to_time
from sandbox.rpc.wire import Output, Parameters

FORM_TYPE = "application/x-www-form-urlencoded"

_TYPE: Header = (b"content-type", b"text/xml")
# Texts of an answer that are put together at once.
_PIECE_TEXTS = 500
# What XML 1.0 cannot carry, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class _Node:
    """A field of the form: `A.B=c` is a node A with a part B, whose text is c."""

    text: str | None = None
    parts: dict[str, _Node] = field(default_factory=dict)


class Query:
    """Requests and answers in the query protocol."""

    def __init__(self, model: ServiceModel) -> None:
        self._namespace = str(model.metadata.get("xmlNamespace", ""))

    def operation_name(self, request: Request, body: bytes) -> str:
        """The field `Action`."""
        name = _form(request, body).get("Action")
        if not name:
            raise ApiError("MissingAction", "the request has no parameter Action")
        return name

    def parameters(self, request: Request, body: bytes, operation: OperationModel) -> Parameters:
        """The fields of the form by the shapes of the input."""
        root = _Node()
        for key, text in _form(request, body).items():
            node = root
            for part in key.split("."):
                node = node.parts.setdefault(part, _Node())
            node.text = text
        shape = operation.input_shape
        return _structure(shape, root, "") if isinstance(shape, StructureShape) else {}

    async def answer(
        self, request: Request, operation: OperationModel, output: Output | None
    ) -> Response:
        """The output in its result element, and the request id behind it."""
        shape = operation.output_shape
        result = b""
        if shape is not None:
            wrapper = str(shape.serialization.get("resultWrapper", f"{operation.name}Result"))
            written = await joined(_xml_pieces(shape, output or {}))
            result = b"<%b>%b</%b>" % (wrapper.encode(), written, wrapper.encode())
        root = f"{operation.name}Response"
        start = f'<{root} xmlns="{escape(self._namespace)}">'
        metadata = f"<ResponseMetadata><RequestId>{request.id}</RequestId></ResponseMetadata>"
        body = start.encode() + result + f"{metadata}</{root}>".encode()
        return Response(200, body, (_TYPE,))

    def error(self, request: Request, fault: Fault) -> Response:
        """The error document with the code of the query protocol."""
        code, side = fault.query_code, "Sender" if fault.is_senders else "Receiver"
        if fault.shape == "UnknownOperationException":
            code = "InvalidAction"
        body = (
            f'<ErrorResponse xmlns="{escape(self._namespace)}"><Error><Type>{side}</Type>'
            f"<Code>{_text(code)}</Code><Message>{_text(fault.message)}</Message></Error>"
            f"<RequestId>{request.id}</RequestId></ErrorResponse>"
        )
        return Response(fault.status, body.encode(), (_TYPE,))


def _form(request: Request, body: bytes) -> dict[str, str]:
    """The fields of query string and body; the last one counts where a name is repeated."""
    try:
        text = body.decode()
        pairs = parse_qsl(request.query, keep_blank_values=True, errors="strict")
        pairs += parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise ApiError("MalformedInput", f"could not parse the form: {error}") from error
    return dict(pairs)


def _structure(shape: StructureShape, node: _Node, path: str) -> Parameters:
    parsed: Parameters = {}
    for name, member in shape.members.items():
        part = node.parts.get(str(member.serialization.get("name", name)))
        if part is not None:
            parsed[name] = _value(member, part, f"{path}{name}")
    return parsed


def _value(shape: Shape, node: _Node, path: str) -> object:
    match shape:
        case StructureShape():
            return _structure(shape, node, f"{path}.")
        case ListShape():
            name = str(shape.member.serialization.get("name", "member"))
            items = _numbered(node.parts.get(name), path)
            return [_value(shape.member, item, f"{path}.{name}.{i}") for i, item in items]
        case MapShape():
            return dict(_pairs(shape, node, path))
    return _scalar(shape, node.text or "", path)


def _pairs(shape: MapShape, node: _Node, path: str) -> Iterator[tuple[str, object]]:
    for _, entry in _numbered(node.parts.get("entry"), path):
        key, value = entry.parts.get("key"), entry.parts.get("value")
        if key is None or key.text is None or value is None:
            raise serialization_error(f"{path}: expected entries with key and value")
        yield key.text, _value(shape.value, value, f"{path}.{key.text}")


def _numbered(node: _Node | None, path: str) -> list[tuple[int, _Node]]:
    if node is None:
        return []
    try:
        return sorted(((int(number), part) for number, part in node.parts.items()), key=_first)
    except ValueError as error:
        raise serialization_error(f"{path}: expected numbered elements") from error


def _first(pair: tuple[int, _Node]) -> int:
    return pair[0]


def _scalar(shape: Shape, text: str, path: str) -> object:
    match shape.type_name:
        case "blob":
            return decode_blob(text, path)
        case "timestamp":
            return to_time(text, path)
    return from_text(shape, text, path)


def _xml_pieces(shape: Shape, value: Any) -> Iterator[bytes]:
    texts = _to_xml(shape, value)
    while some := list(islice(texts, _PIECE_TEXTS)):
        yield "".join(some).encode()


def _to_xml(shape: Shape, value: Any) -> Iterator[str]:
    match shape:
        case StructureShape():
            for name, member in value.items():
                if member is not None:
                    part = shape.members[name]
                    yield from _element(str(part.serialization.get("name", name)), part, member)
        case ListShape():
            for item in value:
                name = str(shape.member.serialization.get("name", "member"))
                yield from _element(name, shape.member, item)
        case MapShape():
            for key, item in value.items():
                yield f"<entry><key>{_text(key)}</key>"
                yield from _element("value", shape.value, item)
                yield "</entry>"
        case _:
            yield _scalar_text(shape, value)


def _element(name: str, shape: Shape, value: Any) -> Iterator[str]:
    yield f"<{name}>"
    yield from _to_xml(shape, value)
    yield f"</{name}>"


def _scalar_text(shape: Shape, value: Any) -> str:
    match shape.type_name:
        case "timestamp":
            return _iso8601(value)
        case "boolean":
            return "true" if value else "false"
        case "float" | "double":
            return repr(float(value))
    return _text(str(value))


def _iso8601(time: datetime) -> str:
    utc = time.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond else "seconds"
    return utc.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("�", text))
