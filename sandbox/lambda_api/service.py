"""The Lambda API behind the front: routing, checks, operations, answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.http import Handler, Request, Response
from sandbox.lambda_api.account import AccountOperations
from sandbox.lambda_api.aliases import AliasOperations
from sandbox.lambda_api.context import LambdaContext
from sandbox.lambda_api.functions import FunctionOperations
from sandbox.lambda_api.invocations import InvocationOperations
from sandbox.lambda_api.packages import PackageStore
from sandbox.lambda_api.permissions import PermissionOperations
from sandbox.lambda_api.provisioned_configs import ProvisionedConfigs
from sandbox.lambda_api.versions import VersionOperations
from sandbox.rest_json.routing import Match
from sandbox.rest_json.service import Operation, RestJsonService
from sandbox.rest_json.validation import Validator

PACKAGE_PATH = "/_sandbox/packages"

# The model allows what only Lambda Managed Instances have; these are the limits of the ordinary
# functions that the sandbox runs (Lambda quotas, 2026).
_LIMITS = {"MemorySize": (128, 10_240), "Timeout": (1, 900), "EphemeralStorageSize": (512, 10_240)}
# New runtimes appear more often than anybody updates a sandbox.
_OPEN_ENUMS = frozenset({"Runtime"})


class LambdaService(RestJsonService):
    """Answers signed requests to Lambda."""

    def __init__(self, context: LambdaContext) -> None:
        self._invocations = InvocationOperations(context)
        operations: Mapping[str, Operation] = {
            **FunctionOperations(context).operations(),
            **VersionOperations(context).operations(),
            **AliasOperations(context).operations(),
            **AccountOperations(context).operations(),
            **PermissionOperations(context).operations(),
            **self._invocations.operations(),
            **ProvisionedConfigs(context, self._invocations.provisioning).operations(),
        }
        validator = Validator(_LIMITS, _OPEN_ENUMS)
        super().__init__("lambda", "Lambda", context.home.region, operations, validator)

    @property
    def invoker(self) -> InvocationOperations:
        """What other services of the sandbox invoke functions with: its `call`."""
        return self._invocations

    async def close(self) -> None:
        """Drops the events that still wait; what runs is the executor's to stop."""
        await self._invocations.close()

    def parameters(self, request: Request, match: Match) -> dict[str, Any]:
        """As the model has them; the function of an Invoke sees the same id as its caller."""
        parameters = super().parameters(request, match)
        if match.operation.name == "Invoke":
            parameters["RequestId"] = request.id
        return parameters


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
