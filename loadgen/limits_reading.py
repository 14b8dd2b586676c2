"""Reads the limits on the paths of a profile's steps from AWS.

What the caller may not read is unknown: it is left out, the step is marked, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

from core.aws.gateway import ApiKind, GatewayReader, Route, Stage, Throttle
from core.aws.gateway_plans import account_throttle, reserved_concurrency, unreserved_concurrency
from core.aws.session import AwsSession
from core.errors import InputError
from loadgen.api_keys import UNREADABLE, step_api_keys
from loadgen.asking import Asking
from loadgen.limits import Bucket, Limits, StepLimits
from loadgen.outcome import Cause
from loadgen.plans_reading import KeyPlans, bucket_of
from loadgen.profile.model import Profile
from loadgen.routes import route_of
from loadgen.steps import StepInfo, step_infos
from loadgen.target import ApiRef, Resolved

_ROUTES_BY: dict[ApiKind, str] = {
    "rest": "apigateway:GET on /restapis/*",
    "http": "apigateway:GET on /apis/*",
}


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


class _Reading:
    """One pass over what AWS says of one stage; everything is asked for once."""

    def __init__(self, session: AwsSession, api: ApiRef, today: date) -> None:
        self._session = session
        self._api = api
        self._asking = Asking()
        self._reader = GatewayReader(session)
        self._plans = KeyPlans(self._reader, api, today, self._asking)
        self._concurrency: dict[str, tuple[int | None, bool]] = {}

    def limits(self, steps: Sequence[StepInfo], keys: Sequence[str | None]) -> Limits:
        kind, stage, asking = self._api.kind, self._api.settings, self._asking
        if kind is None or stage is None:
            return Limits()
        routes = asking.ask(
            "routes", lambda: self._reader.routes(kind, self._api.id), _ROUTES_BY[kind]
        )
        account = asking.ask(
            "the account's throttle",
            lambda: account_throttle(self._reader.rest),
            "apigateway:GET on /account",
        )
        if routes is None:
            return Limits(tuple(StepLimits(step.index) for step in steps), None, self._notes)
        hit = [
            route_of(kind, routes, step.method, step.path, self._api.base_path) for step in steps
        ]
        unreserved = self._read_concurrency(route for route in hit if route is not None)
        self._plans.read(
            {key for key, route in zip(keys, hit, strict=True) if route and route.api_key_required}
        )
        turned_away = [self._turned_away(route, key) for route, key in zip(hit, keys, strict=True)]
        found = tuple(
            # A template may stand for several segments, which is not known here.
            StepLimits(step.index, no_route="${" not in step.path, turned_away=why)
            if route is None
            else self._of_step(step, route, stage, account, key, why)
            for step, route, key, why in zip(steps, hit, keys, turned_away, strict=True)
        )
        for step, why in zip(steps, turned_away, strict=True):
            if why is not None:
                asking.notes.append(f"step {step.name}: {why}")
        return Limits(found, unreserved, self._notes)

    @property
    def _notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._asking.notes))

    # -- one step

    def _turned_away(self, route: Route | None, key: str | None) -> str | None:
        """Why a step cannot be answered as it is, in words; knowing it saves a run."""
        api = self._api
        if route is None:
            return f"no route of API {api.name} takes it"
        if not route.api_key_required or api.key_source != "HEADER":
            return None
        if key is None:
            return f"{route.key} wants an API key, and there is none"
        if not self._plans.known or key == UNREADABLE:
            return None
        planned = self._plans.of(key)
        if planned is None:
            return f"its API key is in no usage plan of API {api.name}, stage {api.stage}"
        return None if planned[0].enabled else f"its API key {planned[0].name} is disabled"

    def _of_step(
        self,
        step: StepInfo,
        route: Route,
        stage: Stage,
        account: Throttle | None,
        key: str | None,
        turned_away: str | None,
    ) -> StepLimits:
        planned = self._plans.of(key) if route.api_key_required else None
        buckets = [
            *(self._plans.buckets(route, account, *planned) if planned else ()),
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
            self._plans.quota(planned[0]) if planned else None,
            route.function,
            route.qualifier,
            concurrency,
            reserved,
            complete=account is not None
            and (not route.api_key_required or (self._plans.known and key != UNREADABLE)),
            hit=route,
            turned_away=turned_away,
        )

    def _stage_buckets(
        self, route: Route, stage: Stage, account: Throttle | None
    ) -> Iterator[Bucket]:
        own = stage.own.get(route.key) or stage.own.get(f"* {route.path}")
        here = f"{self._api.id} {stage.name}"
        # Methods that nobody throttled have the account's figures in the settings of REST stages.
        if own is not None and own != account:
            yield from bucket_of(Cause.METHOD, route.key, own, account, f"{here} {route.key}")
        elif own is None and stage.throttle is not None and stage.throttle != account:
            yield from bucket_of(Cause.STAGE, f"stage {stage.name}", stage.throttle, account, here)

    # -- what lies outside the API

    def _read_concurrency(self, routes: Iterable[Route]) -> int | None:
        functions = sorted({route.function for route in routes if route.function})
        if not functions:
            return None
        client = self._session.control_lambda()
        unreserved = self._asking.ask(
            "the account's concurrency",
            lambda: unreserved_concurrency(client),
            "lambda:GetAccountSettings",
        )
        for name in functions:
            reserve = self._asking.ask_whether(
                f"the reserved concurrency of {name}",
                partial(reserved_concurrency, client, name),
                "lambda:GetFunctionConcurrency",
            )
            if reserve is not None:
                own = reserve[0]
                self._concurrency[name] = (unreserved, False) if own is None else (own, True)
        return unreserved
