"""A profile as it is read: environments, settings, variables of the environment, and places."""

from __future__ import annotations

import hashlib
import json
import string
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputError
from loadgen.flow.template import Template
from loadgen.profile.model import ApiKeyAuth, ApiTarget, NoAuth, RangeBetween, Steps
from loadgen.profile.reader import read_profile
from loadgen.steps import step_infos
from tests.loadgen.profile_texts import ENV, GOOD, faults, read, with_mistake, write_profile

SECRET = "hunter2-hunter2"


def test_a_good_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    file = read(tmp_path)

    load, flow = file.profile.load, file.profile.scenarios[0].flow
    assert load.phases[1].rate == (5, 50)
    assert load.phases[2].rate == Steps.model_validate({"from": 10, "to": 100, "count": 10})
    assert load.phases[4].within_s == 0.05
    assert load.drain_s == 30
    assert flow[0].checks is not None
    assert flow[0].checks.status == (200,)
    assert flow[1].think == RangeBetween(between=(0.1, 0.3))
    assert [step.name for step in step_infos(file.profile)] == [
        "list", "GET /items/${item}", "POST /orders",
    ]  # fmt: skip
    assert file.base_dir == tmp_path
    assert file.environment is None


def test_the_text_is_kept_as_it_was_read(tmp_path: Path) -> None:
    file = read(tmp_path)

    assert file.text == GOOD
    assert file.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    assert ENV["API_KEY"] not in file.text


def test_a_value_has_a_place_and_a_name(tmp_path: Path) -> None:
    file = read(tmp_path, environment="local", settings=["load.phases[1].rate=7"])

    path = tmp_path / "p.yaml"
    assert file.at("load", "max_in_flight") == f"{path}:13:18: load.max_in_flight"
    # Of what is not there, what should have it.
    assert file.at("load", "seed") == f"{path}:12:1: load.seed"
    assert file.at("target", "url") == f"{path}:45:19: target.url"
    assert file.at("load", "phases", 1, "rate") == (
        "--set load.phases[1].rate=7: load.phases[1].rate"
    )


# Environments


def test_an_environment_lies_over_the_rest(tmp_path: Path) -> None:
    profile = read(tmp_path, environment="staging").profile

    assert profile.load.max_in_flight == 50
    assert len(profile.load.phases) == 5
    # Another kind of target takes the place of the one there was.
    assert profile.target.url is None
    assert profile.target.api == ApiTarget(name="shop", stage="staging")
    assert isinstance(profile.auth, ApiKeyAuth)


def test_another_type_of_auth_takes_the_place_of_the_whole(tmp_path: Path) -> None:
    profile = read(tmp_path, environment="local", env={}).profile

    assert profile.auth == NoAuth(type="none")


def test_a_key_without_a_value_takes_the_key_away(tmp_path: Path) -> None:
    text = with_mistake(GOOD, "load: {max_in_flight: 50}", "load: {max_in_flight: }")

    assert read(tmp_path, text, environment="staging").profile.load.max_in_flight == 1000
    assert faults(tmp_path, settings=["name="]) == ["--set name=: name: is missing"]


def test_a_part_of_an_api_target_can_differ_by_environment(tmp_path: Path) -> None:
    text = GOOD.replace(
        "  url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
        "  api: {id: a1b2c3d4e5, stage: prod, kind: rest}",
    )

    profile = read(tmp_path, text, environment="staging").profile

    assert profile.target.api == ApiTarget(name="shop", stage="staging", kind="rest")


def test_a_fault_of_an_environment_is_where_it_is_written(tmp_path: Path) -> None:
    text = with_mistake(GOOD, "max_in_flight: 50", "max_in_flight: 0")

    chosen = faults(tmp_path, text, environment="staging")
    other = faults(tmp_path, text)

    assert chosen == ["49:27: load.max_in_flight: must be at least 1 (got 0)"]
    assert other == ["49:27: environments.staging.load.max_in_flight: must be at least 1 (got 0)"]


def test_what_only_environments_have_is_not_said_to_be_missing_for_ever(tmp_path: Path) -> None:
    target = "target:\n  url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod\n"
    text = with_mistake(GOOD, target, "")

    assert read(tmp_path, text, environment="local").profile.target.url == "http://127.0.0.1:9000"
    assert faults(tmp_path, text) == [
        "1:1: target: is missing without --env local or --env staging"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD, "there is no environment 'prod' (there are local, staging)"),
        (GOOD[: GOOD.index("environments:")], "there is no environment 'prod' (the profile has no"),
    ],
)
def test_an_unknown_environment_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path, text, environment="prod")

    assert said in str(raised.value)


