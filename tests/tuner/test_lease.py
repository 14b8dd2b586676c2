"""The lease: whatever happens to a run, the function ends as it was.

Against the sandbox's real Lambda API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.errors import ExitCode, Refused
from tests.conftest import MakeFunction, zipped
from tests.tuner.lease_rig import (
    CHANGING,
    REGION,
    SIZES,
    Killed,
    begin,
    killing,
    open_journals,
    restored,
    state_of,
    whole_run,
)
from tuner.lease import check_free
from tuner.target import read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


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
    assert open_journals() == ()


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


def new_timeout(client: LambdaClient, name: str) -> None:
    client.update_function_configuration(FunctionName=name, Timeout=31)


@pytest.mark.parametrize(
    ("deploy", "change"),
    [
        pytest.param(new_code, r"code from '\S+' to '\S+'", id="new code"),
        pytest.param(new_memory, "memory in MB from 256 to 2048", id="memory"),
        pytest.param(
            new_description,
            "description from 'takes orders' to 'deployed by the team'",
            id="description",
        ),
        pytest.param(
            new_timeout, r"planned: another setting, revision from '\S+' to", id="another setting"
        ),
    ],
)
def test_a_deploy_after_the_run_was_planned_is_named_and_stays(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    deploy: Callable[[LambdaClient, str], None],
    change: str,
) -> None:
    lease, journal, _ = begin(client, owned, local_access)
    deploy(client, owned)
    client.get_waiter("function_updated_v2").wait(FunctionName=owned, WaiterConfig={"Delay": 0})
    deployed = client.get_function_configuration(FunctionName=owned)

    with pytest.raises(Refused, match=change):
        lease.acquire(SIZES, journal, lambda: False)
    lease.release()

    now = client.get_function_configuration(FunctionName=owned)
    assert now["RevisionId"] == deployed["RevisionId"]


def test_a_run_that_came_first_after_the_plan_was_made_keeps_the_function(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    late, late_journal, _ = begin(client, owned, local_access)
    first, first_journal, _ = begin(client, owned, local_access)
    with killing(client, 1, moment="before-call"), pytest.raises(Killed):
        first.acquire(SIZES, first_journal, lambda: False)
    held = state_of(client, owned)

    with pytest.raises(Refused, match=f"held by tune run {first.beginning.run_id}"):
        late.acquire(SIZES, late_journal, lambda: False)
    late.release()

    assert state_of(client, owned) == held
    first.release()


def test_a_function_that_another_run_holds_is_refused(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    lease, journal, _ = begin(client, owned, local_access)
    with pytest.raises(Killed), killing(client, 1, moment="before-call"):
        lease.acquire(SIZES, journal, lambda: False)

    hint = f"`tune restore {owned} --region {REGION}`"
    with pytest.raises(Refused, match=rf"held by tune run [0-9a-f]{{12}}.*{hint}"):
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


def test_a_stop_while_versions_become_active_does_not_wait_for_them(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)
    looks: list[str] = []

    def never_active(parsed: dict[str, Any], **_: Any) -> None:
        configuration = parsed.get("Configuration", {})
        if configuration.get("Version") != "$LATEST":
            looks.append(configuration["Version"])
            configuration["State"] = "Pending"

    client.meta.events.register("after-call.lambda.GetFunction", never_active)
    lease.acquire(SIZES, journal, lambda: len(looks) >= 3)
    lease.release()

    assert looks == [lease.versions[SIZES[0]]] * 3
    assert state_of(client, owned) == before


def test_a_size_that_the_account_does_not_offer_is_left_out(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease, journal, _ = begin(client, owned, local_access)

    lease.acquire((128, 20_480, 512), journal, lambda: False)

    assert list(lease.versions) == [128, 512]
    assert "20480 MB" in lease.refused_sizes[20_480]
    lease.release()
    assert state_of(client, owned) == before


@pytest.mark.parametrize("killed", [False, True], ids=["the run lives", "the run was killed"])
def test_a_version_published_by_a_deploy_in_between_is_not_the_runs(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    *,
    killed: bool,
) -> None:
    """It inherits the run's mark, because a deploy of code does not touch the Description."""
    lease, journal, _ = begin(client, owned, local_access)
    with pytest.raises(Killed), killing(client, 0, moment="after-call"):
        lease.acquire(SIZES, journal, lambda: False)
    client.get_waiter("function_updated_v2").wait(FunctionName=owned, WaiterConfig={"Delay": 0})
    deployed = client.update_function_code(
        FunctionName=owned, ZipFile=zipped("def handler(e, c): return 1"), Publish=True
    )
    assert deployed["Description"].startswith("tune-run")

    if killed:
        assert restored(local_access, monkeypatch) == ExitCode.PASS
    else:
        lease.release()

    after = state_of(client, owned)
    assert deployed["Version"] in after["versions"]
    assert after["latest"]["Description"] == "takes orders"
    assert after["latest"]["CodeSha256"] == deployed["CodeSha256"]
