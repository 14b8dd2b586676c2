"""Canaries of stages: a second deployment that gets a share of the requests.

The canary has the stage's throttles, keys and settings; its routes are those of its own deployment,
and its stage variables may differ. Its logs go to groups of their own, as on AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.apigateway_api.patching import (
    SERVED_OPS,
    Member,
    Rules,
    as_bool,
    as_number,
)
from sandbox.apigateway_api.refusing import bad_request
from sandbox.apigateway_api.state import Document, RestApi

_MEMBER = "canarySettings"
_OVERRIDES = "stageVariableOverrides"

# Of /canarySettings/... in UpdateStage.
CANARY_RULES: Rules = {
    "/canarySettings": Member(ops=("remove",)),
    "/canarySettings/percentTraffic": Member(as_number, ("add", "replace")),
    "/canarySettings/deploymentId": Member(ops=("add", "replace")),
    "/canarySettings/useStageCache": Member(as_bool, ("add", "replace")),
    "/canarySettings/stageVariableOverrides/*": Member(ops=SERVED_OPS),
}


def with_canary(stage: Document, given: Mapping[str, Any], deployment_id: str) -> Document:
    """A stage with the canary that CreateStage or CreateDeployment asks for."""
    return {**stage, _MEMBER: {"deploymentId": deployment_id, **given}}


def complete_canary(stage: Document, api: RestApi) -> None:
    """Fills in what a canary has by default, and checks it; a stage without one stays so.

    Raises:
        ApiError: the canary cannot be.
    """
    canary = stage.get(_MEMBER)
    if canary is None:
        return
    canary.setdefault("deploymentId", stage["deploymentId"])
    canary.setdefault("percentTraffic", 0.0)
    canary.setdefault("useStageCache", False)
    percent = canary["percentTraffic"]
    if not 0 <= percent <= 100:
        raise bad_request(
            f"Invalid percentTraffic {percent:g} in canarySettings: it must be between 0 and 100"
        )
    if canary["deploymentId"] not in api.deployments:
        raise bad_request("Deployment id does not exist")


def canary_variables(stage: Document) -> Mapping[str, str]:
    """The stage variables that requests to the canary see."""
    return {**stage.get("variables", {}), **stage[_MEMBER].get(_OVERRIDES, {})}


def without_copies(stage: Document, operations: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Patch operations in which those that promote a canary are written out.

    AWS promotes by `copy` from the canary's deployment and variables to those of the stage.
    """
    written: list[Mapping[str, Any]] = []
    for operation in operations:
        if operation.get("op") == "copy":
            written += _written_out(stage, operation)
        else:
            written.append(operation)
    return written


def _written_out(stage: Document, operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    canary = stage.get(_MEMBER)
    what = (operation.get("from"), operation.get("path"))
    if canary is None:
        raise bad_request(f"Invalid patch path {what[0]}: the stage has no canary")
    if what == ("/canarySettings/deploymentId", "/deploymentId"):
        return [{"op": "replace", "path": what[1], "value": canary["deploymentId"]}]
    if what == ("/canarySettings/stageVariableOverrides", "/variables"):
        return [
            {"op": "replace", "path": f"/variables/{name}", "value": value}
            for name, value in canary.get(_OVERRIDES, {}).items()
        ]
    raise bad_request(
        f"Invalid copy from {what[0]} to {what[1]}: /canarySettings/deploymentId is copied to "
        "/deploymentId, and /canarySettings/stageVariableOverrides to /variables"
    )
