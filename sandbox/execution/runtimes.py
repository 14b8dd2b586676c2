"""How a version of a function becomes a process: its command and its environment variables.

Python handlers run in this interpreter, whatever minor version the runtime names, through AWS's
own runtime client (awslambdaric). Its native part has wheels for Linux only; elsewhere the
pure-Python one in `bootstrap/` takes its place. Node handlers run through `bootstrap.mjs`, and
`provided.*` by the bootstrap of the code itself.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox.execution import descriptors
from sandbox.execution.contract import VersionSpec
from sandbox.execution.platform_log import new_log_stream

BOOTSTRAP_DIR = Path(__file__).with_name("bootstrap")

# What a process needs of the host's environment to run at all; nothing else of it gets in.
_HOST_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")

# AWS clients of handlers find the sandbox or nothing: not the profiles and keys of the user, nor
# the role of the machine.
_NO_AWS_OF_THE_USER = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

# It has a random part, as on AWS: no two environments have the same.
_UNIQUE_VARIABLE = "AWS_LAMBDA_LOG_STREAM_NAME"


class NotRunnable(Exception):
    """When the sandbox cannot run a version; `error_type` is what the caller sees."""

    def __init__(self, error_type: str, reason: str) -> None:
        super().__init__(reason)
        self.error_type = error_type


def not_startable(error: OSError) -> NotRunnable:
    """What a caller is told when the system could not start an environment."""
    if descriptors.are_used_up(error):
        return NotRunnable(
            "Sandbox.TooManyOpenFiles",
            f"the sandbox has too few file descriptors for another environment ({error}): "
            "raise the limit with `ulimit -n`, or send fewer calls at a time",
        )
    return NotRunnable("Sandbox.NotStarted", f"could not start an environment: {error}")


@dataclass(frozen=True, slots=True)
class Launch:
    """A command line, and all environment variables of the process."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def mark(self) -> str:
        """A variable, NAME=value, that no other process has but those that this one starts."""
        return f"{_UNIQUE_VARIABLE}={self.log_stream}"

    @property
    def log_stream(self) -> str:
        """The name of the log stream of the process."""
        return self.environment[_UNIQUE_VARIABLE]


def has_native_client() -> bool:
    """Whether awslambdaric's compiled `runtime_client` is installed."""
    return importlib.util.find_spec("runtime_client") is not None


def launch_of(
    spec: VersionSpec,
    *,
    runtime_api: str,
    aws_environment: Mapping[str, str],
    native_client: bool,
    now: datetime,
) -> Launch:
    """The process for one environment of `spec`.

    Raises:
        NotRunnable: the runtime is unknown, or its program is missing.
    """
    environment = {name: os.environ[name] for name in _HOST_VARIABLES if name in os.environ}
    environment |= {"LANG": "en_US.UTF-8", "TZ": ":UTC"} | _NO_AWS_OF_THE_USER
    environment |= aws_environment
    environment |= spec.environment
    environment |= _lambda_variables(spec, runtime_api, now)
    if spec.runtime.startswith("python"):
        return _python(spec, environment, native_client=native_client)
    if spec.runtime.startswith("nodejs"):
        return _node(spec, environment)
    if spec.runtime.startswith("provided"):
        return _provided(spec, environment)
    raise NotRunnable(
        "Runtime.InvalidRuntime",
        f"the sandbox runs python*, nodejs* and provided.* (got '{spec.runtime}')",
    )


def _python(spec: VersionSpec, environment: dict[str, str], *, native_client: bool) -> Launch:
    if importlib.util.find_spec("awslambdaric") is None:
        raise NotRunnable(
            "Runtime.InvalidRuntime",
            f"the sandbox needs the package awslambdaric for {spec.runtime}: "
            "run `pip install awslambdaric`",
        )
    search = [str(spec.code_dir), environment.get("PYTHONPATH", "")]
    if not native_client:
        search.append(str(BOOTSTRAP_DIR))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, search))
    # The code directory stays as it was deployed.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return Launch((sys.executable, "-m", "awslambdaric", spec.handler), environment)


def _node(spec: VersionSpec, environment: dict[str, str]) -> Launch:
    node = shutil.which("node")
    if node is None:
        raise NotRunnable(
            "Runtime.InvalidRuntime",
            f"the sandbox needs the program node for {spec.runtime}, and it is not on PATH",
        )
    return Launch((node, str(BOOTSTRAP_DIR / "bootstrap.mjs"), spec.handler), environment)


def _provided(spec: VersionSpec, environment: dict[str, str]) -> Launch:
    bootstrap = spec.code_dir / "bootstrap"
    if not os.access(bootstrap, os.X_OK) or bootstrap.is_dir():
        raise NotRunnable(
            "Runtime.InvalidEntrypoint", f"Couldn't find valid bootstrap(s): [{bootstrap}]"
        )
    return Launch((str(bootstrap),), environment)


def _lambda_variables(spec: VersionSpec, runtime_api: str, now: datetime) -> dict[str, str]:
    """The reserved variables that AWS sets, as its guide lists them (configuration-envvars)."""
    variables = {
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": spec.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": spec.initialization,
        "AWS_LAMBDA_LOG_FORMAT": spec.log_format,
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group or f"/aws/lambda/{spec.function_name}",
        _UNIQUE_VARIABLE: new_log_stream(spec.version, now),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "LAMBDA_TASK_ROOT": str(spec.code_dir),
        "LAMBDA_RUNTIME_DIR": str(BOOTSTRAP_DIR),
        "_HANDLER": spec.handler,
    }
    if spec.log_format == "JSON":
        # The runtime client drops records below it.
        variables["AWS_LAMBDA_LOG_LEVEL"] = spec.application_log_level or "INFO"
    arn = spec.function_arn.split(":")
    if len(arn) > 3 and arn[3]:
        variables |= {"AWS_REGION": arn[3], "AWS_DEFAULT_REGION": arn[3]}
    return variables
