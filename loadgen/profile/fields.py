"""The values that only profiles have: rates, users, statuses, tokens, each with its check."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict

from core.located_model import expected
from core.quantities import Number, Whole, one_as_list

_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*s\s*")
_A_PAIR = expected("must be two values, [from, to]")
_MOST = 1_000_000_000
_TOKENS = expected("must be a whole number of tokens, or none")


def rate_text(value: object) -> object:
    """A rate a second of `500/s`, or of a plain number."""
    if isinstance(value, str) and (found := _RATE.fullmatch(value)):
        return float(found[1])
    return value


def tokens(value: object) -> object:
    """A whole number of tokens, or `none`."""
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
    if value != "none" and not is_number:
        raise _TOKENS
    return value


def pair(value: object) -> object:
    """A list of two."""
    if isinstance(value, list | tuple) and len(value) != 2:
        raise _A_PAIR
    return value


# What is far beyond any single machine is a slip of the pen.
Rate = Annotated[Number, Field(ge=0, le=1_000_000)]
RateText = Annotated[
    Rate,
    BeforeValidator(rate_text),
    WithJsonSchema(
        {
            "description": "A rate a second: 500, or 500/s.",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1_000_000},
                {"type": "string", "pattern": rf"^{_RATE.pattern}$"},
                {"type": "string", "pattern": r"\$\{env\."},
            ],
        }
    ),
]
Users = Annotated[Whole, Field(ge=0, le=100_000)]
Status = Annotated[Whole, Field(ge=100, le=599)]
_STATUS_SCHEMA: JsonDict = {"type": "integer", "minimum": 100, "maximum": 599}
Statuses = Annotated[
    tuple[Status, ...],
    Field(min_length=1),
    BeforeValidator(one_as_list),
    WithJsonSchema(
        {"anyOf": [_STATUS_SCHEMA, {"type": "array", "items": _STATUS_SCHEMA, "minItems": 1}]}
    ),
]
Tokens = Annotated[
    int | Literal["none"],
    BeforeValidator(tokens),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": _MOST}, {"enum": ["none"]}]}
    ),
]
