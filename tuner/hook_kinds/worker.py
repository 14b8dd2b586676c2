"""Calls Python functions of the user's, in a process of its own that is started as a script.

It imports nothing but the standard library, so that the user's modules find theirs. A request is
one line of JSON, followed by the event and the output as they are; an answer is one line.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import BinaryIO

NOTHING, SAID, PROBLEM = b"nothing", b"said", b"problem"


def main() -> None:
    """Answers until stdin ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What the user's functions print and read must not get between requests and answers.
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    sys.path.insert(0, str(os.getcwd()))  # noqa: PTH109 # pathlib would be one more import
    # JSON has numbers of any length.
    sys.set_int_max_str_digits(0)
    while line := requests.readline():
        answers.write(_answer(line, requests) + b"\n")
        answers.flush()


def _answer(line: bytes, requests: BinaryIO) -> bytes:
    request = json.loads(line)
    texts = [requests.read(length) for length in request["lengths"]]
    os.environ.update(request["environment"])
    try:
        said = _called(request["module"], request["function"], texts)
    except (Exception, SystemExit, RecursionError) as error:
        text = str(error)
        name = type(error).__name__
        return PROBLEM + b" " + json.dumps(f"{name}: {text}" if text else name).encode()
    return NOTHING if said is None else SAID + b" " + said


def _called(module: str, function: str, texts: list[bytes]) -> bytes | None:
    """What the function returns, as JSON; without texts it is only looked for."""
    found: Callable[..., object] = getattr(importlib.import_module(module), function)
    if not callable(found):
        raise TypeError(f"{function} cannot be called")
    if not texts:
        return None
    returned = found(*(json.loads(text) for text in texts))
    return None if returned is None else json.dumps(returned, allow_nan=False).encode()


if __name__ == "__main__":
    main()
