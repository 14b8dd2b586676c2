"""How the function is used: as given, or read from metrics and logs of the sandbox."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.errors import AwsError, InputError, Interrupted
from core.interrupt import StopRequest
from tests.conftest import MakeFunction
from tests.tuner.lease_rig import state_of
from tests.tuner.run_rig import Tune
from tuner.target import read_target
from tuner.usage import Usage, UsageAsked, check_usage, given_usage, read_usage

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@pytest.mark.parametrize(
    ("cold_share", "requests", "usage"),
    [
        pytest.param(None, None, Usage(), id="nothing said"),
        pytest.param("2%", None, Usage(cold_share=0.02), id="cold share"),
        pytest.param("0", "1k", Usage(cold_share=0.0, requests_per_month=1000.0), id="both"),
    ],
)
def test_what_is_given_is_taken_as_it_is(
    cold_share: str | None, requests: str | None, usage: Usage
) -> None:
    asked = check_usage(cold_share, requests)

    assert not asked.reads_aws
    assert given_usage(asked) == usage


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        pytest.param(UsageAsked(cold_share="auto"), "--cold-share", id="cold share"),
        pytest.param(UsageAsked(requests="auto"), "--requests-per-month", id="requests"),
    ],
)
def test_without_aws_nothing_can_be_read(asked: UsageAsked, option: str) -> None:
    assert asked.reads_aws
    with pytest.raises(InputError, match=rf"{option}: expected a number .*got 'auto'"):
        given_usage(asked)


def test_what_is_auto_is_read_from_metrics_and_logs(
    local_access: LocalAccess, client: LambdaClient, make_function: MakeFunction
) -> None:
    name = make_function()
    target = read_target(client, name, "us-east-1")
    for _ in range(4):
        client.invoke(FunctionName=name)
    session = AwsSession(local=local_access)

    usage = read_usage(
        check_usage("auto", "auto"),
        session,
        client,
        target,
        datetime.now(UTC) + timedelta(hours=1),
        StopRequest(),
    )

    assert usage.cold_share == 0.25
    assert "1 of 4 calls were cold" in usage.cold_source
    assert usage.requests_per_month == pytest.approx(4 / 14 * 30.4375, rel=0.01)
    assert "metric Invocations" in usage.requests_source


def test_a_function_without_traffic_says_how_to_give_the_figure(
    local_access: LocalAccess, client: LambdaClient, make_function: MakeFunction
) -> None:
    target = read_target(client, make_function(), "us-east-1")

    with pytest.raises(AwsError, match="--requests-per-month N"):
        read_usage(
            check_usage("2%", "auto"),
            AwsSession(local=local_access),
            client,
            target,
            datetime.now(UTC),
            StopRequest(),
        )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
@pytest.mark.parametrize(
    ("at", "calls"),
    [
        pytest.param("StartQuery", ["StartQuery", "StopQuery"], id="a query"),
        pytest.param("ListVersionsByFunction", [], id="before it"),
    ],
)
def test_a_stop_ends_a_query_that_is_paid_and_no_run_begins(
    tune: Tune,
    lambda_client: LambdaClient,
    make_function: MakeFunction,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    code: int,
    at: str,
    calls: list[str],
) -> None:
    name = make_function()
    lambda_client.invoke(FunctionName=name)
    before = state_of(lambda_client, name)
    seen: list[str] = []

    def note(model: Any, **_: Any) -> None:
        seen.append(model.name)
        if model.name == at:
            os.kill(os.getpid(), number)

    for make in ("logs", "control_lambda"):
        original = getattr(AwsSession, make)

        def making(session: AwsSession, original: Any = original) -> Any:
            client = original(session)
            client.meta.events.register("after-call", note)
            return client

        monkeypatch.setattr(AwsSession, make, making)

    with pytest.raises(Interrupted) as stopped:
        tune(name, cold_share="auto")

    assert stopped.value.code == code
    assert [call for call in seen if call in ("StartQuery", "StopQuery")] == calls
    assert state_of(lambda_client, name) == before
