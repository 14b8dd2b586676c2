"""JSON as the standard has it: Python's own reader takes more than AWS and the runtimes do."""

from __future__ import annotations

import json
from typing import NoReturn


def parse_json(text: bytes) -> object:
    """The value of a JSON text in UTF-8.

    Raises:
        ValueError: it is no JSON, has NaN or Infinity, is nested too deeply, or is not UTF-8.
    """
    try:
        value: object = _DECODER.decode(text.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


# Made once: `json.loads` makes a new one for each text that is read in a way of its own.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
