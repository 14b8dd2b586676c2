"""A step has its own auth, else its scenario's, else the profile's."""

from __future__ import annotations

import pytest

from loadgen.auth.keys import auth_keys, key_of_step, place_of
from tests.loadgen.auth_rig import profile_with

KEY = {"type": "api_key", "value": "of-the-profile"}
OTHER = {"type": "bearer", "value": "of-the-scenario"}
NONE = {"type": "none"}

SCENARIOS = [
    {"name": "browse", "flow": [{"get": "/a"}, {"think": "1s"}, {"get": "/b", "auth": NONE}]},
    {"name": "buy", "auth": OTHER, "flow": [{"post": "/c"}, {"post": "/d", "auth": KEY}]},
]


def test_each_step_has_the_nearest_auth() -> None:
    profile = profile_with(KEY, scenarios=SCENARIOS)

    assert key_of_step(profile) == ("profile", "step:1", "scenario:buy", "step:3")
    assert {key: auth.type for key, auth in auth_keys(profile).items()} == {
        "profile": "api_key",
        "step:1": "none",
        "scenario:buy": "bearer",
        "step:3": "api_key",
    }
    assert list(auth_keys(profile)) == ["profile", "step:1", "scenario:buy", "step:3"]


def test_an_auth_that_no_step_uses_has_no_key() -> None:
    profile = profile_with(KEY, scenarios=SCENARIOS[1:])

    assert list(auth_keys(profile)) == ["scenario:buy", "step:1"]


def test_a_locustfile_uses_the_auth_of_the_profile() -> None:
    profile = profile_with(KEY, scenarios=[], locustfile={"file": "locustfile.py"})

    assert list(auth_keys(profile)) == ["profile"]
    assert key_of_step(profile) == ()


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("profile", "auth of the profile"),
        ("scenario:buy", "auth of scenario 'buy'"),
        ("step:3", "auth of step 'POST /d'"),
    ],
)
def test_messages_name_the_place(key: str, place: str) -> None:
    assert place_of(profile_with(KEY, scenarios=SCENARIOS), key) == place
