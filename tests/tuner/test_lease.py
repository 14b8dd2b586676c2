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
    run_on_demand,
    state_of,
    whole_run,
)
from tuner.interference import check_free
from tuner.lease import Lease
from tuner.target import read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def test_each_size_gets_a_version_and_latest_is_back_before_measuring(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

    lease.publish(SIZES)

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
    lease = begin(client, name, local_access)

    lease.publish((512,))
    assert lease.versions[512] not in before["versions"]
    lease.release()

    assert state_of(client, name) == before


def test_sizes_are_published_as_they_are_needed(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

    for sizes in ([512], [128, 512], [1024]):
        lease.publish(sizes)
        assert state_of(client, owned)["latest"] == before["latest"]

    assert list(lease.versions) == [512, 128, 1024]
    assert lease.made == list(lease.versions.values())
    lease.release()
    assert state_of(client, owned) == before


def test_a_size_can_be_published_again_for_an_environment_of_its_own(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
    lease.publish([512])
    first = lease.versions[512]

    again = [lease.publish_again(512), lease.publish_again(512)]

    assert lease.versions == {512: first}
    assert len({first, *again, *before["versions"]}) == 3 + len(before["versions"])
    assert lease.made == [first, *again]
    for version in lease.made:
        answer = client.get_function_configuration(FunctionName=owned, Qualifier=version)
        assert (answer["MemorySize"], answer["State"]) == (512, "Active")
    assert state_of(client, owned)["latest"] == before["latest"]
    lease.release()
    assert state_of(client, owned) == before


BEFORE, AFTER = "before-call", "after-call"
KILLS = [
    *(pytest.param(whole_run, at, BEFORE, id=f"all at once, before {at}") for at in range(8)),
    *(pytest.param(whole_run, at, AFTER, id=f"all at once, after {at}") for at in range(8)),
    *(pytest.param(run_on_demand, at, AFTER, id=f"on demand, after {at}") for at in range(10)),
]


@pytest.mark.parametrize(("run", "at", "moment"), KILLS)
def test_a_run_killed_at_any_changing_call_is_undone_by_restore(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[[Lease], None],
    at: int,
    moment: str,
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

    # At once: 3 updates and 3 publishes, 1 restore; on demand: 3 times one of each; then 3
    # deletions, of which the first is hit.
    with killing(client, at, moment=moment) as calls, pytest.raises(Killed):
        run(lease)

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
    lease = begin(client, owned, local_access)
    with pytest.raises(Killed), killing(client, 2, moment="after-call"):
        lease.publish(SIZES)

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
        pytest.param(
            new_description,
            {"MemorySize": 256, "Description": "deployed by the team"},
            id="description",
        ),
    ],
)
@pytest.mark.parametrize("at", range(7))
def test_a_foreign_deploy_in_the_middle_stops_the_run_and_stays(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    deploy: Callable[[LambdaClient, str], None],
    kept: dict[str, Any],
    at: int,
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
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
        lease.publish(SIZES)
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


def new_variable(client: LambdaClient, name: str) -> None:
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"MODE": "other"}}
    )


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
        pytest.param(new_timeout, "planned: timeout in s from 30 to 31", id="timeout"),
    ],
)
def test_a_deploy_after_the_run_was_planned_is_named_and_stays(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    deploy: Callable[[LambdaClient, str], None],
    change: str,
) -> None:
    lease = begin(client, owned, local_access)
    deploy(client, owned)
    client.get_waiter("function_updated_v2").wait(FunctionName=owned, WaiterConfig={"Delay": 0})
    deployed = client.get_function_configuration(FunctionName=owned)

    with pytest.raises(Refused, match=change):
        lease.publish(SIZES)
    lease.release()

    now = client.get_function_configuration(FunctionName=owned)
    assert now["RevisionId"] == deployed["RevisionId"]


