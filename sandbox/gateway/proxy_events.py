"""The events of Lambda proxy integrations, formats 1.0 and 2.0.

Source: "Input format of a Lambda function for proxy integration" (REST) and "Working with AWS
Lambda proxy integrations for HTTP APIs", developer guide.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson

from sandbox.gateway.context_variables import domain_name, request_time
from sandbox.gateway.exchange import SOURCE_IP, Exchange
from sandbox.gateway.header_rules import request_headers

# What an HTTP API hands on as text; it encodes all else.
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript")


def proxy_event(exchange: Exchange, payload_format: str) -> bytes:
    """The event for a request, as JSON in UTF-8, as the sizes that Lambda allows are meant."""
    event = event_v1(exchange) if payload_format == "1.0" else event_v2(exchange)
    try:
        return orjson.dumps(event)
    except TypeError:
        # What an authorizer said may hold numbers of more than 64 bits, or half a character.
        text = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8", "replace")


def event_v1(exchange: Exchange) -> dict[str, Any]:
    """Format 1.0, of REST APIs and on request of HTTP APIs."""
    headers = request_headers(exchange)
    query = exchange.query_pairs
    body, is_base64 = _body(exchange)
    route = exchange.route
    is_rest = exchange.stage.kind == "REST"
    event: dict[str, Any] = {
        "resource": route.path if route else None,
        "path": exchange.path if is_rest else exchange.stage_path,
        "httpMethod": exchange.request.method,
        "headers": dict(headers),
        "multiValueHeaders": _multi(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _multi(query) or None,
        "pathParameters": dict(exchange.path_parameters) or None,
        "stageVariables": dict(exchange.stage.variables) or None,
        "requestContext": context_v1(exchange),
        "body": body,
        "isBase64Encoded": is_base64,
    }
    return event if is_rest else {"version": "1.0", **event}


def context_v1(exchange: Exchange) -> dict[str, Any]:
    """The `requestContext` of format 1.0, and of REQUEST authorizers."""
    request, stage, route = exchange.request, exchange.stage, exchange.route
    key = exchange.api_key
    context: dict[str, Any] = {
        "resourceId": route.resource_id if route else None,
        "resourcePath": route.path if route else None,
        "httpMethod": request.method,
        "extendedRequestId": exchange.extended_id,
        "requestTime": request_time(exchange),
        "path": exchange.stage_path,
        "accountId": exchange.home.account_id,
        "protocol": "HTTP/1.1",
        "stage": stage.name,
        "domainPrefix": stage.api_id,
        "requestTimeEpoch": int(exchange.arrived_wall_s * 1000),
        "requestId": request.id,
        "identity": {
            "cognitoIdentityPoolId": None,
            "accountId": exchange.home.account_id if exchange.caller_arn else None,
            "cognitoIdentityId": None,
            "caller": exchange.access_key,
            "sourceIp": SOURCE_IP,
            "principalOrgId": None,
            "accessKey": exchange.access_key,
            "cognitoAuthenticationType": None,
            "cognitoAuthenticationProvider": None,
            "userArn": exchange.caller_arn,
            "userAgent": request.text_header(b"user-agent"),
            "user": exchange.access_key,
            **({"apiKey": key.value, "apiKeyId": key.id} if key else {}),
        },
        "domainName": domain_name(exchange),
        "deploymentId": stage.deployment_id,
        "apiId": stage.api_id,
    }
    if exchange.authorizer_context is not None:
        context["authorizer"] = dict(exchange.authorizer_context)
    return context


def event_v2(exchange: Exchange) -> dict[str, Any]:
    """Format 2.0 of HTTP APIs; what a request does not have is left out."""
    request = exchange.request
    headers = _multi([(name.lower(), value) for name, value in request_headers(exchange)])
    cookies = [part.strip() for line in headers.pop("cookie", ()) for part in line.split(";")]
    body, is_base64 = _body(exchange)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": exchange.route.key if exchange.route else None,
        "rawPath": exchange.stage_path,
        "rawQueryString": request.query,
        "headers": {name: ",".join(values) for name, values in headers.items()},
        "requestContext": context_v2(exchange),
        "isBase64Encoded": is_base64,
    }
    optional = {
        "cookies": cookies,
        "queryStringParameters": _joined(exchange.query_pairs),
        "pathParameters": dict(exchange.path_parameters),
        "stageVariables": dict(exchange.stage.variables),
        "body": body,
    }
    event.update({name: value for name, value in optional.items() if value})
    return event


def context_v2(exchange: Exchange) -> dict[str, Any]:
    """The `requestContext` of format 2.0."""
    request = exchange.request
    context: dict[str, Any] = {
        "accountId": exchange.home.account_id,
        "apiId": exchange.stage.api_id,
        "domainName": domain_name(exchange),
        "domainPrefix": exchange.stage.api_id,
        "http": {
            "method": request.method,
            "path": exchange.stage_path,
            "protocol": "HTTP/1.1",
            "sourceIp": SOURCE_IP,
            "userAgent": request.text_header(b"user-agent") or "",
        },
        "requestId": request.id,
        "routeKey": exchange.route.key if exchange.route else None,
        "stage": exchange.stage.name,
        "time": request_time(exchange),
        "timeEpoch": int(exchange.arrived_wall_s * 1000),
    }
    if exchange.authorizer_context is not None:
        context["authorizer"] = _authorizer_v2(exchange)
    elif exchange.caller_arn is not None:
        context["authorizer"] = {
            "iam": {
                "accessKey": exchange.access_key,
                "accountId": exchange.home.account_id,
                "callerId": exchange.access_key,
                "userArn": exchange.caller_arn,
                "userId": exchange.access_key,
            }
        }
    return context


def _authorizer_v2(exchange: Exchange) -> dict[str, Any]:
    values = dict(exchange.authorizer_context or {})
    if "claims" in values:
        return {"jwt": {"claims": values["claims"], "scopes": values.get("scopes")}}
    return {"lambda": values or None}


def _body(exchange: Exchange) -> tuple[str | None, bool]:
    """The body as text, or in base64 where it counts as binary."""
    request = exchange.request
    if not request.body:
        return None, False
    if is_binary(exchange, request.text_header(b"content-type") or ""):
        return base64.b64encode(request.body).decode(), True
    return request.body.decode("utf-8", "replace"), False


def is_binary(exchange: Exchange, content_type: str) -> bool:
    """Whether a body of this type is handed on in base64."""
    kind = content_type.partition(";")[0].strip().lower()
    if exchange.stage.kind == "HTTP":
        return bool(kind) and not kind.startswith(_TEXT_TYPES) and not kind.endswith("+json")
    return any(_takes(pattern, kind) for pattern in exchange.stage.binary_media_types)


def _takes(pattern: str, kind: str) -> bool:
    if pattern == "*/*":
        return True
    if pattern.endswith("/*"):
        return kind.startswith(pattern[:-1])
    return kind == pattern.lower()


def _multi(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Repeated names with their values joined by commas, as format 2.0 has them."""
    return {name: ",".join(values) for name, values in _multi(pairs).items()}
