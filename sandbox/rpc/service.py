"""An RPC service behind the front: protocols, checks, operations, answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any

from botocore.model import OperationModel, ServiceModel

from sandbox.api_errors import ApiError, Guard, unguarded, validation_error
from sandbox.front import CredentialScope
from sandbox.http import Answer, Request, Response
from sandbox.rest_json.service import check_region
from sandbox.rest_json.validation import Validator
from sandbox.rpc.aws_json import AwsJson
from sandbox.rpc.bodies import plain_body
from sandbox.rpc.faults import fault_of
from sandbox.rpc.query import FORM_TYPE, Query
from sandbox.rpc.rpc_v2_cbor import PROTOCOL, RpcV2Cbor
from sandbox.rpc.wire import Wire, no_such_operation
from sandbox.service_models import service_model

Parameters = Mapping[str, Any]
Output = dict[str, Any]
Operation = Callable[[Parameters], Output | Awaitable[Output | None] | None]

_WIRES: Mapping[str, Callable[[ServiceModel], Wire]] = {
    "smithy-rpc-v2-cbor": RpcV2Cbor,
    "json": AwsJson,
    "query": Query,
}


class RpcService:
    """Answers signed requests to one service by its operations, in each protocol of its model.

    `service` is the service's name in botocore, `title` what messages call it. `operations` are
    those that the sandbox serves, by the names in the model. They get parameters and give outputs
    named as in the model, with timestamps as datetimes. An operation raises ApiError for an error,
    with the name that the model has for it, or with its code of the query protocol.
    """

    # The error for a request that breaks the model.
    violation_code = "ValidationException"

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
        self._model = service_model(service)
        unknown = operations.keys() - set(self._model.operation_names)
        if unknown:
            raise ValueError(f"{service} has no operations {', '.join(sorted(unknown))}")
        self._operations = operations
        self._validator = validator
        self.guard: Guard = unguarded
        metadata = self._model.metadata
        spoken = metadata.get("protocols") or [metadata["protocol"]]
        self._wires = {name: make(self._model) for name, make in _WIRES.items()}
        self._spoken = frozenset(spoken)

    def handle(self, request: Request, scope: CredentialScope) -> Answer:
        """The answer to `request`, errors included."""
        return self._answer(request, scope)

    async def _answer(self, request: Request, scope: CredentialScope) -> Response:
        protocol = protocol_of(request)
        wire = self._wires[protocol]
        try:
            check_region(scope, self._region)
            if protocol not in self._spoken:
                raise no_such_operation(f"{self._title} does not speak the {protocol} protocol")
            return await self._call(request, wire, scope.service)
        except ApiError as error:
            return wire.error(request, fault_of(self._model, error))

    async def _call(self, request: Request, wire: Wire, signed_for: str) -> Response:
        body = plain_body(request)
        model, operation = self._find(wire.operation_name(request, body))
        refusal = self.guard(signed_for, model.name)
        if refusal is not None:
            raise refusal
        parameters = wire.parameters(request, body, model)
        violations = self._validator.violations(model.input_shape, parameters)
        if violations:
            raise ApiError(self.violation_code, validation_error(violations).message)
        output = operation(parameters)
        if isawaitable(output):
            output = await output
        return await wire.answer(request, model, output)

    def _find(self, name: str) -> tuple[OperationModel, Operation]:
        if name not in self._model.operation_names:
            raise no_such_operation(f"{self._title} has no operation {name}")
        operation = self._operations.get(name)
        if operation is None:
            # 501 because SDKs do not retry it, unlike the other 5xx.
            raise no_such_operation(
                f"the sandbox does not serve the {self._title} operation {name}", status=501
            )
        return self._model.operation_model(name), operation


def protocol_of(request: Request) -> str:
    """The protocol of `request`, as botocore names it.

    The query protocol may come as a plain GET. What shows no protocol is answered in JSON.
    """
    if request.header(b"smithy-protocol") == PROTOCOL:
        return "smithy-rpc-v2-cbor"
    content_type = request.text_header(b"content-type") or ""
    if request.header(b"x-amz-target") is not None or not (
        content_type.startswith(FORM_TYPE) or "Action=" in request.query
    ):
        return "json"
    return "query"
