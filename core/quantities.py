"""Quantities and other values of documents that people write, each with its check."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, WithJsonSchema

from core.located_model import expected

_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = r"(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d)"
_PARTS = re.compile(_PART)
_DURATION = re.compile(rf"\s*(?:{_PART}\s*)+")
_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
# What takes longer than a week is a slip of the pen.
_LONGEST_S = 7 * 24 * 3600.0

_A_DURATION = expected("must be a duration such as 500ms, 30s or 5m")
_A_SHARE = expected("must be a share such as 1% or 0.01")
_A_SCALAR = expected("must be text, a number, true or false")

# Members of unions by the shape of the value; steps of pydantic's locations, not of documents.
SINGLE, LIST, MAPPING = "single", "list", "mapping"


def duration_s(value: object) -> object:
    """Seconds of `300ms`, `5s`, `1m30s`, `1h`, `1d`, or of a plain number, which means seconds."""
    seconds = value
    if isinstance(value, str) and _DURATION.fullmatch(value):
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _PARTS.findall(value))
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise _A_DURATION
    if not math.isfinite(seconds) or seconds < 0:
        raise _A_DURATION
    if seconds > _LONGEST_S:
        raise expected("must be at most 7 days")
    return float(seconds)


def share(value: object) -> object:
    """A share from 0 to 1 of `5%` or `0.05`."""
    if isinstance(value, str) and (found := _SHARE.fullmatch(value)):
        value = float(found[1]) / 100
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise _A_SHARE
    return float(value)


def scalar(value: object) -> object:
    """Text, a finite number, true, false or nothing."""
    if value is not None and not isinstance(value, str | int | float):
        raise _A_SCALAR
    if isinstance(value, float) and not math.isfinite(value):
        raise expected("must be a finite number")
    return value


def scalars(value: object) -> object:
    """A scalar, or a list of such."""
    for each in value if isinstance(value, list) else [value]:
        scalar(each)
    return value


def one_as_list(value: object) -> object:
    """A list of one for a value that stands alone."""
    is_list = isinstance(value, list | tuple | dict) or value is None
    return value if is_list else [value]


def shape(value: object) -> str:
    """Which member of a union a value means: `single`, `list` or `mapping`."""
    if isinstance(value, dict | BaseModel):
        return MAPPING
    return LIST if isinstance(value, list | tuple) else SINGLE


def told_apart(what: str, by: Callable[[object], str] = shape) -> Discriminator:
    """Lets faults speak of the one member of a union that is meant; `what` says all there are."""
    return Discriminator(by, custom_error_type="expected", custom_error_message=what)


Text = Annotated[str, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
DurationS = Annotated[
    float,
    BeforeValidator(duration_s),
    WithJsonSchema(
        {
            "description": "A duration such as 500ms, 30s, 1m30s or 2h; a plain number is seconds.",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": _LONGEST_S},
                {"type": "string", "pattern": rf"^{_DURATION.pattern}$"},
                {"type": "string", "pattern": r"\$\{env\."},
            ],
        }
    ),
]
Share = Annotated[
    float,
    BeforeValidator(share),
    WithJsonSchema(
        {
            "description": "A share such as 1% or 0.01.",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": rf"^{_SHARE.pattern}$"},
                {"type": "string", "pattern": r"\$\{env\."},
            ],
        }
    ),
]
Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$")]
OneScalar = Annotated[str | int | float | bool | None, BeforeValidator(scalar)]
Scalars = Annotated[OneScalar | list[OneScalar], BeforeValidator(scalars)]
