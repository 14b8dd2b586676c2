"""The lease: whatever happens to a run, the function ends as it was.

Against the sandbox's real Lambda API. A kill is an exception out of botocore at one of the calls,
after which nothing of the run is executed any more: only `restore` puts things back, from the
journal, as a later process would.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.console import Console
from core.errors import AwsError, ExitCode, Refused
from tests.conftest import MakeFunction, zipped
from tuner.journal import Beginning, Journal, open_journals, state_folder
from tuner.lease import Lease, check_free, list_versions
from tuner.restore import RestoreOptions, restore
from tuner.target import Target, read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

SIZES = (128, 512, 1024)
REGION = "us-east-1"
DEAD_PID = 2**22 + 1  # above Linux's largest process id
CHANGING = ("UpdateFunctionConfiguration", "PublishVersion", "DeleteFunction")


class Killed(BaseException):
    """The process is gone: no handler may catch this."""


def begin(client: LambdaClient, name: str, access: LocalAccess) -> tuple[Lease, Journal, Target]:
    target = read_target(client, name, REGION)
    beginning = Beginning(
        run_id=os.urandom(6).hex(),
        function_arn=target.arn,
        region=REGION,
        endpoint_url=access.endpoint_url,
        memory_mb=target.memory_mb,
        description=target.description,
        code_sha256=target.code_sha256,
        existing_versions=tuple(list_versions(client, target.arn)),
        pid=DEAD_PID,
        started_utc="2026-01-01T00:00:00+00:00",
    )
    lease = Lease(client, target.arn, beginning, lambda seconds: None)
    return lease, Journal(state_folder(), beginning), target


def state_of(client: LambdaClient, name: str) -> dict[str, Any]:
    """Everything about a function that a user would miss."""
    latest = client.get_function_configuration(FunctionName=name)
    kept = ("MemorySize", "Description", "Timeout", "CodeSha256", "Handler", "Environment")
    aliases = client.list_aliases(FunctionName=name)["Aliases"]
    return {
        "latest": {key: latest.get(key) for key in kept},
        "versions": list_versions(client, name),
        "aliases": {a["Name"]: (a["FunctionVersion"], a.get("RoutingConfig")) for a in aliases},
    }


def restored(access: LocalAccess, monkeypatch: pytest.MonkeyPatch) -> ExitCode:
    """Runs `tune restore --yes` with the credentials of the sandbox."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", access.secret_access_key)
    options = RestoreOptions(profile=None, list_only=False, forget=None, yes=True)
    return restore(options, Console(verbosity=-1))


def whole_run(lease: Lease, journal: Journal) -> None:
    lease.acquire(SIZES, journal, lambda: False)
    lease.release()


@contextmanager
def killing(client: LambdaClient, at: int, *, moment: str) -> Iterator[list[str]]:
    """Raises `Killed` before or after the state-changing call with number `at`; lists the calls."""
    calls: list[str] = []

    def count(model: Any, **_: Any) -> None:
        if model.name in CHANGING:
            calls.append(model.name)
            if len(calls) == at + 1:
                raise Killed

    event = f"{moment}.lambda"
    client.meta.events.register(event, count, unique_id="killing")
    try:
        yield calls
    finally:
        client.meta.events.unregister(event, unique_id="killing")


@pytest.fixture
def client(local_access: LocalAccess) -> Iterator[LambdaClient]:
    """A client of its own for each test, since tests hang hooks on it."""
    own = AwsSession(local=local_access).control_lambda()
    yield own
    own.close()


@pytest.fixture
def owned(client: LambdaClient, make_function: MakeFunction) -> str:
    """A function with a life of its own: versions, aliases with tempting names, a description."""
    name = make_function(description="takes orders")
    client.publish_version(FunctionName=name)
    client.update_function_configuration(FunctionName=name, MemorySize=256)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0})
    client.publish_version(FunctionName=name, Description="the live one")
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    client.create_alias(
        FunctionName=name,
        Name="RAM512",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
    )
    return name


def test_each_size_gets_a_version_and_latest_is_back_before_measuring(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)

    lease.acquire(SIZES, journal, lambda: False)

    assert state_of(client, owned)["latest"] == before["latest"]
    for size, version in lease.versions.items():
        answer = client.get_function_configuration(FunctionName=owned, Qualifier=version)
        assert answer["MemorySize"] == size
        assert version not in before["versions"]

    lease.release()
    assert state_of(client, owned) == before


