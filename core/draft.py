"""A document that may have faults: what can be read of it, for checks that go across its fields.

Checks see the values as they are after environments, settings and variables. So that all faults are
told at once, a part that is not in order is read without the keys that are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from core.located_model import shown_value
from core.located_yaml import Document, Path, Step, Value

AnyPart = TypeVar("AnyPart", bound=BaseModel)


class Fault(NamedTuple):
    """What is wrong, and the path of the value that it is about."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of a document, the folder that its paths begin at, and what must not be shown.

    `written` has the texts that came from the environment as the file has them, by their paths.
    """

    document: Document
    base_dir: FilePath
    written: Mapping[Path, str] = field(default_factory=dict)

    def get(self, *path: Step) -> Value:
        """The value at a path; None where there is none."""
        return self.document.at(path)

    def mapping(self, *path: Step) -> Mapping[str, Value]:
        """The mapping at a path; an empty one where there is none."""
        value = self.document.at(path)
        return value if isinstance(value, dict) else {}

    def given(self, *path: Step) -> frozenset[str]:
        """The keys of the mapping at a path that have a value."""
        return frozenset(key for key, value in self.mapping(*path).items() if value is not None)

    def items(self, *path: Step) -> Iterator[Path]:
        """The paths of the items of the list at a path."""
        value = self.document.at(path)
        for index in range(len(value) if isinstance(value, list) else 0):
            yield (*path, index)

    def part(self, model: type[AnyPart], *path: Step) -> AnyPart | None:
        """The part at a path without the keys that are not in order; None if it needs those."""
        value = self.document.at(path)
        left = dict(value) if isinstance(value, dict) else {}
        while True:
            try:
                return model.model_validate(left)
            except ValidationError as error:
                wrong = left.keys() & {found["loc"][0] for found in error.errors() if found["loc"]}
                if not wrong:
                    return None
                left = {key: value for key, value in left.items() if key not in wrong}

    def text(self, *path: Step) -> str | None:
        """The text at a path; None where there is none."""
        value = self.document.at(path)
        return value if isinstance(value, str) else None

    def is_hidden(self, *path: Step) -> bool:
        """Whether the value at a path must not be shown: it is or may be a secret."""
        return path in self.written

    def shown(self, path: Path, value: object) -> str:
        """A value as messages show it; what came from the environment as it is written."""
        if path in self.written:
            return shown_value(self.written[path])
        if self.is_hidden(*path) and isinstance(value, str | int | float):
            return "a value that is not shown"
        return shown_value(value)

    def got(self, *path: Step) -> str:
        """The end of a message: what came, as `(got X)`."""
        return f"(got {self.shown(path, self.document.at(path))})"


def file_fault(draft: Draft, *path: Step) -> str | None:
    """Of a file that has to be there; relative paths begin at the folder of the document."""
    text = draft.text(*path)
    if text is None:
        return None
    if not text:
        return "must be the path of a file (got '')"
    try:
        file = draft.base_dir / text
        if file.is_dir():
            return f"is a folder, and must be a file {draft.got(*path)}"
        with file.open("rb") as opened:
            opened.read(1)
    except FileNotFoundError:
        return f"there is no such file in {_folder(draft.base_dir)} {draft.got(*path)}"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such path can exist"
        return f"could not be read: {reason} {draft.got(*path)}"
    return None


def _folder(folder: FilePath) -> str:
    return "the current folder" if folder == FilePath() else str(folder)
