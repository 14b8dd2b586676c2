"""Authorizers of API Gateway: what a request has to pass before its integration is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.aws.gateway import ApiKind, GatewayReader, function_of
from core.aws.session import aws_call

AuthorizerKind = Literal["lambda", "cognito", "jwt"]

# "If this field is not set, the default value is 300" (API reference, CreateAuthorizer, 2026).
_REST_TTL_S = 300
_KINDS: dict[str, AuthorizerKind] = {
    "TOKEN": "lambda",
    "REQUEST": "lambda",
    "COGNITO_USER_POOLS": "cognito",
    "JWT": "jwt",
}


@dataclass(frozen=True, slots=True)
class Authorizer:
    """An authorizer; `function` and `qualifier` are those of a Lambda authorizer.

    Answers are cached for `ttl_s` by what identifies a caller; 0 asks anew for each request. Of a
    Cognito or JWT authorizer, which calls nobody for a request, it is None.
    """

    name: str
    kind: AuthorizerKind
    ttl_s: int | None
    function: str | None
    qualifier: str | None


def read_authorizer(
    reader: GatewayReader, kind: ApiKind, api_id: str, authorizer_id: str
) -> Authorizer:
    """An authorizer of an API; one control call.

    Raises:
        AwsError: it cannot be read.
    """
    if kind == "rest":
        with aws_call(f"read authorizer {authorizer_id}"):
            rest = reader.rest.get_authorizer(restApiId=api_id, authorizerId=authorizer_id)
        ttl_s = rest.get("authorizerResultTtlInSeconds", _REST_TTL_S)
        return _authorizer(
            rest.get("name", authorizer_id), rest["type"], ttl_s, rest.get("authorizerUri", "")
        )
    with aws_call(f"read authorizer {authorizer_id}"):
        http = reader.http.get_authorizer(ApiId=api_id, AuthorizerId=authorizer_id)
    # HTTP APIs cache nothing unless told to.
    ttl_s = http.get("AuthorizerResultTtlInSeconds", 0)
    return _authorizer(http["Name"], http["AuthorizerType"], ttl_s, http.get("AuthorizerUri", ""))


def _authorizer(name: str, aws_type: str, ttl_s: int, uri: str) -> Authorizer:
    kind = _KINDS.get(aws_type, "lambda")
    if kind != "lambda":
        return Authorizer(name, kind, None, None, None)
    function, qualifier = function_of(uri)
    return Authorizer(name, kind, ttl_s, function, qualifier)
