"""Deploys a stack through the public APIs: what differs is changed, the rest is left alone.

What the file does not have any more is removed, if it was this stack that made it; everything that
a stack makes carries a tag with its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.errors import InputError, InputErrors
from sandbox.admin_client import AdminClient
from sandbox.bundled import FunctionFolder
from sandbox.stack.clients import Clients, connected, naming
from sandbox.stack.functions import (
    allow_api,
    forget_apis,
    function_folder,
    put_function,
    remove_functions,
)
from sandbox.stack.http_api import made_http_apis, put_http_api
from sandbox.stack.logs import log_group_name
from sandbox.stack.model import Account, HttpApi, RestApi, Stack, UsagePlan
from sandbox.stack.plans import put_plan, release_keys, remove_plans, sync_keys
from sandbox.stack.reader import StackFile
from sandbox.stack.rest_api import made_rest_apis, put_rest_api

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DeployedApi:
    """An API of a stack as it can be called."""

    name: str
    api_id: str
    url: str
    log_group: str | None
    api: RestApi | HttpApi


@dataclass(frozen=True, slots=True)
class DeployedPlan:
    """A usage plan of a stack."""

    name: str
    plan_id: str
    plan: UsagePlan


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a stack is after its deployment."""

    stack: str
    functions: tuple[FunctionFolder, ...]
    apis: tuple[DeployedApi, ...]
    plans: tuple[DeployedPlan, ...]


def stack_functions(file: StackFile) -> tuple[FunctionFolder, ...]:
    """The functions of a stack, read from where their code is.

    Raises:
        InputErrors: folders are not right.
    """
    found, problems = [], []
    for name, function in file.stack.functions.items():
        try:
            found.append(function_folder(name, function, file.path.parent))
        except InputError as error:
            problems.append(f"{file.at(name)}: {error}")
    if problems:
        raise InputErrors(problems)
    return tuple(found)


def deploy_stack(
    environment: Mapping[str, str],
    file: StackFile,
    folders: tuple[FunctionFolder, ...],
    report: Report,
) -> Deployed:
    """Makes the sandbox that `environment` leads to what the stack says.

    Raises:
        InputError: the sandbox was started with other account limits than the stack has.
        AwsError: a call was refused; the message names the part of the stack.
    """
    with connected(environment, file.name) as clients:
        return deploy_with(clients, file, folders, report)


def deploy_with(
    clients: Clients, file: StackFile, folders: tuple[FunctionFolder, ...], report: Report
) -> Deployed:
    """As `deploy_stack`, with clients that are there."""
    with naming(f"{file.path}"):
        _check_account(clients, file.stack.account)
        made = {"rest": made_rest_apis(clients), "http": made_http_apis(clients)}
        _put_functions(clients, file.stack, folders, report)
        apis = tuple(_put_apis(clients, file.stack, made, report))
        plans = tuple(_put_plans(clients, file.stack, apis, report))
        _remove(clients, file.stack, made, apis, report)
        # The last: a fault may be one of the calls that a deployment makes.
        _disturb(clients, file.stack, report)
        return Deployed(file.name, folders, apis, plans)


def _check_account(clients: Clients, account: Account) -> None:
    limits = clients.functions.get_account_settings()["AccountLimit"]
    concurrency = limits["ConcurrentExecutions"]
    if account.concurrency not in (None, concurrency):
        raise InputError(
            f"account.concurrency: the sandbox was started with {concurrency}",
            hint=f"start it with --account-concurrency {account.concurrency}",
        )
    if account.throttle is None:
        return
    shown = clients.rest.get_account()["throttleSettings"]
    wanted = (account.throttle.rate_rps, account.throttle.burst)
    current = (shown.get("rateLimit"), shown.get("burstLimit"))
    if current != wanted:
        raise InputError(
            f"account.throttle: the sandbox was started with {current[0]:g} requests/s and a "
            f"burst of {current[1]}",
            hint="it is set when the sandbox starts: sandbox up --stack",
        )


def _put_functions(
    clients: Clients, stack: Stack, folders: tuple[FunctionFolder, ...], report: Report
) -> None:
    for folder in folders:
        with naming(f"functions.{folder.name}"):
            put_function(clients, folder, stack.functions[folder.name])
        report(f"deployed function {folder.name}")


def _put_apis(
    clients: Clients, stack: Stack, made: Mapping[str, Mapping[str, str]], report: Report
) -> list[DeployedApi]:
    found = []
    for name, api in stack.apis.items():
        known = made[api.kind].get(name)
        with naming(f"apis.{name}"):
            if isinstance(api, RestApi):
                api_id = put_rest_api(clients, name, api, known)
            else:
                api_id = put_http_api(clients, name, api, known)
            for function in sorted({route.function for route in api.routes if route.function}):
                allow_api(clients, function, api_id)
        report(f"deployed {api.kind} API {name}")
        log_group = log_group_name(clients.stack, name) if api.access_log else None
        found.append(DeployedApi(name, api_id, clients.url(api_id, api.stage), log_group, api))
    return found


def _put_plans(
    clients: Clients, stack: Stack, apis: tuple[DeployedApi, ...], report: Report
) -> list[DeployedPlan]:
    stages = {api.name: (api.api_id, api.api.stage) for api in apis}
    key_ids = sync_keys(clients, stack.usage_plans)
    release_keys(clients, stack.usage_plans, key_ids)
    found = []
    for name, plan in stack.usage_plans.items():
        with naming(f"usage_plans.{name}"):
            plan_id = put_plan(clients, name, plan, stages, key_ids)
        report(f"deployed usage plan {name}")
        found.append(DeployedPlan(name, plan_id, plan))
    return found


def _disturb(clients: Clients, stack: Stack, report: Report) -> None:
    """What goes wrong, and how throttles are kept; these stay as they are without a word of it."""
    client = AdminClient(clients.endpoint_url)
    if stack.enforcement is not None and client.enforcement()["text"] != str(stack.enforcement):
        client.enforce(str(stack.enforcement))
        report(f"throttles are kept {stack.enforcement}")
    owner = f"stack {clients.stack}"
    active = [shown for shown in client.faults() if shown.get("owner") == owner]
    for spec in stack.faults:
        settings = spec.model_dump(exclude_none=True)
        same = next((shown for shown in active if settings.items() <= shown.items()), None)
        if same is not None:
            active.remove(same)
        else:
            client.add_fault(settings, owner)
            report(f"fault {settings['kind']} is active")
    for shown in active:
        client.clear_faults(shown["id"])
        report(f"removed fault {shown['kind']}")


def _remove(
    clients: Clients,
    stack: Stack,
    made: Mapping[str, Mapping[str, str]],
    apis: tuple[DeployedApi, ...],
    report: Report,
) -> None:
    removed = remove_plans(clients, stack.usage_plans)
    for kind, ids in made.items():
        for name, api_id in ids.items():
            wanted = stack.apis.get(name)
            if wanted is None or wanted.kind != kind:
                _delete_api(clients, kind, api_id)
                removed.append(f"{kind} API {name}")
    removed += [f"function {name}" for name in remove_functions(clients, set(stack.functions))]
    for function in stack.functions:
        callers = {api.api_id for api in apis if _calls(api.api, function)}
        forget_apis(clients, function, callers)
    for what in removed:
        report(f"removed {what}")


def _calls(api: RestApi | HttpApi, function: str) -> bool:
    return any(route.function == function for route in api.routes)


def _delete_api(clients: Clients, kind: str, api_id: str) -> None:
    if kind == "rest":
        clients.rest.delete_rest_api(restApiId=api_id)
    else:
        clients.http.delete_api(ApiId=api_id)
