"""Keeps what the payload holds out of the messages with which a function fails; pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

REDACTED = "[payload]"
# Shorter values are words like "GET" or "eu": without them a message would say nothing.
_SHORTEST_CHARS = 6
# More of a message than is ever kept or shown.
_MOST_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class HiddenTexts:
    """What messages must not show, in a form in which a message is searched once for all of it.

    `lengths` holds, by the first six characters, how long the texts are that begin so; longest
    first, so that no text is found inside of a longer one.
    """

    texts: frozenset[str]
    lengths: Mapping[str, tuple[int, ...]]

    def length_at(self, message: str, start: int) -> int:
        """How many characters of `message` from `start` on are one of the texts; 0 for none."""
        for length in self.lengths.get(message[start : start + _SHORTEST_CHARS], ()):
            if message[start : start + length] in self.texts:
                return length
        return 0


NOTHING_HIDDEN = HiddenTexts(frozenset(), {})


def hidden_texts(*payloads: bytes) -> HiddenTexts:
    """The values of JSON payloads, in each way in which a message is likely to quote them.

    Values are strings and numbers of six and more characters; the names of keys are none. What is
    no JSON is one value.
    """
    values = {value for payload in payloads for value in _values(_parsed(payload))}
    texts = frozenset(
        form
        for value in values
        if len(value) >= _SHORTEST_CHARS
        for form in (
            value,
            repr(value)[1:-1],
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
        )
    )
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for text in texts:
        lengths[text[:_SHORTEST_CHARS]].add(len(text))
    return HiddenTexts(
        texts, {start: tuple(sorted(found, reverse=True)) for start, found in lengths.items()}
    )


def _parsed(payload: bytes) -> object:
    try:
        return json.loads(payload, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):  # no UTF-8 is a ValueError as well
        return payload.decode(errors="replace")


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


def redact(message: str, hidden: HiddenTexts, *, most_chars: int = _MOST_CHARS) -> str:
    """The beginning of `message` with "[payload]" where it quotes a value of the payload.

    At most `most_chars` of it are kept, so that a long message takes no longer.
    """
    shown: list[str] = []
    at = kept_chars = 0
    while at < len(message) and kept_chars < most_chars:
        length = hidden.length_at(message, at)
        shown.append(REDACTED if length else message[at])
        at += length or 1
        kept_chars += len(shown[-1])
    return "".join(shown)
