"""API Gateway's API for REST APIs behind the front: routing, checks, operations, answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable

from sandbox.api_errors import ApiError, validation_error
from sandbox.apigateway_api.account import AccountOperations
from sandbox.apigateway_api.api_keys import ApiKeyOperations
from sandbox.apigateway_api.apis import ApiOperations
from sandbox.apigateway_api.authorizers import AuthorizerOperations
from sandbox.apigateway_api.context import RestApiContext
from sandbox.apigateway_api.deployments import DeploymentOperations
from sandbox.apigateway_api.gateway_responses import GatewayResponseOperations
from sandbox.apigateway_api.integrations import IntegrationOperations
from sandbox.apigateway_api.methods import MethodOperations
from sandbox.apigateway_api.refusing import bad_request
from sandbox.apigateway_api.resources import ResourceOperations
from sandbox.apigateway_api.stages import StageOperations
from sandbox.apigateway_api.tags import TagOperations
from sandbox.apigateway_api.usage import UsageOperations
from sandbox.apigateway_api.usage_plans import UsagePlanOperations
from sandbox.rest_json.service import Operation, Output, Parameters, RestJsonService
from sandbox.rest_json.validation import Validator


class RestApiService(RestJsonService):
    """Answers signed requests to API Gateway, version 1."""

    def __init__(self, context: RestApiContext) -> None:
        operations: Mapping[str, Operation] = {
            **ApiOperations(context).operations(),
            **ResourceOperations(context).operations(),
            **MethodOperations(context).operations(),
            **IntegrationOperations(context).operations(),
            **AuthorizerOperations(context).operations(),
            **GatewayResponseOperations(context).operations(),
            **DeploymentOperations(context).operations(),
            **StageOperations(context).operations(),
            **UsagePlanOperations(context).operations(),
            **ApiKeyOperations(context).operations(),
            **UsageOperations(context).operations(),
            **AccountOperations(context).operations(),
            **TagOperations(context).operations(),
        }
        announced = {
            name: operation if name.startswith("Get") else _announced(operation, context.on_change)
            for name, operation in operations.items()
        }
        super().__init__(
            "apigateway",
            "API Gateway",
            context.home.region,
            announced,
            Validator(limits={}, open_enums=frozenset()),
        )

    def invalid(self, violations: list[str]) -> ApiError:
        """A BadRequestException: the model of API Gateway has no ValidationException."""
        return bad_request(validation_error(violations).message)


def _announced(operation: Operation, on_change: Callable[[], None]) -> Operation:
    async def call(parameters: Parameters) -> Output | None:
        output = operation(parameters)
        if isawaitable(output):
            output = await output
        on_change()
        return output

    return call
