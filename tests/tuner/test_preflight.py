"""`tune preflight` against the sandbox: it finds what keeps a run away, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.console import Console
from core.errors import AwsError, ExitCode
from tests.conftest import MakeFunction
from tests.tuner.lease_rig import begin, end_of_processes, state_of
from tests.tuner.run_rig import Tune, tune_options
from tuner.marker import marked_description
from tuner.preflight.reading import AccountLimits
from tuner.preflight.run import preflight

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Preflight = Callable[..., tuple[ExitCode, dict[str, Any]]]
# What Lambda answers to a call that IAM does not allow.
DENIED = ("AccessDeniedException", "User: me is not authorized to perform this")


@pytest.fixture
def look(
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Preflight:
    """Runs `tune preflight` in this process; gives its exit code and its document."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_access.endpoint_url)
    monkeypatch.setenv("AWS_REGION", local_access.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", local_access.secret_access_key)

    def start(
        function: str, *, with_trial: bool = False, **given: Any
    ) -> tuple[ExitCode, dict[str, Any]]:
        options = tune_options(function, **given)
        code = preflight(options, Console(json_output=True), with_trial=with_trial)
        document = json.loads(capsys.readouterr().out)
        assert document["exit_code"] == code
        return code, document

    return start


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of Lambda's API that were sent, in order."""
    sent: list[str] = []
    original = AwsSession._lambda

    def listening(session: AwsSession, config: Any) -> LambdaClient:
        client = original(session, config)
        client.meta.events.register(
            "before-call.lambda", lambda model, **_: sent.append(model.name)
        )
        return client

    monkeypatch.setattr(AwsSession, "_lambda", listening)
    return sent


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has a call answered in the place of Lambda: by an error, or as if it was carried out."""

    def answer(operation: str, error: tuple[str, str] | None) -> None:
        status = 200 if error is None else 403
        body: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": status}}
        if error is not None:
            body["Error"] = {"Code": error[0], "Message": error[1]}
        original = AwsSession._lambda

        def rigged(session: AwsSession, config: Any) -> LambdaClient:
            client = original(session, config)
            client.meta.events.register(
                f"before-call.lambda.{operation}",
                lambda **_: (SimpleNamespace(status_code=status), body),
            )
            return client

        monkeypatch.setattr(AwsSession, "_lambda", rigged)

    return answer


def findings(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for section in document["sections"]:
        for finding in section["findings"]:
            yield finding["name"], finding["state"], finding["found"]


def not_well(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and states of warnings and problems."""
    return [(n, s) for n, s, _ in findings(document) if s in ("warning", "problem")]


def test_a_function_that_can_be_tuned_passes_and_stays_as_it_was(
    look: Preflight, owned: str, client: LambdaClient, calls: list[str]
) -> None:
    before = state_of(client, owned)
    revision = client.get_function_configuration(FunctionName=owned)["RevisionId"]
    calls.clear()

    code, document = look(owned)

    assert (code, document["verdict"], not_well(document)) == (0, "pass", [])
    # Refused for their content, both of them; the Invoke was a dry run.
    assert [c for c in calls if c.startswith(("Update", "Publish", "Delete", "Invoke"))] == [
        "Invoke",
        "UpdateFunctionConfiguration",
        "PublishVersion",
    ]
    assert state_of(client, owned) == before
    assert client.get_function_configuration(FunctionName=owned)["RevisionId"] == revision
    found = {name: text for name, _, text in findings(document)}
    assert "account 000000000000" in found["identity"]
    assert "$0.0000166667 per GB-s" in found["size"]
    assert found["versions"].startswith("2 versions and 2 aliases (RAM512, live)")
    assert found["trial"] == "left out with --no-trial"


def test_what_lambda_allows_is_named(look: Preflight, make_function: MakeFunction) -> None:
    _, document = look(make_function())

    allowed, deleting = [text for name, _, text in findings(document) if name == "permission"]
    for action in ("InvokeFunction", "UpdateFunctionConfiguration", "PublishVersion"):
        assert f"lambda:{action}" in allowed
    assert deleting == "lambda:DeleteFunction: cannot be tried without deleting something"


@pytest.mark.parametrize(
    ("operation", "state", "code"),
    [
        pytest.param("Invoke", "problem", 1, id="invoking"),
        pytest.param("UpdateFunctionConfiguration", "problem", 1, id="updating"),
        pytest.param("PublishVersion", "problem", 1, id="publishing"),
        pytest.param("ListVersionsByFunction", "problem", 1, id="listing versions"),
        pytest.param("GetAccountSettings", "note", 0, id="limits, which a run does without"),
        pytest.param("ListAliases", "note", 0, id="aliases, which a run does without"),
    ],
)
def test_a_permission_that_is_missing_is_found(
    look: Preflight,
    make_function: MakeFunction,
    answering: Callable[..., None],
    operation: str,
    state: str,
    code: int,
) -> None:
    answering(operation, DENIED)

    found_code, document = look(make_function())

    assert found_code == code
    permissions = [(s, text) for name, s, text in findings(document) if name == "permission"]
    assert any(s == state and f"lambda:{operation}" in text for s, text in permissions)


def test_where_revisions_are_not_looked_at_nothing_is_published(
    look: Preflight,
    make_function: MakeFunction,
    answering: Callable[..., None],
    calls: list[str],
) -> None:
    answering("UpdateFunctionConfiguration", None)

    code, document = look(make_function())

    assert (code, "PublishVersion" in calls) == (1, False)
    assert any("was carried out, though Lambda refuses it" in e for e in document["errors"])


@pytest.mark.parametrize(
    ("settings", "said", "code"),
    [
        pytest.param(
            {"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "WARN"}},
            "hides the REPORT",
            6,
            id="no REPORT",
        ),
        pytest.param(
            {"description": marked_description("0123456789ab", 128, 512, "orders")},
            "is held by tune run",
            6,
            id="held by another run",
        ),
    ],
)
def test_what_a_run_refuses_is_a_problem(
    look: Preflight, make_function: MakeFunction, settings: dict[str, Any], said: str, code: int
) -> None:
    found_code, document = look(make_function(**settings), with_trial=True, yes=True)

    assert (found_code, document["verdict"]) == (code, "error")
    assert said in document["errors"][0]
    # What keeps a run away keeps the trial away.
    assert "trial" not in {name for name, _, _ in findings(document)}


def test_a_function_that_is_switched_off_is_a_problem(
    look: Preflight, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    function = make_function()
    lambda_client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)

    code, document = look(function)

    assert (code, "reserved concurrency is 0" in document["errors"][0]) == (6, True)


def test_a_function_that_does_not_exist_is_an_input_error(look: Preflight) -> None:
    code, document = look("nobody")

    assert code == 2
    assert "'nobody': not found" in document["errors"][0]


def test_without_credentials_nothing_else_is_looked_at(
    look: Preflight, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = make_function()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    code, document = look(function)

    assert (code, len(document["sections"])) == (1, 1)
    assert [name for name, state, _ in findings(document) if state == "problem"] == ["identity"]


def test_where_sts_is_out_of_reach_a_run_can_be_made(
    look: Preflight, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(session: AwsSession) -> Any:
        raise AwsError("could not ask STS for the identity: timed out")

    monkeypatch.setattr(AwsSession, "caller", silent)

    code, document = look(make_function())

    assert (code, not_well(document)) == (0, [("identity", "warning")])


def test_other_runs_on_the_function_are_found(
    look: Preflight, client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    lease = begin(client, owned, local_access)
    lease.publish([128])

    working, first = look(owned)
    end_of_processes()
    killed, second = look(owned)

    assert (working, ("other runs", "problem") in not_well(first)) == (6, True)
    assert (killed, not_well(second)) == (0, [("leftovers", "warning"), ("other runs", "warning")])


def test_the_trial_is_one_call_that_somebody_agreed_to(
    look: Preflight, make_function: MakeFunction, calls: list[str]
) -> None:
    function = make_function()

    _, asked = look(function, with_trial=True)
    code, agreed = look(function, with_trial=True, yes=True)

    (trial,) = [(state, text) for name, state, text in findings(asked) if name == "trial"]
    assert trial[0] == "note"
    assert trial[1].endswith("not confirmed")
    (trial,) = [(state, text) for name, state, text in findings(agreed) if name == "trial"]
    assert (code, trial[0]) == (0, "ok")
    assert "a million such calls cost $" in trial[1]
    # A dry run each, and one call.
    assert calls.count("Invoke") == 3


@pytest.mark.parametrize(
    ("failure", "state", "code"),
    [pytest.param("error", "problem", 2, id="error"), pytest.param("oom", "warning", 0, id="oom")],
)
def test_a_trial_that_fails_is_found(
    look: Preflight, make_function: MakeFunction, failure: str, state: str, code: int
) -> None:
    function = make_function({"duration_ms": {"128": 10}, "failure": failure})

    found_code, document = look(function, with_trial=True, yes=True)

    assert (found_code, not_well(document)) == (code, [("trial", state)])


def test_both_architectures_are_looked_at(look: Preflight, make_function: MakeFunction) -> None:
    one, other = make_function(), make_function(Architectures=["arm64"])

    _, document = look(one, arch="both", arch_function=other)

    assert [section["title"] for section in document["sections"]] == ["account", one, other]


def test_the_table_says_what_to_do_and_whether_a_run_can_be_made(
    look: Preflight, make_function: MakeFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    function = make_function({"duration_ms": {"128": 10}, "failure": "error"})

    preflight(tune_options(function, yes=True), Console(), with_trial=True)

    shown = " ".join(capsys.readouterr().out.split())
    assert "-> give the event that it expects with --payload" in shown
    assert shown.endswith("a run would not be made: 1 problem")


def test_a_run_itself_warns_of_what_may_spoil_it(
    tune: Tune,
    make_function: MakeFunction,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(Console, "warn", lambda console, line: warned.append(line))
    function = make_function()

    def told(**given: Any) -> list[str]:
        warned.clear()
        tune(function, dry_run=True, **given)
        return [line for line in warned if not line.startswith("side effects")]

    plenty, much_at_once = told(), told(parallel=20)
    scarce = AccountLimits(concurrency=10, unreserved=3, storage_bytes=10**9, stored_bytes=0)
    monkeypatch.setattr("tuner.preflight.before_run.read_limits", lambda client: scarce)
    (little,) = told(parallel=2)

    assert (plenty, much_at_once) == ([], [])
    assert little.startswith("concurrency: 3 for all functions that reserve none")


def test_a_run_that_may_not_read_the_limits_says_nothing_of_them(
    tune: Tune,
    make_function: MakeFunction,
    answering: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    answering("GetAccountSettings", DENIED)

    code, _ = tune(make_function(), dry_run=True)

    assert (code, "GetAccountSettings" in capsys.readouterr().err) == (0, False)