def test_a_version_that_equals_latest_stays_the_users(
    client: LambdaClient, make_function: MakeFunction, local_access: LocalAccess
) -> None:
    name = make_function(memory_mb=512)
    client.publish_version(FunctionName=name)  # AWS gives this one back for an unchanged $LATEST
    before = state_of(client, name)
    lease, journal, _ = begin(client, name, local_access)

    lease.acquire((512,), journal, lambda: False)
    assert lease.versions[512] not in before["versions"]
    lease.release()

    assert state_of(client, name) == before


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
@pytest.mark.parametrize("at", range(8))
def test_a_run_killed_at_any_changing_call_is_undone_by_restore(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    moment: str,
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)

    # 3 sizes: 3 updates and 3 publishes, 1 restore, then 3 deletions, of which the first is hit.
    with killing(client, at, moment=moment) as calls, pytest.raises(Killed):
        whole_run(lease, journal)

    assert len(calls) == at + 1
    assert restored(local_access, monkeypatch) == ExitCode.PASS
    assert state_of(client, owned) == before
    assert open_journals(state_folder()) == ()


def test_restore_twice_changes_nothing_more(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)
    with pytest.raises(Killed), killing(client, 2, moment="after-call"):
        lease.acquire(SIZES, journal, lambda: False)

    assert restored(local_access, monkeypatch) == ExitCode.PASS
    revision = client.get_function_configuration(FunctionName=owned)["RevisionId"]
    assert restored(local_access, monkeypatch) == ExitCode.PASS

    assert state_of(client, owned) == before
    assert client.get_function_configuration(FunctionName=owned)["RevisionId"] == revision


def new_code(client: LambdaClient, name: str) -> None:
    client.update_function_code(FunctionName=name, ZipFile=zipped("def handler(e, c): return 1"))


def new_memory(client: LambdaClient, name: str) -> None:
    client.update_function_configuration(FunctionName=name, MemorySize=2048)


def new_description(client: LambdaClient, name: str) -> None:
    client.update_function_configuration(FunctionName=name, Description="deployed by the team")


@pytest.mark.parametrize(
    ("deploy", "kept"),
    [
        pytest.param(new_code, {"MemorySize": 256, "Description": "takes orders"}, id="new code"),
        pytest.param(new_memory, {"MemorySize": 2048, "Description": "takes orders"}, id="memory"),
        pytest.param(new_description, {"Description": "deployed by the team"}, id="description"),
    ],
)
@pytest.mark.parametrize("at", range(6))
def test_a_foreign_deploy_in_the_middle_stops_the_run_and_stays(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    deploy: Callable[[LambdaClient, str], None],
    kept: dict[str, Any],
    at: int,
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)
    other = AwsSession(local=local_access).control_lambda()
    calls: list[str] = []

    def interfere(model: Any, **_: Any) -> None:
        if model.name in CHANGING:
            calls.append(model.name)
            if len(calls) == at + 1:
                other.get_waiter("function_updated_v2").wait(
                    FunctionName=owned, WaiterConfig={"Delay": 0}
                )
                deploy(other, owned)
                other.get_waiter("function_updated_v2").wait(
                    FunctionName=owned, WaiterConfig={"Delay": 0}
                )

    client.meta.events.register("before-call.lambda", interfere, unique_id="deploy")
    with pytest.raises(Refused, match="changed by somebody else"):
        lease.acquire(SIZES, journal, lambda: False)
    client.meta.events.unregister("before-call.lambda", unique_id="deploy")
    lease.release()
    other.close()

    after = state_of(client, owned)
    deployed = {key: after["latest"][key] for key in kept}
    assert deployed == kept
    assert (after["latest"]["CodeSha256"] != before["latest"]["CodeSha256"]) == (deploy is new_code)
    assert after["versions"] == before["versions"]
    assert after["aliases"] == before["aliases"]


def test_a_function_that_another_run_holds_is_refused(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    lease, journal, _ = begin(client, owned, local_access)
    with pytest.raises(Killed), killing(client, 1, moment="before-call"):
        lease.acquire(SIZES, journal, lambda: False)

    with pytest.raises(Refused, match=r"held by tune run [0-9a-f]{12}.*tune restore"):
        check_free(read_target(client, owned, REGION))
    lease.release()


def test_a_stop_between_sizes_publishes_no_more(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)

    lease.acquire(SIZES, journal, lambda: bool(lease.versions))

    assert list(lease.versions) == [128]
    lease.release()
    assert state_of(client, owned) == before


def test_restore_of_a_deleted_function_only_forgets_it(
    client: LambdaClient, local_access: LocalAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"gone-{os.urandom(4).hex()}"
    client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/test",
        Handler="handler.handler",
        Code={"ZipFile": zipped("def handler(e, c): return e")},
        Environment={"Variables": {"SANDBOX_MODEL": json.dumps({"duration_ms": {"128": 1}})}},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0})
    begin(client, name, local_access)
    client.delete_function(FunctionName=name)

    assert restored(local_access, monkeypatch) == ExitCode.PASS
    assert open_journals(state_folder()) == ()


