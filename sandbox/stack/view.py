"""What a deployed stack looks like to people and to programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.stack.deployment import Deployed, DeployedApi, DeployedPlan
from sandbox.stack.model import HttpRoute, Quota, RestRoute, Throttle


def stack_document(deployed: Deployed) -> dict[str, Any]:
    """The parts of a JSON document that are about a stack.

    The values of API keys are in it: they open nothing but this sandbox.
    """
    return {
        "stack": deployed.stack,
        "apis": [_api(api) for api in deployed.apis],
        "usage_plans": [_plan(plan) for plan in deployed.plans],
    }


def stack_lines(deployed: Deployed) -> Iterator[str]:
    """How to reach the APIs, which limits they have, and which keys there are."""
    for api in deployed.apis:
        kind = "REST" if api.api.kind == "rest" else "HTTP"
        yield f"{api.name}: {kind} API, stage {api.api.stage}{_words(': ', api.api.throttle)}"
        yield f"  {api.url}"
        for route in api.api.routes:
            if route.throttle is not None:
                yield f"  {route.key}{_words(': ', route.throttle)}"
    for plan in deployed.plans:
        yield f"usage plan {plan.name} of {', '.join(plan.plan.apis)}{_plan_words(plan)}"
        for name, value in plan.plan.keys.items():
            yield f"  x-api-key: {value} ({name})"


def _plan_words(plan: DeployedPlan) -> str:
    words = _words(": ", plan.plan.throttle)
    quota = plan.plan.quota
    if quota is not None:
        words += f"{'; ' if words else ': '}{quota.limit} requests a {quota.period}"
    return words


def _words(before: str, throttle: Throttle | None) -> str:
    if throttle is None:
        return ""
    return f"{before}{throttle.rate_rps:g} requests/s, burst {throttle.burst}"


def _api(deployed: DeployedApi) -> dict[str, Any]:
    api = deployed.api
    return {
        "name": deployed.name,
        "kind": api.kind,
        "id": deployed.api_id,
        "stage": api.stage,
        "url": deployed.url,
        "throttle": _throttle(api.throttle),
        "access_log_group": deployed.log_group,
        "routes": [_route(route) for route in api.routes],
    }


def _route(route: RestRoute | HttpRoute) -> dict[str, Any]:
    return {
        "route": route.key,
        "function": route.function,
        "throttle": _throttle(route.throttle),
        "auth": route.auth,
        "api_key_required": isinstance(route, RestRoute) and route.api_key_required,
    }


def _plan(deployed: DeployedPlan) -> dict[str, Any]:
    plan = deployed.plan
    return {
        "name": deployed.name,
        "id": deployed.plan_id,
        "apis": list(plan.apis),
        "throttle": _throttle(plan.throttle),
        "quota": _quota(plan.quota),
        "method_throttles": {
            api: {route: _throttle(limit) for route, limit in limits.items()}
            for api, limits in plan.method_throttles.items()
        },
        "keys": [{"name": name, "value": value} for name, value in plan.keys.items()],
    }


def _throttle(throttle: Throttle | None) -> dict[str, float] | None:
    return None if throttle is None else throttle.model_dump()


def _quota(quota: Quota | None) -> dict[str, Any] | None:
    return None if quota is None else quota.model_dump()
