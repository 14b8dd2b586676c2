"""Which API key the requests of each step carry. Values stay in memory and are never shown."""

from __future__ import annotations

from collections.abc import Mapping

from loadgen.profile.model import ApiKeyAuth, Auth, Profile, Step
from loadgen.steps import method_and_path

HEADER = "x-api-key"
# Stands for a key that is different from request to request, or known at run time only.
UNREADABLE = "${...}"


def step_api_keys(profile: Profile) -> list[str | None]:
    """The value of the key by step, None where there is none, `UNREADABLE` for templates."""
    return [
        _step_key(profile, scenario.auth, step)
        for scenario in profile.scenarios
        for step in scenario.flow
        if method_and_path(step) is not None
    ]


def _step_key(profile: Profile, of_scenario: Auth | None, step: Step) -> str | None:
    value = _in_headers(step.headers) or _in_headers(profile.http.headers)
    auth = step.auth or of_scenario or profile.auth
    if isinstance(auth, ApiKeyAuth) and auth.header.lower() == HEADER:
        value = value or auth.value
    if value is not None and "${" in value:
        return UNREADABLE
    return value


def _in_headers(headers: Mapping[str, str]) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == HEADER), None)
