"""The settings of a stage: throttles, variables, access logs; their rules and their merging."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.apigatewayv2_api.errors import (
    bad_request,
    not_for_http_apis,
    not_found,
    unserved,
)
from sandbox.apigatewayv2_api.state import Document

_VARIABLE_NAME = re.compile(r"\w+", re.ASCII)
# The model's documentation of StageVariables (2026).
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]+")
_LOG_GROUP = re.compile(r"arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}:log-group:([^:*]+)(?::\*)?")
# API Gateway quotas, 2026.
_MOST_FORMAT_BYTES = 3072


def merge(stage: Document, changes: Mapping[str, Any]) -> Document:
    """A stage with `changes`, as UpdateStage takes them.

    Route settings and variables that are not named stay. Of those that are named, members that are
    not given stay too. A variable with an empty value is removed.
    """
    merged = {**stage, **changes}
    for name in ("DefaultRouteSettings", "AccessLogSettings", "StageVariables"):
        if name in changes:
            merged[name] = {**stage.get(name, {}), **changes[name]}
    if "RouteSettings" in changes:
        merged["RouteSettings"] = _merge_routes(
            stage.get("RouteSettings", {}), changes["RouteSettings"]
        )
    if "StageVariables" in merged:
        variables = merged["StageVariables"]
        merged["StageVariables"] = {name: value for name, value in variables.items() if value}
    return merged


def _merge_routes(old: Mapping[str, Document], new: Mapping[str, Document]) -> Document:
    return {**old, **{key: {**old.get(key, {}), **settings} for key, settings in new.items()}}


def check_stage(stage: Document) -> None:
    """Checks the settings of a stage, all but the keys of its RouteSettings.

    Raises:
        ApiError: they break a rule, or the sandbox does not serve them.
    """
    if stage.get("ClientCertificateId"):
        raise not_for_http_apis("ClientCertificateId")
    _check_route_settings(stage["DefaultRouteSettings"])
    for settings in stage["RouteSettings"].values():
        _check_route_settings(settings)
    for name, value in stage["StageVariables"].items():
        if _VARIABLE_NAME.fullmatch(name) is None or _VARIABLE_VALUE.fullmatch(value) is None:
            raise bad_request(
                f"Invalid stage variable {name}={value}: names have letters, digits and "
                "underscores, values match [A-Za-z0-9-._~:/?#&=,]+"
            )
    if "AccessLogSettings" in stage:
        _check_access_log(stage["AccessLogSettings"])


def check_route_keys(stage_changes: Mapping[str, Any], keys: set[str]) -> None:
    """Checks that the RouteSettings of a call name routes.

    Raises:
        ApiError: one of them names none.
    """
    for key in stage_changes.get("RouteSettings", {}):
        if key not in keys:
            raise not_found(f"Unable to find Route by key {key} within the provided RouteSettings")


def log_group_of(destination_arn: str) -> str | None:
    """The log group that an ARN names, or None where it names none."""
    found = _LOG_GROUP.fullmatch(destination_arn)
    return found[1] if found else None


def _check_route_settings(settings: Mapping[str, Any]) -> None:
    if settings.get("DataTraceEnabled") or settings.get("LoggingLevel", "OFF") != "OFF":
        raise bad_request("Execution logs are not supported on protocolType HTTP")
    for name in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
        if settings.get(name, 0) < 0:
            raise bad_request(f"Invalid {name}: {settings[name]} is below 0")


def _check_access_log(settings: Mapping[str, Any]) -> None:
    arn, log_format = settings.get("DestinationArn", ""), settings.get("Format", "")
    if arn.startswith("arn:aws:firehose:"):
        raise unserved("access logs to Firehose (DestinationArn)")
    if log_group_of(arn) is None:
        raise bad_request(f"Invalid ARN specified in the request: {arn} is no log group's")
    if "\n" in log_format.rstrip("\n"):
        raise bad_request(
            "Access Log format must be single line, new line character is allowed only at end of "
            "the format"
        )
    if "$context.requestId" not in log_format and "$context.extendedRequestId" not in log_format:
        raise bad_request("Access Log format must contain at least $context.requestId")
    if len(log_format.encode()) > _MOST_FORMAT_BYTES:
        raise bad_request(f"Access Log format is longer than {_MOST_FORMAT_BYTES} bytes")
