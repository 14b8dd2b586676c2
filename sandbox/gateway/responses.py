"""Makes the answers that the gateway gives itself, customised ones included."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sandbox.gateway.context_variables import compiled
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.outcome import Failed
from sandbox.gateway.response_types import (
    CUSTOMISED_AS,
    HTTP_TYPES,
    NOT_CUSTOMISABLE,
    rest_type,
)
from sandbox.gateway.snapshot import GatewayResponse, Stage
from sandbox.http import OF_THE_CONNECTION, Header, Response, header_text, wire_block

HTTP_API_ID = b"apigw-requestid"
JSON_TYPE: Header = (b"content-type", b"application/json")


@dataclass(frozen=True, slots=True)
class _Plain:
    """An answer of a REST API that nobody customised, but for the ids in its headers."""

    response_type: str
    message: str
    status: int
    body: bytes
    block: bytes


class GatewayResponses:
    """The gateway's own answers for one stage; plain ones are made once and reused."""

    def __init__(self, stage: Stage) -> None:
        self._is_rest = stage.kind == "REST"
        self._customised = stage.gateway_responses
        self._plain: dict[tuple[str, int | None], _Plain] = {}

    def answer(self, exchange: Exchange, failed: Failed) -> Response:
        """The answer to a request that `failed`."""
        name, message, status = failed.name, failed.message, failed.status
        plain = self._plain.get((name, status)) if message is None else None
        if plain is None:
            if not self._is_rest:
                return self._http(exchange, name, message, status)
            custom = self._custom(CUSTOMISED_AS.get(name, name), status or rest_type(name).status)
            if custom is not None:
                return self._rendered(exchange, custom, name, message, status)
            plain = _plain(name, message, status)
            if message is None:
                self._plain[name, status] = plain
        exchange.response_type = plain.response_type
        exchange.error_message = plain.message
        extended = (b"x-amz-apigw-id", exchange.extended_id.encode())
        return Response(plain.status, plain.body, (extended,), plain.block)

    def _http(
        self, exchange: Exchange, name: str, message: str | None, status: int | None
    ) -> Response:
        code, text = HTTP_TYPES[name]
        exchange.response_type = name
        exchange.error_message = message or text
        # Why authorization refused is for the log: HTTP APIs do not tell the client.
        shown = message if name == "FAULT" and message else text
        body = json.dumps({"message": shown}, separators=(",", ":")).encode()
        return Response(status or code, body, (JSON_TYPE,), id_header=HTTP_API_ID)

    def _custom(self, name: str, status: int) -> GatewayResponse | None:
        """The customisation that applies: the type's own, else the catch-all of its class."""
        if not self._customised or name in NOT_CUSTOMISABLE:
            return None
        catch_all = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
        return self._customised.get(name) or self._customised.get(catch_all)

    def _rendered(
        self,
        exchange: Exchange,
        custom: GatewayResponse,
        name: str,
        message: str | None,
        status: int | None,
    ) -> Response:
        kind = rest_type(name)
        exchange.response_type = CUSTOMISED_AS.get(name, name)
        exchange.error_message = message or kind.message
        content_type, body = _body(exchange, custom, name)
        headers = {
            b"content-type": (b"content-type", header_text(content_type)),
            b"x-amzn-errortype": (b"x-amzn-ErrorType", kind.error_type.encode()),
            b"x-amz-apigw-id": (b"x-amz-apigw-id", exchange.extended_id.encode()),
            **_own_headers(exchange, custom),
        }
        code = custom.status or status or kind.status
        if code < 200:
            code = kind.status  # 1xx ends no request: the client would go on waiting
        return Response(code, body.encode("utf-8", "replace"), tuple(headers.values()))


def _own_headers(exchange: Exchange, custom: GatewayResponse) -> dict[bytes, Header]:
    """The headers of a customised answer, by their name in lower case."""
    headers: dict[bytes, Header] = {}
    for written, template in custom.headers.items():
        name = header_text(written)
        if name.lower() not in OF_THE_CONNECTION:
            value = compiled(template.text).render(exchange)
            headers[name.lower()] = name, header_text(value)
    return headers


def _body(exchange: Exchange, custom: GatewayResponse, name: str) -> tuple[str, str]:
    """The content type and the body of a customised answer, by what the client accepts."""
    templates = custom.templates
    if not templates:
        return "application/json", rest_type(name).body(exchange.error_message)
    accepted = (exchange.request.text_header(b"accept") or "").split(",")
    wanted = (part.partition(";")[0].strip() for part in accepted)
    content_type = next((kind for kind in wanted if kind in templates), None)
    if content_type is None:
        content_type = (
            "application/json" if "application/json" in templates else next(iter(templates))
        )
    return content_type, compiled(templates[content_type].text).render(exchange)


def _plain(name: str, message: str | None, status: int | None) -> _Plain:
    kind = rest_type(name)
    return _Plain(
        response_type=CUSTOMISED_AS.get(name, name),
        message=message or kind.message,
        status=status or kind.status,
        body=kind.body(message).encode(),
        block=wire_block((JSON_TYPE, (b"x-amzn-ErrorType", kind.error_type.encode()))),
    )
