"""The files of measurements that a document was made from: name, SHA-256 and length.

A reader who has the folder of the run can check with `sha256sum` that these are the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class RawFile(BaseModel):
    """One file, by its path from the folder of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


def raw_files(folder: Path, names: Iterable[str]) -> list[RawFile]:
    """Those of the files `names` that are in `folder`, in that order.

    One that cannot be read is left out: a result is worth more than the proof of its origin.
    """
    found = (_raw_file(folder, name) for name in names)
    return [file for file in found if file is not None]


def file_facts(files: Sequence[RawFile]) -> list[tuple[str, str]]:
    """The files for a list of facts: name, length and SHA-256 of each."""
    return [
        ("Raw data", f"{file.name}, {file.bytes:,} bytes, SHA-256 {file.sha256}") for file in files
    ]


def _raw_file(folder: Path, name: str) -> RawFile | None:
    try:
        with (folder / name).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
            length = stream.tell()
    except OSError:
        return None
    return RawFile(name=name, sha256=digest.hexdigest(), bytes=length)
