"""`loadgen preflight` in front of a sandbox: every limit with its source, and what will be met."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from loadgen.limits_reading import read_limits
from loadgen.preflight.path_reading import read_path
from loadgen.target import resolve
from tests.loadgen.shop import METERED_KEY, RATED_KEY, Caller, canned_aws, profile_of
from tests.system.conftest import Command, CommandHere, Finished


class Lab:
    """Looks at profiles for the shop's tools, in this process."""

    def __init__(self, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = command.folder
        self._command = command
        self._here = CommandHere(command, capsys)

    def profile(self, *flow: dict[str, Any], **parts: Any) -> str:
        """Writes a profile with these steps in one scenario; JSON is YAML."""
        document = {
            "version": 1,
            "name": "try",
            "target": {"api": {"name": "tools"}},
            "load": {"seed": 4, "phases": [{"name": "hold", "duration": "20s", "rate": 40}]},
            "scenarios": [{"name": "all", "flow": list(flow)}],
            "validity": {"max_start_lag": "5s", "max_cpu": "100%"},
        }
        (self.folder / "try.yaml").write_text(json.dumps(document | parts), encoding="utf-8")
        return "try.yaml"

    def look(self, *flow: dict[str, Any], options: tuple[str, ...] = (), **parts: Any) -> Finished:
        """`loadgen preflight --json` of such a profile."""
        file = self.profile(*flow, **parts)
        return self._here.run("loadgen", "preflight", file, "--json", *options)

    def run(self, *flow: dict[str, Any], **parts: Any) -> Finished:
        """`loadgen run --json` of such a profile; injectors are processes of their own."""
        return self._here.run("loadgen", "run", self.profile(*flow, **parts), "--json", "-q")


@pytest.fixture
def look(shop_access: LocalAccess, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Lab:
    return Lab(Command(shop_access, tmp_path), capsys)


def keyed(value: str) -> dict[str, Any]:
    return {"get": "/keyed", "headers": {"x-api-key": value}}


def by_layer(document: Any) -> dict[str, Any]:
    return {limit["layer"]: limit for limit in document["limits"]}


# -- what is read ---------------------------------------------------------------------------------


def test_every_limit_on_the_path_has_its_source(look: Lab) -> None:
    found = look.look({"get": "/open"}, {"post": "/paced"}).document
    limits = by_layer(found)

    assert (limits["stage"]["rate_rps"], limits["stage"]["burst"]) == (20.0, 10)
    assert limits["method"]["steps"] == ["POST /paced"]
    assert (limits["account"]["source"], limits["account"]["rate_rps"]) == ("GetAccount", 10_000.0)
    assert limits["account"]["steps"] == ["GET /open", "POST /paced"]
    assert limits["integration"]["timeout_ms"] == 29_000
    assert limits["function"]["timeout_ms"] == 30_000
    assert limits["lambda_concurrency"]["concurrency"] == 2
    assert limits["lambda_request_rate"]["rate_rps"] == 20.0
    assert all(limit["source"] for limit in found["limits"])


def test_a_phase_above_the_stage_is_throttled_by_it(look: Lab) -> None:
    finished = look.look({"get": "/open"})
    (phase,) = finished.document["prediction"]["phases"]

    assert finished.code == 0
    assert (phase["binds"], phase["unknown"]) == ("stage", [])
    assert phase["throttled_share"] == pytest.approx(0.5, abs=0.03)
    warning = finished.document["checks"][0]
    assert (warning["state"], warning["name"]) == ("warning", "phase hold")


def test_without_durations_concurrency_is_unknown_and_no_number(look: Lab) -> None:
    (phase,) = look.look({"post": "/paced"}).document["prediction"]["phases"]

    # That Lambda takes 10 requests a second for each place is known all the same.
    assert {refused["reason"] for refused in phase["refused_by"]} == {"request_rate"}
    assert phase["unknown"] == ["concurrency of function paced"]
    (use,) = phase["concurrency"]
    assert (use["mean"], use["p99"], use["most"], use["limit"]) == (None, None, None, 2)


@pytest.mark.parametrize("where", ["option", "profile"])
def test_given_durations_make_concurrency_known(look: Lab, where: str) -> None:
    options = ("--duration", "POST /paced=1s") if where == "option" else ()
    parts = {} if where == "option" else {"durations": {"POST /paced": "1s"}}
    found = look.look({"post": "/paced"}, options=options, **parts).document["prediction"]
    (phase,) = found["phases"]

    assert phase["unknown"] == []
    assert (phase["binds"], phase["refused_by"][0]["reason"]) == (
        "lambda_concurrency",
        "concurrency",
    )
    # 40 Erlangs on two places: Erlang's B formula.
    assert phase["throttled_share"] == pytest.approx(0.951, abs=0.01)
    (use,) = phase["concurrency"]
    assert use["mean"] == pytest.approx(1.95, abs=0.1)
    assert (use["p99"], use["most"]) == (2.0, 2)


def test_past_calls_tell_how_long_a_function_runs(look: Lab, shop: AwsSession) -> None:
    profile = profile_of({"api": {"name": "tools"}}, {"post": "/known"})
    Caller(resolve(profile, shop).base_url, profile).call(0, times=3)

    (known,) = look.look({"post": "/known"}).document["prediction"]["durations"]

    assert known["source"].startswith("metric Duration, 14 days, ")
    assert known["mean_ms"] == pytest.approx(40, rel=0.01)
    assert known["p99_ms"] == pytest.approx(40, rel=0.01)


def test_limits_that_the_profile_names_are_followed(look: Lab) -> None:
    found = look.look(
        {"get": "/open"},
        downstream=[{"name": "table", "rate": "10/s", "burst": 20, "per_request": 2}],
    ).document
    (use,) = found["prediction"]["phases"][0]["downstream"]

    # 20/s are admitted and use 40 units; 10 are there.
    assert use["needed_rps"] == pytest.approx(41, abs=3)
    assert use["short_share"] == pytest.approx(0.73, abs=0.05)
    assert by_layer(found)["downstream"]["burst"] == 20


# -- what surely goes wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"get": "/opne"}, "GET /opne: no route of API tools takes it"),
        ({"get": "/keyed"}, "GET /keyed: GET /keyed wants an API key, and there is none"),
        (keyed("nobody-knows-this-one-0001"), "GET /keyed: its API key is in no usage plan"),
        (keyed(METERED_KEY), "quota of plan metered, key metered-one: "),
        ({"post": "/paced", "body_file": "big"}, "POST /paced: a body of 11.0 MB: API Gateway tak"),
    ],
    ids=["no route", "no key", "a key without a plan", "a quota that ends", "a body too large"],
)
def test_a_run_that_is_surely_spoilt_is_told(look: Lab, step: dict[str, Any], words: str) -> None:
    (look.folder / "big").write_bytes(bytes(11_000_000))

    finished = look.look(step)

    assert (finished.code, finished.document["verdict"]) == (6, "error")
    assert finished.document["errors"][0].replace("\N{NO-BREAK SPACE}", " ").startswith(words)


