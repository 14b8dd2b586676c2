"""What a function gave back, read as the answer to the client."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from sandbox.gateway.snapshot import PayloadFormat
from sandbox.http import Header
from sandbox.rest_json.strict_json import parse_json

_STATUS = re.compile(r"[0-9]{3}")
# What a header may be (RFC 9110, 5.1 and 5.5): a token, and a value without control characters.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class MalformedAnswer(Exception):
    """The function's answer is not what a proxy integration has to give."""


@dataclass(slots=True)  # not frozen: that costs half a microsecond for each answer
class ProxyAnswer:
    """A function's answer; `is_base64` tells what it says of its body, which is still encoded."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    is_base64: bool

    def decoded(self) -> bytes:
        """The body out of base64.

        Raises:
            MalformedAnswer: it is no base64.
        """
        try:
            return base64.b64decode(self.body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MalformedAnswer("the body is not valid base64") from error


def read_answer(payload: bytes, payload_format: PayloadFormat) -> ProxyAnswer:
    """The answer in a function's payload.

    Format 2.0 takes anything: what has no `statusCode` is the body of a 200.

    Raises:
        MalformedAnswer: it cannot be one; the message says why.
    """
    try:
        document = parse_json(payload)
    except ValueError as error:
        raise MalformedAnswer("not JSON") from error
    if payload_format == "2.0" and not (isinstance(document, dict) and "statusCode" in document):
        body = document if isinstance(document, str) else payload.decode("utf-8", "replace")
        headers: tuple[Header, ...] = ((b"content-type", b"application/json"),)
        return ProxyAnswer(200, headers, body.encode("utf-8", "replace"), is_base64=False)
    if not isinstance(document, dict):
        raise MalformedAnswer("not an object")
    return ProxyAnswer(
        _status(document.get("statusCode")),
        _with_content_type(_headers(document, payload_format), payload_format),
        _body(document.get("body"), payload_format),
        is_base64=document.get("isBase64Encoded") is True,
    )


def _status(value: Any) -> int:
    if isinstance(value, str) and _STATUS.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 200 <= value <= 599:
        raise MalformedAnswer(f"statusCode must be a number from 200 to 599 (got {value!r})")
    return value


def _headers(document: dict[str, Any], payload_format: PayloadFormat) -> list[Header]:
    """Single values first, then multiple ones; a name in both counts with the multiple ones."""
    multiple = document.get("multiValueHeaders") or {}
    single = document.get("headers") or {}
    if not isinstance(multiple, dict) or not isinstance(single, dict):
        raise MalformedAnswer("headers must be an object")
    several = {name.lower() for name in multiple}
    headers = [
        _header(name, value) for name, value in single.items() if name.lower() not in several
    ]
    for name, values in multiple.items():
        if not isinstance(values, list):
            raise MalformedAnswer(f"multiValueHeaders.{name} must be a list")
        headers += [_header(name, value) for value in values]
    cookies = document.get("cookies") or () if payload_format == "2.0" else ()
    if not isinstance(cookies, list | tuple):
        raise MalformedAnswer("cookies must be a list")
    headers += [_header("set-cookie", cookie) for cookie in cookies]
    return headers


def _header(name: str, value: Any) -> Header:
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str | int | float):
        text = str(value)
    elif value is None:
        text = ""
    else:
        raise MalformedAnswer(f"the header {name} must be a string")
    if _NAME.fullmatch(name) is None or _CONTROL.search(text) is not None:
        raise MalformedAnswer(f"the header {name!r} cannot be sent")
    return name.encode(), text.encode("latin-1", "replace")


def _with_content_type(headers: list[Header], payload_format: PayloadFormat) -> tuple[Header, ...]:
    for name, _ in headers:
        if name.lower() == b"content-type":
            return tuple(headers)
    default = b"application/json" if payload_format == "1.0" else b"text/plain;charset=utf-8"
    return (*headers, (b"content-type", default))


def _body(value: Any, payload_format: PayloadFormat) -> bytes:
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if payload_format == "2.0":
        return json.dumps(value).encode()
    raise MalformedAnswer("body must be a string")
