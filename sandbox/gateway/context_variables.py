"""`$context`, `$stageVariables` and `$input`: what access logs and templates may name.

The names are those of "$context variables for data models, authorizers, mapping templates, and
CloudWatch access logging" (REST) and "Customize HTTP API access logs" in the developer guide. A
name that is not known, or has no value here, is `-` in an access log and empty in a template.
Paths of `$input` are looked up by JMESPath, whose simple expressions are those of JSONPath.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from sandbox.gateway.exchange import SOURCE_IP, Exchange
from sandbox.rest_json.strict_json import parse_json

# What a getter gives is text or a number, or None where there is nothing.
Getter = Callable[[Exchange], str | int | float | None]

_EXPRESSION = re.compile(
    r"\$context\.([A-Za-z_-]+(?:\.[A-Za-z0-9_-]+)*)"
    r"|\$stageVariables\.([A-Za-z0-9_]+)"
    r"|\$\{stageVariables\.([A-Za-z0-9_]+)\}"
    r"|\$input\.params\(\s*['\"]([^'\"]+)['\"]\s*\)"
    r"|\$input\.(json|path)\(\s*['\"]\$\.?([^'\"]*)['\"]\s*\)"
    r"|\$input\.(body)\b"
)


def _header(name: bytes) -> Getter:
    return lambda exchange: exchange.request.text_header(name)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def request_time(exchange: Exchange) -> str:
    """When the request came, in the form of common log formats."""
    return _clf_time(int(exchange.arrived_wall_s))


@lru_cache(maxsize=4)
def _clf_time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def _message_string(exchange: Exchange) -> str | None:
    message = exchange.error_message
    return None if message is None else json.dumps(message)


def _trace_root(exchange: Exchange) -> str | None:
    """The id of the trace, of stages that trace."""
    if not exchange.stage.tracing:
        return None
    return exchange.trace_id.partition("Root=")[2].partition(";")[0] or None


def _is_canary_request(exchange: Exchange) -> str | None:
    stage = exchange.stage
    if stage.is_canary:
        return "true"
    return None if stage.canary is None else "false"


def _route_path(exchange: Exchange) -> str | None:
    return exchange.route.path if exchange.route else None


def _integration_latency(exchange: Exchange) -> int | None:
    return _whole(exchange.integration_ms)


_GETTERS: dict[str, Getter] = {
    "accountId": lambda exchange: exchange.home.account_id,
    "apiId": lambda exchange: exchange.stage.api_id,
    "apiKeyId": lambda exchange: exchange.api_key.id if exchange.api_key else None,
    "authenticate.error": lambda exchange: exchange.authenticate_error,
    "authenticate.latency": lambda exchange: exchange.authenticate_latency_ms,
    "authenticate.status": lambda exchange: exchange.authenticate_status,
    "authorize.error": lambda exchange: exchange.authorize_error,
    "authorize.latency": lambda exchange: exchange.authorize_latency_ms,
    "authorize.status": lambda exchange: exchange.authorize_status,
    "authorizer.error": lambda exchange: exchange.authorizer_error,
    "authorizer.latency": lambda exchange: exchange.authorizer_latency_ms,
    "authorizer.integrationLatency": lambda exchange: exchange.authorizer_latency_ms,
    "authorizer.principalId": lambda exchange: exchange.principal_id,
    "authorizer.status": lambda exchange: exchange.authorizer_status,
    "authorizer.integrationStatus": lambda exchange: exchange.authorizer_status,
    "dataProcessed": lambda exchange: exchange.response_bytes + len(exchange.request.body),
    "deploymentId": lambda exchange: exchange.stage.deployment_id,
    "domainName": lambda exchange: domain_name(exchange),
    "domainPrefix": lambda exchange: exchange.stage.api_id,
    "error.message": lambda exchange: exchange.error_message,
    "error.messageString": _message_string,
    "error.responseType": lambda exchange: exchange.response_type,
    "extendedRequestId": lambda exchange: exchange.extended_id,
    "httpMethod": lambda exchange: exchange.request.method,
    "identity.accountId": lambda exchange: (
        exchange.home.account_id if exchange.caller_arn else None
    ),
    "identity.apiKey": lambda exchange: exchange.api_key.value if exchange.api_key else None,
    "identity.apiKeyId": lambda exchange: exchange.api_key.id if exchange.api_key else None,
    "identity.caller": lambda exchange: exchange.access_key,
    "identity.sourceIp": lambda exchange: SOURCE_IP,
    "identity.user": lambda exchange: exchange.access_key,
    "identity.userAgent": _header(b"user-agent"),
    "identity.userArn": lambda exchange: exchange.caller_arn,
    "integration.error": lambda exchange: exchange.integration_error,
    "integration.integrationStatus": lambda exchange: exchange.integration_status,
    "integration.latency": _integration_latency,
    "integration.requestId": lambda exchange: exchange.integration_request_id,
    "integration.status": lambda exchange: exchange.function_status,
    "integrationErrorMessage": lambda exchange: exchange.integration_error,
    "integrationLatency": _integration_latency,
    "integrationStatus": lambda exchange: exchange.integration_status,
    "path": lambda exchange: exchange.stage_path,
    "protocol": lambda exchange: "HTTP/1.1",
    "requestId": lambda exchange: exchange.request.id,
    "requestTime": request_time,
    "isCanaryRequest": _is_canary_request,
    "requestTimeEpoch": lambda exchange: int(exchange.arrived_wall_s * 1000),
    "resourceId": lambda exchange: exchange.route.resource_id if exchange.route else None,
    "resourcePath": _route_path,
    "responseLatency": lambda exchange: _whole(exchange.latency_ms),
    "responseLength": lambda exchange: exchange.response_bytes,
    "routeKey": lambda exchange: exchange.route.key if exchange.route else None,
    "stage": lambda exchange: exchange.stage.name,
    "status": lambda exchange: exchange.status or None,
    # Blocking is a fault here, which takes no time.
    "waf.latency": lambda exchange: 0 if exchange.response_type == "WAF_FILTERED" else None,
    "waf.status": lambda exchange: 403 if exchange.response_type == "WAF_FILTERED" else None,
    "wafResponseCode": lambda exchange: (
        "WAF_BLOCK" if exchange.response_type == "WAF_FILTERED" else None
    ),
    "xrayTraceId": _trace_root,
}


def domain_name(exchange: Exchange) -> str:
    """The host name that the request was sent to."""
    host = (exchange.request.host or b"").decode("latin-1")
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


class CompiledTemplate:
    """Text with expressions, ready to be filled in: a busy stage does so for each request."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._getters: list[Getter] = []
        pieces, end = [], 0
        for match in _EXPRESSION.finditer(text):
            pieces.append(text[end : match.start()])
            self._getters.append(_getter(match))
            end = match.end()
        pieces.append(text[end:])
        self._format = "%s".join(piece.replace("%", "%%") for piece in pieces)

    @property
    def is_constant(self) -> bool:
        """Whether it is the same text for every request."""
        return not self._getters

    def render(self, exchange: Exchange, missing: str = "") -> str:
        """The text for a request; `missing` stands for what has no value."""
        values = [get(exchange) for get in self._getters]
        return self._format % tuple([missing if value is None else value for value in values])


