"""Tenants: which ids there can be, and what isolation costs."""

from __future__ import annotations

import pytest

from core.errors import InputError
from tests.tuner.test_target_kinds import read
from tuner.tenancy import check_tenant_id, tenancy_note

ISOLATED = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}


@pytest.mark.parametrize("tenant_id", [None, "blue", "a b/c:d=e+f-g@h.i_j", "x" * 256])
def test_ids_that_lambda_takes(tenant_id: str | None) -> None:
    check_tenant_id(tenant_id)


@pytest.mark.parametrize("tenant_id", ["", "x" * 257, "bl\u00fce", "a\nb", "a#b"])
def test_ids_that_lambda_does_not_take(tenant_id: str) -> None:
    with pytest.raises(InputError, match="--tenant-id: expected 1 to 256 letters"):
        check_tenant_id(tenant_id)


def test_the_price_of_an_environment_is_said() -> None:
    note = tenancy_note(read(ISOLATED, "blue"), 3072)

    assert note is not None
    assert "costs up to $0.0005" in note
    assert tenancy_note(read({}), 3072) is None
