"""Authorizers of an API."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.apigateway_api.context import Operation, Output, Parameters, RestApiContext, chosen
from sandbox.apigateway_api.function_uris import is_function_uri
from sandbox.apigateway_api.paging import page
from sandbox.apigateway_api.patching import (
    SERVED_OPS,
    Member,
    NamedInValue,
    Rules,
    as_whole,
    patched,
    read_patches,
)
from sandbox.apigateway_api.refusing import bad_request, conflict, refuse_unserved, unserved
from sandbox.apigateway_api.state import SHORT_ID, Document, RestApi, new_id

# API reference, CreateAuthorizer: "The default value is 300, the maximum value is 3600".
DEFAULT_TTL_S, MAX_TTL_S = 300, 3600

_SOURCE = re.compile(
    r"method\.request\.(?:header|querystring)\.[!-+\--~]+|stageVariables\.[A-Za-z0-9_]+"
    r"|context\.[A-Za-z0-9_.]+"
)
_TOKEN_SOURCE = re.compile(r"method\.request\.header\.[!-+\--~]+")
_POOL = re.compile(
    r"arn:aws[a-z-]*:cognito-idp:(?P<region>[a-z0-9-]+):[0-9]{12}:userpool/(?P<pool>[\w-]+)",
    re.ASCII,
)
_KEPT = (
    "name",
    "type",
    "providerARNs",
    "authType",
    "authorizerUri",
    "authorizerCredentials",
    "identitySource",
    "identityValidationExpression",
    "authorizerResultTtlInSeconds",
)
_RULES: Rules = {
    "/name": Member(),
    "/authorizerUri": Member(),
    "/identitySource": Member(),
    "/identityValidationExpression": Member(ops=SERVED_OPS),
    "/authorizerResultTtlInSeconds": Member(as_whole),
    "/providerARNs": NamedInValue(),
}


class AuthorizerOperations:
    """The operations on authorizers."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "CreateAuthorizer": self.create,
            "GetAuthorizer": self.get,
            "GetAuthorizers": self.list,
            "UpdateAuthorizer": self.update,
            "DeleteAuthorizer": self.delete,
        }

    def create(self, parameters: Parameters) -> Output:
        """Adds an authorizer to an API."""
        return add_authorizer(self._context, self._context.api(parameters), parameters)

    def get(self, parameters: Parameters) -> Output:
        """One authorizer."""
        return self._context.api(parameters).authorizer(parameters["authorizerId"])

    def list(self, parameters: Parameters) -> Output:
        """One page of the authorizers."""
        return page(self._context.api(parameters).authorizers, parameters)

    def update(self, parameters: Parameters) -> Output:
        """Changes an authorizer."""
        api = self._context.api(parameters)
        old = api.authorizer(parameters["authorizerId"])
        new = patched(old, read_patches(parameters), _RULES)
        _check(self._context, api, new)
        api.authorizers[new["id"]] = new
        return new

    def delete(self, parameters: Parameters) -> None:
        """Deletes an authorizer that no method uses."""
        api = self._context.api(parameters)
        identifier = api.authorizer(parameters["authorizerId"])["id"]
        for resource, method in api.methods():
            if method.get("authorizerId") == identifier:
                raise conflict(
                    f"Cannot delete authorizer '{identifier}', is referenced in method "
                    f"{method['httpMethod']} {resource['path']}"
                )
        del api.authorizers[identifier]


def add_authorizer(context: RestApiContext, api: RestApi, settings: Parameters) -> Document:
    """A new authorizer of `api`.

    Raises:
        ApiError: the settings cannot be.
    """
    refuse_unserved(settings, ("jwtConfiguration",))
    kind = settings["type"]
    authorizer = {
        "id": new_id(SHORT_ID, api.authorizers),
        "authType": "cognito_user_pools" if kind == "COGNITO_USER_POOLS" else "custom",
        "authorizerResultTtlInSeconds": DEFAULT_TTL_S,
        **chosen(settings, _KEPT),
    }
    _check(context, api, authorizer)
    api.authorizers[authorizer["id"]] = authorizer
    return authorizer


def issuer_of(pool_arn: str) -> str | None:
    """Who issues the tokens of a Cognito user pool; None where `pool_arn` is no such ARN."""
    found = _POOL.fullmatch(pool_arn)
    if found is None:
        return None
    return f"https://cognito-idp.{found['region']}.amazonaws.com/{found['pool']}"


def identity_sources(authorizer: Document) -> tuple[str, ...]:
    """The expressions of an authorizer's identity source."""
    parts = [part.strip() for part in authorizer.get("identitySource", "").split(",")]
    return tuple(part for part in parts if part)


def _check(context: RestApiContext, api: RestApi, authorizer: Document) -> None:
    for other in api.authorizers.values():
        if other["name"] == authorizer["name"] and other["id"] != authorizer["id"]:
            raise conflict(f"Authorizer name must be unique. {other['name']} exists already")
    if not 0 <= authorizer["authorizerResultTtlInSeconds"] <= MAX_TTL_S:
        raise bad_request(f"Authorizer result TTL must be between 0 and {MAX_TTL_S} seconds")
    kind = authorizer["type"]
    if kind == "JWT":
        raise unserved("authorizers of type JWT in REST APIs")
    if kind == "COGNITO_USER_POOLS":
        _check_pools(authorizer)
    else:
        _check_function(context, authorizer)
    _check_sources(authorizer)


def _check_pools(authorizer: Document) -> None:
    pools = authorizer.get("providerARNs", [])
    if not pools:
        raise bad_request("ProviderARNs must be specified for an authorizer with Cognito pools")
    for arn in pools:
        if issuer_of(arn) is None:
            raise bad_request(f"Invalid Cognito user pool ARN specified: {arn}")
    if len(pools) > 1:
        raise unserved("authorizers with more than one user pool")


def _check_function(context: RestApiContext, authorizer: Document) -> None:
    if not is_function_uri(authorizer.get("authorizerUri", ""), context.home):
        raise bad_request(
            f"Invalid Authorizer URI: {authorizer.get('authorizerUri', '')}. Authorizer URI should "
            "be a valid API Gateway ARN that represents a Lambda function invocation."
        )
    if authorizer.get("authorizerCredentials"):
        raise unserved("authorizerCredentials (the function's resource policy decides)")


def _check_sources(authorizer: Document) -> None:
    kind, sources = authorizer["type"], identity_sources(authorizer)
    if kind == "REQUEST":
        if not sources and authorizer["authorizerResultTtlInSeconds"] > 0:
            raise bad_request("Identity source is required when caching is enabled")
        wrong = [source for source in sources if _SOURCE.fullmatch(source) is None]
    else:
        if len(sources) != 1:
            raise bad_request("Identity source must name one header: method.request.header.NAME")
        wrong = [source for source in sources if _TOKEN_SOURCE.fullmatch(source) is None]
    if wrong:
        raise bad_request(f"Invalid identity source specified: {wrong[0]}")
    try:
        re.compile(authorizer.get("identityValidationExpression", ""))
    except re.error as error:
        raise bad_request(f"Invalid identity validation expression: {error}") from error
