"""Clients for measuring and for control differ where it matters."""

from __future__ import annotations

import pytest

from core.aws.session import AwsSession, aws_call
from core.errors import CredentialsError, InputError


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> AwsSession:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    return AwsSession()


def test_a_measuring_client_waits_beyond_the_function_and_never_tries_twice(
    session: AwsSession,
) -> None:
    client = session.measuring_lambda(function_timeout_s=900, concurrency=37)
    config = client.meta.config

    assert config.retries == {"total_max_attempts": 1, "mode": "standard"}
    assert config.read_timeout > 900
    assert config.max_pool_connections == 37
    assert config.tcp_keepalive is True
    client.close()


def test_a_control_client_tries_again(session: AwsSession) -> None:
    client = session.control_lambda()

    assert client.meta.config.retries["total_max_attempts"] > 3
    assert client.meta.region_name == "eu-west-1"
    client.close()


@pytest.mark.parametrize(
    ("variable", "url", "shown"),
    [
        pytest.param(None, None, None, id="AWS itself"),
        pytest.param("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "http://127.0.0.1:1", id="for all"),
        pytest.param(
            "AWS_ENDPOINT_URL_LAMBDA", "http://localhost:2", "http://localhost:2", id="for Lambda"
        ),
    ],
)
def test_endpoints_come_from_where_every_aws_tool_takes_them(
    session: AwsSession,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
    url: str,
    shown: str | None,
) -> None:
    if variable:
        monkeypatch.setenv(variable, url)
    client = session.control_lambda()

    assert AwsSession.custom_endpoint(client) == shown
    client.close()


def test_an_option_outranks_the_environment(session: AwsSession) -> None:
    del session  # which has set the environment

    assert AwsSession(region="ap-south-1").region == "ap-south-1"


def test_without_a_region_nothing_starts() -> None:
    with pytest.raises(InputError, match="no AWS region is set"):
        AwsSession()


def test_without_credentials_a_call_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    client = AwsSession().control_lambda()

    with pytest.raises(CredentialsError, match=r"could not look: .*--sandbox"), aws_call("look"):
        client.get_function(FunctionName="x")
    client.close()
