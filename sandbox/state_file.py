"""JSON files of a state directory: reading them, and what is said of one that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.errors import InputError
from core.text import one_line


def read_state_file(path: Path, what: str, schema_version: int) -> dict[str, Any]:
    """The JSON object in a file that has this schema version; messages call it `what`.

    Raises:
        InputError: it cannot be read, or is something else.
    """
    try:
        document = json.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, what, error) from error
    if not isinstance(document, dict):
        raise _refusal(path, what, "it must be a JSON object")
    if "schema_version" not in document:
        raise _refusal(path, what, "schema_version: is missing")
    found = document["schema_version"]
    if found != schema_version:
        raise _refusal(path, what, f"schema_version: must be {schema_version} (got {found!r})")
    return document


def unreadable(path: Path, what: str, error: Exception, where: str = "") -> InputError:
    """What is said of a file that is not as the sandbox wrote it; `where` is a part of it."""
    return _refusal(path, what, f"{where}: {_reason(error)}" if where else _reason(error))


def _refusal(path: Path, what: str, reason: str) -> InputError:
    return InputError(
        f"{path}: could not read {what}: {one_line(reason)}",
        hint="give another --state directory, or remove this one",
    )


def _reason(error: Exception) -> str:
    match error:
        case ValidationError():
            first = error.errors(include_url=False)[0]
            name = ".".join(str(step) for step in first["loc"])
            return f"{name}: {first['msg']}" if name else first["msg"]
        case UnicodeDecodeError():
            return f"it is not UTF-8 text: {error.reason}"
        case json.JSONDecodeError():
            return f"it is not JSON: {error}"
        case OSError():
            return error.strerror or type(error).__name__
        case KeyError():
            return f"{error.args[0]}: is missing" if error.args else "something is missing"
    return str(error) or type(error).__name__
