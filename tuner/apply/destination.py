"""Where a recommendation is applied, as the command line says it."""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass
from typing import Literal

from core.errors import InputError
from tuner.program import check_program

Kind = Literal["latest", "alias", "shift"]

DEFAULT_SHARE = "10%"
DEFAULT_SECONDS = 300.0
# CloudWatch gives 1,440 minutes at once; a canary that takes longer is a deployment pipeline's.
_MOST_SECONDS = 6 * 3600.0
_EXPECTED = "expected latest, alias=NAME or shift=NAME"
# Names of aliases (API reference): not a number alone, which would be a version.
_ALIAS = re.compile(r"(?!\d+$)[A-Za-z0-9_-]{1,128}")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)%|(0?\.\d+)")


@dataclass(frozen=True, slots=True)
class Shift:
    """How an alias is shifted: the first share of its calls, for how long, and what is watched.

    `check` is a command that says with its exit code whether all is well; `alarms` are CloudWatch
    alarms by name.
    """

    share: float
    seconds: float
    check: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a size goes; `alias` is None for `$LATEST`, `shift` where an alias moves at once."""

    kind: Kind
    alias: str | None = None
    shift: Shift | None = None

    def __str__(self) -> str:
        return self.kind if self.alias is None else f"{self.kind}={self.alias}"


@dataclass(frozen=True, slots=True)
class ShiftOptions:
    """What the command line says of a shift, not yet checked; None for what it does not say."""

    share: str | None = None
    seconds: float | None = None
    check: str | None = None
    alarms: tuple[str, ...] = ()


NO_SHIFT_OPTIONS = ShiftOptions()


def check_destination(option: str, text: str, given: ShiftOptions) -> Destination:
    """The destination that `option` names, with the options of a shift.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    kind, equals, alias = text.partition("=")
    if text == "latest":
        _check_no_shift(given, option, text)
        return Destination("latest")
    if kind not in ("alias", "shift") or not equals:
        raise InputError(f"{option}: {_EXPECTED} (got {text!r})")
    if not _ALIAS.fullmatch(alias):
        raise InputError(
            f"{option}: expected the name of an alias after =, of letters, digits, - and _, not "
            f"of digits alone (got {text!r})"
        )
    if kind == "alias":
        _check_no_shift(given, option, text)
        return Destination("alias", alias)
    return Destination("shift", alias, _shift(given))


def check_apply(text: str | None, given: ShiftOptions, *, sandbox: bool) -> Destination | None:
    """Where `--apply` of a run leads; None where it is not given.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    if text is None:
        _check_no_shift(given, "--apply", None)
        return None
    if sandbox:
        raise InputError("--apply: has no meaning with --sandbox, whose functions end with the run")
    return check_destination("--apply", text, given)


def _check_no_shift(given: ShiftOptions, option: str, text: str | None) -> None:
    named = [
        name
        for name, value in (
            ("--shift-share", given.share),
            ("--shift-seconds", given.seconds),
            ("--check", given.check),
            ("--alarm", given.alarms),
        )
        if value not in (None, ())
    ]
    if named:
        got = "" if text is None else f" (got {option} {text})"
        raise InputError(f"{named[0]}: only used with {option} shift=NAME{got}")


def _shift(given: ShiftOptions) -> Shift:
    seconds = DEFAULT_SECONDS if given.seconds is None else given.seconds
    if not (math.isfinite(seconds) and 0 < seconds <= _MOST_SECONDS):
        raise InputError(
            f"--shift-seconds: expected a number above 0 and up to {_MOST_SECONDS:.0f} "
            f"(got {seconds:g})"
        )
    share = _share(DEFAULT_SHARE if given.share is None else given.share)
    if "" in given.alarms:
        raise InputError("--alarm: expected the name of a CloudWatch alarm (got '')")
    return Shift(share, seconds, _command(given.check), given.alarms)


def _share(text: str) -> float:
    match = _SHARE.fullmatch(text)
    share = 0.0 if match is None else float(match[1]) / 100 if match[1] else float(match[2])
    if not 0 < share <= 0.5:
        raise InputError(
            f"--shift-share: expected a share above 0 and up to 50%, as in 10% or 0.1 "
            f"(got {text!r})"
        )
    return share


def _command(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        problem = str(error).lower()
        raise InputError(f"--check: expected a command, {problem} (got {text!r})") from error
    if not words:
        raise InputError("--check: expected a command (got nothing)")
    # Else the alias is shifted, and the first look takes everything back.
    check_program("--check", words[0], "a command of this machine")
    return words
