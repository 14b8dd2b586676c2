"""Clients for measuring and for control differ where it matters."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectionClosedError
from botocore.parsers import ResponseParserError

from core.aws.session import AwsSession, aws_call
from core.errors import AwsError, CredentialsError, InputError


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


def test_a_patient_client_tells_once_of_a_call_that_does_not_come_through(
    session: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    client = session.control_lambda(attempts=7, on_delay=told.append)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)

    def closed(request: Any, **_: Any) -> None:
        raise ConnectionClosedError(endpoint_url="https://me:secret@lambda.example")

    client.meta.events.register("before-send.lambda", closed)
    with pytest.raises(AwsError, match="could not read it"), aws_call("read it"):
        client.get_function(FunctionName="orders")
    client.close()

    (line,) = told
    assert line.startswith("GetFunction does not come through and is tried again: ")
    assert "secret" not in line


@pytest.mark.parametrize("cut", [1, 99], ids=["once", "always"])
def test_an_answer_that_ends_before_its_length_is_asked_for_again(
    session: AwsSession, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    client = session.control_lambda(attempts=3)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    whole = b'{"Configuration": {"FunctionName": "orders"}}'
    sent: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        sent.append(request.url)
        body = whole[:20] if len(sent) <= cut else whole
        raw: Any = SimpleNamespace(stream=lambda: iter([body]))
        return AWSResponse(request.url, 200, HeadersDict({"Content-Length": str(len(whole))}), raw)

    client.meta.events.register("before-send.lambda", answer)
    if cut == 1:
        shown = client.get_function(FunctionName="orders")
        assert shown["Configuration"]["FunctionName"] == "orders"
    else:
        with pytest.raises(AwsError, match="Connection was closed"), aws_call("read it"):
            client.get_function(FunctionName="orders")
    client.close()

    assert len(sent) == (2 if cut == 1 else 3)


def test_an_answer_that_is_none_is_an_error_of_aws() -> None:
    with pytest.raises(AwsError, match="could not read it"), aws_call("read it"):
        raise ResponseParserError("Unable to parse response")


@pytest.mark.parametrize(
    ("variable", "url", "shown"),
    [
        pytest.param(None, None, None, id="AWS itself"),
        pytest.param("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "http://127.0.0.1:1", id="for all"),
        pytest.param(
            "AWS_ENDPOINT_URL_LAMBDA", "http://localhost:2", "http://localhost:2", id="for Lambda"
        ),
        pytest.param(
            "AWS_ENDPOINT_URL",
            "https://me:secret@proxy.example:8443/aws",
            "https://proxy.example:8443/aws",
            id="with a password, which is not shown",
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


@pytest.mark.parametrize(
    ("option", "environment", "profile_region", "expected"),
    [
        pytest.param(
            "ap-south-1",
            {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"},
            "us-east-2",
            "ap-south-1",
            id="the option first",
        ),
        pytest.param(
            None,
            {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"},
            "us-east-2",
            "eu-west-1",
            id="then AWS_REGION",
        ),
        pytest.param(
            None,
            {"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-west-2"},
            "us-east-2",
            "us-west-2",
            id="then AWS_DEFAULT_REGION",
        ),
        pytest.param(None, {}, "us-east-2", "us-east-2", id="then the profile"),
    ],
)
def test_the_region_comes_from_the_place_that_other_aws_tools_prefer(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    option: str | None,
    environment: dict[str, str],
    profile_region: str,
    expected: str,
) -> None:
    config = tmp_path / "config"
    config.write_text(f"[default]\nregion = {profile_region}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    session = AwsSession(region=option)

    assert session.region == expected


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://[bad", id="open bracket"),
        pytest.param("http://127.0.0.1:port", id="port is no number"),
        pytest.param("http://127.0.0.1:99999", id="port is too large"),
        pytest.param("http://me:secret@", id="no host"),
        pytest.param("127.0.0.1:4566", id="no scheme"),
    ],
)
def test_an_endpoint_that_is_no_url_is_one_clear_line(
    session: AwsSession, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)

    with pytest.raises(
        InputError, match=r"endpoint URL is not valid: .*AWS_ENDPOINT_URL"
    ) as raised:
        session.control_lambda()
    assert "secret" not in str(raised.value)


def test_a_password_in_the_endpoint_is_in_no_message(
    session: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://me:secret@127.0.0.1:9")
    client = session.measuring_lambda(function_timeout_s=1, concurrency=1)

    with pytest.raises(AwsError, match=r'"http://127\.0\.0\.1:9/') as raised, aws_call("look"):
        client.get_function(FunctionName="x")
    assert "secret" not in str(raised.value)
    client.close()


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
