"""Which limits a request has to pass, and in which order.

The order is AWS's ("Throttle requests to your REST APIs", API Gateway developer guide 2026): per
client and method in a usage plan, then per client over all stages of the plan, then the stage's
own, then the account's in the region. AWS's own limits over all customers are not modelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sandbox.gateway.snapshot import ApiKey, Limit, Route, Snapshot, Stage, StageKey, UsagePlan

Level = Literal["usage-plan-method", "usage-plan", "quota", "method", "route", "stage", "account"]

_NO_STAGE: StageKey = ("", "")


@dataclass(frozen=True, slots=True)
class LimitKey:
    """What names one limit; parts that do not matter at its level are empty.

    `target` is a route key at the levels "method" and "route", and "path/METHOD" at
    "usage-plan-method".
    """

    level: Level
    stage: StageKey = _NO_STAGE
    target: str = ""
    plan_id: str = ""
    key_id: str = ""

    @property
    def id(self) -> str:
        """One readable text for all parts."""
        parts = (self.plan_id, self.key_id, *self.stage, self.target)
        return ":".join(part for part in parts if part) or self.level


ACCOUNT = LimitKey("account")


def plan_keys(
    stage: Stage, route: Route, plan: UsagePlan, api_key: ApiKey
) -> Iterator[tuple[LimitKey, Limit]]:
    """The throttles of a usage plan that apply to one key."""
    target = plan_target(route)
    limit = plan.stages.get(stage.key, {}).get(target)
    if limit is not None:
        key = LimitKey("usage-plan-method", stage.key, target, plan.id, api_key.id)
        yield key, limit
    if plan.limit is not None:
        yield LimitKey("usage-plan", plan_id=plan.id, key_id=api_key.id), plan.limit


def stage_keys(stage: Stage, route: Route) -> Iterator[tuple[LimitKey, Limit]]:
    """The throttle of a stage for one route: the route's own, or the one that all others share."""
    own = stage.overrides.get(route.key)
    if own is not None and own.limit is not None:
        yield LimitKey(route_level(stage), stage.key, route.key), own.limit
    elif stage.default.limit is not None:
        yield LimitKey("stage", stage.key), stage.default.limit


def limit_in(snapshot: Snapshot, key: LimitKey) -> Limit | None:
    """The limit that a snapshot gives `key`; None where it has none any more."""
    if key.level == "account":
        return snapshot.account_limit
    if key.plan_id:
        plan = snapshot.plans.get(key.plan_id)
        if plan is None or key.level == "usage-plan":
            return plan.limit if plan else None
        return plan.stages.get(key.stage, {}).get(key.target)
    stage = snapshot.stages.get(key.stage)
    if stage is None:
        return None
    settings = stage.default if key.level == "stage" else stage.overrides.get(key.target)
    return settings.limit if settings else None


def plan_target(route: Route) -> str:
    """The name of a route in `apiStages[].throttle` of a usage plan."""
    return f"{route.path}/{route.method}"


def route_level(stage: Stage) -> Level:
    """What a stage's limit for a single route is called."""
    return "method" if stage.kind == "REST" else "route"
