"""The lease and AWS's answers: late, lost, refused, and accepted but not carried out.

Against the sandbox's real Lambda API, with what happens on the way put in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from core.aws.session import AwsSession, LocalAccess
from core.errors import AwsError, Refused
from core.local_aws import local_aws
from tests.conftest import ROLE, zipped
from tests.tuner.lease_rig import REGION, SIZES, Killed, begin, killing, state_of
from tuner.settle import wait_until_settled
from tuner.undo import restore_latest

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def test_reads_that_lag_behind_writes_do_not_stop_a_run(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
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
    lease.publish(SIZES)
    events.unregister("after-call.lambda.GetFunction", show_the_old_one)

    assert list(lease.versions) == list(SIZES)
    lease.release()
    assert state_of(client, owned) == before


def test_an_update_that_aws_could_not_carry_out_ends_the_run(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

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
        lease.publish(SIZES)
    lease.release()

    assert lease.versions == {}
    assert state_of(client, owned) == before


def test_a_restore_that_aws_could_not_carry_out_is_not_done_and_is_tried_again(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
    with killing(client, 1, moment="before-call"), pytest.raises(Killed):
        lease.publish(SIZES)
    failing = [True]

    def fail_at_the_size_of_before(parsed: dict[str, Any], **_: Any) -> None:
        shown = parsed.get("Configuration", {})
        if failing[0] and (shown["MemorySize"], shown["LastUpdateStatus"]) == (256, "Successful"):
            shown["LastUpdateStatus"] = "Failed"
            shown["LastUpdateStatusReason"] = "the subnet has no free addresses"

    def get_well(**_: Any) -> None:
        failing[0] = False

    client.meta.events.register("after-call.lambda.GetFunction", fail_at_the_size_of_before)
    with pytest.raises(AwsError, match=r"put .* back to 256 MB: .*no free addresses"):
        lease.release()
    # What AWS shows is as before, but the function still runs with a test size.
    client.meta.events.register("before-call.lambda.UpdateFunctionConfiguration", get_well)
    beginning = lease.beginning
    assert restore_latest(client, beginning.function_arn, beginning, lease.pause).changed
    lease.release()

    assert not failing[0]
    assert state_of(client, owned) == before


def test_an_update_that_is_refused_for_another_reason_ends_the_run_with_it(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

    def ask_for_what_is_lambdas(params: dict[str, Any], **_: Any) -> None:
        params["Environment"] = {"Variables": {"AWS_REGION": "eu-west-1"}}

    event = "before-parameter-build.lambda.UpdateFunctionConfiguration"
    client.meta.events.register(event, ask_for_what_is_lambdas)
    with pytest.raises(AwsError, match="Reserved keys used in this request: AWS_REGION"):
        lease.publish(SIZES)
    lease.release()

    assert lease.refused_sizes == {}
    assert state_of(client, owned) == before


@pytest.mark.parametrize("moment", ["the update is over", "the update may be going on"])
def test_an_update_whose_answer_was_lost_is_the_runs_own(
    client: LambdaClient, owned: str, local_access: LocalAccess, moment: str
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
    other = AwsSession(local=local_access).control_lambda()
    lost: list[str] = []

    def lose_the_first_answer(request: Any, **_: Any) -> None:
        if lost:
            return
        lost.append(request.url)
        wire = URLLib3Session()
        wire.send(request)
        wire.close()
        if moment == "the update is over":
            other.get_waiter("function_updated_v2").wait(
                FunctionName=owned, WaiterConfig={"Delay": 0}
            )
        raise ConnectionClosedError(endpoint_url=request.url)

    event = "before-send.lambda.UpdateFunctionConfiguration"
    client.meta.events.register(event, lose_the_first_answer)
    lease.publish(SIZES)
    lease.release()
    other.close()

    assert len(lost) == 1
    assert list(lease.versions) == list(SIZES)
    assert state_of(client, owned) == before


@pytest.fixture(scope="module")
def slow_to_update() -> Iterator[LocalAccess]:
    """A local AWS whose updates take long enough to be met by the next call."""
    # Each bundled function would take that long too, before anything is served.
    with local_aws(["--no-functions", "--update-ms", "400"]) as access:
        client = AwsSession(local=access).control_lambda()
        client.create_function(
            FunctionName="lookup",
            Runtime="python3.11",
            Role=ROLE,
            Handler="handler.handler",
            Code={"ZipFile": zipped("def handler(event, context): return event")},
        )
        client.close()
        yield access


@pytest.mark.parametrize(
    ("foreign", "stops"),
    [
        pytest.param({}, False, id="that changes nothing"),
        pytest.param({"Timeout": 77}, True, id="that changes a setting"),
        pytest.param(
            {"Environment": {"Variables": {"MODE": "x"}}}, True, id="that sets a variable"
        ),
        pytest.param({"MemorySize": 2048}, True, id="that changes the memory"),
    ],
)
def test_an_update_of_somebody_else_is_waited_for_and_then_looked_at(
    slow_to_update: LocalAccess, foreign: dict[str, Any], *, stops: bool
) -> None:
    client, other = (AwsSession(local=slow_to_update).control_lambda() for _ in range(2))
    name = "lookup"
    wait_until_settled(client, name, REGION, lambda seconds: None)
    lease = begin(client, name, slow_to_update)
    codes: list[int] = []

    def update_a_moment_before(**_: Any) -> None:
        if not codes:
            other.update_function_configuration(FunctionName=name, **foreign)

    def note(http_response: Any, **_: Any) -> None:
        codes.append(http_response.status_code)

    action = "lambda.UpdateFunctionConfiguration"
    client.meta.events.register(f"before-call.{action}", update_a_moment_before)
    client.meta.events.register(f"after-call.{action}", note)
    if stops:
        with pytest.raises(Refused, match="changed by somebody else"):
            lease.publish((128,))
    else:
        lease.publish((128,))
    lease.release()

    assert codes[0] == 409
    assert list(lease.versions) == ([] if stops else [128])
    latest = client.get_function_configuration(FunctionName=name)
    assert {key: latest[key] for key in foreign} == foreign  # type: ignore[literal-required]
    client.close()
    other.close()
