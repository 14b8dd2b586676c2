"""Scenarios on another stage of the target's API."""

from __future__ import annotations

import pytest

from core.aws.session import AwsSession
from core.errors import InputError
from loadgen.api_url import with_stage
from loadgen.limits_reading import read_limits
from loadgen.target import resolve
from tests.loadgen.shop import profile_of

HOST = "https://a1b2.execute-api.eu-west-1.amazonaws.com"
LOCAL = "http://127.0.0.1:4599/_aws/execute-api/a1b2"


@pytest.mark.parametrize(
    ("url", "stage", "expected"),
    [
        (f"{HOST}/prod", "dev", f"{HOST}/dev"),
        (f"{HOST}/prod/v1", "dev", f"{HOST}/dev/v1"),
        (f"{HOST}/prod", "$default", HOST),
        (HOST, "dev", f"{HOST}/dev"),
        (f"{LOCAL}/prod", "dev", f"{LOCAL}/dev"),
        (f"{LOCAL}/prod/v1", "dev", f"{LOCAL}/dev/v1"),
        (LOCAL, "dev", f"{LOCAL}/dev"),
    ],
)
def test_the_stage_in_an_address_is_replaced(url: str, stage: str, expected: str) -> None:
    assert with_stage(url, stage) == expected


def test_an_address_of_something_else_has_no_stage() -> None:
    with pytest.raises(InputError, match="is not the address of a stage of an API"):
        with_stage("https://api.example.com/prod", "dev")


def test_a_stage_that_the_api_does_not_have_is_told(shop: AwsSession) -> None:
    scenarios = [
        {"name": "a", "flow": [{"get": "/products"}]},
        {"name": "b", "stage": "dev", "flow": [{"get": "/products"}]},
    ]
    profile = profile_of({"api": {"name": "shop"}}, scenarios=scenarios)

    with pytest.raises(InputError, match="API shop has no stage 'dev'"):
        read_limits(resolve(profile, shop), profile, shop)


def test_the_stage_of_the_target_may_be_named(shop: AwsSession) -> None:
    scenarios = [
        {"name": "a", "flow": [{"get": "/products"}]},
        {"name": "b", "stage": "prod", "flow": [{"get": "/search"}]},
    ]
    profile = profile_of({"api": {"name": "shop"}}, scenarios=scenarios)

    steps = read_limits(resolve(profile, shop), profile, shop).steps
    assert [step.route for step in steps] == ["GET /products", "GET /search"]
