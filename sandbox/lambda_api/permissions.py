"""AddPermission, RemovePermission and GetPolicy, and the check of who may invoke."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sandbox.api_errors import ApiError
from sandbox.lambda_api.context import LambdaContext, Operation, Output, Parameters, Target
from sandbox.lambda_api.names import LATEST
from sandbox.lambda_api.policies import (
    INVOKE_ACTION,
    allows_service,
    check_principal,
    policy_text,
    statement_document,
)
from sandbox.lambda_api.records import Policy, Statement, new_id

# Lambda quotas, "Function resource-based policy", 2026.
MAX_POLICY_BYTES = 20_480

_REVISION_MISMATCH = (
    "The RevisionId provided does not match the latest RevisionId. Call the GetPolicy API to "
    "retrieve the latest RevisionId"
)

# Decisions that are remembered; the routes of all APIs together are rarely as many.
_MAX_DECISIONS = 10_000


class PermissionOperations:
    """The operations on resource policies."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._home = context.home

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "AddPermission": self.add,
            "RemovePermission": self.remove,
            "GetPolicy": self.get,
        }

    def add(self, parameters: Parameters) -> Output:
        """Adds a statement."""
        target = self._target(parameters)
        policy = _policy_of(target)
        _check_revision(parameters, policy)
        statement = _statement(parameters)
        before = policy.statements if policy is not None else ()
        if any(known.id == statement.id for known in before):
            raise ApiError(
                "ResourceConflictException",
                f"The statement id ({statement.id}) provided already exists. Please provide a new "
                "statement id, or remove the existing statement.",
            )
        changed = Policy((*before, statement), new_id())
        arn = self._arn(target)
        size_bytes = len(policy_text(changed, arn).encode())
        if size_bytes > MAX_POLICY_BYTES:
            raise ApiError(
                "PolicyLengthExceededException",
                f"The final policy size ({size_bytes}) is bigger than the limit "
                f"({MAX_POLICY_BYTES}).",
            )
        self._store(target, changed)
        shown = statement_document(statement, arn)
        return {"Statement": json.dumps(shown, separators=(",", ":"))}

    def remove(self, parameters: Parameters) -> None:
        """Removes a statement; with its last one a policy is gone."""
        target = self._target(parameters)
        policy = _policy_of(target)
        if policy is None:
            raise _not_found("No policy is associated with the given resource.")
        _check_revision(parameters, policy)
        wanted = parameters["StatementId"]
        kept = tuple(known for known in policy.statements if known.id != wanted)
        if len(kept) == len(policy.statements):
            raise _not_found(f"Statement {wanted} is not found in resource policy.")
        self._store(target, Policy(kept, new_id()))

    def get(self, parameters: Parameters) -> Output:
        """The policy as JSON."""
        target = self._target(parameters)
        policy = _policy_of(target)
        if policy is None:
            raise _not_found("The resource you requested does not exist.")
        text = policy_text(policy, self._arn(target))
        return {"Policy": text, "RevisionId": policy.revision_id}

    def _target(self, parameters: Parameters) -> Target:
        reference = self._home.resolve(parameters["FunctionName"], parameters.get("Qualifier"))
        if reference.qualifier == LATEST:
            raise ApiError(
                "InvalidParameterValueException",
                "We currently do not support adding policies for $LATEST.",
            )
        return self._context.target(reference)

    def _arn(self, target: Target) -> str:
        return self._home.function_arn(target.function.name, target.qualifier)

    def _store(self, target: Target, policy: Policy) -> None:
        qualifier = target.qualifier or ""
        function = target.function.without_policy(qualifier)
        if policy.statements:
            function = replace(function, policies={**function.policies, qualifier: policy})
        self._context.store.put(function)


class InvokePermissions:
    """Says whether a service may invoke; remembers its answers, for calls are many."""

    def __init__(self, context: LambdaContext) -> None:
        self._home = context.home
        self._decisions: dict[tuple[str, str, str], bool] = {}

    def check(self, target: Target, service: str, source_arn: str) -> None:
        """Refuses an invocation that the policy of the function, version or alias does not allow.

        Raises:
            ApiError: AccessDeniedException.
        """
        policy = _policy_of(target)
        if policy is None or not self._allows(policy, service, source_arn):
            arn = self._home.function_arn(target.function.name, target.qualifier)
            raise ApiError(
                "AccessDeniedException",
                f"User: {service} is not authorized to perform: {INVOKE_ACTION} on resource: {arn} "
                f"because no resource-based policy allows the {INVOKE_ACTION} action",
                status=403,
            )

    def _allows(self, policy: Policy, service: str, source_arn: str) -> bool:
        key = (policy.revision_id, service, source_arn)
        allowed = self._decisions.get(key)
        if allowed is None:
            if len(self._decisions) >= _MAX_DECISIONS:
                self._decisions.clear()
            allowed = self._decisions[key] = allows_service(policy, service, source_arn)
        return allowed


def _policy_of(target: Target) -> Policy | None:
    # Invoked as $LATEST, a function has the policy of the function itself.
    qualifier = target.qualifier if target.qualifier != LATEST else None
    return target.function.policies.get(qualifier or "")


def _statement(parameters: Parameters) -> Statement:
    check_principal(parameters["Principal"])
    action = parameters["Action"]
    auth_type = parameters.get("FunctionUrlAuthType")
    if auth_type is not None and action != "lambda:InvokeFunctionUrl":
        raise ApiError(
            "InvalidParameterValueException",
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
        )
    return Statement(
        id=parameters["StatementId"],
        action=action,
        principal=parameters["Principal"],
        source_arn=parameters.get("SourceArn"),
        source_account=parameters.get("SourceAccount"),
        function_url_auth_type=auth_type,
        invoked_via_function_url=parameters.get("InvokedViaFunctionUrl"),
        event_source_token=parameters.get("EventSourceToken"),
        principal_org_id=parameters.get("PrincipalOrgID"),
    )


def _check_revision(parameters: Parameters, policy: Policy | None) -> None:
    given = parameters.get("RevisionId")
    if given and (policy is None or policy.revision_id != given):
        raise ApiError("PreconditionFailedException", _REVISION_MISMATCH)


def _not_found(message: str) -> ApiError:
    return ApiError("ResourceNotFoundException", message)
