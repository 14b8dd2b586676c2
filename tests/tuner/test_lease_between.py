"""A lease on demand: what others do, and what gets lost, while and between its publishings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from core.aws.session import AwsSession, LocalAccess
from core.errors import Refused
from tests.tuner.lease_rig import CHANGING, begin, state_of
from tests.tuner.test_lease import new_timeout, new_variable
from tuner.lease import Lease

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Three updates, publishings and restores, and three deletions.
CHANGES = 12


def on_demand(lease: Lease) -> None:
    lease.publish([128])
    lease.publish([512])
    lease.publish_again(128)


def settle(client: LambdaClient, name: str) -> None:
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0})


@pytest.fixture
def other(local_access: LocalAccess) -> Iterator[LambdaClient]:
    """The client of somebody else."""
    client = AwsSession(local=local_access).control_lambda()
    yield client
    client.close()


@contextmanager
def coming_between(client: LambdaClient, act: Callable[[int], None]) -> Iterator[list[str]]:
    """Calls `act` with a number before each state-changing call; lists the calls."""
    calls: list[str] = []

    def count(model: Any, **_: Any) -> None:
        if model.name in CHANGING:
            calls.append(model.name)
            act(len(calls) - 1)

    client.meta.events.register("before-call.lambda", count, unique_id="between")
    try:
        yield calls
    finally:
        client.meta.events.unregister("before-call.lambda", unique_id="between")


@contextmanager
def losing_the_answer(client: LambdaClient, at: int) -> Iterator[list[str]]:
    """Loses the answer to the state-changing request with number `at`, which is carried out."""
    sent: list[str] = []

    def lose(request: Any, event_name: str, **_: Any) -> None:
        operation = event_name.rsplit(".", 1)[-1]
        if operation not in CHANGING:
            return
        sent.append(operation)
        if len(sent) == at + 1:
            wire = URLLib3Session()
            wire.send(request)
            wire.close()
            raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register("before-send.lambda", lose, unique_id="losing")
    try:
        yield sent
    finally:
        client.meta.events.unregister("before-send.lambda", unique_id="losing")


@pytest.mark.parametrize("at", [0, 1, 2, 7, 8, 9])
def test_the_answer_to_any_change_may_be_lost(
    client: LambdaClient, owned: str, local_access: LocalAccess, at: int
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

    with losing_the_answer(client, at) as sent:
        on_demand(lease)
        lease.release()

    assert len(sent) > CHANGES
    assert (list(lease.versions), len(lease.made)) == ([128, 512], 3)
    assert state_of(client, owned) == before


@pytest.mark.parametrize(
    ("deploy", "at"), [(new_variable, 0), (new_variable, 1), (new_variable, 2), (new_timeout, 2)]
)
def test_a_setting_that_changes_while_a_size_is_published_is_never_measured_with(
    client: LambdaClient,
    other: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    deploy: Callable[[LambdaClient, str], None],
    at: int,
) -> None:
    lease = begin(client, owned, local_access)

    def interfere(number: int) -> None:
        if number == at:
            settle(other, owned)
            deploy(other, owned)
            settle(other, owned)

    with (
        coming_between(client, interfere),
        pytest.raises(Refused, match="changed by somebody else"),
    ):
        lease.publish([128])
    lease.release()

    latest = client.get_function_configuration(FunctionName=owned)
    assert (latest["MemorySize"], latest["Description"]) == (256, "takes orders")
    assert (latest["Timeout"] == 31) == (deploy is new_timeout)
    variables = latest["Environment"]["Variables"]
    assert (variables.get("MODE") == "other") == (deploy is new_variable)


def test_a_revision_that_is_new_though_nothing_else_is_does_not_end_a_run(
    client: LambdaClient, other: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    """AWS gives new ones by itself, and to deploys that change nothing."""
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)

    def change_nothing(number: int) -> None:
        if number % 2:
            return
        settle(other, owned)
        other.update_function_configuration(FunctionName=owned)
        settle(other, owned)

    with coming_between(client, change_nothing) as calls:
        on_demand(lease)
    lease.release()

    assert len(lease.made) == 3
    assert len(calls) == 2 * (CHANGES - 3)
    assert state_of(client, owned) == before


def test_a_version_that_the_user_publishes_between_two_publishings_stays(
    client: LambdaClient, other: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    lease = begin(client, owned, local_access)
    new_description = "the release of today"
    lease.publish([128])
    published = other.publish_version(FunctionName=owned, Description=new_description)
    other.update_alias(FunctionName=owned, Name="live", FunctionVersion=published["Version"])
    before = state_of(client, owned)

    lease.publish([512])
    lease.publish_again(128)
    lease.release()

    after = state_of(client, owned)
    assert after["latest"] == before["latest"]
    assert after["aliases"] == before["aliases"]
    assert published["Version"] in after["versions"]
    assert not set(lease.made) & set(after["versions"])


def test_a_version_that_is_not_needed_any_more_is_deleted_at_once(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
    lease.publish([128])
    again = lease.publish_again(128)
    assert again is not None

    lease.discard(again)
    lease.discard("1")  # the user's

    assert set(state_of(client, owned)["versions"]) == {*before["versions"], lease.versions[128]}
    lease.release()
    assert state_of(client, owned) == before


def test_a_version_that_cannot_be_deleted_at_once_is_tried_again_in_the_end(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    lease = begin(client, owned, local_access)
    lease.publish([128])
    client.create_alias(FunctionName=owned, Name="busy", FunctionVersion=lease.versions[128])

    lease.discard(lease.versions[128])
    client.delete_alias(FunctionName=owned, Name="busy")
    lease.release()

    assert state_of(client, owned) == before
