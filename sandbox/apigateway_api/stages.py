"""Stages: where deployments are reached, with settings of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.apigateway_api.canaries import (
    CANARY_RULES,
    complete_canary,
    with_canary,
    without_copies,
)
from sandbox.apigateway_api.context import (
    Operation,
    Output,
    Parameters,
    RestApiContext,
    chosen,
    shown,
)
from sandbox.apigateway_api.method_settings import SETTING_PATHS, method_setting_rule
from sandbox.apigateway_api.patching import (
    SERVED_OPS,
    Member,
    Patch,
    Rules,
    as_bool,
    one_of,
    patched,
    read_patches,
)
from sandbox.apigateway_api.refusing import bad_request, conflict, limit_exceeded, refuse_unserved
from sandbox.apigateway_api.state import Document, RestApi
from sandbox.apigateway_api.tags import check_tags
from sandbox.gateway.snapshot import Limit

# "0.5, 1.6, 6.1, ..." (model, CacheClusterSize).
# Stages of an API (API Gateway quotas, 2026).
MAX_STAGES = 10

_CACHE_SIZES = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
# "Access log format" (API Gateway quotas, 2026).
_MAX_FORMAT_BYTES = 3 * 1024

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_VARIABLE_PATH = re.compile(r"(?:/canarySettings/stageVariableOverrides|/variables)/[^/]+")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]+")
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9._~:/?#&=,-]*")
_LOG_GROUP = re.compile(
    r"arn:aws[a-z-]*:logs:[a-z0-9-]+:[0-9]{12}:log-group:(?P<name>[A-Za-z0-9._/#-]{1,512})(?::\*)?"
)
_UNSERVED = ("documentationVersion",)
_KEPT = (
    "stageName",
    "deploymentId",
    "description",
    "cacheClusterSize",
    "cacheClusterEnabled",
    "variables",
    "tracingEnabled",
    "tags",
)


def log_group_of(arn: str) -> str | None:
    """The name of the log group with this ARN; None where it is no such ARN."""
    found = _LOG_GROUP.fullmatch(arn)
    return None if found is None else found["name"]


def _as_destination(text: str, path: str) -> str:
    if log_group_of(text) is None:
        raise bad_request(
            f"Invalid ARN specified in the request: {text}. The sandbox writes access logs to "
            "arn:aws:logs:REGION:ACCOUNT:log-group:NAME"
        )
    return text.removesuffix(":*")


def _as_format(text: str, path: str) -> str:
    if "\n" in text.rstrip("\n"):
        raise bad_request(
            "Access log format must be single line, new line character is allowed only at end of "
            "the format"
        )
    if len(text.encode()) > _MAX_FORMAT_BYTES:
        raise bad_request(f"Access log format must not exceed {_MAX_FORMAT_BYTES} bytes")
    if "$context.requestId" not in text and "$context.extendedRequestId" not in text:
        raise bad_request(
            "Access log format must contain $context.requestId or $context.extendedRequestId"
        )
    return text


_RULES: Rules = {
    "/deploymentId": Member(),
    "/description": Member(),
    "/cacheClusterEnabled": Member(as_bool),
    "/cacheClusterSize": Member(one_of(*_CACHE_SIZES)),
    "/accessLogSettings": Member(ops=("remove",)),
    "/accessLogSettings/destinationArn": Member(_as_destination, ("add", "replace")),
    "/accessLogSettings/format": Member(_as_format, ("add", "replace")),
    "/variables/*": Member(ops=SERVED_OPS),
    "/tracingEnabled": Member(as_bool),
    **CANARY_RULES,
}


class StageOperations:
    """The operations on stages."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "CreateStage": self.create,
            "GetStage": self.get,
            "GetStages": self.list,
            "UpdateStage": self.update,
            "DeleteStage": self.delete,
            "FlushStageCache": self.flush_cache,
            "FlushStageAuthorizersCache": self.flush_authorizers,
        }

    def create(self, parameters: Parameters) -> Output:
        """Creates a stage that serves a deployment."""
        api = self._context.api(parameters)
        if parameters["stageName"] in api.stages:
            raise conflict("Stage already exists")
        check_room(api, parameters["stageName"])
        _check_deployment(api, parameters["deploymentId"])
        check_tags(parameters.get("tags", {}))
        stage = new_stage(parameters, self._context.now_s())
        if "canarySettings" in parameters:
            canary = parameters["canarySettings"]
            stage = with_canary(stage, canary, parameters["deploymentId"])
            complete_canary(stage, api)
            finish(stage, self._context.now_s())
        api.stages[stage["stageName"]] = stage
        return shown(stage)

    def get(self, parameters: Parameters) -> Output:
        """One stage."""
        return shown(self._context.api(parameters).stage(parameters["stageName"]))

    def list(self, parameters: Parameters) -> Output:
        """All stages, of one deployment where it is given."""
        stages = self._context.api(parameters).stages
        wanted = parameters.get("deploymentId")
        return {
            "item": [
                shown(stage)
                for _, stage in sorted(stages.items())
                if wanted in (None, stage["deploymentId"])
            ]
        }

    def update(self, parameters: Parameters) -> Output:
        """Changes a stage, at once for the requests that follow."""
        api = self._context.api(parameters)
        old = api.stage(parameters["stageName"])
        operations = without_copies(old, parameters.get("patchOperations", []))
        patches = read_patches({"patchOperations": operations})
        stage = patched(
            old, patches, {**_RULES, **_rules_of_methods(patches, self._context.account_limit)}
        )
        _check_deployment(api, stage["deploymentId"])
        complete_canary(stage, api)
        self._check_logging(stage)
        finish(stage, self._context.now_s())
        api.stages[stage["stageName"]] = stage
        return shown(stage)

    def delete(self, parameters: Parameters) -> None:
        """Deletes a stage."""
        api = self._context.api(parameters)
        name = api.stage(parameters["stageName"])["stageName"]
        self._context.state.forget_stages(api.document["id"], (name,))
        del api.stages[name]

    def flush_cache(self, parameters: Parameters) -> None:
        """Forgets the cached answers of a stage."""
        api = self._context.api(parameters)
        stage = api.stage(parameters["stageName"])
        self._context.reset_cache(api.document["id"], stage["stageName"])

    def flush_authorizers(self, parameters: Parameters) -> None:
        """Forgets what the authorizers of a stage have answered."""
        api = self._context.api(parameters)
        stage = api.stage(parameters["stageName"])
        self._context.reset_authorizers(api.document["id"], stage["stageName"])

    def _check_logging(self, stage: Document) -> None:
        """Refuses logs before the account has a role to write them with, as AWS does."""
        levels = [it.get("loggingLevel", "OFF") for it in stage.get("methodSettings", {}).values()]
        logs = "accessLogSettings" in stage or any(level != "OFF" for level in levels)
        if logs and not self._context.state.account.get("cloudwatchRoleArn"):
            raise bad_request(
                "CloudWatch Logs role ARN must be set in account settings to enable logging"
            )


