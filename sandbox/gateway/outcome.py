"""What an integration gives to the gateway: an answer, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.http import Header

TIMEOUT_ERROR = "Execution failed due to a timeout error"


@dataclass(slots=True)
class Answered:
    """An answer for the client, before header rules and framing."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    block: bytes = b""  # the headers for the wire, where they are the same for many answers


@dataclass(frozen=True, slots=True)
class Failed:
    """A gateway response has to answer: `name` as in `response_types`.

    `message` and `status` replace those of the type.
    """

    name: str
    status: int | None = None
    message: str | None = None


Outcome = Answered | Failed
