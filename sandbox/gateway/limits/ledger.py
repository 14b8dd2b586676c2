"""All throttles and quotas of all APIs; they outlive the snapshots that the limits come from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InputError
from sandbox.gateway.limits.enforcement import Enforcement
from sandbox.gateway.limits.gate import Gate, QuotaCheck, QuotaGuard, ThrottleCheck, ThrottleGuard
from sandbox.gateway.limits.levels import ACCOUNT, LimitKey, limit_in, plan_keys, stage_keys
from sandbox.gateway.limits.limiters import NodeChoice
from sandbox.gateway.limits.making import new_limiter
from sandbox.gateway.limits.quota import KEPT_DAYS, DayUse, QuotaCounter, SavedUse
from sandbox.gateway.limits.refusal import Refusal, quota_exhausted, throttled
from sandbox.gateway.snapshot import ApiKey, Limit, Quota, Route, Snapshot, Stage, UsagePlan

_PlanAndKey = tuple[str, str]
_GateKey = tuple[str, str, str, str, str]


class _SavedLedger(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    uses: Annotated[tuple[SavedUse, ...], Field(max_length=1_000_000)]


class LimitLedger:
    """Keeps every bucket and every quota counter by what it limits.

    Throttles of things that a new snapshot no longer has are dropped. Quota counters stay until
    `forget_plan`, because what a key has used must not come back.
    """

    def __init__(self, enforcement: Enforcement | None = None) -> None:
        self._enforcement = enforcement or Enforcement()
        self._nodes = NodeChoice(self._enforcement)
        self._snapshot = Snapshot()
        self._gates: dict[_GateKey, Gate] = {}
        self._throttles: dict[LimitKey, ThrottleGuard] = {}
        self._quotas: dict[_PlanAndKey, QuotaGuard] = {}

    # The data plane

    def gate_for(
        self,
        snapshot: Snapshot,
        stage: Stage,
        route: Route,
        plan: UsagePlan | None = None,
        api_key: ApiKey | None = None,
    ) -> Gate:
        """The gate for requests to `route` of `stage`, by a key under a plan or without.

        A snapshot that is not the last one known is adopted first.
        """
        if snapshot is not self._snapshot:
            self.adopt(snapshot)
        if plan is None or api_key is None:
            key = (stage.api_id, stage.name, route.key, "", "")
        else:
            key = (stage.api_id, stage.name, route.key, plan.id, api_key.id)
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = self._new_gate(stage, route, plan, api_key)
        return gate

    def adopt(self, snapshot: Snapshot, now_s: float | None = None) -> None:
        """Gives all living throttles and quotas the limits of a new snapshot.

        Tokens stay, as far as a new burst holds them. Without `now_s` the new rate counts from the
        last request on.
        """
        self._snapshot = snapshot
        self._gates.clear()
        for key, guard in tuple(self._throttles.items()):
            limit = limit_in(snapshot, key)
            if limit is None:
                del self._throttles[key]
            elif limit != guard.limit:
                guard.limit = limit
                guard.limiter.resize(limit, now_s)
        for (plan_id, _), quota_guard in self._quotas.items():
            quota_guard.change(self._quota_of(plan_id))

    @property
    def enforcement(self) -> Enforcement:
        """How throttles are kept."""
        return self._enforcement

    def enforce(self, enforcement: Enforcement, now_s: float) -> None:
        """Keeps throttles in another way from now on; their tokens and all counts stay."""
        for guard in self._throttles.values():
            tokens = guard.limiter.tokens(now_s)
            guard.limiter = new_limiter(guard.key, guard.limit, enforcement)
            full = guard.limiter.tokens(now_s)
            if full > 0:
                guard.limiter.keep(min(1.0, max(0.0, tokens) / full), now_s)
        self._enforcement = enforcement
        self._nodes.follow(enforcement)

    # Usage

    def used_by_day(self, plan_id: str, key_id: str, start: date, end: date) -> list[DayUse]:
        """What a key used and what then remained, on each day from `start` to `end` (UTC).

        What remained is None for a plan without a quota.

        Raises:
            ValueError: the days are in the wrong order, or too many.
        """
        if not 0 <= (end - start).days < KEPT_DAYS:
            raise ValueError(f"1 to {KEPT_DAYS} days can be asked for (got {start} to {end})")
        guard = self._quotas.get((plan_id, key_id))
        if guard is None:
            guard = self._new_quota_guard(plan_id, key_id, QuotaCounter(None))
        return guard.counter.uses(start, end)

    @property
    def quota_requests(self) -> int:
        """How many requests quotas have let through since the process began."""
        return sum(guard.admitted for guard in self._quotas.values())

    def has_used(self, plan_id: str, key_id: str) -> bool:
        """Whether anything is known of a key under a plan."""
        return (plan_id, key_id) in self._quotas

    def set_remaining(self, plan_id: str, key_id: str, remaining: int, wall_s: float) -> None:
        """Leaves `remaining` requests in the present period, as UpdateUsage does.

        Raises:
            ValueError: the plan has no quota, or `remaining` is below 0.
        """
        if remaining < 0:
            raise ValueError(f"remaining must be 0 or more (got {remaining})")
        self._quota_guard(plan_id, key_id).counter.set_remaining(remaining, wall_s)

    def forget_plan(self, plan_id: str) -> None:
        """Drops what was used under a plan that is deleted."""
        for key in [known for known in self._quotas if known[0] == plan_id]:
            del self._quotas[key]
        self._gates.clear()

    def dump(self) -> dict[str, Any]:
        """The use of all quotas as a JSON value, for `load`."""
        uses = tuple(guard.counter.save(*key) for key, guard in self._quotas.items())
        saved = _SavedLedger(schema_version=1, uses=uses)
        return saved.model_dump(mode="json")

    def load(self, value: object) -> None:
        """Takes over what `dump` gave, in the place of all that is known of quotas.

        Raises:
            InputError: the value is none that `dump` gives.
        """
        try:
            saved = _SavedLedger.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InputError(f"usage of quotas: {where}: {first['msg']}") from error
        self._gates.clear()
        self._quotas = {}
        for use in saved.uses:
            guard = self._new_quota_guard(use.plan_id, use.key_id, QuotaCounter.restore(use))
            self._quotas[use.plan_id, use.key_id] = guard

    # The truth

    def document(self, now_s: float) -> dict[str, Any]:
        """Every limit with what it admitted and refused, as a JSON value.

        A refused request counts at the first limit that refused it, and nowhere else.
        """
        return {
            "enforcement": {"text": str(self._enforcement), **self._enforcement.model_dump()},
            "throttles": [_throttle_document(guard, now_s) for guard in self._throttles.values()],
            "quotas": [_quota_document(guard) for guard in self._quotas.values()],
        }

    # Making

    def _new_gate(
        self, stage: Stage, route: Route, plan: UsagePlan | None, api_key: ApiKey | None
    ) -> Gate:
        of_plan: list[ThrottleCheck] = []
        quota: QuotaCheck | None = None
        if plan is not None and api_key is not None:
            of_plan = self._checks(plan_keys(stage, route, plan, api_key), stage, route)
            guard = self._quota_guard(plan.id, api_key.id)
            quota = guard, _quota_refusal(guard, stage, route)
        keys = (*stage_keys(stage, route), (ACCOUNT, self._snapshot.account_limit))
        return Gate(of_plan, quota, self._checks(keys, stage, route), self._nodes)

    def _checks(
        self, keys: Iterable[tuple[LimitKey, Limit]], stage: Stage, route: Route
    ) -> list[ThrottleCheck]:
        return [
            (self._throttle_guard(key, limit), throttled(key, limit, stage, route))
            for key, limit in keys
        ]

    def _throttle_guard(self, key: LimitKey, limit: Limit) -> ThrottleGuard:
        guard = self._throttles.get(key)
        if guard is None:
            guard = ThrottleGuard(key, limit, new_limiter(key, limit, self._enforcement))
            self._throttles[key] = guard
        return guard

    def _quota_guard(self, plan_id: str, key_id: str) -> QuotaGuard:
        guard = self._quotas.get((plan_id, key_id))
        if guard is None:
            guard = self._new_quota_guard(plan_id, key_id, QuotaCounter(None))
            self._quotas[plan_id, key_id] = guard
        return guard

    def _new_quota_guard(self, plan_id: str, key_id: str, counter: QuotaCounter) -> QuotaGuard:
        guard = QuotaGuard(LimitKey("quota", plan_id=plan_id, key_id=key_id), counter)
        guard.change(self._quota_of(plan_id))
        return guard

    def _quota_of(self, plan_id: str) -> Quota | None:
        plan = self._snapshot.plans.get(plan_id)
        return plan.quota if plan else None


def _quota_refusal(guard: QuotaGuard, stage: Stage, route: Route) -> Refusal | None:
    if guard.quota is None:
        return None
    return quota_exhausted(guard.key, guard.quota, stage, route)


def _throttle_document(guard: ThrottleGuard, now_s: float) -> dict[str, Any]:
    return {
        **_key_document(guard.key),
        "rate_rps": guard.limit.rate_rps,
        "burst": guard.limit.burst,
        "tokens": guard.limiter.tokens(now_s),
        "admitted": guard.admitted,
        "refused": guard.refused,
    }


def _quota_document(guard: QuotaGuard) -> dict[str, Any]:
    used, remaining = guard.counter.in_period()
    return {
        **_key_document(guard.key),
        "limit": guard.quota.limit if guard.quota else None,
        "period": guard.quota.period if guard.quota else None,
        "used": used,
        "remaining": remaining,
        "admitted": guard.admitted,
        "refused": guard.refused,
    }


def _key_document(key: LimitKey) -> dict[str, str]:
    api_id, stage = key.stage
    parts = {
        "level": key.level,
        "id": key.id,
        "api_id": api_id,
        "stage": stage,
        "target": key.target,
        "plan_id": key.plan_id,
        "key_id": key.key_id,
    }
    return {name: part for name, part in parts.items() if part}