def test_a_function_out_of_reach_is_one_error_document_and_keeps_its_journal(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    away = replace(local_access, endpoint_url="http://127.0.0.1:9")
    begin(client, owned, away)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    options = RestoreOptions(profile=None, list_only=False, forget=None, yes=True)

    code = restore(options, Console(verbosity=-1, json_output=True))

    document = json.loads(capsys.readouterr().out)
    assert (code, document["exit_code"], document["verdict"]) == (1, 1, "error")
    assert "127.0.0.1:9" in document["errors"][0]
    assert len(open_journals(state_folder())) == 1


def test_a_journal_out_of_reach_is_kept_and_can_be_forgotten(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    tmp_path: Path,
) -> None:
    lease, _, _ = begin(client, owned, local_access)
    run_id = lease.beginning.run_id
    options = RestoreOptions(profile=None, list_only=False, forget=run_id, yes=True)

    assert restore(options, Console(verbosity=-1)) == ExitCode.PASS
    assert open_journals(state_folder()) == ()


def test_a_version_that_the_run_did_not_make_is_never_used_nor_deleted(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)

    def give_the_users_version(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Version"] = "2"

    client.meta.events.register("after-call.lambda.PublishVersion", give_the_users_version)
    with pytest.raises(Refused, match=r"gave version 2 .* which this run did not make"):
        lease.acquire(SIZES, journal, lambda: False)
    lease.release()

    assert state_of(client, owned) == before


def test_restoring_one_run_leaves_what_another_run_holds(
    client: LambdaClient, owned: str, local_access: LocalAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(client, owned, local_access)  # killed before it changed anything
    lease, journal, _ = begin(client, owned, local_access)
    with killing(client, 2, moment="before-call"), pytest.raises(Killed):
        lease.acquire(SIZES, journal, lambda: False)
    journal.path.rename(journal.path.with_suffix(".away"))
    held = state_of(client, owned)

    assert restored(local_access, monkeypatch) == ExitCode.PASS

    assert held["latest"]["Description"].startswith("tune-run")
    assert state_of(client, owned) == held
    lease.release()


def test_reads_that_lag_behind_writes_do_not_stop_a_run(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)
    # The configuration before the last update, and how often it is still to be shown.
    old: list[Any] = [client.get_function(FunctionName=owned)["Configuration"]]
    lag = [0]

    def an_update_begins_to_lag(**_: Any) -> None:
        lag[0] = 2

    def show_the_old_one(parsed: dict[str, Any], **_: Any) -> None:
        if parsed.get("Configuration", {}).get("Version") != "$LATEST":
            return
        if lag[0]:
            lag[0] -= 1
            parsed["Configuration"] = old[0]
        else:
            old[0] = parsed["Configuration"]

    events = client.meta.events
    events.register("after-call.lambda.UpdateFunctionConfiguration", an_update_begins_to_lag)
    events.register("after-call.lambda.GetFunction", show_the_old_one)
    lease.acquire(SIZES, journal, lambda: False)
    events.unregister("after-call.lambda.GetFunction", show_the_old_one)

    assert list(lease.versions) == list(SIZES)
    lease.release()
    assert state_of(client, owned) == before


def test_an_update_that_aws_could_not_carry_out_ends_the_run(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)

    def fail_at_test_sizes(parsed: dict[str, Any], **_: Any) -> None:
        configuration = parsed.get("Configuration", {})
        # Only once the update is over: AWS never calls one failed that it still works at.
        if (
            configuration.get("MemorySize") in SIZES
            and configuration["Version"] == "$LATEST"
            and configuration["LastUpdateStatus"] == "Successful"
        ):
            configuration["LastUpdateStatus"] = "Failed"
            configuration["LastUpdateStatusReason"] = "the subnet has no free addresses"

    client.meta.events.register("after-call.lambda.GetFunction", fail_at_test_sizes)
    with pytest.raises(AwsError, match="the subnet has no free addresses"):
        lease.acquire(SIZES, journal, lambda: False)
    lease.release()

    assert lease.versions == {}
    assert state_of(client, owned) == before
