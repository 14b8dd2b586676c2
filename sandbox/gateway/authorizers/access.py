"""Decides on each request of an API: everything that stands before its integration.

What is decided is noted in the exchange, for the event of the integration and for access logs.
Source of the order: "How API Gateway resource policies affect authorization workflow", developer
guide, 2026. Everybody with a key of the sandbox may do everything that no policy denies, because
the sandbox has no IAM.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.gateway.authorizers.identity import identity_value
from sandbox.gateway.authorizers.jwt import KeyCache, TokenRefused, check_token
from sandbox.gateway.authorizers.lambda_authorizer import (
    AuthorizerFailed,
    LambdaAuthorizers,
    Unauthorized,
)
from sandbox.gateway.authorizers.policy import Policy, PolicyError, Verdict
from sandbox.gateway.authorizers.resource_policy import (
    evaluate_resource_policy,
    parse_resource_policy,
)
from sandbox.gateway.authorizers.sigv4 import SecretLookup, Signed, verify
from sandbox.gateway.exchange import SOURCE_IP, Exchange
from sandbox.gateway.outcome import Failed
from sandbox.gateway.snapshot import (
    IamAuthorization,
    JwtAuthorizer,
    LambdaAuthorizer,
    Route,
    Stage,
)

_DENIED = "User is not authorized to access this resource"


class AccessControl:
    """Implements `authorization.Authorizers`."""

    def __init__(
        self,
        secret_of: SecretLookup,
        keys: KeyCache,
        functions: LambdaAuthorizers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secret_of = secret_of
        self._keys = keys
        self._functions = functions
        self._clock = clock
        # A stage keeps its policy until another snapshot takes its place.
        self._policies: dict[tuple[str, str], tuple[Stage, Policy]] = {}

    async def check(self, exchange: Exchange, route: Route) -> Failed | None:
        """Why a request is refused, or None."""
        try:
            return await self._check(exchange, route)
        except PolicyError as error:  # of a REST API whose policy nobody checked
            exchange.authorizer_error = f"resource policy: {error}"
            return Failed("API_CONFIGURATION_ERROR")

    async def _check(self, exchange: Exchange, route: Route) -> Failed | None:
        # A denial by address comes first, so that nobody outside may cost an authorizer's call.
        if self._policy_verdict(exchange) == "deny":
            return _policy_failure(exchange, "deny")
        authorization = route.authorization
        match authorization:
            case None:
                return self._after(exchange)
            case IamAuthorization():
                return self._check_signature(exchange)
            case JwtAuthorizer():
                decided = self._check_token(exchange, authorization, route.scopes)
            case LambdaAuthorizer():
                decided = self._ask_function(exchange, authorization)
        return await self._timed(exchange, decided) or self._after(exchange)

    def _after(self, exchange: Exchange) -> Failed | None:
        """Where a resource policy stands, it has to allow what an authorizer allowed."""
        verdict = self._policy_verdict(exchange)
        return None if verdict in (None, "allow") else _policy_failure(exchange, verdict)

    async def _timed(self, exchange: Exchange, decided: Awaitable[Failed | None]) -> Failed | None:
        began_s = self._clock()
        failed = await decided
        took_ms = (self._clock() - began_s) * 1000
        exchange.waited_ms += took_ms
        exchange.authorizer_latency_ms = round(took_ms)
        return failed

    # Signatures

    def _check_signature(self, exchange: Exchange) -> Failed | None:
        now = datetime.fromtimestamp(exchange.arrived_wall_s, UTC)
        began_s = self._clock()
        outcome = verify(exchange.request, exchange.home.region, now, self._secret_of)
        exchange.authenticate_latency_ms = self._since_ms(began_s)
        if not isinstance(outcome, Signed):
            exchange.authenticate_status = 403
            if exchange.stage.kind == "HTTP":  # whose logs know no other variable
                exchange.authorizer_error = outcome.message
            else:
                exchange.authenticate_error = outcome.message
            return Failed(outcome.response_type, message=outcome.message)
        exchange.authenticate_status = 200
        exchange.access_key = outcome.access_key
        exchange.caller_arn = outcome.identity.arn
        exchange.principal_id = outcome.identity.user_id
        # Of one's own account, either the policy or one's own rights have to allow.
        began_s = self._clock()
        is_denied = self._policy_verdict(exchange) == "deny"
        exchange.authorize_latency_ms = self._since_ms(began_s)
        exchange.authorize_status = 403 if is_denied else 200
        if not is_denied:
            return None
        failed = _policy_failure(exchange, "deny")
        exchange.authorize_error = failed.message
        return failed

    def _since_ms(self, began_s: float) -> int:
        return round((self._clock() - began_s) * 1000)

    # Tokens

    async def _check_token(
        self, exchange: Exchange, authorizer: JwtAuthorizer, scopes: tuple[str, ...]
    ) -> Failed | None:
        token = identity_value(authorizer.identity_sources[0], exchange)
        if token is None:
            exchange.authorizer_error = "the token is missing"
            return Failed("UNAUTHORIZED")
        try:
            claims = await check_token(
                token, authorizer, scopes, self._keys, exchange.arrived_wall_s
            )
        except TokenRefused as error:
            exchange.authorizer_error = str(error)
            exchange.authorizer_status = 403 if error.is_forbidden else 401
            return _token_failure(exchange, error)
        exchange.authorizer_status = 200
        exchange.principal_id = claims.claims.get("sub")
        context: dict[str, Any] = {"claims": dict(claims.claims)}
        if exchange.stage.kind == "HTTP":
            context["scopes"] = None if claims.scopes is None else list(claims.scopes)
        exchange.authorizer_context = context
        return None

    # Functions

    async def _ask_function(
        self, exchange: Exchange, authorizer: LambdaAuthorizer
    ) -> Failed | None:
        try:
            decision = await self._functions.decide(exchange, authorizer)
        except Unauthorized as error:
            exchange.authorizer_error = str(error)
            exchange.authorizer_status = 401
            return Failed("UNAUTHORIZED")
        except AuthorizerFailed as error:
            exchange.authorizer_error = str(error)
            exchange.authorizer_status = 500
            return Failed(error.response_type)
        exchange.authorizer_status = 200
        exchange.principal_id = decision.principal_id
        exchange.usage_identifier_key = decision.usage_identifier_key
        context = dict(decision.context)
        if exchange.stage.kind == "REST":
            context["principalId"] = decision.principal_id
        exchange.authorizer_context = context
        return _denied(decision.verdict(exchange.method_arn))

    # Resource policies

    def _policy_verdict(self, exchange: Exchange) -> Verdict | None:
        policy = self._policy(exchange)
        if policy is None:
            return None
        return evaluate_resource_policy(
            policy, exchange.home, exchange.method_arn, SOURCE_IP, exchange.caller_arn
        )

    def _policy(self, exchange: Exchange) -> Policy | None:
        stage = exchange.stage
        if stage.resource_policy is None:
            return None
        known = self._policies.get(stage.key)
        if known is None or known[0] is not stage:
            policy = parse_resource_policy(stage.resource_policy, exchange.home, stage.api_id)
            known = self._policies[stage.key] = stage, policy
        return known[1]


def _denied(verdict: Verdict) -> Failed | None:
    match verdict:
        case "allow":
            return None
        case "deny":
            return Failed("ACCESS_DENIED", message=f"{_DENIED} with an explicit deny")
    return Failed("ACCESS_DENIED", message=_DENIED)


def _token_failure(exchange: Exchange, error: TokenRefused) -> Failed:
    """A Cognito authorizer of a REST API answers 401 for a token without the scopes, too."""
    if error.is_forbidden and exchange.stage.kind == "HTTP":
        return Failed("ACCESS_DENIED")
    return Failed("UNAUTHORIZED")


def _policy_failure(exchange: Exchange, verdict: Verdict) -> Failed:
    who = exchange.caller_arn or "anonymous"
    message = (
        f"User: {who} is not authorized to perform: execute-api:Invoke on resource: "
        f"{_masked(exchange)}"
    )
    if verdict == "deny":
        message += " with an explicit deny"
    return Failed("ACCESS_DENIED", message=message)


def _masked(exchange: Exchange) -> str:
    """The ARN of the method, with all but the last four digits of the account hidden, as by AWS."""
    account = exchange.home.account_id
    return exchange.method_arn.replace(f":{account}:", f":{'*' * 8}{account[-4:]}:", 1)
