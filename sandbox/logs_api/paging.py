"""Tokens of paged answers: what was sent last, in a form that clients do not look into."""

from __future__ import annotations

import base64
import binascii
import re

from sandbox.api_errors import ApiError
from sandbox.logs_api.context import invalid
from sandbox.telemetry.log_merge import Position

MAX_ID_MS = 10**15 - 1
MAX_ID_SEQUENCE = 10**40 - 1

_ID = re.compile(r"3(\d{15})(\d{40})")


def token_of(text: str) -> str:
    """A token that means `text`."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def text_of_token(token: str) -> str:
    """What a token means.

    Raises:
        ApiError: it was not made here.
    """
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise bad_token() from error


def event_id(position: Position) -> str:
    """The 56 digits that name an event; ids sort as the events do."""
    return f"3{position.timestamp_ms:015d}{position.sequence:040d}"


def position_of(identifier: str) -> Position:
    """Where the event of an id stands.

    Raises:
        ApiError: it is no such id.
    """
    found = _ID.fullmatch(identifier)
    if found is None:
        raise bad_token()
    return Position(int(found[1]), int(found[2]))


def bad_token() -> ApiError:
    """The error for a token that was not made here."""
    return invalid("The specified nextToken is invalid.")
