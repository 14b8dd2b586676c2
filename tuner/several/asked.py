"""Which functions a command line asks for, and with which events; checked without AWS."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InputError
from tuner.options import TuneOptions
from tuner.target import check_function_name


@dataclass(frozen=True, slots=True)
class SeveralAsked:
    """What the command line says of several functions, not yet checked.

    `functions` are names or ARNs. `stack` is a template or a deployed stack, of which `only` and
    `leave_out` choose by patterns. `payloads` and `payload_files` are --payload and --payloads as
    given: for all functions, or NAME=FILE for one.
    """

    functions: tuple[str, ...] = ()
    stack: str | None = None
    only: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    stage: str | None = None
    payloads: tuple[str, ...] = ()
    payload_files: tuple[str, ...] = ()

    @property
    def is_several(self) -> bool:
        """Whether there is more to do than a tuning of one function."""
        return len(self.functions) > 1 or self.stack is not None


def single(asked: SeveralAsked) -> tuple[str, str | None, str | None]:
    """Function, payload and payloads of a command line that asks for one tuning.

    Raises:
        InputError: for what only several functions have.
    """
    for option, value in (
        ("--only", asked.only),
        ("--except", asked.leave_out),
        ("--stage", asked.stage),
    ):
        if value:
            raise InputError(f"{option}: only used with --stack")
    function = asked.functions[0] if asked.functions else ""
    return (
        function,
        _once("--payload", asked.payloads),
        _once("--payloads", asked.payload_files),
    )


def _once(option: str, given: tuple[str, ...]) -> str | None:
    if len(given) > 1:
        raise InputError(f"{option}: expected once with one function (got {len(given)} of them)")
    return given[0] if given else None


def check_asked(asked: SeveralAsked, options: TuneOptions) -> None:
    """Makes sure that what is asked goes together.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    if asked.stack is not None and asked.functions:
        raise InputError("--stack: give either functions or --stack, not both")
    if asked.stack == "":
        raise InputError("--stack: expected a template or the name of a stack (got '')")
    if asked.stack is None:
        single(SeveralAsked(only=asked.only, leave_out=asked.leave_out, stage=asked.stage))
    for option, value, why in (
        ("--arch", options.arch, "compares two functions: tune each pair by itself"),
        ("--arch-function", options.arch_function, "is the twin of one function"),
        ("--apply", options.apply, "`tune apply RUN` gives each function its size afterwards"),
    ):
        if value is not None:
            raise InputError(f"{option}: expected one function with it ({why})")
    seen: set[str] = set()
    for function in asked.functions:
        check_function_name(function)
        if function in seen:
            raise InputError(f"FUNCTION: expected each function once (got {function!r} twice)")
        seen.add(function)
