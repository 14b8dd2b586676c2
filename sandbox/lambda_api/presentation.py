"""Records as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.lambda_api.names import LATEST, Home
from sandbox.lambda_api.records import Alias, Function, Settings, Version

Output = dict[str, Any]


def configuration(function: Function, version: Version, *, arn: str) -> Output:
    """A FunctionConfiguration with its states; `arn` is the one that the caller asked by."""
    settings = version.settings
    is_latest = version.number == LATEST
    shown: Output = {
        "FunctionName": function.name,
        "FunctionArn": arn,
        "Runtime": settings.runtime,
        "Role": settings.role,
        "Handler": settings.handler,
        "CodeSize": version.code.size_bytes,
        "CodeSha256": version.code.sha256,
        "Description": settings.description,
        "Timeout": settings.timeout_s,
        "MemorySize": settings.memory_mb,
        "LastModified": version.last_modified,
        "Version": version.number,
        "TracingConfig": {"Mode": settings.tracing_mode},
        "RevisionId": version.revision_id,
        "PackageType": "Zip" if version.code.image_uri is None else "Image",
        "Architectures": [settings.architecture],
        "EphemeralStorage": {"Size": settings.ephemeral_storage_mb},
        "LoggingConfig": _logging(settings),
        "SnapStart": {
            "ApplyOn": settings.inert.get("SnapStart", {}).get("ApplyOn", "None"),
            "OptimizationStatus": "On" if settings.snap_start and not is_latest else "Off",
        },
        **_inert(settings.inert),
        **_states(function, version),
    }
    if version.code.image_uri is not None:
        # What the image itself says.
        del shown["Runtime"], shown["Handler"]
    if settings.environment:
        shown["Environment"] = {"Variables": dict(settings.environment)}
    return shown


def _inert(settings: Mapping[str, Any]) -> Output:
    """Settings as answers have them, some of which are not as requests have them."""
    shown = {name: value for name, value in settings.items() if name != "SnapStart"}
    if "Layers" in shown:
        shown["Layers"] = [{"Arn": arn, "CodeSize": 0} for arn in shown["Layers"]]
    if "ImageConfig" in shown:
        shown["ImageConfigResponse"] = {"ImageConfig": shown.pop("ImageConfig")}
    return shown


def listed_configuration(function: Function, version: Version, *, arn: str) -> Output:
    """A FunctionConfiguration as lists show it: without the states (API reference)."""
    shown = configuration(function, version, arn=arn)
    for name in ("State", "StateReason", "StateReasonCode"):
        shown.pop(name, None)
    for name in ("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
        shown.pop(name, None)
    return shown


def alias(home: Home, function: Function, record: Alias) -> Output:
    """An AliasConfiguration."""
    shown: Output = {
        "AliasArn": home.function_arn(function.name, record.name),
        "Name": record.name,
        "FunctionVersion": record.version,
        "Description": record.description,
        "RevisionId": record.revision_id,
    }
    if record.weights:
        shown["RoutingConfig"] = {"AdditionalVersionWeights": dict(record.weights)}
    return shown


def _states(function: Function, version: Version) -> Output:
    if function.pending or version.number in function.preparing:
        return {
            "State": "Pending",
            "StateReason": "The function is being created.",
            "StateReasonCode": "Creating",
        }
    if function.updating and version.number == LATEST:
        return {
            "State": "Active",
            "LastUpdateStatus": "InProgress",
            "LastUpdateStatusReason": "The function is being created.",
            "LastUpdateStatusReasonCode": "Creating",
        }
    return {"State": "Active", "LastUpdateStatus": "Successful"}


def _logging(settings: Settings) -> Output:
    shown: Output = {"LogFormat": settings.log_format, "LogGroup": settings.log_group}
    if settings.application_log_level:
        shown["ApplicationLogLevel"] = settings.application_log_level
    if settings.system_log_level:
        shown["SystemLogLevel"] = settings.system_log_level
    return shown
