"""The apigatewayv2 API behind the front: routing, checks, operations, answers."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.api_errors import ApiError
from sandbox.apigatewayv2_api.apis import ApiOperations
from sandbox.apigatewayv2_api.authorizers import AuthorizerOperations
from sandbox.apigatewayv2_api.context import HttpApiContext
from sandbox.apigatewayv2_api.deployments import DeploymentOperations
from sandbox.apigatewayv2_api.errors import bad_request
from sandbox.apigatewayv2_api.imports import ImportOperations
from sandbox.apigatewayv2_api.integrations import IntegrationOperations
from sandbox.apigatewayv2_api.routes import RouteOperations
from sandbox.apigatewayv2_api.stages import StageOperations
from sandbox.apigatewayv2_api.tags import TagOperations
from sandbox.rest_json.service import Operation, RestJsonService
from sandbox.rest_json.validation import Validator

# The model tells these lengths only in the names of its shapes.
_LENGTHS = {
    "StringWithLengthBetween0And1024": (0, 1024),
    "StringWithLengthBetween0And2048": (0, 2048),
    "StringWithLengthBetween1And1024": (1, 1024),
    "StringWithLengthBetween1And128": (1, 128),
    "StringWithLengthBetween1And1600": (1, 1600),
    "StringWithLengthBetween1And256": (1, 256),
    "StringWithLengthBetween1And512": (1, 512),
    "StringWithLengthBetween1And64": (1, 64),
    "UriWithLengthBetween1And2048": (1, 2048),
}


class HttpApiService(RestJsonService):
    """Answers signed requests to /v2 of API Gateway."""

    def __init__(self, context: HttpApiContext) -> None:
        apis = ApiOperations(context)
        operations: Mapping[str, Operation] = {
            **apis.operations(),
            **ImportOperations(context, apis).operations(),
            **IntegrationOperations(context).operations(),
            **RouteOperations(context).operations(),
            **AuthorizerOperations(context).operations(),
            **StageOperations(context).operations(),
            **DeploymentOperations(context).operations(),
            **TagOperations(context).operations(),
        }
        validator = Validator(_LENGTHS, frozenset())
        super().__init__(
            "apigatewayv2", "API Gateway (v2)", context.home.region, operations, validator
        )

    def invalid(self, violations: list[str]) -> ApiError:
        """A BadRequestException: the model has no other error for it."""
        return bad_request("; ".join(violations))
