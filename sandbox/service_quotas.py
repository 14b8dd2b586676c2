"""Service Quotas for Lambda and API Gateway; botocore calls it "service-quotas".

Codes and defaults: the quota pages of AWS Lambda and Amazon API Gateway, 2026. The sandbox knows a
selection of them. What applies here comes from the sandbox's own settings, so that it agrees with
what throttles; the default is AWS's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.lambda_api.names import Home
from sandbox.monitoring.tokens import make_token, read_token
from sandbox.rest_json.validation import Validator
from sandbox.rpc.service import Operation, RpcService
from sandbox.telemetry.metrics import Metric

# What a page has without MaxResults, and at most (Service Quotas API, 2026).
PAGE_SIZE = 100

CONCURRENT_EXECUTIONS = "L-B99A9384"
THROTTLE_RATE = "L-8A5B8E43"
THROTTLE_BURST = "L-CDF5615A"

SERVICES: Mapping[str, str] = {
    "apigateway": "Amazon API Gateway",
    "lambda": "AWS Lambda",
}

# The values that apply, by quota code; others have their default.
Applied = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota as AWS lists it; `usage` is the metric that counts against it."""

    service: str
    code: str
    name: str
    default: float
    adjustable: bool
    unit: str = "None"
    usage: Metric | None = None


# Names are as the quota pages word them.
QUOTAS: Sequence[Quota] = (
    Quota("apigateway", "L-01C8A9E0", "Resources per REST API", 300.0, adjustable=True),
    Quota("apigateway", "L-379E48B0", "Stages per API", 10.0, adjustable=True),
    Quota("apigateway", "L-46624B39", "Payload size", 10.0, adjustable=False, unit="Megabytes"),
    Quota("apigateway", "L-65B5C802", "Routes per HTTP API", 300.0, adjustable=True),
    Quota("apigateway", THROTTLE_RATE, "Throttle rate", 10_000.0, adjustable=True),
    Quota("apigateway", "L-8C2F9A1D", "Cache TTL", 3_600.0, adjustable=False, unit="Seconds"),
    Quota("apigateway", "L-985EB478", "Usage plans per API key", 10.0, adjustable=True),
    Quota("apigateway", "L-AA0FF27B", "Regional APIs", 600.0, adjustable=False),
    Quota(
        "apigateway",
        "L-CC2525B6",
        "Cached response size",
        1_048_576.0,
        adjustable=False,
        unit="Bytes",
    ),
    Quota("apigateway", THROTTLE_BURST, "Throttle burst rate", 5_000.0, adjustable=False),
    Quota(
        "apigateway",
        "L-E5AE38E3",
        "Maximum integration timeout in milliseconds",
        29_000.0,
        adjustable=True,
        unit="Milliseconds",
    ),
    Quota("apigateway", "L-E8693075", "Usage plans", 300.0, adjustable=True),
    Quota(
        "apigateway",
        "L-E9EEB922",
        "Total size of request line and header values",
        10_240.0,
        adjustable=False,
        unit="Bytes",
    ),
    Quota(
        "lambda",
        "L-2ACBD22F",
        "Function and layer storage",
        300.0,
        adjustable=True,
        unit="Gigabytes",
    ),
    Quota(
        "lambda",
        CONCURRENT_EXECUTIONS,
        "Concurrent executions",
        1_000.0,
        adjustable=True,
        usage=Metric("AWS/Lambda", "ConcurrentExecutions"),
    ),
)


