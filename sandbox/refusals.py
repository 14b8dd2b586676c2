"""Errors that the front answers itself, in the wire format that the caller's SDK can read."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

from sandbox.http import Header, Request, Response

UNSERVED = "UnknownServiceException"
# Services whose errors are documents as those of the query services (botocore's models, 2026).
_REST_XML = frozenset({"cloudfront", "route53", "s3control"})


def json_refusal(status: int, code: str, message: str) -> Response:
    """An error as the rest-json services of AWS write it."""
    return Response(
        status,
        json.dumps({"Type": "User", "message": message}).encode(),
        ((b"content-type", b"application/json"), (b"x-amzn-ErrorType", code.encode())),
    )


def unserved_service(request: Request, service: str, served: list[str]) -> Response:
    """The answer to a call of an AWS service that the sandbox does not have.

    501 because SDKs do not retry it, unlike the other 5xx.
    """
    message = f"the sandbox does not serve {service} (it serves {', '.join(served)})"
    content_type = request.text_header(b"content-type") or ""
    headers: tuple[Header, ...]
    if request.header(b"smithy-protocol") == b"rpc-v2-cbor":
        body = _cbor_map({"__type": UNSERVED, "message": message})
        headers = ((b"content-type", b"application/cbor"), (b"smithy-protocol", b"rpc-v2-cbor"))
    elif content_type.startswith("application/x-amz-json"):
        body = json.dumps({"__type": UNSERVED, "message": message}).encode()
        headers = ((b"content-type", content_type.encode()),)
    elif content_type.startswith("application/x-www-form-urlencoded") or service in _REST_XML:
        body = query_error(UNSERVED, message, request.id)
        headers = ((b"content-type", b"text/xml"),)
    else:
        return json_refusal(501, UNSERVED, message)
    return Response(501, body, headers)


def query_error(code: str, message: str, request_id: str) -> bytes:
    """An error document as the query services of AWS (STS, SQS, ...) write it."""
    return (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(code)}</Code>"
        f"<Message>{escape(message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


def _cbor_map(values: dict[str, str]) -> bytes:
    """`values` (fewer than 24) as a CBOR map of text strings (RFC 8949, 3.1)."""
    encoded = [bytes([0xA0 | len(values)])]
    for pair in values.items():
        for text in pair:
            raw = text.encode()
            encoded += [b"\x79", len(raw).to_bytes(2, "big"), raw]
    return b"".join(encoded)
