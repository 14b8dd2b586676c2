"""`sandbox deploy`: puts a stack into a sandbox that runs already."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.console import Console
from core.errors import ExitCode, InputError
from sandbox.stack.deployment import deploy_stack, stack_functions
from sandbox.stack.reader import find_stack, read_stack
from sandbox.stack.view import stack_document, stack_lines

DEFAULT_REGION = "us-east-1"

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOptions:
    """The options of `sandbox deploy`.

    Raises:
        InputError: the endpoint is not on this machine. Stacks are for the sandbox only.
    """

    stack: str
    endpoint: str
    region: str | None

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.endpoint)
            is_served = parts.scheme == "http" and parts.hostname in _LOOPBACK
            on_this_machine = is_served and parts.port != 0
        except ValueError:
            on_this_machine = False
        if not on_this_machine:
            raise InputError(
                f"--endpoint: must be the URL of a sandbox on this machine (got {self.endpoint})",
                hint="such as http://127.0.0.1:4599",
            )


def run_deploy(options: DeployOptions, console: Console) -> ExitCode:
    """Deploys a stack and says how to reach it.

    Raises:
        InputError: the stack is not right.
        AwsError: no sandbox answers, or it refuses something.
    """
    file = read_stack(find_stack(options.stack))
    folders = stack_functions(file)
    deployed = deploy_stack(_environment(options), file, folders, console.detail)
    for line in stack_lines(deployed):
        console.say(line)
    if console.json_output:
        document = {"schema_version": 1, "verdict": "pass", "exit_code": 0, "errors": []}
        console.document(json.dumps({**document, **stack_document(deployed)}))
    return ExitCode.PASS


def _environment(options: DeployOptions) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": options.endpoint.rstrip("/"),
        # The sandbox asks for a signature, not for whose it is: the user's keys stay out of it.
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": options.region or DEFAULT_REGION,
    }
