"""Real servers on free ports, real clients, and functions to work on."""

from __future__ import annotations

import http.client
import io
import itertools
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.api_gateway import GatewayOptions
from sandbox.background import BackgroundSandbox
from sandbox.execution.executor import LocalExecutor
from sandbox.lambda_api.context import LambdaOptions
from sandbox.server import SandboxOptions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ROLE = "arn:aws:iam::000000000000:role/any"
# Answers in a millisecond without a process, and echoes nothing: the answer is in the model.
QUICK_MODEL = '{"duration_ms": {"128": 1}, "init_ms": 0, "response": {"ok": true}}'

StartSandbox = Callable[..., BackgroundSandbox]
NewFunction = Callable[..., str]


@pytest.fixture(autouse=True, scope="session")
def _no_aws_of_the_user() -> Iterator[None]:
    """Keeps profiles, proxies and credentials of whoever runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


def start(
    stack: ExitStack,
    *,
    state_dir: Path | None = None,
    gateway_options: GatewayOptions | None = None,
    **options: Any,
) -> BackgroundSandbox:
    options.setdefault("update_s", 0.03)
    options.setdefault("event_retry_delays_s", (0.02, 0.04))
    sandbox_options = SandboxOptions(
        state_dir=state_dir,
        lambda_options=LambdaOptions(**options),
        gateway_options=gateway_options or GatewayOptions(),
    )
    return stack.enter_context(
        BackgroundSandbox(
            sandbox_options, lambda environment: LocalExecutor(aws_environment=environment)
        )
    )


@pytest.fixture(scope="session")
def sandbox() -> Iterator[BackgroundSandbox]:
    """A sandbox that the tests share; each uses function names of its own."""
    with ExitStack() as stack:
        yield start(stack)


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    """Starts sandboxes with options of their own."""
    with ExitStack() as stack:
        yield lambda **options: start(stack, **options)


@pytest.fixture(scope="session")
def connect() -> Iterator[Callable[..., Any]]:
    """Makes clients of a sandbox, and closes them in the end."""
    clients: list[Any] = []
    session = boto3.Session()

    def make(
        sandbox: BackgroundSandbox, service: str = "lambda", *, strict: bool = True, **more: Any
    ) -> Any:
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            parameter_validation=strict,
            max_pool_connections=50,
        )
        environment = sandbox.environment
        arguments = {
            "endpoint_url": sandbox.endpoint_url,
            "region_name": environment["AWS_REGION"],
            "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
            "config": config,
            **more,
        }
        client = session.client(service, **arguments)  # type: ignore[call-overload]
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def client(sandbox: BackgroundSandbox, connect: Callable[..., Any]) -> LambdaClient:
    """A Lambda client of the shared sandbox, which does not retry."""
    return connect(sandbox)  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def loose_client(sandbox: BackgroundSandbox, connect: Callable[..., Any]) -> LambdaClient:
    """A client that sends what the SDK would refuse."""
    return connect(sandbox, strict=False)  # type: ignore[no-any-return]


def zip_of(files: Mapping[str, str]) -> bytes:
    """A deployment package."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            # A fixed time, so that equal files make equal packages.
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def make_zip() -> Callable[[Mapping[str, str]], bytes]:
    return zip_of


_NUMBERS = itertools.count()


@pytest.fixture
def unused_name(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Names that no other test has."""
    return lambda: f"fn-{os.getpid()}-{next(_NUMBERS)}"


def create(client: LambdaClient, name: str, **changes: Any) -> str:
    """Creates a modelled function and waits until it is Active."""
    arguments: dict[str, Any] = {
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Role": ROLE,
        "Code": {"ZipFile": zip_of({"app.py": "def handler(event, context): return event\n"})},
        "Environment": {"Variables": {"SANDBOX_MODEL": QUICK_MODEL}},
        **changes,
    }
    client.create_function(FunctionName=name, **arguments)
    settle(client, name)
    return name


def settle(client: LambdaClient, name: str) -> dict[str, Any]:
    """The configuration of a function as soon as nothing is in progress any more."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        shown = client.get_function_configuration(FunctionName=name)
        if shown["State"] == "Active" and shown.get("LastUpdateStatus") == "Successful":
            return dict(shown)
        time.sleep(0.005)
    raise AssertionError(f"{name} was not ready in time")


@pytest.fixture
def new_function(client: LambdaClient, unused_name: Callable[[], str]) -> NewFunction:
    """Creates functions of the shared sandbox, ready to use."""
    return lambda **changes: create(client, unused_name(), **changes)


@pytest.fixture(scope="session")
def settled() -> Callable[[LambdaClient, str], dict[str, Any]]:
    return settle


@pytest.fixture(scope="session")
def create_in() -> Callable[..., str]:
    """Creates a function with a given client and name."""
    return create


@pytest.fixture(scope="session")
def refused() -> Callable[..., tuple[str, int, str]]:
    """The error code, HTTP status and message that a call is answered with."""

    def call(operation: Callable[..., Any], **arguments: Any) -> tuple[str, int, str]:
        try:
            operation(**arguments)
        except ClientError as error:
            details = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return details["Code"], status, details["Message"]
        raise AssertionError("the call was accepted")

    return call


@pytest.fixture(scope="session")
def send() -> Callable[..., tuple[int, str | None, str]]:
    """Sends what no SDK would: gives the HTTP status, the error code and the message."""
    authorization = (
        "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/lambda/aws4_request, Signature=0"
    )

    def call(
        sandbox: BackgroundSandbox, method: str, path: str, body: bytes
    ) -> tuple[int, str | None, str]:
        connection = http.client.HTTPConnection(urlsplit(sandbox.endpoint_url).netloc, timeout=30)
        try:
            connection.request(method, path, body, {"Authorization": authorization})
            answer = connection.getresponse()
            document = json.loads(answer.read() or b"{}")
            return answer.status, answer.getheader("x-amzn-ErrorType"), document.get("message", "")
        finally:
            connection.close()

    return call