def test_an_environment_has_no_environments(tmp_path: Path) -> None:
    text = f"{GOOD}    environments: {{staging: {{}}}}\n"

    assert faults(tmp_path, text, environment="staging") == [
        "50:5: environments.staging.environments: an environment has no environments of its own"
    ]


# Settings


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("load.seed=7", ("load", "seed"), 7),
        ("load.phases.0.rate=[1, 2]", ("load", "phases", 0, "rate"), [1, 2]),
        ("load.phases[0].duration=20s", ("load", "phases", 0, "duration"), "20s"),
        ("validity.max_cpu=80%", ("validity", "max_cpu"), "80%"),
        ("thresholds.2=count(ok) > 5", ("thresholds", 2), "count(ok) > 5"),
        ("vars.note=a=b", ("vars", "note"), "a=b"),
        ("guards.hosts=", ("guards", "hosts"), None),
        ("thresholds=", ("thresholds",), None),
        ("auth={type: none}", ("auth",), {"type": "none"}),
    ],
)
def test_a_setting_outranks_the_file(
    tmp_path: Path, setting: str, path: tuple[str | int, ...], value: object
) -> None:
    assert read(tmp_path, settings=[setting]).document.at(path) == value


def test_a_setting_outranks_an_environment(tmp_path: Path) -> None:
    file = read(tmp_path, environment="staging", settings=["load.max_in_flight=60"])

    assert file.profile.load.max_in_flight == 60


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("load.phases.0.rate=-5", "load.phases[0].rate: must be at least 0 (got -5)"),
        ("laod.seed=1", "laod: unknown key (did you mean load?)"),
        ("load.sead=1", "load.sead: unknown key (did you mean seed?)"),
        ("load.phases.7.rate=1", "load.phases is a list of 5: use a number from 0 to 5"),
        ("load.phases.x=1", "load.phases is a list of 5: use a number from 0 to 5"),
        ("name.x=1", "name has no parts"),
        ("load.seed", "must be PATH=VALUE such as load.phases.0.rate=50"),
        ("load..seed=1", "must be PATH=VALUE such as load.phases.0.rate=50"),
        ("load.seed={", "is not YAML"),
        ("load.seed=!x 1", "the tag !x is not known here"),
    ],
)
def test_a_wrong_setting_is_told_by_its_own_words(tmp_path: Path, setting: str, said: str) -> None:
    (found,) = faults(tmp_path, settings=[setting])

    assert found.startswith(f"--set {setting}: ")
    assert said in found


def test_faults_of_the_file_and_of_settings_are_told_at_once(tmp_path: Path) -> None:
    text = with_mistake(GOOD, "weight: 3", "weight: 0")

    assert faults(tmp_path, text, settings=["load.seed=-1", "nonsense"]) == [
        "22:13: scenarios[0].weight: must be greater than 0 (got 0)",
        "--set load.seed=-1: load.seed: must be at least 0 (got -1)",
        "--set nonsense: must be PATH=VALUE such as load.phases.0.rate=50",
    ]


# The environment


@pytest.mark.parametrize(
    ("written", "env", "value"),
    [
        ("${env.KEY}", {"KEY": "abc"}, "abc"),
        ("a-${env.KEY}-${env.KEY}", {"KEY": "b"}, "a-b-b"),
        ("${env.KEY:-default}", {}, "default"),
        ("${env.KEY:-default}", {"KEY": ""}, "default"),
        ("${env.KEY:-default}", {"KEY": "set"}, "set"),
        ("a${env.KEY:-}", {}, "a"),
        ("12345", {}, "12345"),
    ],
)
def test_texts_are_filled_in_from_the_environment(
    tmp_path: Path, written: str, env: dict[str, str], value: str
) -> None:
    text = GOOD.replace("${env.API_KEY}", written)

    auth = read(tmp_path, text, env=env).profile.auth

    assert isinstance(auth, ApiKeyAuth)
    assert auth.value == value


