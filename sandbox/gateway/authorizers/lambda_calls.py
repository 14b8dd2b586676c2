"""Runs the functions of Lambda authorizers."""

from __future__ import annotations

from sandbox.api_errors import ApiError
from sandbox.gateway.authorizers.lambda_authorizer import CallRefused, FunctionAnswer
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.lambda_proxy import Invoker
from sandbox.gateway.snapshot import LambdaAuthorizer
from sandbox.http import new_request_id


class AuthorizerCalls:
    """Calls an authorizer's function through the sandbox's Lambda."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    async def __call__(
        self, exchange: Exchange, authorizer: LambdaAuthorizer, event: bytes
    ) -> FunctionAnswer:
        """The function's answer.

        Raises:
            CallRefused: Lambda does not run it: it is throttled, not allowed, or not there.
        """
        home, api_id = exchange.home, exchange.stage.api_id
        source_arn = (
            f"arn:aws:execute-api:{home.region}:{home.account_id}:{api_id}"
            f"/authorizers/{authorizer.id}"
        )
        try:
            result = await self._invoker.call(
                authorizer.function, event, new_request_id(), source_arn=source_arn
            )
        except ApiError as error:
            raise CallRefused(error.message) from error
        return FunctionAnswer(result.payload, result.function_error)
