"""Clients of the services that a stack is deployed with, and whose account and region it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import AwsError, InputError
from sandbox.lambda_api.names import Home
from sandbox.stack.model import DEFAULT_STAGE

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

# The tag of all that a stack made: only that is ever removed.
STACK_TAG = "sandbox:stack"

_ATTEMPTS = 4
_START = "start one with sandbox up, or give its --endpoint"


@dataclass(frozen=True, slots=True)
class Clients:
    """What one deployment works with."""

    functions: LambdaClient
    rest: APIGatewayClient
    http: ApiGatewayV2Client
    logs: CloudWatchLogsClient
    home: Home
    endpoint_url: str
    stack: str

    @property
    def tags(self) -> dict[str, str]:
        """What marks a thing as made by the stack."""
        return {STACK_TAG: self.stack}

    def made(self, tags: Mapping[str, str] | None) -> bool:
        """Whether a thing with these tags was made by the stack."""
        return (tags or {}).get(STACK_TAG) == self.stack

    def log_group_arn(self, name: str) -> str:
        """The ARN of a log group, as stages take it."""
        return f"arn:aws:logs:{self.home.region}:{self.home.account_id}:log-group:{name}"

    def url(self, api_id: str, stage: str) -> str:
        """Where clients call a stage; `$default` has no part in the path, as on AWS."""
        base = f"{self.endpoint_url}/_aws/execute-api/{api_id}"
        return base if stage == DEFAULT_STAGE else f"{base}/{stage}"


@contextmanager
def connected(environment: Mapping[str, str], stack: str) -> Iterator[Clients]:
    """Clients for `environment` (the variables that lead to a sandbox), closed in the end.

    Raises:
        AwsError: nothing answers there.
    """
    from botocore.config import Config

    from core.aws.session import local_session

    session = local_session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment["AWS_REGION"],
    )
    url = environment["AWS_ENDPOINT_URL"]
    config = Config(retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"})
    with ExitStack() as closing:
        sts = session.client("sts", endpoint_url=url, config=config)
        closing.callback(sts.close)
        with naming(url):
            account_id = sts.get_caller_identity()["Account"]
        functions = session.client("lambda", endpoint_url=url, config=config)
        closing.callback(functions.close)
        rest = session.client("apigateway", endpoint_url=url, config=config)
        closing.callback(rest.close)
        http = session.client("apigatewayv2", endpoint_url=url, config=config)
        closing.callback(http.close)
        logs = session.client("logs", endpoint_url=url, config=config)
        closing.callback(logs.close)
        home = Home(account_id, environment["AWS_REGION"])
        yield Clients(functions, rest, http, logs, home, url, stack)


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Errors inside say which part of the stack they are about, from the outermost on.

    Raises:
        AwsError: a call inside was refused or had no answer.
        InputError: what was raised inside, with `what` before it.
    """
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        raise AwsError(f"{what}: {error}", code=code, hint=_next_step(error, code)) from error
    except AwsError as error:
        message = f"{what}: {error.args[0]}"
        raise AwsError(message, code=error.code, hint=error.hint) from error
    except InputError as error:
        raise InputError(f"{what}: {error.args[0]}", hint=error.hint) from error
    except EndpointConnectionError as error:
        raise AwsError(f"{what}: {error}", hint=_START) from error
    except BotoCoreError as error:
        raise AwsError(f"{what}: {error}") from error


def _next_step(error: ClientError, code: str | None) -> str | None:
    """What to change where the refusal is about what this sandbox is or has already."""
    operation, words = error.operation_name, str(error)
    if operation == "PutFunctionConcurrency":
        return (
            "lower reserved_concurrency of the stack's functions, or start the sandbox with a "
            "larger --account-concurrency"
        )
    if "'MemorySize'" in words:
        return "lower memory_mb, or start the sandbox with a larger --max-memory-mb"
    if operation == "CreateApiKey" and code == "ConflictException":
        return "something else made a key of this value: give another one, or delete that key"
    if code == "TooManyRequestsException":
        return "sandbox fault list shows whether a fault throttles the calls"
    if code == "LimitExceededException":
        return "take some away from the file, or delete what else the sandbox has of them"
    return None
