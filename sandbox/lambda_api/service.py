"""The Lambda API behind the front: routing, checks, operations, answers."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from inspect import isawaitable
from typing import Any
from urllib.parse import unquote

from sandbox.api_errors import ApiError, validation_error
from sandbox.front import CredentialScope
from sandbox.http import Handler, Request, Response
from sandbox.lambda_api.account import AccountOperations
from sandbox.lambda_api.aliases import AliasOperations
from sandbox.lambda_api.context import LambdaContext, Operation
from sandbox.lambda_api.functions import FunctionOperations
from sandbox.lambda_api.invocations import InvocationOperations
from sandbox.lambda_api.packages import PackageStore
from sandbox.lambda_api.versions import VersionOperations
from sandbox.rest_json.answers import answer, error_answer
from sandbox.rest_json.parsing import parse_parameters
from sandbox.rest_json.routing import RestJsonRouter
from sandbox.rest_json.validation import Validator

PACKAGE_PATH = "/_sandbox/packages"

# The model allows what only Lambda Managed Instances have; these are the limits of the ordinary
# functions that the sandbox runs (Lambda quotas, 2026).
_LIMITS = {"MemorySize": (128, 10_240), "Timeout": (1, 900), "EphemeralStorageSize": (512, 10_240)}
# New runtimes appear more often than anybody updates a sandbox.
_OPEN_ENUMS = frozenset({"Runtime"})


class LambdaService:
    """Answers signed requests to Lambda."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._router = RestJsonRouter("lambda")
        self._validator = Validator(_LIMITS, _OPEN_ENUMS)
        self._invocations = InvocationOperations(context)
        self._operations: Mapping[str, Operation] = {
            **FunctionOperations(context).operations(),
            **VersionOperations(context).operations(),
            **AliasOperations(context).operations(),
            **AccountOperations(context).operations(),
            **self._invocations.operations(),
        }

    async def close(self) -> None:
        """Drops the events that still wait; what runs is the executor's to stop."""
        await self._invocations.close()

    def handle(self, request: Request, scope: CredentialScope) -> Coroutine[Any, Any, Response]:
        """The answer to `request`, errors included."""
        return self._answer(request, scope)

    async def _answer(self, request: Request, scope: CredentialScope) -> Response:
        try:
            self._check_region(scope)
            return await self._call(request)
        except ApiError as error:
            return error_answer(self._router.model, error)

    def _check_region(self, scope: CredentialScope) -> None:
        region = self._context.home.region
        if scope.region not in (region, ""):
            raise ApiError(
                "InvalidSignatureException",
                "Credential should be scoped to a valid region. (the sandbox has the functions "
                f"of {region}; the request was signed for {scope.region})",
                status=403,
            )

    async def _call(self, request: Request) -> Response:
        match = self._router.match(request.method, request.path, request.query)
        if match is None:
            raise ApiError(
                "UnknownOperationException",
                f"no operation of Lambda has {request.method} {unquote(request.path)}",
                status=404,
            )
        name = match.operation.name
        operation = self._operations.get(name)
        if operation is None:
            raise ApiError(
                "UnknownOperationException",
                f"the sandbox does not serve the Lambda operation {name}",
                status=501,
            )
        parameters = parse_parameters(request, match)
        violations = self._validator.violations(match.operation.input_shape, parameters)
        if violations:
            raise validation_error(violations)
        if name == "Invoke":
            # The function sees the same id as its caller.
            parameters["RequestId"] = request.id
        output = operation(parameters)
        if isawaitable(output):
            output = await output
        return answer(match.operation, output)


class PackageDownloads:
    """Serves the zips that GetFunction's `Code.Location` points to."""

    def __init__(self, packages: PackageStore) -> None:
        self._packages = packages

    def match(self, request: Request) -> Handler | None:
        """Takes the paths below `PACKAGE_PATH`."""
        return self._download if request.path.startswith(f"{PACKAGE_PATH}/") else None

    def _download(self, request: Request) -> Response:
        path = self._packages.find_zip(request.path.removeprefix(f"{PACKAGE_PATH}/"))
        if request.method not in ("GET", "HEAD") or path is None:
            return Response(404, b'{"message":"Not Found"}')
        return Response(200, path.read_bytes(), ((b"content-type", b"application/zip"),))
