"""The key of a night: what makes two runs one question, and what differs in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.load_document import CalledFunction, LoadDocument, TargetFacts
from reports.nightly.asked import alike, asked_of, differences, key_of, option_values
from tests.reports import documents, load_documents
from tests.reports.compared_loads import Truth, run_of

PROFILE = load_documents.PROFILE


def load(text: str = PROFILE, **provenance: object) -> LoadDocument:
    """A load run of a profile."""
    fields = {"profile_text": text, "environment": None, "command": ["loadgen", "run", "x.yaml"]}
    run = load_documents.provenance(**(fields | provenance))
    return run_of(Truth(seed=1)).model_copy(update={"provenance": run})


def asked_sha(document: LoadDocument) -> str:
    return key_of(document).asked_sha256


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("version: 1", "# a comment\nversion: 1", id="comment"),
        pytest.param("p95(ok) < 300ms", "p95(ok) < 200ms", id="threshold"),
        pytest.param("name: orders\n", "name: shop\ndescription: new\n", id="name"),
        pytest.param("model: open", "model: open\n  seed: 7\n  processes: 2", id="seed"),
        pytest.param("thresholds:", "guards: {max_rate: 5}\nthresholds:", id="guards"),
        pytest.param("rate: 160", "rate: 160.0", id="another form of a number"),
        pytest.param('value: "${env.ORDERS_KEY}"', 'value: "k-12345"', id="a key"),
    ],
)
def test_what_makes_no_other_request_keeps_the_key(old: str, new: str) -> None:
    assert old in PROFILE
    assert asked_sha(load(PROFILE.replace(old, new, 1))) == asked_sha(load())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param(
            "rate: 160", "rate: 80", ["load.phases[2].rate: 160 -> 80"], id="a rate"
        ),
        pytest.param(
            "{get: /search}",
            "{get: /find}",
            ["scenarios[0].flow[1].get: /search -> /find"],
            id="a path",
        ),
        pytest.param(
            "scenarios:",
            "http: {connections: per_request}\nscenarios:",
            ["http.connections: none -> per_request"],
            id="a new section",
        ),
        pytest.param(
            "rate: [20, 160]", "rate: [20, 90]", ["load.phases[1].rate: [20, 160] -> [20, 90]"],
            id="a ramp",
        ),
    ],
)  # fmt: skip
def test_other_requests_are_another_question_in_words(old: str, new: str, words: list[str]) -> None:
    before, after = load(), load(PROFILE.replace(old, new, 1))

    assert asked_sha(before) != asked_sha(after)
    assert differences(asked_of(before), asked_of(after)) == words


def test_an_environment_and_settings_are_laid_over_the_profile() -> None:
    text = PROFILE + "environments: {prod: {load: {max_in_flight: 5}}, dev: {http: {verify: no}}}\n"
    command = ["loadgen", "run", "x.yaml", "--set", "load.phases.2.rate=80", "--set=data.a.file=x"]

    asked = asked_of(load(text, environment="prod", command=command))

    assert asked["environment"] == "prod"
    assert asked["load.max_in_flight"] == "5"
    assert asked["load.phases[2].rate"] == "80"
    assert asked["data.a.file"] == "x"
    assert "http.verify" not in asked


def test_no_secret_is_in_what_was_asked() -> None:
    text = PROFILE.replace(
        "scenarios:",
        "http: {headers: {x-api-key: s3cret-1, accept: json}}\n"
        "vars: {token: s3cret-2, user: anna}\nscenarios:",
    ).replace('value: "${env.ORDERS_KEY}"', "value: s3cret-3")
    command = [
        "loadgen",
        "run",
        "x.yaml",
        "--set",
        "auth.value=s3cret-4",
        "--set",
        "token=s3cret-5",
    ]

    asked = asked_of(load(text, command=command))

    assert "s3cret" not in str(asked).replace("s3cret-5", "")
    assert asked["http.headers.x-api-key"] == "<hidden>"
    assert asked["http.headers.accept"] == "json"
    assert asked["vars.user"] == "anna"
    assert asked["auth.type"] == "api_key"


@pytest.mark.parametrize(
    "text", ["{", "a: [", "", "just a text", "- a\n- b"], ids=["brace", "list", "none", "text", "l"]
)
def test_a_profile_that_cannot_be_read_is_still_a_question(text: str) -> None:
    assert asked_of(load(text))["target"]


def test_settings_that_lead_nowhere_are_kept_as_they_were_given() -> None:
    asked = asked_of(load(command=["loadgen", "run", "x", "--set", "load.phases.9.rate=1"]))

    assert asked["set load.phases.9.rate"] == "1"


@pytest.mark.parametrize(
    ("target", "endpoint", "expected"),
    [
        pytest.param(
            TargetFacts(url="https://x/prod", api_id="a1", api_name="orders", stage="prod",
                        account="123456789012"),
            None, "API orders, stage prod, account 123456789012", id="an API",
        ),
        pytest.param(
            TargetFacts(url="http://127.0.0.1:44883/x", api_id="zz9", api_name="orders",
                        stage="prod", account="000000000000"),
            "http://127.0.0.1:44883", "API orders, stage prod, on this machine", id="a sandbox",
        ),
        pytest.param(
            TargetFacts(url="http://127.0.0.1:8080/shop"), None,
            "127.0.0.1/shop, on this machine", id="a port of this machine",
        ),
        pytest.param(
            TargetFacts(url="https://user:pw@api.example.org:8443/v1"), None,
            "https://api.example.org:8443/v1", id="another host",
        ),
    ],
)  # fmt: skip
def test_a_target_has_the_name_that_it_has_every_night(
    target: TargetFacts, endpoint: str | None, expected: str
) -> None:
    document = load(endpoint=endpoint).model_copy(update={"target": target})

    assert key_of(document).target == expected


def test_what_could_not_be_read_is_no_other_question() -> None:
    functions = [CalledFunction(name="f", memory_mb=512, arch="arm64", timeout_s=5, steps=[0])]
    known = key_of(load().model_copy(update={"functions": functions}))
    larger = [functions[0].model_copy(update={"memory_mb": 1024})]

    assert alike(known, key_of(load()))
    assert not alike(known, key_of(load().model_copy(update={"functions": larger})))
    assert not alike(known, key_of(load(PROFILE.replace("rate: 160", "rate: 80"))))


# -- tunings ----------------------------------------------------------------------------------


def test_a_tuning_is_the_same_question_whichever_size_is_configured() -> None:
    document = documents.cpu_bound()
    current = document.current.model_copy(update={"memory_mb": 1024})

    assert key_of(document) == key_of(document.model_copy(update={"current": current}))
    assert key_of(document).memory_mb == []


@pytest.mark.parametrize(
    ("command", "same"),
    [
        (["tune", "checkout-api", "--runs", "x", "--max-usd", "2", "--yes"], True),
        (["tune", "checkout-api", "--sizes", "128,512"], False),
        (["tune", "checkout-api", "--slo=p95 < 300ms"], False),
        (["tune", "checkout-api", "--thorough"], False),
    ],
)
def test_options_that_decide_what_is_measured_are_in_the_key(
    command: list[str], *, same: bool
) -> None:
    plain = documents.cpu_bound()
    run = plain.provenance.model_copy(update={"command": ["tune", "checkout-api"]})
    other = plain.provenance.model_copy(update={"command": command})

    keys = [key_of(plain.model_copy(update={"provenance": one})) for one in (run, other)]

    assert (keys[0] == keys[1]) is same


@pytest.mark.parametrize(
    ("qualifier", "ends"), [(None, ":checkout-api"), ("7", ":checkout-api"), ("live", ":live")]
)
def test_a_version_is_not_in_the_target_and_an_alias_is(qualifier: str | None, ends: str) -> None:
    document = documents.cpu_bound()
    arn = document.function.arn + (f":{qualifier}" if qualifier else "")
    document = document.model_copy(
        update={
            "function": document.function.model_copy(update={"arn": arn}),
            "provenance": document.provenance.model_copy(update={"qualifier": qualifier}),
        }
    )

    assert key_of(document).target.endswith(ends)


# -- differences ------------------------------------------------------------------------------

TEXTS = st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=12)


@given(TEXTS, TEXTS)
def test_differences_are_at_most_five_and_none_for_the_same(
    before: dict[str, str], after: dict[str, str]
) -> None:
    assert differences(before, before) == []
    assert len(differences(before, after)) <= 6
    assert bool(differences(before, after)) == (before != after)


def test_many_differences_are_counted() -> None:
    found = differences({}, {f"k{n}": "1" for n in range(8)})

    assert found[:2] == ["k0: none -> 1", "k1: none -> 1"]
    assert found[5:] == ["and 3 more"]


def test_an_option_may_have_its_value_behind_an_equals_sign() -> None:
    assert option_values(["--set", "a=1", "--set=b=2", "--sets", "c", "--set"], "set") == [
        "a=1",
        "b=2",
    ]
