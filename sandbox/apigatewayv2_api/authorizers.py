"""Authorizers: Lambda (REQUEST) and JWT."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.apigatewayv2_api.context import HttpApiContext, find, given, new_id
from sandbox.apigatewayv2_api.deployments import redeploy
from sandbox.apigatewayv2_api.errors import bad_request, conflict, unserved
from sandbox.apigatewayv2_api.function_uri import check_function_uri
from sandbox.apigatewayv2_api.paging import page
from sandbox.apigatewayv2_api.state import Document, HttpApi
from sandbox.lambda_api.names import Home
from sandbox.rest_json.service import Operation

_IDENTITY = re.compile(
    r"\$request\.(?:header|querystring)\.[^\s.]+|\$context\.[\w.]+|\$stageVariables\.\w+"
)
_JWT_IDENTITY = re.compile(r"\$request\.(?:header|querystring)\.[^\s.]+")
_REQUEST_ONLY = (
    "AuthorizerUri",
    "AuthorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds",
    "AuthorizerCredentialsArn",
    "EnableSimpleResponses",
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class AuthorizerOperations:
    """The operations on authorizers."""

    def __init__(self, context: HttpApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {
            "CreateAuthorizer": self.create,
            "GetAuthorizer": self.get,
            "GetAuthorizers": self.list,
            "UpdateAuthorizer": self.update,
            "DeleteAuthorizer": self.delete,
        }

    def create(self, parameters: Mapping[str, Any]) -> Document:
        """Creates an authorizer; routes name it."""
        api = self._context.api(parameters)
        document = new_authorizer(given(parameters, "ApiId"), api, self._context.home)
        return self._store(api, document)

    def get(self, parameters: Mapping[str, Any]) -> Document:
        """One authorizer."""
        return self._find(self._context.api(parameters), parameters)

    def list(self, parameters: Mapping[str, Any]) -> Document:
        """In the order in which they were made."""
        return page(list(self._context.api(parameters).authorizers.values()), parameters)

    def update(self, parameters: Mapping[str, Any]) -> Document:
        """Changes the members that are given; the type stays."""
        api = self._context.api(parameters)
        document = self._find(api, parameters)
        changes = given(parameters, "ApiId", "AuthorizerId")
        if changes.get("AuthorizerType", document["AuthorizerType"]) != document["AuthorizerType"]:
            raise bad_request("The type of an authorizer can't be changed")
        changed = {**document, **changes}
        _check(changed, self._context.home)
        return self._store(api, changed)

    def delete(self, parameters: Mapping[str, Any]) -> None:
        """Deletes an authorizer that no route names."""
        api = self._context.api(parameters)
        authorizer_id = self._find(api, parameters)["AuthorizerId"]
        for route in api.routes.values():
            if route.get("AuthorizerId") == authorizer_id:
                raise conflict(
                    f"Cannot delete authorizer {authorizer_id}: route {route['RouteId']} "
                    f"({route['RouteKey']}) uses it"
                )
        del api.authorizers[authorizer_id]
        redeploy(api, self._context.timestamp())
        self._context.on_change()

    def _find(self, api: HttpApi, parameters: Mapping[str, Any]) -> Document:
        return find(api.authorizers, parameters["AuthorizerId"], "Authorizer")

    def _store(self, api: HttpApi, document: Document) -> Document:
        api.authorizers[document["AuthorizerId"]] = document
        redeploy(api, self._context.timestamp())
        self._context.on_change()
        return document


def new_authorizer(members: Document, api: HttpApi, home: Home) -> Document:
    """The authorizer that `members` describe.

    Raises:
        ApiError: they break a rule, or the sandbox does not serve them.
    """
    document = {**members, "AuthorizerId": new_id(6, api.authorizers)}
    _check(document, home)
    return document


def _check(document: Document, home: Home) -> None:
    if document.get("IdentityValidationExpression"):
        raise unserved("IdentityValidationExpression, which HTTP APIs do not use")
    if document["AuthorizerType"] == "JWT":
        _check_jwt(document)
    else:
        _check_request(document, home)


def _check_request(document: Document, home: Home) -> None:
    if "JwtConfiguration" in document:
        raise bad_request("JwtConfiguration is supported only for JWT authorizers")
    uri = document.get("AuthorizerUri")
    if not uri:
        raise bad_request("AuthorizerUri is required for a REQUEST authorizer")
    if not uri.endswith("/invocations"):
        raise bad_request(f"Invalid Authorizer URI: {uri}. It has to end with ARN/invocations")
    check_function_uri(uri, home)
    version = document.get("AuthorizerPayloadFormatVersion")
    if version not in ("1.0", "2.0"):
        raise bad_request(
            "AuthorizerPayloadFormatVersion is required for a REQUEST authorizer: 1.0 or 2.0 "
            f"(got {version})"
        )
    if document.get("EnableSimpleResponses") and version != "2.0":
        raise bad_request("EnableSimpleResponses needs AuthorizerPayloadFormatVersion 2.0")
    sources = document.get("IdentitySource", [])
    for source in sources:
        if _IDENTITY.fullmatch(source) is None:
            raise bad_request(f"Invalid identity source: {source}")
    if document.get("AuthorizerResultTtlInSeconds") and not sources:
        raise bad_request("AuthorizerResultTtlInSeconds above 0 needs an identity source")


def _check_jwt(document: Document) -> None:
    for name in _REQUEST_ONLY:
        if document.get(name):
            raise bad_request(f"{name} is supported only for REQUEST authorizers")
    configuration = document.get("JwtConfiguration", {})
    if not configuration.get("Issuer") or not configuration.get("Audience"):
        raise bad_request("JwtConfiguration with Issuer and Audience is required for JWT")
    _check_issuer(configuration["Issuer"])
    sources = document.get("IdentitySource", [])
    if len(sources) != 1 or _JWT_IDENTITY.fullmatch(sources[0]) is None:
        raise bad_request(
            "A JWT authorizer has one identity source of the form $request.header.NAME or "
            f"$request.querystring.NAME (got {', '.join(sources) or 'none'})"
        )


def _check_issuer(issuer: str) -> None:
    """AWS takes https only; a test's own issuer on this machine may do without."""
    try:
        url = urlsplit(issuer)
        local = url.scheme == "http" and url.hostname in _LOOPBACK
        sound = bool(url.hostname) and (url.scheme == "https" or local)
    except ValueError:
        sound = False
    if not sound:
        raise bad_request(f"Invalid issuer: {issuer}. Issuer must be an https URL")
