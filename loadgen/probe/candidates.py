"""Scenarios that a probe may send as, and what tells them apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loadgen.api_keys import step_api_keys
from loadgen.auth.keys import auth_keys, key_of_step
from loadgen.limits import Bucket
from loadgen.probe.setup import Factor, Identity
from loadgen.profile.model import Auth, Profile, Scenario, Step
from loadgen.steps import method_and_path, step_infos


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scenario that sends one request, and what tells it from others."""

    identity: Identity
    method: str
    path: str
    stage: str | None
    key: str | None
    auth: Auth

    @property
    def request(self) -> tuple[str, str]:
        """Method and path as written."""
        return self.method, self.path

    def differs(self, other: Candidate) -> frozenset[Factor]:
        """In which factors the two differ; other kinds of credentials are no key."""
        found: set[Factor] = set()
        if self.request != other.request:
            found.add("method")
        if self.key != other.key:
            found.add("key")
        if self.stage != other.stage:
            found.add("stage")
        return frozenset(found)


def candidates(profile: Profile, stage: str | None = None) -> list[Candidate]:
    """The scenarios that send exactly one request, in the order of the profile.

    One that names `stage`, that of the target, is on no other.
    """
    infos = step_infos(profile)
    keys = step_api_keys(profile)
    auths, of_step = auth_keys(profile), key_of_step(profile)
    numbers = {scenario.name: number for number, scenario in enumerate(profile.scenarios)}
    found = []
    for info in infos:
        if sum(one.scenario == info.scenario for one in infos) != 1:
            continue
        found.append(
            Candidate(
                identity=Identity(info.scenario, numbers[info.scenario], info.index),
                method=info.method,
                path=info.path,
                stage=None if info.stage == stage else info.stage,
                key=keys[info.index],
                auth=auths[of_step[info.index]],
            )
        )
    return found


def tighter(base: Iterable[Bucket], other: Iterable[Bucket]) -> Bucket | None:
    """A bucket that only the other has and that is tighter than the tightest of the base."""
    own = {bucket.shared_key: bucket for bucket in base}
    if not own:
        return None
    least = min(own.values(), key=lambda one: one.rate_rps)
    for bucket in other:
        few = bucket.burst < min(12, 0.4 * least.burst)
        if bucket.shared_key not in own and (bucket.rate_rps < 0.8 * least.rate_rps or few):
            return bucket
    return None


def step_of(scenario: Scenario) -> Step:
    """The step of a scenario that sends its only request."""
    return next(step for step in scenario.flow if method_and_path(step) is not None)


def same_auth(one: Candidate, other: Candidate) -> bool:
    """Whether two send the same credentials."""
    return one.auth == other.auth
