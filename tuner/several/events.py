"""Which events each of several functions gets: those for all, or NAME=FILE for one; pure but for
the look whether a file is there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InputError
from tuner.options import TuneOptions, TuneRequest, check_options
from tuner.several.asked import SeveralAsked
from tuner.several.listed import Listed

# What stands before the first = when it is a function; not a path or an s3:// URL.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,140}|arn:[^=/]+|[0-9]*:?function:[^=/]+")
# What a plan calls the event of a function that was given none.
NO_EVENT = "{}"


@dataclass(frozen=True, slots=True)
class Events:
    """Where the events of one function are read from."""

    payload: str | None = None
    payloads: str | None = None
    text: str | None = None

    @property
    def words(self) -> str:
        """What a plan says of them."""
        if self.text is not None:
            return "--payload-json"
        source = self.payload or self.payloads
        if source is None:
            return NO_EVENT
        return "stdin" if source == "-" else source.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Assigned:
    """What one option says: for all functions, and by the position of a function."""

    common: str | None
    own: dict[int, str]


def events_of(
    asked: SeveralAsked, options: TuneOptions, functions: Sequence[Listed]
) -> tuple[Events, ...]:
    """The events of each function: its own, else those for all.

    Raises:
        InputError: when an option names a function that is not there, or one twice.
    """
    one = _assigned("--payload", asked.payloads, functions)
    many = _assigned("--payloads", asked.payload_files, functions)
    common = Events(one.common, many.common, options.payload_text)
    found = []
    for index in range(len(functions)):
        own = Events(one.own.get(index), many.own.get(index))
        found.append(common if own == Events() else own)
    return tuple(found)


def requests_of(options: TuneOptions, events: Sequence[Events]) -> tuple[TuneRequest, ...]:
    """The checked options for each function; events that several have are read once.

    All draw by the same seed.

    Raises:
        InputError: as `check_options` does.
    """
    checked: dict[Events, TuneRequest] = {}
    for wanted in events:
        if wanted not in checked:
            own = replace(
                options,
                payload_file=wanted.payload,
                payloads_file=wanted.payloads,
                payload_text=wanted.text,
            )
            checked[wanted] = check_options(own)
            options = replace(options, seed=checked[wanted].seed)
    return tuple(checked[wanted] for wanted in events)


def _assigned(option: str, given: Sequence[str], functions: Sequence[Listed]) -> Assigned:
    common: str | None = None
    own: dict[int, str] = {}
    for value in given:
        name, equals, source = value.partition("=")
        if not equals or not _NAME.fullmatch(name) or _is_file_with_equals(value, name, functions):
            if common is not None:
                raise InputError(
                    f"{option}: expected one for all functions, others as NAME=FILE "
                    f"(got {common!r} and {value!r})"
                )
            common = value
            continue
        index = _index(name, functions)
        if index is None:
            names = ", ".join(function.name or function.key for function in functions)
            raise InputError(f"{option}: expected NAME=FILE with one of {names} (got {value!r})")
        if index in own:
            raise InputError(f"{option}: expected once for a function (got {name!r} twice)")
        own[index] = source
    return Assigned(common, own)


def _is_file_with_equals(value: str, name: str, functions: Sequence[Listed]) -> bool:
    """Whether it is a file that has a = in its name, and no function is called so."""
    return _index(name, functions) is None and Path(value).is_file()


def _index(name: str, functions: Sequence[Listed]) -> int | None:
    for index, function in enumerate(functions):
        known = function.name or ""
        if name in (known, known.rpartition(":")[2], function.key):
            return index
    return None
