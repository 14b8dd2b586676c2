"""The fields of a stack file that API Gateway has rules for, asked of those rules where it can be.

What its control plane would refuse when the stack is deployed is so a mistake of the file, with a
line and a column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from core.located_model import did_you_mean, problem
from sandbox.api_errors import ApiError
from sandbox.apigateway_api.gateway_responses import DEFAULT_STATUSES
from sandbox.apigateway_api.resources import add_resource
from sandbox.apigateway_api.state import RestApi
from sandbox.apigateway_api.templates import check_templates
from sandbox.apigatewayv2_api.stage_settings import check_stage
from sandbox.http import OF_THE_CONNECTION
from sandbox.stack.fields import RoutePath, Text

_JSON = "application/json"
_URL = re.compile(r"https?://[^\s\x00-\x1f\x7f/?#]+[^\s\x00-\x1f\x7f]*")
# A token of RFC 9110, 5.6.2.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff]*")
_MEDIA_TYPE = re.compile(r"[!-.0-~]+/[!-.0-~]+")
_ROOT = "root"


def body_text(body: object) -> str:
    """A body as a template: text as it is, everything else as JSON.

    Raises:
        ValueError: a number in it is not finite, and JSON has no such ones.
    """
    if body is None:
        return ""
    return body if isinstance(body, str) else json.dumps(body, allow_nan=False)


def _body(body: JsonValue) -> JsonValue:
    try:
        check_templates({_JSON: body_text(body)})
    except ApiError as error:
        reason = error.message.removeprefix(f"Invalid mapping template for {_JSON}: ")
        raise problem(reason) from error
    except ValueError as error:
        shown = f" (got {body})" if isinstance(body, float) else ""
        raise problem(f"must have finite numbers only, as JSON has{shown}") from error
    return body


def _header_name(name: str) -> str:
    if _HEADER_NAME.fullmatch(name) is None:
        raise problem(f"must be the name of a header, such as Cache-Control (got '{name}')")
    if name.lower().encode() in OF_THE_CONNECTION:
        raise problem(f"API Gateway gives each answer its own (got '{name}')")
    return name


def _header_value(value: str) -> str:
    if _HEADER_VALUE.fullmatch(value) is None:
        raise problem(
            f"must have only letters of Latin-1 and no control characters (got '{value}')"
        )
    if "'" in value:
        # Both kinds of mapping are texts in quotes, and there is no way to escape one.
        raise problem(
            f"must have no ', which ends a text in a mapping of API Gateway (got '{value}')"
        )
    return value


def _plain_value(value: str) -> str:
    if "$" in value:
        raise problem(f"must have no $: it is text as it stands (got '{value}')")
    return value


def _one_of_each(headers: dict[str, str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for name in headers:
        first = names.setdefault(name.lower(), name)
        if first != name:
            raise problem(f"{name} and {first} are one header")
    return headers


def _response_type(name: str) -> str:
    known = frozenset(DEFAULT_STATUSES)
    if name not in known:
        raise problem(f"there is no gateway response '{name}'{did_you_mean(name, known)}")
    return name


def _access_log(value: object) -> object:
    if not isinstance(value, bool | str):
        raise problem("must be true, false or a format with $context variables")
    if isinstance(value, str):
        # The rules of both kinds of APIs are the same.
        settings = {"DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:any"}
        _ask_stage(
            {"AccessLogSettings": {**settings, "Format": value}},
            lambda reason: f"{reason} (got '{_short(value)}')",
        )
    return value


def _variable(value: str) -> str:
    if value:
        _ask_stage(
            {"StageVariables": {"name": value}},
            lambda _: f"must have only letters, digits and -._~:/?#&=, (got '{_short(value)}')",
        )
    return value


def _ask_stage(settings: dict[str, object], words: Callable[[str], str]) -> None:
    empty: dict[str, object] = {
        "DefaultRouteSettings": {},
        "RouteSettings": {},
        "StageVariables": {},
    }
    try:
        check_stage({**empty, **settings})
    except ApiError as error:
        raise problem(words(error.message)) from error


def _url(url: str) -> str:
    if _URL.fullmatch(url) is None:
        raise problem(f"must be a URL that begins with http:// or https:// (got '{_short(url)}')")
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise problem(f"must have a host and a port from 1 to 65535 (got '{_short(url)}')")
    if "#" in url:
        raise problem(f"must have no fragment, which no server gets to see (got '{_short(url)}')")
    return url


def _rest_path(path: str) -> str:
    tree, parent_id = RestApi({}, {_ROOT: {"id": _ROOT, "path": "/"}}), _ROOT
    for part in path.split("/")[1:] if path != "/" else ():
        try:
            parent_id = add_resource(tree, parent_id, part)["id"]
        except ApiError as error:
            raise problem(f"{error.message} (got '{path}')") from error
    return path


def _media_type(text: str) -> str:
    if _MEDIA_TYPE.fullmatch(text) is None:
        raise problem(f"must be a media type such as image/png (got '{text}')")
    return text


def _visible(value: str) -> str:
    if re.fullmatch(r"[!-~]*", value) is None:
        raise problem(f"must have only visible ASCII characters (got '{_short(value)}')")
    return value


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


Body = Annotated[JsonValue, AfterValidator(_body)]
_HeaderName = Annotated[str, AfterValidator(_header_name)]
_HeaderValue = Annotated[Text, AfterValidator(_header_value)]
MockHeaders = Annotated[dict[_HeaderName, _HeaderValue], AfterValidator(_one_of_each)]
ResponseHeaders = Annotated[
    dict[_HeaderName, Annotated[_HeaderValue, AfterValidator(_plain_value)]],
    AfterValidator(_one_of_each),
]
ResponseType = Annotated[str, AfterValidator(_response_type)]
AccessLog = Annotated[bool | str, BeforeValidator(_access_log)]
# The model of CreateIntegration: UriWithLengthBetween1And2048.
Url = Annotated[Text, Field(max_length=2048), AfterValidator(_url)]
RestPath = Annotated[RoutePath, AfterValidator(_rest_path)]
MediaType = Annotated[Text, AfterValidator(_media_type)]
# "Amazon API Gateway quotas": API keys have 20 to 128 characters.
KeyValue = Annotated[
    str, Field(strict=True, min_length=20, max_length=128), AfterValidator(_visible)
]
_VariableName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]
RestVariables = dict[_VariableName, Annotated[Text, AfterValidator(_variable)]]
# Where UpdateStage takes an empty value, it removes the variable (model: at most 2,048).
HttpVariables = dict[
    _VariableName,
    Annotated[Text, Field(min_length=1, max_length=2048), AfterValidator(_variable)],
]
