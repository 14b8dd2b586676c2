"""Shifting an alias: whatever is watched and whenever it ends, nothing half-done stays."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.aws.version_metrics import AliasMetrics, CallMetrics
from core.errors import AwsError, CredentialsError, InputError, Refused
from tests.conftest import MakeFunction
from tests.tuner.apply.rig import GOOD, RUN_ID, SAVING, World, applied, folder_of, records
from tests.tuner.lease_rig import Killed, end_of_processes, state_of
from tuner.apply.judgement import Look
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Capsys = pytest.CaptureFixture[str]

# The changing calls of a shift that goes well.
SHIFT = [
    "UpdateFunctionConfiguration",
    "PublishVersion",
    "UpdateFunctionConfiguration",
    "UpdateAlias",
    "UpdateAlias",
    "UpdateFunctionConfiguration",
]
FAILING = replace(GOOD, new=CallMetrics(100, 9, 0, 50.0))
SLOW = replace(GOOD, new=CallMetrics(100, 0, 0, 80.0))
FEW = replace(GOOD, new=CallMetrics(29, 0, 0, 50.0))


def aliases(client: LambdaClient, name: str) -> Any:
    return state_of(client, name)["aliases"]


def test_a_shift_moves_the_alias_after_its_calls_were_compared(
    client: LambdaClient,
    live: str,
    local_access: LocalAccess,
    tmp_path: Path,
    world: World,
    capsys: Capsys,
) -> None:
    # By the curve of the function: 200 ms at 256 MB, 100 ms at 512 MB.
    twice = SAVING.model_copy(update={"duration_interval": (-1.1, -0.9)})
    folder = folder_of(client, live, local_access, tmp_path, saving=twice)
    met: list[Any] = []

    def traffic(elapsed_s: float) -> None:
        met.append(aliases(client, live)["live"])
        assert client.get_function_configuration(FunctionName=live)["MemorySize"] == 512
        counted = {"1": 0, "2": 0}
        for _ in range(400):
            counted[client.invoke(FunctionName=live, Qualifier="live")["ExecutedVersion"]] += 1
            if min(counted.values()) >= 32:
                break

    world.waiting = traffic

    code, document = applied(folder, "shift=live", capsys, share="50%", seconds=20)

    assert (code, document["verdict"], world.calls) == (0, "pass", SHIFT)
    assert met == [("1", {"AdditionalVersionWeights": {"2": 0.5}})]
    assert aliases(client, live)["live"] == ("2", None)
    assert client.get_function_configuration(FunctionName=live)["MemorySize"] == 256
    new, old = document["shift"]["new"], document["shift"]["old"]
    assert (new["version"], old["version"]) == ("2", "1")
    assert min(new["calls"], old["calls"]) >= 32
    assert new["errors"] == old["errors"] == new["throttles"] == 0
    assert (new["median_ms"], old["median_ms"]) == pytest.approx((200, 100), rel=0.02)


def test_a_shift_is_taken_back_like_any_other(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    before = state_of(client, live)
    world.counts(GOOD)
    applied(folder, "shift=live", capsys)

    assert applied(folder, None, capsys, undo=True)[0] == 0

    assert state_of(client, live) == before


@pytest.mark.parametrize(
    ("look", "code", "verdict", "message"),
    [
        pytest.param(FAILING, 3, "fail", "9 of 100 calls of the new version failed", id="errors"),
        pytest.param(SLOW, 3, "fail", "the new version takes 80.0 ms in the median", id="slower"),
        pytest.param(
            FEW, 4, "inconclusive", "too few calls to compare: 29 of the new version", id="few"
        ),
    ],
)
def test_a_version_that_does_worse_goes_and_the_alias_is_as_before(
    client: LambdaClient,
    live: str,
    folder: Path,
    world: World,
    capsys: Capsys,
    look: Look,
    code: int,
    verdict: str,
    message: str,
) -> None:
    before = state_of(client, live)
    world.counts(look)

    found, document = applied(folder, "shift=live", capsys)

    assert (found, document["verdict"], document["applied"]) == (code, verdict, False)
    assert message in document["errors"][0].replace("\N{NO-BREAK SPACE}", " ")
    assert state_of(client, live) == before
    assert list(records()) == []


def test_calls_that_cloudwatch_shows_late_are_waited_for(
    folder: Path, world: World, capsys: Capsys
) -> None:
    world.counts(FEW)

    def arrive(elapsed_s: float) -> None:
        if elapsed_s > 400:
            world.counts(GOOD)

    world.waiting = arrive

    code, _ = applied(folder, "shift=live", capsys)

    assert code == 0
    assert 400 < world.elapsed_s <= 480


def test_a_failing_version_is_taken_back_before_the_time_is_over(
    folder: Path, world: World, capsys: Capsys
) -> None:
    world.counts(FAILING)

    applied(folder, "shift=live", capsys, seconds=3600)

    assert world.elapsed_s == 30


def test_errors_that_the_new_size_makes_are_seen_in_the_metrics_of_its_version(
    client: LambdaClient,
    make_function: MakeFunction,
    local_access: LocalAccess,
    tmp_path: Path,
    world: World,
    capsys: Capsys,
) -> None:
    model = {"duration_ms": {"128": 9, "1024": 9}, "fails_below_mb": 512, "failure": "oom"}
    name = make_function(model)
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    folder = folder_of(client, name, local_access, tmp_path)
    before = state_of(client, name)

    def traffic(elapsed_s: float) -> None:
        for _ in range(40):
            client.invoke(FunctionName=name, Qualifier="live")

    world.waiting = traffic

    code, document = applied(folder, "shift=live", capsys, share="50%")

    assert code == 3
    assert document["shift"]["new"]["errors"] == document["shift"]["new"]["calls"] > 5
    assert document["shift"]["old"]["errors"] == 0
    assert state_of(client, name) == before


def script(tmp_path: Path, body: str) -> str:
    path = tmp_path / "check.py"
    path.write_text(f"import os, sys\n{body}\n")
    return shlex.join([sys.executable, str(path)])


def test_a_check_that_fails_takes_it_back_and_says_what_it_said(
    client: LambdaClient, live: str, folder: Path, world: World, tmp_path: Path, capsys: Capsys
) -> None:
    before = state_of(client, live)
    world.counts(GOOD)
    names = "TUNE_ALIAS TUNE_VERSION AWS_REGION"
    check = script(tmp_path, f"sys.exit(' '.join(os.environ[n] for n in '{names}'.split()))")

    code, document = applied(folder, "shift=live", capsys, check=check)

    assert code == 3
    assert "exit code 1: live 2 us-east-1" in document["errors"][0]
    assert state_of(client, live) == before


def test_a_check_runs_once_a_minute_and_at_the_end(
    folder: Path, world: World, tmp_path: Path, capsys: Capsys
) -> None:
    world.counts(GOOD)
    check = script(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'a').write('x')")

    code, _ = applied(folder, "shift=live", capsys, check=check, seconds=100)

    # After 30, 90 and 100 s.
    assert (code, (tmp_path / "ran").read_text()) == (0, "xxx")


def test_a_check_that_cannot_run_is_no_reason_to_go_on(
    client: LambdaClient, live: str, folder: Path, world: World, tmp_path: Path, capsys: Capsys
) -> None:
    world.counts(GOOD)
    check = tmp_path / "check"
    check.write_text("#!/nonexistent/interpreter\n")
    check.chmod(0o755)

    code, document = applied(folder, "shift=live", capsys, check=str(check))

    assert code == 3
    assert "could not be started" in document["errors"][0]
    assert aliases(client, live)["live"] == ("1", None)


def test_a_second_signal_leaves_no_check_running(
    folder: Path, world: World, tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.counts(GOOD)
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    twice = "for n in 1 2; do kill -INT $PPID; sleep 0.2; done"
    # It gets two seconds to tidy up after the first.
    check = ["sh", "-c", f"trap '' TERM; {twice}; sleep 1; touch {tmp_path / 'alive'}"]

    code, _ = applied(folder, "shift=live", capsys, check=shlex.join(check))

    assert (code, left) == (130, [130])
    assert not (tmp_path / "alive").exists()


def put_alarm(access: LocalAccess, name: str, state: str) -> None:
    cloudwatch = AwsSession(local=access).cloudwatch()
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        MetricName="Errors",
        Namespace="AWS/Lambda",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
    cloudwatch.close()


def test_an_alarm_that_rings_takes_it_back(
    client: LambdaClient,
    live: str,
    folder: Path,
    local_access: LocalAccess,
    world: World,
    capsys: Capsys,
) -> None:
    before = state_of(client, live)
    world.counts(GOOD)
    put_alarm(local_access, live, "OK")
    world.waiting = lambda elapsed_s: put_alarm(local_access, live, "ALARM")

    code, document = applied(folder, "shift=live", capsys, alarms=(live,))

    assert code == 3
    assert document["errors"] == [f"alarm {live} is in state ALARM"]
    assert state_of(client, live) == before
    with pytest.raises(Refused, match="before anything is changed"):
        applied(folder, "shift=live", capsys, alarms=(live,))


def test_an_alarm_that_is_deleted_meanwhile_is_no_reason_to_go_on(
    client: LambdaClient,
    live: str,
    folder: Path,
    local_access: LocalAccess,
    world: World,
    capsys: Capsys,
) -> None:
    world.counts(GOOD)
    put_alarm(local_access, live, "OK")

    def deleted(elapsed_s: float) -> None:
        cloudwatch = AwsSession(local=local_access).cloudwatch()
        cloudwatch.delete_alarms(AlarmNames=[live])
        cloudwatch.close()

    world.waiting = deleted

    code, document = applied(folder, "shift=live", capsys, alarms=(live,))

    assert (code, document["errors"]) == (3, [f"alarm {live} is not there any more"])
    assert aliases(client, live)["live"] == ("1", None)


def test_an_alarm_that_does_not_exist_is_an_input_error(
    folder: Path, world: World, capsys: Capsys
) -> None:
    with pytest.raises(InputError, match="no such alarm in this region: none"):
        applied(folder, "shift=live", capsys, alarms=("none",))

    assert world.calls == []


def test_metrics_that_cannot_be_read_are_a_reason_not_to_begin(
    folder: Path, world: World, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any, **__: Any) -> None:
        raise AwsError("could not read the metric: AccessDenied", code="AccessDenied")

    monkeypatch.setattr(AliasMetrics, "read", denied)

    with pytest.raises(AwsError, match="AccessDenied"):
        applied(folder, "shift=live", capsys)

    assert world.calls == []


def test_ctrl_c_while_it_is_shifted_takes_it_back(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    before = state_of(client, live)
    world.waiting = lambda elapsed_s: os.kill(os.getpid(), signal.SIGTERM)

    code, document = applied(folder, "shift=live", capsys)

    assert (code, document["verdict"]) == (143, "interrupted")
    assert state_of(client, live) == before
    assert list(records()) == []


def test_an_alias_that_somebody_else_moves_stays_theirs(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    world.counts(GOOD)

    def release(elapsed_s: float) -> None:
        client.update_function_configuration(FunctionName=live, Description="autumn")
        client.get_waiter("function_updated_v2").wait(FunctionName=live, WaiterConfig={"Delay": 0})
        client.publish_version(FunctionName=live)
        # Their pipeline leaves the weights alone, which lead to the version of the shift.
        client.update_alias(FunctionName=live, Name="live", FunctionVersion="3")
        world.waiting = lambda elapsed_s: None

    world.waiting = release

    code, document = applied(folder, "shift=live", capsys)

    assert (code, document["verdict"]) == (6, "refused")
    assert aliases(client, live)["live"] == ("3", None)
    assert set(list_versions(client, live)) == {"1", "3"}


def test_credentials_that_are_lost_are_asked_for_anew_to_put_it_back(
    client: LambdaClient,
    live: str,
    folder: Path,
    world: World,
    capsys: Capsys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = state_of(client, live)
    lost: list[bool] = []
    made = AwsSession.control_lambda

    def lose(name: str) -> None:
        if lost and lost[-1]:
            raise CredentialsError("could not read it: ExpiredTokenException")

    def expire(elapsed_s: float) -> None:
        lost.append(True)

    def renewed(session: AwsSession, **given: Any) -> LambdaClient:
        lost.append(False)
        return made(session, **given)

    world.before, world.waiting = lose, expire
    monkeypatch.setattr(AwsSession, "control_lambda", renewed)

    code, document = applied(folder, "shift=live", capsys)

    assert (code, document["verdict"]) == (1, "error")
    assert "ExpiredToken" in document["errors"][0]
    assert state_of(client, live) == before


def test_a_deploy_during_the_shift_keeps_its_size(
    client: LambdaClient, live: str, folder: Path, world: World, capsys: Capsys
) -> None:
    world.counts(GOOD)

    def deploy(elapsed_s: float) -> None:
        client.update_function_configuration(FunctionName=live, MemorySize=1024)
        client.get_waiter("function_updated_v2").wait(FunctionName=live, WaiterConfig={"Delay": 0})
        world.waiting = lambda elapsed_s: None

    world.waiting = deploy

    code, document = applied(folder, "shift=live", capsys)

    assert (code, document["applied"], aliases(client, live)["live"]) == (0, True, ("2", None))
    assert client.get_function_configuration(FunctionName=live)["MemorySize"] == 1024
    assert "$LATEST does not get the new size" in document["notes"][0]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", range(len(SHIFT)), ids=lambda at: f"{at} {SHIFT[at]}")
def test_one_that_is_killed_at_any_change_is_taken_back(
    client: LambdaClient,
    live: str,
    folder: Path,
    world: World,
    capsys: Capsys,
    at: int,
    moment: str,
) -> None:
    before = state_of(client, live)
    world.counts(GOOD)
    world.kill(at, moment)
    with pytest.raises(Killed):
        applied(folder, "shift=live", capsys)
    assert world.calls == SHIFT[: at + 1]
    end_of_processes()
    world.spare()

    code, _ = applied(RUN_ID, None, capsys, undo=True)

    assert code == 0
    assert state_of(client, live) == before
    assert list(records()) == []