@pytest.mark.parametrize(
    ("deploy", "change"),
    [
        pytest.param(new_code, r"code from '\S+' to '\S+'", id="new code"),
        pytest.param(new_memory, "memory in MB from 256 to 2048", id="memory"),
        pytest.param(new_description, "description from 'takes orders' to", id="description"),
        pytest.param(new_timeout, "timeout in s from 30 to 31", id="timeout"),
        pytest.param(new_variable, "another setting, such as an environment variable", id="other"),
    ],
)
def test_a_deploy_between_two_publishings_is_named_and_stays(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    deploy: Callable[[LambdaClient, str], None],
    change: str,
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
    lease.publish([128])
    deploy(client, owned)
    client.get_waiter("function_updated_v2").wait(FunctionName=owned, WaiterConfig={"Delay": 0})
    deployed = client.get_function_configuration(FunctionName=owned)

    named = f"changed by somebody else while .*{change}"
    with pytest.raises(Refused, match=named):
        lease.publish([512])
    with pytest.raises(Refused, match=named):
        lease.publish_again(128)
    lease.release()

    now = client.get_function_configuration(FunctionName=owned)
    assert now["RevisionId"] == deployed["RevisionId"]
    assert state_of(client, owned)["versions"] == before["versions"]


def test_another_run_between_two_publishings_is_named(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    first, second = (begin(client, owned, local_access) for _ in range(2))
    first.publish([128])
    with killing(client, 1, moment="before-call"), pytest.raises(Killed):
        second.publish([512])

    with pytest.raises(Refused, match=f"held by tune run {second.beginning.run_id}"):
        first.publish([512])
    first.release()
    second.release()


def test_a_run_that_came_first_after_the_plan_was_made_keeps_the_function(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    late = begin(client, owned, local_access)
    first = begin(client, owned, local_access)
    with killing(client, 1, moment="before-call"), pytest.raises(Killed):
        first.publish(SIZES)
    held = state_of(client, owned)

    with pytest.raises(Refused, match=f"held by tune run {first.beginning.run_id}"):
        late.publish(SIZES)
    late.release()

    assert state_of(client, owned) == held
    first.release()


def test_a_function_that_another_run_holds_is_refused(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    lease = begin(client, owned, local_access)
    with pytest.raises(Killed), killing(client, 1, moment="before-call"):
        lease.publish(SIZES)

    hint = f"`tune restore {owned} --region {REGION}`"
    with pytest.raises(Refused, match=rf"held by tune run [0-9a-f]{{12}}.*{hint}"):
        check_free(read_target(client, owned, REGION))
    lease.release()


def test_a_stop_between_sizes_publishes_no_more(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

    lease.stopped = lambda: bool(lease.versions)
    lease.publish(SIZES)

    assert list(lease.versions) == [128]
    lease.release()
    assert state_of(client, owned) == before


def test_a_version_that_the_run_did_not_make_is_never_used_nor_deleted(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

    def give_the_users_version(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Version"] = "2"

    client.meta.events.register("after-call.lambda.PublishVersion", give_the_users_version)
    with pytest.raises(Refused, match=r"gave version 2 .* which this run did not make"):
        lease.publish(SIZES)
    lease.release()

    assert state_of(client, owned) == before


def test_restoring_one_run_leaves_what_another_run_holds(
    client: LambdaClient, owned: str, local_access: LocalAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(client, owned, local_access)  # killed before it changed anything
    lease = begin(client, owned, local_access)
    with killing(client, 2, moment="before-call"), pytest.raises(Killed):
        lease.publish(SIZES)
    path = lease.journal.path
    path.rename(path.with_suffix(".away"))
    held = state_of(client, owned)

    assert restored(local_access, monkeypatch) == ExitCode.PASS

    assert held["latest"]["Description"].startswith("tune-run")
    assert state_of(client, owned) == held
    lease.release()


def test_a_stop_while_versions_become_active_does_not_wait_for_them(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
    looks: list[str] = []

    def never_active(parsed: dict[str, Any], **_: Any) -> None:
        configuration = parsed.get("Configuration", {})
        if configuration.get("Version") != "$LATEST":
            looks.append(configuration["Version"])
            configuration["State"] = "Pending"

    client.meta.events.register("after-call.lambda.GetFunction", never_active)
    lease.stopped = lambda: len(looks) >= 3
    lease.publish(SIZES)
    lease.release()

    assert looks == [lease.versions[SIZES[0]]] * 3
    assert state_of(client, owned) == before


def test_a_size_that_the_account_does_not_offer_is_left_out(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

    lease.publish((128, 20_480, 512))

    assert list(lease.versions) == [128, 512]
    assert "20480 MB" in lease.refused_sizes[20_480]
    lease.publish([1024])  # what AWS did not take has changed nothing
    lease.release()
    assert state_of(client, owned) == before


def test_what_is_larger_than_a_refused_size_is_refused_without_asking(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    lease = begin(client, owned, local_access)
    lease.publish([20_480])

    with killing(client, 99, moment="before-call") as calls:
        lease.publish([30_720])
        assert lease.publish_again(20_480) is None

    assert calls == []
    assert lease.refused_sizes[30_720] == lease.refused_sizes[20_480]
    lease.release()


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
    lease = begin(client, owned, local_access)
    with pytest.raises(Killed), killing(client, 0, moment="after-call"):
        lease.publish(SIZES)
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