def test_a_wrong_duration_is_an_input_error(look: Lab) -> None:
    finished = look.look({"get": "/open"}, options=("--duration", "GET /opne=1s"))

    assert finished.code == 2
    assert finished.document["errors"][0].startswith("--duration GET /opne=1s: there is no step")


def test_a_run_beyond_its_share_of_a_quota_does_not_begin(look: Lab) -> None:
    finished = look.look(keyed(METERED_KEY), guards={"max_quota_share": 0.5})

    assert finished.code == 6
    assert "guards.max_quota_share" in finished.document["errors"][0]


# -- beside what was measured ---------------------------------------------------------------------


def test_after_a_run_the_prediction_stands_beside_the_measurement(look: Lab) -> None:
    phases = [
        {"name": "quota", "burst": 40, "within": "200ms", "scenarios": ["quota"]},
        {"name": "rest", "pause": "100ms"},
        {"name": "rate", "burst": 10, "within": "100ms", "scenarios": ["rate"]},
        {"name": "again", "burst": 10, "within": "100ms", "scenarios": ["again"]},
    ]
    scenarios = [
        {"name": "quota", "flow": [keyed(METERED_KEY) | {"name": "counted"}]},
        {"name": "rate", "flow": [keyed(RATED_KEY) | {"name": "rated"}]},
        {
            "name": "again",
            "retry": {"max_attempts": 2, "throttle_base": "20ms", "quota": "none"},
            "flow": [keyed(RATED_KEY) | {"name": "rated again"}],
        },
    ]

    document = look.run(
        load={"phases": phases}, scenarios=scenarios, aws={"metrics": False}
    ).document

    quota, _, rate, again = document["prediction"]["phases"]
    assert quota["throttled_share"] == quota["found"]["throttled_share"] == 10 / 40
    assert (quota["binds"], quota["found"]["cause"]) == ("quota", "quota")
    assert rate["throttled_share"] == rate["found"]["throttled_share"] == 6 / 10
    assert (rate["binds"], rate["found"]["cause"]) == ("usage_plan", "usage_plan")
    assert (again["throttled_share"], again["found"]["off_by"]) == (None, None)
    assert again["found"]["not_compared"] == "clients send again"
    # On the wire a quota says something else than a rate.
    causes = {cause["cause"]: cause["by_evidence"] for cause in document["throttled_by_cause"]}
    assert causes["quota"].get("wire", 0) + causes["quota"].get("access_log", 0) == 10
    assert causes["usage_plan"].keys() <= {"configuration", "access_log"}
    (use,) = document["prediction"]["quotas"]
    assert (use["left_before"], use["uses"], use["counted"], use["refused"]) == (30, 30, 30, 10)
    assert (use["used_after"], use["left_now"]) == (30, 0)


