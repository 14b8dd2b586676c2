"""Bodies as they are meant: SDKs compress large ones."""

from __future__ import annotations

import zlib

from sandbox.api_errors import ApiError
from sandbox.http import Request

# Far above what any RPC operation takes (PutMetricData and PutLogEvents: 1 MB), and low enough
# that a small body which expands without end costs little.
MAX_BODY_BYTES = 16 * 1024 * 1024


def plain_body(request: Request) -> bytes:
    """The body of `request`, decompressed where it is compressed.

    Raises:
        ApiError: it is not what Content-Encoding says, or too large.
    """
    encoding = (request.text_header(b"content-encoding") or "").strip().lower()
    if encoding in ("", "identity"):
        return request.body
    if encoding != "gzip":
        raise ApiError(
            "SerializationException", f"could not read the Content-Encoding {encoding}: only gzip"
        )
    return _gunzip(request.body)


def _gunzip(body: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise ApiError(
            "SerializationException", f"could not decompress the body: {error}"
        ) from error
    if len(plain) > MAX_BODY_BYTES:
        raise ApiError(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {MAX_BODY_BYTES} bytes",
            status=413,
        )
    if not inflater.eof:
        raise ApiError("SerializationException", "could not decompress the body: it ends early")
    return plain
