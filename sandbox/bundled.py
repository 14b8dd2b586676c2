"""Function folders: the ones that come with the sandbox, and those that users write.

A folder holds the code of a function and a `function.json` that says how to deploy it. All that
the Lambda API would refuse of the folder itself - its name, its size, the names of its files - is
found when it is read, so that the message can name the path.
"""

from __future__ import annotations

import io
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InputError
from core.text import one_line
from sandbox.lambda_api.names import MAX_NAME_LENGTH
from sandbox.lambda_api.packages import MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES
from sandbox.lambda_api.records import Architecture

FUNCTIONS_DIR = Path(__file__).with_name("functions")
SETTINGS_FILE = "function.json"

# The earliest time that a zip file can hold: equal folders give equal bytes on any day.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE_BITS = 0o111
_NAME = re.compile(rf"[a-zA-Z0-9_-]{{1,{MAX_NAME_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class FunctionFolder:
    """A function on disk: its code and how to deploy it."""

    name: str
    path: Path
    description: str
    runtime: str
    handler: str
    memory_mb: int
    timeout_s: int
    # The code without function.json; equal folders give equal bytes.
    zip_bytes: bytes = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict)
    # Both run on this machine's own processor: to a handler it is a name, to a bill a price.
    arch: Architecture = "x86_64"


class _Settings(BaseModel):
    """What function.json may say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    description: str = ""
    runtime: Annotated[str, Field(min_length=1)]
    arch: Architecture = "x86_64"
    handler: Annotated[str, Field(min_length=1)]
    memory_mb: Annotated[int, Field(ge=128, le=10_240)] = 128
    timeout_s: Annotated[int, Field(ge=1, le=900)] = 3
    environment: dict[str, str] = {}


def bundled_functions() -> tuple[FunctionFolder, ...]:
    """The functions that come with the sandbox, by name."""
    return tuple(
        read_function_folder(settings.parent)
        for settings in sorted(FUNCTIONS_DIR.glob(f"*/{SETTINGS_FILE}"))
    )


def read_function_folder(path: Path) -> FunctionFolder:
    """Reads a folder; its name becomes the function's.

    The runtime "python3" stands for the Python that the toolkit runs on.

    Raises:
        InputError: there is no function.json, or it says something that is not right; or the
            name of the folder, its size or a file in it cannot be a function's.
    """
    name = path.resolve().name
    file = path / SETTINGS_FILE
    try:
        settings = _Settings.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: there is no {SETTINGS_FILE}",
            hint=f'it says at least {{"runtime": "{own_runtime()}", "handler": "file.function"}}',
        ) from error
    except OSError as error:
        raise InputError(f"could not read {file}: {error.strerror}") from error
    except ValidationError as error:
        raise InputError(f"{file}: {_first_problem(error)}") from error
    if _NAME.fullmatch(name) is None:
        raise InputError(
            f"{path}: the name of the folder becomes that of the function: must have 1 to "
            f"{MAX_NAME_LENGTH} letters, digits, - and _ (got '{one_line(name)}')",
            hint="rename the folder",
        )
    own = settings.runtime == "python3"
    return FunctionFolder(
        name=name,
        path=path,
        description=settings.description,
        runtime=own_runtime() if own else settings.runtime,
        handler=settings.handler,
        memory_mb=settings.memory_mb,
        timeout_s=settings.timeout_s,
        zip_bytes=_packed(path),
        environment=dict(settings.environment),
        arch=settings.arch,
    )


def own_runtime() -> str:
    """The Lambda name of the Python that the toolkit runs on."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def _packed(folder: Path) -> bytes:
    """The code of a folder as a zip file."""
    try:
        files = sorted(_code_files(folder))
        unzipped_bytes = sum(path.stat().st_size for path in files)
        if unzipped_bytes > MAX_UNZIPPED_BYTES:
            raise _too_large(folder, "unzipped", MAX_UNZIPPED_BYTES, unzipped_bytes)
        zip_bytes = _zip(folder, files)
    except OSError as error:
        raise InputError(f"could not read {error.filename or folder}: {error.strerror}") from error
    if len(zip_bytes) > MAX_ZIPPED_BYTES:
        raise _too_large(folder, "zipped", MAX_ZIPPED_BYTES, len(zip_bytes))
    return zip_bytes


def _zip(folder: Path, files: Sequence[Path]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            info = zipfile.ZipInfo(_name_in_zip(folder, path), _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix: the mode below is then read on any system
            is_executable = path.stat().st_mode & _EXECUTABLE_BITS
            info.external_attr = (0o100755 if is_executable else 0o100644) << 16
            archive.writestr(info, path.read_bytes())
    return buffer.getvalue()


def _name_in_zip(folder: Path, path: Path) -> str:
    name = path.relative_to(folder).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{folder}: a zip cannot hold the file name {os.fsencode(name)!r}: it is not UTF-8",
            hint="rename the file",
        ) from error
    return name


def _code_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if "__pycache__" not in inside.parts and str(inside) != SETTINGS_FILE and path.is_file():
            yield path


def _too_large(folder: Path, kind: str, limit: int, size: int) -> InputError:
    return InputError(
        f"{folder}: the package of the function must have at most {limit} bytes {kind} "
        f"(got {size})",
        hint="leave out what the handler does not need",
    )


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    if not where:
        return problem["msg"]
    if problem["type"] == "missing":
        return f"{where}: is missing"
    return f"{where}: {problem['msg']} (got {problem['input']!r})"
