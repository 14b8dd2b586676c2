"""What an integration may be, and which of that the sandbox serves."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sandbox.apigateway_api.context import RestApiContext
from sandbox.apigateway_api.function_uris import is_function_uri
from sandbox.apigateway_api.methods import invalid_mapping
from sandbox.apigateway_api.refusing import bad_request, refuse_unserved, unserved
from sandbox.apigateway_api.state import Document
from sandbox.apigateway_api.templates import check_templates

# "Timeout should be between 50 ms and 29000 ms" (API Gateway quotas, REST API integration timeout).
MIN_TIMEOUT_MS, DEFAULT_TIMEOUT_MS = 50, 29_000
DEFAULT_PASSTHROUGH = "WHEN_NO_MATCH"
_PASSTHROUGH = (DEFAULT_PASSTHROUGH, "WHEN_NO_TEMPLATES", "NEVER")
_HTTP_METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

_PATH_TARGET = re.compile(r"integration\.request\.path\.(.+)")
_PATH_SOURCE = re.compile(r"method\.request\.path\.(.+)")


def check_integration(context: RestApiContext, method: Document, integration: Document) -> None:
    """Refuses an integration that AWS would refuse, or that the sandbox cannot serve.

    Raises:
        ApiError: a BadRequestException that says which part.
    """
    kind = integration["type"]
    if kind in ("HTTP", "AWS"):
        raise unserved(f"integrations of type {kind} (it serves AWS_PROXY, HTTP_PROXY and MOCK)")
    _check_connection(integration)
    _check_timeout(integration["timeoutInMillis"], context.max_timeout_ms)
    if integration["passthroughBehavior"] not in _PASSTHROUGH:
        raise bad_request(
            f"Invalid passthroughBehavior specified. Valid options are {', '.join(_PASSTHROUGH)}"
        )
    _check_cache_keys(method, integration)
    if kind == "MOCK":
        check_templates(integration.get("requestTemplates", {}))
        _refuse_mappings(integration, "")
        return
    if integration.get("httpMethod") not in _HTTP_METHODS:
        raise bad_request("Enumeration value for HttpMethod must be non-empty")
    if kind == "AWS_PROXY":
        _check_function(context, integration)
    else:
        _check_url(method, integration)


def path_parameters(integration: Document) -> dict[str, str]:
    """Which path parameter of the method goes to which one of the URL of an HTTP integration."""
    renamed = {}
    for target, source in integration.get("requestParameters", {}).items():
        to, by = _PATH_TARGET.fullmatch(target), _PATH_SOURCE.fullmatch(source)
        if to is None or by is None:
            raise unserved(
                f"the mapping of {source} to {target} (it serves method.request.path.* to "
                "integration.request.path.* of HTTP_PROXY integrations)"
            )
        renamed[to[1]] = by[1]
    return renamed


def _check_connection(integration: Document) -> None:
    if integration.get("connectionType") == "VPC_LINK":
        raise unserved("integrations through a VPC link")
    if integration.get("responseTransferMode") == "STREAM":
        raise unserved("the response transfer mode STREAM")
    if integration.get("tlsConfig", {}).get("insecureSkipVerification"):
        raise unserved("tlsConfig.insecureSkipVerification")
    # The console gives CONVERT_TO_TEXT to each Lambda proxy integration, where it does nothing.
    conversion = integration.get("contentHandling")
    if conversion and (integration["type"], conversion) != ("AWS_PROXY", "CONVERT_TO_TEXT"):
        raise unserved(f"the content handling {conversion}")
    refuse_unserved(integration, ("connectionId", "integrationTarget", "credentials"))


def _check_timeout(timeout_ms: int, max_timeout_ms: int) -> None:
    if not MIN_TIMEOUT_MS <= timeout_ms <= max_timeout_ms:
        raise bad_request(f"Timeout should be between {MIN_TIMEOUT_MS} ms and {max_timeout_ms} ms")


def _check_cache_keys(method: Document, integration: Document) -> None:
    declared = method.get("requestParameters", {})
    for name in integration.get("cacheKeyParameters", ()):
        if name not in declared:
            raise bad_request(f"Invalid cache key parameter specified: {name}")


def _check_function(context: RestApiContext, integration: Document) -> None:
    uri = integration.get("uri", "")
    if not uri.startswith("arn:"):
        raise bad_request("Invalid ARN specified in the request")
    if ":lambda:path/" not in uri:
        raise bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and "
            "Firehose stream invocations."
        )
    if not is_function_uri(uri, context.home):
        raise bad_request(f"Invalid lambda function: {uri}")
    _refuse_mappings(integration, ", which a Lambda proxy integration ignores")


def _refuse_mappings(integration: Document, why: str) -> None:
    """Refuses mappings, save those that only name a cache key: `integration.request.X: X`."""
    for target, source in integration.get("requestParameters", {}).items():
        if target.partition(".")[2] != source.partition(".")[2]:
            raise unserved(f"the mapping of {source} to {target}{why}")


def _check_url(method: Document, integration: Document) -> None:
    uri = integration.get("uri", "")
    # A stage variable may stand for any part, the host included.
    plain = re.sub(r"\$\{stageVariables\.[A-Za-z0-9_]+\}", "variable", uri)
    try:
        parts = urlsplit(plain)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise bad_request("Invalid HTTP endpoint specified for URI")
    declared = method.get("requestParameters", {})
    for target, source in path_parameters(integration).items():
        if f"{{{target}}}" not in plain:
            raise invalid_mapping(f"integration.request.path.{target}")
        if f"method.request.path.{source}" not in declared:
            raise invalid_mapping(f"method.request.path.{source}")
