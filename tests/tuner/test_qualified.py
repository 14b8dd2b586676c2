"""Versions and aliases as the thing to tune, in whole runs against the sandbox."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import LocalAccess
from core.console import Console
from core.errors import ExitCode, FunctionNotFound, InputError, Refused
from reports.document import TuneDocument
from reports.tune_facts import facts_of
from tests.conftest import MakeFunction, zipped
from tests.tuner.iam_rig import actions, policy, recording, refused
from tests.tuner.lease_rig import (
    REGION,
    Killed,
    begin,
    end_of_processes,
    killing,
    open_journals,
    state_of,
)
from tests.tuner.run_rig import Tune, tune_options
from tuner import run
from tuner.preflight.run import preflight
from tuner.preparation import read_usable
from tuner.restore import RestoreOptions, restore
from tuner.target import split_function

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

PLAN: dict[str, Any] = {"sizes": "128,512", "samples": 5}
FASTEST: dict[str, Any] = {"sizes": "128,1024", "samples": 5, "objective": "speed"}
OLD = {"duration_ms": {"128": 40, "512": 10}}
NEW = {"duration_ms": {"128": 80, "512": 60}}


def model(curve: dict[str, Any]) -> dict[str, Any]:
    return {"Environment": {"Variables": {"SANDBOX_MODEL": json.dumps(curve)}}}


def change(client: LambdaClient, name: str, **settings: Any) -> None:
    client.update_function_configuration(FunctionName=name, **settings)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0})


@pytest.fixture
def released(client: LambdaClient, make_function: MakeFunction) -> str:
    """Alias `live` leads to version 1, which is another function than `$LATEST` by its settings."""
    name = make_function(OLD, memory_mb=512, description="takes orders", timeout_s=20)
    client.publish_version(FunctionName=name, Description="the live one")
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    change(client, name, MemorySize=256, Timeout=9, **model(NEW))
    return name


@pytest.fixture
def shell(local_access: LocalAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings that `sandbox up` prints, in the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_access.endpoint_url)
    monkeypatch.setenv("AWS_REGION", local_access.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", local_access.secret_access_key)


@pytest.fixture
def same(client: LambdaClient, make_function: MakeFunction) -> str:
    """Alias `live` leads to version 1, which only has another size than `$LATEST`."""
    name = make_function(OLD, memory_mb=512)
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    change(client, name, MemorySize=128)
    return name


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("orders", ("orders", None)),
        ("orders:live", ("orders", "live")),
        ("orders:7", ("orders", "7")),
        ("orders:$LATEST", ("orders", None)),
        ("function:orders:7", ("function:orders", "7")),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:orders:live",
            ("arn:aws:lambda:us-east-1:123456789012:function:orders", "live"),
        ),
    ],
)
def test_a_name_may_have_a_version_or_an_alias(
    function: str, expected: tuple[str, str | None]
) -> None:
    assert split_function(function) == expected


@pytest.mark.parametrize("function", ["orders:", "orders:a b", "orders:live:7", "orders:$NEXT"])
def test_what_is_no_version_is_named(function: str) -> None:
    with pytest.raises(InputError, match="FUNCTION: expected a "):
        split_function(function)


def test_an_alias_is_tuned_with_the_settings_of_its_version(
    tune: Tune, client: LambdaClient, released: str
) -> None:
    before = state_of(client, released)

    code, document = tune(f"{released}:live", yes=True, **PLAN)

    assert (code, document["verdict"]) == (0, "pass")
    assert ("Version", "1, of alias live") in facts_of(TuneDocument.model_validate(document))
    assert [size["duration_ms"]["p50"] for size in document["sizes"]] == [40, 10]
    assert document["current"]["memory_mb"] == 512
    assert document["function"]["timeout_s"] == 20
    assert document["trial"]["memory_mb"] == 512
    assert document["trial"]["duration_ms"] == 10
    provenance = document["provenance"]
    assert (provenance["qualifier"], provenance["version"]) == ("live", "1")
    assert any(
        "unqualified traffic meets the settings of version 1 (timeout, environment variables)"
        in note
        for note in document["notes"]
    )
    assert state_of(client, released) == before
    assert open_journals() == ()


def test_a_version_that_needs_no_copy_asks_nothing_more(
    tune: Tune, client: LambdaClient, same: str
) -> None:
    before = state_of(client, same)

    code, document = tune(f"{same}:1", **PLAN)

    assert (code, document["verdict"]) == (0, "pass")
    assert document["current"]["memory_mb"] == 512
    assert (document["provenance"]["qualifier"], document["provenance"]["version"]) == ("1", "1")
    assert any("$LATEST has 128" in note for note in document["notes"])
    assert state_of(client, same) == before


def test_a_copy_is_agreed_to_or_refused(tune: Tune, client: LambdaClient, released: str) -> None:
    before = state_of(client, released)

    with pytest.raises(
        Refused,
        match=r"for the seconds of publishing, unqualified traffic meets the settings of version 1 "
        r"\(timeout, environment variables\): not confirmed",
    ):
        tune(f"{released}:live", **PLAN)

    assert state_of(client, released) == before


def test_a_plan_names_the_alias_and_its_version(tune: Tune, released: str) -> None:
    code, plan = tune(f"{released}:live", dry_run=True, **PLAN)

    assert code == 0
    assert (plan["function"]["qualifier"], plan["function"]["version"]) == ("live", "1")
    assert plan["current"]["memory_mb"] == 512
    assert any("unqualified traffic meets the settings" in note for note in plan["notes"])


def test_of_two_versions_behind_an_alias_the_main_one_is_tuned(
    client: LambdaClient, owned: str
) -> None:
    target = read_usable(client, f"{owned}:RAM512", REGION)

    assert (target.version, target.shares) == ("1", (("2", 0.25),))
    assert target.memory_mb == 512
    assert target.borrowed.memory_mb == 256


def test_latest_is_what_a_name_alone_means(client: LambdaClient, owned: str) -> None:
    client.create_alias(FunctionName=owned, Name="next", FunctionVersion="$LATEST")

    plain, latest, alias = (
        read_usable(client, f"{owned}{qualifier}", REGION)
        for qualifier in ("", ":$LATEST", ":next")
    )

    assert plain == latest
    assert (alias.version, alias.qualifier, alias.copy) == ("$LATEST", "next", None)


@pytest.mark.parametrize(
    ("qualifier", "error", "message"),
    [
        ("gone", InputError, "alias 'gone' of .*: not found"),
        ("99", FunctionNotFound, "version 99 not found"),
    ],
)
def test_what_does_not_exist_is_said(
    client: LambdaClient, owned: str, qualifier: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_usable(client, f"{owned}:{qualifier}", REGION)


def test_a_version_with_other_code_is_refused_and_nothing_is_changed(
    tune: Tune, client: LambdaClient, released: str
) -> None:
    client.update_function_code(FunctionName=released, ZipFile=zipped("def handler(e, c): pass"))
    client.get_waiter("function_updated_v2").wait(FunctionName=released, WaiterConfig={"Delay": 0})
    before = state_of(client, released)

    with pytest.raises(Refused, match=r"version 1 has other code than \$LATEST"):
        tune(f"{released}:live", yes=True, **PLAN)

    assert state_of(client, released) == before


@pytest.mark.usefixtures("shell")
def test_a_killed_copy_is_restored_from_another_machine(
    client: LambdaClient,
    released: str,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = state_of(client, released)
    lease = begin(client, released, local_access, read_usable(client, f"{released}:live", REGION))
    with killing(client, 2, moment="after-call"), pytest.raises(Killed):
        lease.publish([128])
    end_of_processes()
    lease.journal.path.unlink()
    during = state_of(client, released)["latest"]
    assert during["Timeout"] == 20
    assert during["Environment"] != before["latest"]["Environment"]
    with pytest.raises(Refused, match="is held by tune run"):
        read_usable(client, f"{released}:live", REGION)

    options = RestoreOptions(None, list_only=False, forget=None, yes=True, function=released)
    assert restore(options, Console()) == ExitCode.PASS

    said = " ".join(capsys.readouterr().err.split())
    assert "its own settings are back: timeout, environment variable SANDBOX_MODEL" in said
    assert state_of(client, released) == before


@pytest.mark.usefixtures("shell")
def test_a_preflight_looks_at_the_version(
    client: LambdaClient, released: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(client, released)

    code = preflight(
        tune_options(f"{released}:live", yes=True), Console(json_output=True), with_trial=True
    )

    assert code == ExitCode.PASS
    document = json.loads(capsys.readouterr().out)
    found = {
        finding["name"]: finding["found"]
        for section in document["sections"]
        for finding in section["findings"]
    }
    assert re.fullmatch(rf"{released} of account \d+, version 1, alias live", found["function"])
    assert found["timeout"] == "20 s"
    assert "answers in 10.0 ms" in found["trial"]
    assert "unqualified traffic meets the settings of version 1" in json.dumps(document)
    assert state_of(client, released) == before


@pytest.mark.parametrize(("qualifier", "more"), [("live", {"lambda:GetAlias"}), ("1", set())])
def test_the_policy_allows_what_a_run_on_a_version_asks(
    tune: Tune,
    released: str,
    monkeypatch: pytest.MonkeyPatch,
    qualifier: str,
    more: set[str],
) -> None:
    function = f"{released}:{qualifier}"

    with recording(monkeypatch) as recorder:
        tune(function, yes=True, **PLAN)

    assert refused(recorder.calls, policy(function)) == []
    assert actions(policy(function)) - actions(policy(released)) == more <= recorder.actions


def test_the_size_goes_to_the_alias_whatever_latest_has(
    tune: Tune, client: LambdaClient, same: str
) -> None:
    change(client, same, MemorySize=2048)

    code, document = tune(f"{same}:live", yes=True, apply="alias=live", **FASTEST)

    assert (code, document["applied"]["applied"]) == (0, True)
    assert (document["current"]["memory_mb"], document["applied"]["to_mb"]) == (512, 1024)
    alias = client.get_alias(FunctionName=same, Name="live")
    for qualifier in (alias["FunctionVersion"], "$LATEST"):
        now = client.get_function_configuration(FunctionName=same, Qualifier=qualifier)
        assert now["MemorySize"] == 1024


@pytest.mark.usefixtures("shell")
def test_how_to_apply_the_size_to_the_alias_is_said(
    same: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.tune(tune_options(f"{same}:live", runs=tmp_path / "runs", **FASTEST), Console())

    (folder,) = (tmp_path / "runs").iterdir()
    said = "".join(capsys.readouterr().err.split())
    assert f"`tuneapply{folder}--toalias=live`givesthesizetothealias" in said


def test_latest_does_not_get_what_was_measured_of_another_version(tune: Tune, same: str) -> None:
    with pytest.raises(
        Refused, match=r"--apply latest: .*:1 is measured, and \$LATEST has another"
    ):
        tune(f"{same}:1", yes=True, apply="latest", **PLAN)