# -- what may not be read -------------------------------------------------------------------------

ROUTES = {
    "path": "/a",
    "resourceMethods": {
        "GET": {
            "authorizationType": "CUSTOM",
            "authorizerId": "auth1",
            "methodIntegration": {
                "timeoutInMillis": 1000,
                "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
                "arn:aws:lambda:us-east-1:000000000000:function:f:live/invocations",
            },
        }
    },
}


def answer(denied: bool) -> Any:  # noqa: FBT001
    def of(_: str, path: str) -> tuple[int, Any]:
        known: dict[str, Any] = {
            "/restapis/ab": {"id": "ab", "name": "shop"},
            "/restapis/ab/stages": {"item": [{"stageName": "prod"}]},
            "/restapis/ab/resources": {"item": [ROUTES]},
        }
        if not denied:
            uri = "arn:aws:lambda:us-east-1:000000000000:function:who"
            known["/restapis/ab/authorizers/auth1"] = {
                "name": "token",
                "type": "TOKEN",
                "authorizerUri": uri,
                "authorizerResultTtlInSeconds": 0,
            }
            known["/2019-09-30/functions/f/provisioned-concurrency"] = {
                "RequestedProvisionedConcurrentExecutions": 5,
                "AvailableProvisionedConcurrentExecutions": 3,
                "Status": "IN_PROGRESS",
            }
            known["/2019-09-30/functions/who/concurrency"] = {"ReservedConcurrentExecutions": 7}
        found = known.get(path.partition("?")[0])
        if found is None:
            return 403, {"__type": "AccessDeniedException", "message": "no"}
        return 200, found

    return of


def test_authorizers_and_provisioned_concurrency_are_read() -> None:
    profile = profile_of({"api": {"id": "ab", "kind": "rest"}}, {"get": "/a"})
    with canned_aws(answer(denied=False)) as session:
        resolved = resolve(profile, session)
        path = read_path(
            read_limits(resolved, profile, session),
            resolved.api,
            session,
            with_metrics=False,
            now=datetime.now(UTC),
        )

    authorizer = path.authorizers["auth1"]
    assert (authorizer.kind, authorizer.ttl_s, authorizer.function) == ("lambda", 0, "who")
    assert path.reserves == {"who": 7}
    assert path.warm == {"f": 3}
    assert path.notes == ()


def test_what_may_not_be_read_names_the_permission_that_is_missing() -> None:
    profile = profile_of({"api": {"id": "ab", "kind": "rest"}}, {"get": "/a"})
    with canned_aws(answer(denied=True)) as session:
        resolved = resolve(profile, session)
        limits = read_limits(resolved, profile, session)
        path = read_path(
            limits,
            resolved.api,
            session,
            with_metrics=False,
            now=datetime.now(UTC),
        )

    missing = [note.removeprefix("unknown: ") for note in (*limits.notes, *path.notes)]
    assert [note.removesuffix(" is missing)").split(" (the permission ") for note in missing] == [
        ["the account's throttle", "apigateway:GET on /account"],
        ["the account's concurrency", "lambda:GetAccountSettings"],
        ["the reserved concurrency of f", "lambda:GetFunctionConcurrency"],
        ["the provisioned concurrency of f:live", "lambda:GetProvisionedConcurrencyConfig"],
        ["authorizer auth1", "apigateway:GET on /restapis/*/authorizers/*"],
    ]
