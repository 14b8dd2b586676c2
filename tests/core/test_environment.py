"""Programs that a command starts reach the same account and region as the command."""

from __future__ import annotations

import pytest

from core.aws.environment import same_access
from core.aws.session import LocalAccess

LOCAL = LocalAccess("http://127.0.0.1:4566", "us-east-1", "sandbox", "secret", 2)
KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
OURS = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    ("before", "profile", "after"),
    [
        pytest.param(KEYS, None, {**KEYS, **OURS}, id="keys"),
        pytest.param({"AWS_PROFILE": "a"}, None, {"AWS_PROFILE": "a", **OURS}, id="profile"),
        pytest.param(
            {**KEYS, "AWS_REGION": "us-west-2"},
            "b",
            {"AWS_PROFILE": "b", **OURS},
            id="a profile that was asked for outranks keys",
        ),
    ],
)
def test_region_and_identity_are_those_of_the_command(
    before: dict[str, str], profile: str | None, after: dict[str, str]
) -> None:
    found = same_access(
        {"HOME": "/home/me", **before}, region="eu-west-1", profile=profile, local=None
    )

    assert found == {"HOME": "/home/me", **after}


def test_with_a_local_aws_nothing_leads_to_an_account() -> None:
    mine = {
        **KEYS,
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL_S3": "https://s3",
        "PATH": "/bin",
    }

    found = same_access(mine, region="us-east-1", profile=None, local=LOCAL)

    assert found == {
        "PATH": "/bin",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
