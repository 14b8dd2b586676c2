"""A rest-json service behind the front: routing, checks, operations, answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any
from urllib.parse import unquote

from sandbox.api_errors import ApiError, Guard, unguarded, validation_error
from sandbox.front import CredentialScope
from sandbox.http import Answer, Request, Response
from sandbox.rest_json.answers import answer, error_answer
from sandbox.rest_json.parsing import parse_parameters
from sandbox.rest_json.routing import Match, RestJsonRouter
from sandbox.rest_json.validation import Validator

Parameters = Mapping[str, Any]
Output = dict[str, Any]
Operation = Callable[[Parameters], Output | Awaitable[Output | None] | None]


class RestJsonService:
    """Answers signed requests to one service by its operations.

    `operations` are those that the sandbox serves, by the names in botocore's model of `service`;
    `title` is how messages call the service.
    """

    def __init__(
        self,
        service: str,
        title: str,
        region: str,
        operations: Mapping[str, Operation],
        validator: Validator,
    ) -> None:
        self._title = title
        self._region = region
        self._router = RestJsonRouter(service)
        self._operations = operations
        self._validator = validator
        self.guard: Guard = unguarded

    def handle(self, request: Request, scope: CredentialScope) -> Answer:
        """The answer to `request`, errors included."""
        return self._answer(request, scope)

    async def _answer(self, request: Request, scope: CredentialScope) -> Response:
        try:
            check_region(scope, self._region)
            return await self._call(request, scope.service)
        except ApiError as error:
            return error_answer(self._router.model, error)

    async def _call(self, request: Request, signed_for: str) -> Response:
        match = self._router.match(request.method, request.path, request.query)
        if match is None:
            raise ApiError(
                "UnknownOperationException",
                f"no operation of {self._title} has {request.method} {unquote(request.path)}",
                status=404,
            )
        operation = self._operations.get(match.operation.name)
        if operation is None:
            raise ApiError(
                "UnknownOperationException",
                f"the sandbox does not serve the {self._title} operation {match.operation.name}",
                status=501,
            )
        refusal = self.guard(signed_for, match.operation.name)
        if refusal is not None:
            raise refusal
        parameters = self.parameters(request, match)
        violations = self._validator.violations(match.operation.input_shape, parameters)
        if violations:
            raise self.invalid(violations)
        output = operation(parameters)
        if isawaitable(output):
            output = await output
        return answer(match.operation, output)

    def parameters(self, request: Request, match: Match) -> dict[str, Any]:
        """The parameters that the operation is called with."""
        return parse_parameters(request, match)

    def invalid(self, violations: list[str]) -> ApiError:
        """The error for parameters that break the model: a ValidationException for most services.

        API Gateway has no such exception in its model, and answers a BadRequestException.
        """
        return validation_error(violations)


def check_region(scope: CredentialScope, region: str) -> None:
    """Refuses a call that was signed for another region; SigV4A signs for none in particular.

    Raises:
        ApiError: it was.
    """
    if scope.region not in (region, ""):
        raise ApiError(
            "InvalidSignatureException",
            f"Credential should be scoped to a valid region. (the sandbox is in {region}; "
            f"the request was signed for {scope.region})",
            status=403,
        )
