"""Every failure that the toolkit tells a user about, with the exit code that it ends with.

ToolError                      1   anything that stops a command
├── AwsError                   1   AWS refused a call or answered something unusable
│   ├── CredentialsError       1   no usable AWS credentials
│   ├── NotRun                 1   Lambda refused an invocation before the function ran
│   └── NoAnswer               1   an invocation was sent and no answer came back
├── InputError                 2   a wrong option, file, payload, size or setting
│   ├── InputErrors            2   several such things at once, each with its place
│   └── FunctionNotFound       2   the named Lambda function, version or alias does not exist
├── BudgetFailed               3   a budget, threshold or SLO failed, or a regression was confirmed
├── Inconclusive               4   too little data to answer
├── InvalidMeasurement         5   measurements were lost or cannot be trusted
├── Refused                    6   a guard or a missing confirmation stopped the run
└── Interrupted          130/143   stopped by a signal, after writing what there was

A message says what, where, which value, what was expected, and what to do next, on one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of all commands (docs/exit-codes.md)."""

    PASS = 0
    ERROR = 1
    INPUT = 2
    FAILED = 3
    INCONCLUSIVE = 4
    INVALID = 5
    REFUSED = 6
    INTERRUPTED = 130
    TERMINATED = 143


class ToolError(Exception):
    """A failure with a message for the user and an exit code for the pipeline."""

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR
    hint: str | None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message} ({self.hint})" if self.hint else message


class AwsError(ToolError):
    """When an AWS call is refused or cannot be completed."""

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class CredentialsError(AwsError):
    """When there are no AWS credentials, or AWS does not accept them."""


class NotRun(AwsError):
    """When Lambda refuses an invocation before the function ran: trying again is safe.

    `reason` is the Reason of a TooManyRequestsException; `retry_after_s` what AWS asks to wait.
    """

    def __init__(
        self, message: str, *, code: str, reason: str | None, retry_after_s: float | None
    ) -> None:
        super().__init__(message, code=code)
        self.reason = reason
        self.retry_after_s = retry_after_s


class NoAnswer(AwsError):
    """When no whole answer came back: the function may have run, so trying again is not safe."""


class InputError(ToolError):
    """When something that the user gave cannot be used."""

    exit_code = ExitCode.INPUT


class InputErrors(InputError):
    """When several things that the user gave cannot be used; `messages` has one line for each."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = tuple(messages)


class FunctionNotFound(InputError):
    """When the Lambda function to work on does not exist in the region."""


class BudgetFailed(ToolError):
    """When a budget, a threshold or an SLO does not hold."""

    exit_code = ExitCode.FAILED


class Inconclusive(ToolError):
    """When there is too little data for an answer."""

    exit_code = ExitCode.INCONCLUSIVE


class InvalidMeasurement(ToolError):
    """When the measurement itself cannot be trusted."""

    exit_code = ExitCode.INVALID


class Refused(ToolError):
    """When a guard stops a run, or a confirmation is missing."""

    exit_code = ExitCode.REFUSED


class Interrupted(ToolError):
    """When a signal ended the run early; `code` is 130 for SIGINT and 143 for SIGTERM."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self, message: str, *, code: ExitCode = ExitCode.INTERRUPTED) -> None:
        super().__init__(message)
        self.code = code


def exit_code_of(error: ToolError) -> ExitCode:
    """The exit code that `error` ends a command with."""
    return error.code if isinstance(error, Interrupted) else error.exit_code
