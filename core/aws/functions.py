"""What a Lambda function's calls cost depends on: its memory, architecture and timeout."""

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


def function_size(session: AwsSession, name: str) -> FunctionSize:
    """The size of a function, as it is now; one control call.

    Raises:
        AwsError: it cannot be read.
    """
    client = session.control_lambda()
    try:
        with aws_call(f"read function {name}"):
            answer = client.get_function_configuration(FunctionName=name)
    finally:
        client.close()
    arm = "arm64" in answer.get("Architectures", [])
    return FunctionSize(
        memory_mb=answer.get("MemorySize", 128),
        arch="arm64" if arm else "x86_64",
        timeout_s=answer.get("Timeout", 3),
    )
