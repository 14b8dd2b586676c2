"""STS: who somebody is, and temporary credentials.

Nothing here checks permissions: every role of the account can be assumed by everybody. Signatures
are not verified either, as for all control planes of the sandbox; temporary credentials matter
where the data plane of an API verifies them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from sandbox.api_errors import ApiError, validation_error
from sandbox.credentials import CredentialStore, Expired, Identity, TemporaryCredentials
from sandbox.front import CredentialScope
from sandbox.http import Answer, Request, Response
from sandbox.rest_json.validation import Validator
from sandbox.rpc.faults import fault_of
from sandbox.rpc.query import Query
from sandbox.service_models import service_model

# Defaults in s, and the longest session that a new role allows (IAM and STS API references, 2026).
_SESSION_TOKEN_S = 43_200
_ROLE_S = 3_600
_LONGEST_ROLE_S = 43_200

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/[\w+=,.@/-]+")
# Permissions are not checked here, so that what narrows them would be ignored.
_UNSERVED = ("Policy", "PolicyArns", "SerialNumber", "TokenCode", "ProvidedContexts")


class StsService:
    """Answers in the query protocol; in every region, as STS has no state of a region."""

    def __init__(self, account_id: str, credentials: CredentialStore | None = None) -> None:
        self.credentials = credentials or CredentialStore(account_id)
        self._model = service_model("sts")
        self._wire = Query(self._model)
        self._validator = Validator({}, frozenset())
        self._operations = {
            "GetCallerIdentity": self._caller_identity,
            "GetSessionToken": self._session_token,
            "AssumeRole": self._assume_role,
        }

    def handle(self, request: Request, scope: CredentialScope) -> Answer:
        """The answer to `request`, errors included."""
        return self._answer_or_error(request, scope)

    async def _answer_or_error(self, request: Request, scope: CredentialScope) -> Response:
        try:
            return await self._answer(request, scope)
        except ApiError as error:
            return self._wire.error(request, fault_of(self._model, error))

    async def _answer(self, request: Request, scope: CredentialScope) -> Response:
        name = self._wire.operation_name(request, request.body)
        operation = self._operations.get(name)
        if operation is None:
            served = ", ".join(self._operations)
            raise ApiError(
                "UnknownOperationException",
                f"the sandbox does not serve sts {name} (it serves {served})",
                status=501,
            )
        model = self._model.operation_model(name)
        parameters = self._wire.parameters(request, request.body, model)
        violations = self._validator.violations(model.input_shape, parameters)
        if violations:
            raise ApiError("ValidationError", validation_error(violations).message)
        output = operation(parameters, self._caller(request, scope))
        return await self._wire.answer(request, model, output)

    def _caller(self, request: Request, scope: CredentialScope) -> Identity:
        """Who signed. Keys that the sandbox did not give are the root user's."""
        token = request.text_header(b"x-amz-security-token") or _token_in_query(request)
        found = self.credentials.secret_of(scope.access_key, token)
        if isinstance(found, Expired):
            raise ApiError(
                "ExpiredToken", "The security token included in the request is expired", status=403
            )
        if found is None and scope.access_key.startswith("ASIA"):
            raise ApiError(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
                status=403,
            )
        return self.credentials.root if found is None else found.identity

    def _caller_identity(self, parameters: Mapping[str, Any], caller: Identity) -> dict[str, Any]:
        account = self.credentials.account_id
        return {"UserId": caller.user_id, "Account": account, "Arn": caller.arn}

    def _session_token(self, parameters: Mapping[str, Any], caller: Identity) -> dict[str, Any]:
        _refuse_unserved(parameters)
        if caller != self.credentials.root:
            raise ApiError(
                "AccessDenied", "Cannot call GetSessionToken with session credentials", status=403
            )
        duration_s = parameters.get("DurationSeconds", _SESSION_TOKEN_S)
        return {"Credentials": _shown(self.credentials.issue(caller, duration_s))}

    def _assume_role(self, parameters: Mapping[str, Any], caller: Identity) -> dict[str, Any]:
        _refuse_unserved(parameters)
        role = _ROLE_ARN.fullmatch(parameters["RoleArn"])
        if role is None:
            raise ApiError("ValidationError", f"{parameters['RoleArn']} is invalid")
        if role["account"] != self.credentials.account_id:
            raise ApiError(
                "AccessDenied",
                f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: "
                f"{parameters['RoleArn']} (the sandbox has the account "
                f"{self.credentials.account_id} only)",
                status=403,
            )
        duration_s = parameters.get("DurationSeconds", _ROLE_S)
        if duration_s > _LONGEST_ROLE_S:
            raise ApiError(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            )
        identity = self.credentials.role_session(
            parameters["RoleArn"], parameters["RoleSessionName"]
        )
        return {
            "Credentials": _shown(self.credentials.issue(identity, duration_s)),
            "AssumedRoleUser": {"AssumedRoleId": identity.user_id, "Arn": identity.arn},
        }


def _token_in_query(request: Request) -> str | None:
    tokens = parse_qs(request.query).get("X-Amz-Security-Token")
    return tokens[0] if tokens else None


def _refuse_unserved(parameters: Mapping[str, Any]) -> None:
    for name in _UNSERVED:
        if parameters.get(name):
            raise ApiError("ValidationError", f"the sandbox does not serve {name} of STS")


def _shown(credentials: TemporaryCredentials) -> dict[str, Any]:
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_key,
        "SessionToken": credentials.session_token,
        "Expiration": datetime.fromtimestamp(credentials.expires_s, UTC),
    }
