"""Settings of Lambda functions: what the price of calls depends on, where they log, aliases."""

from __future__ import annotations

from dataclasses import dataclass

from core.aws.prices import Arch
from core.aws.session import AwsSession, aws_call


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """The settings of a function that its price depends on."""

    memory_mb: int
    arch: Arch
    timeout_s: int


def function_size(session: AwsSession, name: str, qualifier: str | None = None) -> FunctionSize:
    """The size of a function, of what an alias calls or of a version; one control call.

    Raises:
        AwsError: it cannot be read.
    """
    client = session.control_lambda()
    try:
        with aws_call(f"read function {name}"):
            answer = (
                client.get_function_configuration(FunctionName=name)
                if qualifier is None
                else client.get_function_configuration(FunctionName=name, Qualifier=qualifier)
            )
    finally:
        client.close()
    arm = "arm64" in answer.get("Architectures", [])
    return FunctionSize(
        memory_mb=answer.get("MemorySize", 128),
        arch="arm64" if arm else "x86_64",
        timeout_s=answer.get("Timeout", 3),
    )


@dataclass(frozen=True, slots=True)
class FunctionLog:
    """Where a function logs, and whether REPORT lines are among what it logs.

    `traced` is whether it writes segments to X-Ray by itself.
    """

    group: str
    has_reports: bool = True
    traced: bool = False


def default_log(name: str) -> FunctionLog:
    """What a function has that nobody configured."""
    return FunctionLog(f"/aws/lambda/{name}")


def function_log(session: AwsSession, name: str, qualifier: str | None = None) -> FunctionLog:
    """The log settings of a function, or of one version or alias of it; one control call.

    Raises:
        AwsError: they cannot be read.
    """
    client = session.control_lambda()
    try:
        with aws_call(f"read function {name}"):
            if qualifier is None:
                answer = client.get_function_configuration(FunctionName=name)
            else:
                answer = client.get_function_configuration(FunctionName=name, Qualifier=qualifier)
    finally:
        client.close()
    logging = answer.get("LoggingConfig", {})
    # REPORT is a system log of the level INFO ("Log-level filtering", 2026); text has no levels.
    quiet = logging.get("LogFormat") == "JSON" and logging.get("SystemLogLevel") == "WARN"
    return FunctionLog(
        group=logging.get("LogGroup") or default_log(name).group,
        has_reports=not quiet,
        traced=answer.get("TracingConfig", {}).get("Mode") == "Active",
    )


def weighted_versions(session: AwsSession, name: str, alias: str) -> list[str]:
    """The versions that an alias with weights leads to; none where it leads to one, or is none.

    Raises:
        AwsError: they cannot be read.
    """
    if alias.isdecimal() or alias == "$LATEST":
        return []
    client = session.control_lambda()
    try:
        with aws_call(f"read alias {name}:{alias}"):
            answer = client.get_alias(FunctionName=name, Name=alias)
    finally:
        client.close()
    others = answer.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return [answer["FunctionVersion"], *others] if others else []
