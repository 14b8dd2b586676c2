"""Settings of single methods in a stage: `/~1orders~1{id}/GET/throttling/rateLimit` and others."""

from __future__ import annotations

import re
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

ALL_METHODS = "*/*"
# Stands for the root, whose path would leave nothing before the method.
ROOT = "~1"
# What a throttle is where nobody has set it.
NO_LIMIT = -1
# Cache TTL: "default 300 seconds, at most 3600" (API Gateway quotas, L-8C2F9A1D).
MAX_CACHE_TTL_S = 3600

_STRATEGIES = (
    "FAIL_WITH_403",
    "SUCCEED_WITH_RESPONSE_HEADER",
    "SUCCEED_WITHOUT_RESPONSE_HEADER",
)
_PATH = re.compile(
    r"/(?P<resource>.+)/(?P<method>\*|[A-Z]+)"
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
    default: object


# By the end of the patch path; API reference, "UpdateStage" and "MethodSetting".
_SETTINGS = {
    "metrics/enabled": _Setting("metricsEnabled", as_bool, default=False),
    "logging/loglevel": _Setting("loggingLevel", one_of("OFF", "ERROR", "INFO"), "OFF"),
    "logging/dataTrace": _Setting("dataTraceEnabled", as_bool, default=False),
    "throttling/burstLimit": _Setting("throttlingBurstLimit", _as_burst, NO_LIMIT),
    "throttling/rateLimit": _Setting("throttlingRateLimit", _as_rate, float(NO_LIMIT)),
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


@dataclass(frozen=True, slots=True)
class MethodSettingRule:
    """What a patch does to one method's settings: `key` as in `methodSettings`."""

    key: str
    setting: str | None
    ops: tuple[str, ...]

    def apply(self, document: Document, patch: Patch) -> None:
        """Sets one setting, or removes one or all."""
        every: Document = document.setdefault("methodSettings", {})
        if self.setting is None:
            if self.key not in every:
                raise bad_request(f"Invalid method setting path: {patch.path}")
            del every[self.key]
            return
        setting = _SETTINGS[self.setting]
        one = every.setdefault(self.key, {it.name: it.default for it in _SETTINGS.values()})
        removing = patch.op == "remove"
        one[setting.name] = setting.default if removing else setting.parse(patch.text(), patch.path)


def method_setting_rule(path: str) -> MethodSettingRule | None:
    """What patches of `path` change; None where it names no setting of methods."""
    found = _PATH.fullmatch(path)
    if found is None or (found["resource"] == "*" and found["method"] != "*"):
        return None
    setting = found["setting"]
    if setting is not None and setting not in _SETTINGS:
        return None
    resource = unescape(found["resource"]).strip("/") or ROOT
    ops = ("remove",) if setting is None else ("add", "replace", "remove")
    return MethodSettingRule(f"{resource}/{found['method']}", setting, ops)


def setting_key(path: str, method: str) -> str:
    """The key in `methodSettings` of a method of the resource at `path`."""
    return f"{path.strip('/') or ROOT}/{method}"