def test_what_is_no_text_is_filled_in_too(tmp_path: Path) -> None:
    text = GOOD.replace("rate: 5,", "rate: '${env.RATE}',").replace(
        "measure: false", "measure: '${env.MEASURE:-false}'"
    )

    phase = read(tmp_path, text, env={**ENV, "RATE": "12.5"}).profile.load.phases[0]

    assert phase.rate == 12.5
    assert phase.measure is False


def test_a_number_from_the_environment_is_text_where_text_is_wanted(tmp_path: Path) -> None:
    auth = read(tmp_path, env={"API_KEY": "12345"}).profile.auth

    assert isinstance(auth, ApiKeyAuth)
    assert auth.value == "12345"


def test_a_dollar_from_the_environment_is_no_template(tmp_path: Path) -> None:
    text = GOOD.replace("${vars.customer}", "${env.TOKEN}")

    profile = read(tmp_path, text, env={**ENV, "TOKEN": "a$${uuid}"}).profile

    template = Template.parse(profile.http.headers["X-Run"])
    assert template.is_constant
    assert template.parts == ("a$${uuid}",)


def test_a_doubled_dollar_is_left_for_templates(tmp_path: Path) -> None:
    text = GOOD.replace('"${vars.customer}"', '"$${env.NOTHING}"', 1)

    assert read(tmp_path, text).profile.http.headers == {"X-Run": "$${env.NOTHING}"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "${env.NOTHING}",
            "the environment variable NOTHING is not set: set it, or write ${env.NOTHING:-default}",
        ),
        ("${env.9}", "must be ${env.NAME} or ${env.NAME:-default} (got ${env.9})"),
        ("${env}", "must be ${env.NAME} or ${env.NAME:-default} (got ${env})"),
        ("${env.A-b}", "must be ${env.NAME} or ${env.NAME:-default} (got ${env.A-b})"),
    ],
)
def test_what_cannot_be_filled_in_is_told(tmp_path: Path, written: str, said: str) -> None:
    text = GOOD.replace("${env.API_KEY}", written)

    assert faults(tmp_path, text) == [f"5:30: auth.value: {said}"]


def test_what_other_environments_need_may_be_missing(tmp_path: Path) -> None:
    text = with_mistake(GOOD, "max_in_flight: 50", "max_in_flight: '${env.NOTHING}'")

    assert read(tmp_path, text).profile.load.max_in_flight == 200


def test_a_step_whose_path_has_a_secret_is_named_as_it_is_written(tmp_path: Path) -> None:
    text = with_mistake(GOOD, "post: /orders", 'post: "/orders?key=${env.API_KEY}"')

    step = step_infos(read(tmp_path, text).profile)[2]

    assert step.path == f"/orders?key={ENV['API_KEY']}"
    assert step.name == "POST /orders?key=${env.API_KEY}"


# Places where a value of the environment leads to a fault of every kind.
SECRET_PLACES = {
    "duration": ("duration: 1m", "duration: '${env.SECRET}'"),
    "rate": ("rate: [5, 50]", "rate: '${env.SECRET}'"),
    "one of a list": ("rate: [5, 50]", "rate: [5, '${env.SECRET}']"),
    "flag": ("measure: false", "measure: '${env.SECRET}'"),
    "word of a choice": ("order: random", "order: '${env.SECRET}'"),
    "type": ("type: api_key", "type: '${env.SECRET}'"),
    "name": ("name: stairs", "name: '${env.SECRET}!'"),
    "name that is used twice": (
        "- name: order",
        "- name: '${env.SECRET}'\n    flow: [{get: /}]\n  - name: '${env.SECRET}'",
    ),
    "name that is not known": ("[browse]", "['${env.SECRET}']"),
    "name that could be suggested": (
        "phase: ramp",
        "phase: hunter2-hunter",
    ),
    "URL": (
        "url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
        "url: '${env.SECRET}'",
    ),
    "host of a URL": (
        "url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
        "url: 'http://${env.SECRET}^/'",
    ),
    "region": ("vars:", "aws: {region: '${env.SECRET}'}\nvars:"),
    "file": ("file: users.csv", "file: '${env.SECRET}'"),
    "feed": ("file: users.csv", "file: '${env.FILE}'"),
    "path": ("get: /items\n", "get: '${env.SECRET}'\n"),
    "template": ('"${vars.customer}"', '"${random_int(${env.SECRET}, 5)}"'),
    "header": ('"${vars.customer}"', '"${env.SECRET}\\n"'),
    "regular expression": ("body: slow down", "body: '(${env.SECRET}'"),
    "capture": ('item: "json: items[0].id"', "item: '${env.SECRET}'"),
    "condition": ("- p95(response) < 300ms", "- ${env.SECRET} < 5"),
    "host": ("[api.example.com]", "['${env.SECRET}/']"),
    "status": ("status: 200", "status: '${env.SECRET}'"),
}


