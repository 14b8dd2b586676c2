"""The function to tune: its name, and what AWS says about it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.errors import AwsError, InputError
from tests.conftest import MakeFunction
from tuner.target import check_function_name, read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"


@pytest.mark.parametrize("function", ["orders", "a-b_C9", ARN, "123456789012:function:orders"])
def test_names_and_arns_are_taken(function: str) -> None:
    assert check_function_name(function) == function


@pytest.mark.parametrize(
    ("function", "message"),
    [
        pytest.param("orders:live", "without a version or alias", id="alias"),
        pytest.param(f"{ARN}:7", "without a version or alias", id="version in an ARN"),
        pytest.param("", "expected a function name or ARN", id="empty"),
        pytest.param("two words", "expected a function name or ARN", id="space"),
        pytest.param("a" * 141, "expected a function name or ARN", id="long"),
        pytest.param(
            "arn:aws:s3:::bucket", "expected a function name or ARN", id="another service"
        ),
        pytest.param("../etc", "expected a function name or ARN", id="path"),
    ],
)
def test_what_cannot_be_tuned_is_named(function: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_function_name(function)


@pytest.mark.parametrize(
    ("logging", "logs_reports"),
    [
        pytest.param({"LogFormat": "Text"}, True, id="text"),
        pytest.param({"LogFormat": "JSON"}, True, id="JSON at its usual level"),
        pytest.param({"LogFormat": "JSON", "SystemLogLevel": "DEBUG"}, True, id="JSON, DEBUG"),
        pytest.param({"LogFormat": "JSON", "SystemLogLevel": "WARN"}, False, id="JSON, WARN"),
    ],
)
def test_a_function_that_hides_its_reports_is_known_before_it_is_invoked(
    lambda_client: LambdaClient,
    make_function: MakeFunction,
    logging: dict[str, Any],
    *,
    logs_reports: bool,
) -> None:
    name = make_function(LoggingConfig=logging)

    assert read_target(lambda_client, name, "us-east-1").logs_reports is logs_reports


@pytest.mark.parametrize(
    ("snap_start", "expected"),
    [
        pytest.param({}, False, id="not set"),
        pytest.param({"SnapStart": {"ApplyOn": "None"}}, False, id="off"),
        pytest.param({"SnapStart": {"ApplyOn": "PublishedVersions"}}, True, id="on"),
    ],
)
def test_snap_start_is_known_before_a_version_is_published(
    lambda_client: LambdaClient,
    make_function: MakeFunction,
    snap_start: dict[str, Any],
    *,
    expected: bool,
) -> None:
    name = make_function(**snap_start)

    assert read_target(lambda_client, name, "us-east-1").snap_start is expected


class Portal(BaseHTTPRequestHandler):
    """Answers everything with the same body, as a proxy or a Wi-Fi portal does."""

    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def portal() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Portal) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>please sign in</html>", id="a page"),
        pytest.param(b"{}", id="empty JSON"),
        pytest.param(b'{"Configuration": {"FunctionName": "orders"}}', id="half an answer"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_an_answer_that_is_not_from_lambda_says_where_it_came_from(
    portal: str, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(Portal, "body", body)
    access = LocalAccess(portal, "us-east-1", "a", "b", host_cores=1)
    client = AwsSession(local=access).control_lambda()

    with pytest.raises(AwsError, match=rf"what {portal} answers does not come from Lambda"):
        read_target(client, "orders", "us-east-1")
    client.close()
