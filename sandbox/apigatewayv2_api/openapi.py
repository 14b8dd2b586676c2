"""OpenAPI 3.0 documents with API Gateway's extensions, as ImportApi takes them.

Read are title, version and description, paths with their integrations, security schemes with
their authorizers, and CORS. Source: "OpenAPI extensions for API Gateway", developer guide, 2026.
What else an operation may have (parameters, schemas, responses) changes nothing for an HTTP API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sandbox.apigatewayv2_api.errors import bad_request, unserved
from sandbox.apigatewayv2_api.route_keys import DEFAULT
from sandbox.apigatewayv2_api.state import Document
from sandbox.rest_json.strict_json import parse_json

# The largest document that AWS takes (API Gateway quotas, 2026), in bytes.
_LARGEST = 6_291_456
_VERSION = re.compile(r"3\.0\.\d+")
_PREFIX = "x-amazon-apigateway-"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_ANY = f"{_PREFIX}any-method"
# Those of a whole API that would change what it does, and that are not read.
_UNSERVED = ("binary-media-types", "endpoint-configuration", "gateway-responses", "policy")

# How the members of an integration are called in the API; what is not here is refused.
_INTEGRATION = {
    "type": "IntegrationType",
    "httpMethod": "IntegrationMethod",
    "uri": "IntegrationUri",
    "payloadFormatVersion": "PayloadFormatVersion",
    "connectionType": "ConnectionType",
    "connectionId": "ConnectionId",
    "credentials": "CredentialsArn",
    "description": "Description",
    "integrationSubtype": "IntegrationSubtype",
    "requestParameters": "RequestParameters",
    "responseParameters": "ResponseParameters",
    "timeoutInMillis": "TimeoutInMillis",
    "tlsConfig": "TlsConfig",
}
_AUTHORIZER = {
    "authorizerUri": "AuthorizerUri",
    "authorizerCredentials": "AuthorizerCredentialsArn",
    "authorizerPayloadFormatVersion": "AuthorizerPayloadFormatVersion",
    "authorizerResultTtlInSeconds": "AuthorizerResultTtlInSeconds",
    "enableSimpleResponses": "EnableSimpleResponses",
    "identityValidationExpression": "IdentityValidationExpression",
}
_CORS = {
    "allowCredentials": "AllowCredentials",
    "allowHeaders": "AllowHeaders",
    "allowMethods": "AllowMethods",
    "allowOrigins": "AllowOrigins",
    "exposeHeaders": "ExposeHeaders",
    "maxAge": "MaxAge",
}
_NUMBERS = frozenset({"TimeoutInMillis", "AuthorizerResultTtlInSeconds", "MaxAge"})
_BOOLEANS = frozenset({"EnableSimpleResponses", "AllowCredentials"})
_LISTS = frozenset({"AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders"})
_MAPS = frozenset({"RequestParameters", "ResponseParameters", "TlsConfig"})


@dataclass(frozen=True, slots=True)
class ImportedRoute:
    """A route: members of CreateRoute and of CreateIntegration.

    `scheme` names the security scheme that it needs, None for none.
    """

    key: str
    integration: Document | None
    scheme: str | None
    scopes: list[str]
    operation_name: str | None


@dataclass(frozen=True, slots=True)
class ImportedApi:
    """What a document says: members of CreateApi, CreateAuthorizer and the routes.

    `authorizers` are by the names of their security schemes; None stands for AWS_IAM.
    """

    members: Document
    authorizers: Mapping[str, Document | None]
    routes: tuple[ImportedRoute, ...]


def parse_openapi(body: str) -> ImportedApi:
    """The API that a document describes, in JSON or YAML.

    Raises:
        ApiError: it is no OpenAPI 3.0 document, or has what is not served.
    """
    document = _mapping(_parse(body), "the document")
    version = document.get("openapi")
    if not isinstance(version, str) or _VERSION.fullmatch(version) is None:
        raise bad_request(f"Invalid OpenAPI input: openapi has to be 3.0.x (got {version})")
    for name in _UNSERVED:
        if f"{_PREFIX}{name}" in document:
            raise unserved(f"{_PREFIX}{name} of an HTTP API")
    components = _mapping(document.get("components", {}), "components")
    schemes = _mapping(components.get("securitySchemes", {}), "components.securitySchemes")
    return ImportedApi(
        members=_api(document),
        authorizers=dict(_authorizers(schemes)),
        routes=tuple(_routes(document, components)),
    )


def _parse(body: str) -> object:
    if len(body.encode()) > _LARGEST:
        raise bad_request(f"Invalid OpenAPI input: more than {_LARGEST} bytes")
    try:
        if body.lstrip().startswith("{"):
            return parse_json(body.encode())
        return YAML(typ="safe", pure=True).load(body)
    except (ValueError, YAMLError, RecursionError) as error:
        first = str(error).partition("\n")[0]
        raise bad_request(
            f"Unable to parse API definition because of a malformed document: {first}"
        ) from error


def _api(document: Mapping[str, Any]) -> Document:
    info = _mapping(document.get("info", {}), "info")
    members: Document = {"ProtocolType": "HTTP", "Name": _text(info.get("title"), "info.title")}
    for name, member in (("version", "Version"), ("description", "Description")):
        if name in info:
            members[member] = _text(info[name], f"info.{name}")
    cors = f"{_PREFIX}cors"
    if cors in document:
        members["CorsConfiguration"] = _renamed(document[cors], _CORS, cors)
    return members


def _authorizers(schemes: Mapping[str, Any]) -> Iterator[tuple[str, Document | None]]:
    for name, value in schemes.items():
        where = f"components.securitySchemes.{name}"
        scheme = _mapping(value, where)
        if scheme.get(f"{_PREFIX}authtype") == "awsSigv4":
            yield name, None
            continue
        extension = scheme.get(f"{_PREFIX}authorizer")
        if extension is not None:
            yield name, _authorizer(name, _mapping(extension, where), where)


def _authorizer(name: str, extension: Mapping[str, Any], where: str) -> Document:
    members = dict(extension)
    kind = str(members.pop("type", "")).upper()
    sources = members.pop("identitySource", "")
    listed = sources if isinstance(sources, list) else str(sources).split(",")
    configuration = members.pop("jwtConfiguration", None)
    document: Document = {
        "Name": name,
        "AuthorizerType": kind,
        "IdentitySource": [source.strip() for source in _texts(listed, where) if source.strip()],
        **_renamed(members, _AUTHORIZER, where),
    }
    if kind not in ("REQUEST", "JWT"):
        raise bad_request(f"{where}: the type of an authorizer is request or jwt (got {kind})")
    if configuration is not None:
        told = _mapping(configuration, where)
        document["JwtConfiguration"] = {
            "Issuer": _text(told.get("issuer"), f"{where}: issuer"),
            "Audience": _texts(told.get("audience"), f"{where}: audience"),
        }
    return document


def _routes(document: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[ImportedRoute]:
    shared = _mapping(
        components.get(f"{_PREFIX}integrations", {}), f"components.{_PREFIX}integrations"
    )
    everywhere = document.get("security", [])
    for path, item in _mapping(document.get("paths", {}), "paths").items():
        for name, value in _mapping(item, f"paths.{path}").items():
            if name not in _METHODS and name != _ANY:
                continue
            where = f"paths.{path}.{name}"
            operation = _mapping({} if value is None else value, where)
            scheme, scopes = _security(operation.get("security", everywhere), where)
            yield ImportedRoute(
                key=_key(name, path),
                integration=_integration(operation, shared, where),
                scheme=scheme,
                scopes=scopes,
                operation_name=(
                    _text(operation["operationId"], where) if "operationId" in operation else None
                ),
            )


def _key(name: str, path: str) -> str:
    if path.strip("/") == DEFAULT:
        return DEFAULT
    return f"{'ANY' if name == _ANY else name.upper()} {path}"


def _integration(
    operation: Mapping[str, Any], shared: Mapping[str, Any], where: str
) -> Document | None:
    extension = operation.get(f"{_PREFIX}integration")
    if extension is None:
        return None
    told = _mapping(extension, where)
    reference = told.get("$ref")
    if reference is not None:
        told = _mapping(shared.get(str(reference).rpartition("/")[2]), f"{where}: {reference}")
    members = _renamed(told, _INTEGRATION, where)
    members["IntegrationType"] = str(members.get("IntegrationType", "")).upper()
    if "IntegrationMethod" in members:
        members["IntegrationMethod"] = members["IntegrationMethod"].upper()
        members["IntegrationMethod"] = members["IntegrationMethod"].replace(_ANY.upper(), "ANY")
    return members


def _security(value: Any, where: str) -> tuple[str | None, list[str]]:
    if not isinstance(value, list):
        raise bad_request(f"{where}: security has to be a list")
    if not value:
        return None, []
    wanted = _mapping(value[0], f"{where}: security")
    if len(value) > 1 or len(wanted) > 1:
        raise bad_request(f"{where}: a route of an HTTP API has one authorizer at most")
    for name, scopes in wanted.items():
        return name, _texts(scopes, f"{where}: security")
    return None, []


# Values of a document


def _renamed(value: Any, names: Mapping[str, str], where: str) -> Document:
    members: Document = {}
    for name, one in _mapping(value, where).items():
        if name not in names:
            raise unserved(f"{name} ({where})")
        member = names[name]
        members[member] = _of_kind(member, one, f"{where}: {name}")
    return members


def _of_kind(member: str, value: Any, where: str) -> Any:
    if member in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad_request(f"{where} has to be a whole number")
        return value
    if member in _BOOLEANS:
        if not isinstance(value, bool):
            raise bad_request(f"{where} has to be true or false")
        return value
    if member in _LISTS:
        return _texts(value, where)
    return _mapping(value, where) if member in _MAPS else _text(value, where)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise bad_request(f"Invalid OpenAPI input: {where} has to be an object")
    return value


def _text(value: Any, where: str) -> str:
    # YAML reads what looks like a number as one: a version 1.0, for example.
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise bad_request(f"Invalid OpenAPI input: {where} has to be a text")
    return str(value)


def _texts(value: Any, where: str) -> list[str]:
    if not isinstance(value, list):
        raise bad_request(f"Invalid OpenAPI input: {where} has to be a list of texts")
    return [_text(item, where) for item in value]
