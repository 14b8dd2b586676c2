"""Which of the functions that a stack lists are meant; pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from core.errors import InputError, InputErrors
from tuner.several.listed import Listed


def chosen(
    listed: Sequence[Listed], only: Sequence[str], leave_out: Sequence[str]
) -> tuple[Listed, ...]:
    """Those that a pattern of `only` takes, all without one, apart from those of `leave_out`.

    Patterns are names, of the template or of AWS, with * and ?.

    Raises:
        InputError: when a pattern takes none, nothing is left, or a name is not known.
    """
    for option, patterns in (("--only", only), ("--except", leave_out)):
        for pattern in patterns:
            if not any(_matches(function, [pattern]) for function in listed):
                names = ", ".join(_names(function) for function in listed)
                raise InputError(
                    f"{option}: expected the name of a function, with * and ? (got {pattern!r}, "
                    f"there is {names})"
                )
    kept = tuple(
        function
        for function in listed
        if (not only or _matches(function, only)) and not _matches(function, leave_out)
    )
    if not kept:
        raise InputError("--except: expected to leave a function to tune (got none)")
    unknown = [_unknown(function) for function in kept if function.name is None]
    if unknown:
        raise InputErrors(unknown)
    return kept


def _matches(function: Listed, patterns: Sequence[str]) -> bool:
    names = [name for name in (function.key, function.name) if name is not None]
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _names(function: Listed) -> str:
    if function.name in (None, function.key):
        return function.key
    return f"{function.key} ({function.name})"


def _unknown(function: Listed) -> str:
    return (
        f"{function.place}: {function.key}: its name on AWS is not known from the file: "
        f"{function.unknown} (--stack STACKNAME reads it from the deployed stack, "
        f"--except {function.key} leaves it out)"
    )
