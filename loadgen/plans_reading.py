"""Reads what API keys bring with them: usage plans with their throttles, and quotas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from core.aws.gateway import GatewayReader, Route, Throttle
from core.aws.gateway_plans import (
    ApiKey,
    Quota,
    UsagePlan,
    daily_usage,
    find_api_keys,
    period_start,
    usage_plan_of,
    used_in_period,
)
from loadgen.api_keys import UNREADABLE
from loadgen.asking import Asking
from loadgen.limits import Bucket, QuotaLimit
from loadgen.outcome import Cause
from loadgen.target import ApiRef

# What a key used on days before tells how fast its quota is used up in production.
_HISTORY = timedelta(days=14)


@dataclass(slots=True)
class KeyPlans:
    """The usage plans and quotas of the keys of a profile at one stage; each is read once.

    `known` is whether all keys and plans could be read.
    """

    reader: GatewayReader
    api: ApiRef
    today: date
    asking: Asking
    known: bool = False
    _plans: dict[str, tuple[ApiKey, UsagePlan] | None] = field(default_factory=dict)
    _quotas: dict[str, QuotaLimit | None] = field(default_factory=dict)

    def read(self, keys: set[str | None]) -> None:
        """Reads the plans of the keys in use."""
        self.known = self._read(keys)

    def of(self, key: str | None) -> tuple[ApiKey, UsagePlan] | None:
        """The key's name and its plan; None without one, or where it is not known."""
        return None if key is None else self._plans.get(key)

    def quota(self, key: ApiKey) -> QuotaLimit | None:
        """The quota of a key."""
        return self._quotas.get(key.id)

    def buckets(
        self, route: Route, account: Throttle | None, key: ApiKey, plan: UsagePlan
    ) -> Iterator[Bucket]:
        """The throttles of a plan on the path of a route: its method's, then its own."""
        stage = self.api.stage or ""
        own = plan.methods.get((self.api.id, stage), {})
        method = own.get(route.key) or own.get(f"* {route.path}")
        if method is not None:
            name = f"{route.key} in plan {plan.name}, key {key.name or key.id}"
            where = f"plan {plan.id} key {key.id} {self.api.id} {stage} {route.key}"
            yield from bucket_of(Cause.USAGE_PLAN_METHOD, name, method, account, where)
        if plan.throttle is not None:
            name = f"plan {plan.name}, key {key.name or key.id}"
            where = f"plan {plan.id} key {key.id}"
            yield from bucket_of(Cause.USAGE_PLAN, name, plan.throttle, account, where)

    def _read(self, keys: set[str | None]) -> bool:
        values = frozenset(key for key in keys if key is not None and key != UNREADABLE)
        if UNREADABLE in keys:
            self.asking.notes.append("unknown: usage plans of API keys that differ by request")
        if self.api.key_source != "HEADER" and keys:
            self.asking.notes.append("unknown: usage plans of API keys that an authorizer gives")
            return False
        if not values:
            return True
        found = self.asking.ask(
            "usage plans",
            lambda: find_api_keys(self.reader.rest, values),
            "apigateway:GET on /apikeys",
        )
        if found is None:
            return False
        for value, key in found.items():
            plan = self.asking.ask_whether(
                "usage plans", partial(self._plan, key), "apigateway:GET on /usageplans"
            )
            if plan is None:
                return False
            self._plans[value] = (key, plan[0]) if plan[0] is not None else None
            if plan[0] is not None and plan[0].quota is not None:
                self._quotas[key.id] = self._quota(key, plan[0], plan[0].quota)
        return True

    def _plan(self, key: ApiKey) -> UsagePlan | None:
        return usage_plan_of(self.reader.rest, key.id, self.api.id, self.api.stage or "")

    def _quota(self, key: ApiKey, plan: UsagePlan, quota: Quota) -> QuotaLimit:
        start = min(period_start(quota.period, self.today), self.today - _HISTORY)
        days = self.asking.ask(
            f"the usage of plan {plan.name}",
            lambda: daily_usage(self.reader.rest, plan, key.id, start, self.today),
            "apigateway:GET on /usageplans/*",
        )
        return QuotaLimit(
            f"plan {plan.name}, key {key.name or key.id}",
            quota.limit,
            quota.period.lower(),
            None if days is None else used_in_period(quota, days),
            f"quota {plan.id} {key.id}",
            plan.id,
            key.id,
            tuple((day.day, day.used) for day in days or ()),
        )


def bucket_of(
    layer: Cause, name: str, throttle: Throttle, account: Throttle | None, where: str
) -> Iterator[Bucket]:
    """The bucket of a throttle; a half that nobody set is the account's."""
    rate = throttle.rate_rps if throttle.rate_rps is not None or not account else account.rate_rps
    burst = throttle.burst if throttle.burst is not None or not account else account.burst
    if rate is not None and burst is not None:
        yield Bucket(layer, name, rate, burst, f"{layer.name} {where}")
