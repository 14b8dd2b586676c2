"""Whom a probe sends as: the scenario whose limit is looked for, and others that differ in one way.

Others are taken from the profile where it has them. Where it does not, they are derived: the same
request with the key of another scenario, another GET route that takes the same credentials. Stages
are never derived, because somebody else may work there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.aws.gateway import Route
from core.errors import InputError
from loadgen.api_keys import UNREADABLE
from loadgen.auth.keys import auth_keys
from loadgen.limits import Limits, StepLimits
from loadgen.outcome import Cause
from loadgen.probe.candidates import Candidate, candidates, same_auth, step_of, tighter
from loadgen.probe.setup import FACTORS, Factor, Identity
from loadgen.profile.model import ApiKeyAuth, Auth, Profile, Scenario, Step

_DERIVED = "limits"  # begins the names of derived scenarios


@dataclass(frozen=True, slots=True)
class Choice:
    """The identities of a probe; `profile` has the derived scenarios at the end of its own."""

    profile: Profile
    base: Identity
    others: Mapping[Factor, Identity]
    canary: Identity | None
    has_key: bool
    notes: tuple[str, ...]


def chosen(
    profile: Profile,
    *,
    wanted: str | None = None,
    limits: Limits | None = None,
    routes: Sequence[Route] = (),
    stage: str | None = None,
) -> Choice:
    """Chooses whom to send as; `wanted` goes before `limits.scenario` of the profile.

    `limits`, `routes` and `stage`, that of the target, are as they are configured, as far as that
    is known.

    Raises:
        InputError: no scenario sends one request, or one that is named does not fit.
    """
    return _Choosing(profile, limits or Limits(), routes, stage).choice(wanted)


class _Choosing:
    def __init__(
        self, profile: Profile, limits: Limits, routes: Sequence[Route], stage: str | None
    ) -> None:
        self._profile = profile
        self._stage = stage
        self._limits = limits
        self._routes = routes
        self._notes: list[str] = []

    def _candidates(self) -> list[Candidate]:
        return candidates(self._profile, self._stage)

    def choice(self, wanted: str | None) -> Choice:
        base = self._base(wanted)
        has_key = base.key is not None
        others: dict[Factor, Identity] = {}
        for factor in FACTORS:
            if factor == "key" and not has_key:
                continue
            found = self._other(factor, base)
            if found is not None:
                others[factor] = found.identity
        canary = self._canary(base, others)
        notes = tuple(dict.fromkeys(self._notes))
        return Choice(self._profile, base.identity, others, canary, has_key, notes)

    # -- the scenario itself ---------------------------------------------------------------------

    def _base(self, wanted: str | None) -> Candidate:
        name = wanted or self._profile.limits.scenario
        found = self._candidates()
        if name is None:
            if not found:
                raise InputError(
                    "limits: no scenario of the profile sends exactly one request",
                    hint="add one with the request whose limit is looked for",
                )
            return found[0]
        return self._named(name, "--scenario" if wanted else "limits.scenario")

    def _named(self, name: str, place: str) -> Candidate:
        found = {one.identity.name: one for one in self._candidates()}
        if name in found:
            return found[name]
        if name in {scenario.name for scenario in self._profile.scenarios}:
            raise InputError(
                f"{place}: the flow of scenario '{name}' must send exactly one request"
            )
        fits = ", ".join(found) or "none"
        raise InputError(f"{place}: there is no scenario '{name}' (those that fit: {fits})")

    # -- others ----------------------------------------------------------------------------------

    def _other(self, factor: Factor, base: Candidate) -> Candidate | None:
        given = {"method": self._profile.limits.method, "key": self._profile.limits.key}.get(
            factor, self._profile.limits.stage
        )
        if given is not None:
            named = self._named(given, f"limits.{factor}")
            if named.differs(base) != {factor}:
                raise InputError(
                    f"limits.{factor}: scenario '{given}' must differ from "
                    f"'{base.identity.name}' in the {factor}, and in nothing else"
                )
            return named if self._fits(base, named) else None
        found = self._in_profile(factor, base)
        if found is None and factor == "key":
            found = self._with_other_key(base)
        if found is None and factor == "method":
            found = self._other_route(base)
        if found is None:
            self._notes.append(_MISSING[factor])
        return found if found is None or self._fits(base, found) else None

    def _in_profile(self, factor: Factor, base: Candidate) -> Candidate | None:
        """A scenario of the profile that differs in the factor alone, the best one first."""
        fitting = [
            one
            for one in self._candidates()
            if one.differs(base) == {factor}
            and (factor == "key" or same_auth(one, base))
            and one.key != UNREADABLE
        ]
        fitting = [one for one in fitting if self._fits(base, one)]
        if not fitting:
            return None
        found = min(fitting, key=lambda one: (self._has_own_throttle(one), one.method != "GET"))
        self._notes.append(f"another {factor}: scenario {found.identity.name}")
        return found

    def _with_other_key(self, base: Candidate) -> Candidate | None:
        """The same request with the key of another scenario."""
        for auth in auth_keys(self._profile).values():
            if isinstance(auth, ApiKeyAuth) and "${" not in auth.value and auth.value != base.key:
                scenario = self._profile.scenarios[base.identity.scenario]
                step = step_of(scenario).model_copy(update={"auth": None})
                added = self._add(scenario, "another key", step, auth, base.stage)
                self._notes.append(
                    f"another key: the request of {base.identity.name} with another key of the "
                    "profile"
                )
                return added
        return None

    def _other_route(self, base: Candidate) -> Candidate | None:
        """Another GET route of the API that takes the same credentials and no parameters."""
        own = self._of(base)
        mine = next((one for one in self._routes if own and one.key == own.route), None)
        taken = {one.request for one in self._candidates()}
        for route in self._routes:
            if (
                mine is None
                or route.method != "GET"
                or "{" in route.path
                or (route.method, route.path) in taken
                or (route.auth, route.api_key_required) != (mine.auth, mine.api_key_required)
            ):
                continue
            scenario = self._profile.scenarios[base.identity.scenario]
            step = Step.model_validate({"get": route.path})
            if step_of(scenario).auth is not None:
                step = step.model_copy(update={"auth": step_of(scenario).auth})
            added = self._add(scenario, "another route", step, scenario.auth, base.stage)
            self._notes.append(f"another method: GET {route.path}, which the API has")
            return added
        return None

    def _add(
        self, like: Scenario, name: str, step: Step, auth: Auth | None, stage: str | None
    ) -> Candidate:
        """Adds a scenario to the profile and gives it back as a candidate."""
        taken = {scenario.name for scenario in self._profile.scenarios}
        wanted = f"{_DERIVED} {name}"
        while wanted in taken:
            wanted += "_"
        scenario = like.model_copy(
            update={
                "name": wanted,
                "flow": (step,),
                "auth": auth,
                "stage": stage,
            }
        )
        scenarios = (*self._profile.scenarios, scenario)
        self._profile = self._profile.model_copy(update={"scenarios": scenarios})
        return self._candidates()[-1]

    # -- what is configured ----------------------------------------------------------------------

    def _of(self, one: Candidate) -> StepLimits | None:
        return next((each for each in self._limits.steps if each.step == one.identity.step), None)

    def _has_own_throttle(self, one: Candidate) -> bool:
        own = self._of(one)
        return own is not None and any(b.layer is Cause.METHOD for b in own.buckets)

    def _fits(self, base: Candidate, other: Candidate) -> bool:
        """Whether the other one is not refused by a limit of its own, as far as is known."""
        mine, its = self._of(base), self._of(other)
        if mine is None or its is None:
            return True
        if its.no_route:
            self._notes.append(f"scenario {other.identity.name} is not compared: it has no route")
            return False
        tight = tighter(mine.buckets, its.buckets)
        if tight is not None:
            self._notes.append(
                f"scenario {other.identity.name} is not compared: it has a tighter limit of its "
                f"own, {tight.name}"
            )
        return tight is None

    # -- the canary ------------------------------------------------------------------------------

    def _canary(self, base: Candidate, others: Mapping[Factor, Identity]) -> Identity | None:
        """A scenario on another stage and, where the base has a key, with another key."""
        given = self._profile.limits.canary
        fitting = [self._named(given, "limits.canary")] if given else self._canaries(base)
        if not fitting:
            self._notes.append(
                "no canary: no scenario of the profile is on another stage"
                + (" with another key" if base.key is not None else "")
            )
            return None
        found = fitting[0]
        if base.key is not None and found.key == base.key:
            self._notes.append(
                f"the canary {found.identity.name} has the same key: a refusal may be that of the "
                "usage plan"
            )
        if found.identity in others.values():
            # Its own step, so that what it does is told from what the layer test does.
            scenario = self._profile.scenarios[found.identity.scenario]
            found = self._add(scenario, "canary", step_of(scenario), scenario.auth, found.stage)
        self._notes.append(f"canary: scenario {found.identity.name}")
        return found.identity

    def _canaries(self, base: Candidate) -> list[Candidate]:
        found = [
            one
            for one in self._candidates()
            if "stage" in one.differs(base)
            and (base.key is None or "key" in one.differs(base))
            and one.key != UNREADABLE
        ]
        if found or base.key is None:
            return found
        return self._canary_with_other_key(base)

    def _canary_with_other_key(self, base: Candidate) -> list[Candidate]:
        """A scenario on another stage, with another key of the profile."""
        elsewhere = [one for one in self._candidates() if "stage" in one.differs(base)]
        keys = [
            auth
            for auth in auth_keys(self._profile).values()
            if isinstance(auth, ApiKeyAuth) and "${" not in auth.value and auth.value != base.key
        ]
        if not elsewhere or not keys:
            return []
        one = elsewhere[0]
        scenario = self._profile.scenarios[one.identity.scenario]
        step = step_of(scenario).model_copy(update={"auth": None})
        return [self._add(scenario, "canary", step, keys[0], one.stage)]


_MISSING: Mapping[Factor, str] = {
    "method": "no other method is tested: no scenario differs in method or path alone",
    "key": "no other key is tested: the profile has no second API key",
    "stage": "no other stage is tested: no scenario has the same request with another `stage`",
}
