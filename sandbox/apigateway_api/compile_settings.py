"""Throttles, caching, metrics and logging: from documents to what the data plane applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.apigateway_api.context import DEFAULT_ACCOUNT_LIMIT
from sandbox.apigateway_api.method_settings import ALL_METHODS, NO_LIMIT, method_of
from sandbox.apigateway_api.state import Deployment, Document, RestState
from sandbox.gateway.snapshot import (
    CachePolicy,
    Limit,
    MethodSettings,
    Quota,
    StageKey,
    UsagePlan,
)


def method_settings(
    stage: Document, deployment: Deployment, account_limit: Limit
) -> tuple[MethodSettings, Mapping[str, MethodSettings]]:
    """What a stage says of all methods, and of single ones by route key.

    A method without settings of its own has those of `*/*`. It is among the single ones as well
    where its answers are cached, for each method has its own key parameters, and `*/*` turns
    caching on for GET alone.
    """
    every = stage["methodSettings"]
    single = {method_of(key): settings for key, settings in every.items()}
    default = _settings(every.get(ALL_METHODS, {}), account_limit, cache=None)
    overrides = {}
    for path, name, method in _methods(deployment):
        own = single.get((path, name)) or single.get((path, "*"))
        document = every.get(ALL_METHODS, {}) if own is None else own
        cache = _cache(document, method) if stage["cacheClusterEnabled"] else None
        if own is None and name != "GET":
            cache = None
        if own is not None:
            overrides[f"{name} {path}"] = _settings(own, account_limit, cache)
        elif cache is not None:
            # No limit of its own: it goes on sharing the bucket of the stage.
            overrides[f"{name} {path}"] = MethodSettings(
                None, default.detailed_metrics, cache, default.logging_level
            )
    return default, overrides


def compile_plans(
    state: RestState, account_limit: Limit = DEFAULT_ACCOUNT_LIMIT
) -> Mapping[str, UsagePlan]:
    """All usage plans by their id."""
    return {
        plan_id: UsagePlan(
            plan_id,
            plan["name"],
            _plan_limit(plan.get("throttle", {}), account_limit),
            _quota(plan),
            dict(_plan_stage(entry, account_limit) for entry in plan["apiStages"]),
        )
        for plan_id, plan in state.usage_plans.items()
    }


def _methods(deployment: Deployment) -> Iterator[tuple[str, str, Document]]:
    for resource in deployment.resources.values():
        for name, method in resource.get("resourceMethods", {}).items():
            yield resource["path"], name, method


def _settings(
    document: Document, account_limit: Limit, cache: CachePolicy | None
) -> MethodSettings:
    return MethodSettings(
        limit=_method_limit(document, account_limit),
        detailed_metrics=document.get("metricsEnabled", False),
        cache=cache,
        logging_level=document.get("loggingLevel", "OFF"),
    )


def _cache(document: Document, method: Document) -> CachePolicy | None:
    if not document.get("cachingEnabled"):
        return None
    keys = method["methodIntegration"]["cacheKeyParameters"]
    return CachePolicy(document["cacheTtlInSeconds"], tuple(keys))


def _method_limit(document: Document, account_limit: Limit) -> Limit | None:
    """The throttle; none where it is the account's, which is what it is where nobody set it."""
    limit = _limit(
        document.get("throttlingRateLimit", NO_LIMIT),
        document.get("throttlingBurstLimit", NO_LIMIT),
        account_limit,
    )
    return None if limit == account_limit else limit


def _limit(rate_rps: float, burst: float, account_limit: Limit) -> Limit | None:
    """A throttle; None where neither half is set, and the account's half where one is not."""
    if rate_rps == NO_LIMIT and burst == NO_LIMIT:
        return None
    return Limit(
        account_limit.rate_rps if rate_rps == NO_LIMIT else float(rate_rps),
        account_limit.burst if burst == NO_LIMIT else float(burst),
    )


def _plan_limit(throttle: Document, account_limit: Limit) -> Limit | None:
    return _limit(
        throttle.get("rateLimit", NO_LIMIT), throttle.get("burstLimit", NO_LIMIT), account_limit
    )


def _quota(plan: Document) -> Quota | None:
    quota = plan.get("quota")
    if quota is None:
        return None
    return Quota(quota["limit"], quota["period"], quota.get("offset", 0))


def _plan_stage(entry: Document, account_limit: Limit) -> tuple[StageKey, Mapping[str, Limit]]:
    limits = {
        name: _plan_limit(throttle, account_limit)
        for name, throttle in entry.get("throttle", {}).items()
    }
    kept = {name: limit for name, limit in limits.items() if limit is not None}
    return (entry["apiId"], entry["stage"]), kept
