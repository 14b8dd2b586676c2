"""The price table of provisioned concurrency."""

from __future__ import annotations

import pytest

from core.aws.provisioned_prices import provisioned_price


def test_prices_are_those_of_the_list() -> None:
    price = provisioned_price("us-east-1", "x86_64")

    assert price is not None
    assert price.configured_usd == 0.0000041667
    assert price.duration_usd == 0.0000097222


def test_arm64_costs_four_fifths() -> None:
    price = provisioned_price("us-east-1", "arm64")

    assert price is not None
    assert price.configured_usd == pytest.approx(0.0000033334, rel=1e-4)
    assert price.duration_usd == pytest.approx(0.0000077778, rel=1e-4)


@pytest.mark.parametrize("region", ["mars-north-1", "", None])
def test_a_region_that_the_table_does_not_have_has_no_price(region: str | None) -> None:
    assert provisioned_price(region, "x86_64") is None
