"""Which auth a step has: its own, else its scenario's, else the profile's."""

from __future__ import annotations

from loadgen.profile.model import Auth, Profile
from loadgen.steps import method_and_path, step_infos

PROFILE_KEY = "profile"


def auth_keys(profile: Profile) -> dict[str, Auth]:
    """Each auth that is used, by its key, in the order of the first step that uses it.

    Keys are `profile`, `scenario:NAME` and `step:INDEX` (the global step number). A locustfile,
    which has no steps, uses that of the profile.
    """
    found = dict(_of_steps(profile))
    return found or {PROFILE_KEY: profile.auth}


def key_of_step(profile: Profile) -> tuple[str, ...]:
    """The key of each step's auth, by global step number."""
    return tuple(key for key, _ in _of_steps(profile))


def place_of(profile: Profile, key: str) -> str:
    """Where the auth of `key` stands, for messages."""
    kind, _, name = key.partition(":")
    if kind == "scenario":
        return f"auth of scenario '{name}'"
    if kind == "step":
        return f"auth of step '{step_infos(profile)[int(name)].name}'"
    return "auth of the profile"


def _of_steps(profile: Profile) -> list[tuple[str, Auth]]:
    found: list[tuple[str, Auth]] = []
    for scenario in profile.scenarios:
        for step in scenario.flow:
            if method_and_path(step) is None:
                continue
            if step.auth is not None:
                found.append((f"step:{len(found)}", step.auth))
            elif scenario.auth is not None:
                found.append((f"scenario:{scenario.name}", scenario.auth))
            else:
                found.append((PROFILE_KEY, profile.auth))
    return found
