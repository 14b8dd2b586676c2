"""Usage plans and API keys of a stack: created or brought up to date; counters live on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.stack.clients import Clients, naming
from sandbox.stack.model import UsagePlan

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef

# (API id, stage name), by the name of the API
Stages = Mapping[str, tuple[str, str]]


def sync_keys(clients: Clients, plans: Mapping[str, UsagePlan]) -> dict[str, str]:
    """Makes the keys of all plans what the stack says; gives the ids of all of them by name.

    The value of a key cannot be changed, but its name can, and what it has used stays with it.
    """
    made = _made_keys(clients)
    wanted = {name: value for plan in plans.values() for name, value in plan.keys.items()}
    for name, key_id, value in made:
        if name in wanted and value not in wanted.values():
            clients.rest.delete_api_key(apiKey=key_id)
    by_value = {value: (name, key_id) for name, key_id, value in made}
    ids: dict[str, str] = {}
    for plan_name, plan in plans.items():
        for name, value in plan.keys.items():
            if name not in ids:
                with naming(f"usage_plans.{plan_name}.keys.{name}"):
                    ids[name] = _put_key(clients, name, value, by_value.get(value))
    return ids


def _put_key(clients: Clients, name: str, value: str, made: tuple[str, str] | None) -> str:
    if made is None:
        return _create_key(clients, name, value)
    current, key_id = made
    if current != name:
        clients.rest.update_api_key(
            apiKey=key_id, patchOperations=[{"op": "replace", "path": "/name", "value": name}]
        )
    return key_id


def _create_key(clients: Clients, name: str, value: str) -> str:
    created = clients.rest.create_api_key(name=name, value=value, enabled=True, tags=clients.tags)
    return created["id"]


def _made_keys(clients: Clients) -> list[tuple[str, str, str]]:
    """Name, id and value of the keys that the stack made."""
    pages = clients.rest.get_paginator("get_api_keys").paginate(includeValues=True)
    return [
        (item["name"], item["id"], item.get("value", ""))
        for page in pages
        for item in page["items"]
        if clients.made(item.get("tags"))
    ]


def _made_plans(clients: Clients) -> dict[str, Mapping[str, Any]]:
    pages = clients.rest.get_paginator("get_usage_plans").paginate()
    return {
        item["name"]: item
        for page in pages
        for item in page["items"]
        if clients.made(item.get("tags"))
    }


def release_keys(
    clients: Clients, plans: Mapping[str, UsagePlan], key_ids: Mapping[str, str]
) -> None:
    """Takes keys out of plans that do not have them any more.

    Before any is put into another plan: for one stage, a key can be in one plan only.
    """
    for name, shown in _made_plans(clients).items():
        wanted = {key_ids[key] for key in plans[name].keys} if name in plans else set()
        for key_id in _plan_keys(clients, shown["id"]) - wanted:
            clients.rest.delete_usage_plan_key(usagePlanId=shown["id"], keyId=key_id)


def put_plan(
    clients: Clients, name: str, plan: UsagePlan, stages: Stages, key_ids: Mapping[str, str]
) -> str:
    """Makes a usage plan and its keys what the stack says; gives its id."""
    rest = clients.rest
    current = _made_plans(clients).get(name)
    if current is None:
        current = rest.create_usage_plan(
            name=name, description=plan.description, tags=clients.tags, **_limits(plan)
        )
    patches = [*_changes(current, plan), *_stage_changes(current, plan, stages)]
    if patches:
        rest.update_usage_plan(usagePlanId=current["id"], patchOperations=patches)
    _add_keys(clients, current["id"], {key_ids[key] for key in plan.keys})
    return str(current["id"])


def _limits(plan: UsagePlan) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if plan.throttle is not None:
        throttle = plan.throttle
        found["throttle"] = {"rateLimit": throttle.rate_rps, "burstLimit": throttle.burst}
    if plan.quota is not None:
        found["quota"] = {"limit": plan.quota.limit, "period": plan.quota.period.upper()}
    return found


def _changes(current: Mapping[str, Any], plan: UsagePlan) -> Iterator[PatchOperationTypeDef]:
    if current.get("description", "") != plan.description:
        yield {"op": "replace", "path": "/description", "value": plan.description}
    wanted = _limits(plan)
    for kind in ("throttle", "quota"):
        before = current.get(kind) or {}
        if before and kind not in wanted:
            yield {"op": "remove", "path": f"/{kind}"}
        for member, value in wanted.get(kind, {}).items():
            if before.get(member) != value:
                yield {"op": "replace", "path": f"/{kind}/{member}", "value": str(value)}


def _stage_changes(
    current: Mapping[str, Any], plan: UsagePlan, stages: Stages
) -> Iterator[PatchOperationTypeDef]:
    shown = {
        f"{item['apiId']}:{item['stage']}": _shown_throttles(item.get("throttle") or {})
        for item in current.get("apiStages") or []
    }
    wanted = {":".join(stages[api]): _method_throttles(plan, api) for api in plan.apis}
    for stage in sorted(shown.keys() - wanted.keys()):
        yield {"op": "remove", "path": "/apiStages", "value": stage}
    for stage, throttles in wanted.items():
        before = shown.get(stage)
        if before is None:
            yield {"op": "add", "path": "/apiStages", "value": stage}
            before = {}
        for key in sorted(before.keys() - throttles.keys()):
            yield {"op": "remove", "path": f"/apiStages/{stage}/throttle/{_escaped(key)}"}
        for key, limits in throttles.items():
            for member, value in limits.items():
                if before.get(key, {}).get(member) != value:
                    path = f"/apiStages/{stage}/throttle/{_escaped(key)}/{member}"
                    yield {"op": "replace", "path": path, "value": str(value)}


def _method_throttles(plan: UsagePlan, api: str) -> dict[str, dict[str, Any]]:
    """By `/orders/{id}/GET`, as `apiStages` writes it."""
    found = {}
    for route, throttle in plan.method_throttles.get(api, {}).items():
        method, _, path = route.partition(" ")
        limits = {"rateLimit": throttle.rate_rps, "burstLimit": throttle.burst}
        found[f"{path.rstrip('/')}/{method}"] = limits
    return found


def _shown_throttles(shown: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {"/" + key.replace("~1", "/").lstrip("/"): limits for key, limits in shown.items()}


def _escaped(key: str) -> str:
    path, _, method = key.rpartition("/")
    return f"{(path or '/').replace('/', '~1')}/{method}"


def _add_keys(clients: Clients, plan_id: str, wanted: set[str]) -> None:
    for key_id in sorted(wanted - _plan_keys(clients, plan_id)):
        clients.rest.create_usage_plan_key(usagePlanId=plan_id, keyId=key_id, keyType="API_KEY")


def _plan_keys(clients: Clients, plan_id: str) -> set[str]:
    pages = clients.rest.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan_id)
    return {item["id"] for page in pages for item in page["items"]}


def remove_plans(clients: Clients, plans: Mapping[str, UsagePlan]) -> list[str]:
    """Deletes the plans and keys that the stack made and does not have any more."""
    rest, removed = clients.rest, []
    for name, shown in _made_plans(clients).items():
        if name not in plans:
            for stage in shown.get("apiStages") or []:
                value = f"{stage['apiId']}:{stage['stage']}"
                patch: PatchOperationTypeDef = {
                    "op": "remove",
                    "path": "/apiStages",
                    "value": value,
                }
                rest.update_usage_plan(usagePlanId=shown["id"], patchOperations=[patch])
            rest.delete_usage_plan(usagePlanId=shown["id"])
            removed.append(f"usage plan {name}")
    keys = {key for plan in plans.values() for key in plan.keys}
    for name, key_id, _ in _made_keys(clients):
        if name not in keys:
            rest.delete_api_key(apiKey=key_id)
            removed.append(f"API key {name}")
    return removed
