"""The kinds of faults, each with its own settings; a setting that a kind does not have is refused.

What a fault does to a request, a call or a function is for those who ask the `FaultSet`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from core.errors import InputError
from sandbox.lambda_api.throttling import ThrottleReason

Name = Annotated[str, Field(min_length=1, max_length=2048)]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[int, Field(ge=0)]
# A fault that lasts longer than any run is one that somebody forgot.
ForSeconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
# API Gateway ends a request after 29 s (REST, HTTP 30 s) by default, 15 minutes where it streams.
Milliseconds = Annotated[float, Field(gt=0, le=900_000, allow_inf_nan=False)]

# Of rate-based rules: AWS's default window, and how often it looks; it says "frequently".
_WAF_WINDOW_S = 300.0
_WAF_CHECK_S = 5.0


class _Settings(BaseModel):
    """What all kinds have: they end after `for_s` seconds, or stay until they are cleared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    for_s: ForSeconds | None = None


class _Drawn(_Settings):
    """Kinds that hit a share of what they apply to, at random, and at most `count` times."""

    share: Share = 1.0
    count: Count | None = None


class _OfRequests(_Drawn):
    """Kinds that hit requests to APIs: all, or those to one API (id or name), stage or route."""

    api: Name | None = None
    stage: Name | None = None
    route: Name | None = None


class _OfFunctions(_Drawn):
    """Kinds that hit invocations: all, or those of one function."""

    function: Name | None = None


class LatencyFault(_OfRequests):
    """The answer takes `ms` longer.

    In the integration, IntegrationLatency and Latency grow, and the integration's timeout counts;
    in the gateway, only Latency does.
    """

    kind: Literal["latency"] = "latency"
    ms: Milliseconds
    where: Literal["integration", "gateway"] = "integration"


class StatusFault(_OfRequests):
    """The gateway answers with a 5xx of its own in the place of the integration.

    What authorizers, keys and limits refuse is refused as ever.
    """

    kind: Literal["status"] = "status"
    status: Annotated[int, Field(ge=500, le=599)]
    message: Annotated[str, Field(max_length=1024)] | None = None


class ResetFault(_OfRequests):
    """The connection is reset after `after_bytes` of the answer; the integration has run."""

    kind: Literal["reset"] = "reset"
    after_bytes: Bytes = 0


class StallFault(_OfRequests):
    """The answer stops for `ms` after `after_bytes`; then it goes on, or the connection ends."""

    kind: Literal["stall"] = "stall"
    ms: Milliseconds
    after_bytes: Bytes = 0
    then: Literal["continue", "end"] = "continue"


class SlowBodyFault(_OfRequests):
    """The body of the answer comes with `bytes_per_s`."""

    kind: Literal["slow-body"] = "slow-body"
    bytes_per_s: Annotated[float, Field(ge=1, allow_inf_nan=False)]


