"""From what a command line asks for to the names of functions, by files and CloudFormation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.aws.session import AwsSession
from core.aws.stacks import is_stack_name, read_stack
from core.errors import InputError
from tuner.several.asked import SeveralAsked
from tuner.several.choosing import chosen
from tuner.several.listed import Around, Listed, Listing
from tuner.several.stack_file import read_stack_file


@dataclass(frozen=True, slots=True)
class Source:
    """The functions to read, and where their names are from; None where they were given."""

    functions: tuple[Listed, ...]
    origin: str | None = None
    notes: tuple[str, ...] = ()


def find_functions(asked: SeveralAsked, session: AwsSession, *, sandbox: bool) -> Source:
    """The functions that are asked for, not yet looked for at Lambda.

    Raises:
        InputError: when a template or stack cannot be used, or names no function that is meant.
        AwsError: when CloudFormation does not tell.
    """
    stack = asked.stack
    if stack is None:
        return Source(tuple(Listed(name, name, "FUNCTION") for name in asked.functions))
    if not is_stack_name(stack) and not Path(stack).is_file():
        raise InputError(
            f"--stack: expected a template or the name of a stack (there is no file {stack!r})"
        )
    if Path(stack).is_file():
        around = Around(session.region, session.account_id, asked.stage)
        origin, listing = stack, read_stack_file(stack, around)
    else:
        origin, listing = f"stack {stack}", _deployed(asked, stack, session, sandbox=sandbox)
    functions = chosen(listing.functions, asked.only, asked.leave_out)
    _check_names(functions)
    return Source(functions, origin, listing.notes)


def _deployed(asked: SeveralAsked, stack: str, session: AwsSession, *, sandbox: bool) -> Listing:
    if sandbox:
        raise InputError(
            f"--stack: expected a template with --sandbox, which has no CloudFormation "
            f"(there is no file {stack!r})"
        )
    if asked.stage is not None:
        raise InputError("--stage: only used with a serverless.yml")
    contents = read_stack(session, stack)
    if not contents.functions:
        raise InputError(f"--stack: stack {stack!r} has no Lambda function in it")
    place = f"stack {stack}"
    nested = f"{place}: nested stacks are not looked into: {', '.join(contents.nested)}"
    return Listing(
        tuple(Listed(one.logical_id, one.name, place) for one in contents.functions),
        (nested,) if contents.nested else (),
    )


def _check_names(functions: tuple[Listed, ...]) -> None:
    """Makes sure that no two are the same function.

    Raises:
        InputError: naming both.
    """
    keys: dict[str, str] = {}
    for function in functions:
        name = function.name or ""
        if name in keys:
            raise InputError(
                f"{function.place}: {function.key}: has the name of {keys[name]} (got {name!r})"
            )
        keys[name] = function.key
