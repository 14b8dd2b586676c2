"""A target as the steps see it: clients, names that nobody else has, and plain HTTP requests."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "us-east-1"
# Long enough for a cold start on a busy machine; a target that hangs costs no more than this.
_PATIENCE_S = 15
# How long `until` waits for what is slow by design.
UNTIL_S = 10.0
_CONFIG = Config(
    # Each answer counts: an attempt that is repeated would hide it.
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=5,
    read_timeout=_PATIENCE_S,
    max_pool_connections=20,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call was refused: the code that boto3 gives, the HTTP status and the whole answer."""

    code: str
    status: int
    message: str
    answer: Mapping[str, Any]


class Account:
    """One AWS account behind `endpoint_url`.

    `keys` are an access key and its secret; the account id is what STS says.
    """

    def __init__(self, endpoint_url: str, keys: tuple[str, str] = ("test", "test")) -> None:
        self.endpoint_url = endpoint_url.rstrip("/")
        self._keys = keys
        self._session = boto3.Session(region_name=REGION)
        self._clients: dict[str, Any] = {}
        self._http = httpx.Client(trust_env=False, timeout=_PATIENCE_S)
        self._tidying = ExitStack()

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()
        for client in self._clients.values():
            client.close()

    def client(self, service: str) -> Any:
        """The client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self.new_client(service, *self._keys)
        return self._clients[service]

    def new_client(
        self, service: str, access_key: str, secret_key: str, token: str | None = None
    ) -> Any:
        """A client with other keys; whoever asks for it closes it."""
        return self._session.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
            config=_CONFIG,
        )

    @property
    def id(self) -> str:
        """The twelve digits."""
        return str(self.client("sts").get_caller_identity()["Account"])

    @property
    def role(self) -> str:
        """A role that functions can have."""
        return f"arn:aws:iam::{self.id}:role/contract"

    # Names and what is made

    def name(self, what: str = "contract") -> str:
        """A name that nothing else has."""
        return f"{what}-{uuid.uuid4().hex[:12]}"

    @contextmanager
    def tidied(self) -> Iterator[None]:
        """Removes in the end what was given to `later` meanwhile."""
        with ExitStack() as self._tidying:
            yield

    def later(self, operation: Callable[..., Any], **arguments: Any) -> None:
        """Calls `operation` when the step is over, whether it went well or not."""

        def undo() -> None:
            try:
                operation(**arguments)
            except ClientError:
                return  # the step removed it, or the target cannot

        self._tidying.callback(undo)

    # APIs

    def api_url(self, api_id: str, stage: str, path: str = "/") -> str:
        """Where a deployed API is, as local AWSs have it: a path instead of a host name."""
        return f"{self.endpoint_url}/_aws/execute-api/{api_id}/{stage}{path}"

    def fetch(self, url: str, method: str = "GET", **more: Any) -> httpx.Response:
        """The answer to a request as it is, without redirects or repetition."""
        return self._http.request(method, url, **more)


def refusal(operation: Callable[..., Any], **arguments: Any) -> Refusal:
    """How a call is refused.

    Raises:
        AssertionError: it is accepted.
    """
    try:
        operation(**arguments)
    except ClientError as error:
        details = error.response["Error"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return Refusal(details["Code"], status, details["Message"], error.response)
    raise AssertionError(f"{operation.__name__} was accepted with {arguments}")


def refused(operation: Callable[..., Any], **arguments: Any) -> tuple[str, int]:
    """The error code and the HTTP status that a call is refused with."""
    found = refusal(operation, **arguments)
    return found.code, found.status


def http_status(answer: Mapping[str, Any]) -> int:
    """The HTTP status of what a client gave."""
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def until(check: Callable[[], Any]) -> Any:
    """The first true value of `check`, which is what AWS needs where it is slow by design.

    Raises:
        AssertionError: there was none in time.
    """
    deadline = time.monotonic() + UNTIL_S
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, f"not so within {UNTIL_S} s (last: {value!r})"
        time.sleep(0.05)