class WafFault(_OfRequests):
    """A web ACL blocks the request: 403, gateway response WAF_FILTERED.

    With `rate_limit`, a rate-based rule decides: it blocks while more requests than that came in
    the trailing `window_s`, looking every `check_s`. All clients count as one, for all have the
    address of this machine. AWS's windows are 60, 120, 300 (its default) and 600 s, and its
    smallest limit is 10 (AWS WAF developer guide, 2026).
    """

    kind: Literal["waf"] = "waf"
    rate_limit: Annotated[int, Field(ge=1, le=2_000_000_000)] | None = None
    window_s: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] | None = None
    check_s: Annotated[float, Field(ge=0.1, le=60, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _refuse_what_does_not_go_together(self) -> Self:
        if self.rate_limit is None:
            for name, value in (("window_s", self.window_s), ("check_s", self.check_s)):
                if value is not None:
                    raise ValueError(f"{name}: needs rate_limit (got {value:g})")
        elif self.share < 1:
            raise ValueError(f"share: not together with rate_limit (got {self.share:g})")
        elif self.rule_check_s > self.rule_window_s:
            raise ValueError(
                f"check_s: must be within window_s of {self.rule_window_s:g} "
                f"(got {self.rule_check_s:g})"
            )
        return self

    @property
    def rule_window_s(self) -> float:
        """The window, where there is a rate."""
        return _WAF_WINDOW_S if self.window_s is None else self.window_s

    @property
    def rule_check_s(self) -> float:
        """The time between two looks, where there is a rate."""
        if self.check_s is None:
            return min(_WAF_CHECK_S, self.rule_window_s)
        return self.check_s


# The services whose calls can be throttled, as signatures name them.
GuardedService = Literal["apigateway", "lambda", "logs", "monitoring", "servicequotas", "xray"]


class ThrottleControlPlaneFault(_Drawn):
    """Calls of the AWS APIs are refused with TooManyRequestsException.

    A share of them, or those above `rate_rps` with a bucket of `burst` (API Gateway's own limit is
    10 a second with a burst of 40, quotas of 2026). `service` is the name in SigV4 signatures.
    """

    kind: Literal["throttle-control-plane"] = "throttle-control-plane"
    rate_rps: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None = None
    burst: Annotated[int, Field(ge=1)] | None = None
    service: GuardedService | None = None
    operation: Name | None = None

    @model_validator(mode="after")
    def _refuse_what_does_not_go_together(self) -> Self:
        if self.rate_rps is not None and self.share < 1:
            raise ValueError(f"share: not together with rate_rps (got {self.share:g})")
        if self.rate_rps is None and self.burst is not None:
            raise ValueError(f"burst: needs rate_rps (got {self.burst})")
        return self


class LateMetricsFault(_Settings):
    """Metrics are published `delay_s` later than otherwise."""

    kind: Literal["late-metrics"] = "late-metrics"
    delay_s: ForSeconds


class LateLogsFault(_Settings):
    """Log events can be read `delay_s` later than otherwise."""

    kind: Literal["late-logs"] = "late-logs"
    delay_s: ForSeconds


class LambdaThrottleFault(_OfFunctions):
    """Lambda refuses the invocation with a 429."""

    kind: Literal["lambda-throttle"] = "lambda-throttle"
    reason: ThrottleReason = "ConcurrentInvocationLimitExceeded"


class LambdaErrorFault(_OfFunctions):
    """The function raises: FunctionError "Unhandled" with this type and message."""

    kind: Literal["lambda-error"] = "lambda-error"
    error_type: Name = "Exception"
    message: Annotated[str, Field(max_length=1024)] = "fault on request"


RequestFault = LatencyFault | StatusFault | ResetFault | StallFault | SlowBodyFault | WafFault
FunctionFault = LambdaThrottleFault | LambdaErrorFault
FaultSpec = (
    RequestFault | FunctionFault | ThrottleControlPlaneFault | LateMetricsFault | LateLogsFault
)

_SPEC: TypeAdapter[FaultSpec] = TypeAdapter(Annotated[FaultSpec, Field(discriminator="kind")])

KINDS: dict[str, type[BaseModel]] = {
    kind.model_fields["kind"].default: kind for kind in get_args(FaultSpec)
}


def parse_fault(document: object) -> FaultSpec:
    """The fault that a JSON object with a `kind` describes.

    Raises:
        InputError: it is none; the message names the setting and its value.
    """
    if not isinstance(document, dict):
        raise InputError("fault: must be a JSON object")
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"fault: kind: must be one of {', '.join(KINDS)} (got {kind!r})")
    try:
        return _SPEC.validate_python(document)
    except ValidationError as error:
        raise InputError(f"fault {kind}: {_first_problem(error, kind)}") from error


def _first_problem(error: ValidationError, kind: str) -> str:
    problem: Any = error.errors(include_url=False)[0]
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    # The first part is the kind, by which the model was chosen.
    setting = ".".join(str(part) for part in problem["loc"][1:])
    if problem["type"] == "missing":
        return f"{setting}: is needed"
    if problem["type"] == "extra_forbidden":
        known = ", ".join(name for name in KINDS[kind].model_fields if name != "kind")
        return f"{setting}: this kind has no such setting (it has {known})"
    return f"{setting}: {problem['msg']} (got {problem['input']!r})"
