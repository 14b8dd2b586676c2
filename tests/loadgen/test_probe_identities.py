"""Whom a probe sends as: what is taken from the profile, what is derived, and what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.aws.gateway import Route
from core.errors import InputError
from loadgen.limits import Limits, StepLimits
from loadgen.outcome import Cause
from loadgen.probe.identities import chosen
from loadgen.profile.model import Profile
from tests.loadgen.probe_rig import bucket
from tests.loadgen.profile_texts import GOOD, faults, with_mistake

KEY = {"type": "api_key", "value": "key-0123456789"}
OTHER_KEY = {"type": "api_key", "value": "key-9876543210"}


def profile(*scenarios: dict[str, Any], **limits: Any) -> Profile:
    return Profile.model_validate(
        {
            "version": 1,
            "name": "shop",
            "target": {"api": {"name": "shop"}},
            "load": {"phases": [{"name": "a", "rate": 1, "duration": 1}]},
            "scenarios": list(scenarios),
            "limits": limits,
        }
    )


def scenario(name: str, path: str = "/a", **more: Any) -> dict[str, Any]:
    return {"name": name, "flow": [{"get": path}], **more}


def route(method: str, path: str, *, api_key_required: bool = False) -> Route:
    return Route(method, path, None, None, api_key_required, "NONE")


TWO_STEPS = {"name": "flow", "flow": [{"get": "/a"}, {"get": "/b"}]}
ROUTES = [
    route("GET", "/a"),
    route("POST", "/b"),
    route("GET", "/c/{id}"),
    route("GET", "/d", api_key_required=True),
    route("GET", "/e"),
]


def test_the_first_scenario_with_one_request_is_probed() -> None:
    assert chosen(profile(TWO_STEPS, scenario("a"))).base.name == "a"


def test_an_option_goes_before_the_profile() -> None:
    given = profile(scenario("a"), scenario("b", "/b"), scenario("c", "/c"), scenario="b")

    assert chosen(given).base.name == "b"
    assert chosen(given, wanted="c").base.name == "c"


@pytest.mark.parametrize(
    ("given", "wanted", "message"),
    [
        (profile(TWO_STEPS), None, "limits: no scenario of the profile sends exactly one request"),
        (profile(TWO_STEPS), "flow", "--scenario: the flow of scenario 'flow' must send exactly"),
        (profile(scenario("a")), "b", "--scenario: there is no scenario 'b' (those that fit: a)"),
        (
            profile(scenario("a", auth=KEY), scenario("b", "/b", auth=OTHER_KEY), method="b"),
            None,
            "limits.method: scenario 'b' must differ from 'a' in the method, and in nothing else",
        ),
        (
            profile(scenario("a", auth=KEY), scenario("b", auth=KEY), key="b"),
            None,
            "limits.key: scenario 'b' must differ from 'a' in the key, and in nothing else",
        ),
    ],
    ids=["no request", "two requests", "unknown", "other key too", "the same key"],
)
def test_what_does_not_fit_is_told(given: Profile, wanted: str | None, message: str) -> None:
    with pytest.raises(InputError) as error:
        chosen(given, wanted=wanted)

    assert str(error.value).startswith(message)


def test_scenarios_that_differ_in_one_factor_are_found() -> None:
    found = chosen(
        profile(
            scenario("a", auth=KEY),
            scenario("b", "/b", auth=KEY),
            scenario("k", auth=OTHER_KEY),
            scenario("s", auth=KEY, stage="dev"),
            scenario("x", "/b", auth=OTHER_KEY, stage="dev"),
        )
    )

    assert {factor: one.name for factor, one in found.others.items()} == {
        "method": "b",
        "key": "k",
        "stage": "s",
    }
    assert found.canary is not None
    assert found.canary.name == "x"


def test_the_stage_of_the_target_is_no_other_stage() -> None:
    given = profile(scenario("a"), scenario("b", "/b", stage="prod"))
    found = chosen(given, stage="prod")

    assert found.others["method"].name == "b"
    assert found.canary is None


def test_another_key_of_the_profile_sends_the_same_request() -> None:
    found = chosen(profile(scenario("a", auth=KEY), scenario("b", "/b", auth=OTHER_KEY)))
    derived = found.profile.scenarios[found.others["key"].scenario]

    assert derived.flow == found.profile.scenarios[0].flow
    assert derived.auth is not None
    assert derived.auth.model_dump()["value"] == OTHER_KEY["value"]
    # Injectors read the profile again.
    assert Profile.model_validate(found.profile.model_dump(mode="json", by_alias=True))


def test_another_route_of_the_api_is_used_where_it_takes_the_same_credentials() -> None:
    limits = Limits((StepLimits(0, "GET /a"),))
    found = chosen(profile(scenario("a")), limits=limits, routes=ROUTES)

    step = found.profile.scenarios[found.others["method"].scenario].flow[0]
    assert step.get == "/e"
    assert "another method: GET /e, which the API has" in found.notes


def test_a_scenario_with_a_tighter_limit_of_its_own_tells_nothing() -> None:
    tight = bucket(Cause.METHOD, rate=10, burst=5, key="own")
    limits = Limits((StepLimits(0, "GET /a", (bucket(),)), StepLimits(1, "GET /b", (tight,))))
    found = chosen(profile(scenario("a"), scenario("b", "/b")), limits=limits)

    assert "method" not in found.others
    assert "scenario b is not compared: it has a tighter limit of its own, method x" in found.notes


def test_the_canary_has_a_step_of_its_own() -> None:
    found = chosen(profile(scenario("a"), scenario("s", stage="dev")))

    assert found.others["stage"].name == "s"
    assert found.canary is not None
    assert found.canary.step != found.others["stage"].step
    assert found.profile.scenarios[found.canary.scenario].stage == "dev"


# -- the section of the profile -------------------------------------------------------------------

SECTION = "guards: {hosts: [api.example.com]}\n"
ORDER = "  - name: order\n"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{scenario: ordr}", "limits.scenario: there is no scenario of this name"),
        ("{scenario: browse}", "limits.scenario: its flow must send exactly one request, and se"),
        ("{method: order}", "limits.method: must be another one than scenario 'order', whose"),
        ("{method: copy}", "limits.method: must have another method or path than scenario 'ord"),
        ("{key: far}", "limits.key: must have the same stage as scenario 'order'"),
        ("{stage: copy}", "limits.stage: must have another stage than scenario 'order'"),
        ("{stage: other}", "limits.stage: must have another stage than"),
        ("{key: other}", "limits.key: must send the same method and path as scenario 'order'"),
        ("{canary: copy}", "limits.canary: must have another stage than scenario 'order'"),
        ("{max_rate: 0}", "limits.max_rate: "),
        ("{max_duration: 0s}", "limits.max_duration: must be more than 0"),
        ("{max_admitted: -1}", "limits.max_admitted: "),
        ("{account: perhaps}", "limits.account: "),
        ("{methods: order}", "limits.methods: "),
    ],
)
def test_mistakes_in_the_section_are_told_with_their_place(
    tmp_path: Path, section: str, message: str
) -> None:
    more = """\
  - name: copy
    flow: [{post: /orders}]
  - name: other
    flow: [{get: /orders}]
  - name: far
    stage: dev
    flow: [{post: /orders}]
outcomes:
"""
    text = with_mistake(GOOD, "outcomes:\n", more)
    text = with_mistake(text, SECTION, f"{SECTION}limits: {section}\n")
    line = text[: text.index(f"limits: {section}")].count("\n") + 1

    told_lines = [one for one in faults(tmp_path, text) if one.startswith(f"{line}:")]

    assert any(message in one for one in told_lines)


def test_a_function_url_has_no_stages(tmp_path: Path) -> None:
    text = with_mistake(GOOD, ORDER, "  - name: order\n    stage: dev\n")
    text = with_mistake(
        text,
        "  url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod\n",
        "  function_url: shop\n",
    )

    assert any("a function URL has no stages" in one for one in faults(tmp_path, text))
