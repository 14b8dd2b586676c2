"""Reads the limits on the paths of a profile's steps from AWS.

What the caller may not read is unknown: it is left out, the step is marked, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from core.aws.gateway import DENIED, ApiKind, GatewayReader, Route, Stage, Throttle
from core.aws.gateway_plans import (
    ApiKey,
    Quota,
    UsagePlan,
    account_throttle,
    daily_usage,
    find_api_keys,
    period_start,
    reserved_concurrency,
    unreserved_concurrency,
    usage_plan_of,
    used_in_period,
)
from core.aws.session import AwsSession
from core.errors import AwsError, InputError
from loadgen.api_keys import UNREADABLE, step_api_keys
from loadgen.limits import Bucket, Limits, QuotaLimit, StepLimits
from loadgen.outcome import Cause
from loadgen.profile.model import Profile
from loadgen.routes import route_of
from loadgen.steps import StepInfo, step_infos
from loadgen.target import ApiRef, Resolved

_T = TypeVar("_T")
_ROUTES_BY: dict[ApiKind, str] = {
    "rest": "apigateway:GET on /restapis/*",
    "http": "apigateway:GET on /apis/*",
}
# What a key used on days before tells how fast its quota is used up in production.
_HISTORY = timedelta(days=14)


def read_limits(
    resolved: Resolved,
    profile: Profile,
    session: AwsSession | None,
    *,
    today: date | None = None,
) -> Limits:
    """The limits on the paths of all steps; `today` (UTC) says which period of quotas is meant.

    Makes about eight control calls, and one more for each API key and function of the steps; the
    same again for each other stage that scenarios name.

    Raises:
        InputError: a scenario names a stage that the API does not have.
    """
    steps = step_infos(profile)
    api = resolved.api
    if session is None or api is None or api.kind is None or api.settings is None:
        return Limits(tuple(StepLimits(step.index) for step in steps))
    day = today or datetime.now(UTC).date()
    with_keys = list(zip(steps, step_api_keys(profile), strict=True))
    parts: list[Limits] = []
    for stage in dict.fromkeys(step.stage for step in steps):
        mine = [one for one in with_keys if one[0].stage == stage]
        here = api if stage in (None, api.stage) else _at_stage(session, api, stage or "")
        reading = _Reading(session, here, day)
        parts.append(reading.limits([step for step, _ in mine], [key for _, key in mine]))
    return _joined(parts)


def _at_stage(session: AwsSession, api: ApiRef, name: str) -> ApiRef:
    """The same API at another of its stages."""
    if api.kind is None:
        return api
    stages = {one.name: one for one in GatewayReader(session).stages(api.kind, api.id)}
    if name not in stages:
        raise InputError(
            f"scenarios: API {api.name} has no stage {name!r}",
            hint=f"it has {', '.join(sorted(stages)) or 'none'}",
        )
    return replace(api, stage=name, settings=stages[name])


def _joined(parts: Sequence[Limits]) -> Limits:
    """The limits of all steps, in their order."""
    if len(parts) == 1:
        return parts[0]
    return Limits(
        tuple(sorted((step for part in parts for step in part.steps), key=lambda one: one.step)),
        next((part.account_concurrency for part in parts if part.account_concurrency), None),
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


@dataclass(slots=True)
class _Reading:
    """One pass over what AWS says; everything is asked for once."""

    session: AwsSession
    api: ApiRef
    today: date
    notes: list[str] = field(default_factory=list)
    _reader: GatewayReader = field(init=False)
    _concurrency: dict[str, tuple[int | None, bool]] = field(default_factory=dict)
    _plans: dict[str, tuple[ApiKey, UsagePlan] | None] = field(default_factory=dict)
    _quotas: dict[str, QuotaLimit | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = GatewayReader(self.session)

    def limits(self, steps: Sequence[StepInfo], keys: Sequence[str | None]) -> Limits:
        kind, stage = self.api.kind, self.api.settings
        if kind is None or stage is None:
            return Limits()
        routes = self._ask(
            "routes", lambda: self._reader.routes(kind, self.api.id), _ROUTES_BY[kind]
        )
        account = self._ask(
            "the account's throttle",
            lambda: account_throttle(self._reader.rest),
            "apigateway:GET on /account",
        )
        if routes is None:
            return Limits(tuple(StepLimits(step.index) for step in steps), None, tuple(self.notes))
        hit = [route_of(kind, routes, step.method, step.path, self.api.base_path) for step in steps]
        unreserved = self._read_concurrency(route for route in hit if route is not None)
        plans_known = self._read_plans(
            {key for key, route in zip(keys, hit, strict=True) if route and route.api_key_required}
        )
        turned_away = [
            self._turned_away(route, key, plans_known=plans_known)
            for route, key in zip(hit, keys, strict=True)
        ]
        found = tuple(
            # A template may stand for several segments, which is not known here.
            StepLimits(step.index, no_route="${" not in step.path, turned_away=why)
            if route is None
            else self._of_step(step, route, stage, account, key, why, plans_known=plans_known)
            for step, route, key, why in zip(steps, hit, keys, turned_away, strict=True)
        )
        for step, why in zip(steps, turned_away, strict=True):
            if why is not None:
                self.notes.append(f"step {step.name}: {why}")
        return Limits(found, unreserved, tuple(dict.fromkeys(self.notes)))

    def _ask(self, what: str, call: Callable[[], _T], permission: str) -> _T | None:
        try:
            return call()
        except AwsError as error:
            self.notes.append(unknown_words(what, error, permission))
            return None

    # -- one step

    def _turned_away(
        self, route: Route | None, key: str | None, *, plans_known: bool
    ) -> str | None:
        """Why a step cannot be answered as it is, in words; knowing it saves a run."""
        if route is None:
            return f"no route of API {self.api.name} takes it"
        if not route.api_key_required or self.api.key_source != "HEADER":
            return None
        if key is None:
            return f"{route.key} wants an API key, and there is none"
        if not plans_known or key == UNREADABLE:
            return None
        planned = self._plans.get(key)
        if planned is None:
            return f"its API key is in no usage plan of API {self.api.name}, stage {self.api.stage}"
        return None if planned[0].enabled else f"its API key {planned[0].name} is disabled"

    def _of_step(
        self,
        step: StepInfo,
        route: Route,
        stage: Stage,
        account: Throttle | None,
        key: str | None,
        turned_away: str | None,
        *,
        plans_known: bool,
    ) -> StepLimits:
        planned = self._plans.get(key) if key and route.api_key_required else None
        buckets = [
            *(self._plan_buckets(route, stage, account, *planned) if planned else ()),
            *self._stage_buckets(route, stage, account),
        ]
        if account is not None and account.rate_rps is not None and account.burst is not None:
            rate, burst = account.rate_rps, account.burst
            buckets.append(Bucket(Cause.ACCOUNT, "account", rate, burst, "account"))
        concurrency, reserved = self._concurrency.get(route.function or "", (None, False))
        return StepLimits(
            step.index,
            route.key,
            tuple(buckets),
            self._quotas.get(planned[0].id) if planned else None,
            route.function,
            route.qualifier,
            concurrency,
            reserved,
            complete=account is not None
            and (not route.api_key_required or (plans_known and key != UNREADABLE)),
            hit=route,
            turned_away=turned_away,
        )

    def _plan_buckets(
        self, route: Route, stage: Stage, account: Throttle | None, key: ApiKey, plan: UsagePlan
    ) -> Iterator[Bucket]:
        own = plan.methods.get((self.api.id, stage.name), {})
        method = own.get(route.key) or own.get(f"* {route.path}")
        if method is not None:
            name = f"{route.key} in plan {plan.name}, key {key.name or key.id}"
            where = f"plan {plan.id} key {key.id} {self.api.id} {stage.name} {route.key}"
            yield from _bucket(Cause.USAGE_PLAN_METHOD, name, method, account, where)
        if plan.throttle is not None:
            name = f"plan {plan.name}, key {key.name or key.id}"
            where = f"plan {plan.id} key {key.id}"
            yield from _bucket(Cause.USAGE_PLAN, name, plan.throttle, account, where)

    def _stage_buckets(
        self, route: Route, stage: Stage, account: Throttle | None
    ) -> Iterator[Bucket]:
        own = stage.own.get(route.key) or stage.own.get(f"* {route.path}")
        here = f"{self.api.id} {stage.name}"
        # Methods that nobody throttled have the account's figures in the settings of REST stages.
        if own is not None and own != account:
            yield from _bucket(Cause.METHOD, route.key, own, account, f"{here} {route.key}")
        elif own is None and stage.throttle is not None and stage.throttle != account:
            yield from _bucket(Cause.STAGE, f"stage {stage.name}", stage.throttle, account, here)

    # -- what lies outside the API

    def _read_concurrency(self, routes: Iterable[Route]) -> int | None:
        functions = sorted({route.function for route in routes if route.function})
        if not functions:
            return None
        client = self.session.control_lambda()
        unreserved = self._ask(
            "the account's concurrency",
            lambda: unreserved_concurrency(client),
            "lambda:GetAccountSettings",
        )
        for name in functions:
            reserve = self._ask(
                f"the reserved concurrency of {name}",
                lambda name=name: (reserved_concurrency(client, name),),  # type: ignore[misc]
                "lambda:GetFunctionConcurrency",
            )
            if reserve is not None:
                own = reserve[0]
                self._concurrency[name] = (unreserved, False) if own is None else (own, True)
        return unreserved

    def _read_plans(self, keys: set[str | None]) -> bool:
        """Reads the plans of the keys in use; whether all of them could be read."""
        values = frozenset(key for key in keys if key is not None and key != UNREADABLE)
        if UNREADABLE in keys:
            self.notes.append("unknown: usage plans of API keys that differ by request")
        if self.api.key_source != "HEADER" and keys:
            self.notes.append("unknown: usage plans of API keys that an authorizer gives")
            return False
        if not values:
            return True
        client = self._reader.rest
        found = self._ask(
            "usage plans", lambda: find_api_keys(client, values), "apigateway:GET on /apikeys"
        )
        if found is None:
            return False
        for value, key in found.items():
            plan = self._ask(
                "usage plans",
                lambda key=key: self._plan(key),  # type: ignore[misc]
                "apigateway:GET on /usageplans",
            )
            if plan is None:
                return False
            self._plans[value] = (key, plan[0]) if plan[0] is not None else None
            if plan[0] is not None and plan[0].quota is not None:
                self._quotas[key.id] = self._quota(key, plan[0], plan[0].quota)
        return True

    def _plan(self, key: ApiKey) -> tuple[UsagePlan | None]:
        return (usage_plan_of(self._reader.rest, key.id, self.api.id, self.api.stage or ""),)

    def _quota(self, key: ApiKey, plan: UsagePlan, quota: Quota) -> QuotaLimit:
        start = min(period_start(quota.period, self.today), self.today - _HISTORY)
        days = self._ask(
            f"the usage of plan {plan.name}",
            lambda: daily_usage(self._reader.rest, plan, key.id, start, self.today),
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


def unknown_words(what: str, error: AwsError, permission: str) -> str:
    """That something could not be read, and why: the permission, where that is missing."""
    if error.code in DENIED:
        return f"unknown: {what} (the permission {permission} is missing)"
    return f"unknown: {what} ({error})"


def _bucket(
    layer: Cause, name: str, throttle: Throttle, account: Throttle | None, where: str
) -> Iterator[Bucket]:
    """The bucket of a throttle; a half that nobody set is the account's."""
    rate = throttle.rate_rps if throttle.rate_rps is not None or not account else account.rate_rps
    burst = throttle.burst if throttle.burst is not None or not account else account.burst
    if rate is not None and burst is not None:
        yield Bucket(layer, name, rate, burst, f"{layer.name} {where}")
