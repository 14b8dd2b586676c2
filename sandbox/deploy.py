"""Puts function folders into a sandbox, through the same API that every other client uses."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from core.errors import AwsError, InputError
from sandbox.bundled import FunctionFolder

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.literals import RuntimeType
    from mypy_boto3_lambda.type_defs import (
        EnvironmentTypeDef,
        FunctionConfigurationResponseTypeDef,
        WaiterConfigTypeDef,
    )

# A name only: the sandbox asks no IAM.
_ROLE = "arn:aws:iam::{account_id}:role/sandbox"
_POLL_S = 0.05


def deploy(
    environment: Mapping[str, str],
    folders: Sequence[FunctionFolder],
    account_id: str,
    done: Callable[[FunctionFolder], None],
) -> None:
    """Creates the functions, or brings those that exist up to date; calls `done` after each.

    What is as it should be is left alone, so that its versions and warm environments stay.

    Raises:
        InputError: two folders have functions of one name.
        AwsError: the sandbox refused one of them.
    """
    _check_names(folders)
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from core.aws.session import local_session

    session = local_session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment["AWS_REGION"],
    )
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    client = session.client("lambda", endpoint_url=environment["AWS_ENDPOINT_URL"], config=config)
    try:
        for folder in folders:
            try:
                deploy_function(client, folder, account_id)
            except (ClientError, BotoCoreError) as error:
                raise AwsError(f"{folder.path}: could not deploy {folder.name}: {error}") from error
            done(folder)
    finally:
        client.close()


def _check_names(folders: Sequence[FunctionFolder]) -> None:
    paths: dict[str, FunctionFolder] = {}
    for folder in folders:
        other = paths.setdefault(folder.name, folder)
        if other is not folder:
            raise InputError(
                f"{folder.path}: the name {folder.name} is taken by {other.path}",
                hint="rename one of the folders, or leave one out",
            )


def deploy_function(
    client: LambdaClient,
    folder: FunctionFolder,
    account_id: str,
    new_tags: Mapping[str, str] | None = None,
) -> None:
    """Creates one function, or brings it up to date; `new_tags` are for one that is created.

    Raises:
        ClientError: the sandbox refused it.
    """
    try:
        current = client.get_function_configuration(FunctionName=folder.name)
    except client.exceptions.ResourceNotFoundException:
        _create(client, folder, account_id, new_tags or {})
    else:
        _update(client, folder, current)


def _create(
    client: LambdaClient, folder: FunctionFolder, account_id: str, tags: Mapping[str, str]
) -> None:
    client.create_function(
        FunctionName=folder.name,
        Description=folder.description,
        # The sandbox takes runtimes that the SDK's list does not have.
        Runtime=cast("RuntimeType", folder.runtime),
        Handler=folder.handler,
        Role=_ROLE.format(account_id=account_id),
        MemorySize=folder.memory_mb,
        Timeout=folder.timeout_s,
        Environment={"Variables": dict(folder.environment)},
        Code={"ZipFile": folder.zip_bytes},
        Architectures=[folder.arch],
        Tags=dict(tags),
    )
    _wait(client, folder)


def _update(
    client: LambdaClient, folder: FunctionFolder, current: FunctionConfigurationResponseTypeDef
) -> None:
    runtime = cast("RuntimeType", folder.runtime)
    environment: EnvironmentTypeDef = {"Variables": dict(folder.environment)}
    code_sha256 = base64.b64encode(hashlib.sha256(folder.zip_bytes).digest()).decode()
    if (current["CodeSha256"], current["Architectures"]) != (code_sha256, [folder.arch]):
        client.update_function_code(
            FunctionName=folder.name, ZipFile=folder.zip_bytes, Architectures=[folder.arch]
        )
        _wait(client, folder)
    shown = {
        "Description": folder.description,
        "Runtime": runtime,
        "Handler": folder.handler,
        "MemorySize": folder.memory_mb,
        "Timeout": folder.timeout_s,
    }
    same_variables = current.get("Environment", {}).get("Variables", {}) == environment["Variables"]
    if not same_variables or any(current.get(key) != value for key, value in shown.items()):
        client.update_function_configuration(
            FunctionName=folder.name,
            Description=folder.description,
            Runtime=runtime,
            Handler=folder.handler,
            MemorySize=folder.memory_mb,
            Timeout=folder.timeout_s,
            Environment=environment,
        )
        _wait(client, folder)


def _wait(client: LambdaClient, folder: FunctionFolder) -> None:
    """Waits until a change is done; botocore's waiters would look only once a second."""
    waiter = client.get_waiter("function_updated_v2")
    pace: WaiterConfigTypeDef = {"Delay": _POLL_S, "MaxAttempts": 1200}  # type: ignore[typeddict-item]
    waiter.wait(FunctionName=folder.name, WaiterConfig=pace)