@lru_cache(maxsize=1000)
def compiled(text: str) -> CompiledTemplate:
    """The template of a text, compiled once."""
    return CompiledTemplate(text)


def _getter(match: re.Match[str]) -> Getter:
    context_name, variable, braced_variable, parameter, form, path, body = match.groups()
    if context_name is not None:
        return _context_getter(context_name)
    if parameter is not None:
        return lambda exchange: input_parameter(exchange, parameter)
    if form is not None:
        return _input_getter(form, path)
    if body is not None:
        return lambda exchange: exchange.request.body.decode("utf-8", "replace")
    name = variable or braced_variable
    return lambda exchange: exchange.stage.variables.get(name)


def _input_getter(form: str, path: str) -> Getter:
    """`$input.json(path)`, which is JSON, and `$input.path(path)`, which is plain text."""
    try:
        expression = jmespath.compile(path or "@")
    except JMESPathError:
        return lambda exchange: None

    def get(exchange: Exchange) -> str | None:
        try:
            value = expression.search(parse_json(exchange.request.body or b"{}"))
        except (ValueError, JMESPathError):
            return None
        return json.dumps(value) if form == "json" else _as_text(value)

    return get


def _context_getter(name: str) -> Getter:
    known = _GETTERS.get(name)
    if known is not None:
        return known
    head, _, key = name.partition(".")
    if head == "authorizer" and key:
        return lambda exchange: _claim(exchange, key)
    return lambda exchange: None


def _claim(exchange: Exchange, key: str) -> str | None:
    """A value that an authorizer gave; of a JWT they are below `claims`."""
    value: Any = exchange.authorizer_context or {}
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return _as_text(value)


def _as_text(value: Any) -> str | None:
    """A JSON value as templates show it: text as it is, everything else as JSON."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def input_parameter(exchange: Exchange, name: str) -> str | None:
    """`$input.params(name)`: a path parameter, else a query value, else a header."""
    if name in exchange.path_parameters:
        return exchange.path_parameters[name]
    query = dict(exchange.query_pairs)
    if name in query:
        return query[name]
    return exchange.request.text_header(name.lower().encode("latin-1", "replace"))
