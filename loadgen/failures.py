"""Why checks failed and captures found nothing: by step and reason, and never with a secret.

Reasons have values of answers in them, of which there may be as many as requests. Only the first
of each step are kept; the others of a check are counted together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from loadgen.messages import Failure
from loadgen.redact import Secrets, names_a_secret

if TYPE_CHECKING:
    from loadgen.flow.session import Session

OTHER_REASONS = "other reasons"
MOST_REASONS = 20  # of a step

_MOST_CHARS = 120
_MOST_OF_EXPECTED_CHARS = 32
_MOST_OF_GOT_CHARS = 56
# What is looked at of a value; `Secrets.safe_excerpt` does not look at more.
_MOST_OF_VALUE_CHARS = 4_096
# Shorter captured values are numbers, states and the like.
_SHORTEST_CAPTURED_CHARS = 6


class Reason(NamedTuple):
    """What a check wanted and what there was, as texts that may still have secrets in them."""

    check: str  # `checks.json.$.id`, `capture id`
    expected: str | None
    got: str


class FailureLog:
    """What failed since the last look, with reasons that may be shown."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._shown: dict[tuple[int, Reason], str] = {}  # by step
        self._reasons: dict[int, int] = {}  # how many are shown of a step
        self._of_others: dict[str, str] = {}  # by check
        self._counts: dict[tuple[int, int, str], int] = {}

    def add(self, phase: int, step: int, reason: Reason, session: Session | None = None) -> None:
        """One more request of a step failed; what its flow captured is not shown either."""
        check, expected, got = reason
        if expected is not None:
            expected = expected[:_MOST_OF_VALUE_CHARS]
        reason = Reason(check, expected, got[:_MOST_OF_VALUE_CHARS])
        text = self._shown.get((step, reason)) or self._text(step, reason, session)
        key = (phase, step, text)
        self._counts[key] = self._counts.get(key, 0) + 1

    def take(self) -> list[Failure]:
        """All since the last time."""
        found = [Failure(*key, count) for key, count in self._counts.items()]
        self._counts = {}
        return found

    def _text(self, step: int, reason: Reason, session: Session | None) -> str:
        known = self._reasons.get(step, 0)
        if known >= MOST_REASONS:
            return self._others(reason.check)
        self._reasons[step] = known + 1
        own = Secrets(_values_of(session) if session is not None else ())
        text = self._words(reason, own)
        self._shown[step, reason] = text
        return text

    def _others(self, check: str) -> str:
        """What the rarer reasons of a check are counted as; checks are as many as profiles have."""
        text = self._of_others.get(check)
        if text is None:
            shown = self._shortened(check, Secrets(), _MOST_CHARS - len(OTHER_REASONS) - 2)
            text = self._of_others[check] = f"{shown}: {OTHER_REASONS}"
        return text

    def _words(self, reason: Reason, own: Secrets) -> str:
        check = self._shortened(reason.check, own, _MOST_CHARS)
        got = self._shortened(reason.got, own, _MOST_OF_GOT_CHARS)
        if reason.expected is None:
            return _cut(f"{check}: {got}", _MOST_CHARS)
        expected = self._shortened(reason.expected, own, _MOST_OF_EXPECTED_CHARS)
        return _cut(f"{check}: expected {expected}, got {got}", _MOST_CHARS)

    def _shortened(self, text: str, own: Secrets, most: int) -> str:
        """The beginning of `text`; secrets are hidden before it is cut."""
        hidden = own.hide(text).encode("utf-8", "replace")
        return _cut(self._secrets.safe_excerpt(hidden), most) if hidden else "an empty text"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _values_of(session: Session) -> Iterator[str]:
    """Values of a flow that are nobody's business: captured ones, and secrets in its rows."""
    for captured in session.captured.values():
        if isinstance(captured, str) and len(captured) >= _SHORTEST_CAPTURED_CHARS:
            yield captured
    for row in session.rows.values():
        for column, value in row.items():
            if isinstance(value, str) and names_a_secret(column):
                yield value
