"""The names of the steps of a load profile, as far as its text tells them before a run."""

from __future__ import annotations

from collections.abc import Iterator

from core.layers import SECTION
from core.located_yaml import Document, Value

# As `loadgen` names a step that has no name of its own.
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


def step_names(profile: Document) -> frozenset[str] | None:
    """The names that figures of its runs have; None where only a run tells them.

    That is: users of a locustfile send the requests, an environment has scenarios of its own, or a
    name is filled in from the environment.
    """
    top = profile.value
    if not isinstance(top, dict) or top.get("locustfile") is not None:
        return None
    environments = _mapping(top.get(SECTION))
    if any("scenarios" in _mapping(one) for one in environments.values()):
        return None
    names = frozenset(_names(top.get("scenarios")))
    return None if not names or any("${env." in name for name in names) else names


def _names(scenarios: Value) -> Iterator[str]:
    for scenario in scenarios if isinstance(scenarios, list) else ():
        flow = _mapping(scenario).get("flow")
        for step in flow if isinstance(flow, list) else ():
            fields = _mapping(step)
            method = next((name for name in _METHODS if fields.get(name) is not None), None)
            if method is not None:
                yield str(fields.get("name") or f"{method.upper()} {fields[method]}")


def _mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}
