"""The stage of a REST API: its settings as patches, and only as far as they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.stack.access_log import REST_FORMAT, chosen_format
from sandbox.stack.clients import Clients
from sandbox.stack.model import RestApi, Throttle

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef

# Patch path of a method setting, and the member of MethodSetting that shows it.
_SETTINGS = {
    "throttling/rateLimit": "throttlingRateLimit",
    "throttling/burstLimit": "throttlingBurstLimit",
    "metrics/enabled": "metricsEnabled",
    "logging/loglevel": "loggingLevel",
    "caching/enabled": "cachingEnabled",
    "caching/ttlInSeconds": "cacheTtlInSeconds",
}
# Said outright, or the first setting of a method would have AWS show the account's limits for it.
_NO_THROTTLE = {"throttlingRateLimit": -1, "throttlingBurstLimit": -1}
# What makes no difference where nothing is set.
_NOTHING = {
    **_NO_THROTTLE,
    "metricsEnabled": False,
    "loggingLevel": "OFF",
    "cachingEnabled": False,
}

Settings = dict[str, Any]


def sync_stage(
    clients: Clients, api_id: str, api: RestApi, deployment_id: str, log_group: str
) -> None:
    """Creates the stage, or changes what differs; its buckets and counters live on."""
    rest = clients.rest
    try:
        current: Mapping[str, Any] = rest.get_stage(restApiId=api_id, stageName=api.stage)
    except rest.exceptions.NotFoundException:
        current = rest.create_stage(
            restApiId=api_id,
            stageName=api.stage,
            deploymentId=deployment_id,
            variables=dict(api.variables),
            tags=clients.tags,
        )
    patches = [
        *_deployment(current, deployment_id),
        *_cache_cluster(current, api),
        *_variables(current.get("variables") or {}, api.variables),
        *_access_log(clients, current.get("accessLogSettings") or {}, api, log_group),
        *_method_settings(current.get("methodSettings") or {}, wanted_settings(api)),
    ]
    if patches:
        rest.update_stage(restApiId=api_id, stageName=api.stage, patchOperations=patches)


def wanted_settings(api: RestApi) -> dict[str, Settings]:
    """The method settings of the stage, by `*/*`, `orders/{id}/GET`, or `GET` for the root."""
    default = {
        **_throttle(api.throttle),
        "metricsEnabled": api.detailed_metrics,
        "loggingLevel": api.execution_log.upper(),
        "cachingEnabled": api.cache is not None,
    }
    if api.cache is not None:
        default["cacheTtlInSeconds"] = api.cache.ttl_s
    found = {"*/*": default}
    for route in api.routes:
        own: Settings = {} if route.throttle is None else _throttle(route.throttle)
        if route.detailed_metrics is not None:
            own["metricsEnabled"] = route.detailed_metrics
        if route.cache is not None:
            own |= {"cachingEnabled": True, "cacheTtlInSeconds": route.cache.ttl_s}
        if own:
            # An override does not fall back to the stage for what it leaves out.
            inherited = {key: default[key] for key in default if not key.startswith("throttling")}
            found[f"{route.path}/{route.method}".lstrip("/")] = {
                **_NO_THROTTLE,
                **inherited,
                **own,
            }
    return found


def _throttle(throttle: Throttle | None) -> Settings:
    if throttle is None:
        return _NO_THROTTLE
    return {"throttlingRateLimit": throttle.rate_rps, "throttlingBurstLimit": throttle.burst}


def _method_settings(
    current: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Settings]
) -> Iterator[PatchOperationTypeDef]:
    shown = {_plain(key): settings for key, settings in current.items()}
    for key in current:
        if _plain(key) not in wanted:
            yield {"op": "remove", "path": f"/{key}"}
    for key, settings in wanted.items():
        before = shown.get(key, {})
        if not before and settings == _NOTHING:
            continue
        for suffix, member in _SETTINGS.items():
            if member in settings and before.get(member) != settings[member]:
                path = f"{_setting_path(key)}/{suffix}"
                yield {"op": "replace", "path": path, "value": _text(settings[member])}


def _plain(key: str) -> str:
    """A key of `methodSettings` as `wanted_settings` has it, whoever wrote it."""
    return key.replace("~1", "/").lstrip("/")


def _setting_path(key: str) -> str:
    if key == "*/*":
        return "/*/*"
    path, _, method = key.rpartition("/")
    return f"/~1{path.replace('/', '~1')}/{method}"


def _deployment(current: Mapping[str, Any], wanted: str) -> Iterator[PatchOperationTypeDef]:
    if current.get("deploymentId") != wanted:
        yield {"op": "replace", "path": "/deploymentId", "value": wanted}


def _cache_cluster(current: Mapping[str, Any], api: RestApi) -> Iterator[PatchOperationTypeDef]:
    wanted = api.cache is not None
    if bool(current.get("cacheClusterEnabled")) != wanted:
        yield {"op": "replace", "path": "/cacheClusterEnabled", "value": _text(wanted)}
    if api.cache is not None and current.get("cacheClusterSize") != api.cache.size_gb:
        yield {"op": "replace", "path": "/cacheClusterSize", "value": api.cache.size_gb}


def _variables(
    current: Mapping[str, str], wanted: Mapping[str, str]
) -> Iterator[PatchOperationTypeDef]:
    for name in current.keys() - wanted.keys():
        yield {"op": "remove", "path": f"/variables/{name}"}
    for name, value in wanted.items():
        if current.get(name) != value:
            yield {"op": "replace", "path": f"/variables/{name}", "value": value}


def _access_log(
    clients: Clients, current: Mapping[str, Any], api: RestApi, log_group: str
) -> Iterator[PatchOperationTypeDef]:
    wanted = chosen_format(REST_FORMAT, wanted=api.access_log)
    if wanted is None:
        if current:
            yield {"op": "remove", "path": "/accessLogSettings"}
        return
    destination = clients.log_group_arn(log_group)
    for member, value in (("destinationArn", destination), ("format", wanted)):
        if current.get(member) != value:
            yield {"op": "replace", "path": f"/accessLogSettings/{member}", "value": value}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
