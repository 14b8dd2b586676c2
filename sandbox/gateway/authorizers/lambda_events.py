"""The events that Lambda authorizers get.

Source: "Input to an API Gateway Lambda authorizer" (REST) and "Controlling access to HTTP APIs with
Lambda authorizers", developer guide, 2026. They are those of proxy integrations without a body.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.gateway.exchange import Exchange
from sandbox.gateway.proxy_events import event_v1, event_v2
from sandbox.gateway.snapshot import LambdaAuthorizer

_OF_THE_BODY = ("body", "isBase64Encoded")


def authorizer_event(
    exchange: Exchange, authorizer: LambdaAuthorizer, identity: tuple[str, ...]
) -> bytes:
    """The event for a request, as JSON; `identity` has the values of the identity sources."""
    event = _event(exchange, authorizer, identity)
    return json.dumps(event, separators=(",", ":")).encode()


def _event(
    exchange: Exchange, authorizer: LambdaAuthorizer, identity: tuple[str, ...]
) -> dict[str, Any]:
    if authorizer.kind == "TOKEN":
        return {
            "type": "TOKEN",
            "methodArn": exchange.method_arn,
            "authorizationToken": identity[0],
        }
    if authorizer.payload_format == "2.0":
        return _request_v2(exchange, identity)
    event: dict[str, Any] = {"type": "REQUEST", "methodArn": exchange.method_arn}
    if exchange.stage.kind == "HTTP":
        joined = ",".join(identity) or None
        event = {"version": "1.0", **event, "identitySource": joined, "authorizationToken": joined}
    return {**event, **_without_body(event_v1(exchange))}


def _request_v2(exchange: Exchange, identity: tuple[str, ...]) -> dict[str, Any]:
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": exchange.method_arn,
        "identitySource": list(identity) or None,
        **_without_body(event_v2(exchange)),
    }


def _without_body(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in _OF_THE_BODY}
