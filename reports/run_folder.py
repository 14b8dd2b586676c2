"""The folder of a run, `runs/<utc>-<kind>-<name>/`, and the `result.json` in it.

Reading is strict, because a file may come from another version or from a hand: every fault is one
line that names the file, the key, the value and what was expected.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, overload

from core.errors import InputError
from reports.atomic_file import write_atomically
from reports.collector import held_back
from reports.kinds import KINDS, model_of

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    from reports.document import TuneDocument
    from reports.kinds import Document
    from reports.load_document import LoadDocument

RESULT_NAME = "result.json"

# Lists under this key have a row for each second of a run: one line each, not fifteen.
_ROWS_KEY = "seconds"
_INDENT = "  "

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# Leaves room for the time, the kind and a number in the 255 bytes that file systems allow.
_LONGEST_NAME = 100
_MOST_SHOWN_FAULTS = 3

# What a document says of itself, where `document_text` writes it: that is by far the most files.
_KIND = re.compile(rb'^  "kind": "(\w+)"', re.MULTILINE)
_VERSION = re.compile(rb'^  "schema_version": (\d+),?\r?$', re.MULTILINE)
# Readers of JSON take these for numbers, which they are not.
_CONSTANTS = (b"NaN", b"Infinity")

_line = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False).encode
_indented = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, allow_nan=False, indent=len(_INDENT)
).encode


def create_run_folder(root: Path, kind: str, name: str, now: datetime) -> Path:
    """A new, empty folder for a run that starts at `now`, an aware time.

    Raises:
        InputError: if the folder cannot be made.
    """
    if now.tzinfo is None:
        raise ValueError(f"a run starts at an aware time (got {now.isoformat()} without a zone)")
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    base = f"{stamp}-{safe_name(kind)}-{safe_name(name)}"
    attempt = 1
    while True:
        folder = root / (base if attempt == 1 else f"{base}-{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            # mkdir decides: two runs of one second cannot both believe that they made it. A file
            # where the root should be is another matter, and would repeat for ever.
            if not folder.parent.is_dir():
                _refuse_folder(folder, "a part of the path is a file")
            attempt += 1
        except OSError as error:
            _refuse_folder(folder, error.strerror or str(error), error)
        else:
            return folder


def _refuse_folder(folder: Path, reason: str, cause: OSError | None = None) -> NoReturn:
    raise InputError(
        f"could not make the run folder {folder}: {reason}", hint="choose a writable directory"
    ) from cause


def safe_name(name: str) -> str:
    """`name` with only letters, digits, dots, dashes and underscores; never empty or hidden."""
    return _UNSAFE.sub("-", name)[:_LONGEST_NAME].strip(".-") or "unnamed"


def write_document(folder: Path, document: Document) -> Path:
    """Writes `result.json` in `folder` in one step, so that no reader meets half of it."""
    path = folder / RESULT_NAME
    write_atomically(path, document_text(document))
    return path


def document_text(document: BaseModel) -> str:
    """A document as JSON: sorted keys, indented, a second of a run on one line, a newline."""
    with held_back():
        return _object_text(document.model_dump(mode="json"), "") + "\n"


def _object_text(values: dict[str, Any], margin: str) -> str:
    inner = margin + _INDENT
    entries = [f"{inner}{_line(key)}: {_text(key, values[key], inner)}" for key in sorted(values)]
    return "{\n" + ",\n".join(entries) + f"\n{margin}}}" if entries else "{}"


def _text(key: str, value: Any, margin: str) -> str:
    if isinstance(value, dict):
        return _object_text(value, margin)
    if key == _ROWS_KEY and isinstance(value, list) and value:
        rows = ",\n".join(f"{margin}{_INDENT}{_line(row)}" for row in value)
        return f"[\n{rows}\n{margin}]"
    # A newline inside of a text is escaped, so each that is here ends a line.
    return _indented(value).replace("\n", f"\n{margin}")


@overload
def read_document(path: Path) -> Document: ...
@overload
def read_document(path: Path, model: type[TuneDocument]) -> TuneDocument: ...
@overload
def read_document(path: Path, model: type[LoadDocument]) -> LoadDocument: ...
def read_document(path: Path, model: type[Document] | None = None) -> Document:
    """The document in a run folder or a result file: of any kind, or only of that of `model`.

    Raises:
        InputError: if there is none, or it is not one that this version reads.
    """
    source = result_file(path)
    data = _read(source, path)
    kinds = [kind for kind in KINDS if model in (None, model_of(kind))]
    with held_back():
        document = _read_at_once(data, kinds)
        return _read_with_care(source, data, kinds) if document is None else document


def result_file(path: Path) -> Path:
    """The document that is meant by a run folder or a result file."""
    # Unlike Path.is_dir(), it takes names that the system does not.
    return path / RESULT_NAME if os.path.isdir(path) else path  # noqa: PTH112


def _read_at_once(data: bytes, kinds: Sequence[str]) -> Document | None:
    """The document where all is well with it, which takes a third of the time; else None."""
    from pydantic import ValidationError

    kind, version = _KIND.search(data), _VERSION.search(data)
    if kind is None or version is None or any(constant in data for constant in _CONSTANTS):
        return None
    name = kind[1].decode()
    if name not in kinds or int(version[1]) != _readable_version(name):
        return None
    try:
        return model_of(name).model_validate_json(data, strict=True)
    except ValidationError:
        return None


def _read_with_care(source: Path, data: bytes, kinds: Sequence[str]) -> Document:
    """The document, or what is wrong with it, where, and what was expected."""
    from pydantic import ValidationError

    text = _decoded(source, data)
    wanted = _checked_model(source, _parse(source, text), kinds)
    try:
        return wanted.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InputError(f"{source}: {_faults(error)}") from error


def _read(source: Path, given: Path) -> bytes:
    try:
        return source.read_bytes()
    except FileNotFoundError as error:
        what = f"no {RESULT_NAME} in {given}" if given.is_dir() else f"no such file: {source}"
        hint = f"give a run folder or its {RESULT_NAME}"
        raise InputError(f"could not read a run: {what}", hint=hint) from error
    except OSError as error:
        raise InputError(f"could not read {source}: {error.strerror or error}") from error


def _decoded(source: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: not JSON: byte {error.start} is not UTF-8") from error


def _parse(source: Path, text: str) -> dict[str, object]:
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"{source}:{error.lineno}:{error.colno}"
        raise InputError(f"{where}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: not JSON: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{source}: must be a JSON object (got {_shown(values)})")
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _checked_model(source: Path, values: dict[str, object], kinds: Sequence[str]) -> type[Document]:
    """The model for what a file says that it is."""
    kind, version = values.get("kind"), values.get("schema_version")
    if not isinstance(kind, str) or kind not in kinds:
        wanted = " or ".join(f'"{name}"' for name in kinds)
        raise InputError(f"{source}: kind: must be {wanted} (got {_shown(kind)})")
    readable = _readable_version(kind)
    if type(version) is not int or version != readable:
        raise InputError(
            f"{source}: schema_version: this version reads {readable} (got {_shown(version)})",
            hint="read it with the version of the toolkit that wrote it",
        )
    return model_of(kind)


def _readable_version(kind: str) -> object:
    return model_of(kind).model_fields["schema_version"].default


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False)
    shown = [
        f"{_key(fault['loc'])}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"
        + ("" if fault["type"] == "missing" else f" (got {_shown(fault['input'])})")
        for fault in faults[:_MOST_SHOWN_FAULTS]
    ]
    if len(faults) > _MOST_SHOWN_FAULTS:
        shown.append(f"and {len(faults) - _MOST_SHOWN_FAULTS} more")
    return "; ".join(shown)


def _key(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def _shown(value: object) -> str:
    """A value in a message: as JSON, and short."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
