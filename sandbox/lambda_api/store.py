"""All functions of a sandbox, and where they are kept between two runs.

Each change writes the whole document to a new file that takes the place of the old one, so a
reader finds the state before or after, never half of it. It is not flushed to the disk: it
survives the end of the process, not that of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sandbox.lambda_api.records import Code, Function
from sandbox.state_file import read_state_file, unreadable

SCHEMA_VERSION = 1

# What messages call the file.
_WHAT = "the sandbox's state"


@dataclass(frozen=True, slots=True)
class StateDocument:
    """What the state file holds."""

    schema_version: int
    functions: tuple[Function, ...]


_DOCUMENT = TypeAdapter(StateDocument)


class FunctionStore:
    """The functions by name; `path` is the file that they survive in, or None."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._functions: dict[str, Function] = {}
        if path is not None and path.exists():
            self._functions = {function.name: function for function in _read(path)}
        self.reserved_concurrency = self._sum_reserved()
        # Told the name of each function that was changed or removed.
        self.on_change: Callable[[str], None] = _ignore

    def get(self, name: str) -> Function | None:
        """The function `name`."""
        return self._functions.get(name)

    def put(self, function: Function) -> None:
        """Adds a function, or replaces the record of it."""
        self._replace({**self._functions, function.name: function})
        self.on_change(function.name)

    def remove(self, name: str) -> None:
        """Forgets a function."""
        self._replace({key: kept for key, kept in self._functions.items() if key != name})
        self.on_change(name)

    def __iter__(self) -> Iterator[Function]:
        return iter(sorted(self._functions.values(), key=lambda function: function.name))

    def __len__(self) -> int:
        return len(self._functions)

    def codes(self) -> set[Code]:
        """The deployment packages in use."""
        return {
            version.code
            for function in self._functions.values()
            for version in (function.latest, function.running, *function.versions.values())
        }

    def _sum_reserved(self) -> int:
        """The concurrency that all functions together keep for themselves."""
        return sum(function.claimed_concurrency for function in self._functions.values())

    def _replace(self, functions: dict[str, Function]) -> None:
        """Saves first: a change that cannot be saved is not made, and harms no later one."""
        if self._path is not None:
            _write(self._path, tuple(functions.values()))
        self._functions = functions
        self.reserved_concurrency = self._sum_reserved()


def _ignore(name: str) -> None:
    """For stores that nobody follows."""


def _write(path: Path, functions: tuple[Function, ...]) -> None:
    content = _DOCUMENT.dump_json(StateDocument(SCHEMA_VERSION, functions), indent=1)
    scratch = path.with_suffix(".new")
    scratch.write_bytes(content)
    scratch.replace(path)


def _read(path: Path) -> list[Function]:
    """The functions in a state file; what was in progress when it was written is done now."""
    content = read_state_file(path, _WHAT, SCHEMA_VERSION)
    try:
        document = _DOCUMENT.validate_python(content)
    except ValidationError as error:
        raise unreadable(path, _WHAT, error) from error
    return [
        replace(function.settled(), preparing=())
        if function.pending or function.updating
        else replace(function, running=function.latest, preparing=())
        for function in document.functions
    ]
