"""The functions of a stack: created or brought up to date, and who may call them."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from sandbox.bundled import FUNCTIONS_DIR, FunctionFolder, own_runtime, read_function_folder
from sandbox.deploy import deploy_function
from sandbox.execution.model import MODEL_VARIABLE, Model
from sandbox.stack.clients import Clients
from sandbox.stack.function_fields import check_function
from sandbox.stack.model import Function, model_text


def function_folder(name: str, function: Function, base: Path) -> FunctionFolder:
    """A function of a stack, as it is to be deployed; `base` is the stack file's folder.

    Raises:
        InputError: the folder of its code is not right, or does not go with the stack.
    """
    if function.model is not None:
        folder = _modelled(name, function.model)
    elif function.bundled is not None:
        folder = read_function_folder(FUNCTIONS_DIR / function.bundled)
    else:
        folder = read_function_folder(base / str(function.folder))
    made = replace(
        folder,
        name=name,
        description=folder.description if function.description is None else function.description,
        memory_mb=function.memory_mb or folder.memory_mb,
        timeout_s=function.timeout_s or folder.timeout_s,
        environment={**folder.environment, **function.environment},
    )
    check_function(made.description, made.handler, made.environment)
    return made


def _modelled(name: str, model: Model) -> FunctionFolder:
    text = model_text(model)
    return FunctionFolder(
        name=name,
        path=Path(name),
        description="modelled",
        runtime=own_runtime(),
        handler="modelled.handler",
        memory_mb=128,
        timeout_s=30,
        zip_bytes=_stand_in(),
        environment={MODEL_VARIABLE: text},
    )


def _stand_in() -> bytes:
    """A package for a function that has no code: the API wants one, the sandbox never runs it."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("modelled.py"), "def handler(event, context): ...\n")
    return buffer.getvalue()


def put_function(clients: Clients, folder: FunctionFolder, function: Function) -> None:
    """Creates a function or brings it up to date, with its reserved concurrency."""
    client = clients.functions
    deploy_function(client, folder, clients.home.account_id, clients.tags)
    current = client.get_function_concurrency(FunctionName=folder.name)
    wanted = function.reserved_concurrency
    if current.get("ReservedConcurrentExecutions") == wanted:
        return
    if wanted is None:
        client.delete_function_concurrency(FunctionName=folder.name)
    else:
        client.put_function_concurrency(
            FunctionName=folder.name, ReservedConcurrentExecutions=wanted
        )


def allow_api(clients: Clients, function: str, api_id: str) -> None:
    """Lets an API call a function, in its policy."""
    statement_id = f"{_prefix(clients)}{api_id}"
    if statement_id in _statements(clients, function):
        return
    home = clients.home
    clients.functions.add_permission(
        FunctionName=function,
        StatementId=statement_id,
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{home.region}:{home.account_id}:{api_id}/*",
    )


def forget_apis(clients: Clients, function: str, api_ids: set[str]) -> None:
    """Takes back what the stack allowed APIs that are not among `api_ids`."""
    prefix = _prefix(clients)
    for statement_id in _statements(clients, function):
        api_id = statement_id.removeprefix(prefix)
        if statement_id.startswith(prefix) and "-" not in api_id and api_id not in api_ids:
            clients.functions.remove_permission(FunctionName=function, StatementId=statement_id)


def _prefix(clients: Clients) -> str:
    # API ids have no hyphen: what follows tells "shop" from a stack "shop-2".
    return f"stack-{clients.stack}-"


def _statements(clients: Clients, function: str) -> set[str]:
    client = clients.functions
    try:
        policy: dict[str, Any] = json.loads(client.get_policy(FunctionName=function)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        return set()
    return {str(statement.get("Sid")) for statement in policy["Statement"]}


def remove_functions(clients: Clients, keep: set[str]) -> list[str]:
    """Deletes the functions that the stack made and does not have any more; gives their names."""
    client, removed = clients.functions, []
    for page in client.get_paginator("list_functions").paginate():
        for shown in page["Functions"]:
            name = shown["FunctionName"]
            if name not in keep and clients.made(_tags(clients, shown["FunctionArn"])):
                removed.append(name)
    for name in removed:
        client.delete_function(FunctionName=name)
    return removed


def _tags(clients: Clients, arn: str) -> dict[str, str]:
    return clients.functions.list_tags(Resource=arn).get("Tags", {})
