"""Settings of single methods in a stage: `/~1orders~1{id}/GET/throttling/rateLimit` and others.

A key of `methodSettings` is what the patch path has before the setting, as AWS keeps it (AWS CLI
examples of update-stage, 2022): "~1orders~1{id}/GET", and "orders/GET" where no slash was escaped,
which is how Terraform writes. Both name the same method. The root is "~1/GET" or "/GET". The first
patch of a method sets everything else to its default, with the account's limits for a throttle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.apigateway_api.patching import (
    Parse,
    Patch,
    as_bool,
    as_number,
    as_whole,
    one_of,
    unescape,
)
from sandbox.apigateway_api.refusing import bad_request
from sandbox.apigateway_api.state import Document
from sandbox.gateway.snapshot import Limit

ALL_METHODS = "*/*"
# What a throttle is patched to where there is to be none.
NO_LIMIT = -1
# Cache TTL: "default 300 seconds, at most 3600" (API Gateway quotas, L-8C2F9A1D).
MAX_CACHE_TTL_S = 3600

_STRATEGIES = (
    "FAIL_WITH_403",
    "SUCCEED_WITH_RESPONSE_HEADER",
    "SUCCEED_WITHOUT_RESPONSE_HEADER",
)
_PATH = re.compile(
    r"/(?P<resource>.*)/(?P<method>\*|[A-Z]+)"
    r"(?:/(?P<setting>(?:metrics|logging|throttling|caching)/[A-Za-z]+))?"
)


def _as_ttl(text: str, path: str) -> int:
    ttl_s = as_whole(text, path)
    if not 0 <= ttl_s <= MAX_CACHE_TTL_S:
        raise bad_request(f"Cache TTL must be between 0 and {MAX_CACHE_TTL_S} seconds")
    return ttl_s


def _as_rate(text: str, path: str) -> float:
    return _not_below(as_number(text, path), path)


def _as_burst(text: str, path: str) -> int:
    return int(_not_below(as_whole(text, path), path))


def _not_below(number: float, path: str) -> float:
    if number < 0 and number != NO_LIMIT:
        raise bad_request(f"Invalid value in {path}: throttling limits must not be negative")
    return number


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    parse: Parse
    default: object = None


# By the end of the patch path; API reference, "UpdateStage" and "MethodSetting".
_SETTINGS = {
    "metrics/enabled": _Setting("metricsEnabled", as_bool, default=False),
    "logging/loglevel": _Setting("loggingLevel", one_of("OFF", "ERROR", "INFO")),
    "logging/dataTrace": _Setting("dataTraceEnabled", as_bool, default=False),
    "throttling/burstLimit": _Setting("throttlingBurstLimit", _as_burst),
    "throttling/rateLimit": _Setting("throttlingRateLimit", _as_rate),
    "caching/enabled": _Setting("cachingEnabled", as_bool, default=False),
    "caching/ttlInSeconds": _Setting("cacheTtlInSeconds", _as_ttl, 300),
    "caching/dataEncrypted": _Setting("cacheDataEncrypted", as_bool, default=False),
    "caching/requireAuthorizationForCacheControl": _Setting(
        "requireAuthorizationForCacheControl", as_bool, default=True
    ),
    "caching/unauthorizedCacheControlHeaderStrategy": _Setting(
        "unauthorizedCacheControlHeaderStrategy",
        one_of(*_STRATEGIES),
        "SUCCEED_WITH_RESPONSE_HEADER",
    ),
}
SETTING_PATHS = [f"/{{resourcePath}}/{{httpMethod}}/{name}" for name in _SETTINGS]


def _defaults(account_limit: Limit) -> Document:
    return {
        **{it.name: it.default for it in _SETTINGS.values() if it.default is not None},
        "throttlingBurstLimit": int(account_limit.burst),
        "throttlingRateLimit": account_limit.rate_rps,
    }


@dataclass(frozen=True, slots=True)
class MethodSettingRule:
    """What a patch does to one method's settings: `key` as in `methodSettings`."""

    key: str
    setting: str | None
    account_limit: Limit
    ops: tuple[str, ...]

    def apply(self, document: Document, patch: Patch) -> None:
        """Sets one setting, or removes one or all."""
        every: Document = document.setdefault("methodSettings", {})
        if patch.op == "remove":
            self._remove(every, patch)
            return
        setting = _SETTINGS[self.setting or ""]
        # Back to the end: of two keys for one method, the last that was patched has effect.
        one = every.pop(self.key, None) or _defaults(self.account_limit)
        every[self.key] = {**one, setting.name: setting.parse(patch.text(), patch.path)}

    def _remove(self, every: Document, patch: Patch) -> None:
        found = _keys_of(every, *method_of(self.key))
        if not found:
            raise bad_request(f"Invalid method setting path: {patch.path}")
        key = self.key if self.key in found else found[-1]
        if self.setting is None:
            del every[key]
            return
        name = _SETTINGS[self.setting].name
        rest = {member: value for member, value in every[key].items() if member != name}
        default = _defaults(self.account_limit).get(name)
        every[key] = rest if default is None else {**rest, name: default}


def method_setting_rule(path: str, account_limit: Limit) -> MethodSettingRule | None:
    """What patches of `path` change; None where it names no setting of methods."""
    found = _PATH.fullmatch(path)
    if found is None or (found["resource"] == "*" and found["method"] != "*"):
        return None
    setting = found["setting"]
    if setting is not None and setting not in _SETTINGS:
        return None
    ops = ("remove",) if setting is None else ("add", "replace", "remove")
    return MethodSettingRule(f"{found['resource']}/{found['method']}", setting, account_limit, ops)


def method_of(key: str) -> tuple[str, str]:
    """The path and the method that a key of `methodSettings` names; "*" and "*" for all."""
    resource, _, method = key.rpartition("/")
    return (resource if resource == "*" else f"/{unescape(resource).strip('/')}"), method


def _keys_of(every: Mapping[str, Document], path: str, method: str) -> list[str]:
    return [key for key in every if method_of(key) == (path, method)]
