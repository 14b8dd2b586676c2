"""From the parameters of CreateFunction and UpdateFunctionConfiguration to `Settings`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import InputError
from sandbox.api_errors import ApiError
from sandbox.execution.model import MODEL_VARIABLE, parse_model
from sandbox.lambda_api.records import Settings

Parameters = Mapping[str, Any]

MAX_ENVIRONMENT_BYTES = 4096

# "Defined runtime environment variables", Lambda developer guide: these cannot be set.
_RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)

# Stored and shown, without an effect in the sandbox.
_INERT = ("VpcConfig", "DeadLetterConfig", "SnapStart", "KMSKeyArn", "TenancyConfig")
# What only code meets, and modelled functions have none: they keep and show these.
_OF_CODE = {
    "Layers": "layers",
    "FileSystemConfigs": "file systems",
    "ImageConfig": "container images",
}
# A function that needs one of these would behave otherwise than on AWS, so none is created.
_UNSERVED = {
    "CodeSigningConfigArn": "code signing",
    "CapacityProviderConfig": "capacity providers",
    "DurableConfig": "durable functions",
    "AcceleratorConfig": "accelerators",
}


def new_settings(parameters: Parameters) -> Settings:
    """The settings of a function to create."""
    is_image = parameters.get("PackageType") == "Image"
    if not is_image and not (parameters.get("Runtime") and parameters.get("Handler")):
        raise _invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages."
        )
    blank = Settings(
        runtime=parameters.get("Runtime", ""),
        handler=parameters.get("Handler", ""),
        role=parameters["Role"],
        log_group=f"/aws/lambda/{parameters['FunctionName']}",
    )
    architecture = parameters.get("Architectures", ["x86_64"])[0]
    return changed_settings(replace(blank, architecture=architecture), parameters)


def changed_settings(settings: Settings, parameters: Parameters) -> Settings:
    """`settings` with all that `parameters` name; what they leave out stays."""
    variables = parameters.get("Environment", {}).get("Variables", settings.environment)
    is_modelled = MODEL_VARIABLE in variables
    for name, what in (_UNSERVED if is_modelled else _UNSERVED | _OF_CODE).items():
        if parameters.get(name):
            raise _invalid(f"{name}: the sandbox does not have {what}")
    changes: dict[str, Any] = {
        field: parameters[name]
        for name, field in (
            ("Runtime", "runtime"),
            ("Handler", "handler"),
            ("Role", "role"),
            ("Description", "description"),
            ("Timeout", "timeout_s"),
            ("MemorySize", "memory_mb"),
        )
        if name in parameters
    }
    for name in ("Runtime", "Handler"):
        if "\0" in parameters.get(name, ""):
            raise _invalid(f"{name}: must not contain a null character")
    if "Environment" in parameters:
        variables = parameters["Environment"].get("Variables", {})
        _check_environment(variables)
        changes["environment"] = variables
    if "EphemeralStorage" in parameters:
        changes["ephemeral_storage_mb"] = parameters["EphemeralStorage"]["Size"]
    if mode := parameters.get("TracingConfig", {}).get("Mode"):
        changes["tracing_mode"] = mode
    changes.update(_logging(parameters.get("LoggingConfig", {}), settings))
    inert = {name: parameters[name] for name in (*_INERT, *_OF_CODE) if name in parameters}
    return replace(settings, **changes, inert={**settings.inert, **inert})


def _logging(parameters: Parameters, settings: Settings) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    log_format = parameters.get("LogFormat", settings.log_format)
    levels = {
        "application_log_level": parameters.get("ApplicationLogLevel"),
        "system_log_level": parameters.get("SystemLogLevel"),
    }
    if log_format == "Text" and any(levels.values()):
        raise _invalid(
            "To use ApplicationLogLevel or SystemLogLevel, you must set LogFormat to JSON."
        )
    if log_format != settings.log_format:
        changes["log_format"] = log_format
        default = "INFO" if log_format == "JSON" else None
        changes.update(dict.fromkeys(levels, default))
    changes.update({field: level for field, level in levels.items() if level})
    if "LogGroup" in parameters:
        changes["log_group"] = parameters["LogGroup"]
    return changes


def _check_environment(variables: Mapping[str, str]) -> None:
    prefix = "Lambda was unable to configure your environment variables because the environment "
    reserved = sorted(_RESERVED_VARIABLES & variables.keys())
    if reserved:
        raise _invalid(
            f"{prefix}variables you have provided contains reserved keys that are currently not "
            f"supported for modification. Reserved keys used in this request: "
            f"{', '.join(reserved)}"
        )
    with_null = sorted(name for name, value in variables.items() if "\0" in value)
    if with_null:
        raise _invalid(
            f"{prefix}variables you have provided contains null characters, which no process can "
            f"be given. Keys used in this request: {', '.join(with_null)}"
        )
    text = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) > MAX_ENVIRONMENT_BYTES:
        raise _invalid(
            f"{prefix}variables you have provided exceeded the 4KB limit. String measured: {text}"
        )
    _check_model(variables.get(MODEL_VARIABLE))


def _check_model(text: str | None) -> None:
    """A modelled function with a model that cannot be read is refused here, not when invoked."""
    if text is None:
        return
    try:
        parse_model(text)
    except InputError as error:
        raise _invalid(str(error)) from error


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)