class ServiceQuotasService(RpcService):
    """Answers signed requests to Service Quotas ("servicequotas" in SigV4).

    `applied` is asked at each call for the values that apply in this sandbox.
    """

    def __init__(self, home: Home, applied: Callable[[], Applied]) -> None:
        self._home = home
        self._applied = applied
        operations: Mapping[str, Operation] = {
            "ListServices": self.list_services,
            "GetServiceQuota": self.get_quota,
            "GetAWSDefaultServiceQuota": self.get_default,
            "ListServiceQuotas": self.list_quotas,
            "ListAWSDefaultServiceQuotas": self.list_defaults,
        }
        validator = Validator({}, frozenset())
        super().__init__("service-quotas", "Service Quotas", home.region, operations, validator)

    def list_services(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The services whose quotas the sandbox knows."""
        services = [
            {"ServiceCode": code, "ServiceName": name} for code, name in sorted(SERVICES.items())
        ]
        return _page("Services", services, parameters)

    def get_quota(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A quota with the value that applies."""
        _check_level(parameters)
        _check_context(parameters)
        return {"Quota": self._current(_find(parameters))}

    def get_default(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A quota with AWS's default."""
        return {"Quota": self._default(_find(parameters))}

    def list_quotas(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The quotas of a service, each with the value that applies."""
        _check_level(parameters)
        quotas = [self._current(quota) for quota in _all_of(parameters)]
        code = parameters.get("QuotaCode")
        chosen = [quota for quota in quotas if code in (None, quota["QuotaCode"])]
        return _page("Quotas", chosen, parameters)

    def list_defaults(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The quotas of a service with AWS's defaults."""
        quotas = [self._default(quota) for quota in _all_of(parameters)]
        return _page("Quotas", quotas, parameters)

    def _current(self, quota: Quota) -> dict[str, Any]:
        """An applied quota tells the level it is for; a default does not."""
        value = self._applied().get(quota.code, quota.default)
        return {
            **self._shown(quota, value, self._home.account_id),
            "QuotaAppliedAtLevel": "ACCOUNT",
        }

    def _default(self, quota: Quota) -> dict[str, Any]:
        # The ARN of a default has no account.
        return self._shown(quota, quota.default, "")

    def _shown(self, quota: Quota, value: float, account_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "ServiceCode": quota.service,
            "ServiceName": SERVICES[quota.service],
            "QuotaArn": f"arn:aws:servicequotas:{self._home.region}:{account_id}:"
            f"{quota.service}/{quota.code}",
            "QuotaCode": quota.code,
            "QuotaName": quota.name,
            "Value": float(value),
            "Unit": quota.unit,
            "Adjustable": quota.adjustable,
            "GlobalQuota": False,
        }
        if quota.usage is not None:
            shown["UsageMetric"] = {
                "MetricNamespace": quota.usage.namespace,
                "MetricName": quota.usage.name,
                "MetricDimensions": dict(quota.usage.dimensions),
                "MetricStatisticRecommendation": "Maximum",
            }
        return shown


def quota_of_usage(applied: Callable[[], Applied]) -> Callable[[Metric], float | None]:
    """What SERVICE_QUOTA() gives for a metric: the quota that it is the usage of, or None."""

    def find(metric: Metric) -> float | None:
        for quota in QUOTAS:
            if quota.usage == metric:
                return float(applied().get(quota.code, quota.default))
        return None

    return find


def _all_of(parameters: Mapping[str, Any]) -> list[Quota]:
    service = parameters["ServiceCode"]
    if service not in SERVICES:
        raise ApiError(
            "NoSuchResourceException", f"The sandbox knows no quotas of the service {service}."
        )
    return [quota for quota in QUOTAS if quota.service == service]


def _find(parameters: Mapping[str, Any]) -> Quota:
    code = parameters["QuotaCode"]
    for quota in _all_of(parameters):
        if quota.code == code:
            return quota
    raise ApiError(
        "NoSuchResourceException",
        f"The sandbox knows no quota {code} of the service {parameters['ServiceCode']}.",
    )


def _check_level(parameters: Mapping[str, Any]) -> None:
    if parameters.get("QuotaAppliedAtLevel", "ACCOUNT") == "RESOURCE":
        raise ApiError(
            "IllegalArgumentException", "The sandbox has quotas at the level ACCOUNT only."
        )


def _check_context(parameters: Mapping[str, Any]) -> None:
    if parameters.get("ContextId") is not None:
        raise ApiError("IllegalArgumentException", "The sandbox has no quotas of single resources.")


def _page(
    name: str, items: Sequence[dict[str, Any]], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        place = read_token(parameters)
        first = 0 if place is None else max(0, int(place[0]))
    except (ValueError, TypeError, IndexError) as error:
        raise ApiError("InvalidPaginationTokenException", "Invalid NextToken") from error
    end = first + parameters.get("MaxResults", PAGE_SIZE)
    output: dict[str, Any] = {name: items[first:end]}
    if end < len(items):
        output["NextToken"] = make_token(parameters, [end])
    return output
