"""A function to borrow, and clients to do it with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from core.aws.session import AwsSession, LocalAccess
from tests.conftest import MakeFunction
from tests.tuner.lease_rig import end_of_processes

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@pytest.fixture(autouse=True)
def _locks_end_with_the_test() -> Iterator[None]:
    yield
    end_of_processes()


@pytest.fixture
def client(local_access: LocalAccess) -> Iterator[LambdaClient]:
    """A client of its own for each test, since tests hang hooks on it."""
    own = AwsSession(local=local_access).control_lambda()
    yield own
    own.close()


@pytest.fixture
def owned(client: LambdaClient, make_function: MakeFunction) -> str:
    """A function with a life of its own: versions, aliases with tempting names, a description."""
    name = make_function(description="takes orders")
    client.publish_version(FunctionName=name)
    client.update_function_configuration(FunctionName=name, MemorySize=256)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0})
    client.publish_version(FunctionName=name, Description="the live one")
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    client.create_alias(
        FunctionName=name,
        Name="RAM512",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
    )
    return name