@pytest.mark.parametrize(
    ("before", "after"), [pytest.param(*case, id=name) for name, case in SECRET_PLACES.items()]
)
def test_no_message_shows_what_came_from_the_environment(
    tmp_path: Path, before: str, after: str
) -> None:
    text = with_mistake(GOOD, before, after)
    (tmp_path / f"{SECRET}.csv").write_text("id,id\n")
    if before == "phase: ramp":
        text = with_mistake(text, "{name: ramp", "{name: '${env.SECRET}'")

    found = faults(tmp_path, text, env={**ENV, "SECRET": SECRET, "FILE": f"{SECRET}.csv"})

    assert found
    assert not any(SECRET in message for message in found)


@pytest.mark.parametrize(
    "setting",
    [f"auth.value={{{SECRET}}}", f"http.headers.X-Key=['{SECRET}']", f"vars.key=['{SECRET}']"],
)
def test_no_message_shows_a_setting_that_may_be_a_secret(tmp_path: Path, setting: str) -> None:
    found = faults(tmp_path, settings=[setting])

    assert found
    assert not any(SECRET in message for message in found)


# Files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "could not read ", id="missing"),
        pytest.param(b"\xff\xfe", "is not UTF-8 text", id="not text"),
        pytest.param(b"#" * 1_000_001, "must have at most 1000000 bytes", id="too large"),
        pytest.param(b"", ":1:1: is empty: `loadgen init` writes", id="empty"),
        pytest.param(b"- a", ":1:1: must be a mapping of keys", id="a list"),
        pytest.param(b"a: [", "is not YAML", id="not YAML"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "p.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InputError) as raised:
        read_profile(path)

    assert str(path) in str(raised.value)
    assert said in str(raised.value)


def test_files_are_looked_for_beside_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_profile(tmp_path, GOOD)
    monkeypatch.chdir(tmp_path.parent)

    assert read_profile(path.relative_to(tmp_path.parent), env=ENV).profile.data


# Whatever is written, the answer is a profile or located faults.

_WORDS = st.text(string.printable, max_size=6) | st.sampled_from(
    ["${env.A}", "${vars.x}", "api_key", "type", "name", "rate", "from", "get", "think", "5s", "1%"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=10,
)
_SECTIONS = (
    "target", "auth", "http", "vars", "data", "load", "scenarios", "locustfile", "outcomes",
    "thresholds", "guards", "environments", "sandbox",
)  # fmt: skip
_QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _attempt(folder: Path, text: str, **more: Any) -> None:
    with suppress(InputError):
        read(folder, text, **more)


@_QUICK
@given(st.sampled_from(_SECTIONS), _VALUES)
def test_no_value_of_a_section_brings_another_error(
    tmp_path: Path, section: str, value: Any
) -> None:
    start = GOOD.index(f"\n{section}:") if f"\n{section}:" in GOOD else len(GOOD) - 1
    rest = GOOD[start + 1 :].split("\n")
    kept = next((i for i, line in enumerate(rest) if i and not line.startswith(" ")), len(rest))
    after = "\n".join(rest[kept:])
    _attempt(tmp_path, f"{GOOD[: start + 1]}{section}: {json.dumps(value)}\n{after}")


@_QUICK
@given(
    st.integers(0, len(GOOD)), st.integers(0, 4), st.text("{}[]:-&*!|>'\"%$,?# \nax0", max_size=4)
)
def test_no_slip_in_a_good_file_brings_another_error(
    tmp_path: Path, at: int, cut: int, typed: str
) -> None:
    _attempt(tmp_path, GOOD[:at] + typed + GOOD[at + cut :])


@_QUICK
@given(st.text(max_size=12), _VALUES)
def test_no_setting_brings_another_error(tmp_path: Path, path: str, value: Any) -> None:
    _attempt(tmp_path, GOOD, settings=[f"{path}={json.dumps(value)}"])
