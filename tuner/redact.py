"""Keeps what the payload holds out of the messages with which a function fails; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

REDACTED = "[payload]"
# Shorter values are words like "GET" or "eu": without them a message would say nothing.
_SHORTEST_CHARS = 6


def hidden_texts(payload: bytes) -> tuple[str, ...]:
    """The values of a JSON payload, in each way in which a message is likely to quote them.

    Values are strings and numbers of six and more characters; the names of keys are none.
    Longest first, so that no value is replaced inside of a longer one.
    """
    values = set(_values(json.loads(payload, parse_int=str, parse_float=str)))
    quoted = {
        form
        for value in values
        if len(value) >= _SHORTEST_CHARS
        for form in (
            value,
            repr(value)[1:-1],
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
        )
    }
    return tuple(sorted(quoted, key=len, reverse=True))


def _values(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())


def redact(message: str, hidden: Sequence[str]) -> str:
    """`message` with "[payload]" where it quotes a value of the payload."""
    for text in hidden:
        message = message.replace(text, REDACTED)
    return message
