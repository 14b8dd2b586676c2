"""What tests of the load generator share: a shop behind API Gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.aws.session import AwsSession, LocalAccess
from tests.loadgen.shop import running_shop


@pytest.fixture(scope="session")
def shop_access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccess]:
    """A sandbox with the stack of `tests/loadgen/shop.py`."""
    with running_shop(tmp_path_factory.mktemp("shop")) as access:
        yield access


@pytest.fixture(scope="session")
def shop(shop_access: LocalAccess) -> AwsSession:
    """An AWS session that finds the shop."""
    return AwsSession(local=shop_access)
