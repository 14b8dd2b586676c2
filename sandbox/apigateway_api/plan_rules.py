"""What a usage plan may be: throttles, quotas, stages, and limits of single methods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.api_errors import ApiError
from sandbox.apigateway_api.patching import (
    Member,
    Patch,
    Rules,
    as_number,
    as_whole,
    one_of,
    unescape,
)
from sandbox.apigateway_api.refusing import bad_request, conflict, limit_exceeded
from sandbox.apigateway_api.state import Document, RestApi

# "Throttles of single methods in one stage of a usage plan" (API Gateway quotas, 2026).
MAX_METHOD_THROTTLES = 20
# Days in a period: the offset of a quota is below it (QuotaSettings in the API reference).
_PERIOD_DAYS = {"DAY": 1, "WEEK": 7, "MONTH": 28}

_STAGE_PATH = re.compile(
    r"/apiStages/(?P<stage>[^/]+)/throttle(?:/(?P<method>.+?))??(?:/(?P<half>rateLimit|burstLimit))?"
)
_METHOD = re.compile(r"(?P<path>.*)/(?P<method>\*|[A-Z]+)")


@dataclass(frozen=True, slots=True)
class _StageList:
    """`/apiStages`: stages are added and removed by `API:STAGE` in the value."""

    ops: tuple[str, ...] = ("add", "remove")

    def apply(self, document: Document, patch: Patch) -> None:
        """Adds or removes a stage."""
        stages: list[Document] = document.setdefault("apiStages", [])
        api_id, _, stage = patch.text().partition(":")
        given = [it for it in stages if (it["apiId"], it["stage"]) == (api_id, stage)]
        if patch.op == "add":
            if given:
                raise conflict(f"API Stage {api_id}:{stage} is already in the usage plan")
            stages.append({"apiId": api_id, "stage": stage})
        elif given:
            stages.remove(given[0])
        else:
            raise _no_stage(api_id, stage)


@dataclass(frozen=True, slots=True)
class _MethodThrottle:
    """`/apiStages/API:STAGE/throttle/PATH/METHOD/rateLimit`, or without its last parts."""

    stage: str
    method: str | None
    half: str | None
    ops: tuple[str, ...]

    def apply(self, document: Document, patch: Patch) -> None:
        """Sets one half of a limit, or removes a limit or all limits."""
        entry = self._entry(document)
        throttles: Document = entry.setdefault("throttle", {})
        if self.method is None:
            throttles.clear()
        elif self.half is None:
            throttles.pop(self.method, None)
        elif patch.op == "remove":
            throttles.get(self.method, {}).pop(self.half, None)
        else:
            parse = as_number if self.half == "rateLimit" else as_whole
            throttles.setdefault(self.method, {})[self.half] = parse(patch.text(), patch.path)
        for method in [method for method, limit in throttles.items() if not limit]:
            del throttles[method]
        if not throttles:
            del entry["throttle"]

    def _entry(self, document: Document) -> Document:
        for entry in document.get("apiStages", []):
            if f"{entry['apiId']}:{entry['stage']}" == self.stage:
                found: Document = entry
                return found
        api_id, _, stage = self.stage.partition(":")
        raise _no_stage(api_id, stage)


_RULES: Rules = {
    "/name": Member(),
    "/description": Member(),
    "/throttle": Member(ops=("remove",)),
    "/throttle/rateLimit": Member(as_number, ("add", "replace", "remove")),
    "/throttle/burstLimit": Member(as_whole, ("add", "replace", "remove")),
    "/quota": Member(ops=("remove",)),
    "/quota/limit": Member(as_whole, ("add", "replace")),
    "/quota/offset": Member(as_whole, ("add", "replace", "remove")),
    "/quota/period": Member(one_of(*_PERIOD_DAYS), ("add", "replace")),
    "/apiStages": _StageList(),
}


def plan_rules(patches: list[Patch]) -> Rules:
    """The rules for these patches of a usage plan."""
    rules = dict(_RULES)
    for patch in patches:
        found = _STAGE_PATH.fullmatch(patch.path)
        if found is not None:
            method = found["method"]
            key = None if method is None else method_key(unescape(method))
            ops = ("add", "replace", "remove") if found["half"] else ("remove",)
            rules[patch.path] = _MethodThrottle(unescape(found["stage"]), key, found["half"], ops)
    return rules


def method_key(text: str) -> str:
    """The name of a method in `apiStages[].throttle`: "/orders/{id}/GET", "//GET" for the root.

    Raises:
        ApiError: `text` names no method.
    """
    found = _METHOD.fullmatch(text)
    if found is None:
        raise bad_request(f"Invalid method specified: {text}. It must be like /orders/GET")
    return f"/{found['path'].strip('/')}/{found['method']}"


def check_plan(plan: Document, apis: Mapping[str, RestApi]) -> None:
    """Refuses a usage plan that cannot be.

    Raises:
        ApiError: says which part.
    """
    if not plan["name"].strip():
        raise bad_request("Usage plan name cannot be null or empty")
    _check_throttle(plan.get("throttle", {}))
    if "quota" in plan:
        _check_quota(plan["quota"])
    named = [(entry["apiId"], entry["stage"]) for entry in plan["apiStages"]]
    for entry in plan["apiStages"]:
        key = entry["apiId"], entry["stage"]
        if named.count(key) > 1:
            raise conflict(f"API Stage {':'.join(key)} is in the usage plan twice")
        if entry["apiId"] not in apis or entry["stage"] not in apis[entry["apiId"]].stages:
            raise _no_stage(*key)
        throttles = entry.get("throttle", {})
        if len(throttles) > MAX_METHOD_THROTTLES:
            raise limit_exceeded(
                f"A stage of a usage plan has at most {MAX_METHOD_THROTTLES} method throttles"
            )
        for throttle in throttles.values():
            _check_throttle(throttle)


def _no_stage(api_id: str, stage: str) -> ApiError:
    return ApiError("NotFoundException", f"API Stage not found: {api_id}:{stage}")


def _check_throttle(throttle: Document) -> None:
    for name in ("rateLimit", "burstLimit"):
        if throttle.get(name, 0) < 0:
            raise bad_request(f"Usage plan throttle {name} must not be negative")


def _check_quota(quota: Document) -> None:
    period = quota.get("period")
    if period is None:
        raise bad_request("Usage plan quota period must be one of: [DAY, WEEK, MONTH]")
    if quota.get("limit", 0) <= 0:
        raise bad_request("Usage plan quota limit must be greater than zero")
    days = _PERIOD_DAYS[period]
    if not 0 <= quota.get("offset", 0) < days:
        raise bad_request(
            f"Usage plan quota offset must be from 0 to {days - 1} for the period {period}"
        )
