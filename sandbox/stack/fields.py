"""The fields of a stack file: texts, numbers, names, paths and references, each with its check.

References to functions and APIs are checked while the file is validated, against the names that
the file defines (`Names`), so that one reading finds all that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from core.errors import InputError
from core.located_model import did_you_mean, problem
from sandbox.gateway.limits import Enforcement

_SEGMENT = re.compile(r"[A-Za-z0-9._:~-]+|\{[A-Za-z0-9._-]+\+?\}")
_VARIABLE = re.compile(r"\{([A-Za-z0-9._-]+)\+?\}")
_CACHE_KEY = re.compile(r"(querystring|header|path)\.[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a file defines, and those that the sandbox brings along.

    `base` is the folder that paths in the file begin at.
    """

    functions: frozenset[str] = frozenset()
    bundled: frozenset[str] = frozenset()
    apis: Mapping[str, str] = field(default_factory=dict)  # name to kind
    routes: Mapping[str, frozenset[str]] = field(default_factory=dict)  # API to route keys
    base: Path | None = None


def names_of(info: ValidationInfo) -> Names:
    """The names that a validation was given."""
    return info.context if isinstance(info.context, Names) else Names()


def _known_function(name: str, info: ValidationInfo) -> str:
    known = names_of(info).functions
    if name not in known:
        raise problem(f"there is no function '{name}'{did_you_mean(name, known)}")
    return name


def _known_bundled(name: str, info: ValidationInfo) -> str:
    known = names_of(info).bundled
    if name not in known:
        raise problem(f"the sandbox brings no function '{name}'{did_you_mean(name, known)}")
    return name


def _known_rest_api(name: str, info: ValidationInfo) -> str:
    kinds = names_of(info).apis
    if kinds.get(name) == "http":
        raise problem(f"'{name}' is an HTTP API: usage plans are for REST APIs only")
    if name not in kinds:
        known = {api for api, kind in kinds.items() if kind == "rest"}
        raise problem(f"there is no API '{name}'{did_you_mean(name, known)}")
    return name


def route_path(path: str) -> str:
    """A path that a route can have."""
    if path == "/":
        return path
    segments = path.split("/")
    if segments[0] != "" or any(_SEGMENT.fullmatch(part) is None for part in segments[1:]):
        raise problem(f"must be a path such as /orders/{{id}} (got '{path}')")
    if any(part.endswith("+}") for part in segments[:-1]):
        raise problem(f"only the last part of a path may be greedy like {{proxy+}} (got '{path}')")
    variables = path_variables(path)
    if len(set(variables)) < len(variables):
        raise problem(f"has one variable twice (got '{path}')")
    return path


def path_variables(path: str) -> tuple[str, ...]:
    """The names in braces of a path or URL, without the + of greedy ones."""
    return tuple(_VARIABLE.findall(path))


def _enforcement(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return Enforcement.parse(value)
    except InputError as error:
        raise problem(str(error).removeprefix("enforcement: ")) from error


def _cache_key(text: str) -> str:
    if _CACHE_KEY.fullmatch(text) is None:
        raise problem(f"must be querystring.NAME, header.NAME or path.NAME (got '{text}')")
    return text


Text = Annotated[str, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
# Nine digits behind the point: the API reads no more than 15, nor an exponent of three digits.
Rate = Annotated[Number, Field(ge=0, le=1_000_000), AfterValidator(lambda rate: round(rate, 9))]
Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ApiName = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9._-]{1,128}$")]
FunctionRef = Annotated[Text, AfterValidator(_known_function)]
BundledRef = Annotated[Text, AfterValidator(_known_bundled)]
RestApiRef = Annotated[Text, AfterValidator(_known_rest_api)]
RoutePath = Annotated[Text, AfterValidator(route_path)]
CacheKey = Annotated[Text, AfterValidator(_cache_key)]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"]
Status = Annotated[Whole, Field(ge=200, le=599)]
Seconds = Annotated[Whole, Field(ge=0, le=3600)]
EnforcementField = Annotated[Enforcement, BeforeValidator(_enforcement)]
