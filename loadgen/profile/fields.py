"""The values of a profile: durations, shares, rates, names, each with its check."""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|m|h)\s*")
_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")


def problem(message: str) -> PydanticCustomError:
    """An error of a validator in words of our own."""
    return PydanticCustomError("profile", "{text}", {"text": message})


def duration_s(value: object) -> object:
    """Seconds of `300ms`, `5s`, `2m`, `1h`, or of a plain number, which means seconds."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise problem(f"must be a duration such as 500ms, 30s or 5m (got {value})")
    if isinstance(value, str):
        found = _DURATION.fullmatch(value)
        if found is None:
            raise problem(f"must be a duration such as 500ms, 30s or 5m (got '{value}')")
        return float(found[1]) * _UNITS_S[found[2]]
    if not math.isfinite(value) or value < 0:
        raise problem(f"must be a duration such as 500ms, 30s or 5m (got {value})")
    return float(value)


def share(value: object) -> object:
    """A share from 0 to 1 of `5%` or `0.05`."""
    if isinstance(value, str):
        found = _SHARE.fullmatch(value)
        if found is None:
            raise problem(f"must be a share such as 1% or 0.01 (got '{value}')")
        value = float(found[1]) / 100
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise problem(f"must be a share such as 1% or 0.01 (got {value})")
    return float(value)


Text = Annotated[str, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
# What is far beyond any single machine is a slip of the pen.
Rate = Annotated[Number, Field(ge=0, le=1_000_000)]
DurationS = Annotated[float, BeforeValidator(duration_s)]
Share = Annotated[float, BeforeValidator(share)]
Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$")]
