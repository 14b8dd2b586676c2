"""`tune FUNCTION --apply`: after a run that passes, and never without somebody who agrees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import InputError, Refused
from tests.tuner.apply.rig import World
from tests.tuner.lease_rig import state_of
from tests.tuner.run_rig import Tune, tune_options
from tuner.facts import recorded_command
from tuner.options import check_options

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

PLAN: dict[str, Any] = {"sizes": "512,1024", "samples": 5, "skip_trial": True, "yes": True}


@pytest.mark.usefixtures("world")
def test_a_run_that_passes_gives_the_function_its_size(
    tune: Tune, client: LambdaClient, live: str, tmp_path: Path
) -> None:
    code, document = tune(live, apply="alias=live", objective="speed", **PLAN)

    assert (code, document["exit_code"], document["verdict"]) == (0, 0, "pass")
    done = document["applied"]
    assert (done["kind"], done["applied"], done["to"]) == ("tune-apply", True, "alias=live")
    version = client.get_alias(FunctionName=live, Name="live")["FunctionVersion"]
    assert version == done["version"]
    shown = client.get_function_configuration(FunctionName=live, Qualifier=version)
    assert shown["MemorySize"] == document["recommendation"]["memory_mb"] == 1024
    (folder,) = (tmp_path / "runs").iterdir()
    assert done["undo"] == f"tune apply {folder} --undo"
    assert json.loads((folder / "result.json").read_text()) == document


@pytest.mark.parametrize(
    ("plan", "code", "why"),
    [
        pytest.param({"sizes": "512,3008"}, 0, "the recommended size is what it has", id="same"),
        pytest.param({"samples": 1}, 4, "verdict of the run is inconclusive", id="too few"),
    ],
)
def test_why_nothing_is_applied_is_said_and_no_failure(
    tune: Tune,
    client: LambdaClient,
    live: str,
    world: World,
    plan: dict[str, Any],
    code: int,
    why: str,
) -> None:
    before = state_of(client, live)

    found, document = tune(live, apply="latest", objective="cost", **{**PLAN, **plan})

    assert found == code
    assert document["applied"]["applied"] is False
    assert why in document["applied"]["notes"][0]
    assert state_of(client, live) == before
    assert "UpdateAlias" not in world.calls


def test_what_is_refused_after_the_run_keeps_the_answer(
    tune: Tune, client: LambdaClient, live: str, world: World
) -> None:
    # The run deletes its versions as the last it does; then somebody deploys.
    def deploy(name: str, parsed: dict[str, Any]) -> None:
        if name == "DeleteFunction" and world.calls.count(name) == 2:
            client.update_function_configuration(FunctionName=live, Timeout=99)

    world.after = deploy

    code, document = tune(live, apply="latest", objective="speed", **PLAN)

    assert (code, document["verdict"], document["exit_code"]) == (6, "pass", 6)
    assert document["recommendation"]["memory_mb"] == 1024
    assert "timeout in s from 30 to 99" in document["errors"][0]
    assert client.get_function_configuration(FunctionName=live)["MemorySize"] == 512


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        pytest.param(
            {"apply": "latest", "yes": False}, Refused, "nobody can agree", id="no terminal"
        ),
        pytest.param({"apply": "alias=prod"}, InputError, "alias 'prod'", id="no such alias"),
    ],
)
def test_what_could_not_be_applied_is_refused_before_the_run(
    tune: Tune,
    live: str,
    world: World,
    tmp_path: Path,
    given: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        tune(live, **{**PLAN, **given})

    assert world.calls == []
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"apply": "prod"}, "--apply: expected latest, alias=NAME", id="a bare name"),
        pytest.param(
            {"apply": "latest", "sandbox": True}, "--apply: has no meaning with", id="sandbox"
        ),
    ],
)
def test_an_apply_without_meaning_is_an_input_error(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_options(tune_options("orders", **given))


def test_the_arguments_of_a_check_are_in_no_record() -> None:
    words = ["tune", "orders", "--check", "curl -H 'Authorization: secret' https://x"]

    assert recorded_command(words) == ["tune", "orders", "--check", "curl <arguments>"]
