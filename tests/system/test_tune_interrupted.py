"""`tune` stopped at many points: memory, versions and aliases are as before."""

from __future__ import annotations

import json
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from tests.conftest import MakeFunction
from tests.system.conftest import TIMEOUT_S, Command, CommandHere
from tests.system.forked import Forked
from tests.tuner.lease_rig import state_of
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

pytestmark = pytest.mark.system

# Slow enough to be met in the middle: each call is held for its true duration.
HELD: dict[str, Any] = {"duration_ms": {"128": 36, "3008": 24}, "hold": True, "init_ms": 30}
SIZES = "128,256,512,1024"
FIXED, ADAPTIVE = ("--sizes", SIZES), ("--objective", "speed")


def wait_for(condition: Any, child: Forked) -> None:
    """Returns when `condition()` holds; fails when the child ended before."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert child.poll() is None, f"tune ended too early: {child.communicate()}"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def moments(client: LambdaClient, name: str, command: Command) -> dict[str, Any]:
    """Points in a run, by what can be seen of it from outside."""

    def memory_changed() -> bool:
        return client.get_function_configuration(FunctionName=name)["MemorySize"] != 777

    def versions(count: int) -> Any:
        return lambda: len(list_versions(client, name)) >= count

    def samples(count: int) -> Any:
        def reached() -> bool:
            files = list(command.folder.glob("runs/*/samples.ndjson"))
            return bool(files) and len(files[0].read_text().splitlines()) >= count

        return reached

    return {
        "memory changed": memory_changed,
        "first version": versions(1),
        "second version": versions(2),
        "last version": versions(4),
        "first sample": samples(1),
        "half of the samples": samples(20),
        "nearly all samples": samples(37),
    }


MOMENTS = [
    "memory changed",
    "first version",
    "second version",
    "last version",
    "first sample",
    "half of the samples",
    "nearly all samples",
]


STOPS = [
    *(
        pytest.param(FIXED, moment, signal.SIGINT, 130, id=f"Ctrl-C, {moment}")
        for moment in MOMENTS
    ),
    pytest.param(FIXED, "memory changed", signal.SIGTERM, 143, id="SIGTERM, memory changed"),
    pytest.param(FIXED, "half of the samples", signal.SIGTERM, 143, id="SIGTERM, half of samples"),
    pytest.param(FIXED, "first sample", signal.SIGHUP, 143, id="terminal closed, first sample"),
    pytest.param(ADAPTIVE, "first version", signal.SIGINT, 130, id="adaptive, first version"),
    # The first sizes are three: this one was chosen after they had answered.
    pytest.param(ADAPTIVE, "last version", signal.SIGINT, 130, id="adaptive, fourth version"),
]


@pytest.mark.usefixtures("hangups")
@pytest.mark.parametrize(("plan", "moment", "number", "code"), STOPS)
def test_an_interrupted_run_puts_everything_back_and_keeps_its_samples(
    command: Command,
    here: CommandHere,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    plan: tuple[str, ...],
    moment: str,
    number: signal.Signals,
    code: int,
) -> None:
    name = make_function(HELD, memory_mb=777, description="takes orders")
    before = state_of(lambda_client, name)
    arguments = ("tuner", name, *plan, "--json")

    with command.start(*arguments) as child:
        wait_for(moments(lambda_client, name, command)[moment], child)
        child.send_signal(number)
        out, err = child.communicate(timeout=TIMEOUT_S)

    assert child.returncode == code, err
    assert "putting everything back" in err
    assert state_of(lambda_client, name) == before
    document = json.loads(out)
    assert (document["verdict"], document["exit_code"]) == ("interrupted", code)
    (folder,) = (command.folder / "runs").iterdir()
    kept = (folder / "samples.ndjson").read_text().splitlines()
    assert document["spent"]["invocations"] == 1 + len(kept)  # the trial is no sample
    assert json.loads((folder / "result.json").read_text()) == document
    assert "nothing to restore" in here.run("tuner", "restore").err


@pytest.mark.parametrize(
    ("plan", "moment"),
    [
        pytest.param(FIXED, "memory changed", id="memory changed"),
        pytest.param(FIXED, "second version", id="second version"),
        pytest.param(FIXED, "half of the samples", id="half of the samples"),
        pytest.param(ADAPTIVE, "last version", id="adaptive, fourth version"),
    ],
)
def test_a_killed_run_is_undone_by_restore(
    command: Command,
    here: CommandHere,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    plan: tuple[str, ...],
    moment: str,
) -> None:
    name = make_function(HELD, memory_mb=777, description="takes orders")
    before = state_of(lambda_client, name)

    with command.start("tuner", name, *plan) as child:
        wait_for(moments(lambda_client, name, command)[moment], child)
        child.kill()
    assert state_of(lambda_client, name) != before

    listed = here.run("tuner", "restore", "--list")
    assert "was killed" in listed.err
    assert state_of(lambda_client, name) != before

    unasked = here.run("tuner", "restore")
    assert unasked.code == 6
    assert "--yes" in unasked.err

    finished = command.run("tuner", "restore", "--yes", "--json")
    assert finished.code == 0, finished.err
    assert len(finished.document["restored"]) == 1
    assert state_of(lambda_client, name) == before


def test_a_killed_run_is_undone_from_a_machine_without_its_journal(
    command: Command, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    name = make_function(HELD, memory_mb=777, description="takes orders")
    before = state_of(lambda_client, name)
    with command.start("tuner", name, "--sizes", SIZES) as child:
        wait_for(moments(lambda_client, name, command)["memory changed"], child)
        child.kill()
    elsewhere = {"XDG_STATE_HOME": str(command.folder / "elsewhere")}

    refused = command.run("tuner", name, **elsewhere)
    undoing = ("restore", name, "--region", "us-east-1")
    restored = command.run("tuner", *undoing, "--yes", "--json", **elsewhere)

    assert refused.code == 6
    assert f"`tune {' '.join(undoing)}` undoes" in refused.err
    assert restored.code == 0, restored.err
    assert len(restored.document["restored"]) == 1
    assert state_of(lambda_client, name) == before


def test_a_second_signal_leaves_at_once_and_says_what_to_do(
    command: Command, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    slow = {**HELD, "duration_ms": {"128": 20_000, "3008": 20_000}}
    name = make_function(slow, memory_mb=777, timeout_s=60)
    before = state_of(lambda_client, name)

    with command.start("tuner", name, "--sizes", SIZES, "--yes", "--skip-trial") as child:
        wait_for(moments(lambda_client, name, command)["last version"], child)
        time.sleep(0.5)  # until a call of 20 s is in flight, which the first signal waits for
        child.send_signal(signal.SIGINT)
        assert child.stderr is not None
        while "Ctrl-C again" not in child.stderr.readline():
            pass
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=10)

    assert child.returncode == 130
    assert "tune restore" in err
    assert command.run("tuner", "restore", "--yes").code == 0
    assert state_of(lambda_client, name) == before


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process on Linux")
def test_a_disk_that_fills_ends_the_run_and_the_function_is_put_back(
    command: Command, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    name = make_function(HELD, memory_mb=777, description="takes orders")
    before = state_of(lambda_client, name)

    with command.start("tuner", name, "--sizes", SIZES, "--json") as child:
        wait_for(moments(lambda_client, name, command)["first sample"], child)
        # Room for some samples; none for the document.
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (4000, 4000))
        out, err = child.communicate(timeout=TIMEOUT_S)

    assert child.returncode == 1, err
    assert "Traceback" not in err
    assert "samples.ndjson: could not keep the samples: " in err
    assert "result.json: File too large" in err
    assert state_of(lambda_client, name) == before
    document = json.loads(out)
    assert (document["verdict"], document["exit_code"]) == ("invalid", 1)
    (folder,) = (command.folder / "runs").iterdir()
    kept = (folder / "samples.ndjson").read_text().splitlines()
    assert [json.loads(line)["outcome"] for line in kept] == ["measured"] * len(kept)
    # The trial is no sample, and the last one found no room.
    assert document["spent"]["invocations"] == 1 + len(kept) + 1


@contextmanager
def sandbox_with_state(command: Command, *, port: int) -> Iterator[dict[str, str]]:
    """A sandbox that keeps its functions in a folder, and is killed like in a power cut."""
    arguments = ("up", "--port", str(port), "--state", "state", "--json", "-q")
    with command.start_anew("sandbox", *arguments) as child:
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())["environment"]
        finally:
            child.kill()


def test_a_run_outlasts_an_aws_that_is_gone_for_a_while(command: Command) -> None:
    with sandbox_with_state(command, port=0) as environment:
        port = int(environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
        client = lambda_client_of(environment)
        before = state_of(client, "lookup")
        tune = command.start("tuner", "lookup", "--sizes", SIZES, "--json", **environment)
        wait_for(moments(client, "lookup", command)["half of the samples"], tune)
        client.close()

    # Until putting back is tried for the fourth time.
    assert tune.stderr is not None
    said = iter(tune.stderr.readline, "")
    assert any("does not come through and is tried again" in line for line in said)
    with sandbox_with_state(command, port=port) as environment:
        client = lambda_client_of(environment)
        with tune:
            out, _ = tune.communicate(timeout=TIMEOUT_S)
        assert state_of(client, "lookup") == before
        client.close()

    document = json.loads(out)
    assert document["verdict"] == "invalid"
    assert not any("could be undone" in error for error in document["errors"])
    assert document["spent"]["invocations"] >= 20


def lambda_client_of(environment: dict[str, str]) -> LambdaClient:
    access = LocalAccess(
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region=environment["AWS_REGION"],
        access_key_id=environment["AWS_ACCESS_KEY_ID"],
        secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        host_cores=1,
    )
    return AwsSession(local=access).control_lambda()
