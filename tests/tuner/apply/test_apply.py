"""`tune apply`: what a run recommends is what the function gets, and nothing else of it changes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import LocalAccess
from core.console import Console
from core.errors import AwsError, ExitCode, InputError, Refused
from tests.conftest import zipped
from tests.tuner.apply.rig import REGION, RUN_ID, World, applied, folder_of, records
from tests.tuner.lease_rig import Killed, end_of_processes, state_of
from tuner.apply.destination import ShiftOptions
from tuner.apply.mark import application_of
from tuner.apply.record import records_folder, warn_of_killed
from tuner.apply.verb import ApplyOptions, apply
from tuner.journal import Beginning, Journal, state_folder
from tuner.marker import marked_description
from tuner.target import read_target
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Capsys = pytest.CaptureFixture[str]


def settle(client: LambdaClient, name: str) -> None:
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0})


def alias_of(client: LambdaClient, name: str) -> tuple[str, Any]:
    answer = client.get_alias(FunctionName=name, Name="live")
    return answer["FunctionVersion"], answer.get("RoutingConfig")


# To $LATEST


@pytest.mark.usefixtures("world")
def test_latest_gets_the_size_and_nothing_else_changes(
    client: LambdaClient, live: str, folder: Path, capsys: Capsys
) -> None:
    before = state_of(client, live)

    code, document = applied(folder, "latest", capsys)

    assert (code, document["kind"], document["verdict"]) == (0, "tune-apply", "pass")
    assert (document["applied"], document["from_mb"], document["to_mb"]) == (True, 512, 256)
    assert document["undo"] == f"tune apply {folder} --undo"
    assert "its next deployment" in document["notes"][0]
    after = state_of(client, live)
    assert after["latest"].pop("MemorySize") == 256
    before["latest"].pop("MemorySize")
    assert after == before


@pytest.mark.usefixtures("world")
def test_what_was_applied_is_taken_back_by_the_command_that_was_named(
    client: LambdaClient, live: str, folder: Path, capsys: Capsys
) -> None:
    before = state_of(client, live)
    applied(folder, "latest", capsys)

    code, document = applied(folder, None, capsys, undo=True)

    assert (code, document["verdict"]) == (0, "pass")
    assert document["taken_back"] == ["$LATEST has 512\N{NO-BREAK SPACE}MB again"]
    assert state_of(client, live) == before
    assert list(records()) == []


def test_what_is_applied_already_is_not_applied_again(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    applied(folder, "latest", capsys)
    world.calls.clear()

    code, document = applied(folder, "latest", capsys)

    assert (code, document["applied"]) == (0, False)
    assert "applied already" in document["notes"][0]
    assert world.calls == []
    assert client.get_function_configuration(FunctionName=live)["MemorySize"] == 256


def test_an_update_that_aws_does_not_carry_out_is_put_back(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    before = state_of(client, live)

    def fail(name: str, parsed: dict[str, Any]) -> None:
        shown = parsed.get("Configuration", {})
        if (shown.get("MemorySize"), shown.get("LastUpdateStatus")) == (256, "Successful"):
            shown["LastUpdateStatus"] = "Failed"
            shown["LastUpdateStatusReason"] = "the subnet has no free addresses"

    world.after = fail

    code, document = applied(folder, "latest", capsys)

    assert (code, document["verdict"], document["applied"]) == (1, "error", False)
    assert "no free addresses" in document["errors"][0]
    assert document["undo"] is None
    assert state_of(client, live) == before
    assert list(records()) == []


def test_where_putting_back_is_refused_the_journal_stays_and_the_command_is_named(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    before = state_of(client, live)

    def refuse(name: str) -> None:
        if name == "UpdateFunctionConfiguration" and len(world.calls) > 1:
            raise AwsError("could not set it: AccessDeniedException", code="AccessDeniedException")

    def interrupt(name: str, parsed: dict[str, Any]) -> None:
        if name == "UpdateFunctionConfiguration":
            os.kill(os.getpid(), signal.SIGINT)

    world.before, world.after = refuse, interrupt

    code, document = applied(folder, "latest", capsys)

    assert code == ExitCode.ERROR
    assert "AccessDenied" in document["errors"][-1]
    assert f"tune apply {folder} --undo" in document["errors"][-1]
    assert document["undo"] == f"tune apply {folder} --undo"
    world.spare()
    end_of_processes()
    assert applied(folder, None, capsys, undo=True)[0] == ExitCode.PASS
    assert state_of(client, live) == before


def test_ctrl_c_takes_everything_back(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    before = state_of(client, live)

    def interrupt(name: str, parsed: dict[str, Any]) -> None:
        if name == "PublishVersion":
            os.kill(os.getpid(), signal.SIGINT)

    world.after = interrupt

    code, document = applied(folder, "alias=live", capsys)

    assert (code, document["verdict"]) == (130, "interrupted")
    assert state_of(client, live) == before
    assert list(records()) == []


# To an alias


@pytest.mark.usefixtures("world")
def test_an_alias_moves_to_a_version_that_differs_in_its_size_only(
    client: LambdaClient, live: str, folder: Path, capsys: Capsys
) -> None:
    code, document = applied(folder, "alias=live", capsys)

    assert (code, document["version"], alias_of(client, live)) == (0, "2", ("2", None))
    old, new = (
        client.get_function_configuration(FunctionName=live, Qualifier=n) for n in ("1", "2")
    )
    assert (old["MemorySize"], new["MemorySize"]) == (512, 256)
    assert new["Description"].startswith("spring release [tune-apply ")
    for same in ("CodeSha256", "Timeout", "Environment", "Handler", "Role"):
        assert old[same] == new[same]  # type: ignore[literal-required]
    latest = client.get_function_configuration(FunctionName=live)
    assert (latest["MemorySize"], latest["Description"]) == (256, "takes orders")


@pytest.mark.usefixtures("world")
def test_an_alias_is_taken_back_and_the_version_that_nothing_leads_to_goes(
    client: LambdaClient, live: str, folder: Path, capsys: Capsys
) -> None:
    before = state_of(client, live)
    applied(folder, "alias=live", capsys)

    code, _ = applied(RUN_ID, None, capsys, undo=True)

    assert code == 0
    assert state_of(client, live) == before


@pytest.mark.usefixtures("world")
def test_a_version_stays_that_was_in_use_before_the_alias_moved_on(
    client: LambdaClient, live: str, folder: Path, capsys: Capsys
) -> None:
    applied(folder, "alias=live", capsys)
    published = client.get_function_configuration(FunctionName=live, Qualifier="2")
    client.update_function_code(
        FunctionName=live, ZipFile=zipped("def handler(event, context):\n    return 2\n")
    )
    settle(client, live)
    # As a release does that takes over the Description of the version before.
    client.publish_version(FunctionName=live, Description=published["Description"])
    client.update_alias(FunctionName=live, Name="live", FunctionVersion="3")

    code, document = applied(folder, None, capsys, undo=True)

    assert (code, alias_of(client, live)) == (0, ("3", None))
    assert document["taken_back"] == [
        "alias live was led to version 3 by somebody else: it stays so",
        "$LATEST has 512\xa0MB again",
        "version 2 stays: alias live has moved on since",
    ]
    assert sorted(list_versions(client, live)) == ["1", "2", "3"]


@pytest.mark.usefixtures("world")
def test_a_later_version_with_the_same_description_is_not_the_applications(
    client: LambdaClient, live: str, folder: Path, capsys: Capsys
) -> None:
    applied(folder, "alias=live", capsys)
    published = client.get_function_configuration(FunctionName=live, Qualifier="2")
    client.update_function_code(
        FunctionName=live, ZipFile=zipped("def handler(event, context):\n    return 2\n")
    )
    settle(client, live)
    client.publish_version(FunctionName=live, Description=published["Description"])

    code, _ = applied(folder, None, capsys, undo=True)

    assert (code, alias_of(client, live)) == (0, ("1", None))
    assert sorted(list_versions(client, live)) == ["1", "3"]


@pytest.mark.usefixtures("world")
def test_a_second_alias_of_the_same_run_gets_the_same_version(
    client: LambdaClient, live: str, folder: Path, capsys: Capsys
) -> None:
    client.create_alias(FunctionName=live, Name="beta", FunctionVersion="1")
    before = state_of(client, live)
    applied(folder, "latest", capsys)
    applied(folder, "alias=live", capsys)

    _, document = applied(folder, "alias=beta", capsys)

    assert document["version"] == "2"
    assert list(list_versions(client, live)) == ["1", "2"]
    assert applied(folder, None, capsys, undo=True)[0] == 0
    assert state_of(client, live) == before


@pytest.mark.usefixtures("world")
def test_taking_back_leaves_what_others_did_since(
    client: LambdaClient, live: str, folder: Path, capsys: Capsys
) -> None:
    applied(folder, "alias=live", capsys)
    client.create_alias(FunctionName=live, Name="beta", FunctionVersion="2")
    client.update_function_configuration(FunctionName=live, MemorySize=1024)
    settle(client, live)
    client.update_alias(
        FunctionName=live,
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.2}},
    )

    code, document = applied(folder, None, capsys, undo=True)

    assert code == 0
    assert [line.split(":")[0] for line in document["taken_back"]] == [
        "alias live was led to version 2, 0.2 to version 1 by somebody else",
        "$LATEST was set to 1,024\N{NO-BREAK SPACE}MB by somebody else",
        "version 2 stays",
    ]
    assert alias_of(client, live)[0] == "2"


def newer_code(client: LambdaClient, name: str) -> None:
    client.update_function_code(FunctionName=name, ZipFile=zipped("def handler(e, c): return 2"))
    settle(client, name)


def canary(client: LambdaClient, name: str) -> None:
    client.update_function_configuration(FunctionName=name, Description="x")
    settle(client, name)
    client.publish_version(FunctionName=name)
    client.update_alias(
        FunctionName=name,
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )


def to_latest(client: LambdaClient, name: str) -> None:
    client.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")


def longer_timeout(client: LambdaClient, name: str) -> None:
    client.update_function_configuration(FunctionName=name, Timeout=60)
    settle(client, name)


def other_variable(client: LambdaClient, name: str) -> None:
    client.update_function_configuration(
        FunctionName=name,
        Environment={"Variables": {"SANDBOX_MODEL": '{"duration_ms": {"128": 9}}'}},
    )
    settle(client, name)


def other_size(client: LambdaClient, name: str) -> None:
    client.update_function_configuration(FunctionName=name, MemorySize=2048)
    settle(client, name)


def run_at_work(client: LambdaClient, name: str) -> None:
    client.update_function_configuration(
        FunctionName=name, Description=marked_description("a" * 12, 512, 512, "")
    )
    settle(client, name)


@pytest.mark.parametrize(
    ("change", "to", "message"),
    [
        pytest.param(newer_code, "latest", "code from", id="other code"),
        pytest.param(longer_timeout, "latest", "timeout in s from 30 to 60", id="timeout"),
        pytest.param(other_variable, "latest", "another setting", id="environment"),
        pytest.param(other_size, "latest", "memory from 512", id="memory"),
        pytest.param(run_at_work, "latest", "is held by tune run", id="a run's mark"),
        pytest.param(newer_code, "alias=live", "other code: publishing", id="unreleased code"),
        pytest.param(
            longer_timeout, "shift=live", "a timeout of 60 s in place", id="unreleased timeout"
        ),
        pytest.param(canary, "alias=live", "somebody is shifting it", id="a canary in flight"),
        pytest.param(to_latest, "alias=live", "leads to \\$LATEST", id="alias of $LATEST"),
    ],
)
def test_a_function_that_is_not_what_was_measured_is_left_alone(
    client: LambdaClient,
    live: str,
    folder: Path,
    world: World,
    capsys: Capsys,
    change: Any,
    to: str,
    message: str,
) -> None:
    change(client, live)
    before = state_of(client, live)

    with pytest.raises(Refused, match=message):
        applied(folder, to, capsys)

    assert world.calls == []
    assert state_of(client, live) == before


def test_provisioned_concurrency_of_the_alias_is_a_reason_to_refuse(
    folder: Path, world: World, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.apply.checks._is_provisioned", lambda *asked: asked[-1] == "live")

    with pytest.raises(Refused, match=r"alias live of f-.* has provisioned concurrency"):
        applied(folder, "shift=live", capsys)

    assert world.calls == []


def test_a_deploy_between_two_changes_ends_it_and_stays(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    def deploy(name: str) -> None:
        if name == "PublishVersion" and len(world.calls) == 2:
            newer_code(client, live)

    world.before = deploy

    code, document = applied(folder, "alias=live", capsys)

    assert (code, document["verdict"]) == (6, "refused")
    latest = client.get_function_configuration(FunctionName=live)
    assert latest["MemorySize"] == 512
    assert latest["CodeSha256"] != list_versions(client, live)["1"].code_sha256
    assert alias_of(client, live) == ("1", None)
    assert list(list_versions(client, live)) == ["1"]


@pytest.mark.parametrize(
    "operation", ["UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"]
)
def test_a_lost_answer_is_found_out_by_looking(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys, operation: str
) -> None:
    def twice(name: str) -> None:
        """The call is carried out, its answer is lost, and boto3 sends it again."""
        if name != operation or world.calls.count(operation) > 1:
            return
        target = read_target(client, live, REGION)
        if operation == "UpdateFunctionConfiguration":
            client.update_function_configuration(FunctionName=live, MemorySize=256)
            settle(client, live)
        elif operation == "UpdateAlias":
            client.update_alias(FunctionName=live, Name="live", FunctionVersion="2")
        else:
            client.publish_version(
                FunctionName=live,
                Description=f"spring release [tune-apply {apply_id()}: 256 MB, was 512 MB]",
                CodeSha256=target.code_sha256,
            )

    def apply_id() -> str:
        (record,) = records()
        return str(record.beginning.run_id)

    world.before = twice

    code, document = applied(folder, "alias=live", capsys)

    assert (code, document["version"]) == (0, "2")
    assert alias_of(client, live) == ("2", None)
    assert application_of(list_versions(client, live)["2"].description) == apply_id()


# Who agrees, and to what


def asked(folder: Path, to: str) -> ApplyOptions:
    return ApplyOptions(
        run=str(folder), to=to, shift=ShiftOptions(), undo=False, yes=False, profile=None
    )


def test_without_a_terminal_and_without_yes_nothing_is_changed(folder: Path, world: World) -> None:
    with pytest.raises(Refused, match="not confirmed") as refusal:
        apply(asked(folder, "alias=live"), Console())

    message = str(refusal.value).replace("\N{NO-BREAK SPACE}", " ")
    assert "from 512 MB to 256 MB: it costs 23 % less (90 % interval 19 to 27 %)" in message
    assert "alias live moves to it from version 1" in message
    assert f"`tune apply {folder} --undo` takes it back" in message
    assert world.calls == []


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        pytest.param({"verdict": "inconclusive", "exit_code": 4}, "inconclusive", id="unsure"),
        pytest.param({"verdict": "fail", "exit_code": 3}, "fail", id="no size keeps the limit"),
    ],
)
def test_a_run_that_did_not_pass_has_nothing_to_apply(
    client: LambdaClient,
    live: str,
    local_access: LocalAccess,
    tmp_path: Path,
    capsys: Capsys,
    changes: dict[str, Any],
    verdict: str,
) -> None:
    folder = folder_of(client, live, local_access, tmp_path, **changes)

    with pytest.raises(Refused, match=f"the verdict of the run is {verdict}, not pass"):
        applied(folder, "latest", capsys)


def test_the_size_that_it_has_is_nothing_to_apply(
    client: LambdaClient, live: str, local_access: LocalAccess, tmp_path: Path, capsys: Capsys
) -> None:
    folder = folder_of(client, live, local_access, tmp_path, to_mb=512)

    code, document = applied(folder, "latest", capsys)

    assert (code, document["applied"], document["undo"]) == (0, False, None)
    assert "the recommended size is what it has" in document["notes"][0]


def test_a_run_on_aws_is_not_applied_elsewhere(folder: Path, world: World, capsys: Capsys) -> None:
    path = folder / "result.json"
    document = json.loads(path.read_text())
    document["provenance"]["endpoint"] = None
    path.write_text(json.dumps(document))

    with pytest.raises(Refused, match="was tuned at AWS, but the settings lead to http"):
        applied(folder, "latest", capsys)

    assert world.calls == []


def test_an_unknown_alias_is_an_input_error(folder: Path, capsys: Capsys) -> None:
    with pytest.raises(InputError, match=r"alias 'prod' of .*: not found"):
        applied(folder, "alias=prod", capsys)


def test_a_run_that_works_on_the_function_comes_first(
    client: LambdaClient, live: str, folder: Path, local_access: LocalAccess, capsys: Capsys
) -> None:
    target = read_target(client, live, REGION)
    journal = Journal(
        state_folder(),
        Beginning(
            "b" * 12, target.arn, REGION, local_access.endpoint_url, 512, "", "", (), 1, "2026"
        ),
    )
    try:
        with pytest.raises(Refused, match="is being tuned by run bbbbbbbbbbbb"):
            applied(folder, "latest", capsys)
    finally:
        journal.close()


def test_one_that_was_killed_has_to_be_taken_back_first(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    before = state_of(client, live)
    world.kill(0, "after")
    with pytest.raises(Killed):
        applied(folder, "latest", capsys)
    with pytest.raises(Refused, match="a size is being applied to it by process"):
        applied(folder, "alias=live", capsys)
    end_of_processes()
    world.spare()

    with pytest.raises(Refused, match=f"`tune apply {RUN_ID} --undo` puts back"):
        applied(folder, "alias=live", capsys)
    warn_of_killed(records_folder(), Console())
    warn_of_killed(records_folder(), Console(), "arn:of:another")
    assert capsys.readouterr().err.count("was killed: `tune apply") == 1

    assert applied(RUN_ID, None, capsys, undo=True)[0] == 0
    assert state_of(client, live) == before


def test_a_run_of_which_nothing_was_applied_has_nothing_to_take_back(
    folder: Path, capsys: Capsys
) -> None:
    with pytest.raises(InputError, match="nothing of this run was applied"):
        applied(folder, None, capsys, undo=True)