def check_room(api: RestApi, name: str) -> None:
    """Checks that the API may have a stage of this name, or has it already.

    Raises:
        ApiError: it has all that it may have.
    """
    if name not in api.stages and len(api.stages) >= MAX_STAGES:
        raise limit_exceeded("Maximum number of stages for this API has been reached")


def new_stage(settings: Parameters, now_s: int, old: Document | None = None) -> Document:
    """A new stage, or `old` with new settings.

    Raises:
        ApiError: the settings cannot be.
    """
    refuse_unserved(settings, _UNSERVED)
    if _NAME.fullmatch(settings["stageName"]) is None:
        raise bad_request("Stage name only allows a-zA-Z0-9_- and up to 128 characters")
    stage = {
        "cacheClusterEnabled": False,
        "methodSettings": {},
        "tracingEnabled": False,
        "createdDate": now_s,
        **(old or {}),
        **chosen(settings, _KEPT),
    }
    finish(stage, now_s)
    return stage


def finish(stage: Document, now_s: int) -> None:
    """Checks the variables, and sets what follows from the rest."""
    _check_variables(stage)
    enabled = stage["cacheClusterEnabled"]
    if enabled:
        stage.setdefault("cacheClusterSize", _CACHE_SIZES[0])
    # AWS takes about four minutes to make a cache; here it is there at once.
    stage["cacheClusterStatus"] = "AVAILABLE" if enabled else "NOT_AVAILABLE"
    stage["lastUpdatedDate"] = now_s


def _check_variables(stage: Document) -> None:
    overrides = stage.get("canarySettings", {}).get("stageVariableOverrides", {})
    for name, value in (*stage.get("variables", {}).items(), *overrides.items()):
        if not _VARIABLE_NAME.fullmatch(name) or not _VARIABLE_VALUE.fullmatch(value):
            raise bad_request(
                f"Invalid stage variable {name}={value}: names have A-Za-z0-9_, values have "
                "A-Za-z0-9-._~:/?#&=, only"
            )


def _check_deployment(api: RestApi, identifier: str) -> None:
    if identifier not in api.deployments:
        raise bad_request("Deployment id does not exist")


def _rules_of_methods(patches: list[Patch], account_limit: Limit) -> Rules:
    """The rules of those patches that are about single methods.

    The paths that are allowed are without number, so an error names their pattern.
    """
    rules = {}
    for patch in patches:
        if _VARIABLE_PATH.fullmatch(patch.path):  # or a variable named GET would be a method
            continue
        rule = method_setting_rule(patch.path, account_limit)
        if rule is not None:
            rules[patch.path] = rule
        elif patch.path.count("/") > 2 and not patch.path.startswith("/canarySettings/"):
            raise bad_request(
                f"Invalid method setting path: {patch.path}. Must be one of: "
                f"[{', '.join([*_RULES, *SETTING_PATHS])}]"
            )
    return rules
