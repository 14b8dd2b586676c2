"""Mock integrations: a request template chooses a status, the status an integration response."""

from __future__ import annotations

import json
import re

from sandbox.gateway.context_variables import compiled
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.outcome import Answered
from sandbox.gateway.snapshot import MockIntegration, MockResponse
from sandbox.http import OF_THE_CONNECTION, Header, header_text, wire_block

_DEFAULT_TYPE = "application/json"
# Mapping templates are often no strict JSON: {statusCode: 200} and a trailing comma are in use.
_STATUS_CODE = re.compile(r"[\"']?statusCode[\"']?\s*:\s*[\"']?(\d{3})\b")


class UnsupportedMediaType(Exception):
    """No request template is for the content type of the request, and none may be skipped."""


class MalformedMock(Exception):
    """The request template gives no statusCode, or no integration response takes it."""


class MockResponder:
    """Answers for one mock integration."""

    def __init__(self, integration: MockIntegration) -> None:
        self._integration = integration
        self._constant = _constant(integration)

    def answer(self, exchange: Exchange) -> Answered:
        """The answer to a request.

        Raises:
            UnsupportedMediaType: see there.
            MalformedMock: see there.
        """
        constant = self._constant
        if constant is not None and exchange.request.method in ("GET", "HEAD", "OPTIONS"):
            return constant
        status = _chosen_status(self._integration, exchange)
        response = _response_for(self._integration, status)
        content_type, text = _template(response)
        body = compiled(text).render(exchange).encode("utf-8", "replace")
        return Answered(response.status, _headers(response, content_type), body)


def _constant(integration: MockIntegration) -> Answered | None:
    """The one answer to requests without a body, where no template names anything of them."""
    templates = dict(integration.request_templates)
    request_template = templates.get(_DEFAULT_TYPE)
    if request_template is None or not compiled(request_template.text).is_constant:
        return None
    try:
        response = _response_for(integration, _status_in(request_template.text))
    except MalformedMock:
        return None
    content_type, text = _template(response)
    if not compiled(text).is_constant:
        return None
    headers = _headers(response, content_type)
    return Answered(response.status, headers, text.encode(), wire_block(headers))


def _chosen_status(integration: MockIntegration, exchange: Exchange) -> int:
    content_type = exchange.request.text_header(b"content-type") or _DEFAULT_TYPE
    template = integration.request_templates.get(content_type.partition(";")[0].strip().lower())
    if template is not None:
        return _status_in(compiled(template.text).render(exchange))
    must_match = integration.passthrough == "NEVER" or (
        integration.passthrough == "WHEN_NO_TEMPLATES" and integration.request_templates
    )
    if must_match:
        raise UnsupportedMediaType
    return _status_in(exchange.request.body.decode("utf-8", "replace"))


def _status_in(text: str) -> int:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # the latter where it is nested too deeply
        document = None
    if isinstance(document, dict) and isinstance(document.get("statusCode"), int):
        return int(document["statusCode"])
    found = _STATUS_CODE.search(text)
    if found is None:
        raise MalformedMock("the request template gives no statusCode")
    return int(found[1])


def _response_for(integration: MockIntegration, status: int) -> MockResponse:
    """The response that is to answer."""
    response = _selected(integration, status)
    if response.status < 200:
        raise MalformedMock(f"a status of {response.status} does not end a request")
    return response


def _selected(integration: MockIntegration, status: int) -> MockResponse:
    """The response whose pattern takes the status, else the one without a pattern."""
    default = None
    for response in integration.responses:
        if not response.selection_pattern:
            default = default or response
        elif re.fullmatch(response.selection_pattern, str(status)):
            return response
    if default is None:
        raise MalformedMock(f"no integration response is for {status}")
    return default


def _template(response: MockResponse) -> tuple[str, str]:
    if not response.templates:
        return _DEFAULT_TYPE, ""
    if _DEFAULT_TYPE in response.templates:
        return _DEFAULT_TYPE, response.templates[_DEFAULT_TYPE].text
    content_type, template = next(iter(response.templates.items()))
    return content_type, template.text


def _headers(response: MockResponse, content_type: str) -> tuple[Header, ...]:
    named = ((header_text(name), header_text(value)) for name, value in response.headers.items())
    own = tuple(header for header in named if header[0].lower() not in OF_THE_CONNECTION)
    if any(name.lower() == b"content-type" for name, _ in own):
        return own
    return ((b"content-type", header_text(content_type)), *own)
