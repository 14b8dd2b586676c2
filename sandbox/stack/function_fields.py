"""The fields of a stack file that Lambda has rules for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, ValidationError, ValidationInfo

from core.errors import InputError
from core.located_model import problem
from sandbox.api_errors import ApiError
from sandbox.bundled import SETTINGS_FILE
from sandbox.lambda_api.settings import MAX_ENVIRONMENT_BYTES, new_settings
from sandbox.stack.fields import Text, names_of

# API reference, "Environment": [a-zA-Z]([a-zA-Z0-9_])+
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")


def environment_bytes(variables: Mapping[str, str]) -> int:
    """How large Lambda finds an environment; more than MAX_ENVIRONMENT_BYTES are refused."""
    return len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())


def _variable_name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise problem(
            f"must begin with a letter, and have at least two letters, digits or _ (got '{name}')"
        )
    return name


def _not_of_lambda(name: str) -> str:
    blank = {"FunctionName": "any", "Runtime": "any", "Handler": "any", "Role": "any"}
    try:
        new_settings({**blank, "Environment": {"Variables": {name: "{}"}}})
    except ApiError as error:
        if "reserved keys" in error.message:
            raise problem(f"Lambda sets it itself (got '{name}')") from error
    return name


def _no_null(value: str) -> str:
    if "\0" in value:
        raise problem("must have no null character")
    return value


def _folder(text: str, info: ValidationInfo) -> str:
    base = names_of(info).base
    if base is None or _is_file(base / text / SETTINGS_FILE):
        return text
    raise problem(f"there is no {base / text / SETTINGS_FILE}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


Folder = Annotated[Text, AfterValidator(_folder)]
# API reference, "CreateFunction": at most 256.
Description = Annotated[Text, Field(max_length=256)]
Environment = dict[
    Annotated[str, AfterValidator(_variable_name), AfterValidator(_not_of_lambda)],
    Annotated[Text, AfterValidator(_no_null)],
]


class _Deployed(BaseModel):
    """What CreateFunction takes of a function."""

    description: Description
    handler: Annotated[str, Field(pattern=r"^\S{1,128}$")]
    environment: Environment


def check_function(description: str, handler: str, environment: Mapping[str, str]) -> None:
    """Refuses what Lambda would refuse of a function with all that its function.json adds.

    Raises:
        InputError: the message names the part.
    """
    settings = {"description": description, "handler": handler, "environment": environment}
    try:
        _Deployed.model_validate(settings)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"] if step != "[key]")
        raise InputError(f"{where}: {first['msg']}") from error
    size = environment_bytes(environment)
    if size > MAX_ENVIRONMENT_BYTES:
        raise InputError(
            f"environment: must have at most {MAX_ENVIRONMENT_BYTES} bytes as JSON, with that of "
            f"function.json (got {size})"
        )


__all__ = [
    "MAX_ENVIRONMENT_BYTES",
    "Description",
    "Environment",
    "Folder",
    "check_function",
    "environment_bytes",
]
