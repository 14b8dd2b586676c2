"""A function with an alias, a run that recommends another size for it, and the way there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.aws.session import LocalAccess
from tests.conftest import MakeFunction
from tests.tuner.apply.rig import World, folder_of

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@pytest.fixture(autouse=True)
def _shell(local_access: LocalAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_access.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", local_access.secret_access_key)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


@pytest.fixture
def live(client: LambdaClient, make_function: MakeFunction) -> str:
    """A function of 512 MB; alias `live` leads to version 1, which is `$LATEST`."""
    name = make_function(description="takes orders")
    client.publish_version(FunctionName=name, Description="spring release")
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


@pytest.fixture
def folder(client: LambdaClient, live: str, local_access: LocalAccess, tmp_path: Path) -> Path:
    """A run that recommends 256 MB for `live`."""
    return folder_of(client, live, local_access, tmp_path)
