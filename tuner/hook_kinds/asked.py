"""What `--pre` and `--post` say, checked as far as neither AWS nor the user's code is needed."""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass, replace
from typing import Literal

from core.errors import InputError
from tuner.program import check_program

Step = Literal["pre", "post"]

DEFAULT_TIMEOUT_S = 60.0
# The longest that a Lambda can take, which a hook may be.
MAX_TIMEOUT_S = 900.0

_KINDS = "lambda:NAME, a function's ARN, python:MODULE:FUNCTION or a command"
_QUALIFIER = r"(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]{1,128}))?"
_NAME = re.compile(rf"(?P<name>[A-Za-z0-9_-]{{1,140}}){_QUALIFIER}")
_ARN = re.compile(
    r"(?P<name>arn:[a-z0-9-]+:lambda:(?P<region>[a-z0-9-]+):\d{12}:function:[A-Za-z0-9_-]{1,140})"
    + _QUALIFIER
)


@dataclass(frozen=True, slots=True)
class LambdaAsked:
    """A function by name or ARN; `region` is None where only its name is given.

    With `output_only` its event is what the tuned function answered, without the payload.
    """

    step: Step
    function: str
    qualifier: str | None
    region: str | None
    output_only: bool = False

    @property
    def shown(self) -> str:
        """The option and what it names, for messages."""
        kind = "lambda-output" if self.output_only else "lambda"
        qualifier = f":{self.qualifier}" if self.qualifier else ""
        return f"--{self.step} {kind}:{self.function}{qualifier}"


@dataclass(frozen=True, slots=True)
class PythonAsked:
    """A function of a module that Python can import from the current folder."""

    step: Step
    module: str
    function: str

    @property
    def shown(self) -> str:
        """The option and what it names, for messages."""
        return f"--{self.step} python:{self.module}:{self.function}"


@dataclass(frozen=True, slots=True)
class CommandAsked:
    """A program and its arguments."""

    step: Step
    words: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The option and the program, for messages: an argument may be a secret."""
        return f"--{self.step} {self.words[0]}"


Asked = LambdaAsked | PythonAsked | CommandAsked


@dataclass(frozen=True, slots=True)
class HooksAsked:
    """The hooks of a run, and how long each may take, in seconds."""

    pre: Asked | None = None
    post: Asked | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S

    @property
    def all(self) -> tuple[Asked, ...]:
        """Those that there are."""
        return tuple(asked for asked in (self.pre, self.post) if asked is not None)


NO_HOOKS_ASKED = HooksAsked()


def check_hook_options(pre: str | None, post: str | None, timeout_s: float | None) -> HooksAsked:
    """The hooks of a command line.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    if timeout_s is not None:
        if not (0 < timeout_s <= MAX_TIMEOUT_S and math.isfinite(timeout_s)):
            raise InputError(
                f"--hook-timeout: expected seconds above 0, at most {MAX_TIMEOUT_S:g} "
                f"(got {timeout_s:g})"
            )
        if pre is None and post is None:
            raise InputError("--hook-timeout: only used with --pre or --post")
    return HooksAsked(
        pre=None if pre is None else parse_hook("pre", pre),
        post=None if post is None else parse_hook("post", post),
        timeout_s=DEFAULT_TIMEOUT_S if timeout_s is None else timeout_s,
    )


def parse_hook(step: Step, text: str) -> Asked:
    """What one of the options asks for; a command must be there and executable.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    kind, _, rest = text.partition(":")
    if kind == "lambda":
        return _lambda(step, rest)
    if kind == "arn":
        return _lambda(step, text)
    if kind == "lambda-output":
        if step == "pre":
            raise InputError("--pre: lambda-output: only used with --post: there is no output yet")
        return replace(_lambda(step, rest), output_only=True)
    if kind == "python":
        return _python(step, rest)
    return _command(step, text)


def hooks_note(asked: HooksAsked) -> str | None:
    """What a user should know of the bill before a run with hooks; None where it has no more."""
    names = [hook.shown for hook in asked.all if isinstance(hook, LambdaAsked)]
    if not names:
        return None
    return f"AWS bills the calls of {' and '.join(names)} as well: they are in no figure of the run"


def recorded_hook(text: str) -> str:
    """A hook as a record of the command line has it: arguments of a command may hold secrets."""
    if text.startswith(("lambda:", "lambda-output:", "arn:", "python:")):
        return text
    try:
        program, *arguments = shlex.split(text)
    except ValueError:
        return "<command>"
    return f"{program} <arguments>" if arguments else program


def _lambda(step: Step, text: str) -> LambdaAsked:
    match = _ARN.fullmatch(text) or _NAME.fullmatch(text)
    if match is None:
        raise InputError(
            f"--{step}: expected a function's name, with a version or alias after it where one is "
            f"meant, or its ARN (got {text!r})"
        )
    found = match.groupdict()
    return LambdaAsked(step, found["name"], found["qualifier"], found.get("region"))


def _python(step: Step, text: str) -> PythonAsked:
    module, colon, function = text.partition(":")
    if not colon or not function.isidentifier() or not _is_module(module):
        raise InputError(f"--{step}: expected python:MODULE:FUNCTION (got {f'python:{text}'!r})")
    return PythonAsked(step, module, function)


def _is_module(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _command(step: Step, text: str) -> CommandAsked:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError(
            f"--{step}: could not split the command into words: {str(error).lower()}"
        ) from error
    if not words or not words[0]:
        raise InputError(f"--{step}: expected {_KINDS} (got {text!r})")
    if any("\0" in word for word in words):
        raise InputError(f"--{step}: expected a command without NUL characters")
    check_program(f"--{step}", words[0], _KINDS)
    return CommandAsked(step, tuple(words))
